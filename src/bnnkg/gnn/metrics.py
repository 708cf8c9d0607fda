"""Scores of predictions, by rank where there are ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ranked:
    """Scores that were sorted once, to be marked against many labellings.

    Attributes:
        ranks: [n] rank of each score from 1, ties sharing their mean rank.
        order: [n] from the highest score to the lowest.
        last: [n] in that order, True for the last of its ties.
    """

    ranks: Floats
    order: Ints
    last: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: ArrayLike) -> Ranked:
        """Sorts scores [n]."""
        values = np.asarray(scores, dtype=np.float64)
        order = np.argsort(-values, kind="stable")
        falling = values[order]
        return cls(
            rankdata(values), order, np.append(falling[1:] != falling[:-1], True)[: len(order)]
        )

    def auroc(self, labels: ArrayLike) -> float:
        """Probability that a positive scores above a negative, ties counting half.

        ``(R - P (P + 1) / 2) / (P Q)`` with R the sum of the positives' ranks, P of them and Q
        negatives (Mann & Whitney, Ann. Math. Stat. 1947).

        Returns:
            0 to 1; not a number where one of the classes is empty.
        """
        truth = np.asarray(labels, dtype=np.float64)
        positive = float(truth.sum())
        pairs = positive * (len(truth) - positive)
        above = float(truth @ self.ranks) - positive * (positive + 1) / 2
        return above / pairs if pairs else float("nan")

    def average_precision(self, labels: ArrayLike) -> float:
        """Precision at each rank of a positive, averaged; tied scores share one rank.

        Returns:
            0 to 1; not a number where there is no positive.
        """
        truth = np.asarray(labels, dtype=np.float64)
        if not truth.sum():
            return float("nan")
        found = np.cumsum(truth[self.order])[self.last]
        precision = found / (np.flatnonzero(self.last) + 1)
        return float((np.diff(found, prepend=0.0) * precision).sum() / truth.sum())


def auroc(scores: ArrayLike, labels: ArrayLike) -> float:
    """:meth:`Ranked.auroc` of one labelling."""
    return Ranked.of(scores).auroc(labels)


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """:meth:`Ranked.average_precision` of one labelling."""
    return Ranked.of(scores).average_precision(labels)


def r2(predicted: ArrayLike, true: ArrayLike, baseline: ArrayLike) -> float:
    """Share of the squared error of a baseline that a prediction takes away.

    Returns:
        At most 1; negative where the baseline is better; not a number where it has no error.
    """
    values = np.asarray(true, dtype=np.float64)
    residual = float(np.square(values - np.asarray(predicted)).sum())
    total = float(np.square(values - np.asarray(baseline)).sum())
    return 1 - residual / total if total > 0 else float("nan")


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Rank correlation, ties sharing their mean rank.

    Returns:
        -1 to 1; not a number where either is constant.
    """
    a, b = (rankdata(np.asarray(values, dtype=np.float64)) for values in (one, other))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum() / scale) if scale > 0 else float("nan")


def spread(values: Sequence[float]) -> float:
    """Standard deviation over seeds; 0 of one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def over_seeds(values: Sequence[float]) -> dict[str, float | int]:
    """``mean``, ``sd`` and ``n`` of what several seeds gave."""
    return {"mean": float(np.mean(values)), "sd": spread(values), "n": len(values)}
