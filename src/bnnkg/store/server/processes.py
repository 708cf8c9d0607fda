"""Processes told apart from later ones that got their number."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bnnkg.store.server.home import Process

if TYPE_CHECKING:
    from collections.abc import Callable

PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1


def created(pid: int) -> float | None:
    """Tells when a living process was created.

    Returns:
        Clock ticks since boot where there is a /proc, seconds since 1970 elsewhere: good for
        telling two processes apart, not for telling the time. Absent for no process, or one that
        is dead and only waits to be reaped.
    """
    if not PROC.joinpath("self", "stat").exists():
        return _created_by_psutil(pid)
    try:
        fields = PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else float(fields[19])


def _created_by_psutil(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def identify(pid: int) -> Process:
    """Names a process that was just started; one that died already is created at -1."""
    moment = created(pid)
    return Process(pid, -1.0 if moment is None else moment)


def is_alive(process: Process | None) -> bool:
    """Tells whether the very process that was named still lives."""
    return process is not None and created(process.pid) == process.created


def send(process: Process | None, number: signal.Signals) -> bool:
    """Signals a process if it is still the one that was named; tells whether it was."""
    if process is None or not is_alive(process):
        return False
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def die_with_parent(parent: int) -> Callable[[], None] | None:
    """What a process does before it becomes Java: it asks to be stopped if its parent dies."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask
