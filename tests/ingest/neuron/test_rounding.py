"""Numbers of NEURON back to what the author wrote."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bnnkg.ingest.neuron.rounding import as_written, distinct_rows, micrometres_apart, nine_digits
from bnnkg.ingest.neuron.rounding import texts as as_texts

REAL = st.floats(-1e30, 1e30, allow_subnormal=False).filter(lambda x: not x or abs(x) > 1e-30)


@given(st.decimals(-99999, 99999, places=3))
def test_a_decimal_in_single_precision_comes_back(value: object) -> None:
    written = round(float(str(value)), 2 if abs(float(str(value))) >= 1000 else 3)
    held = np.array([np.float32(written)], float)
    assert as_written(held)[0] == written


def test_double_precision_stays() -> None:
    values = np.array([0.1, math.pi, 1 / 3, np.nan, np.inf, 0.0])
    np.testing.assert_array_equal(as_written(values), values)


@given(st.lists(REAL, min_size=1, max_size=5))
def test_nine_digits_are_those_of_print(values: list[float]) -> None:
    rounded = nine_digits(np.array(values))
    expected = [float(f"{value:.9g}") for value in values]
    np.testing.assert_allclose(rounded, expected, rtol=1.1e-8)
    np.testing.assert_array_equal(nine_digits(rounded), rounded)


def test_no_negative_zero_and_nan_stays() -> None:
    assert str(nine_digits(np.array([-0.0, np.nan])).tolist()) == "[0.0, nan]"
    assert as_texts([-0.0, 0.1, 1e-20]) == ["0", "0.1", "1e-20"]
    assert str(micrometres_apart(np.array([1.0, 2.0000001]), np.array([1.0, 2.0])).tolist()) == (
        "[0.0, 0.0]"
    )


def test_rows_are_told_apart_at_nine_digits() -> None:
    table = np.array([[1, np.nan], [2, 0], [1 + 1e-12, np.nan], [2, -0.0], [1.00001, np.nan]])
    rows, of_row = distinct_rows(table)
    assert of_row.tolist() == [0, 1, 0, 1, 2]
    assert rows[:, 0].tolist() == [1, 2, 1.00001]
    none, of_none = distinct_rows(np.zeros((3, 0)))
    assert (none.shape, of_none.tolist()) == ((1, 0), [0, 0, 0])
