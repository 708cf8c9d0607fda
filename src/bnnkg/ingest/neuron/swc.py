"""SWC: a line per sample with its id, type, position, radius and parent."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from bnnkg.errors import SourceError
from bnnkg.ingest.morphology import LARGEST_UM, Point
from bnnkg.ingest.neuron.samples import Samples

MAX_SAMPLES = 1_000_000
_LABELS = {1: "soma", 2: "axon", 3: "dendrite", 4: "apical dendrite"}
_TWO = Decimal(2)


class _Line(NamedTuple):
    number: int
    id: int
    label: str
    point: Point
    parent: int


def read_swc(text: str, path: str) -> Samples:
    """Reads an SWC file of any dialect.

    Ids need not be in order nor without gaps, parents may come after their children, columns may
    be parted by spaces, tabs or commas, and there may be more of them than seven. A parent below
    zero means none, and so does 0 where there is no sample 0.

    Args:
        text: Its content.
        path: Its path, for messages.

    Raises:
        SourceError: A line that is no sample, two samples of one id, a parent that is not there,
            samples that are their own ancestors, or too many of them.
    """
    lines = _lines(text, path)
    rows = {line.id: row for row, line in enumerate(lines)}
    samples = Samples()
    for line in lines:
        samples.add(line.id, line.label, line.point, _parent(line, rows, path))
    if len(rows) < len(lines):
        twice = next(line for row, line in enumerate(lines) if rows[line.id] != row)
        raise SourceError(
            "two samples have one id", where=f"{path}:{twice.number}", found=str(twice.id)
        )
    _check_roots(samples, lines, path)
    return samples


def header_of(text: str) -> str:
    """The comments at the top of an SWC file."""
    comments = []
    for line in text.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        comments.append(line.strip().lstrip("# \t"))
    return "\n".join(filter(None, comments))


def _lines(text: str, path: str) -> list[_Line]:
    found: list[_Line] = []
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
        if not fields or (not found and _is_heading(fields)) or fields == ["\x1a"]:
            continue
        try:
            found.append(_sample(number, fields))
        except (ValueError, InvalidOperation, OverflowError) as error:
            raise SourceError(
                "this line is no sample",
                where=f"{path}:{number}",
                expected="id, type, x, y, z, radius and parent",
                found=f"{line.strip()[:80]!r} ({_reason(error)})",
            ) from None
        if len(found) > MAX_SAMPLES:
            raise SourceError(
                "the morphology has too many samples",
                where=f"{path}:{number}",
                expected=f"at most {MAX_SAMPLES}",
            )
    if not found:
        raise SourceError("the file holds no sample", where=path)
    return found


def _reason(error: Exception) -> str:
    return "no number" if isinstance(error, InvalidOperation) else str(error)


def _is_heading(fields: list[str]) -> bool:
    """Names of columns, which some programs write without a ``#``."""
    return not any(field[0] in "0123456789+-." for field in fields)


def _sample(number: int, fields: list[str]) -> _Line:
    if len(fields) < 7:
        raise ValueError(f"{len(fields)} columns")
    id_, kind, parent = (_whole(fields[place]) for place in (0, 1, 6))
    x, y, z, radius = map(Decimal, fields[2:6])
    if not all(value.is_finite() and abs(value) < LARGEST_UM for value in (x, y, z, radius)):
        raise ValueError("a place or radius that is none")
    if radius < 0:
        raise ValueError("a radius below zero")
    if id_ < 0:
        raise ValueError("an id below zero")
    return _Line(number, id_, _LABELS.get(kind, f"type {kind}"), (x, y, z, radius * _TWO), parent)


def _whole(text: str) -> int:
    if text.lstrip("+-").isdecimal() and len(text) < 19:
        return int(text)
    number = Decimal(text)
    if not number.is_finite() or abs(number) > 10**15 or number != int(number):
        raise ValueError(f"{text[:20]!r} is no whole number")
    return int(number)


def _parent(line: _Line, rows: dict[int, int], path: str) -> int:
    if line.parent < 0:
        return -1
    if line.parent in rows:
        return rows[line.parent]
    if line.parent == 0:
        return -1
    raise SourceError(
        f"sample {line.id} has an unknown parent",
        where=f"{path}:{line.number}",
        found=str(line.parent),
    )


def _check_roots(samples: Samples, lines: list[_Line], path: str) -> None:
    """Raises where samples do not lead to a root."""
    state = [0] * len(lines)
    for start in range(len(lines)):
        way, row = [], start
        while row >= 0 and state[row] == 0:
            state[row] = 1
            way.append(row)
            row = samples.parents[row]
        if row >= 0 and state[row] == 1:
            raise SourceError(
                "samples are their own ancestors",
                where=f"{path}:{lines[row].number}",
                found=f"sample {lines[row].id}",
            )
        for one in way:
            state[one] = 2
    roots = samples.parents.count(-1)
    if roots > 1:
        samples.notes.append(f"{roots} samples have no parent: its trees are not joined")
