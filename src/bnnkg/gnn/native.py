"""The attention operation compiled for the CPU: one pass over targets, and one over sources.

Rows are read where they lie, through a pointer and a step, so that slices of a projection need no
copy. Every row of a result is written by one thread, in the plan's order: the bits depend neither
on how many threads there are nor on which is first.

Numba compiles at the first use on a machine and keeps the result on disk.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnnkg.gnn.plans import Plan
from bnnkg.gnn.vectors import add_scaled, dot, prefetch

Floats = NDArray[Any]
Places = NDArray[np.uint64]
"""Unsigned, all of them: of a signed index Numba asks first whether it counts from the end."""

_EDGES_AHEAD = 16
_CACHE_LINE_BYTES = 64
_FEWEST_EDGES_PER_THREAD = 10_000
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},  # infinities keep their meaning
}


def forward(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """Outputs and weights; the operands are those of ``edge_attention``, on the CPU."""
    _, heads, width = q.shape
    number = _number_type(q)
    out, alpha = _empty(number, plan.n_dst, heads, width), _empty(number, len(plan.src), heads)
    over_targets, _, _ = _compiled(width, number)
    _over_rows(
        over_targets, plan.offsets, np.uint64(heads), _places(plan.src),
        *_rows(q), *_rows(k), *_rows(v), _flat(bias), _flat(out), _flat(alpha),
    )  # fmt: skip
    return out, alpha


def backward(
    grad_out: Tensor,
    grad_alpha: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    alpha: Tensor,
    plan: Plan,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of q, k, v and the bias."""
    _, heads, width = q.shape
    number = _number_type(q)
    grad_q, grad_logits = _empty(number, *q.shape), _empty(number, *alpha.shape)
    grad_k, grad_v = _empty(number, *k.shape), _empty(number, *v.shape)
    _, to_targets, to_sources = _compiled(width, number)
    own = alpha.new_empty(0) if grad_alpha is None else grad_alpha
    _over_rows(
        to_targets, plan.offsets, np.uint64(heads), _places(plan.src), *_rows(grad_out),
        *_rows(k), *_rows(v), _flat(own), _flat(alpha), _flat(grad_logits), _flat(grad_q),
    )  # fmt: skip
    by_src = plan.by_src
    _over_rows(
        to_sources, by_src.offsets, np.uint64(heads), _places(by_src.dst), _places(by_src.edge),
        *_rows(grad_out), *_rows(q), _flat(alpha), _flat(grad_logits), _flat(grad_k),
        _flat(grad_v),
    )  # fmt: skip
    return grad_q, grad_k, grad_v, grad_logits


