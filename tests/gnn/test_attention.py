from __future__ import annotations

import math
import multiprocessing
import warnings
from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bnnkg.gnn import attention, native, portable
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


@pytest.fixture(params=[native, portable], ids=["native", "portable"])
def _implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_implementation", lambda operand: request.param)


@pytest.mark.usefixtures("_implementation")
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


EDGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=12)


@settings(max_examples=10, deadline=None)
@given(EDGES, st.integers(1, 3))
def test_gradients_are_those_of_finite_differences(
    edges: list[tuple[int, int]], heads: int
) -> None:
    src, dst = (torch.tensor([e[i] for e in edges], dtype=torch.long) for i in range(2))
    plan = plan_edges(src, dst, 7, 5, heads)
    assert torch.autograd.gradcheck(lambda *a: edge_attention(*a, plan), operands(plan, 2))


def run(
    implementation: ModuleType, values: list[Tensor], plan: Plan, grads: list[Tensor]
) -> list[Tensor]:
    """Outputs, weights and the four gradients."""
    q, k, v, bias = values
    out, alpha = implementation.forward(q, k, v, bias, plan)
    return [out, alpha, *implementation.backward(*grads, q, k, v, alpha, plan)]


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(EDGES, EDGES.map(lambda edges: edges + [(j % 7, 2) for j in range(60)])),
    st.integers(1, 4),
    st.sampled_from([1, 3, 16]),
    st.sampled_from([(torch.float32, 2e-6), (torch.float64, 1e-14)]),
    st.integers(0, 2**16),
)
def test_compiled_and_plain_agree(
    edges: list[tuple[int, int]],
    heads: int,
    width: int,
    precision: tuple[torch.dtype, float],
    seed: int,
) -> None:
    """With empty rows, a giant row, repeated edges, none at all, and biases of minus infinity."""
    src, dst = (torch.tensor([e[i] for e in edges], dtype=torch.long) for i in range(2))
    plan = plan_edges(src, dst, 7, 5, heads)
    dtype, tolerance = precision
    q, k, v, bias = (x.detach().to(dtype) for x in operands(plan, width, seed))
    random = torch.Generator().manual_seed(seed)
    bias[torch.rand(bias.shape, generator=random) < 0.2] = -math.inf
    grads = [torch.randn(x.shape, generator=random, dtype=dtype) for x in (q, bias)]
    ours, plain = (run(way, [q, k, v, bias], plan, grads) for way in (native, portable))
    for a, b in zip(ours, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance * 60)


@pytest.mark.parametrize("slices", ["of a projection", "of heads", "with a gap", "of one row"])
def test_rows_may_lie_apart(slices: str) -> None:
    """A slice of a projection gives the bits of its copy."""
    src, dst = torch.tensor([0, 2, 1, 0, 3]), torch.tensor([0, 0, 1, 3, 3])
    plan = plan_edges(src, dst, 4, 4, 2)
    whole = torch.randn(4, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    cut: Callable[[Tensor], Tensor] = {
        "of a projection": lambda x: x[:, :, :2],
        "of heads": lambda x: x[:, :, 2:],
        "with a gap": lambda x: x[:, :, ::2],
        "of one row": lambda x: x[:1, :, :2].expand(4, -1, -1, -1),
    }[slices]
    values = [*cut(whole).unbind(1), torch.zeros(5, 2)]
    grads = [torch.ones(1, 2, 5).expand(4, -1, -1), torch.ones(5, 2)]
    found = run(native, values, plan, grads)
    copied = run(native, [x.clone() for x in values], plan, [x.contiguous() for x in grads])
    for a, b in zip(found, copied, strict=True):
        assert torch.equal(a, b)


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    random = torch.Generator().manual_seed(3)
    src, dst = torch.randint(0, 9000, (2, 60_000), generator=random)
    dst[:30_000] = 17
    plan = plan_edges(src, dst, 9000, 9000, 2)
    values = [x.detach().float() for x in operands(plan, 8)]
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(run(native, values, plan, [values[0], values[3]]))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_half_precision_is_read_in_single_precision() -> None:
    src, dst = torch.randint(0, 20, (2, 90), generator=torch.Generator().manual_seed(4))
    plan = plan_edges(src, dst, 20, 20, 2)
    half = [x.detach().bfloat16().requires_grad_() for x in operands(plan, 8)]
    out, alpha = edge_attention(*half, plan)
    grads = [out.detach(), alpha.detach()]
    expected = run(native, [x.detach().float() for x in half], plan, grads)
    assert torch.equal(out, expected[0])
    sums = torch.zeros(20, 2).index_add_(0, plan.dst, alpha.detach())
    torch.testing.assert_close(sums[sums > 0], torch.ones(int((sums > 0).sum())), atol=1e-5, rtol=0)
    (out.sum() + alpha.sum()).backward()
    assert all(x.grad is not None and x.grad.dtype == torch.bfloat16 for x in half)


def test_a_fork_computes_with_threads_of_its_own() -> None:
    """Workers of loaders fork: the threads of their parent are not there."""
    test_the_bits_do_not_depend_on_the_number_of_threads()
    process = multiprocessing.get_context("fork").Process(
        target=test_the_bits_do_not_depend_on_the_number_of_threads
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the point of the test
        process.start()
    process.join(60)
    assert process.exitcode == 0


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
