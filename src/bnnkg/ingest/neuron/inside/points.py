"""Point processes, artificial cells and NetCons as columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .interpreter import Interpreter
from .mechanisms import Mechanisms, Ranges, getter, width
from .sections import Columns, Sections, _text


@dataclass
class Points:
    """All point processes and artificial cells, mechanism by mechanism in NEURON's order.

    Attributes:
        all: The objects.
        index: Row of each.
        mechanisms: Mechanism of each.
        columns: What the capture holds of them.
    """

    all: list[Any] = field(default_factory=list)
    index: dict[Any, int] = field(default_factory=dict)
    mechanisms: list[str] = field(default_factory=list)
    columns: Columns = field(default_factory=dict)


def read_points(neuron: Interpreter, sections: Sections, known: Mechanisms) -> Points:
    """Reads all point processes and artificial cells, placed or not."""
    points = Points()
    numbers: list[int] = []
    segments: list[int] = []
    places: list[float] = []
    for name, kind in known.kinds.items():
        if kind == "density":
            continue
        found = list(neuron.h.List(name))
        if not found:
            continue
        first = len(points.all)
        _add(points, found, name)
        for point in found:
            segment, x = _place(point, sections, kind)
            segments.append(segment)
            places.append(x)
            numbers.append(int(str(point.hname()).rpartition("[")[2].rstrip("]")))
        placed = [segment >= 0 or kind == "artificial" for segment in segments[first:]]
        rows = np.arange(first, len(points.all), dtype=np.int32)
        values = _values(known.ranges(name), found, placed)
        points.columns |= {f"point/{name}/row": rows, f"point/{name}/values": values}
    points.columns |= {
        "point_mechanism": _text(points.mechanisms),
        "point_index": np.array(numbers, np.int32),
        "point_segment": np.array(segments, np.int32),
        "point_x": np.array(places, float),
    }
    return points


def _add(points: Points, found: list[Any], name: str) -> None:
    for point in found:
        points.index[point] = len(points.all)
        points.all.append(point)
        points.mechanisms.append(name)


def _place(point: Any, sections: Sections, kind: str) -> tuple[int, float]:
    if kind == "artificial" or not point.has_loc():
        return -1, math.nan
    segment = point.get_segment()
    return sections.segment_row(segment), float(segment.x)


def _values(ranges: Ranges, found: list[Any], placed: list[bool]) -> Any:
    """Values of the parameters; NaN for a point process that stands nowhere, for it has none."""
    get = getter(ranges)
    values = np.full((len(found), width(ranges)), math.nan)
    for row, (point, is_there) in enumerate(zip(found, placed, strict=True)):
        if is_there:
            values[row] = get(point)
    return values


def read_netcons(neuron: Interpreter, sections: Sections, points: Points) -> Columns:
    """Reads all NetCons."""
    everything = list(neuron.h.List("NetCon"))
    n = len(everything)
    whole = {
        name: np.full(n, -1, np.int64 if name == "pre_gid" else np.int32)
        for name in ("pre_segment", "pre_point", "pre_gid", "post", "n_weights", "active")
    }
    real = {name: np.full(n, math.nan) for name in ("threshold", "delay", "weight")}
    for row, netcon in enumerate(everything):
        target = netcon.syn()
        if target is not None:
            whole["post"][row] = points.index.get(target, -1)
        _read_source(netcon, row, whole, sections, points)
        n_weights = int(netcon.wcnt()) if target is not None else 0
        whole["n_weights"][row] = n_weights
        whole["active"][row] = int(netcon.active())
        real["threshold"][row], real["delay"][row] = netcon.threshold, netcon.delay
        if n_weights:
            real["weight"][row] = netcon.weight[0]
    columns: Columns = {f"netcon_{name}": values for name, values in (whole | real).items()}
    columns["netcon_active"] = columns["netcon_active"].astype(np.int8)
    return columns


def _read_source(
    netcon: Any, row: int, whole: dict[str, Any], sections: Sections, points: Points
) -> None:
    source = netcon.pre()
    if source is not None:
        whole["pre_point"][row] = points.index.get(source, -1)
    else:
        segment = netcon.preseg()
        if segment is not None:
            whole["pre_segment"][row] = sections.segment_row(segment)
    whole["pre_gid"][row] = int(netcon.srcgid())
