"""What a run of NEURON code left: one configuration of a model, as columns.

The two files were written inside a sandbox, beside code that nobody vouches for: every number and
every reference in them is checked before anything is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bnnkg.ingest.neuron.columns import (
    Array,
    Columns,
    ends_of,
    read_columns,
    read_text,
    wrong,
)
from bnnkg.ingest.neuron.header import Header, read_header
from bnnkg.ingest.parsed import Floats, Integers

LARGEST_UM = 1e12
MAX_SEGMENTS_PER_SECTION = 32_767
"""NEURON's own limit on nseg."""


@dataclass(frozen=True)
class Sections:
    """The sections of a run, in NEURON's order; n rows.

    Attributes:
        name: Full name, with the object that owns it.
        cell: Place of that object; -1 at the top level.
        parent: Row of the parent; -1 for a root. A parent may come after its child.
        parent_x: Where on the parent, 0 to 1.
        child_end: Which of its own ends joins the parent, 0 or 1.
        nseg: Number of segments.
        length_um: L.
        ra_ohm_cm: Ra.
        first_segment: (n + 1,) where its segments start.
        first_point: (n + 1,) where its 3-D points start.
    """

    name: Array
    cell: Integers
    parent: Integers
    parent_x: Floats
    child_end: Integers
    nseg: Integers
    length_um: Floats
    ra_ohm_cm: Floats
    first_segment: Integers
    first_point: Integers

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True)
class Segments:
    """The segments of all sections, a row each.

    Attributes:
        section: Row of the section.
        diameter_um: diam.
        area_um2: NEURON's area.
        volume_um3: NEURON's volume.
        cm_uF_per_cm2: cm.
    """

    section: Integers
    diameter_um: Floats
    area_um2: Floats
    volume_um3: Floats
    cm_uF_per_cm2: Floats

    def __len__(self) -> int:
        return len(self.section)


@dataclass(frozen=True)
class Density:
    """A density mechanism, or an ion, where it is.

    Attributes:
        segment: Its segments, ascending. A mechanism is in whole sections; an ion may be in
            segments alone, where a point process brings it.
        values: A row each: its range quantities, or e, inside and outside; NaN where it is none.
    """

    segment: Integers
    values: Floats


@dataclass(frozen=True)
class Points:
    """Point processes and artificial cells, a row each.

    Attributes:
        mechanism: Place in ``kinds``.
        kinds: Names of mechanisms.
        index: Number in NEURON, of those of one mechanism.
        segment: Where it is; -1 for an artificial cell, or one that was put nowhere.
        x: Where on its section, 0 to 1; NaN where it is nowhere.
        row: Per mechanism, its rows, ascending.
        values: Per mechanism, a row each, its range quantities; NaN where one is no number.
    """

    mechanism: Integers
    kinds: tuple[str, ...]
    index: Integers
    segment: Integers
    x: Floats
    row: Mapping[str, Integers]
    values: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.mechanism)


@dataclass(frozen=True)
class NetCons:
    """Event connections, a row each.

    Attributes:
        pre_segment: Segment whose potential is watched; -1 where none is.
        pre_point: Point process or artificial cell that sends; -1 where none does.
        post: Row of the point table; -1 where nothing receives.
        threshold_mV: NaN where none is known.
        delay_ms: Likewise.
        weight: The first weight; NaN where there is none.
        n_weights: How many weights it has.
        active: Whether it is active.
    """

    pre_segment: Integers
    pre_point: Integers
    post: Integers
    threshold_mV: Floats
    delay_ms: Floats
    weight: Floats
    n_weights: Integers
    active: Integers

    def __len__(self) -> int:
        return len(self.post)


@dataclass(frozen=True)
class Pointers:
    """Pointers and transfers, a row each.

    Attributes:
        row: Whose it is: a row of the point table, or -1 - segment for a density mechanism.
        name: Name of the variable.
        segment: Segment that it leads to; -1 where none is known.
        point: Row of the point table that it leads to; -1 where it leads to none.
        target: Variable that it leads to; empty where none is known.
    """

    row: Integers
    name: Array
    segment: Integers
    point: Integers
    target: Array

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class Capture:
    """One configuration of a model as NEURON had it.

    Attributes:
        header: What was run, and what there is.
        sections: Sections.
        segments: Segments.
        points_um: (n, 4) x, y, z, diameter of the 3-D points that the author gave.
        densities: Per density mechanism.
        ions: Per ion: e, inside and outside.
        points: Point processes and artificial cells.
        netcons: Event connections.
        pointers: Pointers and transfers.
        notes: What was left out of it, and why.
    """

    header: Header
    sections: Sections
    segments: Segments
    points_um: Floats
    densities: Mapping[str, Density]
    ions: Mapping[str, Density]
    points: Points
    netcons: NetCons
    pointers: Pointers
    notes: tuple[str, ...] = ()


