"""Attention of a trained network on a batch, site by site, and which score of it to believe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.hiding import hide_pairs
from bnnkg.gnn.metrics import Floats, spearman
from bnnkg.gnn.objectives import Learner, Weights, loss_of
from bnnkg.gnn.portable import edge_dots
from bnnkg.gnn.questions import Question
from bnnkg.gnn.sites import Site, SiteName, Sites, build_sites
from bnnkg.gnn.tensors import Batch

HeadWeights = Mapping[SiteName, Tensor]
"""Per site [blocks, heads of the site], 1 in sum."""

MEAN_LIFT = "lift, mean over heads and blocks"
WEIGHTED_LIFT = "lift, heads and blocks weighted by |alpha * dL/dalpha| on validation"
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
        score: [P] the same with heads and blocks weighted.
    """

    site: Site
    alpha: Floats
    lift: Floats
    score: Floats


def explain(
    learner: Learner, batch: Batch, sites: Sites, weights: HeadWeights | None = None
) -> dict[SiteName, SiteAttention]:
    """Attention of a network on a batch.

    Args:
        learner: Trained BGAN.
        batch: Graphs.
        sites: Their attention sites.
        weights: Of heads and blocks, for ``score``; all the same where absent.
    """
    learner.eval()
    with torch.no_grad():
        attention = learner.encoder(batch, sites, explain=True).attention
    found: dict[SiteName, SiteAttention] = {}
    for name in dict.fromkeys(attended.site.name for attended in attention):
        own = [attended for attended in attention if attended.site.name == name]
        alpha = torch.stack([attended.alpha for attended in own]).double()
        competitors = own[0].site.plan.n_sources.double()
        heads = torch.full(alpha.shape[::2], 1.0 / alpha[:, 0].numel()) if alpha.shape[1] else None
        if weights is not None and name in weights:
            heads = weights[name]
        score = (
            alpha.mean((0, 2))
            if heads is None
            else torch.einsum("bph,bh->p", alpha, heads.double())
        )
        mean = alpha.mean(dim=(0, 2))
        found[name] = SiteAttention(
            own[0].site, mean.numpy(), (mean * competitors).numpy(), (score * competitors).numpy()
        )
    return found


def weigh_heads(learner: Learner, asked: Sequence[Question], loss: Weights) -> HeadWeights:
    """How much the answers depend on each head of each block: ``sum_p |alpha_p dL/dalpha_p|``.

    ``dL/dalpha_ij = dL/do_i . v_j``. Weights of one site are 1 in sum; ``back`` and ``cls``, which
    no connection between neurons passes, keep equal ones.
    """
    learner.eval()
    totals: dict[SiteName, dict[int, Tensor]] = {}
    for question in asked:
        rows = learner.encoder(question.batch, question.sites, explain=True)
        learner.zero_grad()
        loss_of(learner.answer(question, rows), question, loss).backward()  # type: ignore[no-untyped-call]
        for attended in rows.attention:
            if attended.out.grad is None:
                continue
            gradient = edge_dots(attended.out.grad, attended.values.detach(), attended.site.plan)
            blocks = totals.setdefault(attended.site.name, {})
            share = (attended.alpha.detach() * gradient).abs().sum(0)
            blocks[attended.block] = blocks.get(attended.block, torch.zeros_like(share)) + share
    learner.zero_grad()
    found = {}
    for name, blocks in totals.items():
        stacked = torch.stack([blocks[number] for number in sorted(blocks)])
        if float(stacked.sum()) > 0:
            found[name] = stacked / stacked.sum()
    return found


def fidelity(
    learner: Learner, asked: Sequence[Question], loss: Weights, weights: HeadWeights | None
) -> float:
    """What it costs to lose the connections that a score ranks highest.

    The tenth of the visible pairs of neurons with the highest score (mean over their synapses in
    ``up``) is hidden; what the loss on validation rises by says how far the network used them.
    """
    shape: BganConfig = learner.encoder.config  # type: ignore[assignment]
    rises = []
    for question in asked:
        if not question.batch.up_index.shape[1]:
            continue
        ranked = explain(learner, question.batch, question.sites, weights)["up"]
        batch = hide_pairs(question.batch, _highest_pairs(question.batch, ranked))
        fewer = replace(
            question, batch=batch, sites=build_sites(batch, heads=shape.heads, hops=shape.hops)
        )
        with torch.no_grad():
            before = float(loss_of(learner(question), question, loss))
            rises.append(float(loss_of(learner(fewer), fewer, loss)) - before)
    return float(np.mean(rises)) if rises else float("nan")


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


def _highest_pairs(batch: Batch, ranked: SiteAttention) -> Tensor:
    """[2, n] pairs of neurons."""
    real = ranked.site.edge >= 0
    ends = batch.up_index[:, ranked.site.edge[real]]
    pairs, place = torch.unique(torch.sort(ends, dim=0).values, dim=1, return_inverse=True)
    values = torch.from_numpy(ranked.score)[real]
    total = torch.zeros(pairs.shape[1], dtype=torch.float64).index_add_(0, place, values)
    mean = total / torch.bincount(place, minlength=pairs.shape[1])
    n = max(1, round(SHARE_DELETED * pairs.shape[1]))
    highest: Tensor = pairs[:, torch.argsort(mean, descending=True, stable=True)[:n]]
    return highest
