"""Learned properties of stored nodes and edges: means over their instances, and over seeds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnkg.gnn.connections import connections, pairs
from bnnkg.gnn.grouping import Groups, ranks
from bnnkg.gnn.instances import EdgeKind, Instances, edge_instances, node_instances
from bnnkg.gnn.measures import Measured
from bnnkg.gnn.metrics import Floats
from bnnkg.gnn.sections import joined, section_lifts
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.columns import Numbers, taken
from bnnkg.schema.declaration import Property
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES, N_INSTANCES, SPREAD
from bnnkg.schema.records import Column, EdgeTable, NodeTable

ATTENDS_TO_SHARE = 0.05
"""Share of the connected (attending, attended) pairs of neurons that get an ``ATTENDS_TO``."""


class ScoreTables:
    """Collects what was measured of graphs, and makes tables of the records that they share."""

    def __init__(self) -> None:
        self._nodes: dict[str, list[Instances]] = {}
        self._edges: dict[EdgeKind, list[Instances]] = {}
        self._pairs: list[Instances] = []
        self._sections: list[EdgeTable] = []

    def add(self, tensors: GraphTensors, batch: Batch, measured: Measured) -> None:
        """Takes what was measured of a graph.

        Args:
            tensors: The graph.
            batch: The same, alone in a batch.
            measured: Of that batch.
        """
        for label, rows in node_instances(tensors, measured.rows):
            self._nodes.setdefault(label, []).append(rows)
        for kind, edges in edge_instances(tensors, batch, measured.edges):
            self._edges.setdefault(kind, []).append(edges)
        self._sections.append(section_lifts(tensors, batch, measured.rows))
        if batch.up_index.shape[1]:
            own = self._edges.setdefault(("CONNECTS_TO", "Neuron", "Neuron"), [])
            own.append(connections(tensors, batch, measured))
            self._pairs.append(pairs(tensors, batch, measured))

    def nodes(self) -> Iterator[NodeTable]:
        """A table for each label."""
        for label, instances in self._nodes.items():
            (uid,), columns = summarise(instances, "cls_lift", LEARNED_ON_NODES[label])
            yield NodeTable(label, {"uid": uid, **columns})

    def edges(self) -> Iterator[EdgeTable]:
        """A table for each type and pair of labels."""
        for kind, instances in self._edges.items():
            yield _edge_table(kind, instances)
        sections = joined(self._sections)
        if len(sections):
            yield sections
        if self._pairs:
            yield _edge_table(("ATTENDS_TO", "Neuron", "Neuron"), [_strongest(self._pairs)])


def _edge_table(kind: EdgeKind, instances: Sequence[Instances]) -> EdgeTable:
    type_, src_label, dst_label = kind
    (src, dst, *uid), columns = summarise(instances, "attention_lift", LEARNED_ON_EDGES[type_])
    if uid:
        columns["uid"] = uid[0]
    return EdgeTable(type_, src_label, dst_label, src, dst, columns)


def summarise(
    instances: Sequence[Instances], lift: str, learned: Sequence[Property]
) -> tuple[list[list[str]], dict[str, Column]]:
    """Means over the instances of each record, then mean and spread over seeds.

    Args:
        instances: Of one label or type.
        lift: The measure whose spread over instances is told, where that is declared.
        learned: The properties that are declared.

    Returns:
        Columns of keys, ascending by the first; and those properties of which anything is known.
    """
    names, rank = zip(*map(ranks, _keys(instances)), strict=True)
    groups = Groups.of(*rank)
    found: dict[str, NDArray[Any]] = {}
    for name in (prop.name for prop in learned if prop.name in instances[0].values):
        values = _column(instances, name)
        mean = groups.known_means(values)
        found[name] = mean.mean(axis=0)
        if len(mean) > 1:
            found[f"{name}_sd"] = mean.std(axis=0, ddof=1)
        if name == lift:
            spreads = groups.spreads(values.mean(axis=0))
    found |= {N_INSTANCES.name: groups.sizes, SPREAD.name: spreads}
    keys = [taken(n, r[groups.first]) for n, r in zip(names, rank, strict=True)]
    return keys, _known(found, {prop.name for prop in learned})


def _keys(instances: Sequence[Instances]) -> list[list[str]]:
    """Columns of keys of all instances."""
    parts = zip(*(one.keys for one in instances), strict=True)
    return [list(chain.from_iterable(column)) for column in parts]


def _column(instances: Sequence[Instances], name: str) -> Floats:
    """[seeds, n] one measure of all instances."""
    return np.concatenate([one.of(name) for one in instances], axis=1)


def _known(columns: Mapping[str, NDArray[Any]], declared: Collection[str]) -> dict[str, Column]:
    """Declared columns in which anything is known; what is not is absent."""
    known = {name: np.isfinite(values) for name, values in columns.items() if name in declared}
    return {
        name: Numbers(columns[name] if at.all() else np.where(at, columns[name], np.nan))
        for name, at in known.items()
        if at.any()
    }


def _strongest(instances: Sequence[Instances]) -> Instances:
    """The pairs of neurons with the highest lift."""
    keys = _keys(instances)
    values = {name: _column(instances, name) for name in instances[0].values}
    lift = values["attention_lift"].mean(axis=0)
    order = np.lexsort((*(ranks(column)[1] for column in reversed(keys)), -lift))
    best = order[: max(1, round(ATTENDS_TO_SHARE * len(order)))]
    return Instances(tuple(taken(column, best) for column in keys), best, values)
