"""Density mechanisms of a run as tables in canonical units, and as what sections carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bnnkg.ingest.neuron.capture import Capture, Density
from bnnkg.ingest.neuron.forest import Forest
from bnnkg.ingest.neuron.mod_currents import Currents, current_names
from bnnkg.ingest.neuron.resolved import Mechanisms, Resolved
from bnnkg.ingest.neuron.rounding import nine_digits, texts
from bnnkg.ingest.parsed import Flags, Floats, Integers, Placement
from bnnkg.kinetics import ModFile
from bnnkg.kinetics.syntax import Expression, Name, Number

_CONDUCTANCE, _PERMEABILITY = "S_per_cm2", "cm_per_s"
_E, _INSIDE, _OUTSIDE = range(3)


@dataclass(frozen=True)
class Meaning:
    """Which of a mechanism's quantities are what every density has.

    Attributes:
        gbar: Places of its maximal conductances among its columns.
        fixed_gbar: Sum of those that all its segments share, in S/cm2.
        permeability: Place of its permeability; absent where it has none, or several.
        reversal: What its reversal potential is; absent where it has none, or several: an ion's
            name, the place of a quantity, or a value in mV.
        concentration: Ion whose concentrations it sets.
        ion: Ion that it writes; absent where it writes none, or several.
    """

    gbar: tuple[int, ...] = ()
    fixed_gbar: float = 0.0
    permeability: int | None = None
    reversal: str | int | float | None = None
    concentration: str | None = None
    ion: str | None = None


@dataclass(frozen=True)
class DensityTable:
    """A density mechanism wherever it is in a forest: r rows in s sections.

    Its columns are its range quantities in canonical units, then the maximal conductance, the
    reversal potential and the concentrations inside and outside; NaN where there is none.

    Attributes:
        resolved: The mechanism.
        meaning: What its quantities are.
        segment: (r,) segments, ascending, in the forest's order.
        marks: (r, k + 4) its columns.
        section: (s,) sections that have it, ascending, in the forest's order.
        first: (s + 1,) where the rows of each start.
        means: (s, k + 4) means over each section, weighted by area.
        varies: (s, k + 4) whether a column varies within the section.
    """

    resolved: Resolved
    meaning: Meaning
    segment: Integers
    marks: Floats
    section: Integers
    first: Integers
    means: Floats
    varies: Flags


def density_tables(
    capture: Capture, forest: Forest, resolved: Mapping[str, Resolved], mechanisms: Mechanisms
) -> list[DensityTable]:
    """The density mechanisms of a run, by name."""
    place = np.empty(len(forest.segment), np.int64)
    place[forest.segment] = np.arange(len(forest.segment))
    section_of = np.repeat(np.arange(len(forest.row)), np.diff(forest.first_segment))
    areas = capture.segments.area_um2[forest.segment]
    tables = []
    for name in sorted(capture.densities):
        density, one = capture.densities[name], resolved[name]
        mechanisms.dynamics(one)
        meaning = meaning_of(one, capture.ions)
        order = np.argsort(place[density.segment])
        segment = place[density.segment][order]
        marks = nine_digits(_marks(capture, density, one, meaning)[order])
        section, first = np.unique(section_of[segment], return_index=True)
        first = np.append(first, len(segment))
        means, varies = over_sections(marks, areas[segment], first)
        tables.append(DensityTable(one, meaning, segment, marks, section, first, means, varies))
    return tables


def over_sections(values: Floats, weights: Floats, first: Integers) -> tuple[Floats, Flags]:
    """Means over runs of rows, and whether a run holds different values.

    A run of one value has that value as its mean; one with a NaN has NaN, and does not vary. Where
    all weights of a run are 0, its rows count alike.

    Args:
        values: (r, c).
        weights: (r,).
        first: (s + 1,) where the runs start.
    """
    if len(first) == 1:
        return values, np.zeros(values.shape, bool)
    starts, sizes = first[:-1], np.diff(first)
    total = np.add.reduceat(weights, starts)
    weights = np.where(np.repeat(total, sizes) > 0, weights, 1.0)
    total = np.add.reduceat(weights, starts)
    means = np.add.reduceat(values * weights[:, None], starts, axis=0) / total[:, None]
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    varies = (low != high) & ~np.isnan(means)
    return np.where(varies, means, values[starts] + 0 * means), varies


def _marks(capture: Capture, density: Density, one: Resolved, meaning: Meaning) -> Floats:
    values = density.values * one.factors()
    gbar = np.full((len(values), 1), np.nan)
    if meaning.gbar or meaning.fixed_gbar:
        gbar[:, 0] = values[:, list(meaning.gbar)].sum(axis=1) + meaning.fixed_gbar
    return np.column_stack([values, gbar, _ion_marks(capture, density, one, meaning)])


def _ion_marks(capture: Capture, density: Density, one: Resolved, meaning: Meaning) -> Floats:
    found = np.full((len(density.segment), 3), np.nan)
    match meaning.reversal:
        case str(ion):
            found[:, _E] = _at(capture.ions[ion], density.segment)[:, _E]
        case int(place):
            found[:, _E] = density.values[:, place] * one.ranges[place].factor
        case float(value):
            found[:, _E] = value
    if meaning.concentration is not None:
        found[:, 1:] = _at(capture.ions[meaning.concentration], density.segment)[:, 1:]
    return found


def _at(ion: Density, segment: Integers) -> Floats:
    """What an ion has at some segments."""
    if not len(ion.segment):
        return np.full((len(segment), 3), np.nan)
    row = np.minimum(np.searchsorted(ion.segment, segment), len(ion.segment) - 1)
    there = (ion.segment[row] == segment)[:, None]
    return np.where(there, ion.values[row], np.nan)


def meaning_of(one: Resolved, ions: Mapping[str, Density]) -> Meaning:
    """What the quantities of a mechanism are, by its equations and else by their units.

    Where one ion only carries a current, its conductance and reversal potential are meant, not
    those of a leak beside it.
    """
    if one.mod is None:
        return Meaning()
    mod = one.mod
    currents = Currents(mod)
    carried = [f"i{ion.name}" for ion in mod.ions if f"i{ion.name}" in ion.writes]
    drives = currents.drives(carried if len(carried) == 1 else current_names(mod)) or ()
    factors = (factor for drive in drives for factor in drive.conductance)
    named = {
        inner.name
        for factor in factors
        for inner in currents.behind(factor)
        if isinstance(inner, Name)
    }
    columns = [place for place, q in enumerate(one.ranges) if q.unit == _CONDUCTANCE]
    used = [place for place in columns if one.ranges[place].name in named]
    permeabilities = [place for place, q in enumerate(one.ranges) if q.unit == _PERMEABILITY]
    written = [i.name for i in mod.ions if {f"{i.name}i", f"{i.name}o"} & set(i.writes)]
    written_by = [ion.name for ion in mod.ions if ion.writes]
    shared = [q for q in one.shared if q.unit == _CONDUCTANCE and (not named or q.name in named)]
    return Meaning(
        gbar=tuple(used or columns),
        fixed_gbar=sum(one.shared[quantity] for quantity in shared),
        permeability=permeabilities[0] if len(permeabilities) == 1 else None,
        reversal=_reversal(one, mod, {drive.reversal for drive in drives}, ions),
        concentration=written[0] if len(written) == 1 and written[0] in ions else None,
        ion=written_by[0] if len(written_by) == 1 else None,
    )


def _reversal(
    one: Resolved, mod: ModFile, reversals: set[Expression | None], ions: Mapping[str, Density]
) -> str | int | float | None:
    if len(reversals) != 1:
        return None
    (reversal,) = reversals
    if isinstance(reversal, Number):
        return float(reversal.value)
    if not isinstance(reversal, Name):
        return None
    for ion in mod.ions:
        if reversal.name == f"e{ion.name}" and ion.name in ions:
            return ion.name
    for place, quantity in enumerate(one.ranges):
        if quantity.name == reversal.name:
            return place
    return _fixed(one, mod, reversal.name)


def _fixed(one: Resolved, mod: ModFile, name: str) -> float | None:
    """A reversal potential that all its segments share: a global, or the file's own value."""
    for quantity, value in one.shared.items():
        if quantity.name == name:
            return value
    written = {p.name: p.value for p in mod.constants}.get(name)
    return None if written is None else float(written)


