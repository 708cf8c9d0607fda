from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensor_equality import differences
from trained_models import TINY, circuit, training_model

from bnnkg.gnn import slicing
from bnnkg.gnn.batching import collate
from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.fitting import make_learner
from bnnkg.gnn.questions import (
    Material,
    ask_connections,
    ask_group,
    gather_material,
    hide_connections,
    question,
)
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.slicing import Asking, select_rows, slice_question
from bnnkg.gnn.training import train
from bnnkg.schema.computation import KINDS, Kind

SHAPE = BganConfig(width=16, heads=2, blocks=1)


@pytest.fixture(scope="module")
def material() -> Material:
    model = training_model(circuit(24, planted=False))
    batch = collate([model.tensors], fit_scaling([model.tensors]))
    return gather_material(
        [model.tensors], [model.group_of], batch, seed=0, part=None, target=None
    )  # fmt: skip


def asked_of(material: Material) -> Asking:
    batch, positive = hide_connections(material, "train")
    connections = ask_connections(material, "train", positive, torch.Generator().manual_seed(0))
    return Asking(batch, connections)


def test_every_connection_is_asked_for_in_one_slice(material: Material) -> None:
    whole = asked_of(material)
    assert whole.connections is not None
    sides = [whole.batch.x["neuron"][row] for row in whole.connections.pairs]
    wanted = [tuple(torch.cat(pair).tolist()) for pair in zip(*sides, strict=True)]
    found = []
    for number in range(3):
        part = slice_question(whole, number, 3, SHAPE)
        assert part is not None
        assert part.connections is not None
        sides = [part.batch.x["neuron"][row] for row in part.connections.pairs]
        found += [tuple(torch.cat(pair).tolist()) for pair in zip(*sides, strict=True)]
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize(
    ("kind", "group"),
    [("dendrite", "geometry"), ("synapse", "function"), ("mechanism", "function")],
)
def test_every_value_is_asked_for_in_one_slice(material: Material, kind: Kind, group: str) -> None:
    batch, features = ask_group(material, material.batch, "train", kind, group)
    assert len(features) == 1
    parts = [slice_question(Asking(batch, None, features), n, 4, SHAPE) for n in range(4)]
    own = [(part, f) for part in parts if part is not None for f in part.features]
    assert len(own) > 1
    values = torch.cat([f.values for _, f in own])
    assert torch.equal(values.sort().values, features[0].values.sort().values)
    for part, f in own:
        assert not part.batch.mask[kind][f.rows, f.columns].any()


def test_the_first_block_is_the_whole_graphs_for_core_neurons(material: Material) -> None:
    """They have all that sends to them; a neuron is told by its features, which are not cut."""
    whole = asked_of(material)
    assert whole.connections is not None
    widths = {kind: whole.batch.x[kind].shape[1] for kind in KINDS}
    torch.manual_seed(1)
    encoder = make_learner("bgan", replace(TINY, network=SHAPE), widths, 0).encoder
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    encoder.eval()
    everything = question(whole.batch, heads=2, hops=2)
    rows = encoder(everything.batch, everything.sites).nodes
    n = len(whole.batch.x["neuron"])
    for number in range(3):
        part = slice_question(whole, number, 3, SHAPE)
        assert part is not None
        assert len(part.batch.kind) < len(whole.batch.kind)
        own = encoder(part.batch, part.sites).nodes
        x = part.batch.x["neuron"]
        for i in np.flatnonzero(np.arange(n) * 3 // n == number):
            same = (x == whole.batch.x["neuron"][i]).all(dim=1).nonzero().flatten()
            assert len(same) == 1
            torch.testing.assert_close(own[same[0]], rows[i], rtol=1e-4, atol=1e-4)


def test_all_rows_are_the_batch_itself(material: Material) -> None:
    all_rows = torch.ones(len(material.batch.kind), dtype=torch.bool)
    assert differences(select_rows(material.batch, all_rows), material.batch) == []


def test_a_run_learns_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is asked: as many answers are scored, and the rule is found."""
    monkeypatch.setattr(slicing, "ROWS_PER_SLICE", 300)
    model = training_model(circuit(40))
    result = train([model], replace(TINY, epochs=6, patience=6, seeds=1), folder=tmp_path)
    assert result.gate.passed
