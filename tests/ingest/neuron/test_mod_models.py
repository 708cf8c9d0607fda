from __future__ import annotations

from pathlib import Path

import pytest
from mod_texts import LEAK, SODIUM, SYNAPSE, current, events, read_one, read_texts

from bnnkg.ingest.parsed import Mechanism


def _mechanism(folder: Path, text: str) -> Mechanism:
    read = read_one(folder, text)
    assert read.label == "Mechanism"
    return read.mechanism()


# ---------------------------------------------------------------------- channels


def test_a_channel_with_its_gates_and_parameters(tmp_path: Path) -> None:
    channel = _mechanism(tmp_path, SODIUM)
    assert (channel.mechanism_class, channel.kind, channel.ion) == ("SUFFIX", "channel", "na")
    assert channel.is_passive is False
    assert (channel.gate_names, channel.gate_instances) == (("h", "m"), (1, 3))
    # What the simulation sets (ena) and what has no value (unset) is no parameter.
    assert channel.parameters.names == ("gbar", "thick", "vh")
    assert channel.parameters.values == (0.12, 2, -30)
    assert channel.parameters.units == ("S_per_cm2", "um", "mV")


def test_its_kinetics_are_those_of_its_equations(tmp_path: Path) -> None:
    kinetics = _mechanism(tmp_path, SODIUM).kinetics
    assert kinetics is not None
    assert kinetics.v_half_mV == pytest.approx((-60, -30), abs=1e-3)
    assert kinetics.slope_mV == pytest.approx((-5, 7), rel=1e-3)
    assert kinetics.tau_max_ms == pytest.approx((10, 2))
    # 37 points from -120 to 60 mV for each gate; h is half way at -60, the thirteenth.
    assert len(kinetics.steady_states) == len(kinetics.taus_ms) == 2 * 37
    assert kinetics.steady_states[12] == pytest.approx(0.5)
    assert kinetics.taus_ms[36:38] == pytest.approx((10, 2))


def test_what_its_text_declares(tmp_path: Path) -> None:
    nmodl = _mechanism(tmp_path, SODIUM).nmodl
    assert nmodl is not None
    assert nmodl.range_names == ("gbar", "thick")
    assert nmodl.global_names == ("minf", "mtau")
    assert nmodl.state_names == ("h", "m")
    assert (nmodl.ions_read, nmodl.ions_written, nmodl.pointer_names) == (("na",), ("na",), ())
    assert nmodl.is_conductance_based is True
    assert list(nmodl.statement_hashes) == sorted(nmodl.statement_hashes)


def test_a_leak_is_passive(tmp_path: Path) -> None:
    leak = _mechanism(tmp_path, LEAK)
    assert (leak.is_passive, leak.ion, leak.gate_names, leak.kinetics) == (True, None, (), None)


_GHK = "FUNCTION ghk(v) { ghk = v*(e - g*exp(-v/25))/(1 - exp(-v/25)) }"


@pytest.mark.parametrize(
    ("text", "conductance", "passive"),
    [
        (current("i = g*(v - e)"), True, True),
        (current("i = -g*(e - v)*2"), True, True),
        (current("i = g*(v + 70)/1000"), True, True),
        (current("i = g*v"), True, True),
        (current("LOCAL d d = v - e i = g*d"), True, True),
        (current("i = g*(v - e) + 2*g*(v - 10)"), True, True),
        (current("if (t < 5) { i = 0 } else { i = g*(v - e) }"), True, True),
        (current("make() ", more="PROCEDURE make() { i = g*(v - e) }"), True, True),
        # The conductance follows the potential, the time, or calcium: no passive one.
        (current("i = g/(1 + exp(-v/7))*(v - e)"), True, False),
        (current("i = g*on()*(v - e)", more="FUNCTION on() { on = v > 3 }"), True, False),
        (current("i = g*t*(v - e)"), True, False),
        (current("i = g*cai*(v - e)", neuron="USEION ca READ cai"), True, False),
        (current("i = g*there*(v - e)", neuron="POINTER there"), True, False),
        # No conductance at all.
        (current("i = g*ghk(v)", more=_GHK), False, False),
        (current("i = g*v*(e - exp(-v/25))/(1 - exp(-v/25))"), False, False),
        (current("i = g"), False, False),
        (current("i = g*(v - e) + 1"), False, False),
        (current("i = g*(v - e)*(v - 3)^2 - v*v"), False, False),
        (current("i = 0"), False, False),
    ],
)
def test_what_a_current_is_made_of(
    tmp_path: Path, text: str, conductance: bool, passive: bool
) -> None:
    one = _mechanism(tmp_path, text)
    assert one.nmodl is not None
    assert (one.nmodl.is_conductance_based, one.is_passive) == (conductance, passive)


def test_a_state_that_the_current_takes_no_power_of(tmp_path: Path) -> None:
    text = SODIUM.replace("m^3*h*", "m/(m + 1)*")
    assert _mechanism(tmp_path, text).gate_instances == (0, 0)


