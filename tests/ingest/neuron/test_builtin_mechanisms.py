"""What NEURON brings: its own answers are the expected values."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from bnnkg.ingest.neuron.builtin_mechanisms import BUILTIN_NAMES, builtin_mechanism, builtin_mod
from bnnkg.ingest.parsed import Mechanism, SynapseModel

needs_neuron = pytest.mark.skipif(
    importlib.util.find_spec("neuron") is None, reason="NEURON is not installed (extra: neuron)"
)

_ASK = """
import json
from neuron import h

section = h.Section(name="s")
found = {}
for place in (0, 1):
    kind, name, quantity = h.MechanismType(place), h.ref(""), h.ref("")
    for i in range(int(kind.count())):
        kind.select(i)
        kind.selected(name)
        own = name[0]
        standard, values = h.MechanismStandard(own, 1), {}
        for j in range(int(standard.count())):
            if standard.name(quantity, j) == 1:
                full = quantity[0] if place == 0 else f"{own}.{quantity[0]}"
                values[quantity[0]] = [standard.get(quantity[0]), h.units(full)]
        form = "density" if place == 0 else "artificial" if kind.is_artificial(i) else "point"
        found[own] = [form, values]
section.insert("hh")
h.celsius = 6.3
gates = {g: [[], []] for g in "hmn"}
for v in range(-120, 65, 5):
    h.finitialize(v)
    for g in "hmn":
        gates[g][0].append(getattr(section(0.5).hh, g + "inf"))
        gates[g][1].append(getattr(section(0.5).hh, g + "tau"))
print("ANSWER" + json.dumps([found, gates]))
"""


@pytest.fixture(scope="module")
def neuron_says() -> Any:
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.partition("ANSWER")[2])


@needs_neuron
def test_kinds_and_parameters_are_those_of_neuron(neuron_says: Any) -> None:
    found, _ = neuron_says
    # morphology is the diameter, no mechanism.
    assert {name for name in found if not name.endswith("_ion")} - {"morphology"} == set(
        BUILTIN_NAMES
    )
    for name in BUILTIN_NAMES:
        read = builtin_mod(name)
        assert read is not None
        form, values = found[name]
        assert read.mod.kind == form
        ours = {one.name: one for one in read.mod.parameters}
        assert len(ours) == len(values)
        for full, (value, unit) in values.items():
            own = ours[full.removesuffix(f"_{name}") if full not in ours else full]
            assert own.value == value
            assert unit in ("", "1.0", own.unit)


@needs_neuron
def test_the_gates_of_hh_are_those_of_neuron(neuron_says: Any) -> None:
    _, gates = neuron_says
    _, hh = builtin_mechanism("hh") or (None, None)
    assert isinstance(hh, Mechanism)
    assert hh.kinetics is not None
    assert hh.kinetics.temperature_degC == 6.3
    assert (hh.gate_names, hh.gate_instances) == (("h", "m", "n"), (1, 3, 4))
    for place, ours in enumerate((hh.kinetics.steady_states, hh.kinetics.taus_ms)):
        theirs = [value for gate in "hmn" for value in gates[gate][place]]
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


def test_hh_opens_where_hodgkin_and_huxley_say() -> None:
    _, hh = builtin_mechanism("hh") or (None, None)
    assert isinstance(hh, Mechanism)
    assert hh.kinetics is not None
    # Half-activations read off figures 5, 7 and 10 of Hodgkin & Huxley 1952, rest at -65 mV.
    assert hh.kinetics.v_half_mV == pytest.approx((-62, -40, -53.5), abs=0.5)
    assert hh.is_passive is False


def test_its_synapses() -> None:
    label, exponential = builtin_mechanism("ExpSyn") or (None, None)
    assert label == "SynapseType"
    assert isinstance(exponential, SynapseModel)
    assert (exponential.erev_mV, exponential.sign, exponential.tau_decay_ms) == (0, 1, 0.1)
    assert exponential.short_term_plasticity is None
    read = builtin_mod("Exp2Syn")
    assert read is not None
    inhibitory = read.synapse({"e": -80.0, "tau1": 1.0})
    assert (inhibitory.sign, inhibitory.tau_rise_ms, inhibitory.tau_decay_ms) == (-1, 1, 10)


def test_ions_and_names_of_nothing() -> None:
    label, potassium = builtin_mechanism("k_ion") or (None, None)
    assert isinstance(potassium, Mechanism)
    assert (label, potassium.ion, potassium.kind) == ("Mechanism", "k", "other")
    assert builtin_mechanism("nothing") is None
    assert builtin_mod("k_ion") is None


def test_each_is_itself_and_like_no_other() -> None:
    models = [found[1] for found in map(builtin_mechanism, BUILTIN_NAMES) if found]
    assert len({model.uid for model in models}) == len(BUILTIN_NAMES)
    assert all(model.nmodl and not model.nmodl.statement_hashes for model in models)
