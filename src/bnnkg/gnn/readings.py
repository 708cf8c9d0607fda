"""What exact attention says of each row of a batch, measured in several ways.

A reading takes the attention of all sites of all blocks and gives a number to every row: how much
of what the network computed came by it. An edge between neurons stands for its synapse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bnnkg.gnn.bgan import Attended
from bnnkg.gnn.portable import edge_dots
from bnnkg.gnn.sites import SiteName
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.learned import ScoreMethod

HeadKey = tuple[SiteName, int]
"""A site and a block."""
HeadWeights = Mapping[HeadKey, Tensor]
"""Per site and block, [heads]; 1 in sum over all of them."""
Along = tuple[Attended, Tensor]
"""One site in one block, and [P] a score of its edges."""

_READING: tuple[SiteName, ...] = ("low", "up", "forward")
"""Sites at which signals are read on their way to a neuron."""
_KEPT = 0.5
"""Share that a row keeps of itself at each site, in a rollout: its residual."""


@dataclass(frozen=True)
class Answered:
    """Where the answers of a network stand: 1 at each row, or each graph's token, that was asked.

    Attributes:
        rows: [N].
        graphs: [G].
    """

    rows: Tensor
    graphs: Tensor

    @classmethod
    def at_rows(cls, rows: Tensor, batch: Batch) -> Answered:
        """Answers that stand at some rows of a batch."""
        held = torch.zeros(len(batch.kind))
        held[rows] = 1.0
        return cls(held, torch.zeros(batch.n_graphs))

    @classmethod
    def at_graphs(cls, graphs: Tensor, batch: Batch) -> Answered:
        """Answers that stand at some tokens."""
        held = torch.zeros(batch.n_graphs)
        held[graphs] = 1.0
        return cls(torch.zeros(len(batch.kind)), held)


@dataclass(frozen=True)
class View:
    """One pass of a network over a batch.

    Attributes:
        batch: What it read.
        attention: All sites of all blocks, in the order in which they were computed.
        answered: Where its answers stand.
    """

    batch: Batch
    attention: Sequence[Attended]
    answered: Answered


@dataclass(frozen=True)
class Score:
    """A reading with what it needs of a trained network.

    Attributes:
        method: One of ``SCORE_METHODS``.
        weights: Of ``attention_head_weighted``; no other needs any.
    """

    method: ScoreMethod
    weights: HeadWeights = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """A score of rows and of edges.

    Attributes:
        rows: [N] of every row.
        edges: Per site [P] of its edges. The lift of an edge is its mean over heads and blocks;
            weighted lifts, and what flows along the edge in a rollout, are summed over blocks.
    """

    rows: Tensor
    edges: Mapping[SiteName, Tensor]


def read(view: View, score: Score) -> Reading:
    """A score of every row and of every edge.

    ``attention_lift`` of a row is the mean lift that it gets from those that read it,
    ``attention_head_weighted`` the lift from all of them, every head of every site as much as it
    counts, and ``attention_rollout`` the share of the answers that came by it, attention followed
    back along the computation. What passes an edge that stands for a node counts for that node.
    """
    along = list(_along(view, score))
    rows = _of_rows(view.batch, score, along)
    if score.method == "attention_lift":
        n_blocks = 1 + max(attended.block for attended in view.attention)
        along = [(attended, values / n_blocks) for attended, values in along]
    return Reading(rows, _sum_by_site(along))


def read_rows(view: View, score: Score) -> Tensor:
    """[N] the score of :func:`read` of every row."""
    return _of_rows(view.batch, score, _along(view, score))


def raw_attention(view: View) -> Tensor:
    """[N] mean attention that a row gets from those that read it, over heads and blocks."""
    return _mean_by_row(view.batch, ((a, a.alpha.detach().mean(1)) for a in view.attention))


def cls_attention(view: View) -> Tensor:
    """[N] share of its graph's token that a row gets, mean over heads and blocks."""
    total = torch.zeros(len(view.batch.kind))
    for attended in view.attention:
        if attended.site.name == "cls":
            total += _by_row(attended, view.batch, attended.alpha.detach().mean(1))
    return total


def relevance_of(attention: Sequence[Attended]) -> dict[HeadKey, Tensor]:
    """Per site and block [P, heads]: ``alpha * dL / dalpha``, after a step back from L.

    ``dL/dalpha_ij = dL/do_i . v_j``. Sites that L does not depend on are absent; so is ``back``.
    """
    return {
        (a.site.name, a.block): a.alpha.detach()
        * edge_dots(a.out.grad, a.values.detach(), a.site.plan)
        for a in attention
        if a.out.grad is not None
    }


