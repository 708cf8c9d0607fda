"""What somebody gets who runs a well-behaved program in the sandbox."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from bnnkg.errors import UsageError
from bnnkg.sandbox import Limits, interpreter_paths, run


def test_output_status_and_cost_come_back(attack):
    outcome = attack("print('out'); print('err', file=sys.stderr); sys.exit(0)")
    assert (outcome.status, outcome.returncode, outcome.message) == ("done", 0, "")
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")


def test_cpu_time_and_memory_are_those_of_the_processes(attack):
    outcome = attack("""
        ballast = bytearray(b'x') * 200_000_000
        while time.process_time() < .5:
            pass
        print(time.process_time())
        time.sleep(.3)
        """)
    assert float(outcome.stdout) <= outcome.cpu_s < float(outcome.stdout) + 0.3
    assert 200_000_000 < outcome.peak_memory_bytes < 240_000_000
    assert outcome.peak_processes == 1


def test_cpu_time_of_children_counts(attack):
    outcome = attack("""
        import subprocess
        for _ in range(2):
            subprocess.run([sys.executable, '-I', '-c',
                            'import time\\nwhile time.process_time() < .3: pass'])
        """)
    assert 0.6 <= outcome.cpu_s < 1.2


def test_a_failure_has_its_exit_status(attack):
    outcome = attack("sys.exit(7)")
    assert (outcome.status, outcome.returncode) == ("failed", 7)
    assert outcome.message == "it ended with exit status 7"


def test_a_crash_names_its_signal(attack, work):
    outcome = attack("import ctypes; ctypes.string_at(0)")
    assert (outcome.status, outcome.returncode) == ("killed", 128 + signal.SIGSEGV)
    assert outcome.message == "it was ended by SIGSEGV"
    assert {path.name for path in work.iterdir()} == {".home", ".tmp"}  # no core


def test_an_absent_program_is_a_failure(work):
    outcome = run(["no-such-program"], writable=work)
    assert (outcome.status, outcome.returncode) == ("failed", 127)
    assert "no-such-program" in outcome.stderr


def test_the_environment_is_ours_and_nothing_else(work, monkeypatch):
    monkeypatch.setenv("BNNKG_TEST_SECRET", "hidden treasure")
    outcome = run(["/usr/bin/env"], writable=work, environment={"NEURONHOME": "/somewhere"})
    variables = dict(line.split("=", 1) for line in outcome.stdout.splitlines())
    assert variables.keys() - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        "PATH", "HOME", "TMPDIR", "TEMP", "LANG", "NEURONHOME",
    }  # fmt: skip
    assert variables["NEURONHOME"] == "/somewhere"
    assert Path(variables["HOME"]).parent == Path(variables["TMPDIR"]).parent == work


def test_home_and_temporary_folder_can_be_written(attack, work):
    outcome = attack("""
        import tempfile, pathlib
        pathlib.Path.home().joinpath('note').write_text('home')
        tempfile.mkdtemp()
        """)
    assert outcome.status == "done", outcome.stderr
    assert (work / ".home" / "note").read_text() == "home"


def test_it_starts_in_the_writable_folder_or_where_it_is_told(work):
    (work / "model").mkdir()
    assert run(["/bin/pwd"], writable=work).stdout == f"{work}\n"
    outcome = run(["/bin/pwd"], writable=work, working_folder=work / "model")
    assert outcome.stdout == f"{work}/model\n"


def test_what_it_writes_is_there_afterwards_and_in_the_next_run(work):
    assert run(["/bin/sh", "-c", "echo one > note"], writable=work).status == "done"
    assert run(["/bin/cat", "note"], writable=work).stdout == "one\n"
    assert (work / "note").read_text() == "one\n"


def test_what_the_caller_adds_between_runs_can_be_changed(work):
    run(["/bin/true"], writable=work)
    (work / "folder").mkdir()
    (work / "folder" / "note").write_text("ours")
    assert run(["/bin/sh", "-c", "echo theirs > folder/note"], writable=work).status == "done"
    assert (work / "folder" / "note").read_text() == "theirs\n"


def test_what_is_read_only_is_read_and_not_written(attack, tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "fact").write_text("42")
    library.chmod(0o777)
    outcome = attack(f"print(open('{library}/fact').read()); open('{library}/new', 'w')",
                     read_only=(library,))  # fmt: skip
    assert outcome.stdout == "42\n"
    assert "Read-only file system" in outcome.stderr
    assert [path.name for path in library.iterdir()] == ["fact"]


def test_python_and_its_packages_run(work):
    command = [sys.executable, "-I", "-c", "import numpy; print(numpy.__file__)"]
    outcome = run(command, writable=work, read_only=interpreter_paths())
    assert outcome.stdout.strip().endswith("numpy/__init__.py"), outcome.stderr


def test_the_interpreter_does_not_open_a_whole_prefix():
    assert not {Path(sys.prefix), Path(sys.base_prefix), Path.home()} & set(interpreter_paths())


def test_relative_paths_are_taken_from_here(work, monkeypatch):
    monkeypatch.chdir(work.parent)
    assert run(["/bin/pwd"], writable=Path("work")).stdout == f"{work}\n"


@pytest.mark.parametrize("name", ["", ".", "work/inner"])
def test_writable_and_read_only_must_lie_apart(work, tmp_path, name):
    (work / "inner").mkdir()
    with pytest.raises(UsageError, match="must lie apart"):
        run(["/bin/true"], writable=work, read_only=[tmp_path / name])


@pytest.mark.parametrize("path", ["/", "/proc", "/usr", "/etc"])
def test_the_system_cannot_be_given_away(work, path):
    with pytest.raises(UsageError, match="too wide"):
        run(["/bin/true"], writable=Path(path))


def test_what_is_absent_is_told(work, tmp_path):
    with pytest.raises(UsageError, match="absent"):
        run(["/bin/true"], writable=tmp_path / "nothing")
    with pytest.raises(UsageError, match="absent"):
        run(["/bin/true"], writable=work, read_only=[tmp_path / "nothing"])
    with pytest.raises(UsageError, match="absent"):
        run(["/bin/true"], writable=work, working_folder=work / "nothing")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights")
def test_what_the_unprivileged_user_could_not_read_is_told_first(work, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(UsageError, match="who is not root"):
        run(["/bin/true"], writable=work, read_only=[closed])


def test_runs_side_by_side_do_not_meet(tmp_path):
    outcomes = {}

    def go(name):
        (tmp_path / name).mkdir()
        outcomes[name] = run(["/bin/sh", "-c", f"echo {name}"], writable=tmp_path / name)

    threads = [threading.Thread(target=go, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: outcome.stdout.strip() for name, outcome in outcomes.items()} == {
        f"w{n}": f"w{n}" for n in range(4)
    }


def test_no_descriptor_and_no_child_of_ours_is_left_open(work):
    run(["/bin/true"], writable=work)
    before = sorted(Path("/proc/self/fd").iterdir())
    for _ in range(3):
        run(["/bin/true"], writable=work)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    assert not [child for child in psutil.Process().children() if "bwrap" in child.name()]


CALLER = """
import sys
from pathlib import Path
from bnnkg.sandbox import run
stubborn = "trap '' INT TERM; while :; do sleep 1; done"
run(["/bin/sh", "-c", stubborn, sys.argv[2]], writable=Path(sys.argv[1]))
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_sandbox_ends_with_its_caller(work, mark, alive, stop):
    caller = subprocess.Popen([sys.executable, "-c", CALLER, str(work), mark],
                              stderr=subprocess.DEVNULL)  # fmt: skip
    _wait_until(lambda: any(process.name() == "sh" for process in alive()))
    caller.send_signal(stop)
    assert caller.wait(timeout=10) != 0
    _wait_until(lambda: not alive())


def _wait_until(true, seconds=10):
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_limits_have_the_sizes_that_a_model_gets():
    assert Limits() == Limits(cpu_s=600, wall_s=900, memory_bytes=4 * 2**30, n_processes=64,
                              disk_bytes=2 * 2**30, file_bytes=2**30, n_files=100_000,
                              output_bytes=2**20)  # fmt: skip
