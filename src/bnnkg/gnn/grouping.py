"""Rows that belong together, as columns: keys become numbers, and groups sums over stretches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bnnkg.gnn.metrics import Floats, Ints


class Ranks:
    """Numbers for texts, in ascending order of the texts.

    Args:
        texts: All that will be asked for.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = sorted(dict.fromkeys(texts))  # as they appear: most of them ascend already
        self._place = dict(zip(self.texts, range(len(self.texts)), strict=True))

    def of(self, column: Sequence[str]) -> Ints:
        """[n] the place of each text in ``texts``."""
        return np.fromiter(map(self._place.__getitem__, column), np.int64, len(column))


@dataclass(frozen=True)
class Groups:
    """Rows in an order in which those of one group follow each other.

    n rows, at least one of them, in g groups.

    Attributes:
        order: [n] the rows, by group and then as they came.
        start: [g] where in ``order`` each group begins.
    """

    order: Ints
    start: Ints

    @classmethod
    def of(cls, *keys: Ints) -> Groups:
        """Groups of the rows that are equal in all keys [n], sorted by the first key first."""
        order = np.lexsort(keys[::-1])
        begins = np.zeros(len(order), dtype=bool)
        begins[0] = True
        for key in keys:
            ordered = key[order]
            begins[1:] |= ordered[1:] != ordered[:-1]
        return cls(order, np.flatnonzero(begins))

    @property
    def first(self) -> Ints:
        """[g] the first row of each group."""
        return self.order[self.start]

    @property
    def sizes(self) -> Ints:
        """[g] rows of each group."""
        return np.diff(self.start, append=len(self.order))

    def sums(self, values: Floats) -> Floats:
        """[..., g] sums of values [..., n]; not a number where one of them is none."""
        ordered: Floats = values[..., self.order]
        if len(self.start) == len(self.order):
            return ordered
        return np.asarray(np.add.reduceat(ordered, self.start, axis=-1))

    def means(self, values: Floats) -> Floats:
        """[..., g] means of values [..., n]; not a number where one of them is none."""
        return self.sums(values) / self.sizes

    def known_means(self, values: Floats) -> Floats:
        """[..., g] means of the finite ones of values [..., n]; not a number where none is."""
        known = np.isfinite(values)
        if known.all():
            return self.means(values)
        count = self.sums(known.astype(np.float64))
        count[count == 0] = np.nan
        return self.sums(np.where(known, values, 0.0)) / count

    def spreads(self, values: Floats) -> Floats:
        """[g] standard deviations of values [n], of all that there are of each group."""
        apart = values[self.order] - np.repeat(self.means(values), self.sizes)
        variance = np.add.reduceat(apart**2, self.start) / self.sizes
        return np.asarray(np.sqrt(variance))
