"""The mechanisms that NEURON itself brings, which no file of a source defines.

Their parameters, kinds and equations are written here in NMODL as far as the graph tells them, so
that they are read as any other is. Their identity is their name: nobody else has another ``hh``
without a file.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from bnnkg.ingest.identity import shared_uid
from bnnkg.ingest.neuron.mod_models import label_of
from bnnkg.ingest.neuron.mods import ReadMod
from bnnkg.ingest.parsed import DefinedLabel, Mechanism, Nmodl, SynapseModel
from bnnkg.kinetics import parse_mod

_TEXTS = {
    # Hodgkin & Huxley 1952 at 6.3 degC, with the resting potential at -65 mV.
    "hh": """
        NEURON { SUFFIX hh  USEION na READ ena WRITE ina  USEION k READ ek WRITE ik
          NONSPECIFIC_CURRENT il  RANGE gnabar, gkbar, gl, el, gna, gk
          RANGE minf, hinf, ninf, mtau, htau, ntau }
        PARAMETER { gnabar = .12 (S/cm2)  gkbar = .036 (S/cm2)  gl = .0003 (S/cm2)
          el = -54.3 (mV) }
        STATE { m h n }
        ASSIGNED { v (mV) celsius (degC) ena (mV) ek (mV) ina (mA/cm2) ik (mA/cm2) il (mA/cm2)
          gna (S/cm2) gk (S/cm2) minf hinf ninf mtau (ms) htau (ms) ntau (ms) }
        BREAKPOINT { SOLVE gates METHOD cnexp
          gna = gnabar*m*m*m*h  gk = gkbar*n*n*n*n
          ina = gna*(v - ena)  ik = gk*(v - ek)  il = gl*(v - el) }
        INITIAL { rates(v)  m = minf  h = hinf  n = ninf }
        DERIVATIVE gates { rates(v)
          m' = (minf - m)/mtau  h' = (hinf - h)/htau  n' = (ninf - n)/ntau }
        PROCEDURE rates(u (mV)) { LOCAL a, b, faster
          faster = 3^((celsius - 6.3)/10)
          a = linoid(u + 40)        b = 4*exp(-(u + 65)/18)
          minf = a/(a + b)  mtau = 1/(faster*(a + b))
          a = .07*exp(-(u + 65)/20) b = 1/(1 + exp(-(u + 35)/10))
          hinf = a/(a + b)  htau = 1/(faster*(a + b))
          a = .1*linoid(u + 55)     b = .125*exp(-(u + 65)/80)
          ninf = a/(a + b)  ntau = 1/(faster*(a + b)) }
        FUNCTION linoid(x) {
          if (fabs(x) < 1e-5) { linoid = 1 + x/20 } else { linoid = .1*x/(1 - exp(-x/10)) } }""",
    "pas": """
        NEURON { SUFFIX pas NONSPECIFIC_CURRENT i RANGE g, e }
        PARAMETER { g = .001 (S/cm2)  e = -70 (mV) }
        BREAKPOINT { i = g*(v - e) }""",
    "fastpas": """
        NEURON { SUFFIX fastpas NONSPECIFIC_CURRENT i RANGE g, e }
        PARAMETER { g = .0005 (S/cm2)  e = -65 (mV) }
        BREAKPOINT { i = g*(v - e) }""",
    "capacitance": """
        NEURON { SUFFIX capacitance RANGE cm, i_cap }
        PARAMETER { cm = 1 (uF/cm2) }""",
    "extracellular": """
        NEURON { SUFFIX extracellular RANGE xraxial, xg, xc, e_extracellular, i_membrane, vext }
        PARAMETER { e_extracellular = 0 (mV) }""",
    "ExpSyn": """
        NEURON { POINT_PROCESS ExpSyn NONSPECIFIC_CURRENT i RANGE tau, e }
        PARAMETER { tau = .1 (ms)  e = 0 (mV) }
        STATE { g (uS) }
        BREAKPOINT { SOLVE decay METHOD cnexp  i = g*(v - e) }
        DERIVATIVE decay { g' = -g/tau }
        NET_RECEIVE(weight (uS)) { g = g + weight }""",
    "Exp2Syn": """
        NEURON { POINT_PROCESS Exp2Syn NONSPECIFIC_CURRENT i RANGE tau1, tau2, e, g }
        PARAMETER { tau1 = .1 (ms)  tau2 = 10 (ms)  e = 0 (mV) }
        STATE { A (uS) B (uS) }
        ASSIGNED { g (uS) factor }
        BREAKPOINT { SOLVE decay METHOD cnexp  g = B - A  i = g*(v - e) }
        DERIVATIVE decay { A' = -A/tau1  B' = -B/tau2 }
        NET_RECEIVE(weight (uS)) { A = A + weight*factor  B = B + weight*factor }""",
    "AlphaSynapse": """
        NEURON { POINT_PROCESS AlphaSynapse NONSPECIFIC_CURRENT i RANGE onset, tau, gmax, e }
        PARAMETER { onset = 0 (ms)  tau = .1 (ms)  gmax = 0 (uS)  e = 0 (mV) }
        BREAKPOINT { if (t < onset) { i = 0 }
          else { i = gmax*(t - onset)/tau*exp(1 - (t - onset)/tau)*(v - e) } }""",
    "IClamp": """
        NEURON { POINT_PROCESS IClamp ELECTRODE_CURRENT i RANGE del, dur, amp }
        PARAMETER { del = 0 (ms)  dur = 0 (ms)  amp = 0 (nA) }
        BREAKPOINT { if (t >= del && t < del + dur) { i = amp } else { i = 0 } }""",
    "SEClamp": """
        NEURON { POINT_PROCESS SEClamp ELECTRODE_CURRENT i
          RANGE rs, dur1, amp1, dur2, amp2, dur3, amp3, vc }
        PARAMETER { rs = 1 (megohm)  dur1 = 0 (ms)  amp1 = 0 (mV)  dur2 = 0 (ms)  amp2 = 0 (mV)
          dur3 = 0 (ms)  amp3 = 0 (mV) }
        BREAKPOINT { i = (vc - v)/rs }""",
    "VClamp": """
        NEURON { POINT_PROCESS VClamp ELECTRODE_CURRENT i
          RANGE dur, amp, gain, rstim, tau1, tau2, e0, vo0, vi0, fac }
        PARAMETER { gain = 1e5  rstim = 1 (megohm)  tau1 = .001 (ms)  tau2 = 0 (ms)  e0 = 0 (mV)
          vo0 = 0 (mV)  vi0 = 0 (mV)  fac = 0 }
        STATE { e (mV) vo (mV) vi (mV) }""",
    "OClamp": """
        NEURON { POINT_PROCESS OClamp ELECTRODE_CURRENT i RANGE rs, on, off, vc, switched_on }
        PARAMETER { rs = 1 (megohm)  on = 0 (ms)  off = 0 (ms)  vc = 0 (mV)  switched_on = 0 }""",
    "APCount": """
        NEURON { POINT_PROCESS APCount RANGE n, thresh, time, firing }
        PARAMETER { n = 0  thresh = -20 (mV)  time = 0 (ms) }""",
    "PointProcessMark": "NEURON { POINT_PROCESS PointProcessMark }",
    "NetStim": """
        NEURON { ARTIFICIAL_CELL NetStim RANGE interval, number, start, noise }
        PARAMETER { interval = 10 (ms)  number = 10  start = 50 (ms)  noise = 0 }""",
    "IntFire1": """
        NEURON { ARTIFICIAL_CELL IntFire1 RANGE tau, refrac, m }
        PARAMETER { tau = 10 (ms)  refrac = 5 (ms) }""",
    "IntFire2": """
        NEURON { ARTIFICIAL_CELL IntFire2 RANGE taus, taum, ib, i, m }
        PARAMETER { taus = 20 (ms)  taum = 10 (ms)  ib = 0 }""",
    "IntFire4": """
        NEURON { ARTIFICIAL_CELL IntFire4 RANGE taue, taui1, taui2, taum, e, i1, i2, m }
        PARAMETER { taue = 5 (ms)  taui1 = 10 (ms)  taui2 = 20 (ms)  taum = 50 (ms) }""",
    "PatternStim": """
        NEURON { ARTIFICIAL_CELL PatternStim RANGE fake_output }
        PARAMETER { fake_output = 0 }""",
}
BUILTIN_NAMES = tuple(_TEXTS)


@cache
def builtin_mod(name: str) -> ReadMod | None:
    """A mechanism that NEURON brings, as if it had been read from a file without a path.

    Absent where NEURON brings none of that name; ions are none of them.
    """
    text = _TEXTS.get(name)
    if text is None:
        return None
    mod = replace(parse_mod(text, where=name), statements=())
    label = label_of(mod)
    return ReadMod("", label, shared_uid(label, ["NEURON", name]), mod)


@cache
def builtin_mechanism(name: str) -> tuple[DefinedLabel, Mechanism | SynapseModel] | None:
    """The node of a mechanism that NEURON brings; absent where it brings none of that name.

    Args:
        name: Such as ``hh`` or ``ExpSyn``; what ends in ``_ion`` holds that ion's concentrations
            and reversal potential.
    """
    if name.endswith("_ion"):
        ion = name.removesuffix("_ion")
        uid = shared_uid("Mechanism", ["NEURON", name])
        return "Mechanism", Mechanism(uid, "SUFFIX", "other", ion=ion, nmodl=Nmodl())
    read = builtin_mod(name)
    if read is None:
        return None
    model = read.synapse() if read.label == "SynapseType" else read.mechanism()
    return read.label, model
