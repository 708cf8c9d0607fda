"""What a run in the sandbox may use, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["done", "failed", "cpu", "wall", "memory", "processes", "disk", "killed"]


@dataclass(frozen=True)
class Limits:
    """What all processes of one run may use together, unless told otherwise.

    Attributes:
        cpu_s: CPU time.
        wall_s: Time from start to end.
        memory_bytes: Memory, a page that several processes share counted once.
        n_processes: Processes and threads alive at one time.
        disk_bytes: Disk in the writable folder, with what it held before, and in deleted files
            that are still open.
        file_bytes: Length of one file.
        n_files: Files and folders in the writable folder.
        output_bytes: What is kept of stdout, and of stderr.
    """

    cpu_s: float = 600
    wall_s: float = 900
    memory_bytes: int = 4 * 2**30
    n_processes: int = 64
    disk_bytes: int = 2 * 2**30
    file_bytes: int = 2**30
    n_files: int = 100_000
    output_bytes: int = 2**20


@dataclass(frozen=True)
class Breach:
    """A limit that a run went over.

    Attributes:
        status: Which.
        message: What was found, and what was allowed.
    """

    status: Status
    message: str


@dataclass(frozen=True)
class Outcome:
    """How a run in the sandbox ended.

    Attributes:
        status: `done` (exit status 0), `failed` (another), `killed` (by a signal, such as that of
            a segmentation fault), or the limit for which it was ended.
        returncode: Exit status, 128 + n after signal n; None where a limit ended it.
        stdout: Start and end of what it wrote there, as UTF-8, what is not UTF-8 replaced. Written
            by a stranger: it may hold terminal escapes.
        stderr: The same.
        cpu_s: CPU time of all its processes.
        peak_memory_bytes: Largest sum over its processes that was seen.
        peak_processes: Largest number of processes and threads that was seen.
        message: What a report says of it; empty for a plain `done`.
    """

    status: Status
    returncode: int | None
    stdout: str
    stderr: str
    cpu_s: float
    peak_memory_bytes: int
    peak_processes: int
    message: str
