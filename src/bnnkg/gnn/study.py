"""What a run trains on, stops by and is tested with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from bnnkg.errors import TrainingError
from bnnkg.gnn.batching import collate
from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.labels import Properties
from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.questions import (
    Connections,
    Features,
    Labels,
    Material,
    Question,
    ask_connections,
    ask_features,
    ask_group,
    ask_labels,
    feature_groups,
    gather_material,
    hide_connections,
    labelled_definitions,
    shuffle_answers,
)
from bnnkg.gnn.scaling import Scaling, fit_scaling
from bnnkg.gnn.sites import Sites, build_sites
from bnnkg.gnn.slicing import Asking, n_slices, slice_question
from bnnkg.gnn.splits import FEWEST_FAMILIES, PARTS, Part, split_models
from bnnkg.gnn.targets import Target
from bnnkg.gnn.tensors import Batch, GraphTensors

ROWS_PER_BATCH = 20_000
N_DRAWS = 8
"""Sets of connections that do not exist that each fold has to choose from, for all seeds."""
ROWS_KEPT = 200_000
"""Above so many rows, all folds counted, hidden batches are made anew each time they are used."""

Objective = Literal["edge", "feature", "target"]


@dataclass(frozen=True)
class TrainingModel:
    """A model to train on.

    Attributes:
        tensors: Its computational graph.
        family: From ``assign_families``.
        group_of: Group of each of its neurons' uids, from ``homologue_groups`` of their names.
        properties: Per uid of a neuron, what the author's properties of its population say. They
            are labels, and never features.
    """

    tensors: GraphTensors
    family: int
    group_of: Mapping[str, int]
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Fold:
    """A part of the training connections that is hidden and asked for at once.

    Attributes:
        material: What it is a part of.
        batch: What may be seen.
        sites: Its attention sites; absent where it is too large and read in slices.
        positive: [2, n] what was hidden.
        labels: Asked as well.
    """

    material: Material
    batch: Batch
    sites: Sites | None
    positive: Tensor
    labels: Labels | None


@dataclass
class Study:
    """All questions of a run; the same for every seed.

    Attributes:
        scaling: Fitted on training models.
        split: What is held out, in words.
        material: Training material.
        validation: Questions to stop by.
        test: Questions that are asked once, at the end.
        objectives: What can be asked at all.
        network: Shape of the network that the sites are planned for.
        n_folds: In how many parts training connections are hidden.
        feature_share: Share of units whose features are hidden at a step.
        shuffled: Whether answers are exchanged between units, as a control.
        seed: Of what does not exist.
    """

    scaling: Scaling
    split: str
    material: tuple[Material, ...]
    validation: tuple[Question, ...]
    test: tuple[Question, ...]
    objectives: tuple[Objective, ...]
    network: BganConfig
    n_folds: int
    feature_share: float
    shuffled: bool
    seed: int
    _kept: dict[tuple[int, int], Fold] = field(default_factory=dict)
    _drawn: dict[tuple[int, int, int], Connections | None] = field(default_factory=dict)

    @property
    def gate(self) -> Objective:
        """What decides whether a run says anything: the target's score, or edge existence's."""
        order: tuple[Objective, ...] = ("target", "edge", "feature")
        return next(o for o in order if o in self.objectives)

    @property
    def n_steps(self) -> int:
        """Steps of an epoch."""
        return len(self._steps)

    @cached_property
    def _steps(self) -> list[tuple[int, int, int]]:
        """Material, fold and slice of each step."""
        return [
            (place, number, part)
            for place, material in enumerate(self.material)
            for number in range(self.n_folds)
            for part in range(n_slices(material.batch))
        ]

    def anew(self) -> Study:
        """The same study without what it keeps of earlier questions."""
        return replace(self, _kept={}, _drawn={})

    def order(self, seed: int) -> list[int]:
        """The steps of an epoch, in random order."""
        return torch.randperm(self.n_steps, generator=_generator(seed)).tolist()

    def ask(self, step: int, seed: int, *, features: bool) -> Question | None:
        """A step's question, with new negatives and other features hidden.

        Args:
            step: From 0 to ``n_steps``.
            seed: Of all that is random in it.
            features: Whether features are hidden and asked for as well.

        Returns:
            The question; nothing where there is nothing to ask for.
        """
        place, number, part = self._steps[step]
        generator = _generator(seed)
        fold = self._fold(place, number)
        draw = int(torch.randint(N_DRAWS, (), generator=generator))
        connections = self._connections(place, number, draw)
        batch = fold.batch
        hidden: tuple[Features, ...] = ()
        if features:
            batch, hidden = ask_features(
                fold.material, batch, "train", generator, share=self.feature_share
            )
        whole = Asking(batch, connections, hidden, fold.labels)
        if whole.is_empty():
            return None
        if fold.sites is None:
            asked = slice_question(whole, part, n_slices(fold.material.batch), self.network)
        else:
            asked = Question(batch, fold.sites, connections, hidden, fold.labels)
        if asked is None or not self.shuffled:
            return asked
        return shuffle_answers(asked, int(torch.randint(2**31, (), generator=generator)))

    def _connections(self, place: int, number: int, draw: int) -> Connections | None:
        """What a fold asks for, with one of its sets of connections that do not exist."""
        key = (place, number, draw)
        if key not in self._drawn:
            fold = self._fold(place, number)
            own_seed = int(np.random.SeedSequence([self.seed, *key]).generate_state(1)[0])
            self._drawn[key] = ask_connections(
                fold.material, "train", fold.positive, _generator(own_seed)
            )
        return self._drawn[key]

    def _fold(self, place: int, number: int) -> Fold:
        if (place, number) in self._kept:
            return self._kept[place, number]
        material = self.material[place]
        units = material.unit_of(material.directed)
        mine = torch.from_numpy(_fold_of(units, self.n_folds) == number)
        batch, positive = hide_connections(material, "train", mine)
        sites = _plan(batch, self.network) if n_slices(material.batch) == 1 else None
        fold = Fold(material, batch, sites, positive, ask_labels(material, "train", positive))
        if sum(len(m.batch.kind) for m in self.material) * self.n_folds <= ROWS_KEPT:
            self._kept[place, number] = fold
        return fold


def prepare_study(
    models: Sequence[TrainingModel],
    *,
    network: BganConfig,
    seed: int,
    target: Target | None,
    n_folds: int,
    feature_share: float,
    shuffled: bool,
    beside: Sequence[TrainingModel] = (),
) -> Study:
    """Divides the models and prepares what is asked of each part.

    With five families or more whole families are held out; with fewer, pairs and neurons within
    the models.

    Models beside them are trained on in every split and never held out. They change nothing that is
    asked of the others: scaling is fitted without them, and their steps come on top of an epoch.
    Only mechanisms whose labels they tell are not asked for.

    Raises:
        TrainingError: No model, or nothing in them can be asked for.
    """
    if not models:
        raise TrainingError("there is no model to train on", hint="ingest some, or name others")
    parts, how = _model_parts(models, seed)
    if target is not None and target.subject == "mechanism":
        how += ". A mechanism and its copies in other cells are in one part only"
    own = [m for m, part in zip(models, parts, strict=True) if part in (None, "train")]
    scaling = fit_scaling([model.tensors for model in own])
    aside = _gather(beside, scaling, seed=seed, part="train", target=target)
    material: dict[Part | None, list[Material]] = {}
    for part in sorted(dict.fromkeys(parts), key=_training_first):
        known = [labelled_definitions(m) for m in [*material.get("train", []), *aside]]
        chosen = [m for m, own_part in zip(models, parts, strict=True) if own_part == part]
        told = torch.cat(known) if known and part != "train" else None
        material[part] = _gather(chosen, scaling, seed=seed, part=part, target=target, known=told)
    within = material.get(None, [])
    train = (*(within or material["train"]), *aside)
    held: dict[Part, list[Question]] = {}
    others: tuple[Part, ...] = ("validation", "test")
    for held_part in others:
        held[held_part] = [
            asked
            for m in within or material[held_part]
            for asked in _held_out(m, held_part, network, n_folds if not within else 1, seed)
        ]
    objectives = _objectives(held["test"])
    if target is not None:
        _check_labels(target, train, held)
    if not objectives:
        raise TrainingError(
            "nothing in these models can be held out and asked for",
            expected="connections between neurons, or features of several cells",
            hint="train on more models",
        )
    if shuffled:
        held = {p: [shuffle_answers(q, seed) for q in asked] for p, asked in held.items()}
    return Study(
        scaling, how, train, tuple(held["validation"]), tuple(held["test"]), objectives,
        network, n_folds if "edge" in objectives else 1, feature_share, shuffled, seed,
    )  # fmt: skip


def _gather(
    models: Sequence[TrainingModel],
    scaling: Scaling,
    *,
    seed: int,
    part: Part | None,
    target: Target | None,
    known: Tensor | None = None,
) -> list[Material]:
    """Models of one part, in batches."""
    found = []
    for bucket in buckets([model.tensors for model in models]):
        members = [models[place] for place in bucket]
        graphs = [model.tensors for model in members]
        found.append(
            gather_material(
                graphs,
                [m.group_of for m in members],
                collate(graphs, scaling),
                seed=seed,
                part=part,
                target=target,
                properties=[m.properties for m in members],
                known=known,
            )
        )
    return found


def _training_first(part: Part | None) -> bool:
    return part not in (None, "train")


def _check_labels(
    target: Target, train: Sequence[Material], held: Mapping[Part, Sequence[Question]]
) -> None:
    """Makes sure that a target can be learned, stopped by and tested.

    Raises:
        TrainingError: One of the parts has nothing to ask.
    """
    n: dict[str, int] = {
        "train": sum(
            int(((m.labels >= 0) & (m.label_part == PARTS.index("train"))).sum()) for m in train
        )
    }
    for part, asked in held.items():
        n[part] = sum(len(q.labels.classes) for q in asked if q.labels is not None)
    if not all(n.values()):
        raise TrainingError(
            "the models hold too little of the target",
            where=target.name,
            expected=f"some {target.subject}s with a class in each part",
            found=", ".join(f"{number} for {part}" for part, number in n.items()),
            hint="train on other or more models",
        )


def buckets(graphs: Sequence[GraphTensors]) -> list[list[int]]:
    """Places of graphs of similar size that go into one batch together."""
    sizes = [sum(len(keys) for keys in graph.keys.values()) for graph in graphs]
    found: list[list[int]] = []
    filled = ROWS_PER_BATCH
    for place in sorted(range(len(graphs)), key=lambda p: (sizes[p], graphs[p].model_uid)):
        if filled + sizes[place] > ROWS_PER_BATCH:
            found.append([])
            filled = 0
        found[-1].append(place)
        filled += sizes[place]
    return found


def _model_parts(models: Sequence[TrainingModel], seed: int) -> tuple[list[Part | None], str]:
    families = [model.family for model in models]
    n_families = len(set(families))
    if n_families < FEWEST_FAMILIES:
        few = "1 family is" if n_families == 1 else f"{n_families} families are"
        return [None] * len(models), (
            "within models: unordered pairs of neurons, and neurons, with their counterparts and "
            f"numbered classes ({few} too few to hold some out)"
        )
    uids = [model.tensors.model_uid for model in models]
    split = split_models(uids, families, seed)
    part_of: dict[str, Part] = {}
    part_of |= dict.fromkeys(split.train, "train")
    part_of |= dict.fromkeys(split.validation, "validation")
    part_of |= dict.fromkeys(split.test, "test")
    return [part_of[uid] for uid in uids], split.how


def _held_out(
    material: Material, part: Part, network: BganConfig, n_folds: int, seed: int
) -> Iterator[Question]:
    """Connections of a part (of unseen models, a fold of them), and each feature group alone."""
    generator = _generator(seed)
    mine = torch.from_numpy(_fold_of(material.unit_of(material.directed), n_folds) == 0)
    batch, positive = hide_connections(material, part, mine)
    connections = ask_connections(material, part, positive, generator)
    labels = ask_labels(material, part, positive)
    if connections is not None or labels is not None:
        yield from _questions(Asking(batch, connections, (), labels), network)
    groups = feature_groups(material, part)
    sites = _plan(material.batch, network) if groups and n_slices(material.batch) == 1 else None
    for kind, group in groups:
        hidden, features = ask_group(material, material.batch, part, kind, group)
        if features:
            yield from _questions(Asking(hidden, None, features), network, sites)


def _questions(
    asked: Asking, network: BganConfig, sites: Sites | None = None
) -> Iterator[Question]:
    """The question, or its slices where it is too large; ``sites`` are those of its batch."""
    of = n_slices(asked.batch)
    if of == 1:
        sites = _plan(asked.batch, network) if sites is None else sites
        yield Question(asked.batch, sites, asked.connections, asked.features, asked.labels)
        return
    for number in range(of):
        part = slice_question(asked, number, of, network)
        if part is not None:
            yield part


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _fold_of(units: Ints, n_folds: int) -> Ints:
    """Fold of each connection: units go together."""
    names, place = np.unique(units, return_inverse=True)
    folds: Ints = np.random.default_rng(n_folds).permutation(len(names))[place] % n_folds
    return folds


def _plan(batch: Batch, network: BganConfig) -> Sites:
    return build_sites(batch, heads=network.heads, hops=network.hops)


def _objectives(asked: Sequence[Question]) -> tuple[Objective, ...]:
    found: list[Objective] = []
    if any(q.connections is not None for q in asked):
        found.append("edge")
    if any(q.features for q in asked):
        found.append("feature")
    if any(q.labels is not None for q in asked):
        found.append("target")
    return tuple(found)
