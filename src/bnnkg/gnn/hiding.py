"""What a batch looks like when connections or features may not be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bnnkg.errors import TrainingError
from bnnkg.gnn.batching import select_synapses
from bnnkg.gnn.degrees import neuron_io, section_io
from bnnkg.gnn.features import NEURON_IO, SECTION_IO, SHARED_BY, places
from bnnkg.gnn.graph import with_mask
from bnnkg.gnn.scaling import Scaling
from bnnkg.gnn.tensors import Batch, FeatureColumn, Ledger
from bnnkg.schema.computation import (
    BY_NAME,
    COMPARTMENT_KINDS,
    EDGE_FEATURES,
    FEATURE_GROUPS,
    KINDS,
    Kind,
)


def hide_pairs(batch: Batch, pairs: Tensor) -> Batch:
    """Takes away everything that joins these pairs of neurons, and recomputes degrees and sums.

    The result is what ``build`` and ``collate`` give with the same pairs hidden and the same
    scaling; only ``edge_row`` and ``up_row`` keep pointing into the tensors that the batch is of.

    Args:
        batch: From ``collate``.
        pairs: [2, P] neuron rows; their order within a pair does not matter.
    """
    ledger, scaling = _made_of(batch)
    n_neurons = len(batch.x["neuron"])
    hidden = torch.isin(
        _codes(ledger.pre, ledger.post, n_neurons), _codes(pairs[0], pairs[1], n_neurons)
    )
    first = batch.first_row("synapse")
    keep = torch.ones(len(batch.kind), dtype=torch.bool)
    keep[first : first + len(hidden)] = ~hidden
    visible = select_synapses(ledger, ~hidden)
    synapse: Kind = "synapse"
    kept = replace(
        _keep_edges(batch, keep),
        x={**batch.x, synapse: batch.x[synapse][~hidden]},
        mask={**batch.mask, synapse: batch.mask[synapse][~hidden]},
        shared={**batch.shared, synapse: batch.shared[synapse][~hidden]},
        kind=batch.kind[keep],
        neuron_of=batch.neuron_of[keep],
        graph=batch.graph[keep],
        ledger=visible,
    )
    return _renew_io(kept, visible, scaling)


def _made_of(batch: Batch) -> tuple[Ledger, Scaling]:
    if batch.ledger is None or batch.scaling is None:
        raise TrainingError("nothing can be hidden in a batch that collate did not make")
    return batch.ledger, batch.scaling


def _codes(one: Tensor, other: Tensor, n: int) -> Tensor:
    """One number for each unordered pair."""
    return torch.minimum(one, other) * n + torch.maximum(one, other)


def _keep_edges(batch: Batch, keep: Tensor) -> Batch:
    row = torch.cumsum(keep, 0) - 1
    edge = keep[batch.edge_index].all(dim=0)
    up = keep[batch.up_synapse]
    return replace(
        batch,
        edge_index=row[batch.edge_index[:, edge]],
        flow=batch.flow[edge],
        relation=batch.relation[edge],
        edge_attr=batch.edge_attr[edge],
        edge_type=batch.edge_type[edge],
        edge_row=batch.edge_row[edge],
        up_index=batch.up_index[:, up],
        up_synapse=row[batch.up_synapse[up]],
        up_attr=None if batch.up_attr is None else batch.up_attr[up],
        up_row=None if batch.up_row is None else batch.up_row[up],
    )


def _renew_io(batch: Batch, ledger: Ledger, scaling: Scaling) -> Batch:
    """Recomputes degrees and sums; what was masked by hand stays masked."""
    sizes = {kind: len(batch.x[kind]) for kind in COMPARTMENT_KINDS}
    loads = torch.split(section_io(ledger, sum(sizes.values())), list(sizes.values()))
    values = dict(zip(COMPARTMENT_KINDS, loads, strict=True))
    x, mask = dict(batch.x), dict(batch.mask)
    for kind, names, new in (
        ("neuron", NEURON_IO, neuron_io(ledger, len(batch.x["neuron"]))),
        *((kind, SECTION_IO, values[kind]) for kind in COMPARTMENT_KINDS),
    ):
        where = [places(kind)[name] for name in names]
        raw, known = with_mask(new)
        known &= batch.mask[kind][:, where]
        x[kind], mask[kind] = x[kind].clone(), mask[kind].clone()
        x[kind][:, where] = scaling.some(kind, where, raw, known)
        mask[kind][:, where] = known
    return replace(batch, x=x, mask=mask)


def hide_features(
    batch: Batch,
    kind: Kind,
    group: str,
    rows: Tensor,
    *,
    columns: Iterable[str] | None = None,
) -> Batch:
    """Hides a feature group of some rows, with all that would give it away.

    Hidden too are the same columns in every other instance of the same definition, what the
    declaration derives from them in the same rows and on their edges (``hides_with``), and in all
    rows and on all edges of the neurons concerned (``hides_across``).

    Args:
        batch: From ``collate``.
        kind: Kind of the rows.
        group: One of the six feature groups.
        rows: Places among the kind's rows.
        columns: Only these of the group, where the rest does not give them away.

    Raises:
        TrainingError: No such group or column.
    """
    cover = _Cover.of(batch)
    for shared_by, together in _by_definition(_choose(batch, kind, group, columns)).items():
        concerned = _instances(batch, kind, shared_by, rows)
        cover.nodes[kind][concerned[:, None], torch.tensor([place for place, _ in together])] = True
        own = torch.zeros(len(batch.kind), dtype=torch.bool)
        own[concerned + batch.first_row(kind)] = True
        cover.add(batch, (name for _, column in together for name in column.hides_with), own)
        across = {name for _, column in together for name in column.hides_across}
        if across:
            cover.add(batch, across, _rows_of_neurons(batch, own))
    return cover.apply(batch)


def hide_rows(batch: Batch, rows: Tensor) -> Batch:
    """Hides all features of some rows of a batch, and of the edges that begin or end there."""
    chosen = torch.zeros(len(batch.kind), dtype=torch.bool)
    chosen[rows] = True
    cover = _Cover.of(batch)
    for kind in KINDS:
        first = batch.first_row(kind)
        cover.nodes[kind][chosen[first : first + len(batch.mask[kind])]] = True
    cover.edges[chosen[batch.edge_index].any(dim=0)] = True
    cover.up[chosen[batch.up_synapse] | chosen[batch.up_index].any(dim=0)] = True
    return cover.apply(batch)


@dataclass(frozen=True)
class _Cover:
    """What is to be hidden: True per kind and column, per edge and feature, per up edge."""

    nodes: dict[Kind, Tensor]
    edges: Tensor
    up: Tensor

    @classmethod
    def of(cls, batch: Batch) -> _Cover:
        nodes = {kind: torch.zeros_like(mask) for kind, mask in batch.mask.items()}
        n = len(EDGE_FEATURES)
        edges = torch.zeros((batch.edge_index.shape[1], n), dtype=torch.bool)
        return cls(nodes, edges, torch.zeros((batch.up_index.shape[1], n), dtype=torch.bool))

    def add(self, batch: Batch, names: Iterable[str], rows: Tensor) -> None:
        """Covers columns (``kind.name``) of these rows, and features of the edges at them."""
        named: dict[str, set[str]] = {}
        for where, _, what in (name.partition(".") for name in names):
            named.setdefault(where, set()).add(what)
        for where, columns in named.items():
            if where in BY_NAME:
                self._add_edges(batch, where, columns, rows)
            else:
                kind: Kind = next(k for k in KINDS if k == where)
                first = batch.first_row(kind)
                own = rows[first : first + len(batch.mask[kind])].nonzero()
                self.nodes[kind][own, torch.tensor([places(kind)[name] for name in columns])] = True

    def _add_edges(self, batch: Batch, relation: str, names: Iterable[str], rows: Tensor) -> None:
        features = torch.tensor([EDGE_FEATURES.index(name) for name in names])
        if relation == "presynaptic_to":
            pre, post = batch.up_index
            at = rows[batch.up_synapse] | rows[pre] | rows[post]
            self.up[at.nonzero(), features] = True
        else:
            self.edges[_edges_at(batch, relation, rows)[:, None], features] = True

    def apply(self, batch: Batch) -> Batch:
        """The batch without what is covered."""
        seen = {kind: ~covered for kind, covered in self.nodes.items()}
        return replace(
            batch,
            x={kind: torch.where(seen[kind], x, 0.0) for kind, x in batch.x.items()},
            mask={kind: mask & seen[kind] for kind, mask in batch.mask.items()},
            edge_attr=torch.where(torch.cat([self.edges] * 2, dim=1), 0.0, batch.edge_attr),
            up_attr=None
            if batch.up_attr is None
            else torch.where(torch.cat([self.up] * 2, dim=1), 0.0, batch.up_attr),
        )


def _edges_at(batch: Batch, relation: str, rows: Tensor) -> Tensor:
    """Places of a relation's edges that begin or end at these rows."""
    named = torch.tensor([triple[1] == relation for triple in batch.edge_types])
    at = named[batch.edge_type].nonzero().flatten()
    src, dst = batch.edge_index[:, at]
    return at[rows[src] | rows[dst]]