def head_weights(relevances: Sequence[Mapping[HeadKey, Tensor]]) -> HeadWeights:
    """How much the answers depend on each head: ``sum |alpha * dL / dalpha|``, shared out.

    Args:
        relevances: From ``relevance_of``, of the same network on batches that it was not trained
            on.
    """
    keys = list(dict.fromkeys(key for one in relevances for key in one))
    sums = {
        key: torch.stack([one[key].abs().sum(0) for one in relevances if key in one]).sum(0)
        for key in keys
    }
    total = torch.stack([value.sum() for value in sums.values()]).sum() if sums else torch.ones(())
    return {key: value / total.clamp_min(1e-30) for key, value in sums.items()}


def _along(view: View, score: Score) -> Iterator[Along]:
    """What a score says of the edges of each site of each block."""
    if score.method == "attention_rollout":
        return _flows(view)
    if score.method == "attention_head_weighted":
        return ((a, _weighted(a, score.weights)) for a in view.attention)
    return ((a, _lifts(a)) for a in view.attention)


def _of_rows(batch: Batch, score: Score, along: Iterable[Along]) -> Tensor:
    return (_mean_by_row if score.method == "attention_lift" else _sum_by_row)(batch, along)


def _lifts(attended: Attended) -> Tensor:
    """[P] mean over heads."""
    return attended.alpha.detach().mean(1) * attended.site.plan.n_sources


def _weighted(attended: Attended, weights: HeadWeights) -> Tensor:
    """[P] sum over heads; 0 where nothing depends on the site."""
    own = weights.get((attended.site.name, attended.block))
    if own is None:
        return torch.zeros(len(attended.alpha))
    return (attended.alpha.detach() * own).sum(1) * attended.site.plan.n_sources


def _flows(view: View) -> Iterator[Along]:
    """Sites from the last to the first, each with [P] what a rollout hands on along its edges.

    Every answer starts as 1 at its row. At each site a row keeps half of what it holds (its
    residual) and hands the other half to what it attended to (Abnar and Zuidema, ACL 2020).
    """
    rows, graphs = view.answered.rows.clone(), view.answered.graphs.clone()
    for group in _backwards(view.attention):
        held = graphs if group[0].site.name == "cls" else rows
        handed = torch.zeros(len(rows))
        reached = torch.zeros(len(held), dtype=torch.bool)
        for attended in group:
            alpha = attended.alpha.detach().mean(1) / len(group)
            flow = (1 - _KEPT) * alpha * held[attended.site.dst]
            handed.index_add_(0, attended.site.src, flow)
            reached[attended.site.dst] = True
            yield attended, flow
        held[reached] *= _KEPT
        rows += handed


def _backwards(attention: Sequence[Attended]) -> Iterator[list[Attended]]:
    """Sites from the last to the first; the two directions of GAN_up, and of BMSA, together."""
    waiting: list[Attended] = []
    for attended in reversed(attention):
        waiting.append(attended)
        if attended.site.name not in ("backward", "down"):
            yield waiting
            waiting = []


def _sum_by_site(along: Iterable[Along]) -> dict[SiteName, Tensor]:
    """[P] in sum over blocks."""
    found: dict[SiteName, Tensor] = {}
    for attended, values in along:
        name = attended.site.name
        found[name] = found[name] + values if name in found else values
    return found


def _sum_by_row(batch: Batch, along: Iterable[Along]) -> Tensor:
    """[N] in sum over all that read a row."""
    total = torch.zeros(len(batch.kind))
    for attended, values in along:
        total += _by_row(attended, batch, values)
    return total


def _mean_by_row(batch: Batch, along: Iterable[Along]) -> Tensor:
    """[N] in mean over those that read a row on the way to a neuron."""
    total, count = torch.zeros(len(batch.kind)), torch.zeros(len(batch.kind))
    for attended, values in along:
        if attended.site.name in _READING:
            total += _by_row(attended, batch, values)
            count += _by_row(attended, batch, torch.ones_like(values))
    return total / count.clamp_min(1)


def _by_row(attended: Attended, batch: Batch, values: Tensor) -> Tensor:
    """[N] sum of the edges' values over those that read each row."""
    if not len(batch.up_synapse) and attended.site.name in ("up", "down"):
        return torch.zeros(len(batch.kind))
    rows, real = _rows_read(attended, batch)
    return torch.zeros(len(batch.kind)).index_add_(0, rows[real], values[real].float())


def _rows_read(attended: Attended, batch: Batch) -> tuple[Tensor, Tensor]:
    """[P] the row that each edge of a site reads, and whether it reads another than itself."""
    site = attended.site
    if site.name in ("up", "down"):
        return batch.up_synapse.index_select(0, site.edge.clamp_min(0)), site.edge >= 0
    if site.name == "cls":
        return site.src, torch.ones_like(site.arc, dtype=torch.bool)
    return site.src, site.arc != 0
