"""Traced points with parents, as SWC and Neurolucida have them, as segments.

A segment leads from a sample to each of its children. Where a neurite meets the soma there is a
rule of NEURON's ``Import3d``, which is followed: the gap between a soma that is one ball and the
first sample of a neurite is no membrane, and the first diameter of a neurite is its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from bnnkg.ingest.morphology import Point, Segments
from bnnkg.ingest.sections import frusta

_KIND_OF_LABEL = {
    "soma": "soma", "axon": "axon", "dendrite": "dendrite", "apical dendrite": "dendrite",
}  # fmt: skip
_HALF, _ONE, _ZERO = Decimal("0.5"), Decimal(1), Decimal(0)
_Attachment = tuple[int, Decimal]


@dataclass
class Samples:
    """Traced points as columns, in any order.

    Attributes:
        ids: Ids in the file.
        labels: soma, axon, dendrite, apical dendrite, or what else the file says.
        points: x, y, z, diameter in um.
        parents: Row of the parent, -1 for a root.
        cylinders: Both ends of roots that are no points.
        notes: What the reader had to decide.
    """

    ids: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    cylinders: dict[int, tuple[Point, Point]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, id_: int, label: str, point: Point, parent: int) -> int:
        """Adds a sample and returns its row."""
        self.ids.append(id_)
        self.labels.append(label)
        self.points.append(point)
        self.parents.append(parent)
        return len(self.ids) - 1


class SegmentList:
    """Segments as they come, parents before children."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._names: list[str] = []
        self._parents: list[int] = []
        self._fractions: list[Decimal] = []
        self._ends: list[tuple[Point, Point]] = []
        self._groups: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ids)

    def add(
        self,
        id_: int,
        name: str,
        group: str,
        parent: _Attachment | None,
        proximal: Point,
        distal: Point,
    ) -> int:
        """Adds a segment and returns its row.

        Args:
            id_: Its id.
            name: Its name.
            group: The group that it belongs to.
            parent: Row of its parent and where on it; absent for a root.
            proximal: Its start.
            distal: Its end.
        """
        row = len(self._ids)
        self._ids.append(id_)
        self._names.append(name)
        self._parents.append(parent[0] if parent else -1)
        self._fractions.append(parent[1] if parent else _ONE)
        self._ends.append((proximal, distal))
        self._groups.setdefault(group, []).append(row)
        return row

    def segments(self) -> Segments:
        """All of them, with a group for each label."""
        children: list[list[int]] = [[] for _ in self._ids]
        for row, parent in enumerate(self._parents):
            if parent >= 0:
                children[parent].append(row)
        return Segments(
            ids=self._ids,
            names=self._names,
            parents=self._parents,
            fractions=self._fractions,
            proximal=[proximal for proximal, _ in self._ends],
            distal=[distal for _, distal in self._ends],
            row_of={id_: row for row, id_ in enumerate(self._ids)},
            children=children,
            groups=self._groups,
            kind_groups={n: _KIND_OF_LABEL[n] for n in self._groups if n in _KIND_OF_LABEL},
        )


def segments_of(samples: Samples) -> Segments:
    """The segments between samples; the order of the samples in the file does not count.

    Args:
        samples: The samples; their parents lead to roots.
    """
    return _Joining(samples).run()


