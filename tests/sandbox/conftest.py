"""An attacker's room: a folder to write in, what lies outside, and a Python that is let loose."""

import os
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bnnkg.sandbox import Limits, Outcome, check, interpreter_paths, remove_folder, run

REFUSAL = check()
UNDER_TEST = {"test_sandbox_availability.py", "test_sandbox_leftovers.py"}


@pytest.fixture(autouse=True)
def _needs_a_sandbox(request: pytest.FixtureRequest) -> None:
    if REFUSAL and request.path.name not in UNDER_TEST:
        pytest.skip(f"no sandbox here: {REFUSAL.splitlines()[0]}")


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """The folder that the attacker may write in."""
    path = tmp_path / "work"
    path.mkdir()
    yield path
    remove_folder(path)  # pytest would stumble over what some attacks leave


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that anybody may write in, but that is not in the sandbox."""
    path = tmp_path / "outside"
    path.mkdir()
    path.chmod(0o777)
    (path / "secret").write_text("hidden treasure")
    (path / "secret").chmod(0o666)
    return path


@pytest.fixture
def mark() -> str:
    """A word by which the processes of this attack are known."""
    return f"marked{uuid.uuid4().hex}"


@pytest.fixture
def attack(work: Path, outside: Path, mark: str) -> Callable[..., Outcome]:
    """Runs Python text in the sandbox; it knows the folders `work` and `outside`, and `mark`."""

    def attack(text: str, *, read_only: tuple[Path, ...] = (), **limits: float) -> Outcome:
        names = {"work": str(work), "outside": str(outside), "mark": mark}
        head = "import os, sys, time\n" + "".join(f"{k} = {v!r}\n" for k, v in names.items())
        code = head + textwrap.dedent(text)
        allowed = Limits(**{"cpu_s": 10, "wall_s": 20, "memory_bytes": 2**30, **limits})
        command = [sys.executable, "-I", "-c", code]
        return run(
            command, writable=work, read_only=(*interpreter_paths(), *read_only), limits=allowed
        )

    return attack


def processes_with(mark: str) -> list[psutil.Process]:
    """Processes of this machine, but this one, whose command line has a word."""
    others = (process for process in psutil.process_iter() if process.pid != os.getpid())
    found = []
    for process in others:
        try:
            if mark in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def alive(mark: str) -> Callable[[], list[psutil.Process]]:
    """Tells which processes of this attack are alive on the machine."""
    return lambda: processes_with(mark)
