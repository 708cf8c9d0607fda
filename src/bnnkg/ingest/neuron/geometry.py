"""Lines in space for the segments of sections.

Where the author gave 3-D points, the line through them is cut at the borders of the segments. A
section without is drawn straight, as its place among its siblings and its length say: NEURON's own
drawing follows the order in which sections were made, which is no part of a cell.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bnnkg.ingest.parsed import Floats

_SPREAD = math.pi / 2


def cut_line(line_um: Floats, diameters_um: Floats) -> Floats:
    """Segments of equal length along a line.

    Args:
        line_um: (p, 3) its points, p at least 2.
        diameters_um: (nseg,) of the segments.

    Returns:
        (nseg, 8) x, y, z, diameter of both ends of each.
    """
    nseg = len(diameters_um)
    steps = np.sqrt((np.diff(line_um, axis=0) ** 2).sum(axis=1))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    total = along[-1] if along[-1] > 0 else 1.0
    borders = np.arange(nseg + 1) / nseg
    ends = np.column_stack([np.interp(borders, along / total, line_um[:, k]) for k in range(3)])
    ends[0], ends[-1] = line_um[0], line_um[-1]
    return np.column_stack([ends[:-1], diameters_um, ends[1:], diameters_um])


def draw_lines(
    given_um: Sequence[Floats | None],
    parents: Sequence[int],
    fractions: Sequence[float],
    lengths_um: Sequence[float],
) -> list[Floats]:
    """A line for every section of a cell, parents before children.

    A section without points goes straight on from the end of its parent, back from its start, and
    aside from in between; siblings without points spread over a right angle in the plane.

    Args:
        given_um: (p, 3) points of each; absent where there are none.
        parents: Place of each section's parent; -1 for a root.
        fractions: Where on its parent each starts.
        lengths_um: Length of each.
    """
    n_beside: Counter[tuple[int, float]] = Counter()
    rank = []
    for own, on, at in zip(given_um, parents, fractions, strict=True):
        rank.append(n_beside[on, at])
        n_beside[on, at] += own is None
    lines: list[Floats] = []
    for place, points in enumerate(given_um):
        if points is not None:
            lines.append(points)
            continue
        parent, fraction = parents[place], fractions[place]
        begin, angle = np.zeros(3), 0.0
        if parent >= 0:
            beside = n_beside[parent, fraction]
            aside = (rank[place] - (beside - 1) / 2) / max(beside - 1, 1)
            begin = _on_line(lines[parent], fraction)
            angle = _heading(lines[parent]) + _turn(fraction) + aside * _SPREAD
        way = np.array([math.cos(angle), math.sin(angle), 0.0])
        end = np.round(begin + way * lengths_um[place], 9) + 0.0
        lines.append(np.stack([begin, end]))
    return lines


def _on_line(line: Floats, fraction: float) -> Floats:
    steps = np.sqrt((np.diff(line, axis=0) ** 2).sum(axis=1))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = fraction * along[-1]
    return np.array([np.interp(at, along, line[:, k]) for k in range(3)])


def _heading(line: Floats) -> float:
    x, y, _ = line[-1] - line[0]
    return math.atan2(y, x)


def _turn(fraction: float) -> float:
    if fraction == 1:
        return 0.0
    return math.pi if fraction == 0 else math.pi / 2
