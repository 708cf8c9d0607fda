"""Sections: unbranched runs of segments, in an order that the file's own does not change.

A section ends at a branch point and where the kind changes (soma, dendrite, axon). Groups that a
file marks as unbranched sections do not cut it further: their edges within a run have no meaning
for the cable. The order is parents first; among siblings, by the content of their subtrees.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

import numpy as np

from bnnkg.ingest.morphology import Point, Segments
from bnnkg.ingest.parsed import Section, SegmentMap
from bnnkg.schema.units import round_decimal

_KIND_ORDER = {"soma": 0, "dendrite": 1, "axon": 2, "other": 3}
Run = list[int]


@dataclass(frozen=True)
class SectionTree:
    """The sections of a cell before they carry anything.

    Attributes:
        runs: Rows of the segments of each section, in order; parents before children.
        sections: Measures of each.
        offset_um: What was subtracted.
        content: Digest of the whole tree.
    """

    runs: list[Run]
    sections: list[Section]
    offset_um: tuple[float, float, float]
    content: str

    @cached_property
    def frusta(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Lengths in um and areas in um2 of their segments, an array for each section."""
        points = [value for section in self.sections for value in section.segment_points_um]
        lengths, areas, _ = frusta(np.array(points).reshape(-1, 8))
        ends = np.cumsum([section.n_segments for section in self.sections]).tolist()
        rows = [slice(start, stop) for start, stop in pairwise([0, *ends])]
        return [lengths[here] for here in rows], [areas[here] for here in rows]


def build_sections(segments: Segments, kinds: list[str], marks: list[str]) -> SectionTree:
    """Cuts a morphology into sections.

    Args:
        segments: The morphology.
        kinds: Kind of each segment.
        marks: What each segment carries (capacitance, densities), as text for the content hash.
    """
    runs, section_of = _cut(segments, kinds)
    parents = [_parent_section(segments, run, section_of) for run in runs]
    offset = _origin(segments, kinds)
    points = _all_translated(segments, offset)
    digests = _digests(segments, kinds, marks, runs, parents, points)
    order = _canonical_order(runs, parents, digests, kinds)
    runs = [runs[i] for i in order]
    place = {old: new for new, old in enumerate(order)}
    new_parents = [place[parents[i]] if parents[i] >= 0 else -1 for i in order]
    roots = sorted(digests[i] for i in order if parents[i] < 0)
    sections = _measure(segments, kinds, runs, new_parents, points)
    x, y, z = (float(value) for value in offset)
    return SectionTree(runs, sections, (x, y, z), "".join(roots))


def _cut(segments: Segments, kinds: list[str]) -> tuple[list[Run], list[int]]:
    """Runs of rows, and the run of each row."""
    runs: list[Run] = []
    section_of = [-1] * len(segments.ids)
    for row, parent in enumerate(segments.parents):
        if parent >= 0 and _continues(segments, kinds, row, parent):
            section_of[row] = section_of[parent]
            runs[section_of[row]].append(row)
        else:
            section_of[row] = len(runs)
            runs.append([row])
    return runs, section_of


def _continues(segments: Segments, kinds: list[str], row: int, parent: int) -> bool:
    """Whether a segment goes on in its parent's section."""
    return (
        kinds[row] == kinds[parent]
        and segments.fractions[row] == 1
        and len(segments.children[parent]) == 1
    )


def _parent_section(segments: Segments, run: Run, section_of: list[int]) -> int:
    parent = segments.parents[run[0]]
    return section_of[parent] if parent >= 0 else -1


def _origin(segments: Segments, kinds: list[str]) -> tuple[Decimal, Decimal, Decimal]:
    """Start of the soma, or of the root where there is none."""
    roots = [row for row, parent in enumerate(segments.parents) if parent < 0]
    somata = [row for row, kind in enumerate(kinds) if kind == "soma"]
    candidates = somata or roots
    row = candidates[0]
    if len(candidates) > 1 and somata:
        depths = _depths(segments)
        row = min(somata, key=lambda r: (depths[r], -len(segments.children[r])))
    x, y, z, _ = segments.proximal[row]
    return x, y, z


def _depths(segments: Segments) -> list[int]:
    """How many segments there are above each."""
    depths: list[int] = []
    for parent in segments.parents:
        depths.append(depths[parent] + 1 if parent >= 0 else 0)
    return depths


def _all_translated(
    segments: Segments, offset: tuple[Decimal, Decimal, Decimal]
) -> list[tuple[Point, Point]]:
    """Both ends of each segment; one object for a point in which several meet."""
    ends = {id(point): point for point in (*segments.proximal, *segments.distal)}
    moved = {key: _translated(point, offset) for key, point in ends.items()}
    return [
        (moved[id(p)], moved[id(d)])
        for p, d in zip(segments.proximal, segments.distal, strict=True)
    ]


def _translated(point: Point, offset: tuple[Decimal, Decimal, Decimal]) -> Point:
    x, y, z, d = point
    return (
        round_decimal(x - offset[0]),
        round_decimal(y - offset[1]),
        round_decimal(z - offset[2]),
        round_decimal(d),
    )


