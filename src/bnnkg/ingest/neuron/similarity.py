"""Near copies among mechanisms: which pairs have most of their statements in common.

The similarity of two mechanisms is the Jaccard index of their statements,

    J(a, b) = |a and b| / |a or b|,

a statement that a mechanism has twice counting as two. How a block is called does not count: copies
rename ``rates(v)`` to ``trates(v)``. All pairs above a threshold t are found
exactly, without comparing each with each (prefix filtering: Bayardo, Ma & Srikant 2007, "Scaling up
all pairs similarity search"): where J(a, b) >= t, the two have at least t |a| statements in common,
so they share one of the |a| - ceil(t |a|) + 1 rarest of a, and likewise of b. Statements that
everyone has thus bring nobody together unless a mechanism has hardly any other.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse

THRESHOLD = 0.7
_HEADING = re.compile(
    r"\A(DERIVATIVE|KINETIC|LINEAR|NONLINEAR|DISCRETE|PROCEDURE|FUNCTION|NET_RECEIVE)[^:/]*(?=[:/])"
)
_MAX_PRODUCTS = 4_000_000
_MAX_COMPARED = 20_000
_ROUNDING = 1e-9

Integers = npt.NDArray[np.int64]


class SimilarPairs(NamedTuple):
    """Pairs of near copies as columns, by the order of ``a`` and ``b``; ``a`` is before ``b``."""

    a: list[str]
    b: list[str]
    similarity: list[float]


def statement_hashes(statements: Iterable[str]) -> tuple[int, ...]:
    """A hash of each statement, sorted; the same on every machine.

    Statements that occur again are told apart by how often they did before. The hashes have 53
    bits, so that they stay exact where numbers are floats.

    Args:
        statements: Canonical, those of blocks after the block's heading.
    """
    seen: Counter[str] = Counter()
    hashes = []
    for statement in statements:
        unnamed = _HEADING.sub(r"\1", statement)
        seen[unnamed] += 1
        text = f"{seen[unnamed]} {unnamed}"
        whole = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        hashes.append(int.from_bytes(whole[:8], "big") >> 11)
    return tuple(sorted(hashes))


def similar_pairs(
    uids: Sequence[str],
    hash_sets: Sequence[Sequence[int]],
    new: AbstractSet[str] | None = None,
    threshold: float = THRESHOLD,
) -> SimilarPairs:
    """The pairs of mechanisms with a similarity of at least the threshold, each once.

    The work grows with the mechanisms and their near copies, not with the pairs of mechanisms.

    Args:
        uids: The mechanisms, each once.
        hash_sets: Hashes of the statements of each; one without any is like no other.
        new: Those of which a pair must have one; absent for all.
        threshold: Between 0, exclusive, and 1.
    """
    matrix = _incidence(hash_sets)
    sizes = np.diff(matrix.indptr).astype(np.int64)
    is_new = np.array([new is None or uid in new for uid in uids], dtype=bool)
    found = [
        _verified(pairs, matrix, sizes, threshold)
        for pairs in _candidates(_rarest(matrix, sizes, threshold), sizes, is_new, threshold)
    ]
    return _columns(uids, found)


def _incidence(hash_sets: Sequence[Sequence[int]]) -> sparse.csr_array:
    """Mechanisms by statements, the rarest statement first."""
    from scipy import sparse  # here, for whoever only hashes statements has no use for it

    lengths = np.fromiter(map(len, hash_sets), np.int64, len(hash_sets))
    flat = np.fromiter(chain.from_iterable(hash_sets), np.int64, int(lengths.sum()))
    values, place, frequency = np.unique(flat, return_inverse=True, return_counts=True)
    order = np.empty(len(values), np.int64)
    order[np.argsort(frequency, kind="stable")] = np.arange(len(values))
    rows = np.repeat(np.arange(len(hash_sets)), lengths)
    shape = (len(hash_sets), len(values))
    matrix = sparse.csr_array((np.ones(len(flat), np.int32), (rows, order[place])), shape=shape)
    matrix.sort_indices()
    return matrix


def _rarest(matrix: sparse.csr_array, sizes: Integers, threshold: float) -> sparse.csr_array:
    """Of each mechanism the statements of which it shares one with any near copy."""
    kept = sizes - np.ceil(threshold * sizes - _ROUNDING).astype(np.int64) + 1
    place = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], sizes)
    keep = place < np.repeat(kept, sizes)
    starts = np.concatenate([[0], np.cumsum(np.minimum(kept, sizes))])
    parts = (matrix.data[keep], matrix.indices[keep], starts)
    return type(matrix)(parts, shape=matrix.shape)


def _candidates(
    rarest: sparse.csr_array, sizes: Integers, is_new: npt.NDArray[np.bool_], threshold: float
) -> Iterator[tuple[Integers, Integers]]:
    rows = np.flatnonzero(is_new)
    holders = rarest.T.tocsr()
    products = rarest[rows] @ np.diff(holders.indptr).astype(np.int64)
    for part in _parts(rows, np.asarray(products)):
        met = (rarest[part] @ holders).tocoo()
        one, other = part[met.row], met.col.astype(np.int64)
        small, large = np.minimum(sizes[one], sizes[other]), np.maximum(sizes[one], sizes[other])
        keep = (one != other) & (small >= threshold * large - _ROUNDING)
        keep &= (one < other) | ~is_new[other]
        yield one[keep], other[keep]


def _parts(rows: Integers, products: Integers) -> list[Integers]:
    """The rows in runs whose products fit into memory."""
    part = np.cumsum(products) // _MAX_PRODUCTS
    return np.split(rows, np.flatnonzero(np.diff(part)) + 1) if len(rows) else []


def _verified(
    pairs: tuple[Integers, Integers], matrix: sparse.csr_array, sizes: Integers, threshold: float
) -> tuple[Integers, Integers, npt.NDArray[np.float64]]:
    one, other = pairs
    common = np.zeros(len(one), np.int64)
    for start in range(0, len(one), _MAX_COMPARED):
        rows = slice(start, start + _MAX_COMPARED)
        common[rows] = matrix[one[rows]].multiply(matrix[other[rows]]).sum(axis=1)
    similarity = common / (sizes[one] + sizes[other] - common)
    keep = similarity >= threshold
    return one[keep], other[keep], similarity[keep]


def _columns(
    uids: Sequence[str], found: list[tuple[Integers, Integers, npt.NDArray[np.float64]]]
) -> SimilarPairs:
    pairs = sorted(
        (*sorted((uids[one], uids[other])), float(similarity))
        for part in found
        for one, other, similarity in zip(*part, strict=True)
    )
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    return SimilarPairs(*map(list, columns))
