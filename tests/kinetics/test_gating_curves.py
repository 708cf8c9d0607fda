"""Curves and what is read off them: published figures, exact solutions, hand calculations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from written_channels import CHANNELS

from bnnkg.kinetics import Gate, GRID_mV, Kinetics, evaluate_kinetics, parse_mod


def _kinetics(channel: str) -> Kinetics:
    return evaluate_kinetics(parse_mod(CHANNELS[channel]))


def _gates(text: str, **options: float) -> dict[str, Gate]:
    kinetics = evaluate_kinetics(parse_mod(text), **options)  # type: ignore[arg-type]
    return {gate.name: gate for gate in kinetics.gates}


def _note(text: str) -> str:
    kinetics = evaluate_kinetics(parse_mod(text))
    assert kinetics.gates == ()
    return kinetics.note


def _channel(rates: str, states: str = "m", current: str = "g*m*(v + 70)", more: str = "") -> str:
    return f"""
        NEURON {{ SUFFIX x NONSPECIFIC_CURRENT i RANGE g }}
        PARAMETER {{ g = 1 }}
        ASSIGNED {{ v (mV) i }}
        STATE {{ {states} }}
        BREAKPOINT {{ SOLVE dstates METHOD cnexp  i = {current} }}
        DERIVATIVE dstates {{ {rates} }}
        {more}
    """


BOLTZMANN = "m' = (1/(1 + exp(-(v + 37.5)/6.25)) - m)/2"


def test_squid_axon_at_rest() -> None:
    # Hodgkin & Huxley 1952 give these at rest; the digits are those of any textbook
    gates = {gate.name: gate for gate in _kinetics("squid").gates}
    rest = int(np.flatnonzero(GRID_mV == -65)[0])
    assert gates["m"].steady_state[rest] == pytest.approx(0.0529, abs=5e-5)
    assert gates["h"].steady_state[rest] == pytest.approx(0.5961, abs=5e-5)
    assert gates["n"].steady_state[rest] == pytest.approx(0.3177, abs=5e-5)
    assert gates["m"].tau_ms[rest] == pytest.approx(0.2368, abs=5e-5)
    assert gates["h"].tau_ms[rest] == pytest.approx(8.516, abs=5e-4)
    assert gates["n"].tau_ms[rest] == pytest.approx(5.459, abs=5e-4)
    assert [gate.exponent for gate in gates.values()] == [3, 1, 4]
    assert [math.copysign(1, gate.slope_mV) for gate in gates.values()] == [1, -1, 1]


def test_published_half_activations() -> None:
    t_type = {gate.name: gate for gate in _kinetics("ttype").gates}
    assert t_type["m"].v_half_mV == pytest.approx(-57, abs=1e-4)
    assert t_type["m"].slope_mV == pytest.approx(6.2, rel=1e-4)
    assert t_type["h"].v_half_mV == pytest.approx(-81, abs=1e-4)
    assert t_type["h"].slope_mV == pytest.approx(-4, rel=1e-4)
    [m_type] = _kinetics("mtype").gates
    assert m_type.v_half_mV == pytest.approx(-35, abs=1e-4)
    assert m_type.slope_mV == pytest.approx(10, rel=1e-4)
    # Yamada et al.: 1000/6.6 ms at -35 mV and 36 degrees, slowed by 2.3^1.4 at 22
    assert m_type.tau_max_at_mV == pytest.approx(-35, abs=0.1)
    assert m_type.tau_max_ms == pytest.approx(1000 / 6.6 * 2.3**1.4, rel=1e-6)
    # Kole et al. 2006 give its half-activation as about -110 mV by these rates
    [hcn] = _kinetics("hcn").gates
    assert hcn.v_half_mV == pytest.approx(-110, abs=0.5)
    assert hcn.slope_mV < 0


def test_a_boltzmann_function_gives_back_its_parameters() -> None:
    gate = _gates(_channel(BOLTZMANN))["m"]
    assert gate.v_half_mV == pytest.approx(-37.5, abs=1e-5)
    assert gate.slope_mV == pytest.approx(6.25, rel=1e-4)
    np.testing.assert_allclose(gate.tau_ms, 2.0, rtol=1e-12)
    np.testing.assert_allclose(
        gate.steady_state, 1 / (1 + np.exp(-(GRID_mV + 37.5) / 6.25)), rtol=1e-12
    )


def test_half_is_between_the_extremes() -> None:
    gate = _gates(_channel("m' = .4 + .5/(1 + exp((v + 31.3)/5)) - m"))["m"]
    assert gate.v_half_mV == pytest.approx(-31.3, abs=1e-4)
    assert gate.slope_mV == pytest.approx(-5, rel=1e-4)


def test_the_grid() -> None:
    kinetics = _kinetics("squid")
    assert kinetics.voltages_mV.tolist() == list(range(-120, 61, 5))
    assert all(len(gate.tau_ms) == len(gate.steady_state) == 37 for gate in kinetics.gates)
    assert kinetics.note == ""


def test_schemes_are_the_gates_they_are_made_of() -> None:
    squid = {gate.name: gate for gate in _kinetics("squid").gates}
    potassium = {gate.name: gate for gate in _kinetics("squidks").gates}
    n = squid["n"]
    np.testing.assert_allclose(potassium["o"].steady_state, n.steady_state**4, rtol=1e-9)
    np.testing.assert_allclose(potassium["c0"].steady_state, (1 - n.steady_state) ** 4, rtol=1e-9)
    np.testing.assert_allclose(potassium["o"].tau_ms, n.tau_ms, rtol=1e-9)
    assert potassium["o"].exponent == 1
    assert potassium["c1"].exponent is None

    sodium = {gate.name: gate for gate in _kinetics("squidns").gates}
    m, h = squid["m"], squid["h"]
    np.testing.assert_allclose(sodium["p3"].steady_state, m.steady_state**3 * h.steady_state, 1e-9)
    np.testing.assert_allclose(sodium["p3"].tau_ms, np.maximum(m.tau_ms, h.tau_ms), rtol=1e-9)


def test_a_scheme_without_conservation_keeps_the_sum_it_starts_with() -> None:
    text = """
        NEURON { SUFFIX x NONSPECIFIC_CURRENT i }
        ASSIGNED { v i }
        STATE { m[3] }
        INITIAL { m[0] = 2 }
        BREAKPOINT { SOLVE sch METHOD sparse  i = m[2]*v }
        KINETIC sch { FROM j = 0 TO 1 { ~ m[j] <-> m[j+1] (exp(v/20), 1) } }
    """
    gates = _gates(text)
    total = sum(gate.steady_state for gate in gates.values())
    np.testing.assert_allclose(total, 2.0, rtol=1e-12)
    # at 0 mV both directions are equal, so a third of the sum each
    at_zero = [gate.steady_state[GRID_mV == 0][0] for gate in gates.values()]
    assert at_zero == pytest.approx([2 / 3] * 3)
    # the chain with rates 1, 1 has eigenvalues 0, -1, -3
    assert gates["m[2]"].tau_ms[GRID_mV == 0] == pytest.approx([1.0])


def test_equations_that_hold_each_other() -> None:
    # x' = y - 2x, y' = (s - y): y rests at s, x at s/2; eigenvalues -1 and -2
    rates = "y' = 1/(1 + exp(-v/5)) - y  x' = y - 2*x"
    gates = _gates(_channel(rates, states="x y", current="g*x*v"))
    s = 1 / (1 + np.exp(-GRID_mV / 5))
    np.testing.assert_allclose(gates["x"].steady_state, s / 2, rtol=1e-9)
    np.testing.assert_allclose(gates["y"].steady_state, s, rtol=1e-9)
    np.testing.assert_allclose(gates["x"].tau_ms, 1.0, rtol=1e-9)


def test_old_style_steps() -> None:
    [gate] = _kinetics("oldk").gates
    assert gate.exponent == 2
    # Traub et al. 1991 at -24.9 mV, where alpha is its limit .08
    alpha, beta = 0.08, 0.25 * math.exp(-0.025 * (-24.9 + 40))
    v = -25.0
    x = (v + 24.9) / 5
    alpha, beta = 0.08 * x / (1 - math.exp(-x)), 0.25 * math.exp(-0.025 * (v + 40))
    place = GRID_mV == v
    assert gate.steady_state[place] == pytest.approx([alpha / (alpha + beta)], rel=1e-9)
    assert gate.tau_ms[place] == pytest.approx([1 / (alpha + beta)], rel=1e-9)


def test_steps_too_fast_to_tell() -> None:
    text = """
        NEURON { SUFFIX x NONSPECIFIC_CURRENT i }
        ASSIGNED { v i k }
        STATE { m }
        BREAKPOINT { SOLVE states  i = rest(v)*m*v }
        PROCEDURE states() { k = 1 - exp(-dt*1e6)  m = m + k*(rest(v) - m) }
        FUNCTION rest(v) { rest = 1/(1 + exp(-v/5)) }
    """
    gate = _gates(text)["m"]
    np.testing.assert_array_equal(gate.tau_ms, np.zeros(37))
    np.testing.assert_allclose(gate.steady_state, 1 / (1 + np.exp(-GRID_mV / 5)), rtol=1e-9)


def test_instantaneous_states_have_no_time_constant() -> None:
    text = """
        NEURON { SUFFIX x NONSPECIFIC_CURRENT i }
        ASSIGNED { v i }
        STATE { m }
        BREAKPOINT { m = 1/(1 + exp(-v/5))  i = m*v }
    """
    gate = _gates(text)["m"]
    np.testing.assert_array_equal(gate.tau_ms, np.zeros(37))
    assert gate.v_half_mV == pytest.approx(0, abs=1e-5)


def test_temperature() -> None:
    text = _channel(
        f"m' = 3^((celsius - 20)/10)*{BOLTZMANN.removeprefix('m')[4:]}",
        more="PARAMETER { celsius = 30 }",
    )
    assert evaluate_kinetics(parse_mod(text)).temperature_degC == 30
    assert _gates(text)["m"].tau_ms[0] == pytest.approx(2 / 3)
    assert _gates(text, temperature_degC=20.0)["m"].tau_ms[0] == pytest.approx(2)
    assert evaluate_kinetics(parse_mod(_channel(BOLTZMANN))).temperature_degC == 6.3


def test_parameters_can_be_given() -> None:
    text = _channel("m' = 1/(1 + exp(-(v - vh)/5)) - m", more="PARAMETER { vh = -20 }")
    mod = parse_mod(text)
    assert evaluate_kinetics(mod).gates[0].v_half_mV == pytest.approx(-20, abs=1e-5)
    moved = evaluate_kinetics(mod, parameters={"vh": -45.0})
    assert moved.gates[0].v_half_mV == pytest.approx(-45, abs=1e-5)


def test_gates_that_concentrations_open() -> None:
    kinetics = _kinetics("bk")
    assert kinetics.note == "o: at cai 5e-05 mM"
    assert kinetics.gates[0].slope_mV > 0
    only_calcium = """
        NEURON { SUFFIX sk USEION ca READ cai USEION k READ ek WRITE ik }
        ASSIGNED { v cai ek ik }
        STATE { w }
        BREAKPOINT { SOLVE s METHOD cnexp  ik = w*w*(v - ek) }
        DERIVATIVE s { w' = (cai/(cai + 2e-4) - w)/10 }
    """
    kinetics = evaluate_kinetics(parse_mod(only_calcium))
    [gate] = kinetics.gates
    np.testing.assert_allclose(gate.steady_state, 0.2)
    assert (gate.exponent, math.isnan(gate.v_half_mV), gate.tau_max_ms) == (2, True, 10.0)
    assert "cai 5e-05 mM" in kinetics.note
    at_more = evaluate_kinetics(parse_mod(only_calcium), parameters={"cai": 2e-4})
    np.testing.assert_allclose(at_more.gates[0].steady_state, 0.5)
    assert "cai 0.0002 mM" in at_more.note


def test_states_that_need_a_pool_of_their_own() -> None:
    # z' = (q/(q + 1) - z)*(1 + v/200): linear in z only while the pool q stays where it starts
    text = _channel(
        "q' = -q  z' = (q/(q + 1) - z)*exp(v/50)",
        states="q z",
        current="g*z*(v + 70)",
        more="INITIAL { q = 3 }",
    )
    kinetics = evaluate_kinetics(parse_mod(text))
    [gate] = kinetics.gates
    np.testing.assert_allclose(gate.steady_state, 0.75)
    np.testing.assert_allclose(gate.tau_ms, np.exp(-GRID_mV / 50))
    assert kinetics.note == "z: with the other states at their start"


def test_bells_have_no_half() -> None:
    kinetics = evaluate_kinetics(parse_mod(_channel("m' = exp(-((v + 30)/15)^2) - m")))
    [gate] = kinetics.gates
    assert math.isnan(gate.v_half_mV)
    assert math.isnan(gate.slope_mV)
    assert gate.steady_state.max() == 1.0
    assert kinetics.note == "m: no V-half, for it rises and falls"


def test_small_turns_back_leave_a_half() -> None:
    # rises to 1 at 0 mV and falls to .96 beyond; half of that is still .5
    rates = "m' = 1/(1 + exp(-(v + 40)/5)) - .04/(1 + exp(-(v - 30)/3)) - m"
    assert _gates(_channel(rates))["m"].v_half_mV == pytest.approx(-40, abs=0.01)
    # falls by a third: the half is passed once, but it is no Boltzmann function
    gate = _gates(_channel(rates.replace(".04", ".33")))["m"]
    assert math.isnan(gate.v_half_mV)


def test_a_half_that_is_passed_more_than_once_is_none() -> None:
    rates = "m' = 1/(1 + exp(-v/10)) - .15*exp(-((v - 5)/2)^2) - m"
    assert math.isnan(_gates(_channel(rates))["m"].v_half_mV)


def test_single_voltages_that_stand_out_are_passed_over() -> None:
    # 0/0 at -40 mV, and at 0 mV a guard that stands at the wrong voltage
    rates = "m' = a(v)*(1 - m) - 4*exp(-(v + 65)/18)*m"
    guard = "FUNCTION a(v) { if (fabs(v) < 1e-6) { a = 99 } else { a = RATE } }"
    bare = _gates(_channel(rates, more=guard.replace("RATE", ".1*(v+40)/(1 - exp(-(v+40)/10))")))
    squid = {gate.name: gate for gate in _kinetics("squid").gates}
    np.testing.assert_allclose(bare["m"].steady_state, squid["m"].steady_state, rtol=1e-7)
    np.testing.assert_allclose(bare["m"].tau_ms, squid["m"].tau_ms, rtol=1e-7)


def test_jumps_and_cusps_stay() -> None:
    rates = "if (v < -50) { s = 0 } else { s = 1 } m' = (s - m)/(1 + fabs(v + 20))"
    gate = _gates(_channel(rates, more="ASSIGNED { s }"))["m"]
    np.testing.assert_array_equal(gate.steady_state, GRID_mV >= -50)
    np.testing.assert_allclose(gate.tau_ms, 1 + np.abs(GRID_mV + 20), rtol=1e-12)


@pytest.mark.parametrize(
    ("current", "exponent"),
    [
        ("g*m^3*h", 3),
        ("g*m*m*h + gl*v", 2),
        ("g*m^p*h", 4),
        ("zero*m*h", 1),
        ("g*(1 - m)*h", 1),
        ("g*(m + m^2)*h", None),
        ("g*m^1.5*h", None),
        ("g*h", None),
    ],
)
def test_exponents(current: str, exponent: int | None) -> None:
    rates = f"{BOLTZMANN} h' = 1/(1 + exp(v/7)) - h"
    text = _channel(
        rates,
        states="m h",
        current=f"({current})*(v + 70)",
        more=("PARAMETER { gl = .1 p = 4 zero = 0 }"),
    )
    assert _gates(text)["m"].exponent == exponent


def test_exponents_with_what_only_the_solved_procedure_computes() -> None:
    # as in files that use minf itself in the current, and set it while they step h
    text = """
        NEURON { SUFFIX x NONSPECIFIC_CURRENT i }
        ASSIGNED { v i minf }
        STATE { h }
        BREAKPOINT { SOLVE states  i = minf*h^2*(v + 70) }
        PROCEDURE states() { minf = .5  h = h + (1 - exp(-dt/3))*(1/(1 + exp(v/9)) - h) }
    """
    assert _gates(text)["h"].exponent == 2


def test_reversal_potentials_are_those_of_neuron() -> None:
    # at 132.46 mV a calcium current turns: with eca = 0 the current below were 0 at every voltage
    text = """
        NEURON { SUFFIX x USEION ca READ eca WRITE ica }
        ASSIGNED { v eca ica }
        STATE { m }
        BREAKPOINT { SOLVE s METHOD cnexp  ica = eca*m }
        DERIVATIVE s { m' = 1/(1 + exp(-(v + eca)/5)) - m }
    """
    gate = _gates(text)["m"]
    assert gate.exponent == 1
    assert gate.v_half_mV == pytest.approx(-132.46, abs=0.01)


def test_loops_conditions_and_functions_run_as_in_c() -> None:
    more = """
        FUNCTION slow(x) { LOCAL i, s
            s = 0  i = 0
            while (i < 3) { s = s + x  i = i + 1 }
            FROM k = 0 TO 4 BY 2 { s = s + k }
            if (x > 10 || x < -1e3) { s = s*1 } else if (!(x == 0) && x <= 5) { s = s + 0 }
            slow = s + fmod(-7, 2) + -7 % 2 + 2 + pow(2, 3) - sqrt(4)
            slow = slow + floor(.5) + log(exp(1)) - log10(10)
        }
    """
    gate = _gates(_channel("m' = 1/(1 + exp(-v/5)) - m/slow(fabs(v))", more=more))["m"]
    expected = 3 * np.abs(GRID_mV) + 6 + 8 - 2
    np.testing.assert_allclose(gate.tau_ms, expected, rtol=1e-12)


def test_while_loops_end_at_each_voltage_by_themselves() -> None:
    more = "FUNCTION steps(x) { steps = 0 while (steps < x) { steps = steps + 10 } }"
    gate = _gates(_channel("m' = 1/(1 + exp(-v/5)) - m/(1 + steps(v))", more=more))["m"]
    expected = 1 + np.ceil(np.maximum(GRID_mV, 0) / 10) * 10
    np.testing.assert_allclose(gate.tau_ms, expected)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (CHANNELS["leaky"], "no states"),
        (_channel("m' = -m/5"), "no voltage-dependent states"),
        (_channel("m' = (table(v) - m)/2", more="FUNCTION_TABLE table(v)"), "FUNCTION_TABLE table"),
        (_channel("m' = (a - m)/2 VERBATIM a = 1; ENDVERBATIM"), "a is not declared"),
        (
            _channel("VERBATIM a = 1; ENDVERBATIM m' = (a - m)/2", more="ASSIGNED { a }"),
            "m: VERBATIM code sets it",
        ),
        (
            _channel(
                "m' = f(v) - m", more="FUNCTION f(x) { VERBATIM return erf(_lx); ENDVERBATIM }"
            ),
            "m: VERBATIM code sets it",
        ),
        (
            _channel("m' = f(v) - m", more="FUNCTION f(x) { VERBATIM _lf = _lx; ENDVERBATIM }"),
            "m: VERBATIM code sets it",
        ),
        (
            _channel("VERBATIM a[1] = 2; ENDVERBATIM m' = a[1] - m", more="ASSIGNED { a[2] }"),
            "m: VERBATIM code sets it",
        ),
        (_channel("m' = unheard(v) - m"), "function unheard is not in the file"),
        (_channel("m' = far - m", more="NEURON { POINTER far }"), "far is set from outside"),
        (
            _channel(
                "if (far > 0) { a = 1 } else { set() } m' = a + b - m",
                more="NEURON { POINTER far } ASSIGNED { a b } PROCEDURE set() { b = 2 }",
            ),
            "m: far is set from outside",
        ),
        (
            _channel(
                "if (far > 0) { } else { set() } m' = b - m",
                more="NEURON { POINTER far } ASSIGNED { b } PROCEDURE set() { b = 2 }",
            ),
            "m: far is set from outside",
        ),
        (_channel("m' = (1 - m*m)*v"), "its equation is not linear in the states"),
        (_channel("m' = v*0*m"), "it has no steady state"),
        (_channel("m' = v/0*0 - m"), "its rates are not finite"),
        (_channel("FROM i = 0 TO v { m' = 1 }"), "a loop depends on the voltage"),
        (_channel("FROM i = 0 TO 9 BY -1 { m' = 1 }"), "a loop has no end"),
        (_channel("m' = ] 2"), "a statement is not understood"),
        (
            "STATE { m } BREAKPOINT { SOLVE s } LINEAR s { ~ m = 1 }",
            "LINEAR blocks are not evaluated",
        ),
        (
            "STATE { m n } BREAKPOINT { SOLVE k METHOD sparse } KINETIC k { ~ m + m <-> n (1, 1) }",
            "not linear",
        ),
    ],
)
def test_what_cannot_be_evaluated_says_why(text: str, note: str) -> None:
    assert note in _note(text)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (_channel("while (1) { a = a + 1 }", more="ASSIGNED { a }"), "run for too long"),
        (_channel("FROM i = 0 TO 2000000000 { a = i }", more="ASSIGNED { a }"), "too long"),
        (_channel("m' = f(v)", more="FUNCTION f(x) { f = f(x) }"), "calls itself too deeply"),
        (_channel("m' = v", states="m[1000000000]"), "too large"),
        (_channel("m' = v", states="m[41]"), "it has 41 states"),
        (_channel("m' = a", more="ASSIGNED { a[1000000000] }"), "too large"),
        (_channel("m' = v LOCAL b[1000000000]"), "too large"),
        (
            _channel(
                "m' = " + "f(" * 35 + "v" + ")" * 35,
                more="FUNCTION f(x) { f = " + "g(" * 35 + "x" + ")" * 35 + " }"
                "FUNCTION g(x) { g = " + "h(" * 35 + "x" + ")" * 35 + " }"
                "FUNCTION h(x) { h = " + "k(" * 35 + "x" + ")" * 35 + " }"
                "FUNCTION k(x) { k = x }",
            ),
            "too long",
        ),
        (
            _channel(
                "m' = m + v " + " ".join(f"a{i} = m + v" for i in range(30_000)),
                more="ASSIGNED { " + " ".join(f"a{i}" for i in range(30_000)) + " }",
            ),
            "hold too many values",
        ),
    ],
    ids=["endless", "loop", "recursion", "states", "many", "array", "local", "calls", "memory"],
)
def test_hostile_blocks_end(text: str, note: str) -> None:
    assert note in _note(text)
