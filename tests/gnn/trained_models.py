"""Networks of neurons in which who sends to whom follows from where they are, or from nothing."""

from __future__ import annotations

import random
from dataclasses import replace

from small_models import Cell, Density, Model, Section, Synapse, SynapseType, neuron, tables_of

from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.contenders import BGAN
from bnnkg.gnn.fitting import make_learner
from bnnkg.gnn.graph import build
from bnnkg.gnn.readings import Score
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.scores import TrainedRun
from bnnkg.gnn.study import TrainingModel
from bnnkg.gnn.tensors import GraphTensors, Hidden
from bnnkg.gnn.training import TrainingConfig
from bnnkg.schema.computation import KINDS

TINY = TrainingConfig(
    network=BganConfig(width=16, heads=2, blocks=1, dropout=0.1),
    epochs=3, folds=2, seeds=2, checkpoint_every=1, learning_rate=5e-3, warm_up=1.0,
)  # fmt: skip


def circuit(n: int = 16, *, planted: bool = True, seed: int = 0, key: str = "small") -> Model:
    """Neurons on a line, each with a cell of its own.

    Planted: neurons send to those on their own side; those on the left inhibit, those on the right
    excite. Otherwise connections, signs and lengths are drawn at random, with out- and
    in-degrees that differ between neurons. The first two are joined twice.
    """
    source = random.Random(seed)
    positions = [float(source.randint(5, 40) * (-1) ** i) for i in range(n)]
    lengths = [(10.0 if p < 0 else 30.0) if planted else source.uniform(5, 40) for p in positions]
    cells = [
        Cell(
            [Section("soma"), Section("axon", 0, 20.0), Section("dendrite", 0, length)],
            [Density(0, "na_a"), Density(2, "k_a", 0.05)],
        )
        for length in lengths
    ]
    pairs = set()
    popular = [source.random() ** 2 for _ in range(n)]
    for i in range(n):
        for j in range(n):
            likely = float(positions[i] * positions[j] > 0) if planted else 1.2 * popular[j]
            if i != j and source.random() < 0.4 * likely:
                pairs.add((i, j))
    synapses = [
        Synapse(i, j, "chemical", float(source.randint(1, 5)), 1, 2,
                int(positions[i] < 0) if planted else source.randint(0, 1))
        for i, j in sorted(pairs)
    ]  # fmt: skip
    synapses += [synapses[0], Synapse(0, 2, "electrical", 1.0, 0, 0)]
    types = [SynapseType(), SynapseType(2.0, -70.0)]
    return Model(cells, list(range(n)), synapses, types, positions, key=key)


def training_model(model: Model, *, family: int = 0, contacts: bool = True) -> TrainingModel:
    """As workflows would hand it to training; every neuron is a group of its own."""
    tensors = build(tables_of(model), hidden=Hidden.of(contacts=contacts))
    tensors = replace(tensors, model_uid=f"{model.key}@0", model_key=model.key)
    return TrainingModel(tensors, family, {neuron(i): i for i in range(len(model.neurons))})


def single_cell(number: int) -> Model:
    """One neuron whose dendrite is as long as its soma is."""
    size = 5.0 + 3 * number
    cell = Cell(
        [Section("soma", None, size), Section("dendrite", 0, size), Section("dendrite", 1, size)],
        [Density(0, "na_a"), Density(1, f"k_{number}", 0.05)],
    )
    return Model([cell], [0], key=f"cell{number:02}")


def untrained_run(tensors: GraphTensors) -> TrainedRun:
    """A run of two networks as they are before the first step, which prefer somebody, too."""
    widths = {kind: tensors.data[kind].x.shape[1] for kind in KINDS}
    learners = tuple(make_learner(BGAN, TINY, widths, seed).eval() for seed in range(TINY.seeds))
    scores = (Score("attention_lift"),) * TINY.seeds
    return TrainedRun(
        TINY, tuple(range(TINY.seeds)), learners, scores, fit_scaling([tensors]),
        (tensors.model_uid,), tensors.hidden.contacts,
    )  # fmt: skip


def apart(tensors: GraphTensors, name: str) -> GraphTensors:
    """The graph as another model's: it has neurons of its own, and shares its cells."""

    def own(label: str, uids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name + uid for uid in uids) if label in ("Neuron", "Synapse") else uids

    keys = {
        kind: tuple(
            (name + neuron, name + definition if kind == "synapse" else definition)
            for neuron, definition in rows
        )
        for kind, rows in tensors.keys.items()
    }
    origins = {
        triple: replace(
            origin,
            src_uid=own(origin.src_label, origin.src_uid),
            dst_uid=own(origin.dst_label, origin.dst_uid),
            uid=origin.uid and own(origin.dst_label, origin.uid),
        )
        for triple, origin in tensors.origins.items()
    }
    return replace(tensors, model_uid=name, model_key=name, keys=keys, origins=origins)
