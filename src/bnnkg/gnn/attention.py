"""The one attention operation: softmax over the sources of each target, in pure torch."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812 the name everybody knows it by

from bnnkg.gnn.plans import Bags, Plan

_EDGES_AT_A_TIME = 2048
"""Edges whose operands fit a core's cache together; twice as fast as all at once (measured)."""


def edge_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan
) -> tuple[Tensor, Tensor]:
    r"""Attends along the edges of a plan.

    For an edge from source j to target i and each head,

    .. math::
        e_{ij} = q_i \cdot k_j / \sqrt{D} + b_{ij}, \qquad
        \alpha_{ij} = \exp e_{ij} \big/ \sum_{j' \in N(i)} \exp e_{ij'}, \qquad
        o_i = \sum_{j \in N(i)} \alpha_{ij} v_j

    Bit-deterministic: every sum runs in the plan's order. A bias of minus infinity takes an edge
    out: its weight is exactly 0. A target without edges, or with none left, gets 0.

    Args:
        q: [n_dst, H, D] queries.
        k: [n_src, H, D] keys.
        v: [n_src, H, D] values.
        bias: [P, H] added to the logits, in the plan's order.
        plan: The edges.

    Returns:
        [n_dst, H, D] outputs, and [P, H] weights, which sum to 1 over each target's edges; both
        carry gradients to all four inputs.
    """
    out, alpha = _EdgeAttention.apply(q, k, v, bias, plan)
    return out, alpha


def edge_dots(dst_values: Tensor, src_values: Tensor, plan: Plan) -> Tensor:
    """Scalar product of each edge's two ends.

    Args:
        dst_values: [n_dst, H, D].
        src_values: [n_src, H, D].
        plan: The edges.

    Returns:
        [P, H], in the plan's order.
    """
    n_edges, (heads, width) = len(plan.src), dst_values.shape[1:]
    step = _EDGES_AT_A_TIME if dst_values.device.type == "cpu" else max(n_edges, 1)
    left, right = dst_values.reshape(-1, heads * width), src_values.reshape(-1, heads * width)
    dots = dst_values.new_empty(n_edges, heads)
    for start in range(0, n_edges, step):
        part = slice(start, start + step)
        product = left.index_select(0, plan.dst[part])
        product *= right.index_select(0, plan.src[part])
        torch.sum(product.view(-1, heads, width), -1, out=dots[part])
    return dots


def segment_softmax(logits: Tensor, plan: Plan) -> Tensor:
    """Softmax over the edges of each target.

    Args:
        logits: [P, H]; minus infinity takes an edge out.
        plan: The edges.

    Returns:
        [P, H] weights.
    """
    lowest = torch.finfo(logits.dtype).min
    highest = torch.segment_reduce(logits, "max", offsets=plan.offsets, axis=0, initial=lowest)
    weights = (logits - highest.index_select(0, plan.dst)).exp_()
    total = _segment_sum(weights, plan).clamp_min_(torch.finfo(logits.dtype).tiny)
    return weights / total.index_select(0, plan.dst)


def weighted_sum(values: Tensor, weights: Tensor, bags: Bags) -> Tensor:
    """Sums the values of each bag, weighted, without storing a row per edge.

    Args:
        values: [n, H, D].
        weights: [P, H].
        bags: Which values go where.

    Returns:
        [number of bags / H, H, D].
    """
    _, heads, width = values.shape
    if not len(bags.rows):
        return values.new_zeros((len(bags.offsets) - 1) // heads, heads, width)
    sums = F.embedding_bag(
        bags.rows,
        values.reshape(-1, width),
        bags.offsets,
        mode="sum",
        per_sample_weights=weights.reshape(-1).index_select(0, bags.weights),
        include_last_offset=True,
    )
    return sums.view(-1, heads, width)


def _segment_sum(edge_values: Tensor, plan: Plan) -> Tensor:
    return torch.segment_reduce(edge_values, "sum", offsets=plan.offsets, axis=0, initial=0)


class _EdgeAttention(torch.autograd.Function):
    """Keeps rows and weights for the backward pass, and nothing as wide as edges times features."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan
    ) -> tuple[Tensor, Tensor]:
        scale = 1 / math.sqrt(q.shape[-1])
        alpha = segment_softmax(edge_dots(q, k, plan).mul_(scale).add_(bias), plan)
        ctx.save_for_backward(q, k, v, alpha)
        ctx.plan, ctx.scale = plan, scale
        ctx.set_materialize_grads(False)
        return weighted_sum(v, alpha, plan.to_dst), alpha

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_out: Tensor | None, grad_alpha: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        q, k, v, alpha = ctx.saved_tensors
        plan, scale = ctx.plan, ctx.scale
        if grad_out is None:
            grad_out = q.new_zeros(plan.n_dst, *v.shape[1:])
        weighted = edge_dots(grad_out, v, plan)
        if grad_alpha is not None:
            weighted += grad_alpha
        weighted *= alpha
        total = _segment_sum(weighted, plan).index_select(0, plan.dst)
        grad_logits = weighted - alpha * total
        grad_q = weighted_sum(k, grad_logits, plan.to_dst).mul_(scale)
        grad_k = weighted_sum(q, grad_logits, plan.to_src).mul_(scale)
        grad_v = weighted_sum(grad_out, alpha, plan.to_src)
        return grad_q, grad_k, grad_v, grad_logits, None