@dataclass(frozen=True)
class Carried:
    """A mechanism in one section, and its text for the content of the cell."""

    uid: str
    text: str
    placement: Placement


def carried_by(table: DensityTable, section: int) -> Carried | None:
    """What a section of the forest carries of a mechanism; absent where it does not have it."""
    row = int(np.searchsorted(table.section, section))
    if row == len(table.section) or table.section[row] != section:
        return None
    one, meaning = table.resolved, table.meaning
    n = len(one.ranges)
    means = table.means[row].tolist()
    own = one.parameters(means[:n])
    columns = {
        place: tuple(table.marks[table.first[row] : table.first[row + 1], place].tolist())
        for place in np.flatnonzero(table.varies[row]).tolist()
    }
    varying = sorted((one.ranges[place].name, place) for place in columns if place < n)
    gbar, e, inside, outside = (None if np.isnan(value) else value for value in means[n:])
    permeability = None if meaning.permeability is None else means[meaning.permeability]
    placement = Placement(
        section=-1,
        mechanism_uid=one.uid,
        place=-1,
        gbar_S_per_cm2=gbar,
        erev_mV=e,
        permeability_cm_per_s=permeability if permeability == permeability else None,
        ion=table.meaning.ion,
        c_init_mM=inside,
        c_ext_mM=outside,
        segment_gbar_S_per_cm2=columns.get(n),
        parameter_names=own.names,
        parameter_values=own.values,
        varying_names=tuple(name for name, _ in varying),
        segment_values=tuple(value for _, place in varying for value in columns[place]),
    )
    numbers = [*own.values, *means, *(value for values in columns.values() for value in values)]
    return Carried(
        one.uid, " ".join([one.uid, *own.names, *map(str, columns), *texts(numbers)]), placement
    )
