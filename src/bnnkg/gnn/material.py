"""What models hold that may be asked for, and which part of it belongs to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bnnkg.gnn.features import SHARED_BY, SYNAPSE_KINDS
from bnnkg.gnn.hiding import hide_pairs
from bnnkg.gnn.labels import Properties, Subject, read_labels
from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.splits import PARTS, PairSplit, Part, draw_parts, split_neurons, split_pairs
from bnnkg.gnn.targets import Target, forbid
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.computation import KINDS

_ELECTRICAL = SYNAPSE_KINDS.index("electrical")


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

    def connections(self, part: Part, fold: int = 0, of: int = 1) -> Tensor:
        """[2, n] connections of one of the folds of a part; those of one unit are in one fold."""
        own = torch.from_numpy(_fold_of(self.unit_of(self.directed), of) == fold)
        return self.directed[:, own & self.in_part(self.directed, part)]

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


def _fold_of(units: Ints, of: int) -> Ints:
    names, place = np.unique(units, return_inverse=True)
    folds: Ints = np.random.default_rng(of).permutation(len(names))[place] % of
    return folds


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
