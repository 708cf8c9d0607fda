"""Models of every sort of entry, run in the sandbox: what loads them, and what is told of it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from written_runs import Ran, Runner, plain_counts, runs_code, write_model

from bnnkg.ingest.neuron.execution import Budget, execute_source, reads_currents, session_files
from bnnkg.ingest.neuron.hints import Configuration
from bnnkg.ingest.sources import LocalTree
from bnnkg.sandbox import Limits

pytestmark = runs_code

LEAK = """
NEURON { SUFFIX leaky  NONSPECIFIC_CURRENT i  RANGE g }
PARAMETER { g = 0.001 (siemens/cm2) }
ASSIGNED { v (millivolt)  i (milliamp/cm2) }
BREAKPOINT { i = g*(v + 65) }
"""
CELL = "create soma\nsoma { L = 10  diam = 10  insert hh }\n"
SIZES = """
NEURON { SUFFIX nothing }
VERBATIM
extern int vector_instance_px(void*, double**);
extern void* vector_arg(int);
ENDVERBATIM
FUNCTION evens() {
VERBATIM
  double* x;
  int n = vector_instance_px(vector_arg(1), &x);
  for (int i = 0; i < n; i++) x[i] = 2*i;
  _levens = n;
ENDVERBATIM
}
"""
WIRED_BY_C = """
load_file("nrngui.hoc")
begintemplate C
public soma, syn
create soma
objref syn
proc init() { soma { L = 10  diam = 10  insert leaky  syn = new ExpSyn(0.5) } }
endtemplate C
objref cells, wires, places
cells = new List()
wires = new List()
places = new Vector(4)
n = evens(places)
for i = 0, n + 4 cells.append(new C())
for i = 0, n - 1 cells.o(i).soma wires.append(new NetCon(&v(0.5), cells.o(places.x[i]).syn))
"""


def _statuses(ran: Ran) -> list[tuple[str, str]]:
    return [(one.status, one.fallback) for one in ran.execution.attempts]


def test_a_net_that_verbatim_wires_runs_it(run_model: Runner) -> None:
    """Of a stub its function gives 0 and fills nothing: that is noticed, and the code compiled."""
    ran = run_model({"sizes.mod": SIZES, "leak.mod": LEAK, "mosinit.hoc": WIRED_BY_C})
    stubbed, native = ran.execution.attempts
    assert stubbed.doubts == ("functions of stubbed mods were called: evens",)
    assert (native.fallback, native.doubts) == ("author's mods compiled", ())
    assert not ran.capture.header.stubs
    assert ran.counts == plain_counts(ran.folder, "mosinit.hoc")
    [ring] = ran.parts.projections
    assert (ring.pre.neuron.tolist(), ring.post.neuron.tolist()) == ([0, 1, 2, 3], [0, 2, 4, 6])


def test_native_code_may_be_forbidden(run_model: Runner) -> None:
    files = {"sizes.mod": SIZES, "leak.mod": LEAK, "mosinit.hoc": WIRED_BY_C}
    ran = run_model(files, native=False)
    [attempt] = ran.execution.attempts
    assert attempt.doubts
    assert ran.capture.header.missing == attempt.doubts  # it is told, not called whole


def test_a_mod_that_does_not_compile_costs_no_other(run_model: Runner) -> None:
    broken = "NEURON { SUFFIX broken }\nVERBATIM\nthis is no C;\nENDVERBATIM\nPARAMETER { a = 1 }\n"
    files = {"broken.mod": broken, "sizes.mod": SIZES, "leak.mod": LEAK, "mosinit.hoc": WIRED_BY_C}
    ran = run_model(files)
    assert _statuses(ran)[-1] == ("loaded", "author's mods compiled")
    [note] = ran.execution.compile_notes
    assert note.startswith("broken.mod: ")


PYTHON = """
from neuron import h
import matplotlib.pyplot as plt
h.load_file("stdrun.hoc")
class Granule:
    def __init__(self, gid):
        self.soma = h.Section(name="soma", cell=self)
        self.dend = h.Section(name="dend", cell=self)
        self.dend.connect(self.soma(1))
        self.soma.L = self.soma.diam = 12
        self.dend.L, self.dend.diam, self.dend.nseg = 80, 1.5, 5
        self.soma.insert("leaky")
        self.soma(0.5).leaky.g = 0.003
        self.syn = h.ExpSyn(self.dend(0.9))
