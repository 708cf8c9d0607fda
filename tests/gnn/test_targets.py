"""Targets on small graphs whose labels were counted by hand, and which nothing gives away."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import Cell, Density, Model, Section, Synapse, neuron, tables_of
from trained_models import TINY, circuit, single_cell, training_model

from bnnkg.errors import TrainingError
from bnnkg.gnn.batching import collate
from bnnkg.gnn.bgan import Bgan, BganConfig, Rows
from bnnkg.gnn.classes import class_scores, counterpart_answers
from bnnkg.gnn.graph import build
from bnnkg.gnn.labels import ROLES
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.study import Study, TrainingModel, prepare_study
from bnnkg.gnn.targets import TARGETS, forbid, target_named
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.gnn.training import RunResult, train
from bnnkg.schema.computation import KINDS, Kind
from bnnkg.schema.records import GraphTables, NodeTable

TREE = [Section("soma"), Section("axon", 0, 20.0), Section("dendrite", 0, 30.0)]


def with_ions(model: Model) -> GraphTables:
    """The records with the ion that each channel's name starts with."""
    tables = tables_of(model)
    own = tables.nodes["Mechanism"]
    ions = [name.split("_")[0] if "_" in name else None for name in own.uid]
    changed = NodeTable("Mechanism", {**own.columns, "ion": ions})
    return GraphTables.of(
        [changed if t.label == "Mechanism" else t for t in tables.nodes.values()],
        list(tables.edges.values()),
    )


def labels_of(
    name: str, tensors: GraphTensors, properties: Mapping[str, Mapping[str, str]] | None = None
) -> dict[object, str]:
    """Class by the neuron's uid, the two neurons' uids, or the cell's neuron and the channel."""
    target = target_named(name)
    rows, classes = target.read(tensors, properties or {})
    neurons = [uid for uid, _ in tensors.keys["neuron"]]
    keys: list[object]
    if target.subject == "connection":
        keys = [(neurons[i], neurons[j]) for i, j in rows.T.tolist()]
    elif target.subject == "mechanism":
        keys = [tensors.keys["mechanism"][row] for row in rows.tolist()]
    else:
        keys = [neurons[row] for row in rows.tolist()]
    return dict(zip(keys, [target.classes[c] for c in classes], strict=True))


def test_roles_are_those_of_neurons_with_one_only() -> None:
    said = ["sensory", "interneuron; motor", "motor", "interneuron", "unknown", "sensory"]
    properties = {neuron(i): {"type": value} for i, value in enumerate(said)}
    tensors = training_model(circuit(7)).tensors
    assert labels_of("role", tensors, properties) == {
        neuron(0): "sensory", neuron(2): "motor", neuron(3): "interneuron", neuron(5): "sensory",
    }  # fmt: skip


def test_transmitters_are_those_of_neurons_with_one_only() -> None:
    said = ["GABA", "Acetylcholine; Serotonin", "", "Glutamate", "Dopamine", "Acetylcholine"]
    properties = {neuron(i): {"neurotransmitter": value} for i, value in enumerate(said)}
    tensors = training_model(circuit(6)).tensors
    assert labels_of("transmitter", tensors, properties) == {
        neuron(0): "GABA", neuron(3): "Glutamate", neuron(5): "Acetylcholine",
    }  # fmt: skip


def test_weights_are_compared_with_their_median() -> None:
    """1, 2, 3, 8 have the median 2.5; a pair that is joined twice, and a neuron to itself, no."""
    joined = [
        (0, 1, 1.0), (1, 0, 3.0), (1, 2, 2.0), (2, 0, 8.0), (0, 2, 9.0), (0, 2, 9.0), (1, 1, 99.0),
    ]  # fmt: skip
    synapses = [Synapse(i, j, "chemical", weight) for i, j, weight in joined]
    synapses.append(Synapse(2, 1, "electrical", 50.0))
    model = Model([Cell(TREE)], [0, 0, 0], synapses)
    for contacts in (True, False):
        assert labels_of("connection_weight", training_model(model, contacts=contacts).tensors) == {
            (neuron(0), neuron(1)): "weak", (neuron(1), neuron(0)): "strong",
            (neuron(1), neuron(2)): "weak", (neuron(2), neuron(0)): "strong",
        }  # fmt: skip


def test_equal_weights_tell_nothing() -> None:
    model = Model([Cell(TREE)], [0, 0], [Synapse(0, 1, "chemical", 2.0), Synapse(1, 0)])
    synapses = [replace(s, weight=2.0) for s in model.synapses]
    tensors = training_model(replace(model, synapses=synapses)).tensors
    assert labels_of("connection_weight", tensors) == {}


