"""Stubs of mechanisms: what NEURON knows of one is what it knows of the compiled mod."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from written_runs import compile_plainly, runs_code, write_model

from bnnkg.ingest.neuron.compiling import find_toolchain, support_library
from bnnkg.ingest.neuron.stubs import mechanism_name, stub_lines, stub_table
from bnnkg.kinetics import ModFile, parse_mod

MODS = {
    "chan.mod": """
NEURON { SUFFIX chan  USEION k READ ek WRITE ik  USEION ca READ cai VALENCE 2
  RANGE gbar, g, ik, minf  GLOBAL q10, taufix  NONSPECIFIC_CURRENT i  THREADSAFE }
PARAMETER { gbar = 0.01 (S/cm2)  q10 = 3  vhalf = -30 (mV)  celsius (degC)  cai (mM) }
CONSTANT { F = 9.6e4 }
ASSIGNED { v (mV)  ek (mV)  ik (mA/cm2)  i (mA/cm2)  g (S/cm2)  minf  taufix (ms)  hidden  arr[3] }
STATE { m  h  z[2] }
BREAKPOINT { SOLVE states METHOD cnexp  g = gbar*m*h  ik = g*(v - ek)  i = 0 }
INITIAL { rates(v)  m = minf  h = 1 }
DERIVATIVE states { rates(v)  m' = (minf - m)/5  h' = -h/100 }
PROCEDURE rates(v (mV)) { TABLE minf DEPEND celsius FROM -100 TO 100 WITH 200
  minf = 1/(1 + exp(-(v - vhalf)/9)) }
FUNCTION twice(x) { twice = 2*x }
""",
    "pool.mod": """
NEURON { SUFFIX pool  USEION na READ ina, nai WRITE nai, nao  USEION cl WRITE icl VALENCE -1
  RANGE d, w  GLOBAL rate }
PARAMETER { d = 0.2  rate = 1.5  w[4] }
ASSIGNED { ina  icl }
STATE { nai  nao }
INITIAL { nai = 12 }
BREAKPOINT { SOLVE s METHOD cnexp  icl = 0 }
DERIVATIVE s { nai' = -ina*rate  nao' = 0 }
""",
    "syn.mod": """
NEURON { POINT_PROCESS Syn  RANGE tau, e, i, u  GLOBAL usewhat
  NONSPECIFIC_CURRENT i  POINTER peer }
