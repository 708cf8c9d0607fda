"""Kinetics of NeuroML channels against values computed by hand or from the published equations."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from neuroml_texts import CELL, CHANNELS, checked_records, edges, read_text, rows

from bnnkg.ingest.parsed import Mechanism, ParsedModel

V_mV = np.arange(-120, 61, 5).astype(float)


def _channel(parsed: ParsedModel, id_: str) -> Mechanism:
    [uid] = {d.uid for d in parsed.definitions if d.label == "Mechanism" and d.id == id_}
    return next(m for m in parsed.mechanisms if m.uid == uid)


def _curves(channel: Mechanism, gate: str) -> tuple[np.ndarray, np.ndarray]:
    place, n = channel.gate_names.index(gate), len(V_mV)
    assert channel.kinetics is not None
    here = slice(place * n, (place + 1) * n)
    return (
        np.array(channel.kinetics.steady_states[here]), np.array(channel.kinetics.taus_ms[here]),
    )  # fmt: skip


def _only(tmp_path: Path, gates: str, *more: str, tag: str = "ionChannelHH") -> Mechanism:
    text = f'<{tag} id="x" conductance="10pS" species="na">{gates}</{tag}>'
    return _channel(read_text(tmp_path, text, *more), "x")


def _rate(role: str, kind: str, rate: str, midpoint: str, scale: str) -> str:
    return f'<{role} type="{kind}" rate="{rate}" midpoint="{midpoint}" scale="{scale}"/>'


def _linoid(x: np.ndarray) -> np.ndarray:
    """x / (1 - exp(-x)), 1 at 0."""
    return np.where(x == 0, 1.0, x / -np.expm1(-np.where(x == 0, 1.0, x)))


def test_sodium_of_the_squid_axon(tmp_path: Path) -> None:
    # Hodgkin & Huxley 1952, shifted to a rest of -65 mV
    na = _channel(read_text(tmp_path, CHANNELS), "na")
    a_m, b_m = _linoid((V_mV + 40) / 10), 4 * np.exp(-(V_mV + 65) / 18)
    a_h, b_h = 0.07 * np.exp(-(V_mV + 65) / 20), 1 / (1 + np.exp(-(V_mV + 35) / 10))
    for gate, a, b in (("m", a_m, b_m), ("h", a_h, b_h)):
        inf, tau_ms = _curves(na, gate)
        np.testing.assert_allclose(inf, a / (a + b), rtol=1e-8)
        np.testing.assert_allclose(tau_ms, 1 / (a + b), rtol=1e-8)
    assert na.kinetics is not None
    assert (na.gate_names, na.gate_instances) == (("h", "m"), (1, 3))
    h_half, m_half = na.kinetics.v_half_mV
    assert (h_half, m_half) == (pytest.approx(-62.3, abs=0.1), pytest.approx(-40.0, abs=0.1))
    h_slope, m_slope = na.kinetics.slope_mV
    assert h_slope < 0 < m_slope
    fine = np.linspace(-80, -40, 400_001)
    of_h = 1 / (0.07 * np.exp(-(fine + 65) / 20) + 1 / (1 + np.exp(-(fine + 35) / 10)))
    assert na.kinetics.tau_max_ms[0] == pytest.approx(of_h.max(), rel=1e-4)
    assert na.kinetics.tau_max_at_mV[0] == pytest.approx(fine[of_h.argmax()], abs=0.1)
    assert na.kinetics.temperature_degC == 6.3  # where its gate h was measured
    assert na.kinetics.note == ""


def test_a_boltzmann_function_gives_back_its_parameters(tmp_path: Path) -> None:
    gate = f"""<gateHHtauInf id="n" instances="4">
      <timeCourse type="fixedTimeCourse" tau="3 ms"/>
      {_rate("steadyState", "HHSigmoidVariable", "1", "-37.5mV", "6.25mV")}</gateHHtauInf>"""
    kinetics = _only(tmp_path, gate).kinetics
    assert kinetics is not None
    assert kinetics.v_half_mV == pytest.approx((-37.5,), abs=1e-4)
    assert kinetics.slope_mV == pytest.approx((6.25,), rel=1e-4)
    assert kinetics.tau_max_ms == pytest.approx((3.0,))
    assert kinetics.temperature_degC is None  # they hold at any


def test_gates_of_rates_with_a_time_course_or_a_steady_state(tmp_path: Path) -> None:
    rates = _rate("forwardRate", "HHExpRate", "2per_ms", "-40mV", "20mV") + _rate(
        "reverseRate", "HHSigmoidRate", "1per_ms", "-30mV", "-10mV"
    )
    course = '<timeCourse type="fixedTimeCourse" tau="4ms"/>'
    steady = _rate("steadyState", "HHExpLinearVariable", "0.1", "-200mV", "50mV")
    channel = _only(
        tmp_path,
        f'<gateHHratesTau id="a" instances="1">{rates}{course}</gateHHratesTau>'
        f'<gateHHratesInf id="b" instances="1">{rates}{steady}</gateHHratesInf>'
        f'<gateHHratesTauInf id="c" instances="1">{rates}{course}{steady}</gateHHratesTauInf>'
        f'<gateHHInstantaneous id="d" instances="1">{steady}</gateHHInstantaneous>',
    )
    alpha, beta = 2 * np.exp((V_mV + 40) / 20), 1 / (1 + np.exp((V_mV + 30) / 10))
    inf = 0.1 * _linoid((V_mV + 200) / 50)
    expected = {
        "a": (alpha / (alpha + beta), 4.0), "b": (inf, 1 / (alpha + beta)), "c": (inf, 4.0),
        "d": (inf, 0.0),
    }  # fmt: skip
    for gate, (steady_state, tau_ms) in expected.items():
        np.testing.assert_allclose(_curves(channel, gate)[0], steady_state, rtol=1e-8)
        np.testing.assert_allclose(_curves(channel, gate)[1], tau_ms, rtol=1e-8)


def test_sub_gates(tmp_path: Path) -> None:
    gate = "".join(
        f"""<subGate id="s{place}" fractionalConductance="{share}">
          {_rate("steadyState", "HHSigmoidVariable", "1", midpoint, "9mV")}
          <timeCourse type="fixedTimeCourse" tau="{tau}"/></subGate>"""
        for place, (share, midpoint, tau) in enumerate(
            [("0.25", "-60mV", "2ms"), ("0.75", "-20mV", "30ms")]
        )
    )
    q10 = '<q10Settings type="q10Fixed" fixedQ10="3"/>'
    channel = _only(tmp_path, f'<gateFractional id="g" instances="1">{q10}{gate}</gateFractional>')
    inf = 0.25 / (1 + np.exp(-(V_mV + 60) / 9)) + 0.75 / (1 + np.exp(-(V_mV + 20) / 9))
    np.testing.assert_allclose(_curves(channel, "g")[0], inf, rtol=1e-8)
    np.testing.assert_allclose(_curves(channel, "g")[1], 30 / 3, rtol=1e-8)


def test_a_scheme_of_two_states_is_the_gate_with_its_rates(tmp_path: Path) -> None:
    forward, reverse = (
        _rate("rate", "HHExpRate", "2per_ms", "-40mV", "20mV"),
        _rate("rate", "HHSigmoidRate", "1per_ms", "-30mV", "-10mV"),
    )
    gate = f"""<gateKS id="k" instances="1"><closedState id="c"/><openState id="o"/>
      <forwardTransition id="f" from="c" to="o">{forward}</forwardTransition>
      <reverseTransition id="r" from="c" to="o">{reverse}</reverseTransition></gateKS>"""
    channel = _only(tmp_path, gate, tag="ionChannelKS")
    alpha, beta = 2 * np.exp((V_mV + 40) / 20), 1 / (1 + np.exp((V_mV + 30) / 10))
    np.testing.assert_allclose(_curves(channel, "k")[0], alpha / (alpha + beta), rtol=1e-8)
    np.testing.assert_allclose(_curves(channel, "k")[1], 1 / (alpha + beta), rtol=1e-8)


def test_a_scheme_of_three_states(tmp_path: Path) -> None:
    # two independent halves: c -2a-> i -a-> o and back with b and 2b, open with probability p^2
    steady = _rate("steadyState", "HHSigmoidVariable", "1", "-40mV", "10mV")
    course = '<timeCourse type="fixedTimeCourse" tau="5ms"/>'
    one = f'<tauInfTransition id="t" from="c" to="o">{steady}{course}</tauInfTransition>'
    half = """<vHalfTransition id="v" from="c2" to="o2" vHalf="0mV" z="1.5" gamma="0.75"
      tau="3.2ms" tauMin="0.3ms"/>"""
    channel = _only(
        tmp_path,
        f'<gateKS id="k" instances="1"><closedState id="c"/><openState id="o"/>{one}</gateKS>'
        f'<gateKS id="w" instances="1"><closedState id="c2"/><openState id="o2"/>{half}</gateKS>',
        tag="ionChannelKS",
    )
    p = 1 / (1 + np.exp(-(V_mV + 40) / 10))
    np.testing.assert_allclose(_curves(channel, "k")[0], p, rtol=1e-8)
    np.testing.assert_allclose(_curves(channel, "k")[1], 5.0, rtol=1e-8)
    x = 1.5 * V_mV / 25.3
    forward = 1 / (1 / (np.exp(0.75 * x) / 3.2) + 0.3)
    back = 1 / (1 / (np.exp(-0.25 * x) / 3.2) + 0.3)
    np.testing.assert_allclose(_curves(channel, "w")[0], forward / (forward + back), rtol=1e-8)
    np.testing.assert_allclose(_curves(channel, "w")[1], 1 / (forward + back), rtol=1e-8)


PIECEWISE = """
<ComponentType name="own_rate" extends="baseVoltageDepRate">
  <Constant name="TIME_SCALE" dimension="time" value="1 ms"/>
  <Constant name="VOLT_SCALE" dimension="voltage" value="1 mV"/>
  <Dynamics>
    <DerivedVariable name="V" dimension="none" value="v / VOLT_SCALE"/>
    <ConditionalDerivedVariable name="r" exposure="r" dimension="per_time">
      <Case condition="V .lt. (-35)" value="(exp(V / 20) / 3) / TIME_SCALE"/>
      <Case value="2 / TIME_SCALE"/>
    </ConditionalDerivedVariable>
  </Dynamics>
