"""Collects records column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bnnkg.ingest.parsed import Parameters
from bnnkg.schema import EdgeTable, GraphTables, LazyColumn, NodeTable

Columns = dict[str, list[Any]]
EdgeKey = tuple[str, str, str]


def arrays(parameters: Parameters) -> dict[str, list[str] | list[float] | None]:
    """Parameters as properties of a node."""
    return {
        "parameter_names": list(parameters.names) or None,
        "parameter_values": list(parameters.values) or None,
        "parameter_units": list(parameters.units) or None,
        "expression_names": list(parameters.expression_names) or None,
        "expression_texts": list(parameters.expression_texts) or None,
        "part_names": list(parameters.part_names) or None,
        "part_classes": list(parameters.part_classes) or None,
        "state_names": list(parameters.state_names) or None,
        "exposure_names": list(parameters.exposure_names) or None,
    }


class Tables:
    """Nodes and edges as they come, one by one or in columns; what a row lacks is absent."""

    def __init__(self) -> None:
        self._nodes: dict[str, Columns] = {}
        self._edges: dict[EdgeKey, Columns] = {}
        self._whole_nodes: list[NodeTable] = []
        self._whole_edges: list[EdgeTable] = []

    def node(self, label: str, **properties: Any) -> None:
        """Adds one node."""
        self.nodes(label, **{name: [value] for name, value in properties.items()})

    def nodes(self, label: str, **columns: Sequence[Any]) -> None:
        """Adds nodes, a column per property."""
        _extend(self._nodes.setdefault(label, {}), columns, "uid")

    def edge(
        self, type_: str, src_label: str, dst_label: str, src: str, dst: str, **properties: Any
    ) -> None:
        """Adds one edge."""
        columns = {name: [value] for name, value in properties.items()}
        self.edges(type_, src_label, dst_label, [src], [dst], **columns)

    def edges(
        self,
        type_: str,
        src_label: str,
        dst_label: str,
        src: Sequence[str],
        dst: Sequence[str],
        **columns: Sequence[Any],
    ) -> None:
        """Adds edges, a column per property."""
        table = self._edges.setdefault((type_, src_label, dst_label), {})
        _extend(table, {" src": src, " dst": dst, **columns}, " src")

    def all_nodes(self, label: str, **columns: LazyColumn) -> None:
        """Takes columns as they are, for a label of which no other nodes come."""
        self._whole_nodes.append(NodeTable(label, _present(columns)))

    def all_edges(self, key: EdgeKey, src: LazyColumn, dst: LazyColumn, **cols: LazyColumn) -> None:
        """Takes columns as they are, for an edge type between labels that comes only once."""
        self._whole_edges.append(EdgeTable(*key, src, dst, _present(cols)))

    def collected(self) -> GraphTables:
        """All of them, without columns in which nothing is present."""
        return GraphTables.of(
            [NodeTable(label, _present(columns)) for label, columns in self._nodes.items()]
            + self._whole_nodes,
            [
                EdgeTable(
                    *key,
                    columns[" src"],
                    columns[" dst"],
                    {n: c for n, c in _present(columns).items() if not n.startswith(" ")},
                )
                for key, columns in self._edges.items()
            ]
            + self._whole_edges,
        )


def _extend(table: Columns, columns: dict[str, Any], key: str) -> None:
    before, n = len(table.get(key, ())), len(columns[key])
    for name, values in columns.items():
        column = table.get(name)
        if column is None:
            column = table[name] = [None] * before
        column.extend(values)
    for name, column in table.items():
        if name not in columns:
            column.extend([None] * n)


def _present(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: column for name, column in columns.items() if not len(column) or _any(column)}


def _any(column: Any) -> bool:
    """Whether a column has a value in any row."""
    if isinstance(column, LazyColumn):
        return column.types() != {type(None)}
    return any(value is not None for value in column)
