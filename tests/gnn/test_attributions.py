"""Scores of nodes, on attention that was written by hand."""

from __future__ import annotations

import torch
from small_batch import small_batch

from bnnkg.gnn.attributions import (
    Seen,
    cls_attention,
    head_weights,
    lift,
    raw_attention,
    rollout,
    weighted_lift,
)
from bnnkg.gnn.bgan import Attended
from bnnkg.gnn.sites import Site, build_sites
from bnnkg.gnn.trials import Trial

BATCH = small_batch()
SITES = build_sites(BATCH, heads=2, hops=2)
NEURONS = torch.tensor([0, 4])
TRIAL = Trial(
    BATCH, SITES, False, NEURONS, torch.zeros(2),
    torch.arange(14) + BATCH.first_row("synapse"), torch.zeros(14, dtype=torch.bool),
)  # fmt: skip


def even(site: Site, block: int = 0) -> Attended:
    """Attention that prefers nobody."""
    share = 1.0 / site.plan.n_sources.float()
    return Attended(site, block, torch.stack([share, share], dim=1))


def seen(*attention: Attended) -> Seen:
    return Seen(TRIAL, attention, {}, torch.zeros(len(BATCH.kind)))


def test_an_even_share_has_a_lift_of_1() -> None:
    values = lift(seen(even(SITES.up), even(SITES.forward)))
    read = torch.zeros(len(BATCH.kind), dtype=torch.bool)
    read[SITES.forward.src[SITES.forward.arc != 0]] = True
    read[BATCH.up_synapse] = True
    torch.testing.assert_close(values, read.float())


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
    weights = head_weights([Seen(TRIAL, (), relevance, torch.zeros(1))])
    torch.testing.assert_close(weights["up", 0], torch.tensor([0.6, 0.2]))
    torch.testing.assert_close(weights["forward", 1], torch.tensor([0.1, 0.1]))


def test_a_head_without_weight_says_nothing() -> None:
    attended = even(SITES.up)
    attended.alpha[:, 1] = torch.rand(len(attended.alpha), generator=torch.Generator())
    values = weighted_lift(seen(attended), {("up", 0): torch.tensor([1.0, 0.0])})
    counts = torch.bincount(BATCH.up_synapse, minlength=len(BATCH.kind)).float()
    torch.testing.assert_close(values, counts)
