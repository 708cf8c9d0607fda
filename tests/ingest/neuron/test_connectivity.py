"""Connections of a run written by hand: who sends to whom, with what, and what drives them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from written_captures import capture_of

from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.connectivity import Wiring, read_projections, receivers
from bnnkg.ingest.neuron.densities import density_tables
from bnnkg.ingest.neuron.forest import plant
from bnnkg.ingest.neuron.inputs import EVENTS, read_inputs
from bnnkg.ingest.neuron.mods import ModReading
from bnnkg.ingest.neuron.neurons import Sites, read_neurons
from bnnkg.ingest.neuron.resolved import Mechanisms
from bnnkg.ingest.neuron.trees import read_trees
from bnnkg.ingest.parsed import InputModel


def _wiring(capture: Capture) -> Wiring:
    mechanisms = Mechanisms(ModReading((), (), (), (), (), ()), "model")
    resolved = mechanisms.resolve(capture.header)
    forest = plant(capture)
    trees = read_trees(capture, forest, density_tables(capture, forest, resolved, mechanisms))
    neurons = read_neurons(capture, trees, mechanisms, resolved, 0, "net", 0)
    return Wiring(capture, Sites.of(capture, trees, neurons), mechanisms, resolved, 0, "net")


def _told(model: InputModel) -> dict[str, tuple[float, str]]:
    own = model.parameters
    rows = zip(own.names, own.values, own.units, strict=True)
    return {name: (value, unit) for name, value, unit in rows}


def test_netcons_become_projections_by_who_sends(tmp_path: Path) -> None:
    wiring = _wiring(capture_of(tmp_path))
    projections = {one.id: one for one in read_projections(wiring)}
    assert set(projections) == {"NetStim>Cell>ExpSyn", "Cell>Cell>ExpSyn"}
    from_stim, from_soma = projections["NetStim>Cell>ExpSyn"], projections["Cell>Cell>ExpSyn"]
    assert from_stim.threshold_mV is not None
    assert np.isnan(from_stim.threshold_mV).all()  # it has no potential to watch
    assert from_soma.threshold_mV is not None
    assert from_soma.threshold_mV.tolist() == [-20]
    assert (from_stim.weight.tolist(), from_stim.delay_ms.tolist()) == ([0.5], [1.0])
    assert (from_soma.weight.tolist(), from_soma.delay_ms.tolist()) == ([0.25], [2.0])
    assert receivers(list(projections.values())) == {"ExpSyn[0]"}
    assert +wiring.missing == {}


def test_an_electrode_has_the_numbers_of_its_point_process(tmp_path: Path) -> None:
    wiring = _wiring(capture_of(tmp_path))
    read_projections(wiring)
    [(model, table)] = read_inputs(wiring, 0)  # the synapse, which events reach, is none
    assert model.stimulus_class == "IClamp"
    assert _told(model) == {
        "amplitude": (300.0, "pA"), "delay": (5.0, "ms"), "duration": (1.0, "ms"),
    }  # fmt: skip
    assert len(table.weight) == 1


def test_events_from_nowhere_are_inputs(tmp_path: Path) -> None:
    capture = capture_of(tmp_path, netcon_pre_point=np.array([-1, -1], np.int32))
    wiring = _wiring(capture)
    assert [one.id for one in read_projections(wiring)] == ["Cell>Cell>ExpSyn"]
    found = {model.stimulus_class: (model, table) for model, table in read_inputs(wiring, 0)}
    model, table = found[EVENTS]
    assert _told(model) == {"delay": (1.0, "ms")}
    assert table.weight.tolist() == [0.5]


def test_what_leads_nowhere_is_counted(tmp_path: Path) -> None:
    capture = capture_of(tmp_path, netcon_post=np.array([0, -1], np.int32))
    wiring = _wiring(capture)
    read_projections(wiring)
    read_inputs(wiring, 0)
    assert +wiring.missing == {"NetCons without a target": 1}
