"""Neurolucida ASC: nested lists of traced points; trees branch where a list opens within one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from bnnkg.errors import SourceError
from bnnkg.ingest.morphology import LARGEST_UM, Point
from bnnkg.ingest.neuron.samples import Samples, cylinder_of_outline
from bnnkg.ingest.neuron.swc import MAX_SAMPLES

MAX_DEPTH = 100_000
_NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,3})?"
_TOKEN = re.compile(
    rf"""(?P<comment>;[^\n]*)
    |\(\s*(?P<x>{_NUMBER})[\s,]+(?P<y>{_NUMBER})[\s,]+(?P<z>{_NUMBER})
        (?:[\s,]+(?P<d>{_NUMBER}))?[^()<>|"\n;]{{0,80}}(?:;[^\n]*)?\s*\)
    |"(?P<text>[^"]*)"
    |(?P<mark>[()<>|])
    |(?P<word>[^\s()<>|";,]+)
    |(?P<open>")""",
    re.VERBOSE,
)
_LABELS = {
    "cellbody": "soma", "soma": "soma", "cell body": "soma", "axon": "axon",
    "dendrite": "dendrite", "dendrites": "dendrite", "apical": "apical dendrite",
    "apicaldendrite": "apical dendrite", "apical dendrite": "apical dendrite",
    "basal": "dendrite",
}  # fmt: skip
_ENDS = frozenset(
    {"normal", "high", "low", "incomplete", "generated", "origin", "midpoint", "unknown", "natural"}
)


@dataclass
class _List:
    """One list that is open.

    Attributes:
        line: Where it opened.
        start: Sample that its branches grow from; -1 for none.
        tip: Sample that the next point follows.
        label: What it is, from the list itself or from the one around it.
        head: Its first word: a property or a marker; empty for a tree, branch or outline.
        is_new: Whether nothing stood in it so far.
        is_spine: Whether it is a spine, or in one.
        outline: Its points, where it is an outline, a marker or a spine.
        rows: Its samples, where it is a tree or a branch.
    """

    line: int
    start: int = -1
    tip: int = -1
    label: str = ""
    head: str = ""
    is_new: bool = True
    is_spine: bool = False
    outline: list[Point] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


def read_neurolucida(text: str, path: str) -> Samples:
    """Reads the somata, axons and dendrites of a Neurolucida ASC file.

    Outlines of cell bodies become one cylinder (the largest stands for a stack of them), to whose
    middle all trees are joined. Markers, spines and other outlines are counted in the notes.

    Args:
        text: Its content.
        path: Its path, for messages.

    Raises:
        SourceError: Lists that do not close, nested too deep, or too many points; no tree in it.
    """
    return _Reader(text, path).read()


class _Reader:
    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._samples = Samples()
        self._stack: list[_List] = []
        self._somata: list[list[Point]] = []
        self._left_out = {"markers": 0, "spines": 0, "other outlines": 0}
        self._n_points = 0
        self._line = 1
        self._counted = 0

    def read(self) -> Samples:
        for match in _TOKEN.finditer(self._text):
            kind = match.lastgroup
            if match["x"] is not None:
                self._point(match)
            elif kind == "mark":
                self._mark(match["mark"], match.start())
            elif kind == "text":
                self._say(match["text"])
            elif kind == "word":
                self._word(match["word"])
            elif kind == "open":
                raise self._error("a text does not end", self._line_of(match.start()))
        if self._stack:
            raise self._error("a list does not end", self._stack[-1].line)
        return self._joined()

    def _line_of(self, place: int) -> int:
        self._line += self._text.count("\n", self._counted, place)
        self._counted = place
        return self._line

    def _error(self, what: str, line: int, found: str | None = None) -> SourceError:
        return SourceError(what, where=f"{self._path}:{line}", found=found)

    # ------------------------------------------------------------------ lists

    def _mark(self, mark: str, place: int) -> None:
        if mark in "(<":
            self._open(self._line_of(place), spine=mark == "<")
        elif mark == "|":
            if self._stack:
                self._stack[-1].tip = self._stack[-1].start
        else:
            self._close(mark, self._line_of(place))

    def _open(self, line: int, *, spine: bool) -> None:
        around = self._stack[-1] if self._stack else None
        new = _List(line, is_spine=spine or (around is not None and around.is_spine))
        if around is not None:
            new.start = new.tip = around.tip
            new.label = around.label
            around.is_new = False
        if len(self._stack) >= MAX_DEPTH:
            raise self._error("lists are nested too deep", line)
        self._stack.append(new)

    def _close(self, mark: str, line: int) -> None:
        if not self._stack:
            raise self._error("a list ends that did not begin", line)
        done = self._stack.pop()
        around = self._stack[-1] if self._stack else None
        if done.is_spine:
            self._left_out["spines"] += mark == ">"
        elif done.head and done.outline:
            self._left_out["markers"] += 1
        elif done.head:
            label = _LABELS.get(done.head.lower())
            if label and around is not None:
                self._label(around, label)
        elif not self._stack:
            self._tree_done(done)

    def _label(self, around: _List, label: str) -> None:
        around.label = label
        for row in around.rows:
            self._samples.labels[row] = label

    def _word(self, word: str) -> None:
        if not self._stack:
            return
        here = self._stack[-1]
        if here.is_new and not here.head and word.lower() not in _ENDS:
            here.head = word
        elif here.head and not here.outline:
            here.head = f"{here.head} {word}" if len(here.head) < 40 else here.head
        here.is_new = False

    def _say(self, text: str) -> None:
        """A text at the start of a list names an outline; elsewhere it says nothing."""
        if self._stack:
            here = self._stack[-1]
            if here.is_new and not here.label:
                here.label = _LABELS.get(text.strip().lower(), f"named {text.strip()[:40]}")
            here.is_new = False

    # ------------------------------------------------------------------ points

    def _point(self, match: re.Match[str]) -> None:
        self._n_points += 1
        if self._n_points > MAX_SAMPLES:
            raise self._error("the morphology has too many points", self._line_of(match.start()))
        if not self._stack or self._stack[-1].head.lower().startswith("color"):
            return
        here = self._stack[-1]
        x, y, z, d = (Decimal(match[name] or 0) for name in "xyzd")
        if not all(abs(value) < LARGEST_UM for value in (x, y, z, d)) or d < 0:
            line = self._line_of(match.start())
            raise self._error("a point that is no place", line, match.group()[:80])
        here.is_new = False
        if here.head or here.is_spine or self._draws_outline(here):
            here.outline.append((x, y, z, d))
        else:
            row = self._samples.add(
                len(self._samples.ids) + 1, here.label or "unknown", (x, y, z, d), here.tip
            )
            here.rows.append(row)
            here.tip = row

    def _draws_outline(self, here: _List) -> bool:
        soma_or_named = here.label == "soma" or here.label.startswith("named ")
        return len(self._stack) == 1 and soma_or_named

    def _tree_done(self, done: _List) -> None:
        if done.outline and done.label == "soma":
            self._somata.append(done.outline)
        elif done.outline:
            self._left_out["other outlines"] += 1

    # ------------------------------------------------------------------ the whole

    def _joined(self) -> Samples:
        samples = self._samples
        if self._somata:
            self._add_soma()
        if not samples.ids:
            raise SourceError("the file holds no tree and no cell body", where=self._path)
        notes = [f"{n} {what} left out" for what, n in self._left_out.items() if n]
        samples.notes.extend(notes)
        roots = samples.parents.count(-1)
        if roots > 1:
            samples.notes.append(f"{roots} trees are not joined: no cell body is drawn")
        return samples

    def _add_soma(self) -> None:
        samples = self._samples
        outlines = [np.array([[float(v) for v in p[:3]] for p in one]) for one in self._somata]
        largest = max(range(len(outlines)), key=lambda i: (_perimeter(outlines[i]), -i))
        if len(outlines) > 1:
            samples.notes.append(f"{len(outlines)} outlines of cell bodies: the largest is taken")
        roots = [row for row, parent in enumerate(samples.parents) if parent < 0]
        if len(outlines[largest]) < 3:
            x, y, z, d = self._somata[largest][0]
            soma = samples.add(0, "soma", (x, y, z, d), -1)
        else:
            soma = self._cylinder(outlines[largest])
        for row in roots:
            samples.parents[row] = soma

    def _cylinder(self, outline: npt.NDArray[np.float64]) -> int:
        start, end = cylinder_of_outline(outline)
        self._samples.notes.append("the cell body is drawn as an outline; a cylinder stands for it")
        row = self._samples.add(0, "soma", start, -1)
        self._samples.cylinders[row] = start, end
        return row


def _perimeter(outline: npt.NDArray[np.float64]) -> float:
    closed = np.vstack([outline, outline[:1]])
    return float(np.linalg.norm(np.diff(closed, axis=0), axis=1).sum())
