"""Rank correlations against scipy and hand calculations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bnnkg.queries import Correlation
from bnnkg.queries.statistics import correct_p, correlate

PLAIN = Correlation("y", "x", "family")


def _one(
    x: Any, y: Any, family: Any = "a", correlation: Correlation = PLAIN, **options: Any
) -> dict[str, Any]:
    families = [family] * len(x) if isinstance(family, str) else family
    rows = {"x": list(x), "y": list(y), "family": families, **options.pop("more", {})}
    table = correlate(rows, [correlation], **options)
    assert {len(column) for column in table.values()} == {1}
    return {name: column[0] for name, column in table.items()}


@pytest.mark.parametrize("seed", range(5))
def test_rho_is_spearmans_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 8, 60), rng.normal(size=60).round(1)
    row = _one(x.tolist(), y.tolist())
    assert row["rho"] == pytest.approx(stats.spearmanr(x, y).statistic)
    assert (row["n"], row["n_families"], row["n_agree"], row["note"]) == (60, 1, 1, "")


def test_p_is_that_of_all_permutations() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 1.0, 3.0, 5.0, 6.0, 4.0]
    exact = stats.permutation_test(
        (y,), lambda v: stats.spearmanr(x, v).statistic, permutation_type="pairings",
        n_resamples=np.inf,
    )  # fmt: skip
    row = _one(x, y, n_permutations=20_000)
    assert row["p"] == pytest.approx(exact.pvalue, abs=0.01)


def test_p_of_no_association_is_small_as_often_as_it_should_be() -> None:
    rng = np.random.default_rng(7)
    p = [_one(rng.random(12), rng.random(12), n_permutations=99)["p"] for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08


def test_p_counts_the_observed_and_repeats_under_a_seed() -> None:
    x = list(range(30))
    assert _one(x, x, n_permutations=199)["p"] == 2 / 200
    y = np.random.default_rng(1).permutation(30).tolist()
    assert _one(x, y, seed=3)["p"] == _one(x, y, seed=3)["p"] != _one(x, y, seed=4)["p"]


def test_one_vote_per_family_by_hand() -> None:
    # rho = 1 - 6 * sum(d^2) / (n (n^2 - 1)): .8 with n 4, -.3 with n 5
    a, b = [1, 2, 4, 3], [5, 2, 3, 1, 4]
    assert stats.spearmanr([1, 2, 3, 4], a).statistic == pytest.approx(0.8)
    assert stats.spearmanr([1, 2, 3, 4, 5], b).statistic == pytest.approx(-0.3)
    row = _one([1, 2, 3, 4, 1, 2, 3, 4, 5], a + b, ["a"] * 4 + ["b"] * 5)
    assert row["rho"] == pytest.approx(math.tanh((math.atanh(0.8) + math.atanh(-0.3)) / 2))
    assert (row["n"], row["n_families"], row["n_agree"]) == (9, 2, 1)


def test_copies_of_a_model_do_not_vote_twice() -> None:
    a, b = [1, 2, 4, 3], [5, 2, 3, 1, 4]
    once = _one([1, 2, 3, 4, 1, 2, 3, 4, 5], a + b, ["a"] * 4 + ["b"] * 5)
    often = _one([1, 2, 3, 4] + [1, 2, 3, 4, 5] * 20, a + b * 20, ["a"] * 4 + ["b"] * 100)
    assert often["rho"] == pytest.approx(once["rho"])
    assert (often["n"], often["n_families"]) == (104, 2)


def test_a_perfect_order_of_few_rows_is_a_finite_vote() -> None:
    row = _one([1, 2, 3, 4] * 2, [1, 2, 3, 4, 1, 2, 4, 3], ["a"] * 4 + ["b"] * 4)
    assert row["rho"] == pytest.approx(math.tanh((math.atanh(1 - 1 / 8) + math.atanh(0.8)) / 2))
    assert _one([1, 2, 3, 4], [1, 2, 3, 4])["rho"] == pytest.approx(1.0)


def test_across_families_each_is_one_point() -> None:
    across = Correlation("y", "x", "family", across=True)
    x = [1, 3, 10, 10, 0, 2, 13, 0]
    y = [0, 2, 9, 7, 4, 4, 1, 3]
    row = _one(x, y, list("aabbcccd"), across)
    points = [(2, 1), (10, 8), (5, 3), (0, 3)]
    assert row["rho"] == pytest.approx(stats.spearmanr(*zip(*points, strict=True)).statistic)
    assert (row["n"], row["n_families"], row["n_agree"]) == (8, 4, None)
    assert _one(x, y, list("aaaabbbc"), across)["note"].startswith(
        "undefined: fewer than 4 families"
    )


def test_what_lies_between_blocks_is_no_effect_within_them() -> None:
    rng = np.random.default_rng(2)
    block = np.repeat(np.arange(20), 5)
    x, y = block + rng.random(100) / 2, block + rng.random(100) / 2
    blocked = Correlation("y", "x", "family", shuffled_in="block")
    more = {"block": block.tolist()}
    assert _one(x, y)["p"] == 2 / 1000
    assert _one(x, y, correlation=blocked, more=more)["p"] > 0.05
    within = block + rng.permuted(np.tile(np.arange(5) / 10, (20, 1)), axis=1).ravel()
    assert _one(within, within, correlation=blocked, more=more)["p"] == 2 / 1000


@pytest.mark.parametrize(
    ("x", "y", "note"),
    [
        ([3, 3, 3, 3, 3], [1, 2, 3, 4, 5], "undefined: x is constant"),
        ([1, 2, 3, 4, 5], [0.1 + 0.2, 0.3, 0.3, 0.3, 0.3], "undefined: y is constant"),
        ([0.0] * 5, [0.0] * 5, "undefined: x is constant"),
        ([1, 2, 3], [1, 2, 3], "undefined: fewer than 4 rows with both values"),
        ([], [], "undefined: fewer than 4 rows with both values"),
    ],
)
def test_a_constant_is_undefined(x: list[float], y: list[float], note: str) -> None:
    row = _one(x, y)
    assert (row["rho"], row["p"], row["p_corrected"]) == (None, None, None)
    assert row["note"] == note
    assert row["n"] == len(x)


def test_constant_within_each_family() -> None:
    row = _one([1] * 4 + [2] * 4, list(range(8)), ["a"] * 4 + ["b"] * 4)
    assert (row["rho"], row["note"]) == (None, "undefined: x is constant within each family")
    some = _one([1] * 4 + [1, 2, 3, 4], list(range(8)), ["a"] * 4 + ["b"] * 4)
    assert some["n_families"] == 1
    assert some["note"].startswith("1 of 2 families have no vote")


def test_rows_without_a_value_are_left_out_and_told() -> None:
    row = _one([1, 2, 3, 4, None, 6], [1, 3, 2, 4, 5, math.nan])
    assert row["n"] == 4
    assert row["note"] == "2 rows without both values left out"


def test_what_the_run_saw_is_circular() -> None:
    correlation = Correlation("y", "x", "family", inputs=("synapse.weight", "a", "b", "c"))
    row = _one([1, 2, 3, 4], [1, 2, 4, 3], correlation=correlation, saw=["weight", "Cell.area_um2"])
    assert row["note"] == "circular: the run had weight as an input, so this is no finding"
    assert row["rho"] == pytest.approx(0.8)
    assert _one([1, 2, 3, 4], [1, 2, 4, 3], correlation=correlation, saw=["weights"])["note"] == ""
    many = _one(
        [1, 2, 3, 4], [1, 2, 4, 3], correlation=correlation, saw=["k.weight", "a", "b", "c"]
    )
    assert many["note"].startswith("circular: the run had a, b, c and 1 more as an input")


def test_a_limit_that_may_have_cut_is_told() -> None:
    assert _one([1, 2, 3, 4], [1, 2, 4, 3], truncated=True)["note"].startswith("partial")


def test_groups_are_tested_apart_and_corrected_together() -> None:
    rng = np.random.default_rng(0)
    rows = {
        "x": rng.random(40).tolist(), "y": rng.random(40).tolist(), "family": ["a"] * 40,
        "kind": ["c", "b"] * 20,
    }  # fmt: skip
    rows["y"][1::2] = rows["x"][1::2]
    grouped = Correlation("y", "x", "family", groups=("kind",))
    table = correlate(rows, [grouped, PLAIN])
    assert table["kind"] == ["b", "c", None]
    assert table["n"] == [20, 20, 40]
    assert table["rho"][0] == pytest.approx(1.0)
    assert table["p_corrected"] == pytest.approx(stats.false_discovery_control(table["p"]))


@pytest.mark.parametrize("seed", range(3))
def test_correction_is_benjamini_and_hochbergs(seed: int) -> None:
    p = np.random.default_rng(seed).random(17) ** 3
    assert correct_p(p.tolist()) == pytest.approx(stats.false_discovery_control(p))
    assert correct_p([0.01, None, 0.04]) == pytest.approx([0.02, None, 0.04])
    assert correct_p([]) == []
