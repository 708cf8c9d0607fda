from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnkg.gnn.metrics import auroc, average_precision, r2, spearman
from bnnkg.gnn.nulls import chance, unit_permutations

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


def test_permutations_move_whole_units_of_one_size_within_a_stratum() -> None:
    units = np.array([0, 0, 1, 1, 2, 3, 4, 4])
    strata = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    seen = set()
    for order in unit_permutations(units, strata, seed=0, n=50):
        assert sorted(order) == list(range(8))
        assert order[6:].tolist() == [6, 7]
        assert {tuple(order[:2].tolist()), tuple(order[2:4].tolist())} == {(0, 1), (2, 3)}
        seen.add(tuple(order.tolist()))
    assert len(seen) == 4
