"""A seccomp filter: the system calls that no model needs and that reach past namespaces.

Namespaces hide what is outside; the filter closes what they leave: sockets of families that have
no namespace (vsock, the kernel's crypto), the user's keyrings, memory that belongs to no process
and so escapes the count, and the parts of the kernel that attacks begin with.
"""

from __future__ import annotations

import errno
import platform
import struct

from bnnkg.errors import SandboxError

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
X32_BIT = 0x40000000

# name: numbers on x86_64 and aarch64 (-1: it has none).
REFUSED: dict[str, tuple[int, int]] = {
    # reaching others
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # the kernel itself
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "syslog": (103, 116),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "modify_ldt": (154, -1),
    "personality": (135, 92),
    # memory that is no process's
    "shmget": (29, 194),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
# Answered as by an older kernel, so that libraries take their other way.
ABSENT: dict[str, tuple[int, int]] = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
CLONE = (56, 220)
IOCTL = (16, 29)
NEW_NAMESPACES = 0x7E020000  # CLONE_NEW*
TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

NUMBER, ARCH, ARGUMENT_0, ARGUMENT_1 = 0, 4, 16, 24
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000


def system_call_filter() -> bytes:
    """The filter as a classic BPF program, for `bwrap --seccomp`.

    Raises:
        SandboxError: The processor is neither x86_64 nor aarch64.
    """
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        raise SandboxError("there is no sandbox for this processor, so no model's code can be run",
                           expected="x86_64 or aarch64", found=machine)  # fmt: skip
    column = COLUMN[machine]
    program = [
        _step(LOAD, ARCH),
        _step(EQUAL, AUDIT_ARCH[machine], 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
    ]
    if machine == "x86_64":
        program += [_step(AT_LEAST, X32_BIT, 0, 1), _answer(errno.ENOSYS)]
    for calls, error in ((REFUSED, errno.EPERM), (ABSENT, errno.ENOSYS)):
        for numbers in calls.values():
            if numbers[column] >= 0:
                program += [_step(EQUAL, numbers[column], 0, 1), _answer(error)]
    program += [
        _step(EQUAL, CLONE[column], 0, 4),
        _step(LOAD, ARGUMENT_0),
        _step(ANY_BIT, NEW_NAMESPACES, 0, 1),
        _answer(errno.EPERM),
        _step(RETURN, ALLOW),
        _step(EQUAL, IOCTL[column], 0, 4),
        _step(LOAD, ARGUMENT_1),
        _step(EQUAL, TERMINAL_INPUT[0], 1, 0),
        _step(EQUAL, TERMINAL_INPUT[1], 0, 1),
        _answer(errno.EPERM),
        _step(RETURN, ALLOW),
    ]
    return b"".join(program)


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction; jumps count the instructions to leap over."""
    return struct.pack("=HBBI", code, if_true, if_false, operand)


def _answer(error: int) -> bytes:
    return _step(RETURN, 0x00050000 | error)
