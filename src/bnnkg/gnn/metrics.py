"""Scores of predictions, by rank where there are ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def auroc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Probability that a positive scores above a negative, ties counting half.

    ``(R - P (P + 1) / 2) / (P Q)`` with R the sum of the positives' ranks, P of them and Q
    negatives (Mann & Whitney, Ann. Math. Stat. 1947).

    Returns:
        0 to 1; not a number where one of the classes is empty.
    """
    return float(aurocs(scores, np.asarray(labels, dtype=np.float64)[None])[0])


def aurocs(scores: ArrayLike, labels: NDArray[Any]) -> Floats:
    """AUROC of the same scores under many labellings.

    Args:
        scores: [n].
        labels: [K, n] 0 or 1.

    Returns:
        [K].
    """
    ranks = rankdata(np.asarray(scores, dtype=np.float64))
    labels = labels.astype(np.float64)
    positive = labels.sum(axis=1)
    above = labels @ ranks - positive * (positive + 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = above / (positive * (labels.shape[1] - positive))
    return result


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """Precision at each rank of a positive, averaged; tied scores share one rank.

    Returns:
        0 to 1; not a number where there is no positive.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if not truth.sum():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    values, truth = values[order], truth[order]
    last = np.append(values[1:] != values[:-1], True)
    found = np.cumsum(truth)[last]
    precision = found / (np.flatnonzero(last) + 1)
    return float((np.diff(found, prepend=0.0) * precision).sum() / truth.sum())


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
