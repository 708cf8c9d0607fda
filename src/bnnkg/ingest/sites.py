"""Where connections and inputs are: neurons by reference, segments by id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bnnkg.ingest.arrays import is_same, joined, narrow, only, same
from bnnkg.ingest.cells import CellReading
from bnnkg.ingest.parsed import Flags, Floats, Integers, SiteColumns

_PATH = re.compile(r"(?:\.\./)*([^/\[\]]+)/([^/\[\]]+)(?:/.*)?\Z")
_INDEX = re.compile(r"(?:\.\./)*([^/\[\]]+)\[\s*(\d+)\s*\](?:/.*)?\Z")
_BARE = re.compile(r"\d+\Z")
BLOCK_ROWS = 2**14


@dataclass
class NamedPopulation:
    """A population as connections see it.

    Attributes:
        place: Its place in the model.
        size: How many neurons it has.
        reading: Its cell.
        row_of: Instance id to row; absent where ids are the rows.
    """

    place: int
    size: int
    reading: CellReading
    row_of: dict[str, int] | None = None

    def row(self, instance_id: str) -> int | None:
        """Row of an instance; absent where there is none of that id."""
        if self.row_of is not None:
            return self.row_of.get(instance_id)
        if not instance_id.isdecimal():
            return None
        row = int(instance_id)
        return row if row < self.size else None


@dataclass
class References:
    """Resolves references to cells within one network, each text once.

    A reference is written in one of four ways: ``../pop/0/cell``, ``../pop[0]``, ``pop[0]``, or a
    bare ``0`` where the projection or list names the population.
    """

    populations: dict[str, NamedPopulation]
    _known: dict[tuple[str, str | None], tuple[int, int] | None] = field(default_factory=dict)
    _by_place: dict[int, NamedPopulation] = field(default_factory=dict)

    def resolve(self, text: str, population: str | None) -> tuple[int, int] | None:
        """Place of the population and row of the neuron; absent where it refers to nothing.

        Args:
            text: The reference.
            population: The population that its projection or list names.
        """
        key = (text, population)
        if key not in self._known:
            self._known[key] = self._look_up(text.strip(), population)
        return self._known[key]

    def _look_up(self, text: str, population: str | None) -> tuple[int, int] | None:
        name, instance = population, text
        match = _INDEX.match(text) or _PATH.match(text)
        if match is not None:
            name, instance = match.groups()
        elif not _BARE.match(text):
            return None
        found = self.populations.get(name or "")
        row = found.row(instance) if found is not None else None
        if found is None or row is None:
            return None
        return found.place, row

    def resolve_all(
        self, texts: Sequence[str], codes: np.ndarray, population: str | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places of the populations and rows of the neurons of references; -1 where there is none.

        Args:
            texts: Texts of references.
            codes: Rows of ``texts``, one for each reference.
            population: The population that their projection or list names.
        """
        used = np.zeros(len(texts), bool)
        used[codes[:1] if is_same(codes) else codes] = True
        found = np.full((2, len(texts)), -1)
        for code in np.flatnonzero(used).tolist():
            resolved = self.resolve(texts[code], population)
            if resolved is not None:
                found[:, code] = resolved
        if is_same(codes):
            return same(found[0, codes[0]], len(codes)), same(found[1, codes[0]], len(codes))
        return narrow(narrow(found[0])[codes]), narrow(narrow(found[1])[codes])

    def at(self, place: int) -> NamedPopulation:
        """The population at that place of the model."""
        if len(self._by_place) != len(self.populations):
            self._by_place = {p.place: p for p in self.populations.values()}
        return self._by_place[place]


@dataclass
class Sites:
    """Sites on neurons as they are in the file, not yet placed on sections.

    Attributes:
        population: Place of the population, a row each.
        neuron: Row of the neuron.
        segment: Segment id.
        fraction: Along that segment.
    """

    population: Integers
    neuron: Integers
    segment: Integers
    fraction: Floats


def place_sites(sites: Sites, references: References) -> tuple[SiteColumns, np.ndarray]:
    """Turns segment ids into sections, a block of rows at a time.

    Returns:
        The sites, and for each whether its segment exists and its fraction is one (of a point cell
        only segment 0 exists).
    """
    good = np.zeros(len(sites.neuron), bool)
    parts: list[tuple[np.ndarray, ...]] = []
    for start in range(0, max(len(good), 1), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        columns, good[rows] = _placed(sites, rows, references)
        parts.append(tuple(map(narrow, columns)))
    section, place, fraction = (joined(column) for column in zip(*parts, strict=True))
    return SiteColumns(sites.population, sites.neuron, section, place, fraction), good


def _placed(
    sites: Sites, rows: slice, references: References
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Section, place there and fraction along it of some rows, and which of them exist."""
    populations, ids = sites.population[rows], sites.segment[rows]
    fraction = sites.fraction[rows].astype(np.float64)
    section, place = np.full(len(ids), -1), np.full(len(ids), -1)
    good = (fraction >= 0) & (fraction <= 1)
    for population in np.unique(populations).tolist():
        segments = references.at(population).reading.segments
        here = np.flatnonzero(populations == population)
        if segments is None:
            good[here] &= ids[here] == 0
            continue
        found = segments.rows_at(ids[here])
        good[here] &= found >= 0
        section[here], place[here] = segments.section[found], segments.place[found]
        fraction[here] = segments.start[found] + fraction[here] * segments.share[found]
    return (section, place, np.clip(fraction, 0.0, 1.0)), good


def keep_sites(sites: Sites, good: Flags) -> Sites:
    """The rows of some sites in the file for which ``good`` holds."""
    return Sites(
        only(sites.population, good),
        only(sites.neuron, good),
        only(sites.segment, good),
        only(sites.fraction, good),
    )


def keep_rows(columns: SiteColumns, good: Flags) -> SiteColumns:
    """The rows of some sites for which ``good`` holds."""
    return SiteColumns(
        only(columns.population, good),
        only(columns.neuron, good),
        only(columns.section, good),
        only(columns.segment, good),
        only(columns.fraction, good),
    )


def take_rows(columns: SiteColumns, rows: Integers) -> SiteColumns:
    """Some sites, by their rows."""
    return SiteColumns(
        columns.population[rows],
        columns.neuron[rows],
        columns.section[rows],
        columns.segment[rows],
        columns.fraction[rows],
    )