# ---------------------------------------------------------------------- other kinds


@pytest.mark.parametrize(
    ("neuron", "kind", "ion"),
    [
        ("SUFFIX a USEION ca READ ica WRITE cai", "concentration", "ca"),
        ("SUFFIX a USEION ca READ cai WRITE ica, cai", "concentration", "ca"),
        ("SUFFIX a USEION na READ ina WRITE nao USEION k READ ik WRITE ko", "concentration", None),
        ("SUFFIX a USEION ca READ cai WRITE ica", "channel", "ca"),
        ("SUFFIX a USEION na WRITE ina USEION k WRITE ik", "channel", None),
        ("SUFFIX a NONSPECIFIC_CURRENT i", "channel", None),
        ("SUFFIX a RANGE x", "other", None),
        ("SUFFIX a USEION ca READ cai", "other", None),
        ("POINT_PROCESS a ELECTRODE_CURRENT i", "point", None),
        ("POINT_PROCESS a RANGE x", "point", None),
        ("ARTIFICIAL_CELL a RANGE x", "point", None),
    ],
)
def test_kinds_and_ions(tmp_path: Path, neuron: str, kind: str, ion: str | None) -> None:
    one = _mechanism(tmp_path, f"NEURON {{ {neuron} }}")
    assert (one.kind, one.ion) == (kind, ion)
    assert one.mechanism_class == neuron.split()[0]


@pytest.mark.parametrize(
    ("neuron", "more", "label"),
    [
        ("NONSPECIFIC_CURRENT i", "BREAKPOINT { i = 1 }", "Mechanism"),
        ("NONSPECIFIC_CURRENT i", "NET_RECEIVE(w) { }", "SynapseType"),
        ("RANGE x", "NET_RECEIVE(w) { }", "Mechanism"),
        ("NONSPECIFIC_CURRENT i POINTER pre", "BREAKPOINT { i = pre }", "SynapseType"),
        ("NONSPECIFIC_CURRENT i POINTER rng", "BREAKPOINT { i = 1 }", "Mechanism"),
        ("ELECTRODE_CURRENT i RANGE vgap", "BREAKPOINT { i = vgap - v }", "SynapseType"),
        ("ELECTRODE_CURRENT i RANGE vc", "BREAKPOINT { i = vc - v }", "Mechanism"),
    ],
)
def test_which_point_processes_are_synapses(
    tmp_path: Path, neuron: str, more: str, label: str
) -> None:
    assert read_one(tmp_path, f"NEURON {{ POINT_PROCESS a {neuron} }} {more}").label == label


# ---------------------------------------------------------------------- synapses


def test_a_synapse_with_its_measures(tmp_path: Path) -> None:
    bump = read_one(tmp_path, SYNAPSE).synapse()
    assert bump.synapse_class == "POINT_PROCESS"
    assert (bump.erev_mV, bump.sign) == (-75, -1)
    assert (bump.tau_rise_ms, bump.tau_decay_ms, bump.gbase_nS) == (0.5, 6, 2)
    assert (bump.block, bump.short_term_plasticity) == (None, None)
    assert bump.nmodl is not None
    assert bump.nmodl.is_conductance_based is True


@pytest.mark.parametrize(
    ("old", "new", "rise", "decay"),
    [
        ("tau", "tau", 0.5, 6),
        ("tau1 = 0.5 (ms)", "tau1 = 7 (ms)", None, None),
        ("tau1 = 0.5 (ms) tau2 = 6 (ms)", "tau1 = 1 tau2 = 2 tau = 4 (ms)", None, 4),
        ("tau1 = 0.5 (ms) tau2 = 6 (ms)", "tauRise = 1 (ms) tauDecay = .002 (s)", 1, 2),
    ],
)
def test_time_constants_by_name_and_unit(
    tmp_path: Path, old: str, new: str, rise: float | None, decay: float | None
) -> None:
    synapse = read_one(tmp_path, SYNAPSE.replace(old, new)).synapse()
    assert (synapse.tau_rise_ms, synapse.tau_decay_ms) == (rise, decay)


@pytest.mark.parametrize(
    ("statement", "erev", "sign"),
    [
        ("i = g*(v - e)", -75, -1),
        ("i = 2*g*(v - e) + g*(v + 75)", -75, -1),
        ("i = g*(v - e) + g*v", None, None),
        ("i = g*v", 0, 1),
        ("i = g*(v + 54)", -54, 1),
        ("i = g*(v - ek)", None, None),
        ("i = g*(v - e) ik = g*(v - ek)", -75, -1),
        ("i = g", None, None),
    ],
)
def test_the_reversal_is_where_the_current_vanishes(
    tmp_path: Path, statement: str, erev: float | None, sign: int | None
) -> None:
    text = SYNAPSE.replace("i = g*(v - e)", statement)
    text = text.replace("RANGE", "USEION k READ ek WRITE ik RANGE" if "ik" in statement else
                        "USEION k READ ek RANGE")  # fmt: skip
    synapse = read_one(tmp_path, text).synapse()
    assert (synapse.erev_mV, synapse.sign) == (erev, sign)


