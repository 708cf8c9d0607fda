"""Scores of nodes and edges, on attention that was written by hand."""

from __future__ import annotations

import torch
from small_batch import small_batch
from torch import Tensor

from bnnkg.gnn.bgan import Attended
from bnnkg.gnn.readings import (
    Answered,
    Score,
    View,
    cls_attention,
    head_weights,
    raw_attention,
    read,
    read_rows,
)
from bnnkg.gnn.sites import Site, build_sites
from bnnkg.schema.learned import SCORE_METHODS

BATCH = small_batch()
SITES = build_sites(BATCH, heads=2, hops=2)
NEURONS = torch.tensor([0, 4])


def even(site: Site, block: int = 0) -> Attended:
    """Attention that prefers nobody."""
    share = 1.0 / site.plan.n_sources.float()
    return Attended(site, block, torch.stack([share, share], dim=1))


def seen(*attention: Attended) -> View:
    return View(BATCH, attention, Answered.at_rows(NEURONS, BATCH))


def lift(view: View) -> Tensor:
    return read_rows(view, Score("attention_lift"))


def rollout(view: View) -> Tensor:
    return read_rows(view, Score("attention_rollout"))


def test_an_even_share_has_a_lift_of_1() -> None:
    values = lift(seen(even(SITES.up), even(SITES.forward)))
    was_read = torch.zeros(len(BATCH.kind), dtype=torch.bool)
    was_read[SITES.forward.src[SITES.forward.arc != 0]] = True
    was_read[BATCH.up_synapse] = True
    torch.testing.assert_close(values, was_read.float())


def test_raw_attention_follows_the_number_of_competitors() -> None:
    values = raw_attention(seen(even(SITES.up)))
    synapse = int(BATCH.up_synapse[3])
    receiver = BATCH.up_index[1, BATCH.up_synapse == synapse]
    shares = [1.0 / (1 + int((BATCH.up_index[1] == r).sum())) for r in receiver]
    assert abs(float(values[synapse]) - sum(shares) / len(shares)) < 1e-6


def test_a_rollout_hands_on_half_of_what_a_row_holds() -> None:
    values = rollout(seen(even(SITES.up)))
    for synapse in range(1, 14):
        row = BATCH.first_row("synapse") + synapse
        receiver = int(BATCH.up_index[1, BATCH.up_synapse == row])
        n_sources = 1 + int((BATCH.up_index[1] == receiver).sum())
        wanted = 0.5 / n_sources if receiver in NEURONS.tolist() else 0.0
        assert abs(float(values[row]) - wanted) < 1e-6


def test_a_rollout_follows_blocks_from_the_last_to_the_first() -> None:
    """Only what the second block read of a neuron can come from what the first read for it."""
    once = rollout(seen(even(SITES.up)))
    twice = rollout(seen(even(SITES.up, 0), even(SITES.up, 1)))
    assert float(twice.sum()) > float(once.sum())
    reached = set(BATCH.up_synapse[twice[BATCH.up_synapse] > 0].tolist())
    near = {int(BATCH.up_index[0, i]) for i, r in enumerate(BATCH.up_index[1]) if r in NEURONS}
    wanted = {
        int(s) for s, r in zip(BATCH.up_synapse, BATCH.up_index[1], strict=True)
        if int(r) in near | set(NEURONS.tolist())
    }  # fmt: skip
    assert reached == wanted


def test_the_token_shares_itself_out() -> None:
    values = cls_attention(seen(even(SITES.cls)))
    sizes = torch.bincount(BATCH.graph).float()
    torch.testing.assert_close(values, (1 / sizes)[BATCH.graph])


def test_heads_weigh_as_much_as_answers_depend_on_them() -> None:
    relevance = {("up", 0): torch.tensor([[0.3, -0.1], [0.3, 0.1]]),
                 ("forward", 1): torch.tensor([[0.1, 0.1]])}  # fmt: skip
    weights = head_weights([relevance])
    torch.testing.assert_close(weights["up", 0], torch.tensor([0.6, 0.2]))
    torch.testing.assert_close(weights["forward", 1], torch.tensor([0.1, 0.1]))


def test_a_head_without_weight_says_nothing() -> None:
    attended = even(SITES.up)
    attended.alpha[:, 1] = torch.rand(len(attended.alpha), generator=torch.Generator())
    values = read_rows(
        seen(attended), Score("attention_head_weighted", {("up", 0): torch.tensor([1.0, 0.0])})
    )
    counts = torch.bincount(BATCH.up_synapse, minlength=len(BATCH.kind)).float()
    torch.testing.assert_close(values, counts)


def test_edges_of_a_site_hold_in_sum_what_the_rows_do() -> None:
    """What a rollout hands over a synapse is what passed it, in both directions of GAN_up."""
    up, down = even(SITES.up), even(SITES.down)
    score = Score("attention_rollout")
    reading = read(seen(up, down), score)
    edges = reading.edges
    wanted = torch.zeros(len(BATCH.kind))
    for name, site in (("up", SITES.up), ("down", SITES.down)):
        real = site.edge >= 0
        wanted.index_add_(0, BATCH.up_synapse[site.edge[real]], edges[name][real])
    torch.testing.assert_close(reading.rows, wanted)
    assert float(edges["up"].sum() + edges["down"].sum()) == 1.0  # half of two answers


def test_rows_alone_have_the_same_score_as_beside_edges() -> None:
    blocks = [even(site, block) for block in (0, 1, 2) for site in (SITES.low, SITES.up, SITES.cls)]
    for method in SCORE_METHODS:
        score = Score(method, {("up", 1): torch.tensor([0.25, 0.75])})
        rows = read_rows(seen(*blocks), score)
        torch.testing.assert_close(rows, read(seen(*blocks), score).rows, rtol=0, atol=0)
        assert rows.any()


def test_answers_at_the_token_come_by_what_it_attends_to() -> None:
    view = View(BATCH, (even(SITES.cls),), Answered.at_graphs(torch.tensor([1]), BATCH))
    in_graph = BATCH.graph == 1
    torch.testing.assert_close(rollout(view), in_graph * 0.5 / in_graph.sum())


def test_edges_of_every_site_have_every_score() -> None:
    blocks = [even(site, block) for block in (0, 1) for site in (SITES.up, SITES.forward)]
    for method in SCORE_METHODS:
        edges = read(seen(*blocks), Score(method, {("up", 1): torch.tensor([0.5, 0.5])})).edges
        assert set(edges) == {"up", "forward"}
    torch.testing.assert_close(
        read(seen(*blocks), Score("attention_lift")).edges["up"], torch.ones(len(SITES.up.edge))
    )
    weights = {("up", 1): torch.tensor([0.75, 0.25])}
    weighted = read(seen(*blocks), Score("attention_head_weighted", weights)).edges
    torch.testing.assert_close(weighted["up"], torch.ones(len(SITES.up.edge)))
    assert not weighted["forward"].any()
