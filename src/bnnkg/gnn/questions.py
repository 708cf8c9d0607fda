"""What is hidden, and what is then asked: connections, features, labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from bnnkg.gnn.features import SHARED_BY, SYNAPSE_KINDS
from bnnkg.gnn.hiding import hide_features, hide_pairs
from bnnkg.gnn.labels import Properties, Subject, read_labels
from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.negatives import sample_negatives
from bnnkg.gnn.nulls import unit_permutations
from bnnkg.gnn.sites import Sites, build_sites
from bnnkg.gnn.splits import PARTS, PairSplit, Part, draw_parts, split_neurons, split_pairs
from bnnkg.gnn.targets import Target, forbid
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.computation import KINDS, Kind

Objective = Literal["edge", "feature", "target"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)

_ELECTRICAL = SYNAPSE_KINDS.index("electrical")


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


@dataclass(frozen=True)
class Material:
    """A batch of models with everything that may be asked of it, and who belongs to which part.

    Attributes:
        batch: All that training may see in any part: nothing held out, nothing forbidden.
        directed: [2, P] distinct connections by chemical or continuous synapses.
        joined: [2, K] all pairs that are joined in whatever way.
        group: [M] group of each neuron, told apart between models.
        pair_part: Place in ``PARTS`` of pairs of neuron rows [2, n].
        row_part: [N] place in ``PARTS`` of each row, as to its features.
        row_unit: [N] what rows' features are held out together.
        subject: What labels are of.
        label_part: [n] place in ``PARTS`` of each neuron, mechanism or connection of
            ``directed``, as to its label.
        label_unit: [n] what labels are held out together.
        labels: [n] classes; -1 where there is none.
    """

    batch: Batch
    directed: Tensor
    joined: Tensor
    group: Tensor
    pair_part: Callable[[Tensor], Tensor]
    row_part: Tensor
    row_unit: Ints
    subject: Subject
    label_part: Tensor
    label_unit: Ints
    labels: Tensor

    def unit_of(self, pairs: Tensor) -> Ints:
        """Unordered pair of groups, as a number."""
        one, other = self.group[pairs]
        n = int(self.group.max()) + 1 if len(self.group) else 1
        codes: Ints = (torch.minimum(one, other) * n + torch.maximum(one, other)).numpy()
        return codes

    def in_part(self, pairs: Tensor, part: Part) -> Tensor:
        """Which pairs belong to a part, and to one graph."""
        graph = self.batch.graph[pairs]
        return (self.pair_part(pairs) == PARTS.index(part)) & (graph[0] == graph[1])


def gather_material(
    graphs: Sequence[GraphTensors],
    group_of: Sequence[Mapping[str, int]],
    batch: Batch,
    *,
    seed: int,
    part: Part | None,
    target: Target | None,
    properties: Sequence[Properties] = (),
    known: Tensor | None = None,
) -> Material:
    """Divides what a batch holds.

    Args:
        graphs: The models of the batch.
        group_of: Group of each neuron's uid, for each model.
        batch: The models, collated.
        seed: Of the division.
        part: The part that all of it belongs to; absent where it is divided within the models.
        target: Supervised target.
        properties: Of each model's neurons, as the target reads them; none where empty.
        known: Definitions whose labels training has: those of mechanisms are not asked for again.
    """
    group, uids = _groups(graphs, group_of)
    directed, joined = _connections(batch)
    if part is None:
        split = split_pairs(
            _uid_pairs(joined, uids), _group_by_uid(uids, group), seed, populations=target is None
        )
        neurons = split_neurons(uids, group.tolist(), seed)
        neuron_part = _places(uids, [getattr(neurons, name) for name in PARTS])
        own = torch.tensor([split.group_of[uid] for uid in uids])
        pair_part = _pair_part(split, own)
        visible = hide_pairs(batch, joined[:, pair_part(joined) != 0])
    else:
        own = group
        neuron_part = torch.full((len(uids),), PARTS.index(part))
        place = PARTS.index(part)
        pair_part = lambda pairs: torch.full((pairs.shape[1],), place)  # noqa: E731
        visible = batch
    if target is not None:
        visible = forbid(visible, target)
    row_unit = _row_units(visible, own)
    material = Material(
        batch=visible,
        directed=directed,
        joined=joined,
        group=own,
        pair_part=pair_part,
        row_part=_unit_parts(row_unit, own, neuron_part),
        row_unit=row_unit.numpy(),
        subject="neuron",
        label_part=neuron_part,
        label_unit=own.numpy(),
        labels=torch.full_like(own, -1),
    )
    if target is None:
        return material
    properties = properties or [{}] * len(graphs)
    labels = read_labels(target.read, target.subject, graphs, properties, directed)
    material = replace(material, subject=target.subject)
    if target.subject == "mechanism":
        return _with_definitions(material, labels, seed, part, known)
    return _with_labels(material, labels)


def hide_connections(
    material: Material, part: Part, hidden: Tensor | None = None
) -> tuple[Batch, Tensor]:
    """Hides connections of a part, with all else that joins their neurons.

    Args:
        material: What to hide in.
        part: Part of the connections.
        hidden: [P] which of ``directed`` to hide; all of the part where absent.

    Returns:
        The batch without them, and [2, n] what was hidden.
    """
    chosen = material.in_part(material.directed, part)
    if hidden is not None:
        chosen &= hidden
    positive = material.directed[:, chosen]
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


def _connections(batch: Batch) -> tuple[Tensor, Tensor]:
    """Distinct directed connections, and all pairs that anything joins."""
    ledger = batch.ledger
    assert ledger is not None
    ends = torch.stack([ledger.pre, ledger.post])
    sends = (ledger.kind != _ELECTRICAL) & (ledger.pre != ledger.post)
    joined = torch.unique(torch.sort(ends, dim=0).values, dim=1)
    return torch.unique(ends[:, sends], dim=1), joined


def _groups(
    graphs: Sequence[GraphTensors], group_of: Sequence[Mapping[str, int]]
) -> tuple[Tensor, list[str]]:
    """Group of each neuron row, told apart between models, and its uid."""
    numbers: dict[tuple[int, int], int] = {}
    groups, uids = [], []
    for place, (graph, own) in enumerate(zip(graphs, group_of, strict=True)):
        for uid, _ in graph.keys["neuron"]:
            groups.append(numbers.setdefault((place, own[uid]), len(numbers)))
            uids.append(uid)
    return torch.tensor(groups, dtype=torch.long), uids


def _group_by_uid(uids: Sequence[str], group: Tensor) -> dict[str, int]:
    return dict(zip(uids, group.tolist(), strict=True))


def _uid_pairs(pairs: Tensor, uids: Sequence[str]) -> list[tuple[str, str]]:
    return [(uids[a], uids[b]) for a, b in pairs.T.tolist()]


def _places(uids: Sequence[str], parts: Sequence[Sequence[str]]) -> Tensor:
    place = {uid: p for p, members in enumerate(parts) for uid in members}
    return torch.tensor([place[uid] for uid in uids], dtype=torch.long)


def _pair_part(split: PairSplit, group: Tensor) -> Callable[[Tensor], Tensor]:
    def part(pairs: Tensor) -> Tensor:
        one, other = group[pairs].numpy()
        return torch.from_numpy(split.parts(one, other).astype(np.int64))

    return part


def _row_units(batch: Batch, group: Tensor) -> Tensor:
    """[N] smallest group of neurons with which a row shares a definition, or its neuron's."""
    unit = group[batch.neuron_of].clone() if len(batch.kind) else group
    for kind in KINDS:
        first, n = batch.first_row(kind), len(batch.x[kind])
        own = unit[first : first + n]
        for place in range(len(SHARED_BY[kind])):
            _, same = torch.unique(batch.shared[kind][:, place], return_inverse=True)
            least = torch.full((int(same.max()) + 1 if n else 0,), torch.iinfo(torch.long).max)
            least.scatter_reduce_(0, same, own, "amin")
            own = least[same]
        unit[first : first + n] = own
    return unit


