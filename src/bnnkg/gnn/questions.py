"""What is hidden, and what is then asked: connections, features, labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from bnnkg.gnn.hiding import hide_features, hide_pairs
from bnnkg.gnn.material import Material
from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.negatives import sample_negatives
from bnnkg.gnn.nulls import unit_permutations
from bnnkg.gnn.sites import Sites, build_sites
from bnnkg.gnn.splits import PARTS, Part
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import KINDS, Kind

Objective = Literal["edge", "feature", "target"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)


@dataclass(frozen=True)
class Connections:
    """Does the first neuron send synapses to the second?

    Attributes:
        pairs: [2, P] neuron rows, pre and post.
        exists: [P] 1 or 0.
        units: [P] the pair of groups of neurons that it belongs to: the split's unit.
    """

    pairs: Tensor
    exists: Tensor
    units: Ints


@dataclass(frozen=True)
class Features:
    """What are the hidden values?

    Attributes:
        kind: Kind of the rows.
        rows: [P] places among the kind's rows.
        columns: [P] places among its columns.
        values: [P] scaled values.
        units: [P] what is held out together.
    """

    kind: Kind
    rows: Tensor
    columns: Tensor
    values: Tensor
    units: Ints


@dataclass(frozen=True)
class Labels:
    """Which class are these of?

    Attributes:
        kind: Kind of the rows.
        rows: [P] places among the kind's rows; of connections [2, P] neuron rows, pre and post.
        classes: [P] numbers of classes.
        units: [P] what is held out together.
    """

    kind: Kind
    rows: Tensor
    classes: Tensor
    units: Ints


@dataclass(frozen=True)
class Question:
    """A batch in which something is hidden, and what is asked of it.

    Attributes:
        batch: What may be seen.
        sites: Its attention sites.
        connections: Asked of pairs of neurons.
        features: Asked of rows whose features are hidden.
        labels: Asked of neurons, mechanisms or hidden connections.
    """

    batch: Batch
    sites: Sites
    connections: Connections | None = None
    features: tuple[Features, ...] = ()
    labels: Labels | None = None


def hide_connections(
    material: Material, part: Part, fold: int = 0, of: int = 1
) -> tuple[Batch, Tensor]:
    """Hides connections of a part, with all else that joins their neurons.

    Args:
        material: What to hide in.
        part: Part of the connections.
        fold: Which of its folds.
        of: How many folds there are.

    Returns:
        The batch without them, and [2, n] what was hidden.
    """
    positive = material.connections(part, fold, of)
    batch = hide_pairs(material.batch, positive) if positive.shape[1] else material.batch
    return batch, positive


def ask_connections(
    material: Material, part: Part, positive: Tensor, generator: torch.Generator
) -> Connections | None:
    """Asks for hidden connections among as many of the part that do not exist.

    Args:
        material: What they were hidden in.
        part: Their part.
        positive: [2, n] what was hidden.
        generator: Draws what does not exist, with the same number at every neuron.
    """
    if not positive.shape[1]:
        return None
    negative = sample_negatives(
        positive,
        material.joined,
        len(material.group),
        generator,
        allowed=lambda pairs: material.in_part(pairs, part),
    )
    pairs = torch.cat([positive, negative], dim=1)
    exists = torch.cat([torch.ones(positive.shape[1]), torch.zeros(negative.shape[1])])
    return Connections(pairs, exists, material.unit_of(pairs))


def ask_features(
    material: Material, batch: Batch, part: Part, generator: torch.Generator, *, share: float
) -> tuple[Batch, tuple[Features, ...]]:
    """Hides one feature group of some units, with all that gives it away, and asks for it.

    Args:
        material: What ``batch`` was made from.
        batch: What may be seen.
        part: Part of the rows that are asked for.
        generator: Draws the group and the units.
        share: Share of the part's units that are asked for.
    """
    groups = feature_groups(material, part)
    if not groups:
        return batch, ()
    kind, group = groups[int(torch.randint(len(groups), (), generator=generator))]
    units = np.unique(_units_of(material, kind, part))
    n_asked = max(1, round(share * len(units)))
    asked = units[torch.randperm(len(units), generator=generator)[:n_asked].numpy()]
    return ask_group(material, batch, part, kind, group, asked)


def ask_group(
    material: Material, batch: Batch, part: Part, kind: Kind, group: str, units: Ints | None = None
) -> tuple[Batch, tuple[Features, ...]]:
    """Hides a feature group of a part's rows (of these units), and asks for what was known."""
    first = material.batch.first_row(kind)
    own = slice(first, first + len(material.batch.x[kind]))
    wanted = (material.row_part[own] == PARTS.index(part)).numpy()
    if units is not None:
        wanted = wanted & np.isin(material.row_unit[own], units)
    rows = torch.from_numpy(np.flatnonzero(_still_there(wanted, kind, material, batch)))
    hidden = hide_features(batch, kind, group, rows)
    targets = torch.tensor([c.target and c.group == group for c in batch.columns[kind]])
    asked = batch.mask[kind] & ~hidden.mask[kind] & targets
    chosen = torch.zeros(len(asked), dtype=torch.bool)
    chosen[rows] = True
    at, column = (asked & chosen[:, None]).nonzero(as_tuple=True)
    if not len(at):
        return batch, ()
    values = batch.x[kind][at, column]
    unit = _kept_units(material, batch, kind)[at.numpy()]
    return hidden, (Features(kind, at, column, values, unit),)


