"""Expressions of LEMS: read into a tree, never into code."""

from __future__ import annotations

import functools
import re

from bnnkg.kinetics.arithmetic import Unknown
from bnnkg.kinetics.syntax import Binary, Call, Expression, Name, Number, Unary

MAX_CHARACTERS = 10_000
MAX_NESTING = 40
"""Brackets, signs and powers within each other; real expressions go to about ten."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<word>\.(?:gt|lt|geq|leq|eq|neq|and|or|not)\.)
      | (?P<number>(?:[0-9]+(?:\.(?![a-z]+\.)[0-9]*)?|\.[0-9]+)(?:[Ee][-+]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<symbol><=|>=|==|!=|&&|\|\||[-+*/^()<>,!]))""",
    re.VERBOSE,
)
_SPELLINGS = {
    ".gt.": ">", ".lt.": "<", ".geq.": ">=", ".leq.": "<=", ".eq.": "==", ".neq.": "!=",
    ".and.": "&&", ".or.": "||", ".not.": "!",
}  # fmt: skip
_PRECEDENCE = {
    "||": 1, "&&": 2, ">": 3, ">=": 3, "<": 3, "<=": 3, "==": 3, "!=": 3, "+": 4, "-": 4,
    "*": 5, "/": 5, "^": 7,
}  # fmt: skip
_SIGN, _POWER = 6, 7


class _NoExpressionError(Exception):
    """A text is no expression; the message says why."""


@functools.lru_cache(maxsize=4096)
def read_expression(text: str) -> Expression | Unknown:
    """The tree of an expression such as ``rate * exp((v - midpoint) / scale)``.

    A power binds tighter than a sign, a sign tighter than a product. What is no expression is
    unknown, with the reason.
    """
    if len(text) > MAX_CHARACTERS:
        return Unknown(f"an expression of {len(text)} characters is too long")
    try:
        reader = _Reader(_tokens(text))
        whole = reader.binary(1)
        if reader.at():
            raise _NoExpressionError(f"{reader.at()!r} is out of place")
    except _NoExpressionError as error:
        return Unknown(f"the expression {' '.join(text.split())[:80]!r} cannot be read: {error}")
    return whole


def _tokens(text: str) -> list[str]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _NoExpressionError(f"{text[position:].strip()[:1]!r} is no part of one")
        token = match[match.lastgroup or 0]
        tokens.append(_SPELLINGS.get(token, token))
        position = match.end()
    return tokens


class _Reader:
    """Climbs by precedence through the tokens of one expression."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._nesting = 0

    def at(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        token = self.at()
        self._place += 1
        return token

    def _accept(self, token: str) -> bool:
        found = self.at() == token
        self._place += found
        return found

    def binary(self, least: int) -> Expression:
        """An expression whose operators bind at least so tightly."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise _NoExpressionError("it is nested too deeply")
        left = self._signed()
        while (binding := _PRECEDENCE.get(self.at(), 0)) >= least:
            operator = self._next()
            right = self.binary(_POWER if operator == "^" else binding + 1)
            left = Binary(operator, left, right)
        self._nesting -= 1
        return left

    def _signed(self) -> Expression:
        if self.at() not in ("-", "+", "!"):
            return self._primary()
        operator = self._next()
        operand = self.binary(_SIGN)
        return operand if operator == "+" else Unary(operator, operand)

    def _primary(self) -> Expression:
        token = self._next()
        if token[:1].isdigit() or token[:1] == ".":
            return Number(float(token))
        if token[:1].isalpha() or token[:1] == "_":
            return Call(token, self._arguments()) if self._accept("(") else Name(token)
        if token[:1] == "(":
            inner = self.binary(1)
            self._close()
            return inner
        raise _NoExpressionError(f"{token!r} is out of place" if token else "it breaks off")

    def _arguments(self) -> tuple[Expression, ...]:
        arguments = [self.binary(1)]
        while self._accept(","):
            arguments.append(self.binary(1))
        self._close()
        return tuple(arguments)

    def _close(self) -> None:
        if not self._accept(")"):
            raise _NoExpressionError("a bracket is not closed")
