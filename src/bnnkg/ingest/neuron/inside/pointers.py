"""What POINTERs and ParallelContext transfers lead to, found by tracing.

Every membrane potential is set to a number of its own, and what a pointer then reads tells
which it is; likewise the other variables, for pointers that lead to none of the potentials.
This destroys the state: everything else is read before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from .interpreter import Interpreter
from .mechanisms import ASSIGNED, NO_MECHANISM, PARAMETER, STATE, Mechanisms, getter, names_of
from .points import Points
from .sections import Columns, Sections, _text
from .support import Support

FIRST_TAG = 2.0**40
Place = tuple[str, int, int]


class Tracer:
    """Numbers given to variables, and what each stands for."""

    def __init__(self) -> None:
        self._places: list[Place] = []

    def new(self, variable: str, segment: int, point: int) -> float:
        """A number for a variable of a segment, or of a point process."""
        self._places.append((variable, segment, point))
        return FIRST_TAG + len(self._places) - 1

    def find(self, value: float) -> Place | None:
        """The variable that holds a number, or None."""
        place = value - FIRST_TAG
        if 0 <= place < len(self._places) and place == int(place):
            return self._places[int(place)]
        return None


class Found:
    """The pointers of a model, resolved or not."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.names: list[str] = []
        self.places: list[Place | None] = []
        self.n_null = 0

    def add(self, row: int, name: str, place: Place | None) -> None:
        """Adds one."""
        self.rows.append(row)
        self.names.append(name)
        self.places.append(place)

    def columns(self) -> Columns:
        """What the capture holds of them."""
        places = [place or ("", -1, -1) for place in self.places]
        return {
            "pointer_row": np.array(self.rows, np.int32),
            "pointer_name": _text(self.names),
            "pointer_segment": np.array([segment for _, segment, _ in places], np.int32),
            "pointer_point": np.array([point for _, _, point in places], np.int32),
            "pointer_target": _text([variable for variable, _, _ in places]),
        }


def trace(
    neuron: Interpreter,
    sections: Sections,
    points: Points,
    known: Mechanisms,
    pointers: dict[str, list[str]],
    support: Support,
) -> Found:
    """Resolves all pointers and transfers; it changes the model's state."""
    tracer, found = Tracer(), Found()
    holders = list(_holders(sections, points, pointers))
    tag_potentials(sections, tracer)
    open_ones = []
    for row, name, holder, attribute in holders:
        value = _read(holder, attribute)
        if value is None:
            found.n_null += 1
            found.add(row, name, None)
        elif (place := tracer.find(value)) is not None:
            found.add(row, name, place)
        else:
            open_ones.append((row, name, holder, attribute))
    if support.transfer():
        _find_transfers(neuron, points, known, tracer, found)
    if open_ones:
        tag_variables(neuron, sections, points, known, tracer)
        for row, name, holder, attribute in open_ones:
            found.add(row, name, tracer.find(_read(holder, attribute) or 0.0))
    return found


def tag_potentials(sections: Sections, tracer: Tracer) -> None:
    """Gives every segment's potential its number."""
    row = 0
    for section in sections.all:
        for segment in section:
            segment.v = tracer.new("v", row, -1)
            row += 1


def _holders(
    sections: Sections, points: Points, pointers: dict[str, list[str]]
) -> Iterator[tuple[int, str, Any, str]]:
    """Row, pointer, and whose attribute it is: row >= 0 of a point, -1-segment of a density."""
    for row, mechanism in enumerate(points.mechanisms):
        for name in pointers.get(mechanism, ()):
            if points.columns["point_segment"][row] >= 0:
                yield row, name, points.all[row], name
    if not pointers:
        return
    for first, section in zip(sections.first_segment.tolist(), sections.all, strict=False):
        names = [
            (mechanism.name(), name)
            for mechanism in section(0.5)
            for name in pointers.get(mechanism.name(), ())
        ]
        for i, segment in enumerate(section if names else ()):
            for mechanism, name in names:
                yield -1 - (first + i), name, segment, f"{name}_{mechanism}"


def _read(holder: Any, attribute: str) -> float | None:
    """What a pointer reads; None where it leads nowhere."""
    try:
        return float(getattr(holder, attribute))
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return None


def _find_transfers(
    neuron: Interpreter, points: Points, known: Mechanisms, tracer: Tracer, found: Found
) -> None:
    """Targets of transfers: variables of point processes that now hold a potential's number."""
    traced = {(row, name) for row, name in zip(found.rows, found.names, strict=True)}
    getters: dict[str, tuple[list[str], Any]] = {}
    for row, mechanism in enumerate(points.mechanisms):
        if points.columns["point_segment"][row] < 0:
            continue
        if mechanism not in getters:
            ranges = known.ranges(mechanism) + names_of(neuron, mechanism, ASSIGNED)
            single = tuple((name, 1) for name, size in ranges if size == 1)
            getters[mechanism] = [name for name, _ in single], getter(single)
        names, get = getters[mechanism]
        for name, value in zip(names, get(points.all[row]), strict=True):
            place = tracer.find(value) if value >= FIRST_TAG else None
            if place is not None and (row, name) not in traced:
                found.add(row, name, place)


def tag_variables(
    neuron: Interpreter,
    sections: Sections,
    points: Points,
    known: Mechanisms,
    tracer: Tracer,
) -> None:
    """Gives every variable that hoc can set its number: ions, mechanisms, point processes."""
    settable: dict[str, list[str]] = {}

    def names(mechanism: str) -> list[str]:
        if mechanism not in settable:
            settable[mechanism] = _settable(neuron, mechanism, known)
        return settable[mechanism]

    row = 0
    for section in sections.all:
        for segment in section:
            for mechanism in segment:
                for name in names(mechanism.name()):
                    _tag(segment, name, row, -1, tracer)
            row += 1
    for row, mechanism in enumerate(points.mechanisms):
        if points.columns["point_segment"][row] >= 0:
            for name in names(mechanism):
                _tag(points.all[row], name, -1, row, tracer)


def _settable(neuron: Interpreter, mechanism: str, known: Mechanisms) -> list[str]:
    if mechanism.endswith("_ion"):
        ion = mechanism.removesuffix("_ion")
        return [f"e{ion}", f"{ion}i", f"{ion}o", f"i{ion}"]
    if mechanism not in known.kinds or mechanism in NO_MECHANISM:
        return []
    kinds = (PARAMETER, ASSIGNED, STATE)
    found = [pair for kind in kinds for pair in names_of(neuron, mechanism, kind)]
    return [name for name, size in found if size == 1]


def _tag(holder: Any, name: str, segment: int, point: int, tracer: Tracer) -> None:
    """Numbers a variable, unless NEURON refuses (an ion's style can forbid it)."""
    with suppress(AttributeError, RuntimeError, TypeError, ValueError, LookupError):
        setattr(holder, name, tracer.new(name, segment, point))