def read_capture(folder: Path) -> Capture:
    """Reads what a run left in a folder: ``capture.json`` and ``capture.npz``.

    Raises:
        SourceError: They are not of the form: missing, too large, of other types or lengths, with
            numbers out of range, or with references that lead nowhere.
    """
    if folder.is_symlink():
        raise wrong("a link", str(folder), "a folder", "a link")
    header = read_header(_parsed(read_text(folder / "capture.json")))
    columns = Columns(read_columns(folder / "capture.npz"))
    notes: list[str] = []
    sections = _sections(columns, header)
    segments = _segments(columns, sections)
    points = _points(columns, header, len(segments), notes)
    capture = Capture(
        header, sections, segments,
        columns.numbers(
            "pt3d", (int(sections.first_point[-1]), 4), low=-LARGEST_UM, high=LARGEST_UM
        ),
        {
            name: _density(columns, f"density/{name}", sections, segments, info.width, notes)
            for name, info in header.mechanisms.items()
            if info.kind == "density" and f"density/{name}/segment" in columns.arrays
        },
        {
            name: _density(
                columns, f"ion/{name}", sections, segments, 3, notes, whole=False
            )
            for name in header.ions
            if f"ion/{name}/segment" in columns.arrays
        },
        points,
        _netcons(columns, len(segments), len(points), notes),
        _pointers(columns, len(segments), len(points)),
        tuple(notes),
    )  # fmt: skip
    _check_unknown(columns, header)
    _check_counts(capture)
    return capture


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise wrong(
            "something else than JSON", "capture.json", "an object", type(error).__name__
        ) from None


def _sections(columns: Columns, header: Header) -> Sections:
    name = columns.names("section_name")
    n = len(name)
    nseg = columns.whole("section_nseg", n, low=1, high=MAX_SEGMENTS_PER_SECTION)
    n3d = columns.whole("section_n3d", n, low=0, high=2**31)
    parent = columns.whole("section_parent", n, high=n - 1)
    _check_no_cycle(parent)
    return Sections(
        name,
        columns.whole("section_cell", n, high=len(header.cells) - 1),
        parent,
        columns.numbers("section_parent_x", (n,), low=0, high=1),
        columns.whole("section_child_end", n, low=0, high=1),
        nseg,
        columns.numbers("section_L", (n,), low=0, high=LARGEST_UM),
        columns.numbers("section_Ra", (n,), low=0),
        ends_of(nseg),
        ends_of(n3d),
    )


def _check_no_cycle(parent: Integers) -> None:
    """Follows all parents at once, twice as far at each step, until every root is reached."""
    above = np.append(parent, -1)
    for _ in range(len(parent).bit_length() + 1):
        if (above < 0).all():
            return
        above = np.where(above >= 0, above[above], -1)
    raise wrong("sections that are their own ancestors", "section_parent", "a tree", "a ring")


def _segments(columns: Columns, sections: Sections) -> Segments:
    n = int(sections.first_segment[-1])
    return Segments(
        np.repeat(np.arange(len(sections)), sections.nseg),
        columns.numbers("segment_diam", (n,), low=0, high=LARGEST_UM),
        columns.numbers("segment_area_um2", (n,), low=0),
        columns.numbers("segment_volume_um3", (n,), low=0),
        columns.numbers("segment_cm", (n,)),
    )


def _density(
    columns: Columns,
    name: str,
    sections: Sections,
    segments: Segments,
    width: int,
    notes: list[str],
    *,
    whole: bool = True,
) -> Density:
    segment = columns.whole(f"{name}/segment", low=0, high=len(segments) - 1)
    values, n_bad = columns.loose(f"{name}/values", (len(segment), width))
    if n_bad:
        notes.append(f"{n_bad} values of {name} are no numbers and were left out")
    order = np.argsort(segment, kind="stable")
    segment = segment[order]
    if (np.diff(segment) <= 0).any():
        raise wrong("a segment twice", name, "each once", "twice")
    here = np.bincount(segments.section[segment], minlength=len(sections))
    if whole and ((here != 0) & (here != sections.nseg)).any():
        raise wrong("a mechanism in a part of a section", name, "whole sections", "a part")
    return Density(segment, values[order])