cells = [Granule(i) for i in range(3)]
net = [h.NetCon(a.soma(0.5)._ref_v, b.syn, sec=a.soma) for a, b in zip(cells, cells[1:])]
for one in net:
    one.threshold, one.weight[0], one.delay = -15, 0.02, 2.5
if __name__ == "__main__":
    figure, axes = plt.subplots(1, 2)
    h.finitialize(-65)
    h.continuerun(1)
    raise SystemExit("not reached")
"""


def test_a_python_entry(run_model: Runner) -> None:
    ran = run_model({"leak.mod": LEAK, "main.py": PYTHON})
    assert _statuses(ran) == [("loaded", "")]
    assert ran.capture.header.stopped == "first step"
    without_figures = PYTHON.replace("import matplotlib.pyplot as plt", "").partition("if __name")[
        0
    ]
    (ran.folder / "plain.py").write_text(without_figures)
    assert ran.counts == plain_counts(ran.folder, "plain.py")
    [population] = ran.parts.populations
    assert (population.id, len(population.instance_ids)) == ("Granule", 3)
    [chain] = ran.parts.projections
    assert chain.threshold_mV is not None
    assert (chain.threshold_mV.tolist(), chain.delay_ms.tolist()) == ([-15, -15], [2.5, 2.5])


PYTHON_2 = """
from neuron import h
import cells
print "making", cells.number(7), "cells"
made = [h.Section(name="soma%d" % i) for i in xrange(cells.number(7))]
for s in made:
    s.insert('hh')
h('''load_file("stdrun.hoc")''')
h.run()
"""
HELPER_2 = "def number(n):\n\tif not n <> 0:\n\t\traise ValueError, 'none'\n\treturn n / 2\n"


def test_a_python_2_entry_is_converted(run_model: Runner) -> None:
    ran = run_model({"init.py": PYTHON_2, "cells.py": HELPER_2})
    assert _statuses(ran) == [("loaded", "Python 2 converted: cells.py, init.py")]
    assert ran.counts["sections"] == 3  # 7/2 of whole numbers
    assert ran.capture.header.fallbacks == ("Python 2 converted: cells.py, init.py",)


def test_a_module_that_is_not_installed_is_stood_in_for(run_model: Runner) -> None:
    text = (
        "import no_such_thing_at_all as other\nfrom also_absent_here import a, b\n"
        "from neuron import h\ns = h.Section(name='soma')\ns.insert('pas')\nother.show(a, b)\n"
    )
    ran = run_model({"main.py": text})
    assert _statuses(ran) == [
        ("failed", ""),
        ("failed", "module no_such_thing_at_all absent"),
        ("loaded", "module no_such_thing_at_all absent; module also_absent_here absent"),
    ]


RXD = """
from neuron import h, rxd
s = h.Section(name="s")
cytosol = rxd.Region([s], nrn_region="i")
ca = rxd.Species(cytosol, d=1, name="ca", charge=2)
buffer = rxd.Species(cytosol, name="buffer")
binding = rxd.Reaction(ca + buffer, buffer, 1)
decay = rxd.Rate(ca, -ca)
"""


def test_reactions_are_counted_as_missing(run_model: Runner) -> None:
    """They are all that is in this membrane: the load is no empty one, and not whole."""
    ran = run_model({"main.py": RXD})
    assert _statuses(ran) == [("loaded", "")]
    assert ran.capture.header.missing == (
        "RxD (reactions and diffusion), which is not captured: "
        "1 Rate, 1 Reaction, 1 Region, 2 Species (buffer, ca)",
    )
    unused = run_model({"main.py": "from neuron import h, rxd\ns = h.Section()\ns.insert('hh')\n"})
    assert unused.capture.header.missing == ()


MENU = """
load_file("nrngui.hoc")
xpanel("Figures of the paper")
xlabel("press one")
xbutton("Quit", "quit()")
xbutton("Figure 1", "start(1)")
xbutton("Figure 2", "start(2)")
xpanel()
proc start() { load_file("cell.hoc")  make($1) }
"""


def test_a_menu_is_pressed(run_model: Runner) -> None:
    cell = "create soma\nproc make() { soma { nseg = 2*$1 + 1  insert pas } }\n"
    ran = run_model({"mosinit.hoc": MENU, "cell.hoc": cell})
    [attempt] = ran.execution.attempts
    assert (attempt.status, attempt.commands) == ("loaded", ("start(1)",))
    assert ran.counts == plain_counts(ran.folder, "mosinit.hoc", "start(1)")
    assert ran.capture.header.stopped == "end of load"


def test_buttons_that_only_a_run_shows_are_pressed(run_model: Runner) -> None:
    """The menu's text is put together by the program: no reading finds it."""
    menu = """load_file("nrngui.hoc")
        strdef text, label
        xpanel("menu")
        for i = 1, 2 {
          sprint(label, "figure %d", i)
          sprint(text, "start%d()", i)
          xbutton(label, text)
        }
        xpanel()
        proc start1() { }
        proc start2() { execute("create soma")  forall insert hh }"""
    ran = run_model({"mosinit.hoc": menu})
    assert ran.execution.attempts[-1].commands == ("start2()",)
    assert ran.execution.attempts[-1].status == "loaded"
    assert ran.counts["sections"] == 1


