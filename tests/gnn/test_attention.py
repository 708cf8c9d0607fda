from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bnnkg.gnn.attention import edge_attention
from bnnkg.gnn.plans import Plan, plan_edges


def operands(plan: Plan, width: int = 3, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)

    def draw(n: int, *shape: int) -> Tensor:
        values = torch.randn(n, *shape, generator=random, dtype=torch.float64)
        return values.requires_grad_()

    shape = (plan.heads, width)
    return (
        draw(plan.n_dst, *shape),
        draw(plan.n_src, *shape),
        draw(plan.n_src, *shape),
        draw(len(plan.src), plan.heads),
    )


def row_by_row(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """The formula, one target and one head at a time."""
    out, alpha = [], torch.zeros_like(bias)
    for i in range(plan.n_dst):
        own = (plan.dst == i).nonzero().squeeze(1)
        logits = (k[plan.src[own]] * q[i]).sum(-1) / math.sqrt(q.shape[-1]) + bias[own]
        weights = torch.softmax(logits, 0) if len(own) else logits
        alpha = alpha.index_put((own,), weights)
        out.append((weights.unsqueeze(-1) * v[plan.src[own]]).sum(0))
    return torch.stack(out), alpha


GRAPHS = {
    "empty rows and duplicates": ([0, 1, 2, 2, 3, 3, 1, 0, 4], [0, 0, 0, 0, 2, 2, 4, 4, 4], 6, 5),
    "one giant row": ([*range(40), 0, 1], [1] * 40 + [0, 2], 40, 3),
    "no edges": ([], [], 3, 2),
    "self edges": ([0, 1, 2], [0, 1, 2], 3, 3),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_equals_the_formula_row_by_row_with_gradients(name: str, heads: int) -> None:
    src, dst, n_src, n_dst = GRAPHS[name]
    plan = plan_edges(torch.tensor(src).long(), torch.tensor(dst).long(), n_src, n_dst, heads)
    ours, theirs = operands(plan), operands(plan)
    out, alpha = edge_attention(*ours, plan)
    naive_out, naive_alpha = row_by_row(*theirs, plan)
    torch.testing.assert_close(out, naive_out)
    torch.testing.assert_close(alpha, naive_alpha)
    mix_out, mix_alpha = torch.randn_like(out), torch.randn_like(alpha)
    ((out * mix_out).sum() + (alpha * mix_alpha).sum()).backward()
    ((naive_out * mix_out).sum() + (naive_alpha * mix_alpha).sum()).backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad if b.grad is not None else torch.zeros_like(b))


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=12),
    st.integers(1, 3),
)
def test_gradients_are_those_of_finite_differences(
    edges: list[tuple[int, int]], heads: int
) -> None:
    src, dst = (torch.tensor([e[i] for e in edges], dtype=torch.long) for i in range(2))
    plan = plan_edges(src, dst, 7, 5, heads)
    assert torch.autograd.gradcheck(lambda *a: edge_attention(*a, plan), operands(plan, 2))


def test_hand_computed_case() -> None:
    """One target, two sources, D = 4: logits q.k / 2 + b are 1 and 1 + ln 3, so 1/4 and 3/4."""
    plan = plan_edges(torch.tensor([0, 1]), torch.tensor([0, 0]), 2, 1, 1)
    q = torch.tensor([[[1.0, 0.0, 1.0, 0.0]]])
    k = torch.tensor([[[2.0, 5.0, 0.0, 1.0]], [[1.0, -3.0, 1.0, 7.0]]])
    v = torch.tensor([[[4.0, 0.0, 0.0, 0.0]], [[0.0, 8.0, 0.0, 4.0]]])
    out, alpha = edge_attention(q, k, v, torch.tensor([[0.0], [math.log(3.0)]]), plan)
    torch.testing.assert_close(alpha, torch.tensor([[0.25], [0.75]]))
    torch.testing.assert_close(out, torch.tensor([[[1.0, 6.0, 0.0, 3.0]]]))


def test_an_edge_at_minus_infinity_is_as_if_it_were_not_there() -> None:
    src, dst = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 0, 0, 1])
    plan = plan_edges(src, dst, 4, 2, 2)
    q, k, v, bias = (x.detach() for x in operands(plan))
    blocked = bias.clone()
    blocked[1], blocked[3] = -math.inf, -math.inf
    out, alpha = edge_attention(q, k, v, blocked, plan)
    fewer = plan_edges(src[[0, 2]], dst[[0, 2]], 4, 2, 2)
    expected_out, expected_alpha = edge_attention(q, k, v, bias[[0, 2]], fewer)
    assert torch.equal(alpha[[1, 3]], torch.zeros(2, 2, dtype=alpha.dtype))
    torch.testing.assert_close(alpha[[0, 2]], expected_alpha)
    torch.testing.assert_close(out, expected_out)
    assert torch.equal(out[1], torch.zeros_like(out[1]))


def test_more_edges_than_are_read_at_a_time() -> None:
    random = torch.Generator().manual_seed(1)
    src, dst = torch.randint(0, 50, (2, 5000), generator=random)
    plan = plan_edges(src, dst, 50, 50, 2)
    values = operands(plan)
    for a, b in zip(edge_attention(*values, plan), row_by_row(*values, plan), strict=True):
        torch.testing.assert_close(a, b)


def test_bit_identical_when_repeated() -> None:
    random = torch.Generator().manual_seed(2)
    src, dst = torch.randint(0, 300, (2, 4000), generator=random)
    grads = []
    for _ in range(2):
        plan = plan_edges(src, dst, 300, 300, 4)
        values = [x.detach().float().requires_grad_() for x in operands(plan, 16)]
        out, alpha = edge_attention(*values, plan)
        (out.square().sum() + alpha.square().sum()).backward()
        grads.append([x.grad for x in values])
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))
