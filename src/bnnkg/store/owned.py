"""What a model owns: its nodes, each with the edges of which it has one, then all other edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bnnkg.schema.declaration import EdgeType, Property
from bnnkg.schema.graph import NODES, edge_type, node_type, owned_labels
from bnnkg.schema.records import Column, EdgeTable, GraphTables, NodeTable
from bnnkg.store.batches import Step, cut, row_weights
from bnnkg.store.statements import Attached, create_edges, create_nodes, in_order, ready

Key = tuple[str, str, str]
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
    """An edge table laid beside the rows of the nodes that it is attached to."""

    edge: Attached
    rows: Sequence[int]
    other: Sequence[str | None]
    columns: Mapping[str, list[Any]]


def _node_steps(table: NodeTable, attached: list[EdgeTable], model_uid: str) -> Iterator[Step]:
    declared = node_type(table.label)
    names = in_order(table.columns, declared.properties)
    own = [name for name in names if name != "model_uid"]
    columns = _ready_columns(declared.by_name, own, table.columns, range(len(table)))
    place = {uid: row for row, uid in enumerate(table.uid)}
    beside = [_lay_beside(t, table.label, place) for t in attached]
    base = len(names) + EDGE_WEIGHT * len(beside)
    weights = row_weights(columns.values(), len(table), base)
    for present, rows in _by_presence(beside, len(table)).items():
        edges = [b for b, there in zip(beside, present, strict=True) if there]
        statement = create_nodes(table.label, names, [b.edge for b in edges])
        for part in cut([weights[row] for row in rows]):
            chosen = rows[part]
            yield Step(
                statement,
                _parameters(columns, edges, chosen) | {"model_uid": model_uid},
                len(chosen),
                sum(weights[row] for row in chosen),
                any(NODES[b.edge.other].scope == "shared" for b in edges),
            )


def _lay_beside(table: EdgeTable, label: str, place: Mapping[str, int]) -> _Beside:
    declared = edge_type(table.type)
    outgoing = table.src_label == label and declared.per_src != "*"
    mine, others = (table.src, table.dst) if outgoing else (table.dst, table.src)
    names = in_order(table.columns, declared.properties)
    other: list[str | None] = [None] * len(place)
    edge_of: list[int] = [0] * len(place)
    for k, (uid, far) in enumerate(zip(mine, others, strict=True)):
        row = place[uid]
        other[row] = far
        edge_of[row] = k
    columns = _ready_columns(declared.by_name, names, table.columns, range(len(table)))
    far_label = table.dst_label if outgoing else table.src_label
    return _Beside(Attached(table.type, far_label, outgoing, names), edge_of, other, columns)


def _by_presence(beside: Sequence[_Beside], n_rows: int) -> dict[tuple[bool, ...], Sequence[int]]:
    """Rows by which of the attached edges they have: a statement writes rows of one kind."""
    if all(None not in b.other for b in beside):
        return {(True,) * len(beside): range(n_rows)}
    groups: dict[tuple[bool, ...], list[int]] = defaultdict(list)
    for row, present in enumerate(
        zip(*([o is not None for o in b.other] for b in beside), strict=True)
    ):
        groups[present].append(row)
    return dict(groups)


def _parameters(
    columns: Mapping[str, list[Any]], edges: Sequence[_Beside], rows: Sequence[int]
) -> dict[str, Any]:
    found: dict[str, Any] = {"n": len(rows)}
    for name, column in columns.items():
        found[name] = _take(column, rows)
    for k, beside in enumerate(edges):
        found[f"x{k}"] = _take(beside.other, rows)
        places = _take(beside.rows, rows)
        for name, column in beside.columns.items():
            found[f"x{k}_{name}"] = [column[place] for place in places]
    return found


def _take(column: Sequence[Any], rows: Sequence[int]) -> list[Any]:
    if isinstance(rows, range):
        return list(column[rows.start : rows.stop])
    return [column[row] for row in rows]


def _ready_columns(
    declared: Mapping[str, Property],
    names: Sequence[str],
    table: Mapping[str, Column],
    rows: Sequence[int],
) -> dict[str, list[Any]]:
    return {name: ready(declared[name], _take(table[name], rows)) for name in names}


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
    statement = create_edges(table.type, table.src_label, table.dst_label, names, once=once)
    chosen = range(len(table)) if rows is None else rows
    columns = _ready_columns(declared.by_name, names, table.columns, chosen)
    columns |= {"src": _take(table.src, chosen), "dst": _take(table.dst, chosen)}
    weights = row_weights(columns.values(), len(chosen), EDGE_WEIGHT + len(names))
    locks = "shared" in (NODES[table.src_label].scope, NODES[table.dst_label].scope)
    for part in cut(weights):
        parameters: dict[str, Any] = {name: column[part] for name, column in columns.items()}
        n_rows = len(parameters["src"])
        yield Step(statement, parameters | {"n": n_rows}, n_rows, sum(weights[part]), locks)


def node_steps(table: NodeTable, rows: Sequence[int], names: Sequence[str]) -> Iterator[Step]:
    """Steps that write nodes of a shared label, without edges."""
    declared = node_type(table.label)
    columns = _ready_columns(declared.by_name, names, table.columns, rows)
    weights = row_weights(columns.values(), len(rows), len(names))
    for part in cut(weights):
        parameters: dict[str, Any] = {name: column[part] for name, column in columns.items()}
        n_rows = len(parameters["uid"])
        statement = create_nodes(table.label, names)
        yield Step(statement, parameters | {"n": n_rows}, n_rows, sum(weights[part]), locks=True)