def test_a_batch_script_names_the_entry(run_model: Runner) -> None:
    script = (
        "#!/bin/sh\nnrnivmodl\nfor i in 1 2 3; do\n  nrniv -nogui job_net.hoc >> out.dat\ndone\n"
    )
    batch = CELL + 'load_file("stdrun.hoc")\ntstop = 1\nrun()\nquit()\n'
    ran = run_model({"all.sh": script, "job_net.hoc": batch, "readme.txt": "sh all.sh"})
    assert [(a.entry, a.status) for a in ran.execution.attempts] == [("job_net.hoc", "loaded")]
    assert ran.capture.header.stopped == "first step"


def test_a_batch_that_never_steps_ends_with_quit(run_model: Runner) -> None:
    ran = run_model({"init.hoc": CELL + "quit()\ncreate other\n"})
    assert _statuses(ran) == [("loaded", "")]
    assert (ran.capture.header.stopped, ran.counts["sections"]) == ("exit", 1)


GRAPHS = """
load_file("nrngui.hoc")
create soma
soma insert hh
access soma
objref shown
for i = 0, 1 { shown = new Graph(0)  shown.view(0, -80, 5, 120, 0, 0, 300, 200)
  graphList[i].append(shown) }
objref shown
stdinit()
Graph[1].erase()
graphList[0].o(0).exec_menu("Keep Lines")
soma.nseg = 3
"""


def test_graphs_stay_without_a_display(run_model: Runner) -> None:
    """NEURON's stdinit() drops graphs whose window was closed, and takes headless ones for such."""
    ran = run_model({"mosinit.hoc": GRAPHS})
    assert _statuses(ran) == [("loaded", "")]
    assert ran.counts["segments"] == 3


def test_an_error_half_way_is_partial_and_told(run_model: Runner) -> None:
    text = CELL + "create dend\ndend insert no_such_channel\ncreate never\n"
    ran = run_model({"init.hoc": text})
    [attempt] = ran.execution.attempts
    assert attempt.status == "partial"
    # What hoc itself says of it, on stderr.
    assert "no_such_channel is not a MECHANISM" in attempt.reason
    assert "init.hoc near line 4" in attempt.reason
    assert ran.counts["sections"] == 2
    assert ran.capture.header.error == attempt.reason


