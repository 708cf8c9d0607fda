"""Channels written for the tests, with equations of the literature, in the ways that authors write.

Rates are in 1/ms, voltages in mV. Each is told with its source.
"""

from __future__ import annotations

# Hodgkin & Huxley 1952, J Physiol 117:500; alpha and beta, guarded against 0/0.
SQUID = """
TITLE squid axon
NEURON {
    SUFFIX squid
    USEION na READ ena WRITE ina
    USEION k READ ek WRITE ik
    RANGE gnabar, gkbar
}
PARAMETER { gnabar = .12 (S/cm2) gkbar = .036 (S/cm2) celsius = 6.3 (degC) }
STATE { m h n }
ASSIGNED { v (mV) ena (mV) ek (mV) ina (mA/cm2) ik (mA/cm2) q }
BREAKPOINT {
    SOLVE gates METHOD cnexp
    ina = gnabar*m^3*h*(v - ena)
    ik = gkbar*n*n*n*n*(v - ek)
}
INITIAL {
    m = am(v)/(am(v) + bm(v))
    h = ah(v)/(ah(v) + bh(v))
    n = an(v)/(an(v) + bn(v))
}
DERIVATIVE gates {
    q = 3^((celsius - 6.3)/10)
    m' = q*(am(v)*(1 - m) - bm(v)*m)
    h' = q*(ah(v)*(1 - h) - bh(v)*h)
    n' = q*(an(v)*(1 - n) - bn(v)*n)
}
FUNCTION am(v (mV)) (/ms) { am = linoid(.1, -(v + 40), 10) }
FUNCTION bm(v (mV)) (/ms) { bm = 4*exp(-(v + 65)/18) }
FUNCTION ah(v (mV)) (/ms) { ah = .07*exp(-(v + 65)/20) }
FUNCTION bh(v (mV)) (/ms) { bh = 1/(exp(-(v + 35)/10) + 1) }
FUNCTION an(v (mV)) (/ms) { an = linoid(.01, -(v + 55), 10) }
FUNCTION bn(v (mV)) (/ms) { bn = .125*exp(-(v + 65)/80) }
FUNCTION linoid(a, x, y) {
    if (fabs(x/y) < 1e-6) { linoid = a*y*(1 - x/y/2) } else { linoid = a*x/(exp(x/y) - 1) }
}
"""

# Its potassium channel as a scheme of five states: the open one is n^4, the slowest tau n's.
SQUID_K_SCHEME = """
NEURON { SUFFIX squidks USEION k READ ek WRITE ik RANGE gbar }
PARAMETER { gbar = .036 (S/cm2) celsius = 6.3 (degC) }
STATE { c0 c1 c2 c3 o }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) a (/ms) b (/ms) }
BREAKPOINT { SOLVE scheme METHOD sparse  ik = gbar*o*(v - ek) }
INITIAL { SOLVE scheme STEADYSTATE sparse }
KINETIC scheme {
    rates(v)
    ~ c0 <-> c1 (4*a, b)
    ~ c1 <-> c2 (3*a, 2*b)
    ~ c2 <-> c3 (2*a, 3*b)
    ~ c3 <-> o (a, 4*b)
    CONSERVE c0 + c1 + c2 + c3 + o = 1
}
PROCEDURE rates(v (mV)) { LOCAL x
    x = (v + 55)/10
    if (fabs(x) < 1e-6) { a = .1*(1 + x/2) } else { a = .1*x/(1 - exp(-x)) }
    b = .125*exp(-(v + 65)/80)
}
"""

