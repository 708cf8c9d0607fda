"""Columns whose values are made when they are read.

The records of a large network are mostly text that repeats what a few numbers say: the uid of a
synapse is its projection's with its place, its ends are two of some thousand neurons. These columns
hold the numbers and give the values a slice at a time, so that millions of records take a few
bytes each on their way from a reader to the database.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import numpy as np

CHUNK = 8192
"""Rows that are made at a time."""


class LazyColumn(Sequence[Any]):
    """A column that makes its values, always the same ones, whenever they are read."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def made(self, rows: slice | np.ndarray) -> list[Any]:
        """Values of a slice (with start and stop, no step), or of rows by their numbers."""

    @abstractmethod
    def types(self) -> set[type]:
        """Python types that its values may have, without making them."""

    def is_distinct(self) -> bool:
        """Whether its values are known to differ; False where that takes a look at them."""
        return False

    def drawn_from(self) -> Sequence[Sequence[Any]]:
        """Columns that have all its values, and maybe others; none where it makes them itself."""
        return ()

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self.made(slice(start, max(start, stop)))
            return [self[row] for row in range(start, stop, step)]
        row = range(len(self))[index]
        return self.made(slice(row, row + 1))[0]

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), CHUNK):
            yield from self.made(slice(start, min(start + CHUNK, len(self))))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


class Same(LazyColumn):
    """One value in every row.

    Args:
        value: The value.
        n_rows: How many rows.
    """

    def __init__(self, value: Any, n_rows: int) -> None:
        self._value, self._n_rows = value, n_rows

    def __len__(self) -> int:
        return self._n_rows

    def made(self, rows: slice | np.ndarray) -> list[Any]:  # noqa: D102
        return [self._value] * _n_of(rows)

    def types(self) -> set[type]:  # noqa: D102
        return {type(self._value)} if self._n_rows else set()

    def is_distinct(self) -> bool:  # noqa: D102
        return self._n_rows < 2

    def drawn_from(self) -> Sequence[Sequence[Any]]:  # noqa: D102
        return ([self._value] * min(self._n_rows, 1),)


class Numbers(LazyColumn):
    """Numbers; those that are none (NaN) are absent.

    Args:
        values: Integers, floats or booleans, a row each.
    """

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        absent = values != values
        self._some_absent, self._all_absent = bool(absent.any()), bool(absent.all())

    def __len__(self) -> int:
        return len(self._values)

    def made(self, rows: slice | np.ndarray) -> list[Any]:  # noqa: D102
        values: list[Any] = self._values[rows].tolist()
        if self._some_absent:
            return [None if value != value else value for value in values]
        return values

    def types(self) -> set[type]:  # noqa: D102
        found = set() if self._all_absent else {type(self._values[0].item())}
        return found | ({type(None)} if self._some_absent else set())


class Numbered(LazyColumn):
    """Texts that differ in the number at their end.

    Args:
        start: What they begin with; no digit is its last character.
        numbers: Integers, a row each.
    """

    def __init__(self, start: str, numbers: np.ndarray) -> None:
        self.start, self._numbers = start, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def made(self, rows: slice | np.ndarray) -> list[Any]:  # noqa: D102
        start = self.start
        return [f"{start}{number}" for number in self._numbers[rows].tolist()]

    def types(self) -> set[type]:  # noqa: D102
        return {str} if len(self) else set()

    def is_distinct(self) -> bool:  # noqa: D102
        return bool((self._numbers[1:] > self._numbers[:-1]).all())


