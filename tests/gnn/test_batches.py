"""Scaling, and whole graphs side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from small_models import Model, models, tables_of
from test_hiding import NETWORK

from bnnkg.errors import TrainingError
from bnnkg.gnn.batching import BATCH_EDGES, collate
from bnnkg.gnn.features import COLUMNS, places
from bnnkg.gnn.graph import build
from bnnkg.gnn.scaling import LIMIT, Scaling, fit_scaling
from bnnkg.gnn.tensors import GraphTensors, Hidden
from bnnkg.schema.computation import KINDS, PLACE, RELATIONS


@pytest.fixture(scope="module")
def graph() -> GraphTensors:
    return build(tables_of(NETWORK))


def test_scaling_by_hand(graph: GraphTensors) -> None:
    scaling = fit_scaling([graph])
    place = places("neuron")["x_um"]
    column = scaling.kinds["neuron"][place]
    assert (column.unit, column.centre) == (0, 5)
    low, high = 0.0, 50.0  # the nearest values to the quartiles of 0, 5, 50
    assert column.spread == pytest.approx((high - low) / 1.349)
    x = scaling.nodes("neuron", graph.data["neuron"].x, graph.data["neuron"].mask)
    assert x[:, place].tolist() == pytest.approx([(v - 5) * 1.349 / 50 for v in (0, 5, 50)])


def test_heavy_tails_are_bent(graph: GraphTensors) -> None:
    scaling = fit_scaling([graph])
    place = places("neuron")["in_chemical_weight"]
    column = scaling.kinds["neuron"][place]
    values = np.arcsinh(np.array([0.0, 3.0, 4.0]) / 3.0)
    assert column.unit == 3
    assert column.centre == pytest.approx(values[1])
    assert column.spread == pytest.approx((values[2] - values[0]) / 1.349)


def test_scaling_knows_training_models_only(graph: GraphTensors) -> None:
    far = build(tables_of(replace(NETWORK, positions=[0.0, 5.0, 1e9])))
    scaling = fit_scaling([graph])
    x = collate([far], scaling).x["neuron"][:, places("neuron")["x_um"]]
    assert x.tolist() == pytest.approx([-5 * 1.349 / 50, 0, LIMIT])


def test_flags_stay_flags(graph: GraphTensors) -> None:
    batch = collate([graph], fit_scaling([graph]))
    for kind in KINDS:
        flags = [place for place, column in enumerate(COLUMNS[kind]) if not column.numeric]
        assert set(batch.x[kind][:, flags].unique().tolist()) <= {0.0, 1.0}


def test_scaling_survives_json(graph: GraphTensors) -> None:
    scaling = fit_scaling([graph])
    assert Scaling.from_json(scaling.to_json()) == scaling


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kinds": {}, "relations": {}}'])
def test_damaged_scaling_is_told(text: str) -> None:
    with pytest.raises(TrainingError, match="no scaling"):
        Scaling.from_json(text)


@settings(max_examples=30, deadline=None)
@given(models(), models())
def test_graphs_lie_side_by_side(one: Model, other: Model) -> None:
    graphs = [build(tables_of(m)) for m in (one, other)]
    scaling = fit_scaling(graphs)
    batch = collate(graphs, scaling)
    keys = [(n, key) for kind in KINDS for n, g in enumerate(graphs) for key in g.keys[kind]]
    assert len(keys) == len(batch.kind) == len(batch.neuron_of) == len(batch.graph)
    assert batch.graph.tolist() == [n for n, _ in keys]
    owners = [keys[row] for row in batch.neuron_of.tolist()]
    assert [(n, key[0]) for n, key in owners] == [(n, key[0]) for n, key in keys]
    for number in range(batch.edge_index.shape[1]):
        src, dst = batch.edge_index[:, number].tolist()
        triple = batch.edge_types[batch.edge_type[number]]
        assert (KINDS[batch.kind[src]], KINDS[batch.kind[dst]]) == (triple[0], triple[2])
        assert PLACE[triple[1]] == batch.relation[number]
        own = graphs[keys[src][0]]
        origin = own.origins[triple]
        ends = {*keys[src][1], *keys[dst][1]}
        row = int(batch.edge_row[number])
        assert ends & {origin.src_uid[row], origin.dst_uid[row]}
        assert keys[src][0] == keys[dst][0]


def test_mirrored_relations_are_one_to_the_network(graph: GraphTensors) -> None:
    batch = collate([graph], fit_scaling([graph]))
    names = {RELATIONS[place].name for place in batch.relation.unique().tolist()}
    assert "sends" in names
    assert not any(name.endswith("_back") for name in names)
    assert any(triple[1] == "sends_back" for triple in BATCH_EDGES)


def test_up_edges_are_the_synapses(graph: GraphTensors) -> None:
    batch = collate([graph, graph], fit_scaling([graph]))
    found = [
        (*pair, s)
        for pair, s in zip(batch.up_index.T.tolist(), batch.up_synapse.tolist(), strict=True)
    ]
    first, n = batch.first_row("synapse"), len(NETWORK.synapses)
    names = [key[1] for key in graph.keys["synapse"]]
    expected = []
    for copy in (0, 1):
        for y, s in enumerate(NETWORK.synapses):
            row = first + copy * n + names.index(f"y{y:02}")
            pre, post = s.pre + 3 * copy, s.post + 3 * copy
            expected += [(pre, post, row)] + [(post, pre, row)] * (s.kind == "electrical")
    assert sorted(found) == sorted(expected)


def test_other_rules_are_refused(graph: GraphTensors) -> None:
    scaling = fit_scaling([graph])
    with pytest.raises(TrainingError, match="different rules"):
        collate([replace(graph, fingerprint="old")], scaling)
    with pytest.raises(TrainingError, match="built alike"):
        fit_scaling([])
    withheld = build(tables_of(NETWORK), hidden=Hidden(contacts=True))
    with pytest.raises(TrainingError, match="all graphs of a batch"):
        collate([graph, withheld], scaling)
    assert torch.is_tensor(collate([withheld], scaling).x["neuron"])