# Its sodium channel with m^3 h as a scheme of eight states.
SQUID_NA_SCHEME = """
NEURON { SUFFIX squidns USEION na READ ena WRITE ina RANGE gbar }
PARAMETER { gbar = .12 (S/cm2) celsius = 6.3 (degC) }
STATE { p0 p1 p2 p3 s0 s1 s2 s3 }
ASSIGNED { v (mV) ena (mV) ina (mA/cm2) am bm ah bh }
BREAKPOINT { SOLVE scheme METHOD sparse  ina = gbar*p3*(v - ena) }
INITIAL { SOLVE scheme STEADYSTATE sparse }
KINETIC scheme {
    am = linoid((v + 40)/10)
    bm = 4*exp(-(v + 65)/18)
    ah = .07*exp(-(v + 65)/20)
    bh = 1/(exp(-(v + 35)/10) + 1)
    ~ p0 <-> p1 (3*am, bm)
    ~ p1 <-> p2 (2*am, 2*bm)
    ~ p2 <-> p3 (am, 3*bm)
    ~ s0 <-> s1 (3*am, bm)
    ~ s1 <-> s2 (2*am, 2*bm)
    ~ s2 <-> s3 (am, 3*bm)
    ~ s0 <-> p0 (ah, bh)
    ~ s1 <-> p1 (ah, bh)
    ~ s2 <-> p2 (ah, bh)
    ~ s3 <-> p3 (ah, bh)
    CONSERVE p0 + p1 + p2 + p3 + s0 + s1 + s2 + s3 = 1
}
FUNCTION linoid(x) {
    if (fabs(x) < 1e-6) { linoid = 1 + x/2 } else { linoid = x/(1 - exp(-x)) }
}
"""

# Mainen & Sejnowski 1996, Nature 382:363: delayed rectifier, with no guard at v = 25 mV.
DELAYED_RECTIFIER = """
NEURON { SUFFIX drk USEION k READ ek WRITE ik RANGE gbar, g GLOBAL ninf, ntau }
PARAMETER {
    gbar = 5 (pS/um2)  tha = 25 (mV)  qa = 9 (mV)  Ra = .02  Rb = .002
    celsius = 36 (degC)  base = 23 (degC)  q10 = 2.3
}
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) g (pS/um2) ninf ntau (ms) tadj }
STATE { n }
INITIAL { tadj = q10^((celsius - base)/10) rates(v) n = ninf }
BREAKPOINT { SOLVE states METHOD cnexp  g = tadj*gbar*n  ik = 1e-4*g*(v - ek) }
DERIVATIVE states { rates(v)  n' = (ninf - n)/ntau }
PROCEDURE rates(v (mV)) { LOCAL a, b
    a = Ra*(v - tha)/(1 - exp(-(v - tha)/qa))
    b = -Rb*(v - tha)/(1 - exp((v - tha)/qa))
    ntau = 1/(a + b)/tadj
    ninf = a/(a + b)
}
"""

# Kole, Hallermann & Stuart 2006, J Neurosci 26:1677: Ih of layer 5 pyramidal neurons.
HCN = """
NEURON { SUFFIX hcn NONSPECIFIC_CURRENT i RANGE gbar GLOBAL eh }
PARAMETER { gbar = 1e-4 (S/cm2) eh = -45 (mV) }
ASSIGNED { v (mV) i (mA/cm2) }
STATE { q }
INITIAL { q = alpha(v)/(alpha(v) + beta(v)) }
BREAKPOINT { SOLVE relax METHOD cnexp  i = gbar*q*(v - eh) }
DERIVATIVE relax { q' = alpha(v)*(1 - q) - beta(v)*q }
FUNCTION alpha(v (mV)) { alpha = .001*6.43*(v + 154.9)/(exp((v + 154.9)/11.9) - 1) }
FUNCTION beta(v (mV)) { beta = .001*193*exp(v/33.1) }
"""

