"""Expressions of NMODL."""

from __future__ import annotations

from bnnkg.kinetics.cursor import Cursor, UnexpectedToken
from bnnkg.kinetics.syntax import (
    Binary,
    Call,
    Element,
    Expression,
    Name,
    Number,
    Text,
    Unary,
    Variable,
)
from bnnkg.kinetics.tokens import NAME, NUMBER, STRING

PRECEDENCE = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys((">", ">=", "<", "<=", "==", "!="), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
    "^": 7,
}
"""As in NEURON's translator: a sign binds tighter than a product, a power tighter than a sign."""
SIGN = 6
MAX_CHAIN = 200
"""Operations in a row; real files go to about ten."""

POWER = PRECEDENCE["^"]


def read_expression(cursor: Cursor, least: int = 1) -> Expression:
    """Pass an expression whose operators bind at least so tightly."""
    left = _signed(cursor)
    for _ in range(MAX_CHAIN):
        operator = cursor.peek().text
        binding = PRECEDENCE.get(operator, 0)
        if binding < least:
            return left
        cursor.next()
        if operator == "^":  # to the right: a^b^c is a^(b^c), and a^-b has its sign inside
            with cursor.nested():
                left = Binary("^", left, read_expression(cursor, POWER))
        else:
            left = Binary(operator, left, read_expression(cursor, binding + 1))
    raise cursor.error(
        "this expression is too long",
        expected=f"at most {MAX_CHAIN} operations in a row",
        found="more",
        hint="split the expression",
    )


def _signed(cursor: Cursor) -> Expression:
    if cursor.at("-", "!", "+"):
        operator = cursor.next().text
        with cursor.nested():
            operand = read_expression(cursor, SIGN)
        return operand if operator == "+" else Unary(operator, operand)
    return _primary(cursor)


def _primary(cursor: Cursor) -> Expression:
    token = cursor.peek()
    if token.kind == NUMBER:
        cursor.next()
        cursor.unit()
        return Number(float(token.text))
    if token.kind == NAME:
        return _named(cursor)
    if cursor.accept("("):
        with cursor.nested():
            inner = read_expression(cursor)
        cursor.expect(")")
        return inner
    if token.kind == STRING:
        return Text(cursor.next().text[1:-1])
    raise UnexpectedToken


def _named(cursor: Cursor) -> Expression:
    name = cursor.next().text
    if name in cursor.defines:
        cursor.unit()
        return Number(cursor.defines[name])
    if cursor.at("("):
        return read_call(cursor, name)
    return read_index(cursor, name)


def read_call(cursor: Cursor, function: str) -> Call:
    """Pass the arguments of a call."""
    cursor.expect("(")
    arguments: list[Expression] = []
    with cursor.nested():
        while not cursor.accept(")"):
            arguments.append(read_expression(cursor))
            if not cursor.accept(",") and not cursor.at(")"):
                raise UnexpectedToken
    return Call(function, tuple(arguments))


def read_index(cursor: Cursor, name: str) -> Variable:
    """Pass the index after a name, where one stands."""
    if not cursor.accept("["):
        return Name(name)
    with cursor.nested():
        index = read_expression(cursor)
    cursor.expect("]")
    return Element(name, index)


def read_variable(cursor: Cursor) -> Variable:
    """Pass a variable."""
    return read_index(cursor, cursor.name())