PARAMETER { tau = 3 (ms)  e = -70 (mV)  usewhat = 2 }
ASSIGNED { v (mV)  i (nA)  u  peer }
STATE { g (uS) }
INITIAL { g = 0  u = 0.5 }
BREAKPOINT { SOLVE s METHOD cnexp  i = g*(v - e) }
DERIVATIVE s { g' = -g/tau }
NET_RECEIVE(weight (uS), r, t0 (ms)) { g = g + weight*u }
FUNCTION ask(x) { ask = x }
PROCEDURE tell() { u = 1 }
""",
    "cell.mod": """
NEURON { ARTIFICIAL_CELL Beat  RANGE period, m }
PARAMETER { period = 10 (ms) }
ASSIGNED { m }
INITIAL { net_send(period, 1) }
NET_RECEIVE(w) { if (flag == 1) { net_event(t)  net_send(period, 1) } else { m = m + w } }
""",
    "helpers.mod": """
NEURON { SUFFIX nothing }
PARAMETER { amount = 4 }
FUNCTION helper(x) { helper = x + amount }
PROCEDURE act() { amount = 5 }
""",
    "electrode.mod": """
NEURON { POINT_PROCESS Stim  RANGE amp, i  ELECTRODE_CURRENT i }
PARAMETER { amp = 0.2 (nA) }
ASSIGNED { i (nA) }
BREAKPOINT { i = amp }
""",
}

_ASK = """
import ctypes, json, os, sys
kind, library, table = sys.argv[1:4]
from neuron import h
if kind == "stubs":
    loaded = ctypes.CDLL(library)
    loaded.bnnkg_use_table(table.encode())
    h.nrn_load_dll(library)
found = {"types": {}, "values": {}}
soma = h.Section(name="soma")
text = h.ref("")
for is_point in (0, 1):
    types = h.MechanismType(is_point)
    for k in range(int(types.count())):
        types.select(k)
        types.selected(text)
        name = text[0]
        if name not in ("chan", "pool", "Syn", "Beat", "Stim"):
            continue
        variables = {}
        for group in (1, 2, 3, 0, -1):
            standard = h.MechanismStandard(name, group)
            names = []
            for i in range(int(standard.count())):
                size = int(standard.name(text, i))
                names.append([text[0], size])
            variables[group] = names
        found["types"][name] = [
            is_point, bool(is_point and types.is_artificial(k)), variables,
            [types.is_netcon_target(k), types.has_net_event(k)] if is_point else [],
        ]
soma.insert("chan")
soma.insert("pool")
points = [h.Syn(soma(0.5)), h.Stim(soma(0.5)), h.Beat()]
# Higher bits of the style tell that code of a mechanism writes a concentration; a stub has none.
found["ions"] = {i: [h.ion_charge(i + "_ion"), int(h.ion_style(i + "_ion", sec=soma)) & 127]
                 for i in ("k", "ca", "na", "cl")}
found["inserted"] = sorted(m.name() for m in soma(0.5))
for name in ("gbar_chan", "d_pool", "q10_chan", "vhalf_chan", "taufix_chan", "usetable_chan",
             "rate_pool", "usewhat_Syn", "amount", "hidden_chan", "F_chan", "period_Beat"):
    holder = soma(0.5) if name in ("gbar_chan", "d_pool") else h
    try:
        found["values"][name] = float(getattr(holder, name))
    except Exception:
        found["values"][name] = None
found["arrays"] = [soma(0.5).pool.w[i] for i in range(4)]
found["points"] = [points[0].tau, points[0].e, points[1].amp, points[2].period]
wires = [h.NetCon(points[2], one) for one in (points[0], points[2])]
found["weights"] = [int(one.wcnt()) for one in wires]
found["callable"] = [hasattr(h, n) for n in ("twice_chan", "rates_chan", "helper", "act", "ask")]
found["members"] = [hasattr(points[0], n) for n in ("ask", "tell", "loc", "nothing")]
h.setpointer(soma(0.5)._ref_v, "peer", points[0])
soma(0.5).v = -33
found["pointed"] = points[0].peer
print("FOUND" + json.dumps(found))
"""


def _parsed() -> dict[str, ModFile]:
    return {path: parse_mod(text, where=path) for path, text in MODS.items()}


def _ask(kind: str, library: str, table: str, folder: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, kind, library, table],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert lines, done.stderr
    return json.loads(lines[0].removeprefix("FOUND"))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, compiled: Path) -> tuple[Any, Any]:
    """What NEURON says of the compiled mods, and of their stubs."""
    folder = write_model(tmp_path_factory.mktemp("mods"), MODS)
    compile_plainly(folder)
    table = folder / "table.txt"
    table.write_text(stub_table(_parsed().items()))
    library = str(support_library(find_toolchain(), compiled))
    empty = tmp_path_factory.mktemp("empty")
    return _ask("compiled", "", "", folder), _ask("stubs", library, str(table), empty)


@runs_code
@pytest.mark.parametrize(
    "what",
    ["types", "ions", "inserted", "values", "arrays", "points", "weights", "callable", "members",
     "pointed"],
)  # fmt: skip
def test_neuron_knows_the_same(both: tuple[Any, Any], what: str) -> None:
    real, stub = both
    assert stub[what] == real[what]


def test_the_table_by_hand() -> None:
    lines = list(stub_lines("Syn", _parsed()["syn.mod"]))
    assert lines == [
        "point Syn",
        "parameter tau 1 3.0",
        "parameter e 1 -70.0",
        "assigned i 1",
        "assigned u 1",
        "state g 1",
        "pointer peer",
        "global usewhat_Syn 2.0",
        "function ask 0.0",
        "function tell 1.0",
        "receive 3",
    ]


def test_the_first_of_two_with_one_name_counts() -> None:
    first, second = MODS["cell.mod"], MODS["cell.mod"].replace("= 10", "= 99")
    both = [("a.mod", first), ("b.mod", second)]
    table = stub_table([(path, parse_mod(text, where=path)) for path, text in both])
    assert table.count("artificial Beat") == 1
    assert "period 1 10.0" in table
    assert "event\nend\n" in table


def test_a_suffix_nothing_has_the_name_of_its_file() -> None:
    mod = _parsed()["helpers.mod"]
    assert mechanism_name("folder/helpers.mod", mod) == "helpers"
    assert list(stub_lines("helpers", mod)) == [
        "nothing helpers", "global amount 4.0", "function helper 0.0", "function act 1.0",
    ]  # fmt: skip
