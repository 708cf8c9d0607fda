"""Shared nodes: written once whoever brings them, named alike in any order, held by their users.

A shared node is never in the graph without the edge of a Model that holds it: the two are written
in one transaction, and removed in one, under the lock on the Store node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bnnkg.schema.graph import EDGES, NODES, edge_type, node_type
from bnnkg.schema.records import EdgeTable, GraphTables
from bnnkg.store.batches import Step, Writer, cut, row_weights
from bnnkg.store.connection import run
from bnnkg.store.owned import EDGE_WEIGHT, edge_steps, node_steps
from bnnkg.store.statements import find, in_order, ready

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

HOLDS: dict[str, str] = {
    dst: edge.type
    for edge in EDGES.values()
    for src, dst in edge.ends
    if src == "Model" and NODES[dst].scope == "shared"
}
"""Per shared label, the edge type by which a Model keeps such a node in the graph."""

PARTS: dict[str, str] = {"Compartment": "HAS_COMPARTMENT"}
"""Shared labels whose nodes come and go with the node that this edge type reaches them from."""

NAMED: tuple[str, ...] = tuple(
    label for label, type_ in HOLDS.items() if type_ == "DEFINES" and "name" in NODES[label].by_name
)
"""Labels whose display name is the smallest id under which a Model defines the node."""

LABELS: tuple[str, ...] = ("Term", "Mechanism", "SynapseType", "Cell")
"""The order in which they are written: what a Cell refers to comes first."""


@dataclass(frozen=True)
class Bundle:
    """Shared nodes of one label that are written in one transaction.

    Attributes:
        label: Their label.
        rows: Their rows in the table of that label.
        holding: Rows of the Model's edges to them.
    """

    label: str
    rows: Sequence[int]
    holding: Sequence[int]


def write_shared(tables: GraphTables, writer: Writer) -> None:
    """Writes the shared nodes that the graph lacks, and the Model's edges to all of them."""
    parts = _Parts(tables)
    for label in LABELS:
        if label in tables.nodes:
            for bundle in _bundles(tables, label, parts.weights(label)):
                _commit(tables, bundle, parts, writer)
    similar = tables.edges.get(("SIMILAR_TO", "Mechanism", "Mechanism"))
    if similar:
        writer.write(edge_steps(similar, once=True))


def _bundles(tables: GraphTables, label: str, weights: Sequence[int]) -> Iterator[Bundle]:
    place = {uid: row for row, uid in enumerate(tables.nodes[label].uid)}
    holding: dict[int, list[int]] = defaultdict(list)
    for k, dst in enumerate(tables.edges[(HOLDS[label], "Model", label)].dst):
        holding[place[dst]].append(k)
    for part in cut(weights):
        rows = range(part.start, part.stop)
        yield Bundle(label, rows, [k for row in rows for k in holding[row]])


def _commit(tables: GraphTables, bundle: Bundle, parts: _Parts, writer: Writer) -> None:
    """Writes a bundle in one transaction: what is absent, then what holds it."""
    table = tables.nodes[bundle.label]
    holding = tables.edges[(HOLDS[bundle.label], "Model", bundle.label)]

    def work(tx: ManagedTransaction) -> None:
        there = _existing(tx, bundle.label, [table.uid[row] for row in bundle.rows])
        absent = [row for row in bundle.rows if table.uid[row] not in there]
        for step in _creation(tables, bundle.label, absent, parts):
            run(tx, step.statement, step.parameters)
        for step in edge_steps(holding, bundle.holding):
            run(tx, step.statement, step.parameters)
        _rename(tx, bundle.label, holding, bundle.holding)

    writer.claim.write(writer.connection, work)
    writer.done += len(bundle.rows) + len(bundle.holding)
    writer.progress(writer.task, writer.done, max(writer.total, writer.done))


def _existing(tx: ManagedTransaction, label: str, uids: Sequence[str]) -> set[str]:
    statement = f"UNWIND $uids AS u {find('n', label, 'u')} RETURN u"
    return {row[0] for row in run(tx, statement, {"uids": list(uids)})}