def test_an_error_before_anything_is_failed(run_model: Runner) -> None:
    ran = run_model({"init.hoc": 'load_file("absent.hoc")\nthis is no hoc\n' + CELL})
    assert ran.execution.captures == ()
    assert "syntax error" in ran.execution.reason


def test_an_error_of_python_has_its_line(run_model: Runner) -> None:
    text = "from neuron import h\ns = h.Section(name='s')\ns.insert('hh')\nfirst = []\nfirst[3]\n"
    ran = run_model({"main.py": text})
    assert _statuses(ran) == [("partial", "")]
    assert ran.execution.attempts[0].reason == "IndexError: list index out of range (main.py:5)"


def test_files_of_another_system_are_found(run_model: Runner) -> None:
    files = {
        "mosinit.hoc": 'load_file("nrngui.hoc")\nload_file("LIB\\Cell.HOC")\n'
                       'xopen("params.hoc")\nload_file("far.hoc")\n',
        "lib/cell.hoc": CELL,
        "Params.hoc": "soma.nseg = 3\n",
        "deep/down/far.hoc": "soma insert pas\n",
    }  # fmt: skip
    ran = run_model(files)
    assert ran.counts["density"] == {"hh": 3, "pas": 3}
    [attempt] = ran.execution.attempts
    assert attempt.status == "loaded"
    assert "params.hoc found as Params.hoc" in attempt.fallback
    assert "far.hoc found as deep/down/far.hoc" in attempt.fallback
    assert "backslashes in paths of mosinit.hoc" in attempt.fallback
    assert (ran.folder / "mosinit.hoc").read_text() == files["mosinit.hoc"]  # a copy was repaired


def test_mods_elsewhere_are_tried(run_model: Runner) -> None:
    files = {
        "a/init.hoc": "create soma\nsoma insert leaky\n",
        "a/other.mod": LEAK.replace("leaky", "o"),
        "b/leak.mod": LEAK,
    }
    ran = run_model(files)
    assert _statuses(ran)[:2] == [("partial", ""), ("loaded", "all mods of the source")]
    assert ran.capture.header.mechanisms["leaky"].mod == "b/leak.mod"


def test_a_narrow_umask_keeps_nobody_out(run_model: Runner, tmp_path: Path, compiled: Path) -> None:
    """Root's sandbox is run by another user, who has to read what was compiled."""
    kept = shutil.copytree(compiled, tmp_path / "kept")
    kept.chmod(0o700)
    before = os.umask(0o077)
    try:
        ran = run_model({"mosinit.hoc": CELL}, cache=kept)
    finally:
        os.umask(before)
    assert _statuses(ran) == [("loaded", "")]


def test_nothing_in_the_membranes_is_inert(run_model: Runner) -> None:
    ran = run_model({"mosinit.hoc": "create soma\n"})
    assert _statuses(ran) == [("inert", "")]
    assert len(ran.execution.captures) == 1


def test_nothing_at_all_is_empty(run_model: Runner) -> None:
    ran = run_model({"mosinit.hoc": "n = 3\n"})
    assert _statuses(ran) == [("empty", "")]
    assert ran.execution.reason == "nothing was there at the end of load"


def test_an_endless_load_is_stopped_and_what_there_is_captured(run_model: Runner) -> None:
    limits = Limits(cpu_s=3, wall_s=60)
    ran = run_model({"init.hoc": CELL + "while (1) { i = i + 1 }\n"}, limits=limits)
    assert _statuses(ran) == [("partial", "")]
    assert ran.execution.reason == ""
    assert ran.execution.attempts[0].reason == "the time for a load was up"
    assert ran.counts["sections"] == 1


