"""Morphometrics of cells: one function per measure, over the columns of their sections.

Sections come parents first, and those of one kind that hang together (a dendrite and all dendrites
that grow from it) make a neurite, as in NeuroM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnkg.ingest.parsed import Floats, Integers, Section

KINDS = ("soma", "dendrite", "axon")
NEURITES = ("dendrite", "axon")


@dataclass(frozen=True)
class SectionColumns:
    """The sections of one cell, a row each.

    Attributes:
        kind: soma, dendrite, axon or other.
        parent: Row of the parent, -1 for a root.
        length_um: Along the section.
        area_um2: Lateral membrane area.
        volume_um3: Volume.
        path_um: Path from the root to the far end.
        start_um: Where it begins, (n, 3).
        end_um: Where it ends, (n, 3).
    """

    kind: np.ndarray
    parent: Integers
    length_um: Floats
    area_um2: Floats
    volume_um3: Floats
    path_um: Floats
    start_um: Floats
    end_um: Floats


def section_columns(sections: tuple[Section, ...]) -> SectionColumns:
    """The sections of a cell as columns."""
    lengths = np.array([s.length_um for s in sections], np.float64)
    middles = np.array([s.path_distance_um for s in sections], np.float64)
    return SectionColumns(
        kind=np.array([s.kind for s in sections]),
        parent=np.array([s.parent for s in sections], np.int64),
        length_um=lengths,
        area_um2=np.array([s.area_um2 for s in sections], np.float64),
        volume_um3=np.array([s.volume_um3 for s in sections], np.float64),
        path_um=middles + lengths / 2,
        start_um=np.array([s.segment_points_um[0:3] for s in sections], np.float64),
        end_um=np.array([s.segment_points_um[-4:-1] for s in sections], np.float64),
    )


def euclidean_distances(columns: SectionColumns) -> Floats:
    """Straight distance from the origin, where the soma or else the root begins, to the far end."""
    return _norms(columns.end_um)


def tortuosities(columns: SectionColumns) -> Floats:
    """Length over the straight distance between both ends; NaN where these are one point."""
    chords = _norms(columns.end_um - columns.start_um)
    return np.divide(columns.length_um, chords, out=np.full_like(chords, np.nan), where=chords > 0)


def branch_orders(columns: SectionColumns) -> Integers:
    """Branch points between the root and each section; that neurites leave the soma is none."""
    n_children = _counts(columns.parent, len(columns.parent))
    branches = (n_children > 1) & (columns.kind != "soma")
    above = np.where(columns.parent >= 0, branches[columns.parent], False)
    return _along_ancestors(columns.parent, above.astype(np.int64))


def neurite_parents(columns: SectionColumns) -> Integers:
    """The parent of each section where it is of the same kind, else -1: neurites apart."""
    same = columns.kind[columns.parent] == columns.kind
    return np.where((columns.parent >= 0) & same, columns.parent, -1)


def tip_counts(parent: Integers) -> Integers:
    """Tips of the tree that begins with each section: 1 where nothing grows from it."""
    tips: Integers = (_counts(parent, len(parent)) == 0).astype(np.int64)
    depth = _along_ancestors(parent, (parent >= 0).astype(np.int64))
    by_depth = np.argsort(-depth, kind="stable")
    for level in np.split(by_depth, np.flatnonzero(np.diff(depth[by_depth])) + 1):
        inner = level[parent[level] >= 0]
        np.add.at(tips, parent[inner], tips[inner])
    return tips


def asymmetries(parent: Integers) -> Floats:
    """Partition asymmetry of the bifurcation that ends each section (van Pelt and Uylings).

    ``|r - s| / (r + s - 2)`` for the tips r and s of its two subtrees, 0 where both have one; NaN
    where a section does not end in two.
    """
    n = len(parent)
    tips = tip_counts(parent)
    rows = np.flatnonzero(parent >= 0)
    low = np.full(n, np.iinfo(np.int64).max)
    high = np.zeros(n, np.int64)
    np.minimum.at(low, parent[rows], tips[rows])
    np.maximum.at(high, parent[rows], tips[rows])
    result: Floats = np.full(n, np.nan)
    forks = _counts(parent, n) == 2
    total = (low + high - 2)[forks]
    result[forks] = np.where(total > 0, (high - low)[forks] / np.maximum(total, 1), 0.0)
    return result


def measures_by_kind(columns: SectionColumns) -> dict[str, float | int]:
    """Measures of a cell's soma, dendrites and axon, by the names of the schema; absent if none."""
    neurites = neurite_parents(columns)
    orders, forks = branch_orders(columns), asymmetries(neurites)
    ends, bends = euclidean_distances(columns), tortuosities(columns)
    is_tip = _counts(neurites, len(neurites)) == 0
    found: dict[str, float | int] = {}
    for kind in KINDS:
        here = columns.kind == kind
        if not here.any():
            continue
        found[f"{kind}_length_um"] = float(columns.length_um[here].sum())
        found[f"{kind}_area_um2"] = float(columns.area_um2[here].sum())
        found[f"{kind}_volume_um3"] = float(columns.volume_um3[here].sum())
        if kind in NEURITES:
            found[f"n_{kind}_stems"] = int((here & (neurites < 0)).sum())
            found[f"n_{kind}_tips"] = int((here & is_tip).sum())
            found[f"{kind}_max_path_distance_um"] = float(columns.path_um[here].max())
            found[f"{kind}_max_euclidean_distance_um"] = float(ends[here].max())
            found[f"{kind}_max_branch_order"] = int(orders[here].max())
            _add_mean(found, f"{kind}_tortuosity", bends[here])
            _add_mean(found, f"{kind}_asymmetry", forks[here])
    return found


def _add_mean(found: dict[str, float | int], name: str, values: Floats) -> None:
    known = values[~np.isnan(values)]
    if len(known):
        found[name] = float(known.mean())


def _norms(vectors: Floats) -> Floats:
    norms: Floats = np.sqrt((vectors**2).sum(axis=1))
    return norms


def _counts(parent: Integers, n: int) -> Integers:
    """Children of each row."""
    return np.bincount(parent[parent >= 0], minlength=n)


def _along_ancestors(parent: Integers, values: Integers) -> Integers:
    """Sum of a column over each row and all above it, by doubling the reach of every step."""
    total, above = values.copy(), parent.copy()
    while (above >= 0).any():
        rows = np.flatnonzero(above >= 0)
        total[rows] += total[above[rows]]
        above[rows] = above[above[rows]]
    return total
