"""Measures of cells against NeuroM on the same cells, and by hand where it has none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import neurom
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neurom.core.types import NeuriteType
from neuroml_texts import CELL, CHANNELS, checked_records, read_folder, read_text, rows

from bnnkg.ingest.morphometrics import asymmetries, tip_counts
from bnnkg.schema import GraphTables

TYPES = {2: NeuriteType.axon, 3: NeuriteType.basal_dendrite}
KINDS = {2: "axon", 3: "dendrite"}
SOMA_RADIUS = 6.0


@dataclass(frozen=True)
class Sample:
    """A line of an SWC file."""

    id: int
    type: int
    x: float
    y: float
    z: float
    radius: float
    parent: int

    def line(self) -> str:
        return f"{self.id} {self.type} {self.x} {self.y} {self.z} {self.radius} {self.parent}"

    def point(self, tag: str) -> str:
        return f'<{tag} x="{self.x}" y="{self.y}" z="{self.z}" diameter="{2 * self.radius}"/>'


@st.composite
def trees(draw: st.DrawFn) -> list[Sample]:
    """A ball with neurites that fork in two or three, every section of two points or more."""
    samples = [Sample(1, 1, 0.0, 0.0, 0.0, SOMA_RADIUS, -1)]
    step = st.tuples(*[st.integers(-20, 20)] * 3).filter(any)
    width = st.sampled_from([0.25, 0.5, 1.0, 1.5])

    def grow(parent: Sample, type_: int, depth: int) -> None:
        for _ in range(draw(st.integers(1, 3))):
            x, y, z = draw(step)
            parent = Sample(
                len(samples) + 1, type_, parent.x + x / 4, parent.y + y / 4, parent.z + z / 4,
                draw(width), parent.id,
            )  # fmt: skip
            samples.append(parent)
        if depth and draw(st.booleans()):
            for _ in range(draw(st.integers(2, 3))):
                grow(parent, type_, depth - 1)

    for type_ in draw(st.lists(st.sampled_from([2, 3]), min_size=1, max_size=3)):
        first = Sample(len(samples) + 1, type_, SOMA_RADIUS, 0.0, 0.0, draw(width), 1)
        samples.append(first)
        grow(first, type_, 3)
    return samples


def _swc(samples: list[Sample]) -> str:
    return "\n".join(sample.line() for sample in samples) + "\n"


def _neuroml(samples: list[Sample]) -> str:
    """The same cell: a segment per pair of samples, the soma a sphere."""
    by_id = {sample.id: sample for sample in samples}
    soma = f"<segment id='1'>{samples[0].point('proximal')}{samples[0].point('distal')}</segment>"
    segments = [soma]
    groups: dict[int, list[int]] = {1: [1], 2: [], 3: []}
    for sample in samples[1:]:
        parent = by_id[sample.parent]
        if parent.parent < 0:
            continue  # the first of a neurite only says where it begins
        starts = parent.parent == 1
        on = 1 if starts else parent.id
        proximal = parent.point("proximal") if starts else ""
        segments.append(
            f"<segment id='{sample.id}'><parent segment='{on}'/>{proximal}"
            f"{sample.point('distal')}</segment>"
        )
        groups[sample.type].append(sample.id)
    for type_, name in ((1, "soma_group"), (2, "axon_group"), (3, "dendrite_group")):
        members = "".join(f"<member segment='{id_}'/>" for id_ in groups[type_])
        segments.append(f"<segmentGroup id='{name}'>{members}</segmentGroup>")
    return f"<cell id='c'><morphology id='m'>{''.join(segments)}</morphology></cell>"


def _of_neurom(path: Path, type_: int) -> dict[str, Any]:
    """What NeuroM says of the neurites of a type, by the names of ours."""
    cell, kind = neurom.load_morphology(str(path)), KINDS[type_]
    chosen = [neurite for neurite in cell.neurites if neurite.type == TYPES[type_]]
    if not chosen:
        return {}

    def each(feature: str, **options: Any) -> list[float]:
        return [v for n in chosen for v in np.atleast_1d(neurom.get(feature, n, **options))]

    binary = all(_is_binary(neurite) for neurite in chosen)
    forks = each("partition_asymmetry", method="uylings") if binary else []
    origin = [0.0, 0.0, 0.0]
    return {
        f"{kind}_length_um": sum(each("total_length")),
        f"{kind}_area_um2": sum(each("total_area")),
        f"{kind}_volume_um3": sum(each("total_volume")),
        f"n_{kind}_stems": len(chosen),
        f"n_{kind}_tips": sum(each("number_of_leaves")),
        f"{kind}_max_path_distance_um": max(each("section_path_distances")),
        f"{kind}_max_euclidean_distance_um": max(each("section_radial_distances", origin=origin)),
        f"{kind}_max_branch_order": max(each("section_branch_orders")),
        f"{kind}_tortuosity": _mean_of_finite(each("section_tortuosity")),
        f"{kind}_asymmetry": _mean_of_finite(forks),
    }


def _mean_of_finite(values: list[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else None


def _is_binary(neurite: Any) -> bool:
    return all(len(s.children) in (0, 2) for s in neurite.root_node.ipreorder())


def _measured(tables: GraphTables) -> dict[str, Any]:
    [cell] = rows(tables, "Cell")
    return cell


@settings(max_examples=30, deadline=None)
@given(trees())
def test_measures_are_those_of_neurom(samples: list[Sample]) -> None:
    with TemporaryDirectory() as name, np.errstate(divide="ignore", invalid="ignore"):
        folder = Path(name)
        (folder / "c.swc").write_text(_swc(samples))
        text = f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="d">{_neuroml(samples)}'
        written = checked_records(read_folder(folder / "nml", {"c.nml": f"{text}</neuroml>"}))
        drawn = checked_records(read_folder(folder / "swc", {"c.swc": _swc(samples)}))
        for type_ in (2, 3):
            for name_, theirs in _of_neurom(folder / "c.swc", type_).items():
                if theirs is None:
                    continue  # NeuroM has none: a fork in three, or no fork
                for tables in (written, drawn):
                    assert _measured(tables)[name_] == pytest.approx(theirs, rel=1e-6), name_


def test_sections_by_hand(tmp_path: Path) -> None:
    tables = checked_records(read_text(tmp_path, CHANNELS, CELL))
    soma, trunk, *tips = rows(tables, "Compartment")
    assert [s["branch_order"] for s in (soma, trunk, *tips)] == [0, 0, 1, 1]
    # The tips end at (-40, 60, 0) and (30, 60, 0); the soma begins at the origin.
    assert {t["euclidean_distance_um"] for t in tips} == {math.hypot(40, 60), math.hypot(30, 60)}
    assert [s["tortuosity"] for s in (soma, trunk, *tips)] == [1, 1, 1, 1]
    assert (soma["asymmetry"], trunk["asymmetry"]) == (None, 0)
    cell = _measured(tables)
    assert (cell["dendrite_length_um"], cell["soma_length_um"]) == (120, 10)
    assert (cell["n_dendrite_stems"], cell["n_dendrite_tips"]) == (1, 2)
    assert "axon_length_um" not in cell


def test_a_bent_section_is_longer_than_its_chord(tmp_path: Path) -> None:
    bent = """<cell id="c"><morphology id="m">
      <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="2"/>
        <distal x="0" y="0" z="0" diameter="2"/></segment>
      <segment id="1" name="dend"><parent segment="0"/><distal x="3" y="0" z="0" diameter="1"/>
        </segment>
      <segment id="2" name="dend"><parent segment="1"/><distal x="3" y="4" z="0" diameter="1"/>
        </segment></morphology></cell>"""
    soma, dendrite = rows(checked_records(read_text(tmp_path, bent)), "Compartment")
    assert soma["tortuosity"] is None  # a sphere begins and ends at one point
    assert dendrite["tortuosity"] == pytest.approx(7 / 5)


def test_asymmetry_by_hand() -> None:
    # A root that forks into a tip and a section that forks into a tip and one that forks in two.
    parent = np.array([-1, 0, 0, 2, 2, 4, 4])
    assert tip_counts(parent).tolist() == [4, 1, 3, 1, 2, 1, 1]
    found = asymmetries(parent)
    # (3 - 1) / (4 - 2), (2 - 1) / (3 - 2), and 0 for two tips.
    assert [found[0], found[2], found[4]] == [1, 1, 0]
    assert np.isnan(found[[1, 3, 5, 6]]).all()