class _Joining:
    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        n = len(samples.ids)
        self._children: list[list[int]] = [[] for _ in range(n)]
        for row, parent in enumerate(samples.parents):
            if parent >= 0:
                self._children[parent].append(row)
        self._soma = [label == "soma" for label in samples.labels]
        self._n_soma_children = [sum(self._soma[c] for c in below) for below in self._children]
        self._list = SegmentList()
        self._at: list[_Attachment | None] = [None] * n
        self._starts = [False] * n
        self._base: list[_Attachment | None] = [None] * n
        self._left_out: set[int] = set()

    def run(self) -> Segments:
        roots = [row for row, parent in enumerate(self._samples.parents) if parent < 0]
        waiting = sorted(roots, key=self._order)
        for root in waiting:
            self._root(root)
        for row in waiting:  # grows while it is read: parents before children
            children = [c for c in self._children[row] if c not in self._left_out]
            for child in sorted(children, key=self._order):
                self._join(child, row)
                waiting.append(child)
        return self._list.segments()

    def _order(self, row: int) -> tuple[bool, str, Point]:
        return not self._soma[row], self._samples.labels[row], self._samples.points[row]

    def _root(self, row: int) -> None:
        children = self._children[row]
        soma_children = [child for child in children if self._soma[child]]
        outline = self._outline(row) if self._soma[row] else []
        if outline:
            self._replace_outline(row, outline)
        if row in self._samples.cylinders:
            self._cylinder(row)
        elif self._soma[row] and (not soma_children or self._is_ball(row, soma_children)):
            self._left_out.update(soma_children)
            self._ball(row)
        elif not children:
            self._ball(row)
        else:
            self._starts[row] = True

    def _ball(self, row: int) -> None:
        samples = self._samples
        point = samples.points[row]
        new = self._list.add(samples.ids[row], "", samples.labels[row], None, point, point)
        self._at[row] = (new, _HALF)

    def _cylinder(self, row: int) -> None:
        samples = self._samples
        start, end = samples.cylinders[row]
        new = self._list.add(samples.ids[row], "", samples.labels[row], None, start, end)
        self._at[row] = (new, _HALF)

    def _is_ball(self, row: int, soma_children: list[int]) -> bool:
        """Whether a soma is of three samples that stand for a ball (NeuroMorpho's usage)."""
        if len(soma_children) != 2 or any(self._children[child] for child in soma_children):
            return False
        x, y, z, d = self._samples.points[row]
        ends = [self._samples.points[child] for child in soma_children]
        if d <= 0 or any(end[3] != d for end in ends):
            return False
        length = sum(math.dist((x, y, z), end[:3]) for end in ends)
        return abs(length / float(d) - 1) < 0.01

    def _join(self, row: int, parent: int) -> None:
        if self._stands_apart(row, parent):
            self._starts[row], self._base[row] = True, self._at[parent]
            return
        samples = self._samples
        if samples.points[row] == samples.points[parent] and self._at[parent] is not None:
            self._at[row] = self._at[parent]  # a sample that is given twice
            return
        x, y, z, d = samples.points[parent]
        if self._soma[parent] and not self._soma[row]:
            d = samples.points[row][3]
        at = self._at[parent]
        first = self._starts[parent] and at is None
        new = self._list.add(
            samples.ids[row], "", samples.labels[row],
            self._base[parent] if first else at, (x, y, z, d), samples.points[row],
        )  # fmt: skip
        self._at[row] = (new, _ONE)
        if first:
            self._at[parent] = (new, _ZERO)

    def _stands_apart(self, row: int, parent: int) -> bool:
        """Whether the way from the soma to a neurite is no membrane."""
        labels = self._samples.labels
        goes_on = any(labels[child] == labels[row] for child in self._children[row])
        if not self._soma[parent] or self._soma[row] or not goes_on:
            return False
        at = self._at[parent]
        if at is not None and at[1] == _HALF:
            return True
        above = self._samples.parents[parent]
        return self._n_soma_children[parent] + (above >= 0 and self._soma[above]) > 1

    # ------------------------------------------------------------------ outlines of somata

    def _outline(self, root: int) -> list[int]:
        """Rows of a soma that is drawn as its outline: a thin closed chain; else none."""
        chain = [root]
        while soma := [child for child in self._children[chain[-1]] if self._soma[child]]:
            if len(soma) > 1:
                return []
            chain.append(soma[0])
        if len(chain) < 6:
            return []
        points = np.array([[float(v) for v in self._samples.points[row]] for row in chain])
        return chain if _is_outline(points) else []

    def _replace_outline(self, root: int, chain: list[int]) -> None:
        samples = self._samples
        outline = np.array([[float(v) for v in samples.points[row][:3]] for row in chain])
        samples.cylinders[root] = cylinder_of_outline(outline)
        samples.notes.append("the soma is drawn as an outline; a cylinder stands for it")
        others = [c for row in chain for c in self._children[row] if not self._soma[c]]
        self._children[root] = others


