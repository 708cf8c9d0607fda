"""Trees of sections as Cells: equal content gives equal uids, whatever the names and the order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bnnkg.ingest.identity import shared_uid
from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.clusters import Clusters, depths, find_clusters, has_points
from bnnkg.ingest.neuron.densities import Carried, DensityTable, carried_by, over_sections
from bnnkg.ingest.neuron.forest import KINDS, Forest
from bnnkg.ingest.neuron.geometry import cut_line, draw_lines
from bnnkg.ingest.neuron.rounding import as_written, micrometres_apart, texts
from bnnkg.ingest.parsed import Cell, Floats, Integers, Placement, Section

CELL_CLASS = "cell"
"""NeuroML's class of a cell with a morphology."""


@dataclass(frozen=True)
class Tree:
    """A cell as one tree of a run has it.

    Attributes:
        cell: The Cell.
        order: Per section of the Cell, its place within the tree.
        of_place: The other way round.
    """

    cell: Cell
    order: tuple[int, ...]
    of_place: Integers


@dataclass(frozen=True)
class Trees:
    """The neurons of a run that are made of sections.

    Attributes:
        forest: Their sections.
        clusters: Which are copies of one another.
        models: Per cluster, its cell; several clusters may come to one Cell.
    """

    forest: Forest
    clusters: Clusters
    models: tuple[Tree, ...]

    def cell(self, tree: int) -> Cell:
        """The Cell of a neuron."""
        return self.models[int(self.clusters.of_tree[tree])].cell

    def section_index(self) -> Integers:
        """Per section of the forest, its index in its Cell."""
        return np.concatenate(
            [
                np.zeros(0, np.int64),
                *(self.models[cluster].of_place for cluster in self.clusters.of_tree.tolist()),
            ]
        )


def read_trees(capture: Capture, forest: Forest, tables: Sequence[DensityTable]) -> Trees:
    """Makes a Cell of every distinct tree."""
    clusters = find_clusters(capture, forest, tables)
    builder = _Builder(capture, forest, tables, clusters.origin_um)
    return Trees(forest, clusters, tuple(builder.build(tree) for tree in clusters.model))


@dataclass(frozen=True)
class _Part:
    """One section before it has its place."""

    kind: int
    parent: int
    fraction: float
    depth: int
    length: float
    ra: float
    cm: Floats
    cm_mean: float
    diameters: Floats
    areas: Floats
    volumes: Floats
    points: Floats | None
    carried: tuple[Carried, ...]

    def content(self, below: Sequence[str]) -> str:
        """Digest of it with all that grows from it."""
        shape = (
            [self.length, *self.diameters.tolist()]
            if self.points is None
            else self.points.ravel().tolist()
        )
        lines = [
            KINDS[self.kind],
            " ".join(texts([self.fraction, len(self.diameters), self.ra])),
            " ".join(texts(self.cm.tolist())),
            "drawn" if self.points is not None else "plain",
            " ".join(texts(shape)),
            *(one.text for one in self.carried),
            *sorted(below),
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:20]


class _Builder:
    def __init__(
        self, capture: Capture, forest: Forest, tables: Sequence[DensityTable], origin_um: Floats
    ) -> None:
        self._capture = capture
        self._forest = forest
        self._tables = tables
        self._origin = np.where(np.isnan(origin_um), 0.0, origin_um)
        self._drawn = has_points(forest)
        self._depth = depths(forest.parent)
        self._length = as_written(capture.sections.length_um)[forest.row]
        segments, order = capture.segments, forest.segment
        self._by_segment = [
            column[order]
            for column in (
                segments.cm_uF_per_cm2, as_written(segments.diameter_um), segments.area_um2,
                segments.volume_um3,
            )
        ]  # fmt: skip
        self._cm = over_sections(
            self._by_segment[0][:, None], self._by_segment[2], forest.first_segment
        )[0][:, 0]

    def build(self, tree: int) -> Tree:
        first, end = self._forest.first[tree], self._forest.first[tree + 1]
        parts = [self._part(section, tree) for section in range(first, end)]
        digests = _digests(parts)
        order = _canonical_order(parts, digests)
        of_place = np.empty(len(order), np.int64)
        of_place[order] = np.arange(len(order))
        sections, placements = _sections([parts[i] for i in order], of_place)
        root = next(digest for part, digest in zip(parts, digests, strict=True) if part.parent < 0)
        uid = shared_uid("Cell", ["sections", root])
        cell = Cell(uid, CELL_CLASS, is_point=False, sections=sections, placements=placements)
        return Tree(cell, tuple(order), of_place)

    def _part(self, section: int, tree: int) -> _Part:
        forest, sections = self._forest, self._capture.sections
        row = forest.row[section]
        own = slice(forest.first_segment[section], forest.first_segment[section + 1])
        cm, diameters, areas, volumes = (column[own] for column in self._by_segment)
        points = None
        if self._drawn[section]:
            points = forest.points_um[forest.first_point[section] : forest.first_point[section + 1]]
            moved = micrometres_apart(points[:, :3], self._origin[tree])
            points = np.column_stack([moved, points[:, 3]])
        return _Part(
            int(forest.kind[section]), int(forest.local_parent[section]),
            float(forest.fraction[section]), int(self._depth[section]),
            float(self._length[section]), float(sections.ra_ohm_cm[row]),
            cm, float(self._cm[section]), diameters, areas, volumes, points, self._carried(section),
        )  # fmt: skip

    def _carried(self, section: int) -> tuple[Carried, ...]:
        found = (carried_by(table, section) for table in self._tables)
        return tuple(sorted(filter(None, found), key=lambda one: (one.uid, one.text)))