@lru_cache
def _compiled(width: int, number: np.dtype[Any]) -> tuple[Callable[..., None], ...]:
    """The loops for heads of one width: over targets, back to targets, back to sources.

    Each works on the rows from ``lo`` to ``hi``. ``x_step`` is how far the rows of x lie apart.
    """
    zero, one, step = number.type(0), number.type(1), np.uint64(1)
    lowest, scale = np.finfo(number).min, number.type(1 / math.sqrt(width))
    W, ahead = np.uint64(width), np.uint64(_EDGES_AHEAD)
    line = np.uint64(_CACHE_LINE_BYTES // number.itemsize)

    def over_targets(
        lo: Any, hi: Any, offsets: Places, heads: Any, src: Places,
        q: Floats, q_step: Any, k: Floats, k_step: Any, v: Floats, v_step: Any,
        bias: Floats, out: Floats, alpha: Floats,
    ) -> None:  # fmt: skip
        top, total = np.empty(heads, bias.dtype), np.empty(heads, bias.dtype)
        last, n = offsets[hi], heads * W
        for i in range(lo, hi):
            first, end = offsets[i], offsets[i + step]
            out[i * n : (i + step) * n] = zero
            top[:], total[:] = lowest, zero
            for e in range(first, end):
                if e + ahead < last:
                    soon = src[e + ahead]
                    for c in range(np.uint64(0), n, line):
                        prefetch(k, soon * k_step + c)
                        prefetch(v, soon * v_step + c)
                for h in range(heads):
                    product = dot(q, i * q_step + h * W, k, src[e] * k_step + h * W, width)
                    logit = product * scale + bias[e * heads + h]
                    alpha[e * heads + h] = logit
                    top[h] = max(top[h], logit)
            for e in range(first, end):
                for h in range(heads):
                    weight = math.exp(alpha[e * heads + h] - top[h])
                    alpha[e * heads + h] = weight
                    total[h] += weight
            for h in range(heads):
                if total[h] != zero:
                    total[h] = one / total[h]
            for e in range(first, end):
                for h in range(heads):
                    weight = alpha[e * heads + h] * total[h]
                    alpha[e * heads + h] = weight
                    add_scaled(out, i * n + h * W, weight, v, src[e] * v_step + h * W, width)

    def to_targets(
        lo: Any, hi: Any, offsets: Places, heads: Any, src: Places,
        grad_out: Floats, out_step: Any, k: Floats, k_step: Any, v: Floats, v_step: Any,
        grad_alpha: Floats, alpha: Floats, grad_logits: Floats, grad_q: Floats,
    ) -> None:  # fmt: skip
        total = np.empty(heads, alpha.dtype)
        last, n = offsets[hi], heads * W
        for i in range(lo, hi):
            first, end = offsets[i], offsets[i + step]
            grad_q[i * n : (i + step) * n] = zero
            total[:] = zero
            for e in range(first, end):
                if e + ahead < last:
                    soon = src[e + ahead]
                    for c in range(np.uint64(0), n, line):
                        prefetch(k, soon * k_step + c)
                        prefetch(v, soon * v_step + c)
                for h in range(heads):
                    own = dot(grad_out, i * out_step + h * W, v, src[e] * v_step + h * W, width)
                    if len(grad_alpha):
                        own += grad_alpha[e * heads + h]
                    own *= alpha[e * heads + h]
                    grad_logits[e * heads + h] = own
                    total[h] += own
            for e in range(first, end):
                for h in range(heads):
                    at = e * heads + h
                    own = grad_logits[at] - alpha[at] * total[h]
                    grad_logits[at] = own
                    add_scaled(
                        grad_q, i * n + h * W, own * scale, k, src[e] * k_step + h * W, width
                    )

    def to_sources(
        lo: Any, hi: Any, offsets: Places, heads: Any, dst: Places, edge: Places,
        grad_out: Floats, out_step: Any, q: Floats, q_step: Any,
        alpha: Floats, grad_logits: Floats, grad_k: Floats, grad_v: Floats,
    ) -> None:  # fmt: skip
        last, n = offsets[hi], heads * W
        for j in range(lo, hi):
            grad_k[j * n : (j + step) * n] = zero
            grad_v[j * n : (j + step) * n] = zero
            for place in range(offsets[j], offsets[j + step]):
                if place + ahead < last:
                    soon = dst[place + ahead]
                    prefetch(alpha, edge[place + ahead] * heads)
                    prefetch(grad_logits, edge[place + ahead] * heads)
                    for c in range(np.uint64(0), n, line):
                        prefetch(q, soon * q_step + c)
                        prefetch(grad_out, soon * out_step + c)
                for h in range(heads):
                    at, own, i = edge[place] * heads + h, j * n + h * W, dst[place]
                    factor = grad_logits[at] * scale
                    add_scaled(grad_k, own, factor, q, i * q_step + h * W, width)
                    add_scaled(grad_v, own, alpha[at], grad_out, i * out_step + h * W, width)

    compile_ = numba.njit(**_OPTIONS)
    return compile_(over_targets), compile_(to_targets), compile_(to_sources)


def _over_rows(kernel: Callable[..., None], offsets: Tensor, *operands: Any) -> None:
    """Runs a loop over all rows, in as many parts as torch has threads and the edges fill."""
    places = _places(offsets)
    n_rows, n_edges = len(places) - 1, int(places[-1])
    n_parts = max(1, min(torch.get_num_threads(), n_edges // _FEWEST_EDGES_PER_THREAD))
    if n_parts == 1:
        kernel(np.uint64(0), np.uint64(n_rows), places, *operands)
        return
    load = places + np.arange(n_rows + 1, dtype=np.uint64)  # a row costs about as much as an edge
    cuts = np.searchsorted(load, np.linspace(0, load[-1], n_parts + 1)).astype(np.uint64)
    cuts[0], cuts[-1] = 0, n_rows
    parts = [_pool(n_parts).submit(kernel, lo, hi, places, *operands) for lo, hi in pairwise(cuts)]
    for part in parts:
        part.result()


@lru_cache(1)
def _pool(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, "attention")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a fork has none of the threads


def _number_type(values: Tensor) -> np.dtype[Any]:
    return np.dtype(np.float32 if values.dtype == torch.float32 else np.float64)


def _empty(number: np.dtype[Any], *shape: int) -> Tensor:
    """From NumPy, which asks for huge pages: a large result costs a third less to write."""
    return torch.from_numpy(np.empty(shape, number))


def _places(values: Tensor) -> Places:
    return values.numpy().view(np.uint64)


def _flat(values: Tensor) -> Floats:
    """A contiguous tensor's numbers in a row."""
    flat: Floats = values.contiguous().view(-1).numpy()
    return flat


def _rows(values: Tensor) -> tuple[Floats, np.uint64]:
    """[n, H, D] from the first number to the last, and how far its rows lie apart."""
    n, heads, width = values.shape
    if values.stride()[1:] != (width, 1) or (n > 1 and values.stride(0) < heads * width):
        values = values.contiguous()
    step = values.stride(0)
    length = (n - 1) * step + heads * width if n else 0
    return values.as_strided((length,), (1,)).numpy(), np.uint64(step)