def _is_outline(points: npt.NDArray[np.float64]) -> bool:
    xyz, diameters = points[:, :3], points[:, 3]
    steps = np.linalg.norm(np.diff(xyz, axis=0), axis=1)
    reach = np.linalg.norm(xyz - xyz.mean(axis=0), axis=1).mean()
    gap = np.linalg.norm(xyz[0] - xyz[-1])
    return bool(np.ptp(diameters) == 0 and diameters[0] < reach / 2 and gap <= 2 * steps.max())


def cylinder_of_outline(outline: npt.NDArray[np.float64]) -> tuple[Point, Point]:
    """A cylinder for a soma that is drawn as an outline.

    As NEURON's ``Import3d`` does, the outline is seen as a stack of 20 frusta along its major axis,
    whose diameters are its widths across; the cylinder has the length and the lateral area of that
    stack: ``d = A / (pi L)``.

    Args:
        outline: Points around it in um, (n, 3).

    Returns:
        Both ends, x, y, z and diameter in um.
    """
    ring = _evenly(outline)
    centre = ring.mean(axis=0)
    spread = ring - centre
    values, axes = np.linalg.eigh(spread.T @ spread)
    order = np.argsort(values)
    major, minor = axes[:, order[2]], axes[:, order[1]].copy()
    major = major * (1 if major[np.argmax(np.abs(major))] > 0 else -1)
    minor[2] = 0
    width = np.linalg.norm(minor)
    minor = minor / width if width > 0 else minor
    along, widths = _widths(spread @ major, spread @ minor)
    length = float(along[-1] - along[0])
    if not length > 0:
        point = _point(centre, 0.0)
        return point, point
    stack = np.zeros((len(along) - 1, 8))
    stack[:, 0], stack[:, 3] = along[:-1], widths[:-1]
    stack[:, 4], stack[:, 7] = along[1:], widths[1:]
    diameter = float(frusta(stack)[1].sum()) / (math.pi * length)
    return (
        _point(centre + major * along[0], diameter),
        _point(centre + major * along[-1], diameter),
    )


def _evenly(outline: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """101 points at equal distances from the first to the last of an outline."""
    steps = np.linalg.norm(np.diff(outline, axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, way[-1], 101)
    return np.column_stack([np.interp(at, way, outline[:, axis]) for axis in range(3)])


def _widths(
    along: npt.NDArray[np.float64], across: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Places along the major axis, 21 of them, and the widths there."""
    first = int(np.argmax(along))
    along, across = np.roll(along, -first), np.roll(across, -first)
    last = int(np.argmin(along))
    one = _rising(along[:last][::-1], across[:last][::-1])
    other = _rising(along[last:], across[last:])
    ends = np.sort(np.concatenate([one[0], other[0]]))
    if len(ends) < 4:
        return ends[:1], np.zeros(1)
    at = np.linspace(ends[1], ends[-2], 21)
    widths = np.abs(np.interp(at, *one) - np.interp(at, *other))
    widths[0] = (widths[0] + widths[1]) / 2
    widths[-1] = (widths[-1] + widths[-2]) / 2
    return at, widths


def _rising(
    along: npt.NDArray[np.float64], across: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One side of an outline where it goes forward, which makes it convex."""
    if not len(along):
        return np.zeros(1), np.zeros(1)
    highest = np.maximum.accumulate(along)
    keep = np.concatenate([[True], along[1:] > highest[:-1]])
    return along[keep], across[keep]


def _point(xyz: npt.NDArray[np.float64], diameter: float) -> Point:
    x, y, z, d = (Decimal(repr(round(float(value), 6))) for value in (*xyz, diameter))
    return x, y, z, d
