"""Two files are one mechanism where they say the same: the statements, however it is laid out."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_channels import CHANNELS

from bnnkg.kinetics import parse_mod
from bnnkg.kinetics.canonical import expression_text
from bnnkg.kinetics.syntax import Assign

names = st.sampled_from(["v", "m", "tau", "alpha", "x1"])
numbers = st.floats(1e-9, 1e9).map(lambda value: float(f"{value:.8g}"))


OPERATORS = ["+", "-", "*", "/", "^", "<", ">", "<=", ">=", "==", "!=", "&&", "||"]


@st.composite
def _chains(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """``a + b*(c) - d``: operators in a row, some operands in brackets."""
    operands = draw(st.lists(inner, min_size=2, max_size=5))
    bracketed = [draw(st.sampled_from([f"({each})", each])) for each in operands]
    pieces = [f"{draw(st.sampled_from(OPERATORS))} {each}" for each in bracketed[1:]]
    return f"{bracketed[0]} {' '.join(pieces)}"


expressions = st.recursive(
    names | numbers.map(repr),
    lambda inner: (
        _chains(inner)
        | inner.map(lambda a: f"-({a})")
        | inner.map(lambda a: f"exp({a})")
        | st.builds(lambda a, b: f"pow({a}, {b})", inner, inner)
        | inner.map(lambda a: f"rate[{a}]")
    ),
    max_leaves=20,
)


@settings(max_examples=200)
@given(expressions)
def test_canonical_expressions_read_back_as_they_were(text: str) -> None:
    first = _value(text)
    shortest = expression_text(first)
    assert _value(shortest) == first
    assert expression_text(_value(shortest)) == shortest
    assert len(re.findall(r"\(", shortest)) <= text.count("(")


def _value(text: str) -> object:
    [block] = parse_mod(f"INITIAL {{ x = {text} }}").blocks
    [statement] = block.body
    assert isinstance(statement, Assign)
    return statement.value


@st.composite
def mechanisms(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Declarations and blocks of a mechanism, as text with single blanks."""
    parameters = draw(st.dictionaries(names, numbers, min_size=1))
    states = draw(st.lists(st.sampled_from(["m", "h", "n"]), min_size=1, unique=True))
    declarations = [f"PARAMETER {{ {name} = {value!r} }}" for name, value in parameters.items()]
    declarations += [f"STATE {{ {name} }}" for name in states]
    declarations += [f"NEURON {{ RANGE {name} }}" for name in parameters]
    declarations += ["NEURON { USEION na READ ena WRITE ina }"]
    equations = [f"{name}' = {draw(expressions)}" for name in states]
    condition, way, other = draw(expressions), draw(expressions), draw(expressions)
    blocks = [
        f"DERIVATIVE states {{ {' '.join(equations)} }}",
        f"INITIAL {{ if ( {condition} ) {{ x1 = {way} }} else {{ x1 = {other} }} }}",
        f"FUNCTION f ( v , w ) {{ LOCAL a , b f = {draw(expressions)} }}",
    ]
    return declarations, blocks


def _laid_out(text: str, chance: random.Random) -> str:
    """The same text with other blanks, comments, number spellings and keyword cases."""
    tokens = re.findall(r"[A-Za-z_]\w*'?|[0-9.]+(?:e[-+]?\d+)?|[<>=!]=|&&|\|\||\S", text)
    units = [" (mV)", "(1)", ""] if not text.startswith("PARAMETER") else [""]
    return "".join(_spelled(token, chance, units) + _blank(chance) for token in tokens)


def _blank(chance: random.Random) -> str:
    blanks = [" ", "\n", "\t ", "\r\n", " : comment }\n", " ? ( old\n", "\nCOMMENT {\nENDCOMMENT\n"]
    return chance.choice(blanks)


def _spelled(token: str, chance: random.Random, units: list[str]) -> str:
    if token in ("if", "else"):
        return chance.choice([token, token.upper()])
    if token[0].isdigit():
        value = float(token)
        return chance.choice([token, f"{value:.8e}", f"{value:.8E}"]) + chance.choice(units)
    return token


def _written(parts: tuple[list[str], list[str]], chance: random.Random) -> str:
    declarations, blocks = (list(each) for each in parts)
    chance.shuffle(declarations)
    chance.shuffle(blocks)
    pieces = [*declarations, *blocks, "UNITSOFF", "UNITSON", "NEURON { THREADSAFE }"]
    chance.shuffle(pieces)
    title = chance.choice(["", "TITLE any { title\n", "INDEPENDENT { t FROM 0 TO 1 WITH 1 }\n"])
    suffix = f"NEURON {{ SUFFIX name{chance.randrange(9)} }}\n"
    return title + suffix + "".join(_laid_out(piece, chance) for piece in pieces)


@settings(max_examples=60)
@given(mechanisms(), st.randoms(use_true_random=False), st.randoms(use_true_random=False))
def test_layout_does_not_count(
    parts: tuple[list[str], list[str]], one: random.Random, other: random.Random
) -> None:
    statements = parse_mod(_written(parts, one)).statements
    assert parse_mod(_written(parts, other)).statements == statements
    assert not any(line.startswith("RAW") for line in statements)
    assert len(statements) > 10


