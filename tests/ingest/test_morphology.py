# ruff: noqa: E501  (documents read better unbroken)
from __future__ import annotations

import math
from pathlib import Path

import neuroml
import pytest
from lxml import etree
from neuroml_texts import CELL, CHANNELS, checked_records, edges, read_text, rows

from bnnkg.ingest.cells import ranges
from bnnkg.ingest.morphology import kind_of_name
from bnnkg.ingest.parsed import Cell, ParsedModel


def _cell(parsed: ParsedModel) -> Cell:
    [cell] = parsed.cells
    return cell


def _morphology(*segments: str, groups: str = "") -> str:
    return f'<cell id="c"><morphology id="m">{"".join(segments)}{groups}</morphology></cell>'


def _segment(
    id_: int,
    distal: str,
    proximal: str = "",
    parent: int | None = None,
    along: str = "",
    name: str = "",
) -> str:
    def point(tag: str, text: str) -> str:
        x, y, z, d = text.split()
        return f'<{tag} x="{x}" y="{y}" z="{z}" diameter="{d}"/>'

    fraction = f' fractionAlong="{along}"' if along else ""
    inner = "" if parent is None else f'<parent segment="{parent}"{fraction}/>'
    inner += point("proximal", proximal) if proximal else ""
    return f'<segment id="{id_}" name="{name}">{inner}{point("distal", distal)}</segment>'


def test_sections_and_morphometrics_by_hand(tmp_path: Path) -> None:
    tables = checked_records(read_text(tmp_path, CHANNELS, CELL))
    [cell] = rows(tables, "Cell")
    assert (cell["n_segments"], cell["n_compartments"]) == (5, 4)
    assert (cell["n_branch_points"], cell["n_tips"]) == (1, 2)
    [defines] = [e for e in edges(tables, "DEFINES") if e["dst"] == cell["uid"]]
    assert defines["kinds_from"] == "groups"
    assert cell["length_um"] == pytest.approx(10 + 20 + 30 + 40 + 30)
    soma, trunk, *tips = rows(tables, "Compartment")
    assert (soma["kind"], soma["area_um2"]) == ("soma", pytest.approx(math.pi * 10 * 10))
    assert soma["volume_um3"] == pytest.approx(math.pi * 25 * 10)
    # The trunk is a cylinder, d = 2, L = 20, then a frustum from d = 2 to d = 1, L = 30.
    frustum = math.pi * 1.5 * math.sqrt(0.5**2 + 30**2)
    assert trunk["area_um2"] == pytest.approx(math.pi * 2 * 20 + frustum)
    assert trunk["volume_um3"] == pytest.approx(math.pi * 20 + math.pi * 30 * (1 + 0.5 + 0.25) / 3)
    assert trunk["diameter_um"] == pytest.approx((20 * 2 + 30 * 1.5) / 50)
    assert (trunk["path_distance_um"], trunk["branch_order"]) == (10 + 25, 0)
    assert {(t["path_distance_um"], t["branch_order"]) for t in tips} == {(80, 1), (75, 1)}
    assert cell["max_path_distance_um"] == 100
    children = edges(tables, "CHILD_OF")
    assert [e["fraction_along"] for e in children] == [1, 1, 1]
    [defines] = [e for e in edges(tables, "DEFINES") if e["id"] == "pyramid"]
    assert sorted(defines["segment_ids"]) == [0, 1, 2, 3, 4]  # type: ignore[call-overload]
    groups = dict(zip(defines["group_names"], defines["group_sections"], strict=True))  # type: ignore[call-overload]
    assert groups == {"soma_group": "0", "dendrite_group": "1-3", "tips": "2-3"}


def test_measures_agree_with_libneuroml(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, CHANNELS, CELL)
    own = neuroml.Cell.factory()
    own.build(etree.fromstring(f'<x xmlns="http://www.neuroml.org/schema/neuroml2">{CELL}</x>')[0])
    theirs = [own.get_segment(i) for i in range(5)]
    lengths = sum(own.get_segment_length(i) for i in range(5))
    areas = sum(own.get_segment_surface_area(i) for i in range(5))
    volumes = sum(own.get_segment_volume(i) for i in range(5))
    assert len(theirs) == 5
    sections = _cell(parsed).sections
    assert sum(s.length_um for s in sections) == pytest.approx(lengths)
    assert sum(s.area_um2 for s in sections) == pytest.approx(areas)
    assert sum(s.volume_um3 for s in sections) == pytest.approx(volumes)


