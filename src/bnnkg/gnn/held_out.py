"""What is asked of what is held out, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.material import Material
from bnnkg.gnn.questions import (
    OBJECTIVES,
    Objective,
    Question,
    ask_connections,
    ask_group,
    ask_labels,
    asks,
    feature_groups,
    hide_connections,
    shuffle_answers,
)
from bnnkg.gnn.sites import Sites, build_sites
from bnnkg.gnn.slicing import cut_slice, n_slices
from bnnkg.gnn.splits import Part
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import Kind

ROWS_KEPT = 200_000
"""Above so many rows, what hides something of them is made anew each time it is used."""


@dataclass(frozen=True)
class HeldOut:
    """Questions about one part of the models, in an order that does not change.

    Where there is much to ask about, they are made each time they are asked: kept, they would hold
    the graphs many times over.

    Attributes:
        sources: Each gives some of the questions.
        objectives: What they are about; all where empty.
        shuffled: Seed by which answers are exchanged between units, as a control.
    """

    sources: tuple[_Source, ...]
    objectives: tuple[Objective, ...] = ()
    shuffled: int | None = None

    def __iter__(self) -> Iterator[Question]:
        for source in self.sources:
            for asked in source.ask():
                if not self.objectives or any(asks(asked, o) for o in self.objectives):
                    yield asked if self.shuffled is None else shuffle_answers(asked, self.shuffled)

    def about(self, *objectives: Objective) -> HeldOut:
        """Those about any of these objectives; what is about none of them is not even made."""
        own = tuple(s for s in self.sources if s.objectives.intersection(objectives))
        return replace(self, sources=own, objectives=objectives)

    def asks(self, objective: Objective) -> bool:
        """Whether any is about an objective."""
        return any(objective in source.objectives for source in self.sources)


@dataclass(frozen=True)
class _Source:
    """Where questions come from.

    Attributes:
        objectives: What they are about.
        ask: Gives them.
    """

    objectives: frozenset[Objective]
    ask: Callable[[], Iterable[Question]]

    @classmethod
    def kept(cls, questions: Iterable[Question]) -> _Source:
        """Questions that are made once."""
        made = tuple(questions)
        return cls(frozenset(o for o in OBJECTIVES if any(asks(q, o) for q in made)), lambda: made)


def hold_out(
    materials: Sequence[Material],
    part: Part,
    network: BganConfig,
    *,
    n_folds: int,
    seed: int,
    shuffled: bool,
) -> HeldOut:
    """Connections of a part (of unseen models, a fold of them), and each feature group alone.

    Args:
        materials: What holds it.
        part: Which.
        network: Shape of the network that the sites are planned for.
        n_folds: How many folds connections are divided into; the first one is asked for.
        seed: Of what does not exist.
        shuffled: Whether answers are exchanged between units.
    """
    kept = sum(len(m.batch.kind) for m in materials) <= ROWS_KEPT
    sources = [
        own for m in materials for own in _sources(m, part, network, n_folds, seed, kept=kept)
    ]
    return HeldOut(tuple(sources), (), seed if shuffled else None)


def plan(batch: Batch, network: BganConfig) -> Sites:
    """Attention sites of a batch."""
    return build_sites(batch, heads=network.heads, hops=network.hops)


def _sources(
    material: Material, part: Part, network: BganConfig, n_folds: int, seed: int, *, kept: bool
) -> Iterator[_Source]:
    pairs = partial(_ask_pairs, material, part, network, n_folds, seed)
    groups = feature_groups(material, part)
    if not kept:
        yield _Source(_about_pairs(material, part, n_folds), pairs)
        for group in groups:
            features = partial(_ask_features, material, part, network, *group)
            yield _Source(frozenset({"feature"}), features)
        return
    yield _Source.kept(pairs())
    is_whole = n_slices(material.batch) == 1
    sites = plan(material.batch, network) if groups and is_whole else None
    yield _Source.kept(
        asked for g in groups for asked in _ask_features(material, part, network, *g, sites)
    )


def _about_pairs(material: Material, part: Part, n_folds: int) -> frozenset[Objective]:
    """What questions about pairs will be about, without making them."""
    positive = material.connections(part, 0, n_folds)
    about: list[Objective] = ["edge"] if positive.shape[1] else []
    if ask_labels(material, part, positive) is not None:
        about.append("target")
    return frozenset(about)


def _ask_pairs(
    material: Material, part: Part, network: BganConfig, n_folds: int, seed: int
) -> Iterator[Question]:
    batch, positive = hide_connections(material, part, 0, n_folds)
    generator = torch.Generator().manual_seed(seed)
    connections = ask_connections(material, part, positive, generator)
    labels = ask_labels(material, part, positive)
    if connections is None and labels is None:
        return
    of = n_slices(material.batch)
    if of == 1:
        yield Question(batch, plan(batch, network), connections, (), labels)
        return
    for number in range(of):
        cut = cut_slice(batch, number, of, connections)
        own, named = cut.connections(connections), cut.labels(labels)
        if own is not None or named is not None:
            yield Question(cut.batch, plan(cut.batch, network), own, (), named)


def _ask_features(
    material: Material,
    part: Part,
    network: BganConfig,
    kind: Kind,
    group: str,
    sites: Sites | None = None,
) -> Iterator[Question]:
    """A group of features; ``sites`` are those of the material's batch, if it is not cut."""
    of = n_slices(material.batch)
    for number in range(of):
        own = material
        if of > 1:
            cut = cut_slice(material.batch, number, of)
            own = cut.material(material.row_part, material.row_unit, material)
        batch, features = ask_group(own, own.batch, part, kind, group)
        if features:
            yield Question(batch, plan(batch, network) if sites is None else sites, None, features)
