"""What a run trains on, stops by and is tested with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bnnkg.errors import TrainingError
from bnnkg.gnn.batching import collate
from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.held_out import ROWS_KEPT, HeldOut, hold_out, plan
from bnnkg.gnn.labels import Properties
from bnnkg.gnn.mapped import map_to_disk
from bnnkg.gnn.material import Material, gather_material, labelled_definitions
from bnnkg.gnn.questions import (
    OBJECTIVES,
    Connections,
    Features,
    Labels,
    Objective,
    Question,
    ask_connections,
    ask_features,
    ask_labels,
    asks_anything,
    hide_connections,
    kept_rows,
    shuffle_answers,
)
from bnnkg.gnn.scaling import Scaling, fit_scaling
from bnnkg.gnn.sites import Sites
from bnnkg.gnn.slicing import cut_slice, n_slices
from bnnkg.gnn.splits import (
    FEWEST_FAMILIES,
    MOST_COUNTERPARTS,
    PARTS,
    Part,
    has_population,
    split_models,
)
from bnnkg.gnn.targets import Target
from bnnkg.gnn.tensors import Batch, GraphTensors

ROWS_PER_BATCH = 20_000
N_DRAWS = 8
"""Sets of connections that do not exist that each fold has to choose from, for all seeds."""


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
        rows: [N] which rows of the material the batch has.
        positive: [2, n] what was hidden.
        labels: Asked as well.
    """

    material: Material
    batch: Batch
    sites: Sites | None
    rows: Tensor
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
    validation: HeldOut
    test: HeldOut
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

    @cached_property
    def _keeps_all(self) -> bool:
        """Whether folds stay as they were made; else only the one that is asked about does."""
        return sum(len(m.batch.kind) for m in self.material) * self.n_folds <= ROWS_KEPT

    def anew(self) -> Study:
        """The same study without what it keeps of earlier questions."""
        return replace(self, _kept={}, _drawn={})

    def order(self, seed: int) -> list[int]:
        """The steps of an epoch in random order, but for slices of a fold, which go together."""
        generator = _generator(seed)
        folds: dict[tuple[int, int], list[int]] = {}
        for step, (place, number, _) in enumerate(self._steps):
            folds.setdefault((place, number), []).append(step)
        parts = list(folds.values())
        return [
            parts[fold][part]
            for fold in torch.randperm(len(parts), generator=generator).tolist()
            for part in torch.randperm(len(parts[fold]), generator=generator).tolist()
        ]

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
        share = self.feature_share if features else 0.0
        if fold.sites is None:
            asked = self._ask_slice(fold, part, connections, share, generator)
        else:
            batch, hidden = _hide(fold.material, fold.batch, share, generator)
            asked = Question(batch, fold.sites, connections, hidden, fold.labels)
        if not asks_anything(asked):
            return None
        if not self.shuffled:
            return asked
        return shuffle_answers(asked, int(torch.randint(2**31, (), generator=generator)))

    def _ask_slice(
        self,
        fold: Fold,
        part: int,
        connections: Connections | None,
        share: float,
        generator: torch.Generator,
    ) -> Question:
        cut = cut_slice(fold.batch, part, n_slices(fold.material.batch), connections)
        rows = fold.rows
        own = cut.material(
            fold.material.row_part[rows], fold.material.row_unit[rows.numpy()], fold.material
        )
        batch, hidden = _hide(own, own.batch, share, generator)
        return Question(
            batch,
            plan(batch, self.network),
            cut.connections(connections),
            hidden,
            cut.labels(fold.labels),
        )

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
        batch, positive = hide_connections(material, "train", number, self.n_folds)
        sites = plan(batch, self.network) if n_slices(material.batch) == 1 else None
        labels = ask_labels(material, "train", positive)
        fold = Fold(material, batch, sites, kept_rows(material, batch), positive, labels)
        if not self._keeps_all:
            self._kept.clear()
            self._drawn.clear()
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
    scratch: Path | None = None,
) -> Study:
    """Divides the models and prepares what is asked of each part.

    With five families or more whole families are held out; with fewer, pairs and neurons within
    the models. Mechanisms, of which a family has a handful, are held out by their definition alone.

    Models beside them are trained on in every split and never held out. They change nothing that is
    asked of the others: scaling is fitted without them, and their steps come on top of an epoch.
    Only mechanisms whose labels they tell are not asked for.

    Args:
        models: What to train, stop and test on.
        network: Shape of the network that the sites are planned for.
        seed: Of the division, and of what does not exist.
        target: Supervised target.
        n_folds: In how many parts training connections are hidden.
        feature_share: Share of units whose features are hidden at a step.
        shuffled: Whether answers are exchanged between units, as a control.
        beside: What to train on beside them.
        scratch: Folder for batches that are too large to hold in memory together.

    Raises:
        TrainingError: No model, or nothing in them can be asked for.
    """
    if not models:
        raise TrainingError("there is no model to train on", hint="ingest some, or name others")
    parts, how = _model_parts(models, seed, target)
    own = [m for m, part in zip(models, parts, strict=True) if part in (None, "train")]
    scaling = fit_scaling([model.tensors for model in own])
    n_rows = sum(_n_rows(model.tensors) for model in [*models, *beside])
    gather = partial(
        _gather, scaling=scaling, seed=seed, target=target,
        hold=partial(map_to_disk, folder=scratch) if n_rows > ROWS_KEPT else None,
    )  # fmt: skip
    aside = gather(beside, part="train")
    material = _gather_parts(models, parts, partial(gather, known=_told_by(aside)))
    within = material.get(None, [])
    train = (*(within or material["train"]), *aside)
    others: tuple[Part, ...] = ("validation", "test")
    held = {
        own_part: hold_out(
            within or material[own_part],
            own_part,
            network,
            n_folds=n_folds if not within else 1,
            seed=seed,
            shuffled=shuffled,
        )
        for own_part in others
    }
    objectives = _objectives(held.values())
    if target is not None:
        _check_labels(target, train, held)
    if not objectives:
        raise TrainingError(
            "nothing in these models can be held out and asked for",
            expected="connections between neurons, or features of several cells",
            hint="train on more models",
        )
    return Study(
        scaling, how, train, held["validation"], held["test"], objectives,
        network, n_folds if "edge" in objectives else 1, feature_share, shuffled, seed,
    )  # fmt: skip


