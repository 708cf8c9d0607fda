"""Numbers that hoc writes out: literals, arithmetic on them, and variables that hold them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException

from bnnkg.ingest.neuron.hoc_tokens import Token

Number = Decimal | None
"""A number, or absent where only a run would tell it."""

PI = Decimal("3.14159265358979323846")
_PRECEDENCE = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3,
    "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "unary": 7, "^": 8,
}  # fmt: skip
_EPSILON = Decimal("1e-11")
"""hoc's float_epsilon: numbers that are no further apart are equal."""
_LARGEST_EXPONENT = 700.0
"""hoc's exp of anything larger is that of this."""
_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "==": lambda a, b: abs(a - b) <= _EPSILON, "!=": lambda a, b: abs(a - b) > _EPSILON,
    "<": lambda a, b: a < b - _EPSILON, ">": lambda a, b: a > b + _EPSILON,
    "<=": lambda a, b: a <= b + _EPSILON, ">=": lambda a, b: a >= b - _EPSILON,
    "&&": lambda a, b: bool(a and b), "||": lambda a, b: bool(a or b),
}  # fmt: skip


def _whole_part(value: float) -> float:
    """As hoc's int: towards 0, and the next whole number where that is as good as reached."""
    return math.copysign(math.floor(abs(value) + float(_EPSILON)), value)


def _remainder(left: Decimal, right: Decimal) -> Decimal:
    """As hoc's %: never negative, and an error unless the divisor is positive."""
    if right <= 0:
        raise ValueError("hoc divides by positive numbers only")
    return left % right + (right if left % right < 0 else 0)


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sqrt": math.sqrt, "exp": lambda x: math.exp(min(x, _LARGEST_EXPONENT)), "log": math.log,
    "log10": math.log10, "sin": math.sin, "cos": math.cos, "abs": abs, "int": _whole_part,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "%": _remainder,
}  # fmt: skip


def evaluate(
    tokens: list[Token],
    place: int,
    end: int,
    pairs: Mapping[int, int],
    variables: Mapping[str, Number],
    arguments: tuple[Number, ...] = (),
    depth: int = 0,
) -> tuple[Number, int]:
    """Evaluates the expression that starts at a place.

    Args:
        tokens: The words of the file.
        place: Where it starts.
        end: Where the words that may belong to it end.
        pairs: Closing mark of each opening one.
        variables: What is known of names.
        arguments: Values of ``$1``, ``$2`` and so on.
        depth: How many functions it is an argument within.

    Returns:
        Its value, absent where it depends on anything else, and the place after it.
    """
    values: list[Number] = []
    waiting: list[str] = []
    wants_value = True
    n_open = 0
    while place < end:
        token = tokens[place]
        if token.kind == "newline" and n_open:
            place += 1
        elif wants_value:
            if token.kind == "op" and token.text in "+-!(":
                n_open += token.text == "("
                waiting.append(token.text if token.text == "(" else f"unary{token.text}")
                place += 1
                continue
            taken = _operand(tokens, place, end, pairs, variables, arguments, depth)
            if taken is None:
                break
            value, place = taken
            values.append(value)
            wants_value = False
        elif token.kind == "op" and token.text in _PRECEDENCE:
            _reduce(values, waiting, _PRECEDENCE[token.text] + (token.text == "^"))
            waiting.append(token.text)
            wants_value = True
            place += 1
        elif token.kind == "op" and token.text == ")" and n_open:
            _reduce(values, waiting, 0)
            waiting.pop()
            n_open -= 1
            place += 1
        else:
            break
    complete = not wants_value and not n_open
    _reduce(values, waiting, 0)
    return (values[0] if complete and len(values) == 1 else None), place


def _operand(
    tokens: list[Token],
    place: int,
    end: int,
    pairs: Mapping[int, int],
    variables: Mapping[str, Number],
    arguments: tuple[Number, ...],
    depth: int,
) -> tuple[Number, int] | None:
    token = tokens[place]
    if token.kind == "number":
        return token.values[0], place + 1
    if token.kind in ("text", "point"):
        return None, place + 1
    if token.kind == "op" and token.text in ("$", "&"):
        return _argument(tokens, place, end, pairs, arguments)
    if token.kind != "name":
        return None
    if token.text == "new":
        return None, after_reference(tokens, min(place + 1, end), end, pairs)
    after = after_reference(tokens, place, end, pairs)
    if token.text in _FUNCTIONS and depth < 20 and pairs.get(place + 1, -1) == after - 1:
        inner = evaluate(tokens, place + 2, after - 1, pairs, variables, arguments, depth + 1)[0]
        return _applied(token.text, inner), after
    if after > place + 1:
        return None, after
    return PI if token.text == "PI" else variables.get(token.text), after


def _applied(name: str, value: Number) -> Number:
    try:
        result = math.nan if value is None else _FUNCTIONS[name](float(value))
    except (ValueError, OverflowError):
        return None
    return Decimal(repr(result)) if math.isfinite(result) else None


def _argument(
    tokens: list[Token],
    place: int,
    end: int,
    pairs: Mapping[int, int],
    arguments: tuple[Number, ...],
) -> tuple[Number, int]:
    place += 1
    while place < end and tokens[place].kind == "op" and tokens[place].text in "$&":
        place += 1
    if place >= end:
        return None, end
    token = tokens[place]
    if token.kind == "number" and tokens[place - 1].text == "$":
        number = token.values[0]
        known = number == int(number) and 1 <= number <= len(arguments)
        return (arguments[int(number) - 1] if known else None), place + 1
    return None, after_reference(tokens, place, end, pairs)


def after_reference(tokens: list[Token], place: int, end: int, pairs: Mapping[int, int]) -> int:
    """The place after a name with its indices, arguments and members."""
    place += 1
    while place < end and tokens[place].kind == "op":
        mark = tokens[place].text
        if mark in "([" and place in pairs:
            place = pairs[place] + 1
        elif mark == "." and place + 1 < end and tokens[place + 1].kind == "name":
            place += 2
        else:
            break
    return min(place, end)


def _reduce(values: list[Number], waiting: list[str], least: int) -> None:
    """Applies what waits and binds at least as tightly, up to an open parenthesis."""
    while waiting and waiting[-1] != "(":
        name = waiting[-1]
        unary = name.startswith("unary")
        if _PRECEDENCE["unary" if unary else name] < least:
            return
        waiting.pop()
        if len(values) < (1 if unary else 2):
            values.append(None)
            return
        values.append(_unary(name, values.pop()) if unary else _binary(name, values))


def _unary(name: str, value: Number) -> Number:
    if value is None:
        return None
    if name == "unary!":
        return Decimal(not value)
    return -value if name == "unary-" else value


def _binary(name: str, values: list[Number]) -> Number:
    right, left = values.pop(), values.pop()
    if left is None or right is None:
        return None
    try:
        if name in _COMPARE:
            return Decimal(_COMPARE[name](left, right))
        if name == "^":
            whole = right == int(right) and abs(right) <= 64 and (left or right > 0)
            return left ** int(right) if whole else None
        return _ARITHMETIC[name](left, right)
    except (DecimalException, OverflowError, ValueError):
        return None