# Connor, Walter & McKown 1977, Biophys J 18:81: A current.
A_TYPE = """
NEURON { SUFFIX atype USEION k READ ek WRITE ik RANGE gbar }
PARAMETER { gbar = .0477 (S/cm2) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) ainf binf taua (ms) taub (ms) }
STATE { a b }
INITIAL { settle(v)  a = ainf  b = binf }
BREAKPOINT { SOLVE both METHOD cnexp  ik = gbar*a*a*a*b*(v - ek) }
DERIVATIVE both { settle(v)  a' = (ainf - a)/taua  b' = (binf - b)/taub }
PROCEDURE settle(v (mV)) {
    ainf = (.0761*exp((v + 94.22)/31.84)/(1 + exp((v + 1.17)/28.93)))^(1/3)
    taua = .3632 + 1.158/(1 + exp((v + 55.96)/20.12))
    binf = 1/(1 + exp((v + 53.3)/14.54))^4
    taub = 1.24 + 2.678/(1 + exp((v + 50)/16.027))
}
"""

# Yamada, Koch & Adams 1989: M current, its conductance left to whoever inserts it.
M_TYPE = """
NEURON { SUFFIX mtype USEION k READ ek WRITE ik RANGE gbar }
PARAMETER { gbar (S/cm2) celsius = 22 (degC) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) speed }
STATE { p }
INITIAL { speed = 2.3^((celsius - 36)/10) p = rest(v) }
BREAKPOINT { SOLVE slow METHOD cnexp  ik = gbar*p*(v - ek) }
DERIVATIVE slow { p' = speed*(rest(v) - p)/tau(v) }
FUNCTION rest(v (mV)) { rest = 1/(1 + exp(-(v + 35)/10)) }
FUNCTION tau(v (mV)) (ms) { tau = 1000/(3.3*(exp((v + 35)/20) + exp(-(v + 35)/20))) }
"""

# Huguenard & McCormick 1992, J Neurophysiol 68:1373: T current, by the GHK equation.
T_TYPE = """
NEURON { SUFFIX ttype USEION ca READ cai, cao WRITE ica RANGE pbar }
UNITS { (mM) = (milli/liter) F = (faraday) (coulomb) R = (k-mole) (joule/degC) }
PARAMETER { pbar = 2e-4 (cm/s) celsius = 24 (degC) }
ASSIGNED { v (mV) cai (mM) cao (mM) ica (mA/cm2) minf hinf mtau (ms) htau (ms) }
STATE { m h }
INITIAL { rates(v)  m = minf  h = hinf }
BREAKPOINT { SOLVE states METHOD cnexp  ica = pbar*m*m*h*ghk(v, cai, cao) }
DERIVATIVE states { rates(v)  m' = (minf - m)/mtau  h' = (hinf - h)/htau }
PROCEDURE rates(v (mV)) {
    minf = 1/(1 + exp(-(v + 57)/6.2))
    hinf = 1/(1 + exp((v + 81)/4))
    mtau = .612 + 1/(exp(-(v + 132)/16.7) + exp((v + 16.8)/18.2))
    IF (v < -80) { htau = exp((v + 467)/66.6) } ELSE { htau = 28 + exp(-(v + 22)/10.5) }
}
FUNCTION ghk(v (mV), in (mM), out (mM)) { LOCAL z
    z = 1e-3*2*F*v/(R*(celsius + 273.15))
    if (fabs(z) < 1e-4) { ghk = 2e-3*F*(in - out)*(1 - z/2) }
    else { ghk = 2e-3*F*z*(in - out*exp(-z))/(1 - exp(-z)) }
}
"""

# Reuveni, Friedman, Amitai & Gutnick 1993, J Neurosci 13:4609: high-voltage calcium, in a table.
HVA = """
NEURON { SUFFIX hva USEION ca READ eca WRITE ica RANGE gbar }
PARAMETER { gbar = 1e-5 (S/cm2) }
ASSIGNED { v (mV) eca (mV) ica (mA/cm2) minf mtau hinf htau }
STATE { m h }
INITIAL { rates(v)  m = minf  h = hinf }
BREAKPOINT { SOLVE states METHOD cnexp  ica = gbar*m^2*h*(v - eca) }
DERIVATIVE states { rates(v)  m' = (minf - m)/mtau  h' = (hinf - h)/htau }
PROCEDURE rates(v (mV)) { LOCAL a, b
    TABLE minf, mtau, hinf, htau FROM -100 TO 100 WITH 200
    a = .055*(-27 - v)/(exp((-27 - v)/3.8) - 1)
    b = .94*exp((-75 - v)/17)
    minf = a/(a + b)
    mtau = 1/(a + b)
    a = .000457*exp((-13 - v)/50)
    b = .0065/(exp((-v - 15)/28) + 1)
    hinf = a/(a + b)
    htau = 1/(a + b)
}
"""

