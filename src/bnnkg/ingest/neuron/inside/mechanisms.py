"""Density mechanisms, ions and what segments are made of, as columns."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from .interpreter import Interpreter
from .sections import Columns, Sections

PARAMETER, ASSIGNED, STATE, ALL_GLOBALS = 1, 2, 3, -1
NO_MECHANISM = frozenset({"morphology", "capacitance"})
Ranges = tuple[tuple[str, int], ...]


def names_of(neuron: Interpreter, mechanism: str, kind: int) -> Ranges:
    """Names and sizes of a mechanism's variables of a kind."""
    standard = neuron.h.MechanismStandard(mechanism, kind)
    return tuple(neuron.variable(standard, i) for i in range(int(standard.count())))


class Mechanisms:
    """The mechanisms that NEURON knows, ions apart.

    What varies in space is asked of those in use only: there are mods that compile and yet have
    no such list.

    Args:
        neuron: NEURON's interpreter.
    """

    def __init__(self, neuron: Interpreter) -> None:
        self._neuron = neuron
        self._ranges: dict[str, Ranges] = {}
        self.kinds: dict[str, str] = {}
        for is_point in (0, 1):
            types = neuron.h.MechanismType(is_point)
            for i in range(int(types.count())):
                types.select(i)
                artificial = is_point and types.is_artificial(i)
                kind = "artificial" if artificial else "point" if is_point else "density"
                self.kinds[neuron.selected(types)] = kind

    def ranges(self, name: str) -> Ranges:
        """Names and sizes of the parameters that vary in space."""
        if name not in self._ranges:
            self._ranges[name] = names_of(self._neuron, name, PARAMETER)
        return self._ranges[name]

    def is_density(self, name: str) -> bool:
        """Whether a mechanism is one of the membrane, and no part of every segment."""
        return self.kinds.get(name) == "density" and name not in NO_MECHANISM


def width(ranges: Ranges) -> int:
    """Number of values of one instance."""
    return sum(size for _, size in ranges)


def getter(ranges: Ranges) -> Callable[[Any], tuple[float, ...]]:
    """A function that reads these variables of a segment or point process, arrays in place."""
    if not ranges:
        return lambda _: ()
    get: Callable[[Any], Any] = attrgetter(*(name for name, _ in ranges))
    if len(ranges) == 1 and ranges[0][1] == 1:
        return lambda holder: (get(holder),)
    if all(size == 1 for _, size in ranges):
        return get
    several = len(ranges) > 1

    def flat(holder: Any) -> tuple[float, ...]:
        found = get(holder) if several else (get(holder),)
        values: list[float] = []
        for value, (_, size) in zip(found, ranges, strict=True):
            values.extend([value] if size == 1 else [value[i] for i in range(size)])
        return tuple(values)

    return flat


def read_segments(sections: Sections, known: Mechanisms) -> Columns:
    """Geometry, membrane and mechanisms of all segments.

    Segments with the same mechanisms are read alike: one getter reads all that is wanted of a
    segment at once.
    """
    geometry = np.empty((sections.n_segments, 5))
    kinds: dict[tuple[str, ...], list[tuple[int, Any]]] = {}
    for row, segment in enumerate(segment for section in sections.all for segment in section):
        # A point process brings its ions to its own segment, not to all of the section.
        inserted = tuple([mechanism.name() for mechanism in segment])
        kinds.setdefault(inserted, []).append((row, segment))
    parts: dict[str, list[tuple[Any, Any]]] = {}
    for inserted, segments in kinds.items():
        wanted = _wanted(known, tuple(dict.fromkeys(inserted)))
        _read_alike(segments, wanted, geometry, parts)
    names = ("diam", "area_um2", "volume_um3", "cm", "v")
    columns: Columns = {f"segment_{name}": geometry[:, i] for i, name in enumerate(names)}
    for name, found in parts.items():
        rows = np.concatenate([row for row, _ in found])
        values = np.concatenate([value for _, value in found])
        order = np.argsort(rows, kind="stable")
        columns[f"{name}/segment"] = rows[order].astype(np.int32)
        columns[f"{name}/values"] = values[order]
    return columns


def _wanted(known: Mechanisms, inserted: tuple[str, ...]) -> list[tuple[str, Ranges]]:
    wanted: list[tuple[str, Ranges]] = []
    for name in inserted:
        if name.endswith("_ion"):
            ion = name.removesuffix("_ion")
            wanted.append((f"ion/{ion}", ((f"e{ion}", 1), (f"{ion}i", 1), (f"{ion}o", 1))))
        elif known.is_density(name):
            wanted.append((f"density/{name}", known.ranges(name)))
    return wanted


def _read_alike(
    segments: list[tuple[int, Any]],
    wanted: list[tuple[str, Ranges]],
    geometry: Any,
    parts: dict[str, list[tuple[Any, Any]]],
) -> None:
    ranges = (("diam", 1), ("cm", 1), ("v", 1), *(r for _, names in wanted for r in names))
    get = getter(ranges)
    values = []
    for row, segment in segments:
        area = segment.area()
        found = get(segment)
        geometry[row] = found[0], area, segment.volume(), found[1], found[2]
        values.append(found)
    table = np.array(values, float).reshape(len(values), -1)
    where = np.array([row for row, _ in segments])
    column = 3
    for name, names in wanted:
        end = column + width(names)
        parts.setdefault(name, []).append((where, table[:, column:end]))
        column = end


def read_globals(neuron: Interpreter, mechanism: str) -> list[list[Any]]:
    """Names and values of a mechanism's global variables."""
    found: list[list[Any]] = []
    for name, size in names_of(neuron, mechanism, ALL_GLOBALS):
        value = getattr(neuron.h, name)
        values = [float(value)] if size == 1 else [float(value[i]) for i in range(size)]
        found.append([name, values])
    return found
