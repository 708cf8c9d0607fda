"""How much a sandbox has written, seen from outside without following its links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from bnnkg.sandbox.limits import Breach, Limits

MAX_DEPTH = 64
BLOCK_BYTES = 512
SPARE_BYTES = 256 * 2**20


class TooDeepError(Exception):
    """A folder lies deeper than any model needs."""


class FolderWatch:
    """Watches what a sandbox does to the disk.

    Args:
        folder: Its writable folder.
        limits: What it may use.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._device = folder.stat().st_dev
        # What is in no folder and no table of open files still takes space: leave some to others.
        self._spare_bytes = min(SPARE_BYTES, _free_bytes(folder) // 4)

    def breach(self, pids: Iterable[int] = ()) -> Breach | None:
        """The first limit of the disk that is exceeded now."""
        try:
            found = self._over(pids)
        except TooDeepError:
            found = f"folders more than {MAX_DEPTH} deep"
        except PermissionError as error:
            found = f"something that cannot be looked into ({error.filename})"
        return Breach("disk", f"the writable folder holds {found}") if found else None

    def _over(self, pids: Iterable[int]) -> str:
        limits = self._limits
        if _free_bytes(self._folder) < self._spare_bytes:
            return f"so much that fewer than {self._spare_bytes:,} bytes of its disk are free"
        n_bytes = _deleted_bytes(pids, self._device)
        for n_files, entry in enumerate(_entries(self._folder), start=1):
            n_bytes += entry.st_blocks * BLOCK_BYTES
            if n_files > limits.n_files:
                return f"more than {limits.n_files:,} files"
            if entry.st_size >= limits.file_bytes and stat.S_ISREG(entry.st_mode):
                return f"a file that reached {limits.file_bytes:,} bytes"
            if n_bytes > limits.disk_bytes:
                return f"more than {limits.disk_bytes:,} bytes"
        return ""


def _free_bytes(folder: Path) -> int:
    filesystem = os.statvfs(folder)
    return filesystem.f_bavail * filesystem.f_frsize


def _entries(folder: Path) -> Iterator[os.stat_result]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield from _below(descriptor, 1)
    finally:
        os.close(descriptor)


def _below(descriptor: int, depth: int) -> Iterator[os.stat_result]:
    """Everything below an open folder; what disappears meanwhile is passed over."""
    if depth > MAX_DEPTH:
        raise TooDeepError
    with os.scandir(descriptor) as entries:
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
                yield found
                if stat.S_ISDIR(found.st_mode):
                    yield from _inside(entry.name, descriptor, depth)
            except (FileNotFoundError, NotADirectoryError):
                continue


def _inside(name: str, parent: int, depth: int) -> Iterator[os.stat_result]:
    # O_NOFOLLOW: the folder may have become a link since it was listed.
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    below = os.open(name, flags, dir_fd=parent)
    try:
        yield from _below(below, depth + 1)
    finally:
        os.close(below)


def _deleted_bytes(pids: Iterable[int], device: int) -> int:
    """Disk taken by files that are deleted but open, which no folder shows."""
    found: dict[int, int] = {}
    for pid in pids:
        try:
            with os.scandir(f"/proc/{pid}/fd") as opened:
                for entry in opened:
                    file = entry.stat()
                    if not file.st_nlink and file.st_dev == device and stat.S_ISREG(file.st_mode):
                        found[file.st_ino] = file.st_blocks * BLOCK_BYTES
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:
            # So it is for a process that has ended, and for one that has made itself unreadable.
            if _is_alive(pid):
                raise
    return sum(found.values())


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
