"""Watching a sandbox from outside, and ending it at its limits.

Namespaces bound what a process sees and reaches, and neither memory nor processes nor disk; so
somebody looks, and kills the first process of the sandbox, with which the kernel kills all others.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bnnkg.sandbox.census import Census
from bnnkg.sandbox.folder import FolderWatch
from bnnkg.sandbox.limits import Breach, Limits, Outcome, Status
from bnnkg.sandbox.output import KeptOutput

SHORTEST_PAUSE_S = 0.05
PAUSE_PER_COST = 20
CHUNK_BYTES = 65536
DEATH_MS = 10_000
# What bwrap, or what gives up root's rights for it, ends with where it cannot do its work.
SETUP_FAILED = (1, 126, 127)


@dataclass(frozen=True)
class Ending:
    """How it ended, and whether there was a sandbox at all (else stderr says why not)."""

    outcome: Outcome
    was_made: bool


def supervise(
    process: subprocess.Popen[bytes], report: int, *, folder: Path, limits: Limits
) -> Ending:
    """Watches a sandbox to its end; nothing of it is left when this returns or raises.

    Args:
        process: The bwrap that makes it.
        report: Where bwrap reports the first process and the exit status.
        folder: Its writable folder.
        limits: What it may use.
    """
    watch = _Watch(process, report, folder, limits)
    breach = None
    try:
        breach = watch.until_end()
    finally:
        watch.stop()
    return watch.ending(breach)


class _Look:
    """Something that is looked at again and again: the dearer a look, the longer the pause."""

    def __init__(self, look: Callable[[], Breach | None]) -> None:
        self._look = look
        self.due_s = 0.0

    def breach(self) -> Breach | None:
        started = time.monotonic()
        if started < self.due_s:
            return None
        found = self._look()
        cost = time.monotonic() - started
        self.due_s = started + cost + max(SHORTEST_PAUSE_S, PAUSE_PER_COST * cost)
        return found


class _Watch:
    """One run: its pipes, its processes, its folder."""

    def __init__(
        self, process: subprocess.Popen[bytes], report: int, folder: Path, limits: Limits
    ) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._limits = limits
        self._started_s = time.monotonic()
        self._census = Census(limits)
        self._folder = FolderWatch(folder, limits)
        self._looks = [_Look(self._overtime), _Look(self._look_at_processes)]
        self._looks.append(_Look(lambda: self._folder.breach(self._census.pids)))
        self._stdout = KeptOutput(limits.output_bytes)
        self._stderr = KeptOutput(limits.output_bytes)
        self._report = KeptOutput(CHUNK_BYTES)
        self._streams = {process.stdout.fileno(): self._stdout,
                         process.stderr.fileno(): self._stderr, report: self._report}  # fmt: skip
        self._first: int | None = None
        self._first_handle: int | None = None
        self._cpu_s = 0.0

    def until_end(self) -> Breach | None:
        """Waits for the end, or for the first limit that is exceeded."""
        with selectors.DefaultSelector() as selector, _handle(self._process.pid) as handle:
            selector.register(handle, selectors.EVENT_READ)
            for stream in self._streams:
                os.set_blocking(stream, False)
                selector.register(stream, selectors.EVENT_READ)
            while True:
                pause_s = min(look.due_s for look in self._looks) - time.monotonic()
                for key, _ in selector.select(max(0.0, pause_s)):
                    if key.fd == handle:
                        return None
                    if self._take(key.fd) == b"":
                        selector.unregister(key.fd)
                for look in self._looks:
                    if breach := look.breach():
                        return breach

    def _take(self, stream: int) -> bytes | None:
        """Reads what is there: empty at the end of the stream, None where nothing is there yet."""
        try:
            chunk = os.read(stream, CHUNK_BYTES)
        except BlockingIOError:
            return None
        self._streams[stream].add(chunk)
        if self._first is None:
            self._meet_the_first()
        return chunk

    def _meet_the_first(self) -> None:
        first = self._reported("child-pid")
        if first is not None:
            self._first = first
            with contextlib.suppress(ProcessLookupError):
                self._first_handle = os.pidfd_open(first)

    def _reported(self, name: str) -> int | None:
        """What bwrap reported under a name; it writes one JSON object a line."""
        for line in self._report.text().splitlines(keepends=True):
            if line.endswith("\n") and name in (entry := json.loads(line)):
                return int(entry[name])
        return None

    def _overtime(self) -> Breach | None:
        if time.monotonic() - self._started_s > self._limits.wall_s:
            return Breach("wall", f"it ran for more than {self._limits.wall_s:g} s")
        return None

    def _look_at_processes(self) -> Breach | None:
        return None if self._first is None else self._census.look(self._first)

    def stop(self) -> None:
        """Kills whatever is left, waits until it is gone, and takes the last output."""
        if self._first_handle is None:
            os.kill(self._process.pid, signal.SIGKILL)
        else:
            self._kill_the_first()
        _, status, used = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        for stream in self._streams:
            while self._take(stream):
                pass
        if self._first_handle is not None:
            self._kill_the_first()
            os.close(self._first_handle)
        self._cpu_s = max(self._census.cpu_s, used.ru_utime + used.ru_stime)

    def _kill_the_first(self) -> None:
        """Kills the sandbox's first process; it is dead when the kernel has ended all others."""
        assert self._first_handle is not None
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._first_handle, signal.SIGKILL)
        poll = select.poll()
        poll.register(self._first_handle, select.POLLIN)
        poll.poll(DEATH_MS)

    def ending(self, breach: Breach | None) -> Ending:
        """What is to be said of it."""
        code = self._reported("exit-code")
        was_killed = self._first is not None and self._process.returncode not in SETUP_FAILED
        was_made = bool(breach) or code is not None or was_killed
        breach = breach or self._late_breach()
        status, message = (breach.status, breach.message) if breach else _judged(code)
        dropped = [f"{stream.n_dropped:,} bytes of {name} were dropped"
                   for name, stream in (("stdout", self._stdout), ("stderr", self._stderr))
                   if stream.n_dropped]  # fmt: skip
        outcome = Outcome(
            status=status,
            returncode=None if breach else code,
            stdout=self._stdout.text(),
            stderr=self._stderr.text(),
            cpu_s=self._cpu_s,
            peak_memory_bytes=self._census.peak_memory_bytes,
            peak_processes=self._census.peak_processes,
            message="; ".join([*([message] if message else []), *dropped]),
        )
        return Ending(outcome, was_made)

    def _late_breach(self) -> Breach | None:
        """A limit that was exceeded after the last look."""
        if self._cpu_s > self._limits.cpu_s:
            return Breach("cpu", f"it used {self._cpu_s:.1f} s of CPU time, of "
                                 f"{self._limits.cpu_s:g} allowed")  # fmt: skip
        return self._folder.breach()


@contextlib.contextmanager
def _handle(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _judged(code: int | None) -> tuple[Status, str]:
    """Status and message where no limit was exceeded; a shell tells signal n as 128 + n."""
    if code is None:
        return "killed", "the sandbox was killed from outside"
    if code == 0:
        return "done", ""
    try:
        name = signal.Signals(code - 128).name
    except ValueError:
        return "failed", f"it ended with exit status {code}"
    if name == "SIGXFSZ":
        return "disk", "it wrote a file longer than allowed"
    return "killed", f"it was ended by {name}"
