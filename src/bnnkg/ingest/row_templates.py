"""Rows of networks read from their text, where each looks like the one before it.

Writers give all rows of a list the same attributes in the same order. Text that has this form to
the letter, right behind such a row, can mean nothing else in XML; whatever differs in the least (a
comment, a reference, another quote) is left to the parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from lxml import etree

from bnnkg.ingest.markup import local_name

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ENCODINGS = frozenset({"utf-8", "ascii", "us-ascii", "iso-8859-1"})
"""In these, the bytes of ASCII always mean its characters."""
_VALUE = r"[ !#-%'-;=-~]*"
"""Printable ASCII that stands for itself within quotes."""


@dataclass(frozen=True)
class RowTemplate:
    """What the text of rows of one form is.

    Attributes:
        names: Their attributes, in order.
        pattern: Matches one row, with the space before it; a group for that, and for each value.
    """

    names: tuple[str, ...]
    pattern: re.Pattern[str]

    def read(self, text: bytes) -> tuple[int, dict[str, list[str]], np.ndarray] | None:
        """Reads as many whole rows as stand one after the other from the start of a text.

        Returns:
            How many bytes they take; texts by attribute, a row each; and for each row how many
            lines below the start of the text it stands. None where there is no such row.
        """
        whole = text[: text.rfind(b"/>") + 2]
        if not whole.isascii():
            return None
        ascii_text = whole.decode("ascii")
        width = len(self.names) + 2
        found = self.pattern.split(ascii_text)
        n_rows = next((row for row, gap in enumerate(found[::width]) if gap), len(found) // width)
        if not n_rows:
            return None
        columns = [found[k::width][:n_rows] for k in range(1, width)]
        n_lines = np.cumsum([space.count("\n") for space in columns[0]])
        if n_rows == len(found) // width and not found[-1]:
            n_bytes = len(whole)
        else:
            n_bytes = self._length(ascii_text, n_rows)
        return n_bytes, dict(zip(self.names, columns[1:], strict=True)), n_lines

    def _length(self, text: str, n_rows: int) -> int:
        rows = self.pattern.scanner(text)  # type: ignore[attr-defined]
        for _ in range(n_rows - 1):
            rows.match()
        return int(rows.match().end())


@lru_cache(256)
def _template(name: str, attributes: tuple[str, ...]) -> RowTemplate:
    values = "".join(rf'[ \t]+{attribute}="({_VALUE})"' for attribute in attributes)
    return RowTemplate(attributes, re.compile(rf"([ \t\r\n]*)<{name}{values}[ \t]*/>", re.ASCII))


def template_of(row: etree._Element, text: bytes) -> RowTemplate | None:
    """The form of a row; None where its text is not of such a form, or is another row's."""
    names = tuple(map(str, row.keys()))
    encoding = (row.getroottree().docinfo.encoding or "utf-8").lower()
    if encoding not in _ENCODINGS or not all(map(_NAME.fullmatch, names)) or not text.isascii():
        return None
    template = _template(local_name(row), names)
    match = template.pattern.fullmatch(text.decode("ascii"))
    is_same = match is not None and list(match.groups()[1:]) == row.values()
    return template if is_same else None
