"""Columns grouped, against dictionaries of lists and the statistics of the standard library."""

from __future__ import annotations

import math
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnkg.gnn.grouping import Groups, Ranks

NUMBERS = st.floats(-1e3, 1e3)
MAYBE = NUMBERS | st.just(math.nan) | st.just(math.inf)
KEYS = st.tuples(st.integers(0, 3), st.sampled_from(["b", "", "a", "ab"]))


def lists(keys: list[tuple[int, str]], values: list[float]) -> dict[tuple[int, str], list[float]]:
    found: dict[tuple[int, str], list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        found.setdefault(key, []).append(value)
    return dict(sorted(found.items()))


def grouped(keys: list[tuple[int, str]]) -> Groups:
    texts = [text for _, text in keys]
    return Groups.of(np.array([number for number, _ in keys]), Ranks(texts).of(texts))


@given(st.lists(st.text("ab1é", max_size=3)))
def test_ranks_are_the_places_among_the_different_texts_in_order(texts: list[str]) -> None:
    ranks = Ranks(texts)
    assert ranks.texts == sorted(set(texts))
    assert [ranks.texts[number] for number in ranks.of(texts)] == texts


@given(st.lists(st.tuples(KEYS, NUMBERS), min_size=1))
def test_groups_hold_what_dictionaries_of_lists_do(
    rows: list[tuple[tuple[int, str], float]],
) -> None:
    keys, values = [key for key, _ in rows], [value for _, value in rows]
    groups, expected = grouped(keys), lists(keys, values)
    assert [keys[row] for row in groups.first] == list(expected)
    assert groups.sizes.tolist() == [len(own) for own in expected.values()]
    in_order = [value for own in expected.values() for value in own]
    assert [values[row] for row in groups.order] == in_order
    column = np.array(values)
    for found, one in (
        (groups.sums(column), math.fsum), (groups.means(column), fmean),
        (groups.spreads(column), pstdev),
    ):  # fmt: skip
        wanted = [one(own) for own in expected.values()]
        assert found.tolist() == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(KEYS, MAYBE, MAYBE), min_size=1))
def test_means_of_what_is_known_leave_out_the_rest(
    rows: list[tuple[tuple[int, str], float, float]],
) -> None:
    keys = [key for key, _, _ in rows]
    columns = [[row[1] for row in rows], [row[2] for row in rows]]
    found = grouped(keys).known_means(np.array(columns))
    for seed, column in enumerate(columns):
        known = [[v for v in own if math.isfinite(v)] for own in lists(keys, column).values()]
        wanted = [fmean(own) if own else math.nan for own in known]
        assert found[seed].tolist() == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)
