"""The filter of system calls, against the kernel's own numbers and within a running sandbox."""

import errno
import platform
import re
import subprocess

import pytest

from bnnkg.errors import SandboxError
from bnnkg.sandbox import filter as calls

COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
HEADERS = ("#include <asm/unistd_64.h>", "#include <asm-generic/unistd.h>")
NAMED = {**calls.REFUSED, **calls.ABSENT, "clone": calls.CLONE, "ioctl": calls.IOCTL}


@pytest.mark.parametrize("column", [0, 1], ids=["x86_64", "aarch64"])
def test_numbers_are_those_of_the_kernel(column):
    """The headers of Linux know both: 64-bit ARM uses the generic table."""
    text = HEADERS[column]
    try:
        done = subprocess.run(["gcc", "-E", "-dM", "-"], input=text, text=True,
                              capture_output=True, check=True)  # fmt: skip
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("the headers of this kernel are not installed")
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", done.stdout))
    ours = {name: numbers[column] for name, numbers in NAMED.items() if name in known}
    assert len(ours) > len(NAMED) - 8
    assert ours == {name: int(known[name]) for name in ours}


@pytest.mark.skipif(COLUMN is None, reason="no filter for this processor")
def test_each_call_is_refused_within(attack):
    """With arguments that the kernel itself would answer otherwise, or that change nothing."""
    numbers = {name: pair[COLUMN] for name, pair in {**calls.REFUSED, **calls.ABSENT}.items()
               if pair[COLUMN] >= 0}  # fmt: skip
    outcome = attack(f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for name, number in {numbers!r}.items():
            ctypes.set_errno(0)
            libc.syscall(number, 1, 2, 3, 4, 5, 6)
            print(name, ctypes.get_errno())
        """)
    found = {line.split()[0]: int(line.split()[1]) for line in outcome.stdout.splitlines()}
    assert found == {name: errno.ENOSYS if name in calls.ABSENT else errno.EPERM
                     for name in numbers}  # fmt: skip


def test_a_terminal_is_not_typed_into(attack):
    outcome = attack("""
        import fcntl, pty
        near, far = pty.openpty()
        for request in (0x5412, 0x541C, 0x5412 | 1 << 32):
            try:
                fcntl.ioctl(far, request & 0xffffffff, b'x')
            except OSError as error:
                print(error.errno)
        """)
    assert outcome.stdout.split() == [str(errno.EPERM)] * 3


def test_programs_start_and_threads_run(attack):
    outcome = attack("""
        import subprocess, threading, multiprocessing
        thread = threading.Thread(target=print, args=('thread',))
        thread.start(); thread.join()
        sys.stdout.flush()
        subprocess.run(['echo', 'program'])
        with multiprocessing.get_context('fork').Pool(2) as pool:
            print(sum(pool.map(abs, [-1, -2])))
        """)
    assert outcome.stdout.split() == ["thread", "program", "3"], outcome.stderr


def test_there_is_no_sandbox_without_a_filter(work, monkeypatch):
    from bnnkg.sandbox import run

    monkeypatch.setattr(platform, "machine", lambda: "ppc64le")
    with pytest.raises(SandboxError, match="processor"):
        run(["/bin/true"], writable=work)
