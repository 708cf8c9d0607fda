"""Connections as records: synapses, their ends, and which neurons they join.

There may be millions, so their columns hold numbers and make their values when they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bnnkg.ingest.arrays import is_same, joined, narrow, only
from bnnkg.ingest.mirrors import mirror_images
from bnnkg.ingest.parsed import Integers, ParsedModel, Projection, SiteColumns
from bnnkg.ingest.tables import Tables
from bnnkg.schema import Joined, LazyColumn, Numbered, Numbers, Picked, Same, Written

Neurons = list[list[str]]
SORTED_ROWS = 2**13
"""Connections that are sorted at a time, at least; of millions it is a 64th of them."""


def connection_records(tables: Tables, parsed: ParsedModel, model: str, neurons: Neurons) -> None:
    """Adds a Synapse per connection with its edges, and CONNECTS_TO between neurons.

    A gap junction that a network lists from both sides stays twice; the later one is marked
    ``mirrored`` and not counted again in CONNECTS_TO.
    """
    if parsed.projections:
        _Connections(parsed, model, neurons).add_records(tables)


def numbers(values: np.ndarray) -> LazyColumn:
    """Numbers as a column; one that is everywhere is held once."""
    if not is_same(values):
        return Numbers(values)
    value = values[0].item()
    return Same(None if value != value else value, len(values))


def picked(values: Sequence[Any], rows: np.ndarray) -> LazyColumn:
    """Values of another column, by their rows in it; one that is everywhere is held once."""
    return Same(values[int(rows[0])], len(rows)) if is_same(rows) else Picked(values, rows)


class _Connections:
    """All connections of a model, projection after projection.

    Args:
        parsed: The model.
        model: Its uid.
        neurons: uids of the neurons by population.
    """

    def __init__(self, parsed: ParsedModel, model: str, neurons: Neurons) -> None:
        self._parsed, self._model = parsed, model
        self._projections = parsed.projections
        self._neurons = [uid for population in neurons for uid in population]
        first = np.cumsum([0, *map(len, neurons)])
        self._pre = [_neuron_rows(p.pre, first) for p in self._projections]
        self._post = [_neuron_rows(p.post, first) for p in self._projections]
        self._mirrored = mirror_images(self._projections, self._pre, self._post)
        self._uids = Joined([Numbered(f"{model}/{p.path}/", p.places) for p in self._projections])

    def add_records(self, tables: Tables) -> None:
        """Adds them all."""
        self._add_synapses(tables)
        pre, post = (
            picked(self._neurons, joined(rows, np.int64)) for rows in (self._pre, self._post)
        )
        tables.all_edges(("SENDS", "Neuron", "Synapse"), pre, self._uids)
        tables.all_edges(("TARGETS", "Synapse", "Neuron"), self._uids, post)
        self._add_types(tables)
        self._add_places(tables, "LEAVES_FROM", [p.pre for p in self._projections])
        self._add_places(tables, "ARRIVES_AT", [p.post for p in self._projections])
        self._add_pairs(tables)

    def _add_synapses(self, tables: Tables) -> None:
        all_ = self._projections
        sizes = [len(p.places) for p in all_]

        def each(values: Iterable[Any]) -> LazyColumn:
            return Joined([Same(value, n) for value, n in zip(values, sizes, strict=True)])

        def any_(values: Iterable[np.ndarray | None]) -> LazyColumn:
            return Joined([_numbers_or_none(v, n) for v, n in zip(values, sizes, strict=True)])

        tables.all_nodes(
            "Synapse", uid=self._uids, model_uid=Same(self._model, len(self._uids)),
            kind=each(p.kind for p in all_), projection=each(p.id for p in all_),
            index=any_(p.places for p in all_), weight=any_(p.weight for p in all_),
            delay_ms=any_(p.delay_ms for p in all_),
            threshold_mV=any_(p.threshold_mV for p in all_), mirrored=any_(self._mirrored),
            receiver=Joined([_receivers(p) for p in all_]),
        )  # fmt: skip

    def _add_types(self, tables: Tables) -> None:
        """Joins synapses to their models: within a projection by type, then in their order."""
        uids, rows_of_uid = _coded(
            [uid for p in self._projections for types in p.types for uid, _ in types]
        )
        sides, rows_of_side = _coded(
            [side for p in self._projections for types in p.types for _, side in types]
        )
        rows: list[np.ndarray] = []
        of: list[int] = []
        start = k = 0
        for projection in self._projections:
            for here, types in _by_type(projection):
                rows += [narrow(here + start)] * len(types)
                of += range(k, k + len(types))
                k += len(types)
            start += len(projection.places)
        sizes = list(map(len, rows))
        tables.all_edges(
            ("OF_TYPE", "Synapse", "SynapseType"),
            self._synapses(rows),
            picked(uids, _spread([rows_of_uid[i] for i in of], sizes)),
            side=picked(sides, _spread([rows_of_side[i] for i in of], sizes)),
        )

    def _add_places(self, tables: Tables, type_: str, sites: list[SiteColumns]) -> None:
        """Joins synapses to sections, where the neuron is no point."""
        n_sections = {cell.uid: len(cell.sections) for cell in self._parsed.cells}
        cells = [population.cell_uid for population in self._parsed.populations]
        first = dict(zip(n_sections, np.cumsum([0, *n_sections.values()]).tolist(), strict=False))
        first_of = np.array([first[cell] for cell in cells], dtype=np.int64)
        uids = [f"{cell}/{i}" for cell, n in n_sections.items() for i in range(n)]
        starts = np.cumsum([0, *map(_n_rows, sites)]).tolist()
        here = [
            _Placed(start, site, site.section >= 0)
            for start, site in zip(starts, sites, strict=False)
            if len(site.section) and site.section.max() >= 0
        ]
        if here:
            tables.all_edges(
                (type_, "Synapse", "Compartment"),
                self._synapses([one.rows() for one in here]),
                picked(uids, joined([one.sections(first_of) for one in here], np.int64)),
                fraction_along=Joined([numbers(only(p.site.fraction, p.on)) for p in here]),
                segment=Joined([numbers(only(p.site.segment, p.on)) for p in here]),
            )

    def _synapses(self, rows: list[np.ndarray]) -> LazyColumn:
        """Synapses by their rows among all; where those are all of them, the very column of all."""
        whole = joined(rows, np.int64)
        is_all = len(whole) == len(self._uids) and bool((whole[1:] > whole[:-1]).all())
        return self._uids if is_all else Picked(self._uids, whole)

    def _add_pairs(self, tables: Tables) -> None:
        """Adds a CONNECTS_TO for each pair and kind; gap junctions have no direction.

        Such an edge then points as the first of its connections does.
        """
        places = [uid.removeprefix(self._model) for uid in self._neurons]
        kinds = sorted({projection.kind for projection in self._projections})
        found = [(kind, self._pairs(kind)) for kind in kinds]
        tables.all_edges(
            ("CONNECTS_TO", "Neuron", "Neuron"),
            Joined([picked(self._neurons, src) for _, (src, *_) in found]),
            Joined([picked(self._neurons, dst) for _, (_, dst, *_) in found]),
            uid=Joined([
                Written("{}>{}>" + kind, (picked(self._neurons, src), picked(places, dst)))
                for kind, (src, dst, *_) in found
            ]),
            kind=Joined([Same(kind, len(src)) for kind, (src, *_) in found]),
            n_synapses=Joined([numbers(n) for _, (_, _, n, _) in found]),
            weight=Joined([numbers(weight) for _, (_, _, _, weight) in found]),
        )  # fmt: skip

    def _pairs(self, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of neurons that synapses of a kind join: both, how many, their summed weight."""
        mine = [row for row, p in enumerate(self._projections) if p.kind == kind]
        counted = [_counted(self._projections[row], self._mirrored[row]) for row in mine]

        def all_of(columns: Iterable[np.ndarray], type_: type[np.generic]) -> np.ndarray:
            return joined([only(c, good) for c, good in zip(columns, counted, strict=True)], type_)

        pre = all_of((self._pre[row] for row in mine), np.int64)
        post = all_of((self._post[row] for row in mine), np.int64)
        low, high = pre, post
        if kind == "electrical":
            low, high = np.minimum(pre, post), np.maximum(pre, post)
        weights = (self._projections[row].weight for row in mine)
        first, n, total = _summed(low, high, all_of(weights, np.float64), len(self._neurons))
        return narrow(pre[first]), narrow(post[first]), n, total


