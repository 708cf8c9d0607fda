"""Sorted edge lists that make one attention site cheap and bit-deterministic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Bags:
    """Which rows are summed into which, head by head: the operand of a weighted gather.

    Bag ``i * H + h`` holds the terms of row i and head h, in a fixed order, so that a sum over it
    needs no atomics and always rounds in the same way.

    Attributes:
        rows: [P * H] place ``j * H + h`` of each term's value.
        weights: [P * H] place ``p * H + h`` of each term's weight.
        offsets: [n * H + 1] where each bag starts.
    """

    rows: Tensor
    weights: Tensor
    offsets: Tensor


@dataclass(frozen=True)
class Transposed:
    """The edges of a plan by source (CSC).

    Attributes:
        offsets: [n_src + 1] where each source's edges start.
        dst: [P] target row.
        edge: [P] position in the plan, ascending for each source.
    """

    offsets: Tensor
    dst: Tensor
    edge: Tensor


@dataclass(frozen=True)
class Plan:
    """The edges of one attention site, sorted by target (CSR) and, through ``to_dst``, by source.

    P edges, H heads. Position p stands for one edge everywhere: in ``src`` and ``dst``, in the
    bias that goes into the attention and in the weights that come out of it.

    Attributes:
        n_src: Number of source rows.
        n_dst: Number of target rows.
        heads: H.
        src: [P] source row.
        dst: [P] target row, ascending; then by source row, then in the order given.
        offsets: [n_dst + 1] position where each target's edges start.
        order: [P] place of each edge in the list that the plan was made from.
    """

    n_src: int
    n_dst: int
    heads: int
    src: Tensor
    dst: Tensor
    offsets: Tensor
    order: Tensor

    @property
    def n_sources(self) -> Tensor:
        """[P] number of edges that each edge competes with, itself included."""
        return torch.diff(self.offsets).index_select(0, self.dst)

    @cached_property
    def by_src(self) -> Transposed:
        """The same edges by source: what the backward pass sums over."""
        edge = torch.argsort(self.src, stable=True)
        return Transposed(_offsets(self.src, self.n_src), self.dst.index_select(0, edge), edge)

    @cached_property
    def to_dst(self) -> Bags:
        """Bags of sources by target: the forward sum."""
        positions = torch.arange(len(self.dst), device=self.dst.device)
        return _bags(self.dst, self.src, positions, self.n_dst, self.heads)

    @cached_property
    def to_src(self) -> Bags:
        """Bags of targets by source: the backward sum."""
        by_src = self.by_src
        src = self.src.index_select(0, by_src.edge)
        return _bags(src, by_src.dst, by_src.edge, self.n_src, self.heads)


def plan_edges(src: Tensor, dst: Tensor, n_src: int, n_dst: int, heads: int) -> Plan:
    """Sorts edges into a plan.

    Args:
        src: [P] source row of each edge; edges may repeat.
        dst: [P] target row of each edge.
        n_src: Number of source rows.
        n_dst: Number of target rows; rows without an edge are allowed.
        heads: Number of attention heads that will use it.

    Returns:
        The plan.
    """
    order = torch.argsort(dst * n_src + src, stable=True)
    src, dst = src.index_select(0, order), dst.index_select(0, order)
    return Plan(n_src, n_dst, heads, src, dst, _offsets(dst, n_dst), order)


def _offsets(rows: Tensor, n_rows: int) -> Tensor:
    counts = torch.bincount(rows, minlength=n_rows)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _bags(into: Tensor, values: Tensor, positions: Tensor, n_rows: int, heads: int) -> Bags:
    """Spreads edges sorted by ``into`` over heads: row by row, then head by head, then edge."""
    offsets = _offsets(into, n_rows)
    n_terms = torch.diff(offsets)
    head = torch.arange(heads, device=into.device)
    start, n_own = offsets[:-1].index_select(0, into), n_terms.index_select(0, into)
    rank = torch.arange(len(into), device=into.device) - start
    place = (start * heads + rank)[:, None] + n_own[:, None] * head
    rows, weights = torch.empty_like(place).flatten(), torch.empty_like(place).flatten()
    rows[place.flatten()] = (values[:, None] * heads + head).flatten()
    weights[place.flatten()] = (positions[:, None] * heads + head).flatten()
    bag_offsets = (offsets[:-1, None] * heads + n_terms[:, None] * head).flatten()
    return Bags(rows, weights, torch.cat([bag_offsets, offsets[-1:] * heads]))
