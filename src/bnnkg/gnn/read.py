"""Columns of records as arrays, rows sorted by uid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnkg.errors import SchemaError
from bnnkg.schema.computation import use_of
from bnnkg.schema.graph import edge_type, node_type
from bnnkg.schema.records import EdgeTable, GraphTables

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Nodes:
    """Nodes of one label, sorted by uid.

    Attributes:
        label: Their label.
        uid: Their identities, ascending.
        place: Row of each uid.
        columns: Values by property, in that order.
    """

    label: str
    uid: list[str]
    place: dict[str, int]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.uid)

    def rows(self, uids: Sequence[str], where: str) -> Ints:
        """Rows of these nodes.

        Raises:
            SchemaError: One of them is not there.
        """
        try:
            return np.array([self.place[uid] for uid in uids], dtype=np.int64)
        except KeyError as error:
            raise SchemaError(
                f"an edge ends at a {self.label} that is not in the model",
                where=where,
                found=str(error.args[0]),
            ) from None

    def number(self, name: str) -> Floats:
        """A numeric property; not a number where absent and NeuroML gives no default."""
        default = node_type(self.label).by_name[name].default
        return numbers(self.columns.get(name, [None] * len(self)), default)

    def text(self, name: str) -> list[Any]:
        """A property as it stands; None where absent."""
        return self.columns.get(name, [None] * len(self))


@dataclass(frozen=True)
class Edges:
    """Edges of one type between two labels, sorted by the rows of their ends, then by uid.

    Attributes:
        type: Their type.
        src: Rows of their sources.
        dst: Rows of their targets.
        columns: Values by property, in that order.
    """

    type: str
    src: Ints
    dst: Ints
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.src)

    def number(self, name: str) -> Floats:
        """A numeric property; not a number where absent and NeuroML gives no default."""
        default = edge_type(self.type).by_name[name].default
        return numbers(self.columns.get(name, [None] * len(self)), default)

    def text(self, name: str) -> list[Any]:
        """A property as it stands; None where absent."""
        return self.columns.get(name, [None] * len(self))


def numbers(values: Sequence[Any], default: float | int | str | None = None) -> Floats:
    """Numbers as an array; the default, else not a number, where absent."""
    filling = np.nan if default is None else default
    return np.array([filling if v is None else v for v in values], dtype=np.float64)


def sums(at: Ints, values: Floats, n: int) -> Floats:
    """Sum of the values at each of n places."""
    return np.bincount(at, weights=values, minlength=n).astype(np.float64)


def read_nodes(tables: GraphTables, label: str) -> Nodes:
    """The nodes of a label; none where the tables have none."""
    if label not in tables.nodes:
        return Nodes(label, [], {}, {})
    table = tables.nodes[label]
    uid = list(table.uid)
    order = sorted(range(len(uid)), key=uid.__getitem__)
    uid = [uid[row] for row in order]
    columns = {name: [column[row] for row in order] for name, column in table.columns.items()}
    return Nodes(label, uid, {u: row for row, u in enumerate(uid)}, columns)


def read_edges(tables: GraphTables, type_: str, src: Nodes, dst: Nodes) -> Edges:
    """The edges of a type between two labels; none where the tables have none.

    Raises:
        SchemaError: One of their ends is not in the model.
    """
    table = tables.edges.get((type_, src.label, dst.label))
    if table is None:
        table = EdgeTable(type_, src.label, dst.label, [], [])
    ends = src.rows(table.src, type_), dst.rows(table.dst, type_)
    keys: tuple[Ints, ...] = (ends[1], ends[0])
    if "uid" in table.columns:
        rank = {uid: place for place, uid in enumerate(sorted(table.columns["uid"]))}
        keys = (np.array([rank[u] for u in table.columns["uid"]], dtype=np.int64), *keys)
    order = np.lexsort(keys)
    columns = {name: [column[row] for row in order] for name, column in table.columns.items()}
    return Edges(type_, ends[0][order], ends[1][order], columns)


def check_all_mapped(tables: GraphTables) -> None:
    """Makes sure that the computational graph has a rule for every stored edge.

    Raises:
        SchemaError: It has none for one of the types.
    """
    for table in tables.edges.values():
        use_of(table.type)


def uids(nodes: Nodes, rows: Ints) -> tuple[str, ...]:
    """Identities of these rows."""
    return tuple(map(nodes.uid.__getitem__, rows.tolist()))
