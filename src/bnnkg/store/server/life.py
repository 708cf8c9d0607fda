"""Starting, stopping and asking after the server of a folder."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bnnkg import errors
from bnnkg.errors import ServerError
from bnnkg.progress import Progress, silent
from bnnkg.store.server import processes
from bnnkg.store.server.home import HomeFolder, ServerRecord, is_held, read_record
from bnnkg.store.server.versions import choose_version

if TYPE_CHECKING:
    from pathlib import Path

_POLL_S = 0.05
_PATIENCE_S = 360.0
_STOP_PATIENCE_S = 75.0
_MARK_S = 2.0


@dataclass(frozen=True)
class ServerStatus:
    """How the server of a folder is.

    Attributes:
        state: A server that is shutting down counts as stopped, and still has a pid.
        uri: Where Bolt answers; absent unless it runs.
        http: The address of Neo4j Browser; absent unless it runs.
        pid: Java's process; absent where there is none.
        version: Neo4j's version; absent where nothing runs.
        home: The folder.
    """

    state: Literal["stopped", "starting", "running"]
    uri: str | None
    http: str | None
    pid: int | None
    version: str | None
    home: Path

    @property
    def browser(self) -> str | None:
        """The address of Neo4j Browser with this database and its user filled in."""
        if self.http is None or self.uri is None:
            return None
        return f"{self.http}?connectURL=bolt://neo4j@{self.uri.partition('://')[2]}"


def status(home: Path) -> ServerStatus:
    """Tells whether a server runs in a folder, and where it answers; costs a few file reads."""
    folder = HomeFolder(home.absolute())
    if not is_held(folder):
        return ServerStatus("stopped", None, None, None, None, folder.root)
    return _describe(folder, read_record(folder))


def _describe(folder: HomeFolder, record: ServerRecord | None) -> ServerStatus:
    if record is None:
        return ServerStatus("starting", None, None, None, None, folder.root)
    java = record.java if processes.is_alive(record.java) else None
    pid, version = java.pid if java else None, record.version
    if record.state == "starting":
        return ServerStatus("starting", None, None, pid, version, folder.root)
    # One of the two may just have been killed: what the other still says is out of date.
    if record.state == "running" and java and processes.is_alive(record.keeper):
        return ServerStatus("running", record.uri, record.http, pid, version, folder.root)
    return ServerStatus("stopped", None, None, pid, version, folder.root)


def read_password(home: Path) -> str:
    """Reads the password of the user neo4j.

    Raises:
        ServerError: There is none yet, or it cannot be read.
    """
    path = HomeFolder(home.absolute()).password
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ServerError(
            "the password of the database cannot be read",
            where=str(path),
            found=error.strerror,
            hint="bnnkg db start makes one in a new folder",
        ) from error


def start(home: Path, *, version: str | None = None, progress: Progress = silent) -> ServerStatus:
    """Starts the server of a folder, unless it runs, and waits until it answers.

    Several processes may call it at once: one server results, and all of them return it. While
    a server is shutting down it waits for that, then starts the next.

    Args:
        home: The folder; made if it is missing.
        version: One of SUPPORTED_VERSIONS; by default the one that opened the folder last, or
            DEFAULT_VERSION in a new one. `BNNKG_NEO4J_HOME` overrides it.
        progress: Told of the download, then of the start.

    Raises:
        ServerError: Neo4j cannot be fetched, the folder cannot be used, or Neo4j ends; the
            message says why.
        StoreVersionError: The database was made by a newer Neo4j.
    """
    folder = HomeFolder(home.absolute())
    current = status(folder.root)
    if current.state == "running":
        return _check_version(current, version)
    _claim(folder)
    from bnnkg.store.server import jars

    chosen = choose_version(folder, version, jars.installed_version())
    jars.install(chosen, progress)
    return _check_version(_start_or_join(folder, chosen, progress), chosen if version else None)


def _start_or_join(folder: HomeFolder, version: str, progress: Progress) -> ServerStatus:
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE_S:
        current = status(folder.root)
        if current.state == "running":
            return current
        if is_held(folder):
            _stop_orphan(folder)
            progress(_task(version), 0, note=f"{time.monotonic() - began:.0f} s")
            time.sleep(_POLL_S)
        else:
            _launch(folder, version, progress)
    raise ServerError(
        f"another process holds the folder for more than {_PATIENCE_S:.0f} seconds",
        where=str(folder.lock),
        hint=f"see who does (fuser {folder.lock}) and stop it",
    )


def _task(version: str) -> str:
    return f"Starting Neo4j {version}"


def _check_version(current: ServerStatus, wanted: str | None) -> ServerStatus:
    if wanted in (None, current.version):
        return current
    raise ServerError(
        "the server that runs in this folder is of another version",
        where=str(current.home),
        expected=f"Neo4j {wanted}",
        found=f"Neo4j {current.version}",
        hint="bnnkg db stop, then try again",
    )


def _claim(folder: HomeFolder) -> None:
    """Makes the folder, and refuses one that holds something else."""
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        foreign = not folder.lock.exists() and any(folder.root.iterdir())
        if foreign and not folder.data.joinpath("databases").is_dir():
            raise ServerError(
                "the folder holds something that is not a database",
                where=str(folder.root),
                expected="a new or empty folder, or one that bnnkg made",
                hint="name another folder with --db",
            )
        os.close(os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
        folder.logs.mkdir(exist_ok=True)
    except OSError as error:
        from bnnkg.store.server.reasons import explain_os_error

        raise explain_os_error(folder, error) from error


def _launch(folder: HomeFolder, version: str, progress: Progress) -> None:
    """Starts a keeper and waits for what it has to say.

    Raises:
        ServerError: What the keeper says went wrong.
    """
    import subprocess

    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as report, folder.logs.joinpath("keeper.log").open("w") as log:
        # -P: the user's current folder must not shadow Python's modules.
        module = "bnnkg.store.server.keeper"
        command = [sys.executable, "-P", "-m", module, str(folder.root), version, str(writer)]
        try:
            subprocess.run(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[writer],
                start_new_session=True,
                check=False,
            )
        finally:
            os.close(writer)
        began = time.monotonic()
        while not select.select([report], [], [], 0.2)[0]:
            progress(_task(version), 0, note=f"{time.monotonic() - began:.0f} s")
        _raise_failure(folder, report.readline())


def _raise_failure(folder: HomeFolder, line: bytes) -> None:
    if not line:
        from bnnkg.store.server.reasons import last_lines

        path = folder.logs / "keeper.log"
        raise ServerError(
            "the process that starts Neo4j ended without a word",
            where=str(path),
            found=last_lines(path.read_text(errors="replace")) or "nothing in its log",
            hint="if something killed it, try again",
        )
    said: dict[str, Any] = json.loads(line)
    if said["outcome"] == "failed":
        parts = said["error"]
        kind: type[errors.StoreError] = getattr(errors, said["kind"])
        raise kind(parts.pop("what"), **parts)
    if said["outcome"] == "stopped":
        raise ServerError("the server was stopped while it started", where=str(folder.root))


def _stop_orphan(folder: HomeFolder) -> None:
    """Stops a server whose keeper was killed: nobody would stop it when it is idle."""
    record = read_record(folder)
    if record is not None and not processes.is_alive(record.keeper):
        processes.send(record.java, signal.SIGTERM)


def stop(home: Path, *, wait: bool = False) -> ServerStatus:
    """Asks the server of a folder to stop; does nothing where none runs.

    Args:
        home: The folder.
        wait: Whether to return only when it is gone. It takes half a second, or up to half a
            minute where a transaction is open.

    Raises:
        ServerError: It may not be stopped by this user, or does not stop.
    """
    folder = HomeFolder(home.absolute())
    deadline = time.monotonic() + (_STOP_PATIENCE_S if wait else _MARK_S)
    while is_held(folder) and time.monotonic() < deadline:
        record = read_record(folder)
        if record is not None and record.state == "stopping" and not wait:
            break
        if record is not None and record.state != "stopping":
            _ask_to_stop(folder, record)
        time.sleep(_POLL_S)
    current = status(folder.root)
    if wait and is_held(folder):
        raise ServerError(
            f"the server did not stop in {_STOP_PATIENCE_S:.0f} seconds",
            where=str(folder.root),
            hint=f"kill -9 {current.pid}; the database survives it" if current.pid else None,
        )
    return current


def _ask_to_stop(folder: HomeFolder, record: ServerRecord) -> None:
    try:
        if not processes.send(record.keeper, signal.SIGTERM):
            processes.send(record.java, signal.SIGTERM)
    except PermissionError as error:
        raise ServerError(
            "the server belongs to another user", where=str(folder.root), found=error.strerror
        ) from error
