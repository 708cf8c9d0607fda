"""Connections that do not exist, matched to those that do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_ROUNDS = 400
_IN_VAIN = 40
"""Rounds after which what no exchange has mended is given up."""


def sample_negatives(
    positive: Tensor,
    joined: Tensor,
    n_neurons: int,
    generator: torch.Generator,
    *,
    allowed: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Rewires connections so that every neuron keeps how many leave and how many reach it.

    Targets are exchanged between two connections at a time (a to b and c to d become a to d and
    c to b; Maslov & Sneppen, Science 2002), all that still need it at once, until none joins a
    neuron to itself, joins a pair that is joined in either direction, occurs twice, or lies
    where it may not. Matching is exact but for the few that no exchange could mend, which are
    left out.

    Args:
        positive: [2, P] distinct connections of one kind, rows of neurons.
        joined: [2, K] all pairs of neurons that are joined in whatever way, in any order.
        n_neurons: M.
        generator: Of the seed.
        allowed: Tells for pairs [2, n] which may be drawn: those of the same part of a split.

    Returns:
        [2, at most P] ordered pairs.
    """
    src, dst = positive
    taken = torch.unique(_codes(joined, n_neurons))

    def bad(src: Tensor, dst: Tensor) -> Tensor:
        pair = torch.stack([src, dst])
        wrong = (src == dst) | _among(_codes(pair, n_neurons), taken)
        return wrong if allowed is None else wrong | ~allowed(pair)

    dst = dst[torch.randperm(len(dst), generator=generator)]
    barred = bad(src, dst)
    fewest, since = len(dst) + 1, 0
    for number in range(_ROUNDS):
        wrong = barred | _repeated(src * n_neurons + dst)
        n_wrong = int(wrong.sum())
        if n_wrong < fewest:
            fewest, since = n_wrong, number
        if not n_wrong or number - since >= _IN_VAIN:
            break
        dst, barred = _exchange(src, dst, wrong, barred, bad, generator)
    wrong = barred | _repeated(src * n_neurons + dst)
    return torch.stack([src[~wrong], dst[~wrong]])


def _exchange(
    src: Tensor,
    dst: Tensor,
    wrong: Tensor,
    barred: Tensor,
    bad: Callable[[Tensor, Tensor], Tensor],
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Exchanges targets within random couples, where no more of the two is wrong than before.

    Returns:
        The targets, and which pairs are barred now: only those exchanged are looked at again.
    """
    order = torch.randperm(len(dst), generator=generator)
    half = len(order) // 2
    one, other = order[:half], order[half : 2 * half]
    some = wrong[one] | wrong[other]
    one, other = one[some], other[some]
    before = wrong[one].int() + wrong[other].int()
    crossed, back = bad(src[one], dst[other]), bad(src[other], dst[one])
    better = crossed.int() + back.int() <= before
    one, other = one[better], other[better]
    new, barred = dst.clone(), barred.clone()
    new[one], new[other] = dst[other], dst[one]
    barred[one], barred[other] = crossed[better], back[better]
    return new, barred


def _codes(pairs: Tensor, n: int) -> Tensor:
    """One number for each unordered pair."""
    return pairs.min(dim=0).values * n + pairs.max(dim=0).values


def _among(values: Tensor, ordered: Tensor) -> Tensor:
    """Which values occur in an ascending list."""
    if not len(ordered):
        return torch.zeros(len(values), dtype=torch.bool)
    at = torch.searchsorted(ordered, values).clamp(max=len(ordered) - 1)
    return ordered[at] == values


def _repeated(codes: Tensor) -> Tensor:
    """Which values stood earlier in the list."""
    ordered, order = torch.sort(codes, stable=True)
    again = torch.zeros(len(codes), dtype=torch.bool)
    again[order[1:]] = ordered[1:] == ordered[:-1]
    return again