class Picked(LazyColumn):
    """Values of another column, by their rows in it.

    Args:
        values: The other column.
        rows: Rows of ``values``, a row each.
    """

    def __init__(self, values: Sequence[Any], rows: np.ndarray) -> None:
        self.values, self._rows = values, rows

    def __len__(self) -> int:
        return len(self._rows)

    def made(self, rows: slice | np.ndarray) -> list[Any]:  # noqa: D102
        chosen = self._rows[rows]
        if isinstance(self.values, LazyColumn):
            return self.values.made(chosen)
        values = self.values
        return [values[row] for row in chosen.tolist()]

    def types(self) -> set[type]:  # noqa: D102
        if isinstance(self.values, LazyColumn):
            return self.values.types()
        return set(map(type, self.values))

    def is_distinct(self) -> bool:  # noqa: D102
        ascending = bool((self._rows[1:] > self._rows[:-1]).all())
        return ascending and isinstance(self.values, LazyColumn) and self.values.is_distinct()

    def drawn_from(self) -> Sequence[Sequence[Any]]:  # noqa: D102
        return (self.values,)

    def rows(self) -> np.ndarray:
        """Rows of ``values``, a row each."""
        return self._rows


class Joined(LazyColumn):
    """Columns one after the other.

    Args:
        parts: The columns.
    """

    def __init__(self, parts: Sequence[LazyColumn]) -> None:
        import numpy as np

        self._parts = [part for part in parts if len(part)]
        self._starts = np.cumsum([0, *map(len, self._parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def made(self, rows: slice | np.ndarray) -> list[Any]:  # noqa: D102
        if not isinstance(rows, slice):
            return self._made_of(rows)
        found: list[Any] = []
        number = int(self._starts.searchsorted(rows.start, side="right")) - 1
        start = rows.start
        while start < rows.stop:
            first, part = int(self._starts[number]), self._parts[number]
            stop = min(rows.stop, first + len(part))
            found += part.made(slice(start - first, stop - first))
            start, number = stop, number + 1
        return found

    def _made_of(self, rows: np.ndarray) -> list[Any]:
        import numpy as np

        part_of = np.searchsorted(self._starts, rows, side="right") - 1
        found: list[Any] = [None] * len(rows)
        for number in np.unique(part_of).tolist():
            here = np.flatnonzero(part_of == number)
            values = self._parts[number].made(rows[here] - self._starts[number])
            for place, value in zip(here.tolist(), values, strict=True):
                found[place] = value
        return found

    def types(self) -> set[type]:  # noqa: D102
        return set().union(*(part.types() for part in self._parts))

    def is_distinct(self) -> bool:  # noqa: D102
        starts = [part.start for part in self._parts if isinstance(part, Numbered)]
        apart = len(set(starts)) == len(self._parts)
        return apart and all(part.is_distinct() for part in self._parts)

    def drawn_from(self) -> Sequence[Sequence[Any]]:  # noqa: D102
        return self._parts


class Written(LazyColumn):
    """Texts made of several columns.

    Args:
        template: The text with ``{}`` for a value of each column.
        columns: The columns, of one length.
    """

    def __init__(self, template: str, columns: Sequence[LazyColumn]) -> None:
        self._write, self._columns = template.format, columns

    def __len__(self) -> int:
        return len(self._columns[0])

    def made(self, rows: slice | np.ndarray) -> list[Any]:  # noqa: D102
        return list(map(self._write, *(column.made(rows) for column in self._columns)))

    def types(self) -> set[type]:  # noqa: D102
        return {str} if len(self) else set()


def _n_of(rows: slice | np.ndarray) -> int:
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)


def taken(column: Sequence[Any], rows: Sequence[int] | np.ndarray) -> list[Any]:
    """Values of a column at some rows, in their order."""
    if isinstance(rows, range):
        return list(column[rows.start : rows.stop])
    if isinstance(column, LazyColumn):
        import numpy as np

        return column.made(np.asarray(rows, dtype=np.int64))
    numbers = rows if isinstance(rows, Sequence) else rows.tolist()
    return [column[row] for row in numbers]


def differ(column: Sequence[Any]) -> bool:
    """Whether all values of a column differ, told by their hashes; False may be by chance."""
    import numpy as np

    hashes = np.fromiter(map(hash, column), np.int64, len(column))
    hashes.sort()
    return bool((hashes[1:] != hashes[:-1]).all())
