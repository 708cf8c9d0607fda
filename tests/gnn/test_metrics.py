from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnkg.gnn.metrics import auroc, average_precision, r2, spearman
from bnnkg.gnn.nulls import FEWEST_PEERS, chance, similar_groups, unit_permutations

answers = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30)


@settings(deadline=None)
@given(answers)
def test_ranks_as_scikit_learn_does(pairs: list[tuple[int, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = [float(s) for s, _ in pairs], [int(y) for _, y in pairs]
    if len(set(labels)) == 2:
        assert auroc(scores, labels) == pytest.approx(metrics.roc_auc_score(labels, scores))
        expected = metrics.average_precision_score(labels, scores)
        assert average_precision(scores, labels) == pytest.approx(expected)


def test_hand_computed() -> None:
    """Positives at 3 and 1, negatives at 2 and 1: 2 + 1/2 of 4 pairs are in order."""
    assert auroc([3, 1, 2, 1], [1, 1, 0, 0]) == 2.5 / 4
    assert average_precision([3, 1, 2, 0], [1, 1, 0, 0]) == pytest.approx((1 + 2 / 3) / 2)
    assert r2([1, 2], [1, 4], [2.5, 2.5]) == pytest.approx(1 - 4 / 4.5)
    assert spearman([1, 2, 3], [3, 5, 9]) == pytest.approx(1)
    assert spearman([1, 2, 3], [2, 3, 1]) == pytest.approx(-0.5)


def test_what_is_undefined_is_not_a_number() -> None:
    assert math.isnan(auroc([1, 2], [1, 1]))
    assert math.isnan(average_precision([1, 2], [0, 0]))
    assert math.isnan(spearman([1, 1], [1, 2]))
    assert math.isnan(chance(np.array([math.nan])))


def test_permutations_move_whole_units_within_a_stratum() -> None:
    units = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    strata = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    seen = set()
    for order in unit_permutations(units, strata, seed=0, n=200):
        blocks = [tuple(order[i : i + 2].tolist()) for i in range(0, 8, 2)]
        assert set(blocks) == {(0, 1), (2, 3), (4, 5), (6, 7)}
        assert blocks[3] == (6, 7)
        seen.add(tuple(blocks))
    assert len(seen) == 6


def test_units_are_exchanged_with_those_of_their_size_where_there_are_enough() -> None:
    sizes = [1] * 10 + [3] * 9
    units = np.repeat(np.arange(19), sizes)
    for order in unit_permutations(units, np.zeros_like(units), seed=1, n=20):
        assert sorted(order[:10]) == list(range(10))
        assert sorted(order[10:]) == list(range(10, 37))


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), max_size=60))
def test_peers_are_cut_where_the_size_changes_and_never_few(sizes: list[int]) -> None:
    """Unit by unit: a group that has enough ends where the size does; too few join the last."""
    units = sorted(range(len(sizes)), key=sizes.__getitem__)
    groups: list[list[int]] = []
    for unit in units:
        last = groups[-1] if groups else []
        if last and (len(last) < FEWEST_PEERS or sizes[last[-1]] == sizes[unit]):
            last.append(unit)
        else:
            groups.append([unit])
    if len(groups) > 1 and len(groups[-1]) < FEWEST_PEERS:
        groups[-2:] = [groups[-2] + groups[-1]]
    ordered = np.array(units, dtype=np.int64)
    found = similar_groups(ordered, np.array(sizes, dtype=np.int64))
    assert [group.tolist() for group in found] == groups


def test_a_smaller_unit_repeats_in_the_place_of_a_larger_one() -> None:
    units = np.array([0, 1, 1, 1])
    orders = {tuple(o.tolist()) for o in unit_permutations(units, np.zeros_like(units), 0, 50)}
    assert orders == {(0, 1, 2, 3), (1, 0, 0, 0)}


def test_the_null_of_a_ranking_is_centred_at_chance() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(60), rng.integers(1, 12, 60))
    labels = rng.integers(0, 2, 60)[units]
    scores = labels + rng.normal(size=len(units)) * 0.5
    null = [
        auroc(scores, labels[order])
        for order in unit_permutations(units, np.zeros_like(units), 0, 200)
    ]
    assert abs(float(np.mean(null)) - 0.5) < 0.05
    assert 0.5 < chance(np.array(null)) < auroc(scores, labels)
