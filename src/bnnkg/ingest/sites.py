"""Where connections and inputs are: neurons by reference, segments by id."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from bnnkg.ingest.cells import CellReading
from bnnkg.ingest.parsed import Floats, Integers, SiteColumns

_PATH = re.compile(r"(?:\.\./)*([^/\[\]]+)/([^/\[\]]+)(?:/.*)?\Z")
_INDEX = re.compile(r"(?:\.\./)*([^/\[\]]+)\[\s*(\d+)\s*\](?:/.*)?\Z")
_BARE = re.compile(r"\d+\Z")


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
    """Turns segment ids into sections, a population at a time.

    Returns:
        The sites, and for each whether its segment exists and its fraction is one (of a point cell
        only segment 0 exists).
    """
    n = len(sites.neuron)
    section, place = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    fraction = sites.fraction.astype(np.float64)
    good = (fraction >= 0) & (fraction <= 1)
    for population in set(sites.population.tolist()):
        here = np.flatnonzero(sites.population == population)
        ids = sites.segment[here]
        segments = references.at(population).reading.segments
        if segments is None:
            good[here] &= ids == 0
            continue
        distinct, inverse = np.unique(ids, return_inverse=True)
        rows = np.array([segments.row_of.get(int(id_), -1) for id_ in distinct])[inverse]
        good[here] &= rows >= 0
        section[here], place[here] = segments.section[rows], segments.place[rows]
        fraction[here] = segments.start[rows] + fraction[here] * segments.share[rows]
    columns = SiteColumns(
        sites.population, sites.neuron, section, place, np.clip(fraction, 0.0, 1.0)
    )
    return columns, good


def keep_rows(columns: SiteColumns, good: np.ndarray) -> SiteColumns:
    """The rows of some sites for which ``good`` holds."""
    return SiteColumns(
        columns.population[good],
        columns.neuron[good],
        columns.section[good],
        columns.segment[good],
        columns.fraction[good],
    )
