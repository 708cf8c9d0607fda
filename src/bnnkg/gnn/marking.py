"""Scores of explanations against the truth: of trained networks, and of controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from bnnkg.gnn.attributions import candidate_scores, look
from bnnkg.gnn.explanation import SHARE_DELETED, most_costly
from bnnkg.gnn.hiding import hide_pairs, hide_rows
from bnnkg.gnn.metrics import Floats, auroc, average_precision
from bnnkg.gnn.readings import HeadWeights, Score, head_weights, read_rows
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.tensors import Batch
from bnnkg.gnn.trials import (
    NETWORK,
    Predictor,
    Trial,
    fit,
    new_predictor,
    outcome_auroc,
    outcome_loss,
)
from bnnkg.schema.computation import KINDS
from bnnkg.schema.learned import SCORE_METHODS

Control = Literal["none", "untrained", "shuffled"]
CONTROLS: tuple[Control, ...] = get_args(Control)


@dataclass(frozen=True)
class Mark:
    """How well one score of one network finds the drivers.

    Attributes:
        control: What was done to the network.
        score: Name of the score.
        auroc: On test.
        ap: Average precision, on test.
        validation: AUROC on validation graphs, and
        cost: what the loss there rises by when the candidates that it ranks highest are hidden.
            Both are absent for controls, and for scores that ``annotate`` cannot write.
        outcome_auroc: How well the network predicts outcomes, on test.
    """

    control: Control
    score: str
    auroc: float
    ap: float
    validation: float | None
    cost: float | None
    outcome_auroc: float


def mark_seed(
    training: Sequence[Trial], validation: Trial, test: Trial, seed: int
) -> Iterator[Mark]:
    """Trains a network and its controls with one seed, and marks every score of each.

    Controls: the same network before the first step, and one that was trained, in the same way,
    on outcomes exchanged between subjects.
    """
    for control in CONTROLS:
        predictor = new_predictor(test, seed)
        if control != "untrained":
            fit(predictor, *_material(training, validation, control, seed), seed)
        yield from _mark(predictor, validation, test, control, seed)


def choose(marks: Sequence[Mark]) -> str:
    """The score that finds the drivers best on validation graphs, mean over seeds.

    Of several that do so equally well, the one that costs most to lose there.
    """
    found, costs = _by_score(marks)
    return max(found, key=lambda name: (np.mean(found[name]), np.mean(costs[name])))


def would_be_written(marks: Sequence[Mark]) -> str:
    """The score that ``annotate`` would write of these networks, which knows no drivers."""
    return most_costly(_by_score(marks)[1])


def _by_score(marks: Sequence[Mark]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """AUROC on validation, and costs, of every seed."""
    found: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    for mark in marks:
        if mark.validation is not None and mark.cost is not None:
            found.setdefault(mark.score, []).append(mark.validation)
            costs.setdefault(mark.score, []).append(mark.cost)
    return found, costs


def cost_of_losing(predictor: nn.Module, trial: Trial, values: Floats) -> float:
    """What the loss rises by when the tenth of the candidates with the highest values is hidden.

    A synapse goes with all that joins its two neurons; of a section or mechanism all features go.
    """
    n = max(1, round(SHARE_DELETED * len(values)))
    highest = trial.candidates[torch.from_numpy(np.argsort(-values, kind="stable")[:n].copy())]
    hidden = _without(trial.batch, highest)
    sites = build_sites(hidden, heads=NETWORK.heads, hops=NETWORK.hops)
    with torch.no_grad():
        before = float(outcome_loss(predictor, trial))
        return float(outcome_loss(predictor, replace(trial, batch=hidden, sites=sites))) - before


def _without(batch: Batch, rows: Tensor) -> Batch:
    if KINDS[int(batch.kind[rows[0]])] != "synapse":
        return hide_rows(batch, rows)
    return hide_pairs(batch, batch.up_index[:, torch.isin(batch.up_synapse, rows)])


def _material(
    training: Sequence[Trial], validation: Trial, control: Control, seed: int
) -> tuple[list[Trial], list[Trial]]:
    if control == "none":
        return list(training), [validation]
    generator = torch.Generator().manual_seed(seed)
    shuffled = [trial.shuffled(generator) for trial in [*training, validation]]
    return shuffled[:-1], shuffled[-1:]


def _mark(
    predictor: Predictor, validation: Trial, test: Trial, control: Control, seed: int
) -> Iterator[Mark]:
    weights = head_weights([look(predictor, validation).relevance])
    judged = _judge(predictor, validation, weights) if control == "none" else {}
    predicted = outcome_auroc(predictor, [test])
    truth = test.drivers.numpy()
    for name, values in candidate_scores(predictor, test, weights, seed).items():
        found, cost = judged.get(name, (None, None))
        yield Mark(
            control, name, auroc(values, truth), average_precision(values, truth),
            found, cost, predicted,
        )  # fmt: skip


def _judge(
    predictor: Predictor, trial: Trial, weights: HeadWeights
) -> Mapping[str, tuple[float, float]]:
    """AUROC and cost on validation of every score that can be written."""
    view = look(predictor, trial).view
    truth = trial.drivers.numpy()
    judged: dict[str, tuple[float, float]] = {}
    for method in SCORE_METHODS:
        values = read_rows(view, Score(method, weights))[trial.candidates].numpy()
        judged[method] = auroc(values, truth), cost_of_losing(predictor, trial, values)
    return judged
