"""What a model owns: its nodes, each with the edges of which it has one, then all other edges.

Values are made a transaction at a time: a network of millions is never there as Python objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnnkg.schema.columns import Picked, taken
from bnnkg.schema.declaration import EdgeType, Property
from bnnkg.schema.graph import NODES, edge_type, node_type, owned_labels
from bnnkg.schema.records import Column, EdgeTable, GraphTables, NodeTable
from bnnkg.store.batches import Step, cut, row_weights
from bnnkg.store.statements import LISTS, Attached, create_edges, create_nodes, in_order, ready

Key = tuple[str, str, str]
Rows = range | np.ndarray
EDGE_WEIGHT = 4


def owned_steps(tables: GraphTables, model_uid: str) -> Iterator[Step]:
    """Steps that write what the model owns, nodes before the edges that need them."""
    written = shared_keys(tables)
    known = {label for label, node in NODES.items() if node.scope != "model"}
    for label in owned_labels():
        if label in tables.nodes:
            attached = [t for t in tables.edges.values() if _attaches(t, label, known)]
            written.update((t.type, t.src_label, t.dst_label) for t in attached)
            yield from _node_steps(tables.nodes[label], attached, model_uid)
        known.add(label)
    for key, table in tables.edges.items():
        if key not in written:
            yield from edge_steps(table)


def shared_keys(tables: GraphTables) -> set[Key]:
    """Edge tables that are written with shared nodes: among them, and from the Model to them."""
    return {
        key
        for key in tables.edges
        if NODES[key[2]].scope == "shared" and NODES[key[1]].scope in ("shared", "store")
    }


def _attaches(table: EdgeTable, label: str, known: set[str]) -> bool:
    return _end(edge_type(table.type), table.src_label, table.dst_label, label, known) is not None


def _end(type_: EdgeType, src: str, dst: str, label: str, known: set[str]) -> bool | None:
    """Whether edges of this type leave (True) or reach a node of the label that has one of them."""
    if src == label and dst in known and type_.per_src != "*":
        return True
    if dst == label and src in known and type_.per_dst != "*":
        return False
    return None


@dataclass(frozen=True)
class _Beside:
    """An edge table laid beside the rows of the nodes that it is attached to.

    Attributes:
        edge: How its edges are written.
        far: uids at their other ends, a row each.
        columns: Their properties, likewise.
        edge_of: For each node the row of its edge, -1 where it has none; absent where the edges
            are in the order of the nodes.
    """

    edge: Attached
    far: Column
    columns: Mapping[str, Column]
    edge_of: np.ndarray | None

    def rows(self, nodes: Rows) -> Rows:
        """Rows of the edges of some nodes."""
        if self.edge_of is None:
            return nodes
        return self.edge_of[_index(nodes)]


def _index(rows: Rows) -> slice | np.ndarray:
    return slice(rows.start, rows.stop) if isinstance(rows, range) else rows


def _node_steps(table: NodeTable, attached: list[EdgeTable], model_uid: str) -> Iterator[Step]:
    declared = node_type(table.label)
    names = in_order(table.columns, declared.properties)
    own = {name: table.columns[name] for name in names if name != "model_uid"}
    beside = [_lay_beside(t, table) for t in attached]
    base = len(names) + EDGE_WEIGHT * len(beside)
    for present, rows in _by_presence(beside, len(table)):
        edges = [b for b, there in zip(beside, present, strict=True) if there]
        statement = create_nodes(table.label, names, [b.edge for b in edges])
        locks = any(NODES[b.edge.other].scope == "shared" for b in edges)
        weights = _weights(declared.by_name, own, rows, base)
        for part in cut(weights):
            chosen = rows[part]
            parameters = _ready_columns(declared.by_name, own, chosen) | _attached(edges, chosen)
            parameters |= {"n": len(chosen), "model_uid": model_uid}
            yield Step(statement, parameters, len(chosen), sum(weights[part]), locks)


def _lay_beside(table: EdgeTable, nodes: NodeTable) -> _Beside:
    declared = edge_type(table.type)
    outgoing = table.src_label == nodes.label and declared.per_src != "*"
    mine, far = (table.src, table.dst) if outgoing else (table.dst, table.src)
    names = in_order(table.columns, declared.properties)
    far_label = table.dst_label if outgoing else table.src_label
    return _Beside(
        Attached(table.type, far_label, outgoing, names), far,
        {name: table.columns[name] for name in names}, _edge_of(mine, nodes.uid),
    )  # fmt: skip


def _edge_of(mine: Column, uid: Column) -> np.ndarray | None:
    """For each node the row of its edge, found without making uids where columns are lazy."""
    if mine is uid or (isinstance(mine, list) and mine == uid):
        return None
    found = np.full(len(uid), -1, dtype=np.int32)
    if isinstance(mine, Picked) and mine.values is uid:
        found[mine.rows()] = np.arange(len(mine), dtype=np.int32)
        return found
    place = {one: row for row, one in enumerate(uid)}
    for edge, one in enumerate(mine):
        found[place[one]] = edge
    return found


def _by_presence(beside: Sequence[_Beside], n_rows: int) -> Iterator[tuple[tuple[bool, ...], Rows]]:
    """Rows by which of the attached edges they have: a statement writes rows of one kind."""
    if all(one.edge_of is None for one in beside):
        yield (True,) * len(beside), range(n_rows)
        return
    kinds = np.zeros(n_rows, dtype=np.int16)
    for k, one in enumerate(beside):
        kinds |= (
            np.int16(1 << k) if one.edge_of is None else (one.edge_of >= 0).astype(np.int16) << k
        )
    for kind in np.unique(kinds).tolist():
        here = np.flatnonzero(kinds == kind)
        present = tuple(bool(kind >> k & 1) for k in range(len(beside)))
        yield present, range(n_rows) if len(here) == n_rows else here


def _attached(edges: Sequence[_Beside], nodes: Rows) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for k, beside in enumerate(edges):
        rows = beside.rows(nodes)
        found[f"x{k}"] = taken(beside.far, rows)
        columns = _ready_columns(edge_type(beside.edge.type).by_name, beside.columns, rows)
        found |= {f"x{k}_{name}": column for name, column in columns.items()}
    return found


def _ready_columns(
    declared: Mapping[str, Property], columns: Mapping[str, Column], rows: Sequence[int] | Rows
) -> dict[str, list[Any]]:
    return {name: ready(declared[name], taken(column, rows)) for name, column in columns.items()}


def _weights(
    declared: Mapping[str, Property],
    columns: Mapping[str, Column],
    rows: Sequence[int] | Rows,
    base: int,
) -> Sequence[int]:
    """Values that each row writes: only lists have more than one."""
    lists = (taken(c, rows) for name, c in columns.items() if declared[name].type in LISTS)
    return row_weights(lists, len(rows), base)


def edge_steps(
    table: EdgeTable, rows: Sequence[int] | None = None, *, once: bool = False
) -> Iterator[Step]:
    """Steps that write edges between nodes that are there.

    Args:
        table: The edges.
        rows: Which of them; all where absent.
        once: Whether another model may have written the same edge.
    """
    declared = edge_type(table.type)
    names = in_order(table.columns, declared.properties)
    columns = {name: table.columns[name] for name in names}
    statement = create_edges(table.type, table.src_label, table.dst_label, names, once=once)
    locks = "shared" in (NODES[table.src_label].scope, NODES[table.dst_label].scope)
    all_rows = range(len(table)) if rows is None else rows
    weights = _weights(declared.by_name, columns, all_rows, EDGE_WEIGHT + len(names))
    for part in cut(weights):
        chosen = all_rows[part]
        parameters: dict[str, Any] = dict(_ready_columns(declared.by_name, columns, chosen))
        parameters |= {"src": taken(table.src, chosen), "dst": taken(table.dst, chosen)}
        yield Step(
            statement, parameters | {"n": len(chosen)}, len(chosen), sum(weights[part]), locks
        )


def node_steps(table: NodeTable, rows: Sequence[int], names: Sequence[str]) -> Iterator[Step]:
    """Steps that write nodes of a shared label, without edges."""
    declared = node_type(table.label)
    columns = {name: table.columns[name] for name in names}
    weights = _weights(declared.by_name, columns, rows, len(names))
    statement = create_nodes(table.label, names)
    for part in cut(weights):
        chosen = rows[part]
        parameters: dict[str, Any] = dict(_ready_columns(declared.by_name, columns, chosen))
        yield Step(
            statement, parameters | {"n": len(chosen)}, len(chosen), sum(weights[part]), locks=True
        )
