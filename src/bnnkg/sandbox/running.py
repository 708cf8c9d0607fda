"""Running a command in a sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from bnnkg.errors import SandboxError
from bnnkg.sandbox.availability import refusal
from bnnkg.sandbox.bubblewrap import (
    MADE_UP_FILES,
    OUTSIDE_ID,
    Descriptors,
    Room,
    bubblewrap_command,
)
from bnnkg.sandbox.filter import system_call_filter
from bnnkg.sandbox.limits import Limits, Outcome
from bnnkg.sandbox.supervision import supervise


def run(
    command: Sequence[str],
    *,
    writable: Path,
    read_only: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    working_folder: Path | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Runs somebody else's code where it can harm nobody, and says how that ended.

    Inside there is no network, no other process and nothing of the host's files but the programs
    and libraries of the system; an unprivileged user, outside too (where the caller is root,
    everything in `writable` is given to another user first). When it returns, or the caller
    dies, no process of it is left.

    Args:
        command: Program and arguments, with paths as outside.
        writable: The one folder that it may write in; HOME and TMPDIR lie in it. What it leaves
            there is a stranger's work: read it with `read_file`, remove it with `remove_folder`.
        read_only: What else it may see, at the same paths.
        environment: Its variables, beside a few of its own; nothing of the caller's.
        working_folder: Where it starts; `writable` unless told.
        limits: What it may use.

    Raises:
        SandboxError: No sandbox can be had here.
        UsageError: A folder cannot be put into one.
    """
    writable = _absolute(writable)
    room = Room(
        writable,
        tuple(_absolute(path) for path in read_only),
        _variables(writable) | dict(environment or {}),
        _absolute(working_folder or writable),
        limits or Limits(),
    )
    with ExitStack() as ours:
        report, report_in = os.pipe()
        ours.callback(os.close, report)
        with ExitStack() as theirs:
            theirs.callback(os.close, report_in)
            descriptors = _descriptors(theirs, report_in)
            arguments = bubblewrap_command(room, command, descriptors)
            _hand_over(writable)
            process = _start(arguments, descriptors)
        with process:
            try:
                ending = supervise(process, report, folder=writable, limits=room.limits)
            finally:
                process.kill()
    if not ending.was_made:
        raise refusal(ending.outcome.stderr)
    return ending.outcome


def _absolute(path: Path) -> Path:
    """A path without `..`; its links stay, for inside it has the name that the caller knows."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _variables(writable: Path) -> dict[str, str]:
    return {
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(writable / ".home"),
        "TMPDIR": str(writable / ".tmp"),
        "TEMP": str(writable / ".tmp"),  # where NEURON's own tools write, before /tmp
        "LANG": "C.UTF-8",
    }


def _descriptors(stack: ExitStack, report: int) -> Descriptors:
    """Pipes that hold the filter and the files that are made up."""

    def filled(content: bytes) -> int:
        pipe = _filled_pipe(content)
        stack.callback(os.close, pipe)
        return pipe

    files = {path: filled(text.encode()) for path, text in MADE_UP_FILES.items()}
    return Descriptors(report, filled(system_call_filter()), files)


def _filled_pipe(content: bytes) -> int:
    out, into = os.pipe()
    with os.fdopen(into, "wb") as pipe:
        pipe.write(content)
    return out


def _hand_over(writable: Path) -> None:
    """Makes HOME and TMPDIR, and where we are root, gives the folder to the sandbox's user."""
    folder = os.open(writable, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fchmod(folder, 0o700)
        for name in (".home", ".tmp"):
            # An earlier run may have left a link there, which mkdir does not follow.
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=folder)
    finally:
        os.close(folder)
    if os.geteuid() == 0:
        _give_away(writable)


def _give_away(folder: Path) -> None:
    owner = f"{OUTSIDE_ID}:{OUTSIDE_ID}"
    arguments = ["chown", "-RhP", owner, "--", str(folder)]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode != 0:
        raise SandboxError("a folder cannot be given to the sandbox's user, who is not root",
                           where=str(folder), found=ended.stderr[:500])  # fmt: skip


def _start(arguments: Sequence[str], descriptors: Descriptors) -> subprocess.Popen[bytes]:
    """Starts bwrap with nothing of ours but the pipes, apart from the terminal's Ctrl-C."""
    inherited = (descriptors.report, descriptors.system_calls, *descriptors.files.values())
    return subprocess.Popen(  # noqa: S603
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=inherited,
        env={},
        cwd="/",
        start_new_session=True,
    )
