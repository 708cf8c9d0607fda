"""NMODL text to tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bnnkg.errors import SourceError

MAX_CHARACTERS = 2_000_000
"""A .mod file is some kilobytes; the largest seen hold sixty."""

NAME, PRIME, NUMBER, STRING, SYMBOL, VERBATIM, END = range(7)

_TOKEN = re.compile(
    r"""(?P<skip>[\s\x00\ufeff]+|[:?][^\n]*)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*'*)
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][-+]?[0-9]+)?)
      | (?P<string>"[^"]*")
      | (?P<symbol><->|<<|<=|>=|==|!=|&&|\|\||->|~\+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_END_OF_FILE = re.compile("[\x04\x1a]")  # control-D and control-Z, as NEURON's translator has it


class Token(NamedTuple):
    """A token and where it stands in the text."""

    kind: int
    text: str
    start: int
    end: int


@dataclass
class Tokens:
    """The tokens of one file, the last of kind ``END``, and what stands outside of them."""

    text: str
    items: list[Token]
    title: str = ""

    def line(self, index: int) -> int:
        """The line, counted from one, on which a token starts."""
        return self.text.count("\n", 0, self.items[index].start) + 1


def tokenise(text: str, where: str) -> Tokens:
    """Split a file into tokens, without its comments and its title.

    A ``VERBATIM`` block is one token. Lines may end as on any system; a control-Z ends the file.

    Raises:
        SourceError: The text is larger than any .mod file.
    """
    if len(text) > MAX_CHARACTERS:
        raise SourceError(
            "this .mod file is too large to be one",
            where=where or None,
            expected=f"at most {MAX_CHARACTERS} characters",
            found=f"{len(text)} characters",
            hint="look at what the file holds; leave it out of the source if it is no mechanism",
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    end = _END_OF_FILE.search(text)
    return _Tokeniser(text[: end.start()] if end else text).run()


class _Tokeniser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = Tokens(text, [])
        self._depth = 0
        self._closings = {kind: _Closing(text, kind) for kind in ("COMMENT", "VERBATIM")}

    def run(self) -> Tokens:
        """Every token of the text."""
        items = self._tokens.items
        position = 0
        while match := _TOKEN.match(self._text, position):
            position = match.end()
            if match.lastgroup == "skip":
                continue
            token = _token(match)
            special = self._special(token) if token.kind == NAME else None
            if special is None:
                self._depth += (token.text == "{") - (token.text == "}")
                items.append(token)
            else:
                position = special
        length = len(self._text)
        items.append(Token(END, "", length, length))
        return self._tokens

    def _special(self, token: Token) -> int | None:
        """Where to go on after a word that makes the text after it no tokens."""
        if token.text == "COMMENT":
            return self._closings["COMMENT"].find(token.end)[1]
        if token.text == "VERBATIM":
            start, end = self._closings["VERBATIM"].find(token.end)
            code = self._text[token.end : start]
            self._tokens.items.append(Token(VERBATIM, code, token.start, end))
            return end
        if token.text == "REPRESENTS":
            return self._line_end(token.end)
        if token.text == "TITLE" and self._depth <= 0:
            end = self._line_end(token.end)
            self._tokens.title = self._tokens.title or self._text[token.end : end].strip()
            return end
        return None

    def _line_end(self, position: int) -> int:
        end = self._text.find("\n", position)
        return len(self._text) if end < 0 else end


class _Closing:
    """Finds ``ENDCOMMENT`` or ``ENDVERBATIM``, each character looked at a fixed number of times."""

    def __init__(self, text: str, kind: str) -> None:
        self._text = text
        # as NEURON's translator has it: first on a line, and the rest of the line goes with it
        first_on_line = re.compile(rf"^[ \t]*END{kind}(?![A-Za-z])[^\n]*", re.MULTILINE)
        self._spans = _Spans(first_on_line.finditer(text))
        self._loose = _Spans(re.compile(rf"END{kind}\b").finditer(text))

    def find(self, position: int) -> tuple[int, int]:
        """Start and end of the closing word after a position; the end of the text where none is."""
        at_end = (len(self._text), len(self._text))
        return self._spans.after(position) or self._loose.after(position) or at_end


class _Spans:
    def __init__(self, matches: Iterator[re.Match[str]]) -> None:
        self._matches = matches
        self._next = next(matches, None)

    def after(self, position: int) -> tuple[int, int] | None:
        while self._next is not None and self._next.start() < position:
            self._next = next(self._matches, None)
        return None if self._next is None else self._next.span()


def _token(match: re.Match[str]) -> Token:
    text, start, end = match.group(), match.start(), match.end()
    if match.lastgroup == "word":
        return Token(PRIME if text[-1] == "'" else NAME, text, start, end)
    if match.lastgroup == "number":
        return Token(NUMBER, text, start, end)
    return Token(STRING if match.lastgroup == "string" else SYMBOL, text, start, end)