def test_placements_count_once_for_each_cell_and_channel() -> None:
    """Two neurons of a cell, one of a cell without dendrites, one point; leaks do not count."""
    tree = Cell(TREE, [Density(0, "na_a"), Density(2, "k_a"), Density(0, "h_a"), Density(1, "h_a"),
                       Density(0, "k_b"), Density(2, "k_b"), Density(2, "leak")])  # fmt: skip
    bare = Cell(TREE[:2], [Density(0, "na_a")])
    point = Cell(point=["point_a"], class_="izhikevich2007Cell")
    tensors = training_model(Model([tree, bare, point], [0, 0, 1, 2])).tensors
    assert labels_of("channel_placement", tensors) == {
        (neuron(0), "na_a"): "elsewhere", (neuron(0), "k_a"): "dendrites",
        (neuron(0), "h_a"): "elsewhere", (neuron(0), "k_b"): "dendrites",
    }  # fmt: skip


def test_ions_are_those_that_channels_conduct() -> None:
    densities = [Density(0, name) for name in ("na_a", "k_a", "ca_a", "h_a", "leak", "plain")]
    tensors = build(with_ions(Model([Cell(TREE, densities)], [0, 0])))
    assert labels_of("channel_ion", tensors) == {
        (neuron(0), "na_a"): "na", (neuron(0), "k_a"): "k", (neuron(0), "ca_a"): "ca",
        (neuron(0), "h_a"): "other",
    }  # fmt: skip


def rows_of(batch: Batch) -> torch.Tensor:
    """What a network that nobody trained makes of a batch."""
    torch.manual_seed(0)
    widths: dict[Kind, int] = {kind: batch.x[kind].shape[1] for kind in KINDS}
    network = Bgan(BganConfig(width=16, heads=2, blocks=2), widths).eval()
    with torch.no_grad():
        rows: Rows = network(batch, build_sites(batch, heads=2, hops=2))
    return rows.nodes


def batches(one: GraphTables, other: GraphTables) -> list[Batch]:
    graphs = [build(one), build(other)]
    scaling = fit_scaling(graphs[:1])
    return [collate([graph], scaling) for graph in graphs]


def assert_told_apart_unless_forbidden(both: list[Batch], name: str) -> None:
    """A target's answer is in both batches for the network to see, until it is forbidden."""
    assert not torch.equal(*map(rows_of, both))
    hidden = [forbid(batch, target_named(name)) for batch in both]
    assert torch.equal(*map(rows_of, hidden))


def test_where_a_channel_is_changes_no_row_of_the_network() -> None:
    model = circuit(4)
    moved = [
        replace(cell, densities=[replace(d, section=2 - d.section) for d in cell.densities])
        for cell in model.cells
    ]
    both = batches(tables_of(model), tables_of(replace(model, cells=moved)))
    assert_told_apart_unless_forbidden(both, "channel_placement")


def test_which_ion_a_channel_conducts_changes_no_row_of_the_network() -> None:
    model = circuit(4)
    cells = [
        replace(cell, densities=[replace(d, erev=-90.0) for d in cell.densities])
        for cell in model.cells
    ]
    both = batches(with_ions(model), tables_of(replace(model, cells=cells)))
    assert_told_apart_unless_forbidden(both, "channel_ion")


def test_weights_change_no_row_of_the_network() -> None:
    model = circuit(6)
    heavy = [replace(s, weight=50.0 + i) for i, s in enumerate(model.synapses)]
    both = batches(tables_of(model), tables_of(replace(model, synapses=heavy)))
    assert_told_apart_unless_forbidden(both, "connection_weight")


def test_the_type_of_a_synapse_changes_no_row_of_the_network() -> None:
    model = circuit(6)
    other = [replace(s, type_=s.type_ and 0) for s in model.synapses]
    both = batches(tables_of(model), tables_of(replace(model, synapses=other)))
    for name in ("transmitter", "postsynaptic_sign"):
        assert_told_apart_unless_forbidden(both, name)


def worm(n: int = 40, n_synapses: int = 3) -> TrainingModel:
    """Neurons of three lengths, which are their role; the long ones' connections are strong."""
    source = random.Random(0)
    place = [source.randrange(3) for _ in range(n)]
    cells = [Cell([Section("soma"), Section("dendrite", 0, (9, 30, 90)[p])]) for p in place]
    pairs = {(i, source.randrange(n)) for i in range(n) for _ in range(n_synapses)}
    synapses = [Synapse(i, j, "chemical", 1.0 + 8 * (place[i] == 2))
                for i, j in sorted(pairs) if i != j]  # fmt: skip
    trained = training_model(Model(cells, list(range(n)), synapses))
    roles = {neuron(i): {"type": ROLES[p]} for i, p in enumerate(place)}
    return replace(trained, properties=roles)


def channels(number: int) -> TrainingModel:
    """A family of its own; its sodium channels are dense and somatic, potassium's not."""
    densities = [Density(0, f"na_{number}", 0.5), Density(2, f"k_{number}", 0.01)]
    if number % 3:
        densities = densities[number % 3 - 1 :][:1]
    tensors = build(with_ions(Model([Cell(TREE, densities)], [0], key=f"cell{number:02}")))
    tensors = replace(tensors, model_uid=f"cell{number:02}@0", model_key=f"cell{number:02}")
    return TrainingModel(tensors, number, {neuron(0): 0})


