"""What a trained network attended to, folded over heads and blocks, and which score to believe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bnnkg.gnn.bgan import Attended, BganConfig
from bnnkg.gnn.hiding import hide_pairs
from bnnkg.gnn.metrics import Floats, spearman
from bnnkg.gnn.objectives import Learner, Weights, loss_of
from bnnkg.gnn.questions import Question
from bnnkg.gnn.readings import (
    Answered,
    HeadWeights,
    Score,
    View,
    head_weights,
    read,
    read_rows,
    relevance_of,
)
from bnnkg.gnn.sites import Site, SiteName, Sites, build_sites
from bnnkg.gnn.targets import Target
from bnnkg.gnn.tensors import Batch

LIFT = Score("attention_lift")
SHARE_DELETED = 0.1
"""Share of the connections that are hidden to see what they were worth."""


@dataclass(frozen=True)
class SiteAttention:
    """One site, heads and blocks folded together.

    P edges in the order of the site's plan.

    Attributes:
        site: The edges.
        alpha: [P] mean over heads and blocks.
        lift: [P] alpha times the number of sources it competed with.
        score: [P] the score that was chosen.
    """

    site: Site
    alpha: Floats
    lift: Floats
    score: Floats


@dataclass(frozen=True)
class Explained:
    """What a network saw in a batch.

    Attributes:
        sites: Its attention.
        rows: [N] the score that was chosen, of each row.
    """

    sites: Mapping[SiteName, SiteAttention]
    rows: Floats


def explain(
    learner: Learner,
    batch: Batch,
    sites: Sites,
    score: Score = LIFT,
    target: Target | None = None,
) -> Explained:
    """Attention of a network on a batch.

    Args:
        learner: Trained BGAN.
        batch: Graphs.
        sites: Their attention sites.
        score: What is written as ``score``.
        target: What the network was asked for, if it was for a supervised target.
    """
    view = _look(learner, batch, sites, target)
    reading = read(view, score)
    found: dict[SiteName, SiteAttention] = {}
    for name, values in reading.edges.items():
        own = [attended for attended in view.attention if attended.site.name == name]
        alpha = _mean_alpha(own)
        lift = alpha * own[0].site.plan.n_sources.double()
        found[name] = SiteAttention(
            own[0].site, alpha.numpy(), lift.numpy(), values.double().numpy()
        )
    return Explained(found, reading.rows.double().numpy())


def _mean_alpha(blocks: Sequence[Attended]) -> Tensor:
    """[P] mean over heads and blocks, in double precision, without a copy of them all."""
    total = torch.zeros(len(blocks[0].alpha), dtype=torch.float64)
    for attended in blocks:
        total += attended.alpha.sum(1, dtype=torch.float64)
    return total / (len(blocks) * blocks[0].alpha.shape[1])


def _look(learner: Learner, batch: Batch, sites: Sites, target: Target | None) -> View:
    learner.eval()
    with torch.no_grad():
        attention = learner.encoder(batch, sites, explain=True).attention
    return View(batch, attention, Answered.at_rows(_answering(batch, target), batch))


def _answering(batch: Batch, target: Target | None) -> Tensor:
    """Rows that answers are read from: mechanisms for their targets; else neurons.

    A network without connections was only asked for features, of any row.
    """
    if target is not None and target.subject == "mechanism":
        first = batch.first_row("mechanism")
        return torch.arange(first, first + len(batch.x["mechanism"]))
    asks_neurons = target is not None or batch.up_index.shape[1] > 0
    return torch.arange(len(batch.x["neuron"]) if asks_neurons else len(batch.kind))


def weigh_heads(learner: Learner, asked: Iterable[Question], loss: Weights) -> HeadWeights:
    """How much the answers depend on each head of each block of each site, on validation."""
    learner.eval()
    relevances = []
    for question in asked:
        rows = learner.encoder(question.batch, question.sites, explain=True)
        learner.zero_grad()
        loss_of(learner.answer(question, rows), question, loss).backward()  # type: ignore[no-untyped-call]
        relevances.append(relevance_of(rows.attention))
    learner.zero_grad()
    return head_weights(relevances)


def fidelity(
    learner: Learner,
    asked: Iterable[Question],
    loss: Weights,
    scores: Sequence[Score],
    target: Target | None = None,
) -> list[float]:
    """What it costs to lose the connections that a score ranks highest, for each score.

    The tenth of the visible pairs of neurons whose synapses have the highest score (their mean) is
    hidden; what the loss on validation rises by says how far the network used them.
    """
    rises: list[list[float]] = [[] for _ in scores]
    for question in asked:
        if not question.batch.up_index.shape[1]:
            continue
        view = _look(learner, question.batch, question.sites, target)
        before = _loss(learner, question, loss)
        for place, score in enumerate(scores):
            fewer = _without_highest(learner, question, read_rows(view, score))
            rises[place].append(_loss(learner, fewer, loss) - before)
    return [float(np.mean(values)) if values else float("nan") for values in rises]


def _without_highest(learner: Learner, question: Question, ranked: Tensor) -> Question:
    shape: BganConfig = learner.encoder.config  # type: ignore[assignment]
    batch = hide_pairs(question.batch, _highest_pairs(question.batch, ranked))
    sites = build_sites(batch, heads=shape.heads, hops=shape.hops)
    return replace(question, batch=batch, sites=sites)


def _loss(learner: Learner, question: Question, loss: Weights) -> float:
    with torch.no_grad():
        return float(loss_of(learner(question), question, loss))


def most_costly(costs: Mapping[str, Sequence[float]]) -> str:
    """The score to believe: losing what it ranks highest costs the most, mean over seeds.

    The rule for trained runs and for planted networks alike. It asks nothing that only the truth
    could tell.

    Args:
        costs: Per score, what the loss on validation rises by with each seed.
    """
    return max(costs, key=lambda name: float(np.mean(costs[name])))


def agreement(lifts: Sequence[Floats]) -> float:
    """Mean rank correlation of the lift between seeds, over all pairs of seeds."""
    pairs = [(a, b) for place, a in enumerate(lifts) for b in lifts[place + 1 :]]
    return float(np.mean([spearman(a, b) for a, b in pairs])) if pairs else float("nan")


def connection_lifts(attention: Mapping[SiteName, SiteAttention]) -> Floats:
    """What the agreement between seeds is about: the lift of each synapse between two neurons.

    Where there is none, of each edge of ``low`` that is not a row to itself.
    """
    for one in (attention["up"], attention["low"]):
        real = (one.site.arc != 0).numpy()
        if real.any():
            lifts: Floats = one.lift[real]
            return lifts
    return np.zeros(0)


def _highest_pairs(batch: Batch, ranked: Tensor) -> Tensor:
    """[2, n] pairs of neurons, by the mean score [N] of the synapses between them."""
    ends = torch.sort(batch.up_index, dim=0).values
    pairs, place = torch.unique(ends, dim=1, return_inverse=True)
    total = torch.zeros(pairs.shape[1]).index_add_(0, place, ranked[batch.up_synapse])
    mean = total / torch.bincount(place, minlength=pairs.shape[1])
    n = max(1, round(SHARE_DELETED * pairs.shape[1]))
    highest: Tensor = pairs[:, torch.argsort(mean, descending=True, stable=True)[:n]]
    return highest
