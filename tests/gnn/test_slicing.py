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
from bnnkg.gnn.material import Material, gather_material
from bnnkg.gnn.questions import (
    Connections,
    Features,
    ask_connections,
    ask_group,
    hide_connections,
    question,
)
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.slicing import Slice, cut_slice, select_rows
from bnnkg.gnn.tensors import Batch
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


def asked_of(material: Material) -> tuple[Batch, Connections]:
    batch, positive = hide_connections(material, "train")
    connections = ask_connections(material, "train", positive, torch.Generator().manual_seed(0))
    assert connections is not None
    return batch, connections


def named(batch: Batch, connections: Connections) -> list[tuple[float, ...]]:
    """Each connection by the features of its neurons."""
    sides = [batch.x["neuron"][row] for row in connections.pairs]
    return [tuple(torch.cat(pair).tolist()) for pair in zip(*sides, strict=True)]


def test_every_connection_is_asked_for_in_one_slice(material: Material) -> None:
    batch, connections = asked_of(material)
    found = []
    for number in range(3):
        cut = cut_slice(batch, number, 3, connections)
        own = cut.connections(connections)
        assert own is not None
        found += named(cut.batch, own)
    assert sorted(found) == sorted(named(batch, connections))


def asked_in(cut: Slice, material: Material, kind: Kind, group: str) -> tuple[Batch, Features]:
    own = cut.material(material.row_part, material.row_unit, material)
    batch, features = ask_group(own, own.batch, "train", kind, group)
    return batch, features[0]


@pytest.mark.parametrize(
    ("kind", "group"),
    [("dendrite", "geometry"), ("synapse", "function"), ("mechanism", "function")],
)
def test_every_value_is_asked_for_in_one_slice(material: Material, kind: Kind, group: str) -> None:
    _, (asked,) = ask_group(material, material.batch, "train", kind, group)
    cuts = [cut_slice(material.batch, number, 4) for number in range(4)]
    own = [asked_in(cut, material, kind, group) for cut in cuts]
    values = torch.cat([features.values for _, features in own])
    assert torch.equal(values.sort().values, asked.values.sort().values)
    for batch, features in own:
        assert not batch.mask[kind][features.rows, features.columns].any()


def test_a_slice_ends_at_its_halo(material: Material) -> None:
    """No synapse joins two neurons of the halo, and all that join the core are there."""
    whole = material.batch
    n = len(whole.x["neuron"])
    for number in range(4):
        core = {i for i in range(n) if i * 4 // n == number}
        pairs = [tuple(pair) for pair in whole.up_index.T.tolist()]
        joining = sum(bool(core & set(pair)) for pair in pairs)
        around = core | {one for pair in pairs if core & set(pair) for one in pair}
        cut = cut_slice(whole, number, 4)
        assert cut.batch.up_index.shape[1] == joining
        assert len(cut.batch.x["neuron"]) == len(around)
        assert len(cut.batch.x["synapse"]) < len(whole.x["synapse"])


def test_the_first_block_is_the_whole_graphs_for_core_neurons(material: Material) -> None:
    """They have all that sends to them; a neuron is told by its features, which are not cut."""
    whole, connections = asked_of(material)
    widths = {kind: whole.x[kind].shape[1] for kind in KINDS}
    torch.manual_seed(1)
    encoder = make_learner("bgan", replace(TINY, network=SHAPE), widths, 0).encoder
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    encoder.eval()
    everything = question(whole, heads=2, hops=2)
    rows = encoder(everything.batch, everything.sites).nodes
    n = len(whole.x["neuron"])
    for number in range(3):
        part = cut_slice(whole, number, 3, connections).batch
        assert len(part.kind) < len(whole.kind)
        own = encoder(part, build_sites(part, heads=2, hops=2)).nodes
        x = part.x["neuron"]
        for i in np.flatnonzero(np.arange(n) * 3 // n == number):
            same = (x == whole.x["neuron"][i]).all(dim=1).nonzero().flatten()
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