</ComponentType>"""
BY_CALCIUM = """
<ComponentType name="ca_inf" extends="baseVoltageConcDepVariable">
  <Constant name="CONC_SCALE" dimension="concentration" value="1 mM"/>
  <Dynamics><DerivedVariable name="x" exposure="x" dimension="none"
    value="(caConc / CONC_SCALE) / ((caConc / CONC_SCALE) + 0.00015)"/></Dynamics>
</ComponentType>"""


def test_rates_of_own_types(tmp_path: Path) -> None:
    gate = f"""<gateHHrates id="m" instances="1"><forwardRate type="own_rate"/>
      {_rate("reverseRate", "HHExpRate", "1per_ms", "0mV", "30mV")}</gateHHrates>"""
    alpha, beta = np.where(V_mV < -35, np.exp(V_mV / 20) / 3, 2.0), np.exp(V_mV / 30)
    channel = _only(tmp_path, gate, PIECEWISE)
    np.testing.assert_allclose(_curves(channel, "m")[0], alpha / (alpha + beta), rtol=1e-8)
    np.testing.assert_allclose(_curves(channel, "m")[1], 1 / (alpha + beta), rtol=1e-8)


def test_gates_that_calcium_opens_say_at_which_concentration(tmp_path: Path) -> None:
    gate = """<gateHHtauInf id="z" instances="1"><timeCourse type="fixedTimeCourse" tau="2ms"/>
      <steadyState type="ca_inf"/></gateHHtauInf>"""
    channel = _only(tmp_path, gate, BY_CALCIUM)
    np.testing.assert_allclose(_curves(channel, "z")[0], 5e-5 / 20e-5, rtol=1e-8)
    assert channel.kinetics is not None
    assert channel.kinetics.note == (
        "z: at caConc 5e-05 mM; z: no V-half, for its steady state does not depend on the potential"
    )
    assert math.isnan(channel.kinetics.v_half_mV[0])


def test_a_gate_of_an_own_type_by_its_equation(tmp_path: Path) -> None:
    own = """<ComponentType name="ownGate" extends="gate"><Parameter name="tau0" dimension="time"/>
      <Constant name="V0" dimension="voltage" value="10mV"/>
      <Dynamics><StateVariable name="q" dimension="none" exposure="q"/>
      <DerivedVariable name="a" value="1 / (1 + exp(-v / V0))"/>
      <TimeDerivative variable="q" value="(a - 2 * q) / tau0"/></Dynamics></ComponentType>"""
    channel = _only(tmp_path, '<ownGate id="g" instances="2" tau0="6ms"/>', own)
    np.testing.assert_allclose(_curves(channel, "g")[0], 1 / (1 + np.exp(-V_mV / 10)) / 2, 1e-8)
    np.testing.assert_allclose(_curves(channel, "g")[1], 3.0, rtol=1e-8)
    assert channel.gate_instances == (2,)


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ('<gateHHrates id="m" instances="1"><forwardRate type="nowhere"/><reverseRate '
         'type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="9mV"/></gateHHrates>',
         "m: its forwardRate is of the type nowhere, which nothing defines"),
        ('<gateHHtauInf id="m" instances="1"><steadyState type="HHSigmoidVariable" rate="1" '
         'midpoint="0mV" scale="9mV"/></gateHHtauInf>', "m: there is no timeCourse in it"),
        ('<gate id="m" instances="1" type="nowhere"/>', "m: its type nowhere is defined nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_says_why(tmp_path: Path, gate: str, reason: str) -> None:
    kinetics = _only(tmp_path, gate).kinetics
    assert kinetics is not None
    assert kinetics.note == reason
    assert math.isnan(kinetics.tau_max_ms[0])


def test_a_state_that_a_transition_lacks(tmp_path: Path) -> None:
    gate = """<gateKS id="k" instances="1"><closedState id="c"/><openState id="o"/>
      <vHalfTransition id="v" from="c" to="gone" vHalf="0mV" z="1" gamma="0.5" tau="3ms"
        tauMin="0.3ms"/></gateKS>"""
    kinetics = _only(tmp_path, gate, tag="ionChannelKS").kinetics
    assert kinetics is not None
    assert kinetics.note == "k: a vHalfTransition leads from or to no state of the gate"


def test_states_and_gates_of_one_name(tmp_path: Path) -> None:
    steady = _rate("steadyState", "HHSigmoidVariable", "1", "-40mV", "10mV")
    one = f"""<gateKS id="k" instances="1"><closedState id="c"/><openState id="o"/>
      <openState id="o"/><tauInfTransition id="t" from="c" to="o">{steady}
      <timeCourse type="fixedTimeCourse" tau="5ms"/></tauInfTransition></gateKS>"""
    channel = _only(tmp_path, one + one, tag="ionChannelKS")
    assert channel.gate_names == ("k", "k")
    assert channel.kinetics is not None
    assert channel.kinetics.v_half_mV == pytest.approx((-40, -40), abs=1e-3)
    assert channel.kinetics.tau_max_ms == pytest.approx((5, 5))


# ---------------------------------------------------------------------- temperature

Q10 = '<q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="6.3degC"/>'
WARM = f"""<ionChannelHH id="leak" conductance="10pS"/>
<ionChannelHH id="na" conductance="10pS" species="na"><gateHHtauInf id="m" instances="1">{Q10}
  <timeCourse type="fixedTimeCourse" tau="2ms"/><steadyState type="HHSigmoidVariable" rate="1"
  midpoint="-40mV" scale="9mV"/></gateHHtauInf></ionChannelHH>"""


def _network(id_: str, temperature: str) -> str:
    return f"""<network id="{id_}" type="networkWithTemperature" temperature="{temperature}">
      <population id="p" component="pyramid" size="1"/></network>"""


def test_the_temperature_of_the_network(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, WARM, CELL, _network("n", "16.3degC"))
    tables = checked_records(parsed)
    [node] = [m for m in rows(tables, "Mechanism") if m["name"] == "na"]
    assert (node["gate_tau_max_ms"], node["kinetics_temperature_degC"]) == ([2.0], 6.3)
    [edge] = [e for e in edges(tables, "DEFINES") if e["id"] == "na"]
    assert edge["gate_tau_max_ms"] == pytest.approx([2 / 3])
    assert edge["gate_v_half_mV"] == pytest.approx([-40], abs=1e-4)
    assert edge["kinetics_temperature_degC"] == 16.3
    [leak] = [e for e in edges(tables, "DEFINES") if e["id"] == "leak"]
    assert leak["gate_tau_max_ms"] is None


def test_networks_of_several_temperatures_are_told(tmp_path: Path) -> None:
    both = _network("cold", "6.3degC") + _network("warm", "36.3degC")
    [na] = [d for d in read_text(tmp_path, WARM, CELL, both).definitions if d.id == "na"]
    assert na.kinetics is not None
    assert na.kinetics.note == "the networks that hold it are at 6.3, 36.3 degC"


def test_a_network_at_the_temperature_of_the_rates_adds_nothing(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, WARM, CELL, _network("n", "279.45K"))
    assert [d.kinetics for d in parsed.definitions if d.id == "na"] == [None]