def _gather_parts(
    models: Sequence[TrainingModel],
    parts: Sequence[Part | None],
    gather: Callable[..., list[Material]],
) -> dict[Part | None, list[Material]]:
    return {
        part: gather(
            [m for m, own_part in zip(models, parts, strict=True) if own_part == part], part=part
        )
        for part in dict.fromkeys(parts)
    }


def _told_by(aside: Sequence[Material]) -> Tensor | None:
    """Definitions whose labels models beside tell."""
    return torch.cat([labelled_definitions(m) for m in aside]) if aside else None


def _gather(
    models: Sequence[TrainingModel],
    *,
    part: Part | None,
    scaling: Scaling,
    seed: int,
    target: Target | None,
    hold: Callable[[Batch], Batch] | None,
    known: Tensor | None = None,
) -> list[Material]:
    """Batches of models of one part and of similar size, each put where it is to be held."""
    found = []
    for bucket in buckets([model.tensors for model in models]):
        members = [models[place] for place in bucket]
        graphs = [model.tensors for model in members]
        material = gather_material(
            graphs,
            [m.group_of for m in members],
            collate(graphs, scaling),
            seed=seed,
            part=part,
            target=target,
            properties=[m.properties for m in members],
            known=known,
        )
        found.append(replace(material, batch=hold(material.batch)) if hold else material)
    return found


def _n_rows(tensors: GraphTensors) -> int:
    return sum(len(keys) for keys in tensors.keys.values())


def _check_labels(target: Target, train: Sequence[Material], held: Mapping[Part, HeldOut]) -> None:
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
        about = asked.about("target")
        n[part] = sum(len(q.labels.classes) for q in about if q.labels is not None)
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
    sizes = [_n_rows(graph) for graph in graphs]
    found: list[list[int]] = []
    filled = ROWS_PER_BATCH
    for place in sorted(range(len(graphs)), key=lambda p: (sizes[p], graphs[p].model_uid)):
        if filled + sizes[place] > ROWS_PER_BATCH:
            found.append([])
            filled = 0
        found[-1].append(place)
        filled += sizes[place]
    return found


def _model_parts(
    models: Sequence[TrainingModel], seed: int, target: Target | None
) -> tuple[list[Part | None], str]:
    """Part of each model, or none where parts are within the models; and that in words."""
    families = [model.family for model in models]
    if target is not None and target.subject == "mechanism":
        return [None] * len(models), (
            "definitions of mechanisms, each with its copies in whatever cells and models; pairs "
            "of neurons within the models"
        )
    n_families = len(set(families))
    if n_families < FEWEST_FAMILIES:
        few = "1 family is" if n_families == 1 else f"{n_families} families are"
        apart = target is None and any(has_population(m.group_of.values()) for m in models)
        return [None] * len(models), (
            "within models: unordered pairs of neurons, and neurons, with their counterparts and "
            f"numbered classes ({few} too few to hold some out)"
            + (f". Of more than {MOST_COUNTERPARTS} neurons of one name each is on its own" * apart)
        )
    uids = [model.tensors.model_uid for model in models]
    split = split_models(uids, families, seed)
    part_of: dict[str, Part] = {}
    part_of |= dict.fromkeys(split.train, "train")
    part_of |= dict.fromkeys(split.validation, "validation")
    part_of |= dict.fromkeys(split.test, "test")
    return [part_of[uid] for uid in uids], split.how


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _hide(
    material: Material, batch: Batch, share: float, generator: torch.Generator
) -> tuple[Batch, tuple[Features, ...]]:
    if not share:
        return batch, ()
    return ask_features(material, batch, "train", generator, share=share)


def _objectives(held: Iterable[HeldOut]) -> tuple[Objective, ...]:
    """What every part asks."""
    parts = list(held)
    return tuple(o for o in OBJECTIVES if all(part.asks(o) for part in parts))
