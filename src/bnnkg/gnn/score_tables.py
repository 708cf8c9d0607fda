"""Learned properties of stored nodes and edges: means over their instances, and over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnkg.gnn.connections import connections, pairs
from bnnkg.gnn.grouping import Groups, Ranks
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
        self._uids: dict[str, Ranks] = {}
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
            (uid,), groups = self._records(instances, (label,))
            columns = summarise(instances, groups, "cls_lift", LEARNED_ON_NODES[label])
            yield NodeTable(label, {"uid": uid, **columns})

    def edges(self) -> Iterator[EdgeTable]:
        """A table for each type and pair of labels."""
        for kind, instances in self._edges.items():
            yield self._edge_table(kind, instances)
        sections = joined(self._sections)
        if len(sections):
            yield sections
        if self._pairs:
            yield self._edge_table(("ATTENDS_TO", "Neuron", "Neuron"), [self._strongest()])

    def _edge_table(self, kind: EdgeKind, instances: Sequence[Instances]) -> EdgeTable:
        type_, src_label, dst_label = kind
        (src, dst, *uid), groups = self._records(instances, (src_label, dst_label, type_))
        columns = summarise(instances, groups, "attention_lift", LEARNED_ON_EDGES[type_])
        if uid:
            columns["uid"] = uid[0]
        return EdgeTable(type_, src_label, dst_label, src, dst, columns)

    def _records(
        self, instances: Sequence[Instances], whose: Sequence[str]
    ) -> tuple[list[list[str]], Groups]:
        """Keys of the records in ascending order, a column each, and their instances.

        Args:
            instances: Of one label or type.
            whose: What each column of their keys holds uids of.
        """
        columns = _keys(instances)
        ranks = [self._ranks(name, c) for name, c in zip(whose, columns, strict=False)]
        numbers = [own.of(column) for own, column in zip(ranks, columns, strict=True)]
        groups = Groups.of(*numbers)
        first = groups.first
        return [taken(r.texts, n[first]) for r, n in zip(ranks, numbers, strict=True)], groups

    def _ranks(self, whose: str, column: Sequence[str]) -> Ranks:
        """Numbers for uids: for all of a label at once, if it is one whose nodes have rows."""
        if whose not in self._nodes:
            return Ranks(column)
        if whose not in self._uids:
            self._uids[whose] = Ranks(*_keys(self._nodes[whose]))
        return self._uids[whose]

    def _strongest(self) -> Instances:
        """The pairs of neurons with the highest lift."""
        keys = _keys(self._pairs)
        values = {name: _column(self._pairs, name) for name in self._pairs[0].values}
        lift = values["attention_lift"].mean(axis=0)
        src, dst = (self._ranks("Neuron", column).of(column) for column in keys)
        order = np.lexsort((dst, src, -lift))
        best = order[: max(1, round(ATTENDS_TO_SHARE * len(order)))]
        return Instances(tuple(taken(column, best) for column in keys), best, values)


def summarise(
    instances: Sequence[Instances], groups: Groups, lift: str, learned: Sequence[Property]
) -> dict[str, Column]:
    """Means over the instances of each record, then mean and spread over seeds.

    Args:
        instances: Of one label or type.
        groups: Those of each record.
        lift: The measure whose spread over instances is told, where that is declared.
        learned: The properties that are declared.

    Returns:
        Those of which anything is known, in the order of their declaration.
    """
    found: dict[str, NDArray[Any]] = {N_INSTANCES.name: groups.sizes}
    for name in (prop.name for prop in learned if prop.name in instances[0].values):
        values = _column(instances, name)
        mean = groups.known_means(values)
        found[name] = mean.mean(axis=0)
        if len(mean) > 1:
            found[f"{name}_sd"] = mean.std(axis=0, ddof=1)
        if name == lift:
            found[SPREAD.name] = groups.spreads(values.mean(axis=0))
    return _known({prop.name: found[prop.name] for prop in learned if prop.name in found})


def _keys(instances: Sequence[Instances]) -> list[list[str]]:
    """Columns of keys of all instances."""
    parts = zip(*(one.keys for one in instances), strict=True)
    return [list(chain.from_iterable(column)) for column in parts]


def _column(instances: Sequence[Instances], name: str) -> Floats:
    """[seeds, n] one measure of all instances."""
    return np.concatenate([one.of(name) for one in instances], axis=1)


def _known(columns: Mapping[str, NDArray[Any]]) -> dict[str, Column]:
    """Columns in which anything is known; what is not is absent."""
    known = {name: np.isfinite(values) for name, values in columns.items()}
    return {
        name: Numbers(columns[name] if at.all() else np.where(at, columns[name], np.nan))
        for name, at in known.items()
        if at.any()
    }
