"""Expressions of LEMS against Python's own arithmetic, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnkg.kinetics import Component, Derived, DynamicsType
from bnnkg.kinetics.arithmetic import Unknown, Value
from bnnkg.kinetics.lems_expressions import read_expression
from bnnkg.kinetics.lems_scopes import Scope, Surroundings


def _value(text: str, **values: float) -> Value:
    own = DynamicsType("own", variables={"y": Derived(((None, text),))})
    return Scope(Component("x", "own", values=values), Surroundings({}, {"own": own})).value("y")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("2^3^2", 512), ("-2^2", -4), ("2 - -3", 5),
        ("8 / 4 / 2", 1), ("1.5e2", 150), (".5 + 1.", 1.5), ("exp(0 - 1)", math.exp(-1)),
        ("ln(2)", math.log(2)), ("log(2)", math.log(2)), ("sqrt(2) * abs(-3)", 3 * math.sqrt(2)),
        ("H(0 - 1e-9)", 0), ("H(2)", 1), ("1 .gt. 2 .or. 3 .leq. 3", 1), ("1.gt.2", 0),
        ("2 .neq. 2 .and. 1 .eq. 1", 0), (".not. 0", 1), ("a * b1 - _c", 5),
    ],
)  # fmt: skip
def test_values(text: str, expected: float) -> None:
    assert _value(text, a=2.0, b1=3.0, _c=1.0) == pytest.approx(expected)


_PLAIN = st.recursive(
    st.integers(1, 9).map(str),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(
        lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
    ),
    max_leaves=12,
)


@given(_PLAIN)
def test_arithmetic_is_pythons(text: str) -> None:
    try:
        expected = float(eval(text))
    except ZeroDivisionError:
        return
    with np.errstate(all="ignore"):
        assert _value(text) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it breaks off"), ("1 +", "it breaks off"), ("(1", "a bracket is not closed"),
        ("1 2", "'2' is out of place"), ("__import__('os')", "\"'\" is no part of one"),
        ("a.b", "'.' is no part of one"), ("v ? 3", "'?' is no part of one"),
        ("(" * 50 + "1" + ")" * 50, "nested too deeply"), ("1 + " * 5000 + "1", "is too long"),
        ("1; 2", "';' is no part of one"), ("a[0]", "'[' is no part of one"),
    ],
)  # fmt: skip
def test_what_is_no_expression_says_why(text: str, reason: str) -> None:
    found = read_expression(text)
    assert isinstance(found, Unknown)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("open(1)", "LEMS has no function open of 1"), ("exp(1, 2)", "no function exp of 2"),
        ("random(1)", "it is random"), ("elsewhere", "nothing gives elsewhere a value"),
        ("y + 1", "y depends on itself"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_says_why(text: str, reason: str) -> None:
    found = _value(text)
    assert isinstance(found, Unknown)
    assert reason in found.reason


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    read_expression(text)
