"""What cannot do better is not tried: each attempt costs a process, and compiling much more."""

from __future__ import annotations

from written_runs import Runner, runs_code

pytestmark = runs_code

LEAK = """
NEURON { SUFFIX leaky  NONSPECIFIC_CURRENT i  RANGE g }
PARAMETER { g = 0.001 (siemens/cm2) }
ASSIGNED { v (millivolt)  i (milliamp/cm2) }
BREAKPOINT { i = g*(v + 65) }
"""
BROKEN_MENU = """
load_file("nrngui.hoc")
create soma
soma insert hh
proc one() { soma { L = 10 } }
proc two() { soma { L = 20 } }
xpanel("figures")
xbutton("one", "one()")
xbutton("two", "two()")
xpanel()
objref absent
absent.nothing()
"""
MENU_FILE = """
load_file("nrngui.hoc")
proc one() { execute("create soma")  execute("soma insert hh") }
xpanel("figures")
xbutton("one", "one()")
xpanel()
"""
WITH_A_FILE_THAT_NEURON_MAKES = """
load_file("nrngui.hoc")
objref file
strdef name
file = new File()
file.mktemp()
file.getname(name)
file.wopen(name)
file.printf("create soma\\nsoma insert hh\\n")
file.close()
xopen(name)
"""


def test_buttons_of_an_entry_that_ends_in_an_error_are_not_pressed(run_model: Runner) -> None:
    ran = run_model({"mosinit.hoc": BROKEN_MENU})
    [attempt] = ran.execution.attempts
    assert (attempt.commands, attempt.status) == ((), "partial")
    assert "nothing" in attempt.reason


def test_buttons_of_an_entry_that_ends_well_are(run_model: Runner) -> None:
    ran = run_model({"mosinit.hoc": MENU_FILE})
    assert ran.execution.attempts[-1].commands == ("one()",)
    assert ran.execution.attempts[-1].status == "loaded"


def test_an_error_that_no_mechanism_made_compiles_none(run_model: Runner) -> None:
    ran = run_model({"leak.mod": LEAK, "mosinit.hoc": f"{BROKEN_MENU}\n"})
    assert [one.fallback for one in ran.execution.attempts] == [""]


def test_neuron_s_own_files_have_a_place(run_model: Runner) -> None:
    """NEURON's tools write in TEMP, or else in /tmp, which the sandbox has not."""
    ran = run_model({"mosinit.hoc": WITH_A_FILE_THAT_NEURON_MAKES})
    [attempt] = ran.execution.attempts
    assert (attempt.status, attempt.reason) == ("loaded", "")
    assert ran.counts["sections"] == 1
