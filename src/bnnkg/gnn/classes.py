"""Scores of predicted classes, two or more."""

from __future__ import annotations

import numpy as np

from bnnkg.gnn.metrics import Floats, Ints, auroc, average_precision


def class_scores(predicted: Floats, true: Floats) -> dict[str, float]:
    """AUROC, average precision and balanced accuracy.

    Of more than two classes, the first two are means over the classes, each against the rest, and
    the last is the mean recall. Classes that nothing is of do not count.

    Args:
        predicted: [n] logits of class 1, or [n, K] of each class.
        true: [n] classes.
    """
    present = np.unique(true)
    if predicted.ndim == 1:
        against = [(predicted, true == 1)]
        chosen = (predicted > 0).astype(np.float64)
    else:
        against = [(predicted[:, int(c)], true == c) for c in present]
        chosen = predicted.argmax(axis=1).astype(np.float64)
    recalls = [float((chosen[true == c] == c).mean()) for c in present]
    return {
        "target_auroc": _mean([auroc(scores, own) for scores, own in against]),
        "target_average_precision": _mean([average_precision(s, own) for s, own in against]),
        "target_balanced_accuracy": _mean(recalls),
    }


def counterpart_answers(true: Floats, units: Ints, two: bool) -> tuple[Ints, Floats]:
    """What the other members of each one's unit are.

    Args:
        true: [n] classes.
        units: [n] what is held out together.
        two: Whether there are two classes only.

    Returns:
        [n] whether there are other members, and the share of them that are of class 1, less a
        half, [n]; or of each class, [n, K].
    """
    _, unit = np.unique(units, return_inverse=True)
    flags = np.eye(int(true.max()) + 1 if len(true) else 1)[true.astype(np.int64)]
    total = np.zeros((int(unit.max(initial=-1)) + 1, flags.shape[1]))
    np.add.at(total, unit, flags)
    others = total[unit] - flags
    size = others.sum(axis=1)
    share = others / np.maximum(size, 1)[:, None]
    if two:
        share = (share[:, 1] if share.shape[1] > 1 else np.zeros(len(true))) - 0.5
    return size > 0, share


def _mean(values: list[float]) -> float:
    """Of the known ones; not a number where there are none."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
