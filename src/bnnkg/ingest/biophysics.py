"""Biophysical properties: what the membrane carries, segment by segment."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np

from bnnkg.ingest.components import Part
from bnnkg.ingest.identity import canonical_element, digest
from bnnkg.ingest.inhomogeneous import Varying
from bnnkg.ingest.markup import Account
from bnnkg.ingest.morphology import Segments, measure_text
from bnnkg.ingest.parsed import Placement
from bnnkg.ingest.sections import SectionTree

Reference = Callable[[str, str], str]
"""(kind, id) to the uid of a Mechanism, resolved or not."""


@dataclass
class Density:
    """A density element: which mechanism, where, how much.

    Attributes:
        rows: Rows of the segments that carry it.
        key: Digest of its content without its place.
        fields: Values of its Placements by name.
        gbar: Its density of conductance.
        varying: What varies over the cell: values by name and row.
    """

    rows: list[int]
    mechanism_uid: str
    density_class: str
    key: str
    fields: dict[str, Any]
    gbar: float | None
    n_channels: float | None
    varying: dict[str, dict[int, float]] = field(default_factory=dict)


@dataclass
class Biophysics:
    """What a cell's membrane and cytoplasm are like.

    Attributes:
        cm: Specific capacitance per segment row, uF/cm2.
        ra: Axial resistivity per segment row, ohm cm.
        densities: Density elements in the order of their content.
        v_init: Potential at the start, mV.
        v_threshold: Potential that counts as a spike, mV.
        rest: Content that has no place in the graph.
    """

    cm: list[Decimal | None]
    ra: list[Decimal | None]
    densities: list[Density] = field(default_factory=list)
    v_init: Decimal | None = None
    v_threshold: Decimal | None = None
    rest: list[Any] = field(default_factory=list)

    def marks(self) -> list[str]:
        """What each segment carries, as text for the content hash."""
        keys: list[list[str]] = [[] for _ in self.cm]
        for density in self.densities:
            for row in density.rows:
                keys[row].append(density.key)
        return [
            f" {cm} {ra} {' '.join(carried)}"
            for cm, ra, carried in zip(self.cm, self.ra, keys, strict=True)
        ]


class BiophysicsReader:
    """Reads ``biophysicalProperties`` against a morphology.

    Args:
        segments: The cell's morphology.
        account: Of the file that holds the properties.
        where: That file.
        reference: What an id of a channel or concentration model refers to.
    """

    def __init__(
        self, segments: Segments, account: Account, where: str, reference: Reference
    ) -> None:
        self._segments = segments
        self._account = account
        self._where = where
        self._reference = reference
        n = len(segments.ids)
        self._varying = Varying(segments)
        self._result = Biophysics([None] * n, [None] * n)

    def read(self, part: Part) -> Biophysics:
        """Reads the properties."""
        self._account.take(part.element)
        for group in part.parts:
            self._account.take(group.element)
            for inner in group.parts:
                self._property(inner)
            self._result.rest += [canonical_element(e) for e in group.strange]
        self._result.rest += [canonical_element(e) for e in part.strange]
        self._result.densities.sort(key=lambda density: density.key)
        self._result.rest.sort(key=json.dumps)
        return self._result

    def _property(self, part: Part) -> None:
        tag = part.tag
        done = False
        if tag == "specificCapacitance":
            done = self._spread(part, self._result.cm)
        elif tag == "resistivity":
            done = self._spread(part, self._result.ra)
        elif tag == "initMembPotential":
            done = self._once(part, "v_init")
        elif tag == "spikeThresh":
            done = self._once(part, "v_threshold")
        elif tag == "species":
            done = self._density(part, "concentration", "concentrationModel")
        elif tag.startswith("channel"):
            done = self._density(part, "channel", "ionChannel")
        if done:
            self._account.take(part.element)
        else:
            self._result.rest.append(canonical_element(part.element))

    def _rows(self, part: Part) -> list[int] | None:
        """Rows that a property holds for; absent where the file names none that exists."""
        segment = part.element.get("segment")
        if segment is not None:
            row = self._segments.row_of.get(int(segment)) if segment.strip().isdecimal() else None
            return self._told(part, f"segment {segment}", None if row is None else [row])
        group = (_group_of(part) or "all").strip()
        if group in self._segments.groups:
            return self._segments.groups[group]
        if group == "all":
            return list(range(len(self._segments.ids)))
        return self._told(part, f"segment group {group!r}", None)

    def _told(self, part: Part, what: str, rows: list[int] | None) -> list[int] | None:
        if rows is None:
            self._account.problem(
                f"{self._where}:{part.element.sourceline}: {part.tag} {part.id!r} is on {what}, "
                "which the morphology does not have"
            )
        return rows

    def _spread(self, part: Part, column: list[Decimal | None]) -> bool:
        rows, value = self._rows(part), part.numbers.get("value")
        if rows is None or value is None:
            return False
        for row in rows:
            column[row] = value[0]
        return True

    def _once(self, part: Part, name: str) -> bool:
        value = part.numbers.get("value")
        if value is None or getattr(self._result, name) is not None:
            return False
        setattr(self._result, name, value[0])
        return True

    def _density(self, part: Part, kind: str, reference: str) -> bool:
        rows = self._rows(part)
        id_ = part.texts.get(reference, "")
        if rows is None or part.spoilt or not id_:
            return False
        uid = self._reference(kind, id_)
        variable = self._variable(part)
        fields = {
            "erev_mV": part.number("erev"),
            "permeability_cm_per_s": part.number("permeability"),
            "v_shift_mV": part.number("vShift"),
            "ion": part.texts.get("ion"),
            "c_init_mM": part.number("initialConcentration"),
            "c_ext_mM": part.number("initialExtConcentration"),
            "variable_parameter": variable,
        }
        numbers = sorted(
            (name, str(value), unit)
            for name, (value, unit) in part.numbers.items()
            if name != "segment"  # where it is stands with the segments
        )
        density_class = part.tag
        strange = [canonical_element(e) for e in part.strange]
        key = digest([density_class, uid, numbers, fields["ion"], variable, strange])
        self._result.densities.append(
            Density(
                rows, uid, density_class, key, fields,
                part.number("condDensity"), part.number("number"),
                self._values(part, rows),
            )
        )  # fmt: skip
        return True

    def _values(self, part: Part, rows: list[int]) -> dict[str, dict[int, float]]:
        """What varies over the cell, at each segment; told where it cannot be evaluated."""
        found: dict[str, dict[int, float]] = {}
        for inner in part.find("variableParameter"):
            values = self._varying.values(inner, rows)
            if isinstance(values, str):
                self._account.notes.append(f"{part.tag} {part.id!r} is not evaluated: {values}")
            else:
                found |= values
        return found

    def _variable(self, part: Part) -> str | None:
        """How a density varies: ``condDensity = 5e-7 * exp(-p/200); p: Path Length from root``."""
        texts = []
        for inner in part.parts:
            if inner.tag != "variableParameter":
                continue
            self._account.take(inner.element)
            for value in inner.parts:
                self._account.take(value.element)
                formula = " ".join((value.element.get("value") or "").split())
                measure = self._measure(value.element.get("inhomogeneousParameter", ""))
                texts.append(f"{inner.element.get('parameter')} = {formula}; {measure}")
        return " | ".join(sorted(texts)) or None

    def _measure(self, id_: str) -> str:
        element = self._segments.measures.get(id_)
        return id_ if element is None else measure_text(element)


def _group_of(part: Part) -> str | None:
    """Segment group of a property; a non-uniform density has it in its variable parameter."""
    inner = [p.element.get("segmentGroup") for p in part.parts if p.tag == "variableParameter"]
    return part.element.get("segmentGroup") or next((group for group in inner if group), None)


def placements(biophysics: Biophysics, tree: SectionTree) -> list[Placement]:
    """The mechanisms of every section; densities are area-weighted means over a section.

    A density that covers part of a section, or several that differ there, keeps an array over the
    section's segments. ``number`` of a channelPopulation is shared out by area. Densities of equal
    content on different segments share one place, so that places do not depend on the file.
    """
    areas = tree.frusta[1]
    section_of = {row: i for i, run in enumerate(tree.runs) for row in run}
    result = []
    for place, density in enumerate(_layers(biophysics.densities)):
        covered: dict[int, set[int]] = {}
        for row in density.rows:
            covered.setdefault(section_of[row], set()).add(row)
        inside = {
            section: np.array([row in rows for row in tree.runs[section]])
            for section, rows in sorted(covered.items())
        }
        total = sum(float(areas[section][here].sum()) for section, here in inside.items())
        for section, here in inside.items():
            run = tree.runs[section]
            result.append(_placement(density, place, section, run, here, areas[section], total))
    return result


def _layers(densities: list[Density]) -> list[Density]:
    """Densities of equal content laid over each other: the first layer, the second, and so on."""
    layers: list[Density] = []
    for _, equal in itertools.groupby(densities, key=lambda density: density.key):
        group = list(equal)
        times = Counter(row for density in group for row in density.rows)
        for depth in range(max(times.values(), default=0)):
            rows = [row for row, n in times.items() if n > depth]
            number = group[0].n_channels
            if number is not None:
                number = number * len(group) * len(rows) / times.total()
            varying = _merged(group)
            layers.append(replace(group[0], rows=rows, n_channels=number, varying=varying))
    return layers


def _merged(group: list[Density]) -> dict[str, dict[int, float]]:
    """What varies, of densities on different segments."""
    merged: dict[str, dict[int, float]] = {}
    for density in group:
        for name, values in density.varying.items():
            merged.setdefault(name, {}).update(values)
    return merged


def _placement(
    density: Density,
    place: int,
    section: int,
    run: list[int],
    inside: np.ndarray,
    areas: np.ndarray,
    total: float,
) -> Placement:
    area = float(areas.sum())
    share = float(areas[inside].sum()) / area if area > 0 else float(inside.mean())
    gbar, per_segment = density.gbar, None
    if gbar is not None and not inside.all():
        per_segment = tuple(gbar if here else 0.0 for here in inside)
        gbar = gbar * share
    fields = dict(density.fields)
    for name, by_row in density.varying.items():
        values = np.array([by_row.get(row, 0.0) for row in run])
        mean = float(np.average(values, weights=areas if area > 0 else None))
        if name == "gbar":
            gbar, per_segment = mean, tuple(values.tolist())
        else:
            fields |= {
                name: mean,
                "varying_names": (name,),
                "segment_values": tuple(values.tolist()),
            }
    n_channels = density.n_channels
    if n_channels is not None and total > 0:
        n_channels = n_channels * float(areas[inside].sum()) / total
    return Placement(
        section=section,
        mechanism_uid=density.mechanism_uid,
        place=place,
        density_class=density.density_class,
        segments=None if inside.all() else tuple(np.flatnonzero(inside).tolist()),
        gbar_S_per_cm2=gbar,
        n_channels=n_channels,
        segment_gbar_S_per_cm2=per_segment,
        **fields,
    )
