"""Scores of explanations against the truth: of trained networks, and of controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch

from bnnkg.gnn.attributions import HeadWeights, candidate_scores, head_weights, look
from bnnkg.gnn.metrics import auroc, average_precision
from bnnkg.gnn.trials import Predictor, Trial, fit, new_predictor, outcome_auroc

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
        validation_auroc: On validation: what scores are chosen by; absent for controls.
        outcome_auroc: How well the network predicts outcomes, on test.
    """

    control: Control
    score: str
    auroc: float
    ap: float
    validation_auroc: float | None
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
    """The score that finds drivers best on validation, mean over seeds, of networks as trained."""
    found: dict[str, list[float]] = {}
    for mark in marks:
        if mark.validation_auroc is not None:  # controls choose nothing
            found.setdefault(mark.score, []).append(mark.validation_auroc)
    means: Mapping[str, float] = {name: float(np.mean(values)) for name, values in found.items()}
    return max(means, key=lambda name: means[name])


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
    weights = head_weights([look(predictor, validation)])
    chooses = control == "none"
    on_validation = _aurocs(predictor, validation, weights, seed) if chooses else {}
    predicted = outcome_auroc(predictor, [test])
    truth = test.drivers.numpy()
    for name, values in candidate_scores(predictor, test, weights, seed).items():
        yield Mark(
            control, name, auroc(values, truth), average_precision(values, truth),
            on_validation.get(name), predicted,
        )  # fmt: skip


def _aurocs(
    predictor: Predictor, trial: Trial, weights: HeadWeights, seed: int
) -> dict[str, float]:
    scores = candidate_scores(predictor, trial, weights, seed)
    return {name: auroc(values, trial.drivers.numpy()) for name, values in scores.items()}
