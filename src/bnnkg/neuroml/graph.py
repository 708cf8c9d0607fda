"""The tables of one model, row by row and by what joins them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bnnkg.schema import GraphTables

Row = dict[str, Any]
"""A node or edge; what is absent has no key. Edges have ``src`` and ``dst``."""


class Graph:
    """Nodes by label and edges by type, of one model.

    Args:
        tables: The model's tables.
    """

    def __init__(self, tables: GraphTables) -> None:
        self.tables = tables
        self._by_uid: dict[str, dict[str, Row]] = {}

    def nodes(self, label: str) -> Iterator[Row]:
        """The nodes of a label."""
        table = self.tables.nodes.get(label)
        if table is not None:
            yield from _rows(list(table.columns), list(table.columns.values()))

    def edges(self, type_: str, src: str = "", dst: str = "") -> Iterator[Row]:
        """The edges of a type, all or those between two labels."""
        for (name, src_label, dst_label), table in self.tables.edges.items():
            if name == type_ and src in ("", src_label) and dst in ("", dst_label):
                names = ["src", "dst", *table.columns]
                yield from _rows(names, [table.src, table.dst, *table.columns.values()])

    def by_uid(self, label: str) -> dict[str, Row]:
        """The nodes of a label by uid, made once."""
        if label not in self._by_uid:
            self._by_uid[label] = {node["uid"]: node for node in self.nodes(label)}
        return self._by_uid[label]

    def grouped(self, type_: str, by: str, src: str = "", dst: str = "") -> dict[str, list[Row]]:
        """The edges of a type by ``src`` or ``dst``."""
        found: dict[str, list[Row]] = {}
        for edge in self.edges(type_, src, dst):
            found.setdefault(edge[by], []).append(edge)
        return found


def _rows(names: list[str], columns: list[Any]) -> Iterator[Row]:
    for values in zip(*columns, strict=True):
        yield {n: v for n, v in zip(names, values, strict=True) if v is not None}
