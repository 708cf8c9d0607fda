"""Why Neo4j did not start, in the user's words."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

from bnnkg.errors import ServerError
from bnnkg.store.server.versions import last_opened_by, newer_database

if TYPE_CHECKING:
    from bnnkg.errors import StoreError
    from bnnkg.store.server.home import HomeFolder

_MAKE_ROOM = "make room there, then try again; what was committed is not lost"
_TAKEN_PORT = re.compile(r"Address already in use|BindException|PortBindException")
_NEWER = re.compile(r"UnsupportedLogVersion|originates from an? newer version|downgrad", re.I)
_KNOWN = (
    (
        re.compile(r"No space left on device|Disk quota exceeded", re.I),
        "the disk is full",
        _MAKE_ROOM,
    ),
    (
        re.compile(r"AccessDenied|Permission denied|Read-only file system|not writable", re.I),
        "there is no permission to write",
        "give it (all of the folder must belong to you), or name another folder with --db",
    ),
    (
        re.compile(r"FileLockException|Lock file has been locked|already locked", re.I),
        "another Neo4j is using the database",
        "stop that one, or name another folder with --db",
    ),
    (
        re.compile(r"Could not reserve enough space|insufficient memory|OutOfMemory", re.I),
        "there is not enough memory for Neo4j",
        "it needs about 1.5 GB: close something, then try again",
    ),
)


def is_taken_port(log: str) -> bool:
    """Tells whether the server ended because something listens on its port."""
    return bool(_TAKEN_PORT.search(log))


def known_reason(home: HomeFolder, version: str, log: str) -> StoreError | None:
    """Finds in what Neo4j wrote a reason that can be put plainly.

    Args:
        home: The folder.
        version: The version that ran.
        log: What it wrote since it was started.
    """
    if _NEWER.search(log):
        return newer_database(home, last_opened_by(home), version)
    for pattern, what, hint in _KNOWN:
        if found := pattern.search(log):
            line = log[log.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
            return ServerError(what, where=str(home.root), found=line.strip(), hint=hint)
    if is_taken_port(log):
        return ServerError("every port that was tried was taken", hint="try again")
    return None


def explain(home: HomeFolder, version: str, log: str) -> StoreError:
    """Says why a server ended: the reason, or else the last lines that it wrote."""
    return known_reason(home, version, log) or ServerError(
        f"Neo4j {version} ended as it started",
        where=str(home.logs / "java.log"),
        found=last_lines(log) or "nothing in its log",
    )


def explain_os_error(home: HomeFolder, error: OSError) -> ServerError:
    """Translates a failure to write into the folder."""
    hint = {
        errno.ENOSPC: _MAKE_ROOM,
        errno.EACCES: "give yourself permission, or name another folder with --db",
        errno.EROFS: "name another folder with --db",
        errno.ENOTDIR: "name another folder with --db",
        errno.EEXIST: "name another folder with --db",
    }.get(error.errno or 0)
    return ServerError(
        "the database folder cannot be written",
        where=str(error.filename or home.root),
        found=error.strerror or str(error),
        hint=hint,
    )


def refuse_full_disk(home: HomeFolder, needed: int) -> None:
    """Raises where a database folder has less room than this many bytes."""
    room = os.statvfs(home.root)
    free = room.f_bavail * room.f_frsize
    if free < needed:
        raise ServerError(
            "the disk is full",
            where=str(home.root),
            expected=f"{needed / 1e6:.1f} MB of room for Neo4j",
            found=f"{free / 1e6:.1f} MB",
            hint=_MAKE_ROOM,
        )


def last_lines(log: str, n: int = 8) -> str:
    """The end of a log, without what Java prints of its stack."""
    lines = [line for line in log.splitlines() if line.strip() and not line.startswith("\tat ")]
    return "\n    ".join(line[:300] for line in lines[-n:])