def _digests(parts: Sequence[_Part]) -> list[str]:
    """Of each section with all that grows from it; the deepest first."""
    below: list[list[str]] = [[] for _ in parts]
    digests = [""] * len(parts)
    for place in sorted(range(len(parts)), key=lambda i: -parts[i].depth):
        part = parts[place]
        digests[place] = part.content(below[place])
        if part.parent >= 0:
            below[part.parent].append(digests[place])
    return digests


def _canonical_order(parts: Sequence[_Part], digests: Sequence[str]) -> list[int]:
    """Parents first; siblings by kind, then by the content of their subtrees."""
    children: dict[int, list[int]] = {}
    for place, part in enumerate(parts):
        children.setdefault(part.parent, []).append(place)
    for siblings in children.values():
        siblings.sort(key=lambda i: (parts[i].kind, digests[i]))
    order: list[int] = []
    stack = list(reversed(children[-1]))
    while stack:
        place = stack.pop()
        order.append(place)
        stack.extend(reversed(children.get(place, [])))
    return order


def _sections(
    parts: Sequence[_Part], of_place: Integers
) -> tuple[tuple[Section, ...], tuple[Placement, ...]]:
    """Measures of sections in their order, and what they carry."""
    parents = [int(of_place[part.parent]) if part.parent >= 0 else -1 for part in parts]
    lines = draw_lines(
        [None if part.points is None else part.points[:, :3] for part in parts], parents,
        [part.fraction for part in parts], [part.length for part in parts],
    )  # fmt: skip
    first = np.concatenate([[0], np.cumsum([len(part.cm) for part in parts])])
    sections: list[Section] = []
    placements: list[Placement] = []
    starts: list[float] = []
    for index, (part, parent) in enumerate(zip(parts, parents, strict=True)):
        start, on, at = 0.0, -1, 0.0
        if parent >= 0:
            start = starts[parent] + part.fraction * parts[parent].length
            place, at = _segment_at(part.fraction, len(parts[parent].cm))
            on = int(first[parent]) + place
        starts.append(start)
        n = len(part.cm)
        sections.append(
            Section(
                kind=KINDS[part.kind],
                parent=parent,
                fraction_on_parent=part.fraction,
                n_segments=n,
                length_um=part.length,
                diameter_um=float(part.diameters.mean()),
                area_um2=float(part.areas.sum()),
                volume_um3=float(part.volumes.sum()),
                path_distance_um=start + part.length / 2,
                segment_points_um=tuple(cut_line(lines[index], part.diameters).ravel().tolist()),
                segment_parents=(on, *range(int(first[index]), int(first[index]) + n - 1)),
                segment_fractions=(at, *[1.0] * (n - 1)),
                cm_uF_per_cm2=part.cm_mean,
                ra_ohm_cm=part.ra,
                segment_cm_uF_per_cm2=_varying(part.cm),
                points_um=None if part.points is None else tuple(part.points.ravel().tolist()),
            )
        )
        for one in part.carried:
            placements.append(replace(one.placement, section=index, place=len(placements)))
    return tuple(sections), tuple(placements)


def _segment_at(fraction: float, nseg: int) -> tuple[int, float]:
    """Segment at a fraction of a section, and where on it."""
    place = min(int(fraction * nseg), nseg - 1)
    return place, fraction * nseg - place


def _varying(values: Floats) -> tuple[float, ...] | None:
    return None if (values == values[0]).all() else tuple(values.tolist())
