"""A score is chosen on validation, and never by what it does on test."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from trained_models import circuit, training_model

from bnnkg.gnn.batching import collate
from bnnkg.gnn.marking import Control, Mark, choose, cost_of_losing, would_be_written
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.trials import Trial


def mark(
    score: str, validation: float | None, cost: float | None, *, auroc: float = 0.5,
    control: Control = "none",
) -> Mark:  # fmt: skip
    return Mark(control, score, auroc, 0.5, validation, cost, 0.9)


def test_the_best_on_validation_is_chosen_and_the_most_costly_would_be_written() -> None:
    marks = [mark("a", 0.9, 0.6, auroc=0.5), mark("b", 0.8, 0.9, auroc=1.0),
             mark("a", 0.7, 0.7), mark("b", 0.6, 0.5)]  # fmt: skip
    assert choose(marks) == "a"
    assert would_be_written(marks) == "b"


def test_of_equals_the_more_costly_is_chosen() -> None:
    assert choose([mark("a", 1.0, 0.6), mark("b", 1.0, 0.7), mark("c", 0.9, 0.8)]) == "b"


def test_controls_do_not_choose() -> None:
    marks = [mark("a", 0.6, 0.6), mark("b", 0.5, 0.5)]
    control = mark("b", None, None, auroc=1.0, control="untrained")
    assert choose([*marks, control]) == would_be_written([*marks, control]) == "a"


class Counting(nn.Module):
    """Logit of a neuron: how many synapses arrive at it."""

    def forward(self, trial: Trial) -> tuple[Tensor, None]:
        n = torch.bincount(trial.batch.up_index[1], minlength=int(trial.subjects.max()) + 1)
        return n[trial.subjects].float(), None


def test_losing_the_highest_costs_what_the_network_used() -> None:
    """Of ten synapses one is hidden: of the neuron that is asked for, or of another."""
    graph = training_model(circuit(16)).tensors
    batch = collate([graph], fit_scaling([graph]))
    receiver = int(batch.up_index[1].mode().values)
    arriving = batch.up_synapse[(batch.up_index[1] == receiver) & (batch.up_index[0] > 2)]
    elsewhere = batch.up_synapse[(batch.up_index != receiver).all(0) & (batch.up_index > 2).all(0)]
    candidates = torch.cat([arriving[:1], elsewhere[:9]])
    subject = torch.tensor([receiver])
    trial = Trial(
        batch, build_sites(batch, heads=4, hops=2), False, subject, torch.ones(1), candidates,
        torch.zeros(10, dtype=torch.bool),
    )  # fmt: skip
    pre = int(batch.up_index[0, batch.up_synapse == arriving[0]])
    n = int((batch.up_index[1] == receiver).sum())
    lost = int(((batch.up_index[1] == receiver) & (batch.up_index[0] == pre)).sum())
    rise = math.log1p(math.exp(-(n - lost))) - math.log1p(math.exp(-n))
    values = np.linspace(1.0, 0.1, 10)
    assert abs(cost_of_losing(Counting(), trial, values) - rise) < 1e-6
    assert abs(cost_of_losing(Counting(), trial, values[::-1].copy())) < 1e-6


class Reading(nn.Module):
    """Logit of the first neuron: what is seen of its second section."""

    def forward(self, trial: Trial) -> tuple[Tensor, None]:
        return 10.0 * trial.batch.mask["dendrite"][0].float().mean().expand(1), None


def test_a_section_is_lost_with_all_that_is_known_of_it() -> None:
    graph = training_model(circuit(16)).tensors
    batch = collate([graph], fit_scaling([graph]))
    candidates = torch.arange(10) + batch.first_row("dendrite")
    trial = Trial(
        batch, build_sites(batch, heads=4, hops=2), False, torch.tensor([0]), torch.ones(1),
        candidates, torch.zeros(10, dtype=torch.bool),
    )  # fmt: skip
    seen = 10.0 * float(batch.mask["dendrite"][0].float().mean())
    rise = math.log(2) - math.log1p(math.exp(-seen))
    values = np.linspace(1.0, 0.1, 10)
    assert abs(cost_of_losing(Reading(), trial, values) - rise) < 1e-6
    assert abs(cost_of_losing(Reading(), trial, values[::-1].copy())) < 1e-6
