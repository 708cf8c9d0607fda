"""Networks that are compared with BGAN, on small graphs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_models import tables_of
from trained_models import TINY, circuit, training_model

from bnnkg.gnn.ablations import shuffle_hierarchy
from bnnkg.gnn.batching import BATCH_EDGES, collate
from bnnkg.gnn.bgan import Bgan, BganConfig
from bnnkg.gnn.comparison import Outcome, compare, summarise
from bnnkg.gnn.contenders import CONTENDERS
from bnnkg.gnn.graph import build
from bnnkg.gnn.rivals import LAYERS, n_parameters, rival, wire
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.sites import Sites, build_sites
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import KINDS, Kind

ALL_ROWS = [name for name, one in CONTENDERS.items() if not one.reads_neurons_alone]


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Two graphs side by side."""
    graphs = [build(tables_of(circuit(6, key=key, seed=n))) for n, key in enumerate("ab")]
    return collate(graphs, fit_scaling(graphs))


@pytest.fixture(scope="module")
def sites(batch: Batch) -> Sites:
    return build_sites(batch, heads=4, hops=2)


def widths_of(batch: Batch) -> dict[Kind, int]:
    return {kind: batch.x[kind].shape[1] for kind in KINDS}


def test_every_network_of_pyg_contends() -> None:
    assert [one.name for one in CONTENDERS.values() if one.group == "network"] == list(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_a_rival_has_as_many_parameters_as_bgan_within_a_tenth(name: str, batch: Batch) -> None:
    config, widths = BganConfig(), widths_of(batch)
    bgan = sum(p.numel() for p in Bgan(config, widths).parameters())
    assert n_parameters(rival(LAYERS[name], config, widths)) == pytest.approx(bgan, rel=0.1)


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_parameter_counts(name: str, batch: Batch, sites: Sites) -> None:
    """A part that has no part in the answer would make a count of parameters untrue."""
    torch.manual_seed(0)
    network = CONTENDERS[name].make(BganConfig(width=16), widths_of(batch))
    rows = network(batch, sites)
    assert rows.nodes.shape[1] == rows.graphs.shape[1] == 16
    assert rows.graphs.shape[0] == 2
    (rows.nodes.square().sum() + rows.graphs.square().sum()).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", [n for n in ALL_ROWS if n != "mlp"])
def test_a_graph_reads_nothing_of_another(name: str, batch: Batch, sites: Sites) -> None:
    torch.manual_seed(0)
    network = CONTENDERS[name].make(BganConfig(width=16), widths_of(batch)).eval()
    x = batch.x["dendrite"].clone()
    rows = batch.first_row("dendrite") + torch.arange(len(x))
    x[batch.graph[rows] == 1] += 3.0
    with torch.no_grad():
        before = network(batch, sites).nodes
        after = network(replace(batch, x={**batch.x, "dendrite": x}), sites).nodes
    own = batch.graph == 0
    torch.testing.assert_close(before[own], after[own])
    assert not torch.allclose(before[~own], after[~own])


def test_rivals_see_every_edge_in_both_directions(batch: Batch) -> None:
    wiring = wire(batch)
    n_edges = batch.edge_index.shape[1] + batch.up_index.shape[1]
    assert wiring.edges.shape == (2, 2 * n_edges)
    assert torch.equal(wiring.edges[:, :n_edges].flip(0), wiring.edges[:, n_edges:])
    assert len(wiring.inputs) == 2 * n_edges
    assert torch.equal(wiring.inputs[:n_edges, -10:], wiring.inputs[n_edges:, -10:])
    assert torch.equal(wiring.inputs[: batch.edge_index.shape[1], -10:], batch.edge_attr)
    assert len(wiring.typed) == 2 * (len(BATCH_EDGES) + 1)
    assert sum(own.shape[1] for own in wiring.typed.values()) == 2 * n_edges


def test_an_ablation_does_without_what_it_is_named_for(batch: Batch, sites: Sites) -> None:
    def seen(name: str) -> set[str]:
        network = CONTENDERS[name].make(BganConfig(width=16), widths_of(batch))
        return {one.site.name for one in network(batch, sites, explain=True).attention}

    whole = {"low", "up", "down", "back", "forward", "backward", "cls"}
    assert seen("bgan") == whole
    assert seen("bgan_without_nsa") == whole - {"low", "up", "down", "back"}
    assert seen("bgan_without_bmsa") == whole - {"forward", "backward"}
    assert seen("bgan_with_one_mask") == whole - {"backward"}
    assert seen("bgan_without_cls") == whole - {"cls"}


def test_a_shuffled_hierarchy_moves_whole_neurons_and_no_synapse() -> None:
    tensors = build(tables_of(circuit(6)))
    shuffled = shuffle_hierarchy(tensors, 0)
    before, after = tensors.data["dendrite"].neuron, shuffled.data["dendrite"].neuron
    moved = dict(zip(before.tolist(), after.tolist(), strict=True))
    assert sorted(moved.values()) == list(range(6))
    assert any(old != new for old, new in moved.items())
    for kind in ("soma", "axon", "mechanism"):
        parts = tensors.data[kind].neuron.tolist()
        assert shuffled.data[kind].neuron.tolist() == [moved[row] for row in parts]
        _, post = shuffled.data[kind, "part_of", "neuron"].edge_index
        _, old = tensors.data[kind, "part_of", "neuron"].edge_index
        assert post.tolist() == [moved[row] for row in old.tolist()]
    for triple in (("neuron", "presynaptic_to", "neuron"), ("soma", "conducts", "axon")):
        assert torch.equal(shuffled.data[triple].edge_index, tensors.data[triple].edge_index)
    assert torch.equal(shuffled.data["synapse"].neuron, tensors.data["synapse"].neuron)


def test_all_are_compared_on_the_same_split() -> None:
    """A network's score does not depend on who else is compared."""
    models, config = [training_model(circuit(16))], replace(TINY, epochs=1, seeds=1)
    outcomes = list(compare(models, config, ["gine", "bgan_with_shuffled_hierarchy"]))
    names = ["gine", "bgan_with_shuffled_hierarchy", "degree_alone", "nearest_twin"]
    assert [one.model for one in outcomes] == names
    assert next(compare(models, config, ["gine"])).held_out == outcomes[0].held_out
    assert {one.metric for one in outcomes} == {"edge_auroc"}
    assert all(0 <= one.held_out <= 1 for one in outcomes)
    assert {one.epochs for one in outcomes if one.group != "rule"} == {1}


def test_rows_are_means_over_seeds_and_differences_seed_by_seed() -> None:
    def one(model: str, seed: int, value: float) -> Outcome:
        return Outcome(model, "network", seed, "edge_auroc", value, value, 10, 1, 2.0, 3.0)

    values = {"bgan": (0.6, 0.8), "gine": (0.7, 0.9), "gps": (0.5, 0.6)}
    rows = summarise(
        [one(name, seed, v) for name, own in values.items() for seed, v in enumerate(own)], "bgan"
    )
    assert [row["model"] for row in rows] == ["gine", "bgan", "gps"]
    assert rows[0]["held_out"] == pytest.approx({"mean": 0.8, "sd": 0.1414, "n": 2}, abs=1e-4)
    assert rows[0]["above"] == pytest.approx({"mean": 0.1, "sd": 0.0, "n": 2})
    assert rows[2]["above"] == pytest.approx({"mean": -0.15, "sd": 0.0707, "n": 2}, abs=1e-4)