SAME = [
    ("x = .5", "x = 0.5"),
    ("x = 1e-3", "x = .001"),
    ("x = 120", "x = 1.2E2"),
    ("x = 0.1234567891", "x = 0.1234567892"),
    ("x = a*(b)", "x = (a*b)"),
    ("x = 3 (mV)", "x = 3"),
    ("if (a) { x = 1 }", "IF (a) {x=1}"),
    ("LOCAL a, b", "LOCAL b, a"),
    ("rates(v)", "rates( v )"),
    ("VERBATIM a = 1;\n ENDVERBATIM", "VERBATIM\n  a  = 1; ENDVERBATIM"),
    ("UNITSOFF x = 1 UNITSON", "x = 1"),
    ("PROTECT x = x + 1", "x = x + 1"),
]

DIFFERENT = [
    ("x = 1", "x = 2"),
    ("x = 0.123456781", "x = 0.123456782"),
    ("x = a - b - c", "x = a - (b - c)"),
    ("x = (a + b)*c", "x = a + b*c"),
    ("x = a*(b*c)", "x = (a*b)*c"),
    ("x = -a^2", "x = (-a)^2"),
    ("x = 1 y = 2", "y = 2 x = 1"),
    ("if (a) { x = 1 } y = 1", "if (a) { x = 1 y = 1 }"),
    ("if (a) { x = 1 } else { y = 1 }", "if (a) { x = 1 } if (b) { y = 1 }"),
    ("if (a) { } else if (b) { x = 1 }", "if (a) { } else { if (b) { x = 1 } }"),
    ("if (a) { x = 1 } else { }", "if (a) { } else { x = 1 }"),
    ("VERBATIM a = 1; ENDVERBATIM", "VERBATIM a = 2; ENDVERBATIM"),
    ("m' = 1", "m = 1"),
    ("SOLVE s METHOD cnexp", "SOLVE s METHOD euler"),
    ("x = @ 1", "x = @ 2"),
    ("m'[1] = 2", "m[1] = 2"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_statements(one: str, other: str) -> None:
    assert _statements(one) == _statements(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_statements(one: str, other: str) -> None:
    assert _statements(one) != _statements(other)


def _statements(body: str) -> tuple[str, ...]:
    return parse_mod(f"NEURON {{ SUFFIX x }} INITIAL {{ {body} }}").statements


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NEURON { SUFFIX a RANGE g }", "NEURON { POINT_PROCESS a RANGE g }"),
        ("NEURON { SUFFIX a RANGE g }", "NEURON { SUFFIX a GLOBAL g }"),
        ("PARAMETER { g = 1 (mS/cm2) }", "PARAMETER { g = 1 (S/cm2) }"),
        ("PARAMETER { g = 1 }", "PARAMETER { g }"),
        ("STATE { m }", "STATE { m[2] }"),
        ("NEURON { USEION k READ ek }", "NEURON { USEION k WRITE ek }"),
        ("UNITS { F = (faraday) (coulomb) }", "UNITS { F = (faraday) (kilocoulomb) }"),
        ("FUNCTION f(a) { f = a }", "FUNCTION f(b) { f = a }"),
        ("LOCAL a INITIAL { a = 1 }", "INITIAL { LOCAL a a = 1 }"),
    ],
)
def test_declarations_that_count(one: str, other: str) -> None:
    assert parse_mod(one).statements != parse_mod(other).statements


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NEURON { SUFFIX a RANGE g, h }", "NEURON { RANGE h RANGE g SUFFIX b }"),
        ("STATE { m n }", "STATE { n } STATE { m }"),
        ("UNITS { (mV) = (millivolt) } STATE { m }", "STATE { m }"),
        ("ASSIGNED { v (mV) }", "ASSIGNED { v }"),
        ("UNITS { F = (faraday) (coulomb) }", "UNITS { F = 96485.3321 (coulomb) }"),
        ("INITIAL { a = 1 } BREAKPOINT { a = 2 }", "BREAKPOINT { a = 2 } INITIAL { a = 1 }"),
        ("DEFINE N 3 STATE { m[N] }", "STATE { m[3] }"),
    ],
)
def test_declarations_that_do_not_count(one: str, other: str) -> None:
    first, second = set(parse_mod(one).statements), set(parse_mod(other).statements)
    # an unit of a constant stays with it
    assert {line.replace(" (coulomb)", "") for line in first ^ second} <= {
        "CONSTANT F = 96485.3321"
    } or first == second


def test_written_channels_are_all_different() -> None:
    statements = {parse_mod(text).statements for text in CHANNELS.values()}
    assert len(statements) == len(CHANNELS)


def test_statements_of_blocks_say_where_they_stand() -> None:
    statements = parse_mod("""
        NEURON { SUFFIX x RANGE a }
        PARAMETER { a = 1.50 (S/cm2) <0, 10> }
        PROCEDURE rates(v) { if (v < 0) { a = 1 } else if (v) { a = 2 } else { rates(-v) } }
    """).statements
    assert statements == (
        "NEURON density",
        "PARAMETER a = 1.5 (S/cm2) <0,10>",
        "RANGE a",
        "PROCEDURE rates(v)",
        "PROCEDURE rates(v): if (v < 0)",
        "PROCEDURE rates(v)/if: a = 1",
        "PROCEDURE rates(v): elseif (v)",
        "PROCEDURE rates(v)/elseif: a = 2",
        "PROCEDURE rates(v): else",
        "PROCEDURE rates(v)/else: rates(-v)",
    )
