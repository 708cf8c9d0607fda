"""Answers of the database, column by column, in plain Python values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_PLAIN = {str, int, float, bool, type(None), bytes}


@dataclass(frozen=True)
class Table:
    """Rows of an answer, kept as columns.

    Attributes:
        columns: Values by column name, in the order of the query; all of one length. Nodes are
            ``{"labels": [...], "properties": {...}}``, relationships
            ``{"type": ..., "properties": {...}}``, paths lists of the two in turn, dates and
            times ISO texts.
    """

    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, each as values by column name."""
        names = tuple(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def to_frame(self) -> pd.DataFrame:
        """The table as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.columns)


def to_table(keys: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Turns rows into columns of plain values."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in keys]
    return Table({key: _plain(column) for key, column in zip(keys, columns, strict=True)})


def _plain(column: list[Any]) -> list[Any]:
    if set(map(type, column)) <= _PLAIN:
        return column
    return [to_plain(value) for value in column]


def to_plain(value: Any) -> Any:
    """A value of the database as JSON could hold it."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, list):
        return [to_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: to_plain(v) for k, v in value.items()}
    return _entity(value)


def _entity(value: Any) -> Any:
    from neo4j.graph import Node, Path, Relationship

    if isinstance(value, Node):
        return {"labels": sorted(value.labels), "properties": to_plain(dict(value))}
    if isinstance(value, Relationship):
        return {"type": value.type, "properties": to_plain(dict(value))}
    if isinstance(value, Path):
        steps: list[Any] = [value.nodes[0]]
        for edge, node in zip(value.relationships, value.nodes[1:], strict=True):
            steps += [edge, node]
        return [to_plain(step) for step in steps]
    if hasattr(value, "iso_format"):
        return value.iso_format()
    if isinstance(value, tuple):  # a point is a tuple of its coordinates, a duration of its parts
        return str(value) if hasattr(value, "months") else list(value)
    return str(value)
