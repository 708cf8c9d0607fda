"""Records of nodes and edges, as columns: what flows between the rooms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bnnkg.errors import SchemaError
from bnnkg.schema.columns import LazyColumn, differ
from bnnkg.schema.declaration import Property, ValueType
from bnnkg.schema.graph import edge_type, node_type

Column = Sequence[Any]
"""Values of one property, a row each; None where absent."""

_PYTHON: dict[ValueType, type | tuple[type, ...]] = {
    "string": str, "integer": int, "float": (float, int), "boolean": bool,
    "strings": str, "integers": int, "floats": (float, int),
}  # fmt: skip


@dataclass(frozen=True)
class NodeTable:
    """Nodes of one label.

    Attributes:
        label: A declared label.
        columns: Values by property name; all of one length, ``uid`` among them.
    """

    label: str
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.columns["uid"])

    @property
    def uid(self) -> Column:
        """Identities of the nodes, a row each."""
        return self.columns["uid"]


@dataclass(frozen=True)
class EdgeTable:
    """Edges of one type between nodes of two labels.

    Attributes:
        type: A declared edge type.
        src_label: Label of the nodes that the edges leave.
        dst_label: Label of the nodes that they arrive at.
        src: uids of the nodes that they leave, a row each.
        dst: uids of the nodes that they arrive at, a row each.
        columns: Values by property name, each as long as ``src``.
    """

    type: str
    src_label: str
    dst_label: str
    src: Column
    dst: Column
    columns: Mapping[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.src)


@dataclass(frozen=True)
class GraphTables:
    """A part of the graph: the nodes and edges of one model, say.

    Attributes:
        nodes: Tables by label.
        edges: Tables by (type, source label, target label).
    """

    nodes: Mapping[str, NodeTable]
    edges: Mapping[tuple[str, str, str], EdgeTable]

    @classmethod
    def of(cls, nodes: Iterable[NodeTable], edges: Iterable[EdgeTable]) -> GraphTables:
        """Collects tables, leaving out empty ones."""
        return cls(
            {t.label: t for t in nodes if len(t)},
            {(t.type, t.src_label, t.dst_label): t for t in edges if len(t)},
        )

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Numbers of nodes by label and of edges by type."""
        edges: dict[str, int] = {}
        for table in self.edges.values():
            edges[table.type] = edges.get(table.type, 0) + len(table)
        return {label: len(table) for label, table in self.nodes.items()}, edges


def validate(tables: GraphTables) -> None:
    """Checks records against the declaration, since community Neo4j would take any.

    Raises:
        SchemaError: An undeclared label, type or property, a value of another type, a missing
            required value, a uid that occurs twice, or more edges at a node than declared.
    """
    for nodes in tables.nodes.values():
        _check_columns(nodes.label, node_type(nodes.label).by_name, nodes.columns, len(nodes))
        _check_once(nodes.label, "uid", nodes.uid)
    for edges in tables.edges.values():
        _check_edges(edges)


def _check_edges(table: EdgeTable) -> None:
    declared = edge_type(table.type)
    if (table.src_label, table.dst_label) not in declared.ends:
        raise SchemaError(
            f"{table.type} does not join these labels",
            expected=", ".join(f"{a} to {b}" for a, b in declared.ends),
            found=f"{table.src_label} to {table.dst_label}",
        )
    if len(table.src) != len(table.dst):
        raise SchemaError(f"{table.type} has {len(table.src)} sources and {len(table.dst)} targets")
    _check_columns(table.type, declared.by_name, table.columns, len(table))
    if declared.per_src != "*":
        _check_once(table.type, "source", table.src)
    if declared.per_dst != "*":
        _check_once(table.type, "target", table.dst)
    if declared.has_uid:
        _check_once(table.type, "uid", table.columns["uid"])


def _check_columns(
    where: str, declared: Mapping[str, Property], columns: Mapping[str, Column], n_rows: int
) -> None:
    for name, column in columns.items():
        if name not in declared:
            raise SchemaError("no such property is declared", where=f"{where}.{name}")
        if len(column) != n_rows:
            raise SchemaError(f"{len(column)} values for {n_rows} records", where=f"{where}.{name}")
        _check_values(f"{where}.{name}", declared[name], column)
    for name, prop in declared.items():
        if prop.required and name not in columns and n_rows:
            raise SchemaError("a required property is missing", where=f"{where}.{name}")


def _check_values(where: str, declared: Property, column: Column) -> None:
    wanted = _PYTHON[declared.type]
    many = declared.type.endswith("s")
    plain = set(wanted if isinstance(wanted, tuple) else (wanted,))
    if not declared.required and not many:
        plain.add(type(None))
    found = column.types() if isinstance(column, LazyColumn) else map(type, column)
    if not many and set(found) <= plain:
        return  # a glance at the types is enough for all but a few columns
    for row, value in enumerate(column):
        if value is None and not declared.required:
            continue
        if value is None:
            raise SchemaError("a required value is absent", where=f"{where}, row {row}")
        if not _fits(value, wanted, many):
            raise SchemaError(
                "a value has another type than declared",
                where=f"{where}, row {row}",
                expected=declared.type,
                found=f"{value!r} ({type(value).__name__})"[:200],
            )


def _fits(value: Any, wanted: type | tuple[type, ...], many: bool) -> bool:
    if many:
        return isinstance(value, list | tuple) and all(_fits(v, wanted, many=False) for v in value)
    if isinstance(value, bool) and wanted is not bool:
        return False
    return isinstance(value, wanted)


def _check_once(where: str, what: str, values: Column) -> None:
    if isinstance(values, LazyColumn):
        if values.is_distinct() or differ(values):
            return
    elif len(set(values)) == len(values):
        return
    seen: set[Any] = set()
    for row, value in enumerate(values):
        if value in seen:
            raise SchemaError(
                f"the same {what} occurs twice", where=f"{where}, row {row}", found=str(value)
            )
        seen.add(value)
