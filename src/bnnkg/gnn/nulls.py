"""What a score would be by chance: permutations of a split's independent units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bnnkg.gnn.metrics import Floats, Ints

N_PERMUTATIONS = 400
QUANTILE = 0.95
FEWEST_PEERS = 8
"""Units that are exchanged with each other, where there are so many."""


def unit_permutations(
    units: Ints, strata: Ints, seed: int, n: int = N_PERMUTATIONS
) -> Iterator[Ints]:
    """Rearranges answers so that whole units change places.

    Items of one unit (all pairs between two classes of neurons, say) go together, because they
    are not independent. Units are exchanged within a stratum, among those of about their size: of
    the same size where there are enough, and a unit that takes the place of a larger one repeats.

    Args:
        units: [n] unit of each item.
        strata: [n] what may not be mixed (the column of a feature, say).
        seed: Of the permutations.
        n: How many.

    Yields:
        [n] for each item, the item whose answer it takes.
    """
    order, start, size, peers = _blocks(units, strata)
    own = np.repeat(np.arange(len(size)), size)
    rank = np.arange(len(order)) - start[own]
    rng = np.random.default_rng(seed)
    for _ in range(n):
        taken = np.arange(len(size))
        for group in peers:
            taken[group] = group[rng.permutation(len(group))]
        other = taken[own]
        permutation = np.empty(len(order), dtype=np.int64)
        permutation[order] = order[start[other] + rank % size[other]]
        yield permutation


def chance(null: Floats) -> float:
    """Upper 95% of a null's scores; not a number where none could be computed."""
    known = null[np.isfinite(null)]
    return float(np.quantile(known, QUANTILE)) if len(known) else float("nan")


def _blocks(units: Ints, strata: Ints) -> tuple[Ints, Ints, Ints, list[Ints]]:
    """Items in order of stratum and unit; each unit's start and size; units to be exchanged."""
    order = np.lexsort((units, strata))
    changes = np.diff(units[order]).astype(bool) | np.diff(strata[order]).astype(bool)
    start = np.append(0, np.flatnonzero(changes) + 1) if len(order) else np.zeros(0, np.int64)
    size = np.diff(np.append(start, len(order)))
    peers: list[Ints] = []
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata[order][start] == stratum)
        peers += similar_groups(own[np.argsort(size[own], kind="stable")], size)
    return order, start, size, peers


def similar_groups(ordered: Ints, size: Ints) -> list[Ints]:
    """Cuts units in order of size where the size changes, leaving no group smaller than it may."""
    cuts = [0]
    for change in (np.flatnonzero(np.diff(size[ordered])) + 1).tolist():
        if change - cuts[-1] >= FEWEST_PEERS:
            cuts.append(change)
    if len(cuts) > 1 and len(ordered) - cuts[-1] < FEWEST_PEERS:
        cuts.pop()
    return np.split(ordered, cuts[1:]) if len(ordered) else []
