"""Files of the cache: written whole or not at all, locked between processes, checked by hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TypeVar

from bnnkg.errors import SourceError
from bnnkg.ingest.modeldb.failures import UnansweredError

_Value = TypeVar("_Value")
_log = logging.getLogger(__name__)
_BLOCK_BYTES = 2**20
_DAY_S = 86_400.0


class Answers:
    """What a server answered, read, for as long as that is good.

    Args:
        folder: Holds a file for each answer.
        offline: Whether these answers alone are used, of whatever age.
        max_age_s: How long an answer is good without asking again.
    """

    def __init__(self, folder: Path, *, offline: bool, max_age_s: float) -> None:
        self._folder = folder
        self._offline = offline
        self._max_age_s = max_age_s

    def get(
        self, path: str, *, fetch: Callable[[], _Value], load: Callable[[object], _Value]
    ) -> _Value:
        """An answer while it is good; else a new one; else the old one after all, and a warning.

        Args:
            path: Its file, relative to the folder.
            fetch: Asks for it; its result is a frozen dataclass or made of what JSON has.
            load: Makes the same of what JSON has; TypeError, ValueError, KeyError or SourceError
                where that cannot be.

        Raises:
            SourceError: It is not there and cannot be had.
        """
        stored = self._stored(self._folder / path, load)
        if stored is not None and (self._offline or self._is_good(stored[1])):
            return stored[0]
        if self._offline:
            raise SourceError(
                "this is not in the cache, and no server is to be asked",
                where=str(self._folder / path),
                hint="fetch it once with the network",
            )
        try:
            value = fetch()
        except UnansweredError as error:
            if stored is None:
                raise
            days = (time.time() - stored[1]) / _DAY_S
            told = "%s: what the cache holds since %.0f days is used instead: %s"
            _log.warning(told, error.where, days, error.found)
            return stored[0]
        plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        write_json(self._folder / path, {"fetched_at": time.time(), "value": plain})
        return value

    def _is_good(self, fetched_at: float) -> bool:
        return 0 <= time.time() - fetched_at < self._max_age_s

    @staticmethod
    def _stored(path: Path, load: Callable[[object], _Value]) -> tuple[_Value, float] | None:
        stored = read_json(path)
        if stored is None:
            return None
        try:
            return load(stored["value"]), float(str(stored["fetched_at"]))
        except (TypeError, ValueError, KeyError, SourceError):
            _log.warning("%s: the cached file has another form and is not used", path)
            return None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Holds a lock file, waiting for the process that holds it; gives its descriptor.

    Raises:
        SourceError: The system has no such locks, or the file cannot be made.
    """
    try:
        import fcntl
    except ImportError as error:
        raise SourceError(
            "downloads need Linux or macOS", hint="run bnnkg under WSL, or download by hand"
        ) from error
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the file system refuses into an error that says what to do.

    Raises:
        SourceError: The disk is full, the folder cannot be written, and their like.
    """
    try:
        yield
    except OSError as error:
        raise SourceError(
            "the cache cannot be written",
            where=str(error.filename or path),
            found=error.strerror or str(error),
            hint="make room, or name another folder with BNNKG_CACHE",
        ) from error


def write_json(path: Path, value: object) -> None:
    """Writes a file that others see whole or not at all.

    Raises:
        SourceError: It cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(value, file, ensure_ascii=False, indent=1)
            Path(made).replace(path)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise


def read_json(path: Path) -> dict[str, object] | None:
    """What a file of the cache holds; absent where there is none, or where it is broken."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("%s: the cached file cannot be read and is not used: %s", path, error)
        return None
    return value if isinstance(value, dict) else {}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