def feature_groups(material: Material, part: Part) -> list[tuple[Kind, str]]:
    """Kinds and groups of which something that may be asked for is known, and not all the same."""
    found = []
    for kind in KINDS:
        first = material.batch.first_row(kind)
        x, mask = material.batch.x[kind], material.batch.mask[kind]
        own = material.row_part[first : first + len(x)] == PARTS.index(part)
        for group in dict.fromkeys(c.group for c in material.batch.columns[kind] if c.target):
            places = [
                p
                for p, c in enumerate(material.batch.columns[kind])
                if c.target and c.group == group
            ]
            if any(_varies(x[own, p][mask[own, p]]) for p in places):
                found.append((kind, group))
    return found


def ask_labels(material: Material, part: Part, hidden: Tensor) -> Labels | None:
    """Asks for the labels of a part's neurons or mechanisms, or of its hidden connections.

    Args:
        material: What holds them.
        part: Their part.
        hidden: [2, n] connections that are hidden.
    """
    wanted = (material.labels >= 0) & (material.label_part == PARTS.index(part))
    if material.subject == "connection":
        n = len(material.group)
        wanted &= torch.isin(_codes(material.directed, n), _codes(hidden, n))
    at = wanted.nonzero().flatten()
    if not len(at):
        return None
    kind: Kind = "mechanism" if material.subject == "mechanism" else "neuron"
    rows = material.directed[:, at] if material.subject == "connection" else at
    return Labels(kind, rows, material.labels[at].float(), material.label_unit[at.numpy()])


def question(
    batch: Batch,
    *,
    heads: int,
    hops: int,
    connections: Connections | None = None,
    features: tuple[Features, ...] = (),
    labels: Labels | None = None,
) -> Question:
    """Plans the sites of what may be seen."""
    sites = build_sites(batch, heads=heads, hops=hops)
    return Question(batch, sites, connections, features, labels)


def asks(question: Question, objective: Objective) -> bool:
    """Whether a question is about an objective."""
    if objective == "feature":
        return bool(question.features)
    return (question.connections if objective == "edge" else question.labels) is not None


def asks_anything(question: Question) -> bool:
    """Whether a question is about anything."""
    return any(asks(question, objective) for objective in OBJECTIVES)


def shuffle_answers(asked: Question, seed: int) -> Question:
    """The same question with its answers exchanged between units: nothing is left to learn."""
    connections, labels = asked.connections, asked.labels
    if connections is not None:
        order = _exchange(connections.units, np.zeros_like(connections.units), seed)
        connections = replace(connections, exists=connections.exists[order])
    if labels is not None:
        order = _exchange(labels.units, np.zeros_like(labels.units), seed)
        labels = replace(labels, classes=labels.classes[order])
    features = tuple(
        replace(f, values=f.values[_exchange(f.units, f.columns.numpy(), seed)])
        for f in asked.features
    )
    return replace(asked, connections=connections, features=features, labels=labels)


def _exchange(units: Ints, strata: Ints, seed: int) -> Tensor:
    return torch.from_numpy(next(unit_permutations(units, strata, seed, 1)))


def _codes(pairs: Tensor, n: int) -> Tensor:
    """One number for each ordered pair."""
    return pairs[0] * n + pairs[1]


def _varies(values: Tensor) -> bool:
    return len(values) > 1 and float(values.max() - values.min()) > 1e-6


def _units_of(material: Material, kind: Kind, part: Part) -> Ints:
    first = material.batch.first_row(kind)
    own = slice(first, first + len(material.batch.x[kind]))
    units: Ints = material.row_unit[own][(material.row_part[own] == PARTS.index(part)).numpy()]
    return units


def _still_there(wanted: Ints, kind: Kind, material: Material, batch: Batch) -> Ints:
    """Of the material's rows of a kind, those of a batch from which synapses were taken."""
    if kind != "synapse":
        return wanted
    kept: Ints = wanted[_kept(material, batch)]
    return kept


def _kept_units(material: Material, batch: Batch, kind: Kind) -> Ints:
    first = material.batch.first_row(kind)
    units = material.row_unit[first : first + len(material.batch.x[kind])]
    return units[_kept(material, batch)] if kind == "synapse" else units


def kept_rows(material: Material, batch: Batch) -> Tensor:
    """[N] which of the material's rows are in a batch made from it by hiding pairs."""
    rows = torch.ones(len(material.batch.kind), dtype=torch.bool)
    first = material.batch.first_row("synapse")
    kept = torch.from_numpy(_kept(material, batch))
    rows[first : first + len(kept)] = kept
    return rows


def _kept(material: Material, batch: Batch) -> Ints:
    """Which of the material's synapses are in a batch made from it by hiding pairs."""
    before, after = material.batch.ledger, batch.ledger
    assert before is not None
    assert after is not None
    n = len(material.group)
    left = torch.unique(
        torch.minimum(after.pre, after.post) * n + torch.maximum(after.pre, after.post)
    )
    codes = torch.minimum(before.pre, before.post) * n + torch.maximum(before.pre, before.post)
    kept: Ints = torch.isin(codes, left).numpy()
    return kept
