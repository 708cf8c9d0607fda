"""The attention operation in pure torch, on any device."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 the name everybody knows it by

from bnnkg.gnn.plans import Bags, Plan

_EDGES_AT_A_TIME = 2048
"""Edges whose operands fit a core's cache together; twice as fast as all at once (measured)."""


def forward(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """Outputs and weights; the operands are those of ``edge_attention``."""
    scale = 1 / math.sqrt(q.shape[-1])
    alpha = segment_softmax(edge_dots(q, k, plan).mul_(scale).add_(bias), plan)
    return weighted_sum(v, alpha, plan.to_dst), alpha


def backward(
    grad_out: Tensor,
    grad_alpha: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    alpha: Tensor,
    plan: Plan,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of q, k, v and the bias; keeps nothing as wide as edges times features."""
    scale = 1 / math.sqrt(q.shape[-1])
    weighted = edge_dots(grad_out, v, plan)
    if grad_alpha is not None:
        weighted += grad_alpha
    weighted *= alpha
    total = _segment_sum(weighted, plan).index_select(0, plan.dst)
    grad_logits = weighted - alpha * total
    grad_q = weighted_sum(k, grad_logits, plan.to_dst).mul_(scale)
    grad_k = weighted_sum(q, grad_logits, plan.to_src).mul_(scale)
    grad_v = weighted_sum(grad_out, alpha, plan.to_src)
    return grad_q, grad_k, grad_v, grad_logits


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
