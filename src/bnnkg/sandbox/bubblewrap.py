"""The command line of `bwrap`: what is inside a sandbox, and who it is there and outside."""

from __future__ import annotations

import json
import math
import os
import shutil
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bnnkg.errors import SandboxError, UsageError
from bnnkg.sandbox import descent
from bnnkg.sandbox.availability import INSTALL
from bnnkg.sandbox.limits import Limits

# Where bnnkg runs as root, who the sandbox is outside: nobody else is likely to be.
OUTSIDE_ID = 1_900_000_001
INSIDE_ID = 1000
SHARED_MEMORY_BYTES = 64 * 2**20
SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
MADE_UP_FILES = {
    "/etc/passwd": f"model:x:{INSIDE_ID}:{INSIDE_ID}:model:/:/bin/sh\n",
    "/etc/group": f"model:x:{INSIDE_ID}:\n",
}
WALLS = (
    *("--unshare-user", "--disable-userns", "--unshare-ipc", "--unshare-pid", "--unshare-net"),
    *("--unshare-uts", "--unshare-cgroup-try", "--uid", str(INSIDE_ID), "--gid", str(INSIDE_ID)),
    *("--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1"),
    *("--cap-drop", "ALL", "--clearenv"),
)
# The namespace's first process waits for the command and ends with it, and all others with both.
FIRST_PROCESS = ("/bin/sh", "-c", '"$@"; exit $?', "sandbox")


@dataclass(frozen=True)
class Room:
    """What a command finds inside.

    Attributes:
        writable: The one folder that it may write in.
        read_only: What else it sees.
        environment: Its variables.
        working_folder: Where it starts.
        limits: What it may use.
    """

    writable: Path
    read_only: tuple[Path, ...]
    environment: Mapping[str, str]
    working_folder: Path
    limits: Limits


@dataclass(frozen=True)
class Descriptors:
    """Numbers of open pipes that bwrap reads from or reports to.

    Attributes:
        report: It reports the first process and the exit status here.
        system_calls: Holds the filter.
        files: Hold the files that are made up.
    """

    report: int
    system_calls: int
    files: Mapping[str, int]


def bubblewrap_command(room: Room, command: Sequence[str], descriptors: Descriptors) -> list[str]:
    """Arguments that start a command in a sandbox.

    Raises:
        SandboxError: bwrap is not installed.
        UsageError: A folder cannot be put into a sandbox.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None or sys.platform != "linux":
        raise SandboxError("bwrap is not installed, so no model's code can be run", hint=INSTALL)
    read_only = tuple(path for path in room.read_only if not _is_in(path, Path("/usr")))
    _check_paths(room.writable, read_only)
    if not room.working_folder.is_dir():
        raise UsageError("a command cannot start in a folder that is absent",
                         where=str(room.working_folder))  # fmt: skip
    arguments = [bwrap, *WALLS, *_system(descriptors.files)]
    arguments += ["--seccomp", str(descriptors.system_calls)]
    arguments += ["--json-status-fd", str(descriptors.report)]
    for path in sorted(read_only):
        arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--bind", str(room.writable), str(room.writable), "--remount-ro", "/"]
    for name, value in room.environment.items():
        arguments += ["--setenv", name, value]
    arguments += ["--chdir", str(room.working_folder), "--", *FIRST_PROCESS]
    arguments += [*_own_limits(room.limits), *command]
    if os.geteuid() != 0:
        return arguments
    return [*_descent([*read_only, room.writable, Path(bwrap)]), *arguments]


def _is_in(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _check_paths(writable: Path, read_only: Iterable[Path]) -> None:
    for path in (writable, *read_only):
        if not path.exists():
            raise UsageError("what a sandbox should see is absent", where=str(path))
        if any(_is_in(Path(taken), path) for taken in ("/proc", "/dev", "/usr", "/etc")):
            raise UsageError("too wide a folder for a sandbox", where=str(path))
    for path in read_only:
        # A link that a model leaves there would lead bwrap's own mounts astray.
        if _is_in(path, writable) or _is_in(writable, path):
            raise UsageError("the writable folder of a sandbox and what it only reads must lie "
                             "apart", where=str(writable), found=str(path))  # fmt: skip
        if os.geteuid() == 0 and not _is_open_to_all(path):
            raise UsageError("the sandbox's user, who is not root, may not read what it is given",
                             where=str(path), hint=f"chmod -R o+rX {path}")  # fmt: skip


def _is_open_to_all(path: Path) -> bool:
    mode = path.stat().st_mode
    needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & needed == needed


def _system(made_up: Mapping[str, int]) -> list[str]:
    """The read-only system: programs and libraries, and of /etc what these need."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for folder in SYSTEM_FOLDERS:
        if Path(folder).is_symlink():
            arguments += ["--symlink", str(Path(folder).readlink()), folder]
        elif Path(folder).exists():
            arguments += ["--ro-bind", folder, folder]
    for file in SYSTEM_FILES:
        arguments += ["--ro-bind-try", file, file]
    for file, descriptor in made_up.items():
        arguments += ["--ro-bind-data", str(descriptor), file]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--size", str(SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm"]  # noqa: S108
    return [*arguments, "--remount-ro", "/dev"]


def _own_limits(limits: Limits) -> list[str]:
    """Limits that the kernel keeps for each process, wider than those on their sum.

    They bound what happens between two looks. Where memory runs out, the sandbox dies first.
    A core limit of 1 also keeps a crash from the host's handler of core dumps, which 0 does not.
    """
    return [
        *("/usr/bin/choom", "-n", "1000", "--", "/usr/bin/prlimit", "--core=1", "--nofile=256"),
        f"--cpu={math.ceil(limits.cpu_s) + 1}",
        f"--fsize={limits.file_bytes}",
        f"--as={2 * limits.memory_bytes + 2**30}",
        *([f"--nproc={limits.n_processes + 16}"] if _counts_processes_apart() else []),
        "--",
    ]


def _counts_processes_apart() -> bool:
    """Whether the kernel counts a sandbox's processes apart from its user's others (Linux 5.14)."""
    version = os.uname().release.split(".")
    return (int(version[0]), int(version[1].split("-")[0])) >= (5, 14)


def _descent(needed: Sequence[Path]) -> list[str]:
    """The program that turns root into somebody without rights, up to the command's first word."""
    shown: dict[str, list[str]] = {}
    for path in sorted(needed):
        if folder := _closed_ancestor(path):
            shown.setdefault(str(folder), []).append(str(path))
    plan = json.dumps({"user": OUTSIDE_ID, "caller": os.getpid(), "shown": shown})
    return [sys.executable, "-I", "-S", descent.__file__, plan]


def _closed_ancestor(path: Path) -> Path | None:
    """The highest folder above a path that others may not pass through."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None
