"""Held-out scores, beside what chance and rules without training would score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from bnnkg.gnn.baselines import RULES
from bnnkg.gnn.classes import class_scores, counterpart_answers
from bnnkg.gnn.metrics import Floats, Ints, aurocs, average_precision, r2
from bnnkg.gnn.nulls import chance, unit_permutations
from bnnkg.gnn.objectives import Answers
from bnnkg.gnn.questions import Question
from bnnkg.gnn.study import Objective

METRIC: Mapping[Objective, str] = {
    "edge": "edge_auroc",
    "feature": "feature_r2",
    "target": "target_auroc",
}
PRECISION: Mapping[Objective, str] = {
    "edge": "edge_average_precision",
}


@dataclass(frozen=True)
class Asked:
    """All answers to one objective.

    Attributes:
        predicted: [n] logits or values; [n, K] logits of K classes.
        true: [n] 0 or 1, or values, or classes.
        units: [n] what was held out together.
        strata: [n] what is never compared: columns of features, batches.
    """

    predicted: Floats
    true: Floats
    units: Ints
    strata: Ints


def answer_all(learner: nn.Module, questions: Sequence[Question]) -> dict[Objective, Asked]:
    """Asks a trained network everything."""
    learner.eval()
    with torch.no_grad():
        return collect(questions, [learner(asked) for asked in questions])


def answer_by_rule(name: str, questions: Sequence[Question]) -> dict[Objective, Asked]:
    """Asks a rule for connections."""
    rule = RULES[name]
    return collect(
        questions,
        [
            Answers(None if q.connections is None else rule(q.batch, q.connections), (), None)
            for q in questions
        ],
    )


def collect(questions: Sequence[Question], answers: Sequence[Answers]) -> dict[Objective, Asked]:
    """Puts the answers to all questions together, per objective."""
    found: dict[Objective, list[Asked]] = {}
    for number, (asked, given) in enumerate(zip(questions, answers, strict=True)):
        if asked.connections is not None and given.connections is not None:
            c = asked.connections
            found.setdefault("edge", []).append(
                _asked(given.connections, c.exists, c.units, number)
            )
        if asked.labels is not None and given.labels is not None:
            l_ = asked.labels
            found.setdefault("target", []).append(
                _asked(given.labels, l_.classes, l_.units, number)
            )
        for values, f in zip(given.features, asked.features, strict=False):
            one = _asked(values, f.values, f.units, number * 1000 + f.columns.numpy())
            found.setdefault("feature", []).append(one)
    return {objective: _join(parts) for objective, parts in found.items()}


def score(objective: Objective, asked: Asked) -> dict[str, float]:
    """The metrics of an objective."""
    if objective == "feature":
        baseline = _column_means(asked)
        return {METRIC[objective]: r2(asked.predicted, asked.true, baseline)}
    if objective == "target":
        return class_scores(asked.predicted, asked.true)
    return {
        METRIC[objective]: float(aurocs(asked.predicted, asked.true[None])[0]),
        PRECISION[objective]: average_precision(asked.predicted, asked.true),
    }


def chance_of(objective: Objective, runs: Sequence[Asked], seed: int) -> dict[str, float]:
    """Upper 95% of the metrics' means over seeds, were units exchangeable.

    Args:
        objective: What was asked.
        runs: The answers of each seed to the same questions.
        seed: Of the permutations.
    """
    first = runs[0]
    orders = unit_permutations(first.units, first.strata, seed)
    labels = np.stack([first.true[order] for order in orders])
    if objective == "feature":
        baseline = _column_means(first)
        null = [[r2(run.predicted, row, baseline) for row in labels] for run in runs]
        return {METRIC[objective]: chance(np.mean(null, axis=0))}
    if objective == "target":
        scores = [[class_scores(run.predicted, row) for row in labels] for run in runs]
        return {
            metric: chance(np.mean([[one[metric] for one in own] for own in scores], axis=0))
            for metric in scores[0][0]
        }
    null = [aurocs(run.predicted, labels).tolist() for run in runs]
    precision = [[average_precision(run.predicted, row) for row in labels] for run in runs]
    return {
        METRIC[objective]: chance(np.mean(null, axis=0)),
        PRECISION[objective]: chance(np.mean(precision, axis=0)),
    }


def ceiling_of(asked: Asked) -> dict[str, float]:
    """The target's metrics if each answer were what its counterparts say that are held out too.

    Of those that have any: the other side of the body, the same mechanism in other cells.
    """
    has, answers = counterpart_answers(asked.true, asked.units, asked.predicted.ndim == 1)
    return class_scores(answers[has], asked.true[has]) if has.any() else {}


def _asked(
    predicted: torch.Tensor, true: torch.Tensor, units: Ints, strata: int | Ints
) -> Asked:  # fmt: skip
    return Asked(
        predicted.double().numpy(),
        true.double().numpy(),
        units,
        np.broadcast_to(np.asarray(strata, dtype=np.int64), units.shape),
    )


def _join(parts: Sequence[Asked]) -> Asked:
    take: Callable[[str], Floats] = lambda name: np.concatenate(  # noqa: E731
        [getattr(part, name) for part in parts]
    )
    return Asked(
        take("predicted"),
        take("true"),
        np.concatenate([part.units for part in parts]),
        np.concatenate([part.strata for part in parts]),
    )


def _column_means(asked: Asked) -> Floats:
    """What a constant per column would say at best: its mean over what is asked."""
    _, place = np.unique(asked.strata, return_inverse=True)
    means: Floats = (np.bincount(place, weights=asked.true) / np.bincount(place))[place]
    return means
