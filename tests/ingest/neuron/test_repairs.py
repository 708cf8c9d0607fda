"""Repairs of old sources: paths of other systems, and Python 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from written_runs import write_model

from bnnkg.ingest.neuron.inside.repairs import convert_python_2, repair_paths

NEEDS_2TO3 = pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python 3.13 has no lib2to3")


def test_a_name_in_other_case_is_linked(tmp_path: Path) -> None:
    write_model(tmp_path, {"init.hoc": 'xopen("Cells/PYR.hoc")\n', "cells/pyr.HOC": "create a\n"})
    assert repair_paths(tmp_path, tmp_path) == ["Cells/PYR.hoc found as cells/pyr.HOC"]
    assert (tmp_path / "Cells/PYR.hoc").read_text() == "create a\n"


def test_the_nearest_of_several_is_taken(tmp_path: Path) -> None:
    write_model(tmp_path, {
        "a/deep/init.hoc": 'load_file("x.hoc")\n', "a/lib/x.hoc": "1", "b/x.hoc": "2", "x2.hoc": "",
    })  # fmt: skip
    assert repair_paths(tmp_path, tmp_path / "a/deep") == ["x.hoc found as a/lib/x.hoc"]
    assert (tmp_path / "a/deep/x.hoc").read_text() == "1"


def test_backslashes_become_slashes(tmp_path: Path) -> None:
    text = 'load_file(1, "lib\\cell.hoc")\nprint "a\\b"\n'
    write_model(tmp_path, {"init.hoc": text, "lib/cell.hoc": ""})
    assert repair_paths(tmp_path, tmp_path) == ["backslashes in paths of init.hoc"]
    assert (tmp_path / "init.hoc").read_text() == 'load_file(1, "lib/cell.hoc")\nprint "a\\b"\n'


@pytest.mark.parametrize(
    "text",
    ['xopen("there.hoc")', 'load_file("nrngui.hoc")', 'xopen("/etc/passwd")', 'xopen("~/x.hoc")',
     'xopen("$(NEURONHOME)/x.hoc")', 'xopen("data%d.hoc")', 'xopen("no_such.hoc")', 'print "x.hoc"',
     'xopen("../there.hoc")', 'xopen("../../../tmp/there.hoc")'],
)  # fmt: skip
def test_what_needs_no_repair_or_leads_out_is_left(tmp_path: Path, text: str) -> None:
    root = write_model(tmp_path / "root", {"init.hoc": text, "there.hoc": "", "x.hoc": ""})
    assert repair_paths(root, root) == []
    assert sorted(p.name for p in root.iterdir()) == ["init.hoc", "there.hoc", "x.hoc"]
    assert [p.name for p in tmp_path.iterdir()] == ["root"]
    assert (root / "init.hoc").read_text() == text


def test_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    files = {"init.hoc": 'xopen("lib")\n', "lib/a.hoc": "", "other/LIB": "x"}
    write_model(tmp_path, files)
    assert repair_paths(tmp_path, tmp_path) == []
    assert (tmp_path / "lib").is_dir()


# What each program prints, as Python 2.7 does.
PYTHON_2 = [
    ("print 'a', 3", "a 3"),
    ("print 7/2, 7/2., -7/2, 7.0/2", "3 3.5 -4 3.5"),
    ("n = 9\nn /= 2\nprint n", "4"),
    ("from __future__ import division\nprint 7/2", "3.5"),
    ("for i in xrange(2):\n\tprint i,\nprint", "0 1"),
    ("try:\n  raise ValueError, 'no'\nexcept ValueError, e:\n  print e", "no"),
    ("d = {'a': 1}\nif d.has_key('a') and 1 <> 2:\n  print d.keys(), 0x1F, 017", "['a'] 31 15"),
    ("x = lambda (a, b): a + b\nprint x((1, 2))", "3"),
    ("if 1:\n        print 1,\n\tprint 2", "1 2"),
    ("exec 'y = 4'\nprint `y`", "4"),
]
_RUN_ALL = (
    "import runpy, sys\nfor path in sys.argv[1:]:\n    runpy.run_path(path)\n    print('END')"
)


@NEEDS_2TO3
def test_python_2_says_what_it_said(tmp_path: Path) -> None:
    names = [f"p{n}.py" for n in range(len(PYTHON_2))]
    texts = (text for text, _ in PYTHON_2)
    write_model(tmp_path, dict(zip(names, texts, strict=True)))
    assert convert_python_2(tmp_path) == names
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", _RUN_ALL, *names],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = [text.strip() for text in done.stdout.split("END\n")[:-1]]
    assert said == [printed for _, printed in PYTHON_2]


@NEEDS_2TO3
def test_python_3_and_what_is_neither_are_left(tmp_path: Path) -> None:
    files = {"three.py": "print(7/2)\n", "neither.py": "print 'a\nthis is no Python\n",
             "sub/two.py": "print 1\n"}  # fmt: skip
    write_model(tmp_path, files)
    assert convert_python_2(tmp_path) == ["sub/two.py"]
    assert (tmp_path / "three.py").read_text() == files["three.py"]
    assert (tmp_path / "neither.py").read_text() == files["neither.py"]