def test_block_by_the_potential(tmp_path: Path) -> None:
    blocked = SYNAPSE.replace("i = g*(v", "i = g/(1 + exp(-0.06*v)*mg)*(v")
    by_magnesium = blocked.replace("gmax", "mg = 1 (mM) gmax")
    texts = {"voltage.mod": blocked, "magnesium.mod": by_magnesium}
    magnesium, voltage = (read.synapse() for read in read_texts(tmp_path, texts).files)
    assert (magnesium.block, voltage.block) == ("magnesium", "voltage")
    assert magnesium.erev_mV == -75


def test_a_gap_junction_has_no_reversal(tmp_path: Path) -> None:
    text = """
    NEURON { POINT_PROCESS Half ELECTRODE_CURRENT i RANGE g, vgap }
    PARAMETER { g = 3 (nS) vgap = -10 (mV) }
    BREAKPOINT { i = (vgap - v)*(g*1e-3) }"""
    gap = read_one(tmp_path, text).synapse()
    assert (gap.erev_mV, gap.sign, gap.gbase_nS) == (None, None, 3)


_TSODYKS_MARKRAM = """
    z = z*exp(-(t - last)/tau_rec)  y = y*exp(-(t - last)/tau)
    {u}
    state_discontinuity(g, g + weight*(1 - y - z)*u)
    state_discontinuity(y, y + (1 - y - z)*u)
    last = t"""


@pytest.mark.parametrize(
    ("receive", "arguments", "seen"),
    [
        ("g = g + weight", "weight", None),
        ("g = g + weight*(1 - g)", "weight", None),
        ("state_discontinuity(g, g + weight*R) R = R*d", "weight", "depression"),
        ("g = g + weight*R R = R - U*R", "weight", "depression"),
        ("R = R + U*(1 - R) g = g + weight*R", "weight", "facilitation"),
        ("F = 1 + (F - 1)*exp(-(t - t0)/tau) t0 = t g = g + weight*F F = F + 0.2",
         "weight, F, t0 (ms)", "facilitation"),
        ("R = 1 - (1 - R)*exp(-(t - t0)/tau) t0 = t g = g + weight*R", "weight, t0 (ms)", None),
        (_TSODYKS_MARKRAM.format(u="u = U"), "weight, y, z, u, last (ms)", "depression"),
        (_TSODYKS_MARKRAM.format(u="u = u*exp(-(t - last)/tau)  u = u + U*(1 - u)"),
         "weight, y, z, u, last (ms)", "depression and facilitation"),
        ("INITIAL { WATCH (v > 0) 2 } if (flag == 0) { g = g + weight*R R = R*d }", "weight", None),
        ("n = n + 1 g = g + weight", "weight, n", None),
        ("if (flag == 1) { R = R*d } else { g = g + weight*R }", "weight", None),
        ("VERBATIM R = rand(); ENDVERBATIM g = g + weight*R", "weight", None),
    ],
)  # fmt: skip
def test_short_term_plasticity(
    tmp_path: Path, receive: str, arguments: str, seen: str | None
) -> None:
    text = events(receive.replace("VERBATIM ", "VERBATIM\n").replace(" ENDV", "\nENDV"),
                  arguments=arguments)  # fmt: skip
    assert read_one(tmp_path, text).synapse().short_term_plasticity == seen


# ---------------------------------------------------------------------- instances


def test_an_instance_with_other_values_is_another_model(tmp_path: Path) -> None:
    read = read_one(tmp_path, SYNAPSE)
    own, other = read.synapse(), read.synapse({"e": 0.0, "tau2": 6.0})
    assert (other.erev_mV, other.sign, other.tau_decay_ms) == (0, 1, 6)
    assert other.uid != own.uid
    assert other == read.synapse({"e": 0.0})


def test_an_instance_with_the_files_values_is_the_files_model(tmp_path: Path) -> None:
    read = read_one(tmp_path, SYNAPSE)
    own = read.synapse()
    assert own.uid == read.uid
    # Ten digits are too many to tell two values apart, i is no parameter, celsius is not its own.
    assert read.synapse({"e": -75.000000001, "i": 3.0, "celsius": 30.0}) == own


def test_a_parameter_without_a_value_starts_at_zero(tmp_path: Path) -> None:
    read = read_one(tmp_path, SYNAPSE.replace("e = -75 (mV)", "e (mV)"))
    assert read.synapse({"e": 0.0}) == read.synapse()
    assert read.synapse({"e": -10.0}).erev_mV == -10


def test_what_an_event_arrives_at_is_a_synapse_also_without_current(tmp_path: Path) -> None:
    read = read_one(tmp_path, "NEURON { POINT_PROCESS Counter } NET_RECEIVE(w) { }")
    assert read.label == "Mechanism"
    assert read.synapse().uid.startswith("s")
    assert read.mechanism().uid == read.uid