# Moczydlowski & Latorre 1983, J Gen Physiol 82:511: potassium channel opened by calcium.
BK = """
NEURON { SUFFIX bk USEION ca READ cai USEION k READ ek WRITE ik RANGE gbar }
UNITS { F = (faraday) (kilocoulombs) R = 8.313424 (joule/degC) }
PARAMETER {
    gbar = .01 (S/cm2)  d1 = .84  d2 = 1  k1 = .18 (mM)  k2 = .011 (mM)
    abar = .48 (/ms)  bbar = .28 (/ms)  celsius = 23 (degC)
}
ASSIGNED { v (mV) cai (mM) ek (mV) ik (mA/cm2) }
STATE { o }
INITIAL { o = opening(v, cai)/(opening(v, cai) + closing(v, cai)) }
BREAKPOINT { SOLVE gate METHOD cnexp  ik = gbar*o*(v - ek) }
DERIVATIVE gate { o' = opening(v, cai)*(1 - o) - closing(v, cai)*o }
FUNCTION opening(v, c) { opening = abar*c/(c + bind(k1, d1, v)) }
FUNCTION closing(v, c) { closing = bbar/(1 + c/bind(k2, d2, v)) }
FUNCTION bind(k, d, v) { bind = k*exp(-2*d*F*v/R/(273.15 + celsius)) }
"""

# Traub, Wong, Miles & Michelson 1991, J Neurophysiol 66:635: delayed rectifier, stepped by its own
# procedure as old files do it.
OLD_STYLE = """
NEURON { SUFFIX oldk USEION k READ ek WRITE ik RANGE gbar }
INDEPENDENT { t FROM 0 TO 1 WITH 1 (ms) }
PARAMETER { v (mV) dt (ms) gbar = .015 (mho/cm2) ek = -75 (mV) }
STATE { n }
ASSIGNED { ik (mA/cm2) ninf nexp }
BREAKPOINT { SOLVE states  ik = gbar*n^2*(v - ek) }
UNITSOFF
INITIAL { rates(v)  n = ninf }
PROCEDURE states() {
    rates(v)
    n = n + nexp*(ninf - n)
    VERBATIM
    return 0;
    ENDVERBATIM
}
PROCEDURE rates(v) { LOCAL a, b, x
    x = (v + 24.9)/5
    a = .08*x/(1 - exp(-x))
    b = .25*exp(-.025*(v + 40))
    ninf = a/(a + b)
    nexp = 1 - exp(-dt*(a + b))
}
UNITSON
"""

LEAK = """
NEURON { SUFFIX leaky NONSPECIFIC_CURRENT i RANGE g, e }
PARAMETER { g = 1e-4 (S/cm2) <0, 1e9>  e = -70 (mV) }
ASSIGNED { v (mV) i (mA/cm2) }
BREAKPOINT { i = g*(v - e) }
"""

CHANNELS = {
    "squid": SQUID,
    "squidks": SQUID_K_SCHEME,
    "squidns": SQUID_NA_SCHEME,
    "drk": DELAYED_RECTIFIER,
    "hcn": HCN,
    "atype": A_TYPE,
    "mtype": M_TYPE,
    "ttype": T_TYPE,
    "hva": HVA,
    "bk": BK,
    "oldk": OLD_STYLE,
    "leaky": LEAK,
}
