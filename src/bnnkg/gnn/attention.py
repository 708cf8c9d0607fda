"""The one attention operation: softmax over the sources of each target."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bnnkg.gnn import portable
from bnnkg.gnn.plans import Plan


def edge_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan
) -> tuple[Tensor, Tensor]:
    r"""Attends along the edges of a plan.

    For an edge from source j to target i and each head,

    .. math::
        e_{ij} = q_i \cdot k_j / \sqrt{D} + b_{ij}, \qquad
        \alpha_{ij} = \exp e_{ij} \big/ \sum_{j' \in N(i)} \exp e_{ij'}, \qquad
        o_i = \sum_{j \in N(i)} \alpha_{ij} v_j

    Compiled on the CPU, pure torch elsewhere. Bit-deterministic: every sum runs in the plan's
    order. A bias of minus infinity takes an edge out: its weight is exactly 0. A target without
    edges, or with none left, gets 0. Operands of half precision are read in single precision.

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
    operands = [x.float() if x.itemsize < 4 else x for x in (q, k, v, bias)]
    out, alpha = _EdgeAttention.apply(*operands, plan)
    return out, alpha


class _EdgeAttention(torch.autograd.Function):
    """Keeps rows and weights for the backward pass, and nothing as wide as edges times features."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan
    ) -> tuple[Tensor, Tensor]:
        out, alpha = _implementation(q).forward(q, k, v, bias, plan)
        ctx.save_for_backward(q, k, v, alpha)
        ctx.plan = plan
        ctx.set_materialize_grads(False)
        return out, alpha

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_out: Tensor | None, grad_alpha: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        q, k, v, alpha = ctx.saved_tensors
        if grad_out is None:
            grad_out = q.new_zeros(ctx.plan.n_dst, *v.shape[1:])
        operands = (grad_out, grad_alpha, q, k, v, alpha, ctx.plan)
        return (*_implementation(q).backward(*operands), None)


def _implementation(operand: Tensor) -> ModuleType:
    """What computes it on this operand's device, in its precision."""
    if operand.device.type != "cpu" or operand.dtype not in (torch.float32, torch.float64):
        return portable
    from bnnkg.gnn import native  # brings the compiler with it

    return native
