"""Rows of networks in XML: from elements into columns, with as little in between as can be.

A row is read from its attributes alone. What they refer to (neurons, synapse models) is looked up
once all of the network is known, for each distinct text and not for each row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from lxml import etree

from bnnkg.errors import QuantityError
from bnnkg.ingest.arrays import joined, narrow, same
from bnnkg.ingest.markup import local_name
from bnnkg.ingest.quantities import LARGEST_WHOLE, finite_quantity, whole_number

Bad = Callable[[str], None]
BLOCK_ROWS = 4096
_MEMO_SIZE = 2**14
_NO_SEGMENT = -LARGEST_WHOLE


class _Memo(dict[str, float]):
    """What texts mean, each of the latest few thousand worked out once.

    Args:
        read: What a text means.
    """

    def __init__(self, read: Callable[[str], float]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> float:
        if len(self) >= _MEMO_SIZE:
            self.clear()
        value = self[text] = self._read(text)
        return value


class _Codes(dict[str, int]):
    """A number for each distinct text, in the order in which they come."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        self.texts.append(text)
        return code


def _segment(text: str) -> int:
    """An absent segment is 0; ``_NO_SEGMENT`` is what no number says."""
    try:
        return whole_number(text) if text else 0
    except ValueError:
        return _NO_SEGMENT


def _fraction(text: str) -> float:
    """An absent fraction is a half."""
    try:
        return float(text) if text else 0.5
    except ValueError:
        return math.nan


def _weight(text: str) -> float:
    value = finite_number(text)
    return math.nan if value is None else value


def _delay_ms(text: str) -> float:
    """An absent delay is none at all."""
    value = quantity_or_problem(text, "time", lambda _: None) if text else 0.0
    return math.nan if value is None else value


class RowTexts:
    """What the texts of a document's rows mean.

    Attributes:
        cells: A number for each reference to a cell.
    """

    def __init__(self) -> None:
        self.cells = _Codes()
        self.segment = _Memo(_segment)
        self.fraction = _Memo(_fraction)
        self.weight = _Memo(_weight)
        self.delay_ms = _Memo(_delay_ms)


@dataclass(frozen=True)
class SideNames:
    """The attributes that say where a row starts or ends; of several the first with a text."""

    cell: tuple[str, ...]
    segment: tuple[str, ...]
    fraction: tuple[str, ...]


PRE = SideNames(("preCellId", "preCell", "from"), ("preSegmentId", "preSegment"),
                ("preFractionAlong",))  # fmt: skip
POST = SideNames(("postCellId", "postCell", "to"), ("postSegmentId", "postSegment"),
                 ("postFractionAlong",))  # fmt: skip
TARGET = SideNames(("target",), ("segmentId",), ("fractionAlong",))


@dataclass(frozen=True)
class Side:
    """One end of rows, a row each.

    Attributes:
        cell: Numbers of the references to cells.
        segment: Segment ids.
        fraction: Along that segment; NaN where the row's text is no number.
        faults: What is wrong with rows whose segment or fraction cannot be read.
    """

    cell: np.ndarray
    segment: np.ndarray
    fraction: np.ndarray
    faults: dict[int, str]


@dataclass(frozen=True)
class Rows:
    """Rows of one list, as columns.

    Attributes:
        texts: The references to cells, by their numbers.
        names: XML names in use.
        name_of: Row of ``names``.
        line: Lines in the file.
        sides: Both ends of connections; the target of inputs.
        weight: Factors; 1 where the file gives none.
        delay_ms: Delays; 0 where the file gives none.
        types: The components in use, as their rows name them.
        type_of: Row of ``types``.
        faults: What is wrong with rows whose weight or delay cannot be read.
    """

    texts: Sequence[str]
    names: tuple[str, ...]
    name_of: np.ndarray
    line: np.ndarray
    sides: tuple[Side, ...]
    weight: np.ndarray
    delay_ms: np.ndarray
    types: tuple[tuple[str, ...], ...]
    type_of: np.ndarray
    faults: dict[int, str]

    def __len__(self) -> int:
        return len(self.line)

    def n_by_name(self, rows: np.ndarray) -> dict[str, int]:
        """How many of some rows have each XML name."""
        counts = np.bincount(self.name_of[rows], minlength=len(self.names)).tolist()
        return dict(zip(self.names, counts, strict=True))

    def reason(self, row: int, resolved: Sequence[bool]) -> str:
        """Why a row is not loaded: the first thing that is wrong with it.

        Args:
            row: The row.
            resolved: For each side, whether its cell is in the network.
        """
        for side, is_there in zip(self.sides, resolved, strict=True):
            if not is_there:
                text = self.texts[int(side.cell[row])]
                return f"the cell {text or None!r} is not in the network"
            if row in side.faults:
                return side.faults[row]
        return self.faults[row]

    def where(self, row: int) -> str:
        """The ends of a row, as they are in the file."""
        return ", ".join(
            f"{self.texts[int(side.cell[row])]!r} segment {side.segment[row]} at "
            f"{float(side.fraction[row]):g}"
            for side in self.sides
        )


