"""Geometry that a hoc file writes out, read without running anything.

A reader follows statements whose outcome is written in the file: ``create``, ``connect``,
``pt3dadd`` and numbers for ``L``, ``diam``, ``nseg``, ``Ra`` and ``cm``, in blocks, in loops with
literal bounds, in procedures that the file calls. Where the geometry depends on anything else (a
variable that another file sets, a condition, a file that is loaded) it gives up and says so.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from decimal import Decimal

from bnnkg.ingest.morphology import LARGEST_UM, Point, Segments, kind_of_name
from bnnkg.ingest.neuron.hoc_statements import UnknownGeometryError, Work, templates_of
from bnnkg.ingest.neuron.hoc_tokens import matching_braces, tokens_of
from bnnkg.ingest.neuron.hoc_walker import HocSection, Walker
from bnnkg.ingest.neuron.samples import SegmentList

MAX_CELLS = 2000
_AXON_WORDS = ("hill", "node", "myelin", "ais")
_ONE, _ZERO = Decimal(1), Decimal(0)
_AXES = ((1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (-1, 0, 0))


@dataclass(frozen=True)
class HocCell:
    """A tree of sections.

    Attributes:
        name: The template, or the section at its root.
        segments: Its segments, each named after its section.
        cm: Capacitance of each, uF/cm2.
        ra: Axial resistivity of each, ohm cm.
        raw: Numbers of segments, which have no place among points.
    """

    name: str
    segments: Segments
    cm: list[Decimal | None]
    ra: list[Decimal | None]
    raw: str


@dataclass
class HocGeometry:
    """What a hoc file says of geometry.

    Attributes:
        cells: The trees whose shape is known.
        counts: Sections and 3-D points that are written, whether or not they make a cell.
        notes: Why there is no cell, and what else the file holds.
    """

    cells: list[HocCell] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_hoc_geometry(text: str, path: str) -> HocGeometry:
    """Reads the geometry of a hoc file: of its top, and of each template that it defines.

    Args:
        text: Its content, lines ended by newlines.
        path: Its path, for messages.

    Raises:
        SourceError: The file has too many words.
    """
    tokens = tokens_of(text, path)
    geometry = HocGeometry()
    n_points = sum(token.kind == "point" for token in tokens)
    if n_points:
        geometry.counts["point"] = n_points
    pairs = matching_braces(tokens)
    work = Work(len(tokens))
    _read_part(geometry, Walker(tokens, pairs, path, 0, len(tokens), work), "")
    for name, (start, end) in templates_of(tokens).items():
        _read_part(geometry, Walker(tokens, pairs, path, start, end, work), name)
    return geometry


def _read_part(geometry: HocGeometry, walker: Walker, template: str) -> None:
    """Adds the cells of the top of a file, or of a template; all of them or none."""
    try:
        walker.run()
        if template:
            walker.call("init")
        if walker.sections and walker.loads:
            raise UnknownGeometryError(walker.loads[0])
        cells = _cells_of(walker, template)
    except UnknownGeometryError as unknown:
        subject = f"template {template}" if template else "no cell is read"
        geometry.notes.insert(0, f"{subject}: {unknown}")
        cells = []
    if walker.sections:
        n = geometry.counts.get("section", 0)
        geometry.counts["section"] = n + len(walker.sections)
    geometry.cells.extend(cells)
    if cells and walker.left:
        most = ", ".join(f"{word} ({n})" for word, n in walker.left.most_common(8))
        geometry.notes.append(f"read for its geometry only; not followed: {most}")


def _cells_of(walker: Walker, template: str) -> list[HocCell]:
    sections = list(walker.sections.values())
    known = {id(section) for section in sections}
    children: dict[int, list[HocSection]] = {}
    roots = []
    for section in sections:
        _check(section)
        if section.parent is None or id(section.parent) not in known:
            roots.append(section)
        else:
            children.setdefault(id(section.parent), []).append(section)
    if len(roots) > MAX_CELLS:
        raise UnknownGeometryError(f"it has {len(roots)} trees of sections")
    cells = [_Tree(root, children).cell(template) for root in roots]
    if sum(len(set(cell.segments.names)) for cell in cells) < len(sections):
        raise UnknownGeometryError("sections are connected in a circle")
    return cells


def _check(section: HocSection) -> None:
    has_points = len(section.points) > 1
    has_size = section.length is not None and section.diameter is not None
    if not (has_points or has_size) or (len(section.points) == 1):
        raise UnknownGeometryError(
            f"nothing in it gives section {section.name} a length and a diameter"
        )
    sizes = [value for point in section.points for value in point]
    if not has_points:
        sizes = [section.length or _ZERO, section.diameter or _ZERO]
        if min(sizes) <= 0:
            raise UnknownGeometryError(f"section {section.name} has no length or diameter")
    if any(abs(value) >= LARGEST_UM for value in sizes) or any(p[3] < 0 for p in section.points):
        raise UnknownGeometryError(f"a point of section {section.name} is no place")


class _Tree:
    """A tree of sections on its way to segments."""

    def __init__(self, root: HocSection, children: dict[int, list[HocSection]]) -> None:
        self._root = root
        self._children = children
        self._list = SegmentList()
        self._rows: dict[int, list[int]] = {}
        self._lengths: dict[int, list[float]] = {}
        self._points: dict[int, list[Point]] = {}
        self._cm: list[Decimal | None] = []
        self._ra: list[Decimal | None] = []

    def cell(self, template: str) -> HocCell:
        """The cell: parents before children, each section a run of segments."""
        order = [(self._root, 0)]
        for section, place in order:  # grows while it is read
            self._add(section, place)
            below = self._children.get(id(section), [])
            order.extend((child, n) for n, child in enumerate(below))
        segments = self._list.segments()
        for name in segments.groups:
            kind = _kind_of_section(name)
            if kind is not None:
                segments.kind_groups[name] = kind
        counted = (f"{s.name} nseg = {s.n_segments}" for s, _ in order if s.n_segments)
        name = template or self._root.name
        return HocCell(name, segments, self._cm, self._ra, "\n".join(counted))

    def _add(self, section: HocSection, place: int) -> None:
        attached, start = self._attachment(section)
        points = _without_repeats(section.points) or self._laid_out(section, start, place)
        if section.child_end == 1:
            points = points[::-1]
        rows: list[int] = []
        lengths: list[float] = []
        for proximal, distal in itertools.pairwise(points):
            parent = (rows[-1], _ONE) if rows else attached
            id_ = len(self._list)
            row = self._list.add(id_, section.name, section.name, parent, proximal, distal)
            rows.append(row)
            lengths.append(math.dist(proximal[:3], distal[:3]))
            self._cm.append(section.cm)
            self._ra.append(section.ra)
        if section.child_end == 1:
            rows, lengths, points = rows[::-1], lengths[::-1], points[::-1]
        self._rows[id(section)] = rows
        self._lengths[id(section)] = lengths
        self._points[id(section)] = points

    def _attachment(self, section: HocSection) -> tuple[tuple[int, Decimal] | None, Point]:
        """The segment of its parent that a section starts on, where on it, and the point there."""
        parent = section.parent
        if parent is None or id(parent) not in self._rows:
            return None, (_ZERO, _ZERO, _ZERO, _ZERO)
        rows, lengths = self._rows[id(parent)], self._lengths[id(parent)]
        index, fraction = _along(lengths, section.parent_x)
        start, end = self._points[id(parent)][index : index + 2]
        if parent.child_end == 1:
            at = _between(start, end, fraction)
            return (rows[index], _ONE - fraction), at
        return (rows[index], fraction), _between(start, end, fraction)

    def _laid_out(self, section: HocSection, start: Point, place: int) -> list[Point]:
        """Ends for a section that has a length and no points: along an axis, siblings apart."""
        x, y, z, _ = start
        length, diameter = section.length or _ZERO, section.diameter or _ZERO
        dx, dy, dz = _AXES[place % len(_AXES)]
        end = (x + dx * length, y + dy * length, z + dz * length, diameter)
        points = [(x, y, z, diameter), end]
        return points[::-1] if section.child_end == 1 else points


def _along(lengths: list[float], x: Decimal) -> tuple[int, Decimal]:
    """The piece of a line that a fraction of its length falls on, and the fraction of the piece."""
    if x == 0:
        return 0, _ZERO
    if x == 1:
        return len(lengths) - 1, _ONE
    rest = float(x) * sum(lengths)
    for index, length in enumerate(lengths):
        if rest <= length and length > 0:
            return index, Decimal(repr(round(min(1.0, rest / length), 9)))
        rest -= length
    return len(lengths) - 1, _ONE


def _between(start: Point, end: Point, fraction: Decimal) -> Point:
    x, y, z, d = (a + (b - a) * fraction for a, b in zip(start, end, strict=True))
    return x, y, z, d


def _without_repeats(points: list[Point]) -> list[Point]:
    """Points without those that repeat the one before; two equal ones alone stay."""
    kept = [point for n, point in enumerate(points) if n == 0 or point != points[n - 1]]
    return kept if len(kept) > 1 else points[:2]


def _kind_of_section(name: str) -> str | None:
    lower = name.lower()
    return kind_of_name(name) or ("axon" if any(w in lower for w in _AXON_WORDS) else None)