def trained_on(name: str, folder: Path, *, shuffled: bool = False) -> RunResult:
    models = {
        "role": lambda: [worm(80, 0)],
        "connection_weight": lambda: [worm(60)],
        "channel_ion": lambda: [channels(i) for i in range(30)],
    }[name]()
    epochs = 6 if shuffled else 12 if name == "connection_weight" else 15
    config = replace(
        TINY, epochs=epochs, patience=epochs, seeds=1, target=name, shuffled=shuffled,
        learning_rate=1e-2,
    )  # fmt: skip
    return train(models, config, folder=folder)


SUBJECTS = ("role", "connection_weight", "channel_ion")


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_planted_target_is_found_and_above_chance(name: str, tmp_path: Path) -> None:
    result = trained_on(name, tmp_path)
    assert result.gate.metric == "target_auroc"
    assert result.gate.passed, result.gate
    assert result.gate.value > 0.85
    assert "target_auroc" in result.baselines["mlp_with_training_degrees"]


@pytest.mark.parametrize("name", SUBJECTS)
def test_an_exchanged_target_is_at_chance(name: str, tmp_path: Path) -> None:
    assert not trained_on(name, tmp_path, shuffled=True).gate.passed


def study_of(models: list[TrainingModel], name: str) -> Study:
    return prepare_study(
        models, network=TINY.network, seed=0, target=target_named(name), n_folds=2,
        feature_share=0.2, shuffled=False,
    )  # fmt: skip


def test_a_connection_is_hidden_when_its_weight_is_asked_for() -> None:
    study = study_of([worm()], "connection_weight")
    training = [study.ask(step, 0, features=False) for step in range(study.n_steps)]
    asked = [q for q in [*training, *study.test, *study.validation] if q and q.labels is not None]
    assert len(asked) >= 4
    for q in asked:
        assert q.labels is not None
        seen = {frozenset(pair) for pair in q.batch.up_index.T.tolist()}
        assert not seen & {frozenset(pair) for pair in q.labels.rows.T.tolist()}


def test_counterparts_are_held_out_together() -> None:
    study = study_of([replace(worm(), group_of={neuron(i): i // 2 for i in range(40)})], "role")
    (material,) = study.material
    part = {group: set[int]() for group in material.group.tolist()}
    for group, own in zip(material.group.tolist(), material.label_part.tolist(), strict=True):
        part[group].add(own)
    assert all(len(own) == 1 for own in part.values())


def test_a_mechanism_is_in_one_part_whatever_models_it_is_in() -> None:
    """All of these families have one sodium channel in common, and each a channel of its own."""
    models = [training_model(single_cell(i), family=i) for i in range(9)]
    study = study_of(models, "channel_placement")
    assert "definitions of mechanisms" in study.split
    parts: dict[int, list[int]] = {}
    for m in study.material:
        rows = zip(m.label_unit.tolist(), m.label_part.tolist(), m.labels.tolist(), strict=True)
        for definition, part, label in rows:
            if label >= 0:
                parts.setdefault(definition, []).append(part)
    assert sorted(map(len, parts.values())) == [1] * 9 + [9]
    assert all(len(set(own)) == 1 for own in parts.values())
    asked = [q.labels for q in (*study.test, *study.validation) if q.labels is not None]
    n_held_out = sum(part > 0 for own in parts.values() for part in own)
    assert sum(len(labels.classes) for labels in asked) == n_held_out > 0


def test_models_without_the_target_are_told() -> None:
    with pytest.raises(TrainingError, match="0 for train"):
        study_of([training_model(circuit())], "role")


def test_an_unknown_target_is_told() -> None:
    with pytest.raises(TrainingError, match="channel_ion"):
        target_named("colour")


def test_scores_of_three_classes_are_means_over_them() -> None:
    """Class 0 is told apart from the others, 1 and 2 are confused once each way."""
    predicted = np.array([[3.0, 0, 0], [3, 0, 0], [0, 2, 1], [0, 1, 2], [0, 1, 2], [0, 2, 1]])
    scores = class_scores(predicted, np.array([0.0, 0, 1, 1, 2, 2]))
    # Against the rest: 1; class 1 has ranks 5.5 and 3.5 of 1.5 1.5 3.5 3.5 5.5 5.5, so 6 of 8.
    assert scores["target_auroc"] == pytest.approx((1 + 0.75 + 0.75) / 3)
    assert scores["target_balanced_accuracy"] == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_counterparts_answer_for_each_other_and_nobody_for_himself() -> None:
    has, answers = counterpart_answers(
        np.array([1.0, 1, 0, 1, 0]), np.array([7, 7, 7, 3, 9]), two=True
    )
    assert has.tolist() == [True, True, True, False, False]
    assert answers[:3].tolist() == [0.0, 0.0, 0.5]


def test_every_target_names_columns_and_edges_that_there_are() -> None:
    batch = batches(*[tables_of(circuit(4))] * 2)[0]
    for target in TARGETS:
        forbid(batch, target)