def _choose(
    batch: Batch, kind: Kind, group: str, names: Iterable[str] | None
) -> list[tuple[int, FeatureColumn]]:
    found = [(p, c) for p, c in enumerate(batch.columns[kind]) if c.group == group]
    if not found:
        raise TrainingError(
            "no such feature group", expected=", ".join(FEATURE_GROUPS), found=group
        )
    if names is None:
        return found
    wanted = set(names)
    lacking = wanted - {column.name for _, column in found}
    if lacking:
        raise TrainingError(
            f"no such column in the {group} group of {kind}", found=", ".join(sorted(lacking))
        )
    return [(place, column) for place, column in found if column.name in wanted]


def _by_definition(
    chosen: list[tuple[int, FeatureColumn]],
) -> dict[str, list[tuple[int, FeatureColumn]]]:
    """Columns whose instances are the same rows: they are covered at once."""
    found: dict[str, list[tuple[int, FeatureColumn]]] = {}
    for place, column in chosen:
        found.setdefault(column.shared_by, []).append((place, column))
    return found


def _instances(batch: Batch, kind: Kind, shared_by: str, rows: Tensor) -> Tensor:
    """The rows, and all others that are instances of the same definition as one of them."""
    if not shared_by:
        return rows
    ids = batch.shared[kind][:, SHARED_BY[kind].index(shared_by)]
    return torch.isin(ids, ids[rows]).nonzero().flatten()


def _rows_of_neurons(batch: Batch, rows: Tensor) -> Tensor:
    """All rows of the neurons that these rows belong to; synapses belong to both of theirs."""
    ledger, _ = _made_of(batch)
    first = batch.first_row("synapse")
    synapses = slice(first, first + len(ledger.pre))
    neurons = torch.zeros(len(batch.x["neuron"]), dtype=torch.bool)
    neurons[batch.neuron_of[rows]] = True
    neurons[ledger.post[rows[synapses]]] = True
    found = neurons[batch.neuron_of]
    found[synapses] |= neurons[ledger.post]
    return found
