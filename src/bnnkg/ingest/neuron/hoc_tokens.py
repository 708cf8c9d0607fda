"""The words of hoc: numbers, names, texts, marks and ends of lines, and whole 3-D points."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from bnnkg.errors import SourceError

MAX_TOKENS = 8_000_000
_NUMBER = r"(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,4}+)?"
_SIGNED = rf"[ \t]*([+-]?[ \t]*{_NUMBER})[ \t]*"
_TOKEN = re.compile(
    rf"""(?P<skip>[ \t\f\v]++|//[^\n]*+|\\\n)
    |(?P<comment>/\*)
    |pt3dadd[ \t]*\({_SIGNED},{_SIGNED},{_SIGNED},{_SIGNED}\)
    |(?P<number>{_NUMBER})
    |(?P<name>[A-Za-z_]\w*+)
    |"(?P<text>(?:[^"\\\n]|\\.)*+)"
    |(?P<op>\|\||&&|==|!=|<=|>=|\+=|-=|\*=|/=|[-+*/^%<>=!.,:;()\[\]{{}}&$@~])
    |(?P<newline>\n)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One word.

    Attributes:
        kind: number, name, text, op, newline, point or other.
        text: As written; for a text, what is in its quotes.
        line: Its line.
        values: The four numbers of a point, or the one of a number.
    """

    kind: str
    text: str
    line: int
    values: tuple[Decimal, ...] = ()


def tokens_of(text: str, path: str) -> list[Token]:
    """The words of a hoc file, in time linear in its length.

    Args:
        text: Its content, lines ended by newlines.
        path: Its path, for messages.

    Raises:
        SourceError: There are too many of them.
    """
    found: list[Token] = []
    line, place = 1, 0
    while match := _TOKEN.match(text, place):
        place = match.end()
        kind = match.lastgroup
        if kind == "comment":
            end = text.find("*/", place)
            place, start = (end + 2 if end >= 0 else len(text)), place
            line += text.count("\n", start, place)
        elif kind == "skip":
            line += match.group().startswith("\\")
        else:
            found.append(_token(match, kind, line))
            line += kind == "newline"
            if len(found) > MAX_TOKENS:
                raise SourceError(
                    "the file has too many words",
                    where=f"{path}:{line}",
                    expected=f"at most {MAX_TOKENS}",
                )
    return found


def _token(match: re.Match[str], kind: str | None, line: int) -> Token:
    if kind is None:
        values = tuple(
            Decimal(value.replace(" ", "").replace("\t", "")) for value in match.groups() if value
        )
        return Token("point", "pt3dadd", line, values)
    written = match[kind]
    if kind == "number":
        return Token("number", written, line, (Decimal(written),))
    return Token(kind, written, line)


def matching_braces(tokens: list[Token]) -> dict[int, int]:
    """For each opening mark the place of the one that closes it, where there is one."""
    pairs: dict[int, int] = {}
    waiting: list[int] = []
    closes = {"}": "{", ")": "(", "]": "["}
    for place, token in enumerate(tokens):
        if token.kind != "op":
            continue
        if token.text in "{([":
            waiting.append(place)
        elif token.text in closes:
            while waiting and tokens[waiting[-1]].text != closes[token.text]:
                if token.text != "}":
                    break
                waiting.pop()
            if waiting and tokens[waiting[-1]].text == closes[token.text]:
                pairs[waiting.pop()] = place
    return pairs
