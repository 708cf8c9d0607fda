"""Filling an empty database from files, while its server is stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from bnnkg.errors import ServerError
from bnnkg.progress import Progress, silent
from bnnkg.store.server.configuration import admin_command, java_environment
from bnnkg.store.server.home import HomeFolder, hold_lock
from bnnkg.store.server.jars import locate
from bnnkg.store.server.life import stop
from bnnkg.store.server.processes import die_with_parent
from bnnkg.store.server.reasons import known_reason, last_lines, refuse_full_disk
from bnnkg.store.server.versions import DEFAULT_VERSION, last_opened_by

if TYPE_CHECKING:
    from pathlib import Path

_POLL_S = 0.1
_PATIENCE_S = 120.0
_ROOM = 256 << 20
_OFF_HEAP = "2g"
"""Of itself it takes nine tenths of what is free, from whoever else needs memory."""


def import_files(home: Path, files: Path, arguments: str, progress: Progress = silent) -> None:
    """Lets ``neo4j-admin`` fill the database of a folder; its server is stopped for that.

    The folder is held meanwhile, by this process and by the import: nobody starts a server on a
    half-filled database. What a kill leaves half-filled is emptied by the next start.

    Args:
        home: The folder; its database holds nothing that is to stay.
        files: Folder of the files.
        arguments: Name of the file, among them, that holds the arguments.
        progress: Told of the seconds that it takes.

    Raises:
        ServerError: The import fails, and the database is empty; or the folder is taken.
    """
    folder = HomeFolder(home.absolute())
    refuse_full_disk(folder, _ROOM)
    lock = _take(folder)
    try:
        folder.importing.touch()
        failure = _run(folder, files, arguments, lock, progress)
        if failure is None:
            folder.importing.unlink()
        else:
            empty_unfinished(folder)
            raise failure
    finally:
        os.close(lock)


def empty_unfinished(folder: HomeFolder) -> None:
    """Empties a database whose import did not end; only the holder of the lock may call it."""
    if folder.importing.exists():
        for kind in ("databases", "transactions"):
            shutil.rmtree(folder.data / kind / "neo4j", ignore_errors=True)
        folder.importing.unlink()


def _take(folder: HomeFolder) -> int:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        stop(folder.root, wait=True)
        lock = hold_lock(folder)
        if lock is not None:
            return lock
        time.sleep(_POLL_S)
    raise ServerError(
        "the database is in use, and an import needs it alone",
        where=str(folder.root),
        hint="stop the other commands and notebooks that use it, then try again",
    )


def _run(
    folder: HomeFolder, files: Path, arguments: str, lock: int, progress: Progress
) -> ServerError | None:
    version = last_opened_by(folder) or DEFAULT_VERSION
    # Not verbose, it does not say in which file, line and field a value is wrong.
    command = admin_command(
        folder, locate(version), "database", "import", "full", "neo4j",
        f"--max-off-heap-memory={_OFF_HEAP}", "--verbose", f"@{arguments}",
    )  # fmt: skip
    began = time.monotonic()
    with folder.logs.joinpath("import.log").open("w+") as log:
        java = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=files,
            env=java_environment(folder), pass_fds=[lock],
            preexec_fn=die_with_parent(os.getpid()),
        )  # fmt: skip
        try:
            while java.poll() is None:
                progress("importing into Neo4j", time.monotonic() - began)
                time.sleep(_POLL_S)
        finally:
            java.kill()
            java.wait()
        log.seek(0)
        output = log.read()
    if java.returncode == 0:
        return None
    known = known_reason(folder, version, output)
    return (
        known
        if isinstance(known, ServerError)
        else ServerError(
            "neo4j-admin cannot import the files",
            where=str(folder.logs / "import.log"),
            found=last_lines(output),
        )
    )