def test_one_point_of_one_diameter_is_a_sphere(tmp_path: Path) -> None:
    [soma] = _cell(read_text(tmp_path, _morphology(_segment(7, "1 2 3 20", "1 2 3 20")))).sections
    assert (soma.length_um, soma.kind) == (0, "soma")
    assert soma.area_um2 == pytest.approx(math.pi * 400)
    assert soma.volume_um3 == pytest.approx(math.pi * 8000 / 6)
    assert soma.segment_points_um == (0, 0, 0, 20, 0, 0, 0, 20)


def test_parents_may_come_after_children_and_ids_be_any_numbers(tmp_path: Path) -> None:
    segments = [
        _segment(30, "0 0 30 1", parent=12), _segment(12, "0 0 20 1", parent=500),
        _segment(500, "0 0 10 10", "0 0 0 10"),
    ]  # fmt: skip
    soma, dendrite = _cell(read_text(tmp_path, _morphology(*segments))).sections
    assert (soma.n_segments, dendrite.n_segments, dendrite.length_um) == (1, 2, 20)
    assert dendrite.segment_parents == (0, 1)


def test_absent_proximal_is_the_parents_point(tmp_path: Path) -> None:
    segments = [
        _segment(0, "0 0 10 10", "0 0 0 10"), _segment(1, "0 0 30 1", "0 0 10 3", parent=0),
        _segment(2, "5 0 20 1", parent=1, along="0.5"),
    ]  # fmt: skip
    _, shaft, spine = _cell(read_text(tmp_path, _morphology(*segments))).sections
    assert spine.segment_points_um[:4] == (0, 0, 20, 2)
    assert spine.fraction_on_parent == 0.5
    assert spine.path_distance_um == 10 + 10 + 2.5
    assert shaft.length_um == 20


@pytest.mark.parametrize(
    ("names", "groups", "kinds", "source"),
    [
        (("a", "b", "c"), "", ["soma", "dendrite", "dendrite"], "topology"),
        (("Soma", "axon0", "dend[1]"), "", ["soma", "dendrite", "axon"], "names"),
        (("a", "b", "c"), '<segmentGroup id="x" neuroLexId="GO:0043025"><member segment="0"/></segmentGroup>'
         '<segmentGroup id="my_axons"><member segment="1"/></segmentGroup>'
         '<segmentGroup id="apical_dendrites"><member segment="2"/></segmentGroup>',
         ["soma", "dendrite", "axon"], "groups"),
        (("a", "axon_1", "c"), '<segmentGroup id="soma_group"><member segment="0"/></segmentGroup>',
         ["soma", "dendrite", "axon"], "topology"),
    ],
)  # fmt: skip
def test_kinds_and_what_told_them(
    names: tuple[str, ...], groups: str, kinds: list[str], source: str, tmp_path: Path
) -> None:
    segments = [
        _segment(0, "0 0 10 10", "0 0 0 10", name=names[0]),
        _segment(1, "0 0 30 1", parent=0, name=names[1]),
        _segment(2, "0 20 10 1", parent=0, name=names[2]),
    ]
    parsed = read_text(tmp_path, _morphology(*segments, groups=groups))
    assert [s.kind for s in _cell(parsed).sections] == kinds
    [definition] = parsed.definitions
    assert definition.kinds_from == source


def test_groups_by_path_subtree_and_inclusion(tmp_path: Path) -> None:
    groups = """<segmentGroup id="below"><subTree><from segment="2"/></subTree></segmentGroup>
      <segmentGroup id="trunk"><path><from segment="1"/><to segment="2"/></path></segmentGroup>
      <segmentGroup id="both"><include segmentGroup="below"/><include segmentGroup="trunk"/>
      </segmentGroup><segmentGroup id="bad"><member segment="99"/></segmentGroup></morphology>"""
    parsed = read_text(tmp_path, CHANNELS, CELL.replace("</morphology>", groups))
    [cell] = [d for d in parsed.definitions if d.label == "Cell"]
    found = dict(zip(cell.group_names or (), cell.group_sections or (), strict=True))
    assert (found["below"], found["trunk"], found["both"]) == ("1-3", "1", "1-3")
    assert parsed.report.status == "partial"
    assert "segment group 'bad'" in parsed.report.reason


def test_names_say_what_they_are() -> None:
    told = {n: kind_of_name(n) for n in ("apic[3]", "axonal", "SomaBase", "basal_dends", "group4")}
    assert told == {"apic[3]": "dendrite", "axonal": "axon", "SomaBase": "soma",
                    "basal_dends": "dendrite", "group4": None}  # fmt: skip


def test_ranges() -> None:
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"
    assert ranges([]) == ""
