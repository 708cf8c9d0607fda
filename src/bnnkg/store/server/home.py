"""The folder of one local database: where things are in it, who holds it, and who serves it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bnnkg.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class HomeFolder:
    """The paths of a database folder."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held (flock) as long as the keeper or the server lives."""
        return self.root / "lock"

    @property
    def record(self) -> Path:
        """What the keeper says of the server it runs."""
        return self.root / "server.json"

    @property
    def password(self) -> Path:
        """The password of the user neo4j; readable by its owner alone."""
        return self.root / "password"

    @property
    def version(self) -> Path:
        """The version of Neo4j that last opened the database."""
        return self.root / "neo4j-version"

    @property
    def importing(self) -> Path:
        """There while the database is being filled from files."""
        return self.root / "importing"

    @property
    def conf(self) -> Path:
        """The folder of neo4j.conf."""
        return self.root / "conf"

    @property
    def logs(self) -> Path:
        """Neo4j's logs, Java's output and the keeper's log."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """The database itself."""
        return self.root / "data"


@dataclass(frozen=True)
class Process:
    """A process, told from a later one with the same number by when it was created."""

    pid: int
    created: float


@dataclass(frozen=True)
class ServerRecord:
    """What `server.json` says; true only while the lock is held."""

    state: Literal["starting", "running", "stopping"]
    version: str
    keeper: Process
    java: Process | None = None
    uri: str | None = None
    http: str | None = None
    ports: list[int] = field(default_factory=list)


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replaces a file in one step, so that nobody reads half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)


def write_record(home: HomeFolder, record: ServerRecord) -> None:
    """Says what the keeper does; only the holder of the lock may call it."""
    write_atomically(home.record, json.dumps(asdict(record)))


def read_record(home: HomeFolder) -> ServerRecord | None:
    """Reads what the keeper said last; absent where there is nothing that can be read."""
    try:
        values = json.loads(home.record.read_text())
        java = values.pop("java")
        return ServerRecord(
            **(values | {"keeper": Process(**values["keeper"])}),
            java=Process(**java) if java else None,
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # not ours, or of another release: as good as none


def hold_lock(home: HomeFolder) -> int | None:
    """Takes the folder for this process.

    Returns:
        A file descriptor that holds the folder until it, and all its copies in other processes,
        are closed; absent where another process holds it.
    """
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    if _lock(descriptor, shared=False):
        return descriptor
    os.close(descriptor)
    return None


def is_held(home: HomeFolder) -> bool:
    """Tells whether a keeper or a server lives in the folder."""
    try:
        descriptor = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return not _lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


def holds_still(home: HomeFolder, descriptor: int) -> bool:
    """Tells whether a held lock is still the folder's: the folder may have been deleted."""
    try:
        return os.path.samestat(os.fstat(descriptor), home.lock.stat())
    except OSError:
        return False


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds a lock file, waiting for whoever holds it now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        _lock(file.fileno(), shared=False, wait=True)
        yield


def _lock(descriptor: int, *, shared: bool, wait: bool = False) -> bool:
    try:
        import fcntl
    except ImportError as error:
        raise ServerError(
            "the local server needs Linux or macOS",
            hint="run bnnkg under WSL, or give the address of a Neo4j with --db bolt://...",
        ) from error
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, operation if wait else operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
