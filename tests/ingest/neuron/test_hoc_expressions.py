"""Arithmetic of hoc files, against NEURON's own hoc interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from forking_neuron import ForkingNeuron
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron_oracle import needs_neuron

from bnnkg.ingest.neuron.hoc_expressions import Number, after_reference, evaluate
from bnnkg.ingest.neuron.hoc_tokens import matching_braces, tokens_of

VARIABLES = {"n": Decimal(3), "x": Decimal("0.25"), "unknown": None}
ARGUMENTS = (Decimal(7), None)


def _evaluated(text: str) -> tuple[Number, str]:
    """The value of an expression, and the word that follows it."""
    tokens = tokens_of(text, "a.hoc")
    value, place = evaluate(
        tokens, 0, len(tokens), matching_braces(tokens), VARIABLES, ARGUMENTS
    )  # fmt: skip
    return value, tokens[place].text if place < len(tokens) else ""


@pytest.fixture(scope="module")
def neuron() -> Iterator[ForkingNeuron]:
    with ForkingNeuron() as neuron:
        yield neuron


def _in_hoc(neuron: ForkingNeuron, text: str) -> float | None:
    found = neuron.ask(
        f"h('n = 3'); h('x = 0.25'); assert h('bnnkg_y = {text}'); found = h.bnnkg_y"
    )
    return None if found is None else float(found)


CORNERS = [
    "-2^2", "2^-1", "2^3^2", "-7 % 3", "7 % 3", "-7.5 % 2", "5 == 1 < 3", "2 == 2 < 1", "2 < 3 < 2",
    "0 == 2 < 1", "!2 == 0", "!n", "1 || 0 && 0", "(1 || 0) && 0", "1/3*3 == 1", "1/3*3 >= 1",
    "1/3*3 < 1", "1e-12 == 0", "1e-12 > 0", "1 - .9 - .1 != 0", "int(-2.7)", "int(2.9999999999999)",
    "int(-0.5)", "1.e2", ".5e-1", "5.", "2*-3", "2^-3^2", "-!1", "!!3", "exp(1000)", "exp(2)",
    "abs(x - n)", "sqrt(n*n + 16)", "log(n)", "log10(1000)", "sin(PI/6)", "cos(PI)", "PI*n",
    "n*x^2", "(n + 1)*(n - 1)/2", "1e3 + 1E-3", "n % 2 == 1", "n >= 3 && x < 1",
]  # fmt: skip


@needs_neuron
@pytest.mark.parametrize("text", CORNERS)
def test_corners_of_the_language(neuron: ForkingNeuron, text: str) -> None:
    value, after = _evaluated(text)
    assert (None if value is None else float(value), after) == (
        pytest.approx(_in_hoc(neuron, text), rel=1e-12, abs=1e-15),
        "",
    )


def _negated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{}{}".format, st.sampled_from(["-", "!", "- "]), inner)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&&", "||"]
    return st.builds("{} {} {}".format, inner, st.sampled_from(operators), inner)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    functions = st.sampled_from(["", "abs", "int", "sqrt", "exp", "log", "sin", "cos", "log10"])
    powers = st.builds("({})^{}".format, inner, st.sampled_from("123"))
    return st.one_of(
        _joined(inner), _negated(inner), powers, st.builds("{}({})".format, functions, inner)
    )


NUMBERS = st.sampled_from(
    ["0", "1", "2", "7", "10", "0.1", "0.3", ".5", "2.5", "1e3", "1.5E-2", "n", "x", "PI"]
)
# Of fractions the rounding decides what remains, and hoc rounds in binary.
REMAINDERS = st.builds("({} % {})".format, st.integers(-50, 50), st.integers(1, 9))
EXPRESSIONS = st.recursive(NUMBERS | REMAINDERS, _compound, max_leaves=12)


@needs_neuron
@settings(max_examples=120)
@given(EXPRESSIONS)
def test_random_arithmetic(neuron: ForkingNeuron, text: str) -> None:
    value, after = _evaluated(text)
    assert after == ""
    expected = _in_hoc(neuron, text)
    if value is not None:  # else only a run would tell
        assert float(value) == pytest.approx(expected, rel=1e-9, abs=1e-11), expected
    elif expected is not None:
        # what this leaves to a run: no finite number, or a logarithm of nothing below
        assert abs(expected) > 1e27 or "log" in text or "exp" in text, expected


@pytest.mark.parametrize(
    ("text", "value", "after"),
    [
        ("n, 4", "3", ","),
        ("n) + 4", "3", ")"),
        ("n {", "3", "{"),
        ("(n +\n 4) * 2", "14", ""),
        ("n\n + 4", "3", "\n"),
        ("$1 + 1", "8", ""),
        ("$2", None, ""),
        ("$3", None, ""),
        ("$i", None, ""),
        ("$o1.x[2] soma", None, "soma"),
        ("unknown + 1", None, ""),
        ("never_set", None, ""),
        ("f(1, 2) + 1, 7", None, ","),
        ("a.b[3].c(2) 7", None, "7"),
        ("new Vector(3) 8", None, "8"),
        ('"text" n', None, "n"),
        ("sqrt(-1)", None, ""),
        ("log(0)", None, ""),
        ("1/0", None, ""),
        ("10 % 0", None, ""),
        ("7 % -3", None, ""),
        ("0^-1", None, ""),
        ("2^.5", None, ""),
        ("(1", None, ""),
        ("1 +", None, ""),
        ("", None, ""),
    ],
)
def test_what_is_known_and_where_it_ends(text: str, value: str | None, after: str) -> None:
    """By hand: the values that an expression gets within a file, and the word that ends it."""
    found, word = _evaluated(text)
    assert found == (None if value is None else Decimal(value))
    assert word == after


def test_decimals_stay_as_they_were_written() -> None:
    assert str(_evaluated("0.1 + 0.2")[0]) == "0.3"
    assert str(_evaluated("12.30")[0]) == "12.30"


@pytest.mark.parametrize(
    ("text", "rest"),
    [("a", ""), ("a[1] b", "b"), ("a.b(1)[2].c = 3", "="), ("a. 3", "."), ("a(b[c(1)]) , d", ",")],
)
def test_where_a_reference_ends(text: str, rest: str) -> None:
    tokens = tokens_of(text, "a.hoc")
    place = after_reference(tokens, 0, len(tokens), matching_braces(tokens))
    assert (tokens[place].text if place < len(tokens) else "") == rest


@given(st.text(alphabet='n1.+-*/%^()[]{}$&,<>=!|"\n \\~@e', max_size=60))
def test_any_words_end_somewhere(text: str) -> None:
    tokens = tokens_of(text, "a.hoc")
    place = evaluate(tokens, 0, len(tokens), matching_braces(tokens), VARIABLES, ARGUMENTS)[1]
    assert 0 <= place <= len(tokens)


def test_depth_costs_no_stack() -> None:
    deep = "(" * 50_000 + "1" + ")" * 50_000
    assert _evaluated(deep)[0] == 1
    assert _evaluated("-" * 50_001 + "1")[0] == -1
    assert _evaluated("sqrt(" * 5000 + "1" + ")" * 5000)[0] is None
