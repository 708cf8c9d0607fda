"""A place in the tokens of a file, and the small readings that every parser needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bnnkg.errors import SourceError
from bnnkg.kinetics.tokens import END, NAME, NUMBER, PRIME, SYMBOL, VERBATIM, Token, Tokens

MAX_NESTING = 40
"""Brackets within brackets, or blocks within blocks; real files go to about ten."""

_INNER = {"(": ")", "[": "]", "{": "}"}


class UnexpectedToken(Exception):  # noqa: N818
    """A statement is not of the form that was tried; it is kept raw."""


class Cursor:
    """Reads tokens one after the other.

    Attributes:
        tokens: Those of the file.
        position: Index of the next one.
        defines: Values of ``DEFINE``, which stand for their names from there on.
    """

    def __init__(self, tokens: Tokens, where: str, defines: dict[str, float]) -> None:
        self.tokens = tokens
        self.position = 0
        self.defines = defines
        self._items = tokens.items
        self._where = where
        self._nesting = 0
        self._line_start, self._line_end = 0, -1  # of the last line whose end was looked for

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one further on."""
        return self._items[min(self.position + ahead, len(self._items) - 1)]

    def next(self) -> Token:
        """The next token, passed."""
        token = self._items[self.position]
        if token.kind != END:
            self.position += 1
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is a symbol or word of this spelling."""
        return self._items[self.position].text in texts

    def at_word(self, word: str) -> bool:
        """Whether the next token is this keyword, in upper or lower case."""
        return self._items[self.position].text.upper() == word

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._items[self.position].kind == END

    def accept(self, text: str) -> bool:
        """Pass the next token where it is this one."""
        if self._items[self.position].text != text:
            return False
        self.position += 1
        return True

    def expect(self, text: str) -> None:
        """Pass the next token, which has to be this one."""
        if not self.accept(text):
            raise UnexpectedToken

    def expect_word(self, word: str) -> None:
        """Pass the next token, which has to be this keyword."""
        if not self.at_word(word):
            raise UnexpectedToken
        self.next()

    def name(self) -> str:
        """Pass a name."""
        token = self._items[self.position]
        if token.kind != NAME:
            raise UnexpectedToken
        self.position += 1
        return token.text

    def number(self) -> float:
        """Pass a number, perhaps with a sign, or a defined name."""
        sign = -1.0 if self.accept("-") else 1.0
        token = self.next()
        if token.kind == NUMBER:
            return sign * float(token.text)
        if token.text in self.defines:
            return sign * self.defines[token.text]
        raise UnexpectedToken

    def at_number(self) -> bool:
        """Whether a number comes, perhaps with a sign."""
        token = self.peek(1) if self.at("-") else self.peek()
        return token.kind == NUMBER or token.text in self.defines

    def whole_number(self) -> int:
        """Pass a whole number, as sizes are."""
        value = self.number()
        if not (value.is_integer() and abs(value) < 2**31):
            raise UnexpectedToken
        return int(value)

    def size(self) -> int | None:
        """Pass the size of an array, where one stands."""
        if not self.accept("["):
            return None
        size = self.whole_number()
        self.expect("]")
        return size

    def unit(self) -> str:
        """Pass a unit in brackets where one stands, which it returns without blanks."""
        if not self.at("("):
            return ""
        start = self.peek().end
        while not self.at(")"):
            if self.at_end() or self.at("{", "}"):
                raise UnexpectedToken
            self.next()
        end = self.next().start
        return "".join(self.tokens.text[start:end].split())

    def arguments(self) -> tuple[str, ...]:
        """Pass the names of a function's arguments, which may have units."""
        self.expect("(")
        names = []
        while not self.accept(")"):
            names.append(self.name())
            self.unit()
            if not self.accept(",") and not self.at(")"):
                raise UnexpectedToken
        return tuple(names)

    def names(self) -> tuple[str, ...]:
        """Pass names with commas between them."""
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        return tuple(names)

    def raw(self, start: int) -> str:
        """Pass the rest of the line, and what its braces hold, from an earlier token on."""
        line_end = self._line_end_after(self._items[max(self.position, start)].start)
        self.position = start
        depth = 0
        while not self.at_end():
            token = self.peek()
            if depth == 0 and (token.text == "}" or (token.start >= line_end)):
                break
            depth += (token.text == "{") - (token.text == "}")
            self.position += 1
        return " ".join(spelling(token) for token in self._items[start : self.position])

    def _line_end_after(self, place: int) -> int:
        if not self._line_start <= place <= self._line_end:
            end = self.tokens.text.find("\n", place)
            self._line_start = place
            self._line_end = len(self.tokens.text) if end < 0 else end
        return self._line_end

    def skip_braces(self) -> None:
        """Pass a block in braces."""
        depth = 0
        while not self.at_end():
            token = self.next()
            depth += (token.text == "{") - (token.text == "}")
            if depth == 0:
                return

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper.

        Raises:
            SourceError: It is deeper than any model goes.
        """
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self.error(
                "this file is nested too deeply",
                expected=f"at most {MAX_NESTING} brackets within each other",
                found="more",
                hint="split the expression",
            )
        try:
            yield
        finally:
            self._nesting -= 1

    def error(self, what: str, *, expected: str, found: str, hint: str) -> SourceError:
        """An error at the next token."""
        line = self.tokens.line(self.position)
        return SourceError(
            what,
            where=f"{self._where or '<text>'}:{line}",
            expected=expected,
            found=found,
            hint=hint,
        )


def spelling(token: Token) -> str:
    """A token as it goes into canonical text: numbers by value, code without its layout."""
    if token.kind == NUMBER:
        return number_text(float(token.text))
    if token.kind == VERBATIM:
        return f"VERBATIM {' '.join(token.text.split())} ENDVERBATIM"
    return token.text


def number_text(value: float) -> str:
    """A number in nine significant digits."""
    return format(value + 0.0, ".9g")


__all__ = [
    "END",
    "NAME",
    "NUMBER",
    "PRIME",
    "SYMBOL",
    "VERBATIM",
    "Cursor",
    "UnexpectedToken",
    "number_text",
    "spelling",
]