def test_a_crash_is_told(run_model: Runner) -> None:
    text = "from neuron import h\nimport ctypes\nh.Section()\nctypes.string_at(0)\n"
    ran = run_model({"main.py": text})
    assert _statuses(ran) == [("failed", "")]
    assert "SIGSEGV" in ran.execution.reason


def test_a_session_that_forges_its_own_result_is_refused(run_model: Runner) -> None:
    """The model's code may write where the capture is written: what it leaves is only data."""
    text = (
        "import json, os, pathlib\nfrom neuron import h\n"
        "[out] = pathlib.Path('..').resolve().glob('**/out')\n"
        "(out / 'result.json').write_text(json.dumps({'stopped': 'x', 'error': None, 'counts':"
        " {'sections': 9}, 'doubts': [], 'buttons': [], 'fallbacks': []}))\n"
        "os.symlink('/etc/passwd', out / 'capture.json')\n"
        "(out / 'capture.npz').write_bytes(b'nothing')\nos._exit(0)\n"
    )
    ran = run_model({"main.py": text})
    assert ran.execution.captures == ()
    assert _statuses(ran) == [("failed", "")]


def test_attempts_and_cpu_time_are_bounded(run_model: Runner) -> None:
    files = {f"run{i}.hoc": f"create s{i}\ns{i} insert absent{i}\n" for i in range(6)}
    ran = run_model(files, budget=Budget(n_attempts=2))
    assert len(ran.execution.attempts) == 2
    assert not run_model(files, budget=Budget(cpu_s=0)).execution.attempts


def test_given_configurations_are_taken_in_order(tmp_path: Path, compiled: Path) -> None:
    folder = write_model(tmp_path / "m", {"a.hoc": "bad(\n", "sub/b.hoc": CELL, "c.hoc": CELL})
    ways = [Configuration(path, (), path.rpartition("/")[0], (), "") for path in
            ("a.hoc", "sub/b.hoc", "c.hoc")]  # fmt: skip
    execution = execute_source(
        LocalTree(folder), work=tmp_path / "work", configurations=ways, cache=compiled
    )
    assert [(a.entry, a.status) for a in execution.attempts] == [
        ("a.hoc", "failed"), ("sub/b.hoc", "loaded"),
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["captures"]


def test_currents_that_hoc_reads_are_noticed(tmp_path: Path) -> None:
    tree = LocalTree(write_model(tmp_path, {"a.hoc": "soma.e_pas = soma.v + (ina + ik)/g_pas\n"}))
    assert reads_currents(tree)
    plain = 'soma.e_pas = -70\n// e = (ina + ik)\nprint "x=ina/2"\nina_max = 3*ikr\n'
    assert not reads_currents(LocalTree(write_model(tmp_path / "b", {"a.hoc": plain})))


def test_sessions_are_the_last_resort(tmp_path: Path) -> None:
    tree = LocalTree(write_model(tmp_path, {"x/a.ses": "", "b.txt": "", "m/k.mod": LEAK}))
    assert [(c.entry, c.folder, c.mod_folders) for c in session_files(tree)] == [
        ("x/a.ses", "x", ("m",))
    ]


def test_neuron_is_not_loaded_here(run_model: Runner) -> None:
    run_model({"init.hoc": CELL})
    assert "neuron" not in sys.modules


@pytest.mark.parametrize("entry", ["init.hoc", "init.py"])
def test_variables_of_a_model_hide_nothing(run_model: Runner, entry: str) -> None:
    """Names that the capture itself needs, taken by the model for its own."""
    hoc = CELL + "ref = 3\nallsec = 4\nNetCons = 5\nList_ = 6\nt = 9\nv_init = -77\n"
    python = f"from neuron import h\nh('''{hoc}''')\n"
    ran = run_model({entry: hoc if entry.endswith("hoc") else python})
    assert _statuses(ran)[0][0] == "loaded"
    assert ran.capture.header.v_init_mV == -77
