"""Turns root into somebody without rights, who then makes the sandbox.

A program of its own, run by `python -I -S descent.py PLAN COMMAND...`: what it does to itself must
not happen to the caller. It becomes the command, with no process between that and the caller,
since one without rights could not end the sandbox of another user when the caller dies.

Each folder that is closed to others, such as root's home, is covered by an empty one that shows
only what is needed; then all rights go.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x80000
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
N_CAPABILITIES = 64


def descend(plan: str, command: list[str]) -> None:
    """Becomes a command, run by another user.

    Args:
        plan: JSON with `user` (number of the user and group), `caller` (the process that this must
            not outlive) and `shown` (for each closed folder, paths in it that are needed).
        command: Absolute path of a program, and its arguments.
    """
    read = json.loads(plan)
    libc = ctypes.CDLL(None, use_errno=True)
    if read["shown"]:
        _show_only(libc, read["shown"])
    _give_up_rights(libc, read["user"])
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == read["caller"]:
        os.execv(command[0], command)  # noqa: S606


def _show_only(libc: ctypes.CDLL, shown: Mapping[str, Sequence[str]]) -> None:
    _checked(libc.unshare(CLONE_NEWNS), "namespace of mounts")
    _checked(libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None), "/")
    held = {path: os.open(path, os.O_PATH) for paths in shown.values() for path in paths}
    for folder in shown:
        _checked(libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"mode=755"), folder)
    for path, descriptor in held.items():
        _make_place(Path(path), descriptor)
        source = f"/proc/self/fd/{descriptor}".encode()
        _checked(libc.mount(source, os.fsencode(path), None, MS_BIND | MS_REC, None), path)


def _make_place(path: Path, descriptor: int) -> None:
    """Something to mount on, of the kind of what will be mounted."""
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _give_up_rights(libc: ctypes.CDLL, user: int) -> None:
    for capability in range(N_CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)


if __name__ == "__main__":
    os.umask(0o022)
    try:
        descend(sys.argv[1], sys.argv[2:])
    except OSError as error:
        sys.exit(f"root's rights could not be given up: {error}")