def _creation(
    tables: GraphTables, label: str, rows: Sequence[int], parts: _Parts
) -> Iterator[Step]:
    if not rows:
        return
    table = tables.nodes[label]
    names = in_order(table.columns, node_type(label).properties)
    yield from node_steps(table, rows, [n for n in names if n != "name" or label not in NAMED])
    yield from parts.steps(label, {table.uid[row] for row in rows})


def _rename(tx: ManagedTransaction, label: str, table: EdgeTable, rows: Sequence[int]) -> None:
    """Lowers the names of nodes to the smallest id that these edges give them."""
    if label not in NAMED or "id" not in table.columns:
        return
    ids = ready(edge_type(table.type).by_name["id"], table.columns["id"])
    named = [(table.dst[row], ids[row]) for row in rows if ids[row] is not None]
    run(
        tx,
        f"UNWIND $rows AS r {find('n', label, 'r[0]')} WITH n, min(r[1]) AS id "
        "WHERE n.name IS NULL OR id < n.name SET n.name = id",
        {"rows": [list(pair) for pair in named]},
    )


def renew_names(tx: ManagedTransaction, label: str, uids: Sequence[str]) -> None:
    """Gives nodes the smallest id of those that still define them."""
    if label in NAMED:
        run(
            tx,
            f"UNWIND $uids AS u {find('n', label, 'u')} MATCH (:Model)-[d:DEFINES]->(n) "
            "WITH n, min(d.id) AS id SET n.name = id",
            {"uids": list(uids)},
        )


class _Parts:
    """What stands below shared nodes: sections of cells, and edges between shared nodes."""

    def __init__(self, tables: GraphTables) -> None:
        self._tables = tables
        self._whole = self._wholes()
        self._by_whole = {
            key: _rows_by(table.src, self._whole)
            for key, table in tables.edges.items()
            if key[1] in ("Cell", "Compartment") and NODES[key[2]].scope == "shared"
        }

    def _wholes(self) -> dict[str, str]:
        """Per uid of a Cell or one of its sections, the uid of the Cell."""
        cells = self._tables.nodes.get("Cell")
        whole = {uid: uid for uid in cells.uid} if cells else {}
        sections = self._tables.edges.get(("HAS_COMPARTMENT", "Cell", "Compartment"))
        if sections:
            whole.update(zip(sections.dst, sections.src, strict=True))
        return whole

    def weights(self, label: str) -> list[int]:
        """Values that each node of the label writes, with all that stands below it."""
        table = self._tables.nodes[label]
        weights = dict.fromkeys(table.uid, len(table.columns))
        sections = self._tables.nodes.get("Compartment")
        if label == "Cell" and sections:
            columns = sections.columns
            each = row_weights(columns.values(), len(sections), len(columns))
            for uid, weight in zip(sections.uid, each, strict=True):
                weights[self._whole[uid]] += weight
        if label == "Cell":
            for rows in self._by_whole.values():
                for uid, found in rows.items():
                    weights[uid] += 2 * EDGE_WEIGHT * len(found)
        return list(weights.values())

    def steps(self, label: str, uids: set[str]) -> Iterator[Step]:
        """Steps that write what stands below nodes: first the sections, then the edges."""
        if label != "Cell":
            return
        sections = self._tables.nodes.get("Compartment")
        if sections:
            mine = [row for row, uid in enumerate(sections.uid) if self._whole[uid] in uids]
            names = in_order(sections.columns, node_type("Compartment").properties)
            yield from node_steps(sections, mine, names)
        for key, rows in self._by_whole.items():
            chosen = [row for uid in uids for row in rows.get(uid, ())]
            if chosen:
                yield from edge_steps(self._tables.edges[key], sorted(chosen))


def _rows_by(src: Sequence[str], whole: Mapping[str, str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, uid in enumerate(src):
        rows[whole[uid]].append(row)
    return dict(rows)
