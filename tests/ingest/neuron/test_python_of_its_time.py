"""Python models that lean on modules, built-ins and paths of their time."""

from __future__ import annotations

from pathlib import Path

from written_runs import Runner, plain_counts, runs_code

from bnnkg.ingest.neuron.inside.absent import undefined_names

STARRED = """
from pylab import *
from neuron import h
from parts import *

map_of_colours = cm.jet
figure(1)
sections = [h.Section(name=f"part{int(i)}") for i in arange(1, 4)]
for section in sections:
    section.insert("hh")
show_all()
"""
PARTS = """
from pylab import plot, show

def show_all():
    plot([1, 2])
    show()
"""
SAME_IN_HOC = "create part1, part2, part3\nforall insert hh\n"
BY_PATH = """
from neuron import h
import tables
table = tables.openFile("results.h5", "w")
soma = h.Section(name="soma")
soma.insert("hh")
"""


@runs_code
def test_a_file_that_a_script_executes_by_its_path_in_the_source(run_model: Runner) -> None:
    """Its store of results has another name in what is installed today, if it is."""
    ran = run_model({"figures/one.py": "execfile('cells/soma.py')\n", "cells/soma.py": BY_PATH})
    assert {one.entry for one in ran.execution.attempts} == {"figures/one.py"}
    assert ran.execution.attempts[-1].status == "loaded"
    assert ran.execution.attempts[-1].fallback == "module tables absent"
    assert ran.counts == {"sections": 1, "segments": 1, "density": {"hh": 1}}


IN_A_PACKAGE = """
from .cells import soma
from model.sizes import LENGTH_um
from neuron import h
soma.L = LENGTH_um
soma.insert("hh")
h.fadvance()
"""


@runs_code
def test_a_file_of_a_package_is_run_as_its_module(run_model: Runner) -> None:
    """As ``python -m model.run`` from the folder above the package does."""
    ran = run_model({
        "code/model/__init__.py": "", "code/model/run.py": IN_A_PACKAGE,
        "code/model/cells.py": "from neuron import h\nsoma = h.Section(name='soma')\n",
        "code/model/sizes.py": "LENGTH_um = float(open('length.txt').read())\n",
        "code/length.txt": "12",
    })  # fmt: skip
    [attempt] = ran.execution.attempts
    assert (attempt.entry, attempt.status) == ("code/model/run.py", "loaded")
    assert ran.capture.sections.length_um.tolist() == [12]


@runs_code
def test_names_of_pylab_are_there(run_model: Runner) -> None:
    """Its own are stood in for; those that it has of numpy are numpy's."""
    ran = run_model({"init.py": STARRED, "parts.py": PARTS})
    [attempt] = ran.execution.attempts
    assert (attempt.status, attempt.reason) == ("loaded", "")
    (ran.folder / "same.hoc").write_text(SAME_IN_HOC)
    assert ran.counts == plain_counts(ran.folder, "same.hoc")


def test_names_that_code_defines_are_not_the_star_s(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "def f(x):\n    y = x\n    return figure(y, len(x))\nz = f(kept)\nclass C:\n    own = z\n"
    )
    (tmp_path / "b.py").write_text("global_one = 1\ndef g():\n    global made\n    made = axis()\n")
    (tmp_path / "broken.py").write_text("print 'of Python 2'\n")
    assert undefined_names(tmp_path) == {"figure", "kept", "axis"}
