"""Held-out scores, beside what chance and rules without training would score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from bnnkg.gnn.baselines import RULES
from bnnkg.gnn.classes import class_scores, counterpart_answers
from bnnkg.gnn.metrics import Floats, Ints, Ranked, r2
from bnnkg.gnn.nulls import chance, unit_permutations
from bnnkg.gnn.objectives import Answers
from bnnkg.gnn.questions import Objective, Question

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


def answer_all(learner: nn.Module, questions: Iterable[Question]) -> dict[Objective, Asked]:
    """Asks a trained network everything, one question after the other."""
    learner.eval()
    with torch.no_grad():
        return collect((asked, learner(asked)) for asked in questions)


def answer_by_rule(name: str, questions: Iterable[Question]) -> dict[Objective, Asked]:
    """Asks a rule for connections."""
    rule = RULES[name]
    return collect(
        (q, Answers(None if q.connections is None else rule(q.batch, q.connections), (), None))
        for q in questions
    )


def collect(answered: Iterable[tuple[Question, Answers]]) -> dict[Objective, Asked]:
    """Puts the answers to all questions together, per objective; keeps no question."""
    found: dict[Objective, list[Asked]] = {}
    for number, (asked, given) in enumerate(answered):
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
    return _scorer(objective, asked)(asked.true)


def chance_of(objective: Objective, runs: Sequence[Asked], seed: int) -> dict[str, float]:
    """Upper 95% of the metrics' means over seeds, were units exchangeable.

    Args:
        objective: What was asked.
        runs: The answers of each seed to the same questions.
        seed: Of the permutations.
    """
    first = runs[0]
    scorers = [_scorer(objective, run) for run in runs]
    null: dict[str, list[list[float]]] = {}
    for order in unit_permutations(first.units, first.strata, seed):
        answers = first.true[order]
        marks = [scorer(answers) for scorer in scorers]
        for metric in marks[0]:
            null.setdefault(metric, []).append([mark[metric] for mark in marks])
    return {metric: chance(np.mean(values, axis=1)) for metric, values in null.items()}


def _scorer(objective: Objective, asked: Asked) -> Callable[[Floats], dict[str, float]]:
    """Marks what was predicted against any answers [n]."""
    if objective == "target":
        return partial(class_scores, asked.predicted)
    if objective == "feature":
        baseline = _column_means(asked)
        return lambda true: {METRIC[objective]: r2(asked.predicted, true, baseline)}
    ranked = Ranked.of(asked.predicted)
    return lambda true: {
        METRIC[objective]: ranked.auroc(true),
        PRECISION[objective]: ranked.average_precision(true),
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