@dataclass
class RowBuilder:
    """Collects the rows of one list.

    Args:
        meanings: Of the document's texts.
        sides: The attributes of each side.
        component: Component of rows that name none.
    """

    meanings: RowTexts
    sides: tuple[SideNames, ...]
    component: str = ""
    _tag: object = ""
    _attributes: list[str] = field(default_factory=list)
    _waiting: list[Sequence[str]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _n_done: int = 0

    def __post_init__(self) -> None:
        self._parts: dict[object, list[np.ndarray]] = {}
        self._names: dict[str, int] = {}
        self._types: dict[tuple[str, ...], int] = {}
        self._faults: list[dict[int, str]] = [{} for _ in range(len(self.sides) + 1)]

    def add(self, row: etree._Element) -> None:
        """Adds a row."""
        names = row.keys()
        if names != self._attributes or row.tag != self._tag or len(self._lines) >= BLOCK_ROWS:
            self._convert()
            self._attributes, self._tag = names, row.tag  # type: ignore[assignment]
        self._waiting.append(row.values())  # type: ignore[arg-type]
        self._lines.append(row.sourceline)  # type: ignore[arg-type]

    def add_texts(self, columns: Mapping[str, Sequence[str]], lines: np.ndarray) -> None:
        """Adds rows of the same name as the last one, by their attributes' texts."""
        self._convert()
        self._convert_columns(columns, lines)

    def counts(self) -> dict[str, int]:
        """How many rows there are, by XML name."""
        self._convert()
        parts = self._parts.get("name", [])
        names = list(self._names)
        counts: Counter[str] = Counter()
        for part in parts:
            counts[names[part[0]]] += len(part)
        return counts

    def finish(self) -> Rows:
        """All of them."""
        self._convert()
        sides = tuple(
            Side(
                self._column((k, "cell")), self._column((k, "segment")),
                self._column((k, "fraction"), np.float64), self._faults[k],
            )
            for k in range(len(self.sides))
        )  # fmt: skip
        return Rows(
            self.meanings.cells.texts, tuple(self._names), self._column("name"),
            self._column("line"), sides, self._column("weight", np.float64),
            self._column("delay_ms", np.float64), tuple(self._types), self._column("type"),
            self._faults[-1],
        )  # fmt: skip

    def _column(self, name: object, type_: type[np.generic] = np.int64) -> np.ndarray:
        return joined(self._parts.pop(name, []), type_)

    def _convert(self) -> None:
        """Turns the rows that wait, which all have the same attributes, into columns."""
        if not self._waiting:
            return
        columns = dict(zip(self._attributes, zip(*self._waiting, strict=True), strict=True))
        lines = np.array(self._lines)
        self._waiting, self._lines = [], []
        self._convert_columns(columns, lines)

    def _convert_columns(self, columns: Mapping[str, Sequence[str]], lines: np.ndarray) -> None:
        attributes = _Attributes(columns, len(lines))
        name = self._names.setdefault(local_name_of(str(self._tag)), len(self._names))
        self._keep("name", same(name, len(lines)))
        self._keep("line", narrow(lines))
        for k, side in enumerate(self.sides):
            self._convert_side(k, side, attributes)
        self._convert_values(attributes)
        self._keep("type", self._types_of(attributes))
        self._n_done += len(lines)

    def _keep(self, name: object, values: np.ndarray) -> None:
        self._parts.setdefault(name, []).append(values)

    def _convert_side(self, k: int, names: SideNames, attributes: _Attributes) -> None:
        meanings = self.meanings
        segment = attributes.read(names.segment, "", meanings.segment, np.int64)
        fraction = attributes.read(names.fraction, "", meanings.fraction, np.float64)
        for row in np.flatnonzero((segment == _NO_SEGMENT) | np.isnan(fraction)).tolist():
            texts = [attributes.text(name, row) for name in (names.segment, names.fraction)]
            self._faults[k][self._n_done + row] = (
                f"its segment {texts[0]!r} or fraction {texts[1]!r} is no number"
            )
        self._keep((k, "cell"), attributes.read(names.cell, "", meanings.cells, np.int64))
        self._keep((k, "segment"), segment)
        self._keep((k, "fraction"), fraction)

    def _convert_values(self, attributes: _Attributes) -> None:
        meanings, names = self.meanings, ("weight", "delay")[: len(self.sides)]  # inputs: no delay
        weight = attributes.read(("weight",), "1", meanings.weight, np.float64)
        delay = attributes.read(names[1:], "", meanings.delay_ms, np.float64)
        for row in np.flatnonzero(np.isnan(weight) | np.isnan(delay)).tolist():
            told = " or ".join(f"{name} {attributes.text((name,), row)!r}" for name in names)
            self._faults[-1][self._n_done + row] = f"its {told} cannot be read"
        self._keep("weight", weight)
        self._keep("delay_ms", delay)

    def _types_of(self, attributes: _Attributes) -> np.ndarray:
        pair = ("preComponent", "postComponent")
        one = "input" if self.sides == (TARGET,) else "synapse"
        if any(name in attributes.texts for name in pair):
            found = list(zip(*(attributes.either((name,), "") for name in pair), strict=True))
        elif one in attributes.texts:
            found = [((text or self.component).strip(),) for text in attributes.texts[one]]
        else:
            found = [(self.component,)]
        codes = [self._types.setdefault(type_, len(self._types)) for type_ in found]
        return narrow(np.array(codes)) if len(codes) > 1 else same(codes[0], attributes.n_rows)


@dataclass(frozen=True)
class _Attributes:
    """Attributes of rows that all have the same ones.

    Attributes:
        texts: Texts by attribute, a row each.
        n_rows: How many rows.
    """

    texts: Mapping[str, Sequence[str]]
    n_rows: int

    def either(self, names: tuple[str, ...], absent: str) -> Sequence[str]:
        """Of several attributes the first with a text; a single value where there is none."""
        there = [self.texts[name] for name in names if name in self.texts]
        if len(there) < 2:
            return there[0] if there else [absent] * self.n_rows
        return [next(filter(None, texts), absent) for texts in zip(*there, strict=True)]

    def read(
        self, names: tuple[str, ...], absent: str, meaning: dict[str, float] | dict[str, int],
        type_: type[np.generic],
    ) -> np.ndarray:  # fmt: skip
        """What the texts of one of several attributes mean."""
        if not any(name in self.texts for name in names):
            return same(type_(meaning[absent]), self.n_rows)
        texts = self.either(names, absent)
        return narrow(np.fromiter(map(meaning.__getitem__, texts), type_, self.n_rows))

    def text(self, names: tuple[str, ...], row: int) -> str | None:
        """The text of a row, for messages."""
        there = [self.texts[name][row] for name in names if name in self.texts]
        return next(filter(None, there), there[-1] if there else None)


def local_name_of(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


@dataclass
class InstanceBuilder:
    """Collects the instances of one population.

    Attributes:
        ids: Their ids; their rows where they have none.
        n_locations: How many locations were read.
        faults: Ids of instances whose location holds no numbers.
    """

    ids: list[str] = field(default_factory=list)
    n_locations: int = 0
    faults: list[str] = field(default_factory=list)
    _parts: list[np.ndarray] = field(default_factory=list)
    _waiting: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, element: etree._Element) -> None:
        """Adds an instance."""
        self.ids.append(element.get("id") or str(len(self.ids)))
        found = (0.0, 0.0, 0.0)
        for child in element:
            if local_name(child) == "location":
                x, y, z = (finite_number(child.get(axis)) for axis in "xyz")
                if x is None or y is None or z is None:
                    self.faults.append(self.ids[-1])
                else:
                    found = (x, y, z)
                    self.n_locations += 1
        self._waiting.append(found)
        if len(self._waiting) >= BLOCK_ROWS:
            self._convert()

    def counts(self) -> dict[str, int]:
        """How many instances there are, by XML name."""
        return {"instance": len(self.ids)} if self.ids else {}

    def _convert(self) -> None:
        if self._waiting:
            self._parts.append(np.array(self._waiting))
            self._waiting = []

    def xyz_um(self) -> np.ndarray:
        """Their locations (n, 3); the origin where there is none."""
        self._convert()
        return np.concatenate(self._parts) if self._parts else np.zeros((0, 3))


def finite_number(text: str | None) -> float | None:
    """The number that a text is; absent where it is none, or not finite."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def quantity_or_problem(text: str, dimension: str, bad: Bad) -> float | None:
    """A quantity in its canonical unit; absent, and told, where the text is none."""
    try:
        return float(finite_quantity(text, dimension)[0])
    except QuantityError as error:
        bad(f"{error.what}: expected {error.expected}, found {error.found}")
        return None
