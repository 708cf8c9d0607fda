"""How likely a connection's lift would be, were nothing particular about it."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.stats import rankdata, ttest_1samp

from bnnkg.gnn.metrics import Floats, Ints
from bnnkg.gnn.nulls import similar_groups

EVEN_SHARE = 1.0
"""The lift of a source that is attended to as much as any other."""
_FEWEST_SEEDS = 2


def degree_matched_p(lift: Floats, n_sources: Ints) -> Floats:
    """How rare so high a lift is among connections whose receivers chose between as many sources.

    A receiver with few sources cannot lift any far, and one with many can by accident: so a
    connection is compared with its like. Peers have the same number of sources where there are
    enough such connections, and nearly the same elsewhere.

    Args:
        lift: [n] of each connection.
        n_sources: [n] what its receiver chose between.

    Returns:
        [n] share of its peers, itself among them, with a lift at least as high.
    """
    found = np.full(len(lift), np.nan)
    for group in similar_groups(np.argsort(n_sources, kind="stable"), n_sources):
        found[group] = rankdata(-lift[group], method="max") / len(group)
    return found


def seed_p(lifts: Floats) -> Floats:
    """How likely the seeds' mean lift would be, were the true one an even share.

    Args:
        lifts: [seeds, n].

    Returns:
        [n] of Student's t test, one-sided; not a number with one seed, or where seeds are equal.
    """
    if len(lifts) < _FEWEST_SEEDS:
        return np.full(lifts.shape[1], np.nan)
    varies = np.ptp(lifts, axis=0) > 0
    found = np.full(lifts.shape[1], np.nan)
    if varies.any():
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # nearly equal seeds: p is nearly 0 or 1
            tested = ttest_1samp(lifts[:, varies], EVEN_SHARE, axis=0, alternative="greater")
        found[varies] = tested.pvalue
    return found
