"""What a score would be by chance: permutations of a split's independent units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bnnkg.gnn.metrics import Floats, Ints

N_PERMUTATIONS = 400
QUANTILE = 0.95


def unit_permutations(
    units: Ints, strata: Ints, seed: int, n: int = N_PERMUTATIONS
) -> Iterator[Ints]:
    """Rearranges items so that whole units change places.

    Items of one unit (all pairs between two classes of neurons, say) go together, because they
    are not independent; units of the same size within one stratum are exchanged.

    Args:
        units: [n] unit of each item.
        strata: [n] what may not be mixed (the column of a feature, say).
        seed: Of the permutations.
        n: How many.

    Yields:
        [n] for each item, the item whose label it takes.
    """
    blocks = _blocks(units, strata)
    rng = np.random.default_rng(seed)
    for _ in range(n):
        permutation = np.arange(len(units))
        for block in blocks:
            permutation[block] = block[rng.permutation(len(block))]
        yield permutation


def chance(null: Floats) -> float:
    """Upper 95% of a null's scores; not a number where none could be computed."""
    known = null[np.isfinite(null)]
    return float(np.quantile(known, QUANTILE)) if len(known) else float("nan")


def _blocks(units: Ints, strata: Ints) -> list[Ints]:
    """Per stratum and size, [units of that size, size] places of their items."""
    order = np.lexsort((units, strata))
    changes = np.diff(units[order]).astype(bool) | np.diff(strata[order]).astype(bool)
    parts = np.split(order, np.flatnonzero(changes) + 1) if len(order) else []
    same: dict[tuple[int, int], list[Ints]] = {}
    for part in parts:
        same.setdefault((int(strata[part[0]]), len(part)), []).append(part)
    return [np.stack(parts) for parts in same.values()]