def _unit_parts(unit: Tensor, group: Tensor, neuron_part: Tensor) -> Tensor:
    """Part of each row: that of the neurons of its unit."""
    part = torch.zeros(int(group.max()) + 1 if len(group) else 0, dtype=torch.long)
    part[group] = neuron_part
    return part[unit]


def _with_labels(material: Material, labels: Tensor) -> Material:
    """The material with labels of neurons or of connections."""
    if material.subject == "neuron":
        return replace(material, labels=labels)
    part = material.pair_part(material.directed)
    unit = material.unit_of(material.directed)
    return replace(material, label_part=part, label_unit=unit, labels=labels)


def _with_definitions(
    material: Material, labels: Tensor, seed: int, part: Part | None, known: Tensor | None
) -> Material:
    """The material with labels of mechanisms, which go by what they are copies of."""
    definitions = _definitions(material.batch)
    if known is not None:
        labels = labels.masked_fill(torch.isin(definitions, known), -1)
    if part is None:
        parts = torch.from_numpy(draw_parts(definitions.numpy(), seed).astype(np.int64))
    else:
        parts = torch.full_like(labels, PARTS.index(part))
    return replace(material, label_part=parts, label_unit=definitions.numpy(), labels=labels)


def labelled_definitions(material: Material) -> Tensor:
    """Numbers of the mechanisms that have a label; the same in all models."""
    if material.subject != "mechanism":
        return torch.zeros(0, dtype=torch.long)
    return _definitions(material.batch)[material.labels >= 0]


def _definitions(batch: Batch) -> Tensor:
    return batch.shared["mechanism"][:, SHARED_BY["mechanism"].index("Mechanism")]


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