def _points(columns: Columns, header: Header, n_segments: int, notes: list[str]) -> Points:
    names = columns.names("point_mechanism")
    n = len(names)
    kinds, mechanism = np.unique(names, return_inverse=True)
    mechanism = mechanism.reshape(-1).astype(np.int64)
    row, values = {}, {}
    for place, name in enumerate(kinds.tolist()):
        info = header.mechanisms.get(name)
        if info is None or info.kind == "density":
            raise wrong("a point process of no known mechanism", "point_mechanism", "one", name)
        rows = columns.whole(f"point/{name}/row", low=0, high=n - 1)
        if not np.array_equal(rows, np.flatnonzero(mechanism == place)):
            raise wrong(
                "rows that are not its own", f"point/{name}/row", "ascending rows", "others"
            )
        row[name] = rows
        values[name], n_bad = columns.loose(f"point/{name}/values", (len(rows), info.width))
        if n_bad:
            notes.append(f"{n_bad} values of {name} are no numbers and were left out")
    segment = columns.whole("point_segment", n, high=n_segments - 1)
    artificial = np.array([header.mechanisms[k].kind == "artificial" for k in kinds.tolist()], bool)
    if n and (artificial[mechanism] & (segment >= 0)).any():
        raise wrong("an artificial cell on a section", "point_segment", "-1", "a segment")
    x = columns.numbers("point_x", (n,), low=0, high=1, may_lack=True)
    if (np.isnan(x) & (segment >= 0)).any():
        raise wrong("a point process without a place on its section", "point_x", "0 to 1", "nan")
    index = columns.whole("point_index", n, low=0)
    if len(np.unique(mechanism * (index.max(initial=0) + 1) + index)) < n:
        raise wrong("a point process twice", "point_index", "each number once", "twice")
    return Points(mechanism, tuple(kinds.tolist()), index, segment, x, row, values)


def _netcons(columns: Columns, n_segments: int, n_points: int, notes: list[str]) -> NetCons:
    post = columns.whole("netcon_post", high=n_points - 1)
    n = len(post)
    pre_segment = columns.whole("netcon_pre_segment", n, high=n_segments - 1)
    pre_point = columns.whole("netcon_pre_point", n, high=n_points - 1)
    if ((pre_segment >= 0) & (pre_point >= 0)).any():
        raise wrong("a connection with two sources", "netcon_pre_point", "one", "two")
    numbers = {}
    for name in ("threshold", "delay", "weight"):
        numbers[name], n_bad = columns.loose(f"netcon_{name}", (n,))
        lacking = int(np.isnan(columns.arrays[f"netcon_{name}"]).sum())
        if n_bad > lacking:
            notes.append(f"{n_bad - lacking} NetCons have a {name} that is no number")
    return NetCons(
        pre_segment, pre_point, post, numbers["threshold"], numbers["delay"], numbers["weight"],
        columns.whole("netcon_n_weights", n, low=0),
        columns.whole("netcon_active", n, low=0, high=1),
    )  # fmt: skip


def _pointers(columns: Columns, n_segments: int, n_points: int) -> Pointers:
    if "pointer_row" not in columns.arrays:
        none = np.zeros(0, np.int64)
        return Pointers(none, np.zeros(0, "<U1"), none, none, np.zeros(0, "<U1"))
    row = columns.whole("pointer_row", low=-n_segments, high=n_points - 1)
    n = len(row)
    return Pointers(
        row,
        columns.names("pointer_name", n),
        columns.whole("pointer_segment", n, high=n_segments - 1),
        columns.whole("pointer_point", n, high=n_points - 1),
        columns.names("pointer_target", n),
    )


def _check_unknown(columns: Columns, header: Header) -> None:
    """A column of a mechanism or ion that the header does not know would go unseen."""
    for name in columns.arrays:
        group, _, rest = name.partition("/")
        owner = rest.rpartition("/")[0]
        info = header.mechanisms.get(owner)
        known = {
            "density": info is not None and info.kind == "density",
            "ion": owner in header.ions,
            "point": info is not None and info.kind != "density",
        }
        if not known.get(group, True):
            raise wrong("values of no known mechanism", name, "one of the header", owner)
        if group in ("density", "ion") and f"{group}/{owner}/segment" not in columns.arrays:
            raise wrong("no such column", "capture.npz", f"{group}/{owner}/segment", "nothing")


def _check_counts(capture: Capture) -> None:
    """What was counted inside must be what the columns hold."""
    points = capture.points
    is_cell = {n for n, info in capture.header.mechanisms.items() if info.kind == "artificial"}
    n_rows = {name: len(rows) for name, rows in points.row.items()}
    found: dict[str, object] = {
        "sections": len(capture.sections),
        "segments": len(capture.segments),
        "pt3d": len(capture.points_um),
        "density": {name: len(one.segment) for name, one in capture.densities.items()},
        "points": {name: n for name, n in n_rows.items() if name not in is_cell},
        "netcons": len(capture.netcons),
        "artificial": {name: n for name, n in n_rows.items() if name in is_cell},
    }
    for name, counted in capture.header.counts.items():
        held = found[name]
        if isinstance(counted, Mapping):
            counted = {key: n for key, n in counted.items() if n}
            held = {key: n for key, n in held.items() if n} if isinstance(held, dict) else held
        if counted != held:
            raise wrong("counts that its columns do not have", f"counts.{name}", str(counted), held)
