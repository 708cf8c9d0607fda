"""Rows that belong together, as columns: keys become numbers, and groups sums over stretches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bnnkg.gnn.metrics import Floats, Ints


def ranks(texts: Sequence[str]) -> tuple[list[str], Ints]:
    """The different texts in ascending order, and [n] the place of each one among them."""
    names = sorted(dict.fromkeys(texts))  # in order of appearance, which is mostly sorted already
    place = {name: rank for rank, name in enumerate(names)}
    return names, np.fromiter(map(place.__getitem__, texts), np.int64, len(texts))


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
        total: Floats = np.add.reduceat(values[..., self.order], self.start, axis=-1)
        return total

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
