"""Rows of networks in XML, collected into columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from lxml import etree

from bnnkg.errors import QuantityError
from bnnkg.ingest.quantities import finite_quantity, whole_number
from bnnkg.ingest.sites import References, Sites

Bad = Callable[[str], None]


class _SiteRows:
    """Collects sites row by row."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, float]] = []

    def sites(self) -> Sites:
        columns: list[Any] = list(zip(*self.rows, strict=True)) if self.rows else [(), (), (), ()]
        population, neuron, segment = (np.array(c, dtype=np.int64) for c in columns[:3])
        return Sites(population, neuron, segment, np.array(columns[3], dtype=np.float64))


def _site(
    references: References,
    cell: str | None,
    population: str | None,
    segment: str | None,
    fraction: str | None,
) -> tuple[int, int, int, float] | str:
    """A site, or why it is none; an absent segment is 0, an absent fraction a half."""
    neuron = references.resolve(cell or "", population)
    if neuron is None:
        return f"the cell {cell!r} is not in the network"
    try:
        return (
            *neuron,
            whole_number(segment) if segment else 0,
            float(fraction) if fraction else 0.5,
        )
    except ValueError:
        return f"its segment {segment!r} or fraction {fraction!r} is no number"


class ConnectionColumns:
    """Connections of one projection; rows that refer to nothing are refused with the reason."""

    def __init__(
        self, references: References, pre: str | None, post: str | None, synapse: str
    ) -> None:
        self._references = references
        self._populations = (pre, post)
        self._synapse = synapse
        self.places: list[int] = []
        self._pre, self._post = _SiteRows(), _SiteRows()
        self._weights: list[float] = []
        self._delays: list[float] = []
        self.types: dict[tuple[str, ...], int] = {}
        self._type_of: list[int] = []
        self._delay_of: dict[str, float | None] = {"": 0.0}

    def add(self, place: int, row: etree._Element) -> str | None:
        """Adds a row, or says why not."""
        get = row.get
        pre = _site(
            self._references,
            get("preCellId") or get("preCell") or get("from"), self._populations[0],
            get("preSegmentId") or get("preSegment"), get("preFractionAlong"),
        )  # fmt: skip
        post = _site(
            self._references,
            get("postCellId") or get("postCell") or get("to"), self._populations[1],
            get("postSegmentId") or get("postSegment"), get("postFractionAlong"),
        )  # fmt: skip
        weight = finite_number(get("weight", "1"))
        delay = self._delay(get("delay", ""))
        if isinstance(pre, str) or isinstance(post, str):
            return pre if isinstance(pre, str) else str(post)
        if weight is None or delay is None:
            return f"its weight {get('weight')!r} or delay {get('delay')!r} cannot be read"
        self.places.append(place)
        self._pre.rows.append(pre)
        self._post.rows.append(post)
        self._weights.append(weight)
        self._delays.append(delay)
        self._type_of.append(self.types.setdefault(self._types(row), len(self.types)))
        return None

    def _types(self, row: etree._Element) -> tuple[str, ...]:
        if row.get("preComponent") is not None or row.get("postComponent") is not None:
            return (row.get("preComponent", ""), row.get("postComponent", ""))
        return ((row.get("synapse") or self._synapse).strip(),)

    def _delay(self, text: str) -> float | None:
        if text not in self._delay_of:
            self._delay_of[text] = quantity_or_problem(text, "time", lambda _: None)
        return self._delay_of[text]

    def arrays(self) -> tuple[np.ndarray, Sites, Sites, np.ndarray, np.ndarray, np.ndarray]:
        """Places, both ends, weights, delays and rows of ``types``."""
        return (
            np.array(self.places, dtype=np.int64),
            self._pre.sites(),
            self._post.sites(),
            np.array(self._weights, dtype=np.float64),
            np.array(self._delays, dtype=np.float64),
            np.array(self._type_of, dtype=np.int64),
        )


class InputColumns:
    """Inputs of one list; rows that refer to nothing are refused with the reason."""

    def __init__(self, references: References, population: str | None) -> None:
        self._references = references
        self._population = population
        self.places: list[int] = []
        self._target = _SiteRows()
        self._weights: list[float] = []

    def add(self, place: int, row: etree._Element) -> str | None:
        """Adds a row, or says why not."""
        get = row.get
        site = _site(
            self._references, get("target"), self._population,
            get("segmentId"), get("fractionAlong"),
        )  # fmt: skip
        weight = finite_number(get("weight", "1"))
        if isinstance(site, str):
            return site
        if weight is None:
            return f"its weight {get('weight')!r} is no number"
        self.places.append(place)
        self._target.rows.append(site)
        self._weights.append(weight)
        return None

    def arrays(self) -> tuple[np.ndarray, Sites, np.ndarray]:
        """Places, targets and weights."""
        return (
            np.array(self.places, dtype=np.int64),
            self._target.sites(),
            np.array(self._weights, dtype=np.float64),
        )


def finite_number(text: str | None) -> float | None:
    """The number that a text is; absent where it is none, or not finite."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def quantity_or_problem(text: str, dimension: str, bad: Bad) -> float | None:
    """A quantity in its canonical unit; absent, and told, where the text is none."""
    try:
        return float(finite_quantity(text, dimension)[0])
    except QuantityError as error:
        bad(f"{error.what}: expected {error.expected}, found {error.found}")
        return None
