"""Mechanisms in NMODL, written for the tests of the folder."""

from collections.abc import Mapping
from pathlib import Path

from bnnkg.ingest.neuron.mods import ModReading, ReadMod, read_mods
from bnnkg.ingest.sources import LocalTree

SODIUM = """TITLE A sodium channel
COMMENT
Made up for a test; ask somebody@example.org.
ENDCOMMENT
: Half-activations of its own

NEURON {
    SUFFIX made_up
    USEION na READ ena WRITE ina
    RANGE gbar, thick
    GLOBAL minf, mtau
}
PARAMETER {
    gbar = 120 (mS/cm2)
    thick = 2 (micron)
    vh = -30 (mV)
    ena = 50 (mV)
    unset (mV)
}
ASSIGNED { v (mV) ina (mA/cm2) minf mtau (ms) hinf htau (ms) }
STATE { m h }
BREAKPOINT {
    SOLVE states METHOD cnexp
    ina = 0.001*gbar*m^3*h*(v - ena)
}
INITIAL { rates(v) m = minf h = hinf }
DERIVATIVE states {
    rates(v)
    m' = (minf - m)/mtau
    h' = (hinf - h)/htau
}
PROCEDURE rates(v (mV)) {
    minf = 1/(1 + exp(-(v - vh)/7))
    mtau = 2
    hinf = 1/(1 + exp((v + 60)/5))
    htau = 10
}
"""

LEAK = """
NEURON { SUFFIX leaky NONSPECIFIC_CURRENT i RANGE g, e }
PARAMETER { g = 0.1 (mS/cm2) e = -70 (mV) }
ASSIGNED { v (mV) i (mA/cm2) }
BREAKPOINT { i = 0.001*g*(v - e) }
"""

SYNAPSE = """
NEURON { POINT_PROCESS Bump NONSPECIFIC_CURRENT i RANGE tau1, tau2, e }
PARAMETER { tau1 = 0.5 (ms) tau2 = 6 (ms) e = -75 (mV) gmax = 2 (nS) }
ASSIGNED { v (mV) i (nA) g (uS) }
STATE { A B }
BREAKPOINT { SOLVE state METHOD cnexp g = B - A i = g*(v - e) }
DERIVATIVE state { A' = -A/tau1 B' = -B/tau2 }
NET_RECEIVE(weight (uS)) { A = A + weight B = B + weight }
"""


def current(statements: str, *, neuron: str = "", parameters: str = "", more: str = "") -> str:
    """A density mechanism without states and with a current i."""
    return f"""
NEURON {{ SUFFIX one NONSPECIFIC_CURRENT i {neuron} }}
PARAMETER {{ g = 1 (S/cm2) e = -70 (mV) {parameters} }}
ASSIGNED {{ v (mV) i (mA/cm2) }}
BREAKPOINT {{ {statements} }}
{more}
"""


def events(receive: str, *, arguments: str = "weight", conductance: str = "g") -> str:
    """A synapse of which NET_RECEIVE is given, with the parameters U and d."""
    return f"""
NEURON {{ POINT_PROCESS Receiver NONSPECIFIC_CURRENT i RANGE U, tau, e }}
PARAMETER {{ U = 0.5 d = 0.8 tau = 3 (ms) tau_rec = 800 (ms) e = 0 (mV) }}
ASSIGNED {{ v (mV) i (nA) R }}
STATE {{ g (uS) }}
BREAKPOINT {{ SOLVE state METHOD cnexp i = {conductance}*(v - e) }}
DERIVATIVE state {{ g' = -g/tau }}
NET_RECEIVE({arguments}) {{ {receive} }}
"""


def read_texts(folder: Path, texts: Mapping[str, str | bytes]) -> ModReading:
    """What files of these texts hold, in a folder of their own."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        content = text if isinstance(text, bytes) else text.encode()
        (folder / path).write_bytes(content)
    tree = LocalTree(folder)
    return read_mods(tree, tree.paths())


def read_one(folder: Path, text: str) -> ReadMod:
    """The only file of a source."""
    (read,) = read_texts(folder, {"one.mod": text}).files
    return read