def _digests(
    segments: Segments,
    kinds: list[str],
    marks: list[str],
    runs: list[Run],
    parents: list[int],
    points: list[tuple[Point, Point]],
) -> list[str]:
    """Hash of each section with all that grows from it."""
    place = {row: i for run in runs for i, row in enumerate(run)}
    below: list[list[str]] = [[] for _ in runs]
    digests = [""] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        run = runs[index]
        head = segments.parents[run[0]]
        lines = [kinds[run[0]], str(place[head] if head >= 0 else -1)]
        for row in run:
            numbers = (*points[row][0], *points[row][1], round_decimal(segments.fractions[row]))
            lines.append(" ".join(map(str, numbers)) + marks[row])
        text = "\n".join([*lines, *sorted(below[index])])
        digests[index] = hashlib.sha256(text.encode()).hexdigest()[:20]
        if parents[index] >= 0:
            below[parents[index]].append(digests[index])
    return digests


def _canonical_order(
    runs: list[Run], parents: list[int], digests: list[str], kinds: list[str]
) -> list[int]:
    children: dict[int, list[int]] = {}
    for index, parent in enumerate(parents):
        children.setdefault(parent, []).append(index)
    for siblings in children.values():
        siblings.sort(key=lambda i: (_KIND_ORDER[kinds[runs[i][0]]], digests[i]))
    order: list[int] = []
    stack = list(reversed(children[-1]))
    while stack:
        index = stack.pop()
        order.append(index)
        stack.extend(reversed(children.get(index, [])))
    return order


def frusta(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Length, lateral area and volume of conical frusta.

    ``A = pi (r1 + r2) sqrt((r1 - r2)^2 + L^2)``, ``V = pi L (r1^2 + r1 r2 + r2^2) / 3``. Where
    both ends are one point of one diameter NeuroML means a sphere: ``A = pi d^2``,
    ``V = pi d^3 / 6``.

    Args:
        points: Per segment x, y, z, diameter of both ends in um, (n, 8).

    Returns:
        Lengths in um, areas in um2, volumes in um3, (n,) each.
    """
    lengths = np.sqrt(((points[:, 4:7] - points[:, 0:3]) ** 2).sum(axis=1))
    r1, r2 = points[:, 3] / 2, points[:, 7] / 2
    areas = math.pi * (r1 + r2) * np.sqrt((r1 - r2) ** 2 + lengths**2)
    volumes = math.pi * lengths * (r1**2 + r1 * r2 + r2**2) / 3
    sphere = (lengths == 0) & (r1 == r2)
    areas = np.where(sphere, 4 * math.pi * r1**2, areas)
    volumes = np.where(sphere, 4 / 3 * math.pi * r1**3, volumes)
    return lengths, areas, volumes


def _measure(
    segments: Segments,
    kinds: list[str],
    runs: list[Run],
    parents: list[int],
    points: list[tuple[Point, Point]],
) -> list[Section]:
    flat = np.array([[float(v) for end in points[row] for v in end] for run in runs for row in run])
    lengths, areas, volumes = frusta(flat)
    new_row = {row: i for i, row in enumerate(row for run in runs for row in run)}
    starts: list[float] = []
    sections: list[Section] = []
    first = 0
    for index, run in enumerate(runs):
        rows = slice(first, first + len(run))
        first += len(run)
        length = float(lengths[rows].sum())
        parent = parents[index]
        fraction = _fraction_on_parent(segments, run[0], parent, runs, new_row, lengths, sections)
        start = starts[parent] + fraction * sections[parent].length_um if parent >= 0 else 0.0
        starts.append(start)
        sections.append(
            Section(
                kind=kinds[run[0]],
                parent=parent,
                fraction_on_parent=fraction,
                n_segments=len(run),
                length_um=length,
                diameter_um=_mean_diameter(flat[rows], lengths[rows]),
                area_um2=float(areas[rows].sum()),
                volume_um3=float(volumes[rows].sum()),
                path_distance_um=start + length / 2,
                segment_points_um=tuple(flat[rows].ravel().tolist()),
                segment_parents=tuple(
                    new_row[p] if (p := segments.parents[row]) >= 0 else -1 for row in run
                ),
                segment_fractions=tuple(float(segments.fractions[row]) for row in run),
            )
        )
    return sections


def _mean_diameter(points: np.ndarray, lengths: np.ndarray) -> float:
    means = (points[:, 3] + points[:, 7]) / 2
    return float(np.average(means, weights=lengths) if lengths.sum() > 0 else means.mean())


def _fraction_on_parent(
    segments: Segments,
    row: int,
    parent: int,
    runs: list[Run],
    new_row: dict[int, int],
    lengths: np.ndarray,
    sections: list[Section],
) -> float:
    """Where on its parent section a section starts, by length; by count where there is none."""
    if parent < 0:
        return 0.0
    on = segments.parents[row]
    first = new_row[runs[parent][0]]
    before = new_row[on] - first
    fraction = float(segments.fractions[row])
    if fraction == 1 and before + 1 == len(runs[parent]):
        return 1.0
    total = sections[parent].length_um
    if total == 0:
        return (before + fraction) / len(runs[parent])
    along = lengths[first : first + before].sum() + fraction * lengths[new_row[on]]
    return float(min(1.0, along / total))


def segment_map(segments: Segments, tree: SectionTree) -> SegmentMap:
    """Where each segment of a cell's file is in its sections."""
    n = len(segments.ids)
    section, place = np.zeros(n, np.int64), np.zeros(n, np.int64)
    start, share = np.zeros(n), np.zeros(n)
    for index, (run, lengths) in enumerate(zip(tree.runs, tree.frusta[0], strict=True)):
        total = lengths.sum()
        shares = lengths / total if total > 0 else np.full(len(run), 1 / len(run))
        section[run], place[run] = index, np.arange(len(run))
        share[run], start[run] = shares, np.cumsum(shares) - shares
    return SegmentMap(dict(segments.row_of), section, place, start, share)
