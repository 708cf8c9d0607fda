"""Which neurons of a run are copies of one cell.

Two trees are copies where everything about them is equal but for their names and where they stand:
NEURON keeps 3-D points in single precision, so a copy that was moved differs from its model by
the rounding of where it was moved to, and that is allowed for. What follows from the points (the
length, the areas) is not compared. Copies whose sections were made in another order are found
later, by their content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.densities import DensityTable
from bnnkg.ingest.neuron.forest import Forest
from bnnkg.ingest.neuron.rounding import micrometres_apart, nine_digits
from bnnkg.ingest.parsed import Floats, Integers

_ROUNDING = 2.0**-21
"""A few units in the last place of single precision, relative to the largest coordinate."""
_FLOOR_UM = 2e-6
_SEED = 11


@dataclass(frozen=True)
class Clusters:
    """Copies of one cell.

    Attributes:
        of_tree: (t,) cluster of each tree.
        model: Per cluster, the tree to build the cell from: the one that was moved least.
        origin_um: (t, 3) where each tree stands: the start of its soma, else of its root; NaN
            where it has no 3-D points.
    """

    of_tree: Integers
    model: tuple[int, ...]
    origin_um: Floats


def has_points(forest: Forest) -> np.ndarray:
    """Whether each section is drawn in 3-D: by two points at least."""
    return np.diff(forest.first_point) > 1


def depths(parent: Integers) -> Integers:
    """Number of ancestors of each row, following all parents at once."""
    n = len(parent)
    above = np.append(np.where(parent < 0, n, parent), n)
    depth = np.append((parent >= 0).astype(np.int64), 0)
    while (above != n).any():
        depth = depth + depth[above]
        above = above[above]
    return depth[:n]


def find_clusters(capture: Capture, forest: Forest, tables: Sequence[DensityTable]) -> Clusters:
    """Groups the trees of a run."""
    origin = _origins(capture, forest)
    by_content: dict[bytes, list[int]] = {}
    for tree, digest in enumerate(_digests(capture, forest, tables)):
        by_content.setdefault(digest, []).append(tree)
    of_tree = np.zeros(len(forest), np.int64)
    model: list[int] = []
    for trees in by_content.values():
        for copies in _alike(forest, trees, origin):
            of_tree[copies] = len(model)
            model.append(_least_moved(copies, origin))
    return Clusters(of_tree, tuple(model), origin)


def _origins(capture: Capture, forest: Forest) -> Floats:
    """Start of the soma nearest to the root, else of the section nearest to it that is drawn."""
    drawn = has_points(forest)
    n_children = np.bincount(forest.parent[forest.parent >= 0], minlength=len(forest.row))
    length = nine_digits(capture.sections.length_um[forest.row])
    order = np.lexsort(
        (-length, -n_children, depths(forest.parent), forest.kind != 0, ~drawn, forest.tree)
    )
    best = order[np.searchsorted(forest.tree[order], np.arange(len(forest)))]
    origin = np.full((len(forest), 3), np.nan)
    here = drawn[best]
    origin[here] = forest.points_um[forest.first_point[best[here]], :3]
    return origin


def _digests(capture: Capture, forest: Forest, tables: Sequence[DensityTable]) -> list[bytes]:
    """Of all that makes a cell but where its points are, per tree."""
    drawn = has_points(forest)
    sections, segments = capture.sections, capture.segments
    n_points = np.diff(forest.first_point)
    of_section = np.column_stack([
        forest.kind, forest.local_parent, sections.nseg[forest.row], n_points * drawn,
        forest.fraction, nine_digits(sections.ra_ohm_cm[forest.row]),
        np.where(drawn, 0.0, nine_digits(sections.length_um[forest.row])),
    ]).astype(np.float64)  # fmt: skip
    drawn_segment = np.repeat(drawn, np.diff(forest.first_segment))
    of_segment = np.column_stack([
        nine_digits(segments.cm_uF_per_cm2[forest.segment]),
        np.where(drawn_segment, 0.0, nine_digits(segments.diameter_um[forest.segment])),
    ])  # fmt: skip
    thickness = np.ascontiguousarray(forest.points_um[:, 3])
    first_segment = forest.first_segment[forest.first]
    first_point = forest.first_point[forest.first]
    bounds = [np.searchsorted(table.segment, first_segment) for table in tables]
    marks = [np.column_stack([table.segment, nine_digits(table.marks)]) for table in tables]
    found = []
    for tree in range(len(forest)):
        digest = hashlib.blake2b(digest_size=16)
        digest.update(of_section[forest.first[tree] : forest.first[tree + 1]].data)
        digest.update(of_segment[first_segment[tree] : first_segment[tree + 1]].data)
        digest.update(thickness[first_point[tree] : first_point[tree + 1]].data)
        for place, (bound, mark) in enumerate(zip(bounds, marks, strict=True)):
            low, high = bound[tree], bound[tree + 1]
            if high > low:
                rows = mark[low:high].copy()
                rows[:, 0] -= first_segment[tree]
                digest.update(place.to_bytes(4, "little"))
                digest.update((rows + 0.0).data)
        found.append(digest.digest())
    return found


def _alike(forest: Forest, trees: list[int], origin: Floats) -> list[list[int]]:
    """Splits trees of equal content by where their points are.

    They are sorted by a random projection of their points, so that copies come to stand together,
    and each is compared with the first of the copies before it.
    """
    if len(trees) == 1 or np.isnan(origin[trees[0], 0]):
        return [trees]
    ends = forest.first_point[forest.first]
    weights = np.random.default_rng(_SEED).standard_normal(
        int(ends[trees[0] + 1] - ends[trees[0]]) * 3
    )
    shapes = (_shape(forest, tree, origin) for tree in trees)
    projected = [float(weights @ shape.ravel()) for shape in shapes]
    found: list[list[int]] = []
    model: Floats | None = None
    for place in np.argsort(projected, kind="stable").tolist():
        tree = trees[place]
        shape = _shape(forest, tree, origin)
        if model is None or not _same(model, shape, origin[[found[-1][0], tree]]):
            found.append([])
            model = shape
        found[-1].append(tree)
    return [sorted(copies) for copies in found]


def _shape(forest: Forest, tree: int, origin: Floats) -> Floats:
    """Points of a tree, from where it stands."""
    start, end = forest.first_point[forest.first[[tree, tree + 1]]]
    return micrometres_apart(forest.points_um[start:end, :3], origin[tree])


def _same(one: Floats, other: Floats, origins: Floats) -> bool:
    largest = np.abs(one).max(initial=0.0) + np.abs(origins).max()
    return bool(np.abs(one - other).max(initial=0.0) <= largest * _ROUNDING + _FLOOR_UM)


def _least_moved(trees: list[int], origin: Floats) -> int:
    distance = np.abs(origin[trees]).max(axis=1)
    return trees[int(np.argmin(np.where(np.isnan(distance), 0.0, distance)))]
