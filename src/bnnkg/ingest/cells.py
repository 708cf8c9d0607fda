"""Cells: of many compartments, or points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from bnnkg.ingest.biophysics import Biophysics, Reference, placements
from bnnkg.ingest.components import Part
from bnnkg.ingest.identity import shared_uid
from bnnkg.ingest.markup import Account
from bnnkg.ingest.morphology import Segments, measure_text, segment_kinds
from bnnkg.ingest.parsed import Cell, Mechanism, Placement, Section, SegmentMap
from bnnkg.ingest.sections import SectionTree, build_sections, segment_map


@dataclass(frozen=True)
class CellReading:
    """A cell element: the Cell that it defines, and how its own ids and coordinates lead there.

    Attributes:
        cell: The Cell.
        segments: Where its segments are; absent for a point.
        offset_um: What was subtracted from its coordinates; absent for a point.
        segment_ids: Ids of its segments in the order of the sections.
        segment_names: Their names.
        group_names: Names of its segment groups.
        group_segments: Places in ``segment_ids`` of each group's segments, such as ``0-3,5``.
        group_sections: Sections of each group, likewise.
        kinds_from: What told soma, dendrite and axon apart.
        measures: Its inhomogeneous parameters, each with its id and segment group.
    """

    cell: Cell
    segments: SegmentMap | None = None
    offset_um: tuple[float, float, float] | None = None
    segment_ids: tuple[int, ...] = ()
    segment_names: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    group_segments: tuple[str, ...] = ()
    group_sections: tuple[str, ...] = ()
    kinds_from: str | None = None
    measures: tuple[str, ...] = ()


def detailed_cell(cell_class: str, segments: Segments, biophysics: Biophysics) -> CellReading:
    """A cell of many compartments."""
    kinds, kinds_from = segment_kinds(segments)
    tree = build_sections(segments, kinds, biophysics.marks())
    sections = tuple(
        _with_electrics(section, run, areas, biophysics)
        for section, run, areas in zip(tree.sections, tree.runs, tree.frusta[1], strict=True)
    )
    content = [
        cell_class, tree.content, _text(biophysics.v_init), _text(biophysics.v_threshold),
        biophysics.rest,
    ]  # fmt: skip
    cell = Cell(
        uid=shared_uid("Cell", content),
        cell_class=cell_class,
        is_point=False,
        sections=sections,
        placements=tuple(placements(biophysics, tree)),
        v_init_mV=_float(biophysics.v_init),
        v_threshold_mV=_float(biophysics.v_threshold),
    )
    rows = [row for run in tree.runs for row in run]
    names = tuple(sorted(segments.groups))
    return CellReading(
        cell,
        segment_map(segments, tree),
        tree.offset_um,
        tuple(segments.ids[row] for row in rows),
        tuple(segments.names[row] for row in rows),
        names,
        _group_segments(segments, rows, names),
        _group_sections(segments, tree, names),
        kinds_from,
        tuple(sorted(_measures(segments))),
    )


def _group_segments(segments: Segments, rows: list[int], names: tuple[str, ...]) -> Any:
    place = {row: i for i, row in enumerate(rows)}
    return tuple(ranges(sorted({place[row] for row in segments.groups[n]})) for n in names)


def _measures(segments: Segments) -> Iterator[str]:
    for id_, element in segments.measures.items():
        group = element.getparent()
        name = "" if group is None else group.get("id", "")
        yield f"{id_} of {name} = {measure_text(element)}"


def _group_sections(segments: Segments, tree: SectionTree, names: tuple[str, ...]) -> Any:
    section_of = {row: i for i, run in enumerate(tree.runs) for row in run}
    return tuple(ranges(sorted({section_of[row] for row in segments.groups[n]})) for n in names)


def ranges(numbers: list[int]) -> str:
    """Sorted whole numbers in short: ``0-3,5``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def _with_electrics(
    section: Section, run: list[int], areas: np.ndarray, biophysics: Biophysics
) -> Section:
    cm, cm_varies = _over_section([biophysics.cm[row] for row in run], areas)
    ra, ra_varies = _over_section([biophysics.ra[row] for row in run], areas)
    return replace(
        section,
        cm_uF_per_cm2=cm,
        ra_ohm_cm=ra,
        segment_cm_uF_per_cm2=cm_varies,
        segment_ra_ohm_cm=ra_varies,
    )


def _over_section(
    values: list[Decimal | None], areas: np.ndarray
) -> tuple[float | None, tuple[float, ...] | None]:
    """Area-weighted mean, and the values where they vary; NaN where a segment has none."""
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    known = ~np.isnan(numbers)
    if not known.any():
        return None, None
    if known.all() and len(set(numbers.tolist())) == 1:
        return float(numbers[0]), None
    weights = areas[known] if areas[known].sum() > 0 else None
    return float(np.average(numbers[known], weights=weights)), tuple(numbers.tolist())


def point_cell(part: Part, dynamics: Mechanism, reference: Reference, account: Account) -> Cell:
    """A cell without a morphology: its dynamics, and the channels of its populations."""
    carried = [Placement(-1, dynamics.uid, 0)]
    densities = []
    for inner in part.parts:
        id_ = inner.texts.get("ionChannel") or inner.texts.get("concentrationModel")
        if id_:
            kind = "channel" if "ionChannel" in inner.texts else "concentration"
            account.take(inner.element)
            densities.append((reference(kind, id_), inner))
    densities.sort(key=lambda pair: (pair[0], sorted(map(str, pair[1].numbers.items()))))
    for place, (uid, inner) in enumerate(densities, start=1):
        carried.append(_point_placement(uid, inner, place))
    return Cell(
        uid=shared_uid("Cell", ["point", part.tag, dynamics.uid]),
        cell_class=part.tag,
        is_point=True,
        placements=tuple(carried),
        v_init_mV=_in_mV(part, "v0"),
        v_threshold_mV=_in_mV(part, "thresh"),
    )


def _in_mV(part: Part, name: str) -> float | None:
    value, unit = part.numbers.get(name, (None, ""))
    return float(value) if value is not None and unit == "mV" else None


def _point_placement(uid: str, part: Part, place: int) -> Placement:
    return Placement(
        section=-1,
        mechanism_uid=uid,
        place=place,
        density_class=part.tag,
        erev_mV=part.number("erev"),
        n_channels=part.number("number"),
        gbar_S_per_cm2=part.number("condDensity"),
        ion=part.texts.get("ion"),
        c_init_mM=part.number("initialConcentration"),
        c_ext_mM=part.number("initialExtConcentration"),
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
