"""Numbers and ids as NeuroML writes them."""

from __future__ import annotations

import re
from decimal import Decimal

_ID = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


def number(value: float) -> str:
    """The shortest text that reads as the number, in the form that the schema allows."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value)).replace("e+", "e")


def quantity(value: float, unit: str) -> str:
    """A number and its unit."""
    return f"{number(value)} {unit}" if unit else number(value)


def exact(value: float) -> Decimal:
    """A number as the decimal that it was read from."""
    return Decimal(repr(float(value)))


def plain(value: Decimal) -> str:
    """A decimal without an exponent's plus sign or trailing zeros."""
    text = str(value.normalize()) if value else "0"
    return text.replace("E+", "e").replace("E", "e")


def places(text: str) -> list[int]:
    """Whole numbers written in short: ``0-3,5``."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


class Ids:
    """Hands out ids that are valid and stay apart.

    Attributes:
        renamed: Ids that are not what was wanted, and what was.
    """

    def __init__(self) -> None:
        self._given: set[str] = set()
        self.renamed: dict[str, str] = {}

    def unique(self, wanted: str) -> str:
        """The id itself, or the nearest valid one that is free."""
        base = wanted if _ID.match(wanted) else valid_id(wanted)
        name, times = base, 1
        while name in self._given:
            times += 1
            name = f"{base}_{times}"
        self._given.add(name)
        if name != wanted and wanted:
            self.renamed[name] = wanted
        return name


def valid_id(text: str) -> str:
    """The id nearest to a text: letters, digits and underscores, no digit first."""
    name = re.sub(r"[^a-zA-Z0-9_]", "_", text) or "unnamed"
    return f"_{name}" if name[0].isdigit() else name
