"""Sections, their 3-D points and segments as columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .interpreter import Interpreter

Columns = dict[str, Any]
OBJECT = re.compile(r"^(.*)\[\d+\]$")


@dataclass
class Sections:
    """All sections in NEURON's order, and where each starts among the segments.

    Attributes:
        all: The sections.
        index: Row of each.
        first_segment: Row of the first segment of each, and the number of segments at the end.
        cells: Names of the objects that own sections.
        templates: Template or class of each.
        columns: What the capture holds of them.
    """

    all: list[Any]
    index: dict[Any, int]
    first_segment: Any
    cells: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    columns: Columns = field(default_factory=dict)

    @property
    def n_segments(self) -> int:
        """Number of segments of all sections."""
        return int(self.first_segment[-1])

    def segment_row(self, segment: Any) -> int:
        """Row of a segment; -1 where its section is not among them."""
        section = segment.sec
        row = self.index.get(section)
        if row is None:
            return -1
        nseg = section.nseg
        return int(self.first_segment[row]) + int(min(int(segment.x * nseg), nseg - 1))


class Owners:
    """Names of the objects that own sections; Python objects are numbered within their class."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.templates: list[str] = []
        self._rows: dict[Any, int] = {}
        self._counts: dict[str, int] = {}

    def row(self, owner: Any) -> int:
        """Row of an owner; -1 for none."""
        if owner is None:
            return -1
        is_hoc = hasattr(owner, "hname")
        key: Any = owner if is_hoc else id(owner)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self.names)
            self._add(owner, is_hoc)
        return row

    def _add(self, owner: Any, is_hoc: bool) -> None:
        if is_hoc:
            name = str(owner.hname())
            match = OBJECT.match(name)
            template = match.group(1) if match else name
        else:
            template = type(owner).__name__
            number = self._counts[template] = self._counts.get(template, -1) + 1
            name = f"{template}[{number}]"
        self.names.append(name)
        self.templates.append(template)


def read_sections(neuron: Interpreter) -> Sections:
    """Reads all sections: names, owners, connections, geometry."""
    everything = list(neuron.all_sections())
    nseg = np.array([section.nseg for section in everything], np.int32)
    first = np.concatenate([[0], np.cumsum(nseg, dtype=np.int64)])
    index = {section: row for row, section in enumerate(everything)}
    sections = Sections(everything, index, first)
    owners = Owners()
    owner_rows = [owners.row(section.cell()) for section in everything]
    sections.cells, sections.templates = owners.names, owners.templates
    sections.columns = {
        "section_name": _text(_names(everything, owner_rows, owners)),
        "section_cell": np.array(owner_rows, np.int32),
        "section_nseg": nseg,
        "section_L": np.array([section.L for section in everything], float),
        "section_Ra": np.array([section.Ra for section in everything], float),
        **_connections(everything, index),
        **_points("section_n3d", "pt3d", everything),
    }
    return sections


def _text(values: list[str]) -> Any:
    return np.array(values, dtype=np.str_) if values else np.zeros(0, "U1")


def _names(everything: list[Any], owner_rows: list[int], owners: Owners) -> list[str]:
    names = []
    for section, row in zip(everything, owner_rows, strict=True):
        name = section.name()
        if row >= 0 and not name.startswith(owners.names[row] + "."):
            name = f"{owners.names[row]}.{name.removeprefix(f'{section.cell()}.')}"
        names.append(name)
    return names


def _connections(everything: list[Any], index: dict[Any, int]) -> Columns:
    n = len(everything)
    parent, end, x = np.full(n, -1, np.int32), np.zeros(n, np.int32), np.zeros(n)
    for row, section in enumerate(everything):
        end[row] = int(section.orientation())
        segment = section.parentseg()
        if segment is not None:
            parent[row], x[row] = index[segment.sec], segment.x
    return {"section_parent": parent, "section_parent_x": x, "section_child_end": end}


def _points(count: str, name: str, everything: list[Any]) -> Columns:
    counts = np.array([section.n3d() for section in everything], np.int32)
    points = np.empty((int(counts.sum()), 4))
    row = 0
    for section, n in zip(everything, counts.tolist(), strict=True):
        for i in range(n):
            points[row] = section.x3d(i), section.y3d(i), section.z3d(i), section.diam3d(i)
            row += 1
    return {count: counts, name: points}


def read_shape(neuron: Interpreter, sections: Sections) -> Columns:
    """3-D points that NEURON makes up for sections without; it changes the sections."""
    given = sections.columns["section_n3d"]
    if not len(given) or (given > 0).all():
        return {"shape_n3d": np.zeros(len(given), np.int32), "shape": np.zeros((0, 4))}
    neuron.h.define_shape()
    bare = [section for section, n in zip(sections.all, given, strict=True) if not n]
    made = _points("n", "points", bare)
    counts = np.zeros(len(given), np.int32)
    counts[given == 0] = made["n"]
    return {"shape_n3d": counts, "shape": made["points"]}