@dataclass(frozen=True)
class _Placed:
    """The sites of a projection that are on sections.

    Attributes:
        start: Row of the projection's first synapse among all.
        site: All its sites.
        on: Which of them are.
    """

    start: int
    site: SiteColumns
    on: np.ndarray

    def rows(self) -> np.ndarray:
        """Their synapses' rows among all."""
        if self.on.all():
            return _counted_from(self.start, len(self.on))
        return narrow(np.flatnonzero(self.on) + self.start)

    def sections(self, first_of: np.ndarray) -> np.ndarray:
        """Rows of their sections, from the row of the first one of each population's cell."""
        return narrow(
            first_of[only(self.site.population, self.on)] + only(self.site.section, self.on)
        )


def _summed(
    low: np.ndarray, high: np.ndarray, weight: np.ndarray, n_neurons: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that join the same two neurons as one: the first of them, how many, their weight.

    In the order of the pairs. Sorting is what takes memory, so it goes by ranges of neurons.
    """
    n_ranges = min(64, -(-len(low) // SORTED_ROWS))
    ends = np.linspace(0, n_neurons, n_ranges + 1).astype(np.int64).tolist()
    found = [np.empty(len(low), type_) for type_ in (np.int32, np.int32, np.float64)]
    n_found = 0
    for start, stop in pairwise(ends):
        here = np.flatnonzero((low >= start) & (low < stop))
        keys = low[here].astype(np.int64) * n_neurons + high[here]
        order = keys.argsort(kind="stable")
        keys, here = keys[order], here[order]
        new = np.ones(len(keys), bool)
        new[1:] = keys[1:] != keys[:-1]
        n = np.diff(np.flatnonzero(new), append=len(keys))
        sums = np.bincount(np.cumsum(new) - 1, weights=weight[here], minlength=len(n))
        for column, values in zip(found, (here[new], n, sums), strict=True):
            column[n_found : n_found + len(n)] = values
        n_found += len(n)
    for column in found:
        column.resize(n_found, refcheck=False)
    return narrow(found[0]), narrow(found[1]), narrow(found[2])


def _neuron_rows(site: SiteColumns, first: np.ndarray) -> Integers:
    """Rows among the neurons of all populations."""
    return narrow(first[site.population] + site.neuron)


def _n_rows(site: SiteColumns) -> int:
    return len(site.neuron)


def _counted(projection: Projection, mirrored: np.ndarray | None) -> np.ndarray:
    return np.ones(len(projection.places), bool) if mirrored is None else ~mirrored


def _numbers_or_none(values: np.ndarray | None, n_rows: int) -> LazyColumn:
    return Same(None, n_rows) if values is None else numbers(values)


def _receivers(projection: Projection) -> LazyColumn:
    if not projection.receivers:
        return Same(None, len(projection.places))
    names = [name or None for name in projection.receivers]
    return Picked(names, _counted_from(0, len(names)))


def _coded(values: list[str]) -> tuple[list[str], list[int]]:
    """The distinct values, and the row among them of each."""
    rows = {value: row for row, value in enumerate(dict.fromkeys(values))}
    return list(rows), [rows[value] for value in values]


def _spread(values: list[int], sizes: list[int]) -> np.ndarray:
    """Values, each as often as its size says."""
    return narrow(np.repeat(np.array(values, dtype=np.int32), sizes))


def _counted_from(start: int, n: int) -> np.ndarray:
    """Whole numbers from ``start`` on, in the bytes that most networks need."""
    return np.arange(start, start + n, dtype=np.int32 if start + n < 2**31 else np.int64)


def _by_type(projection: Projection) -> list[tuple[np.ndarray, tuple[tuple[str, str], ...]]]:
    """Places of the rows of each type, with the synapse models that it stands for."""
    if is_same(projection.type_of):
        row = int(projection.type_of[0])
        everywhere = _counted_from(0, len(projection.type_of))
        return [
            (everywhere if k == row else everywhere[:0], types)
            for k, types in enumerate(projection.types)
        ]
    order = np.argsort(projection.type_of, kind="stable")
    ends = np.searchsorted(projection.type_of[order], np.arange(len(projection.types) + 1))
    return [(order[ends[k] : ends[k + 1]], types) for k, types in enumerate(projection.types)]
