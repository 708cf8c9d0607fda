from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron_oracle import needs_neuron, neuron_shapes

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.samples import segments_of
from bnnkg.ingest.neuron.static_morphology import MorphologyReading, read_morphologies
from bnnkg.ingest.neuron.swc import read_swc
from bnnkg.ingest.parsed import Cell
from bnnkg.ingest.sources import LocalTree

BALL = "1 1 0 0 0 5 -1\n"
Line = tuple[int, int, float, float, float, float, int]


def _read(folder: Path, text: str, name: str = "a.swc") -> MorphologyReading:
    (folder / name).write_text(text)
    return read_morphologies(LocalTree(folder), [name])


def _cell(folder: Path, text: str) -> Cell:
    reading = _read(folder, text)
    assert [report.status for report in reading.reports.values()] == ["loaded"], reading.reports
    [cell] = reading.cells.values()
    return cell


def _length(cell: Cell) -> float:
    return sum(section.length_um for section in cell.sections)


def _area(cell: Cell) -> float:
    return sum(section.area_um2 for section in cell.sections)


def _uid(lines: list[str]) -> str:
    from bnnkg.ingest.biophysics import Biophysics
    from bnnkg.ingest.cells import detailed_cell

    segments = segments_of(read_swc("\n".join(lines), "a.swc"))
    n = len(segments.ids)
    return detailed_cell("cell", segments, Biophysics([None] * n, [None] * n)).cell.uid


def test_ball_and_neurites_by_hand(tmp_path: Path) -> None:
    cell = _cell(
        tmp_path, BALL + "2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n4 2 0 -9 0 .5 1\n5 2 0 -29 0 .5 4\n"
    )
    soma, dendrite, axon = cell.sections
    assert [s.kind for s in cell.sections] == ["soma", "dendrite", "axon"]
    assert soma.area_um2 == pytest.approx(4 * math.pi * 25)
    assert (soma.length_um, soma.diameter_um) == (0, 10)
    # The gap of 8 um from the centre of the soma is no membrane: the dendrite is 10 um long.
    assert (dendrite.length_um, dendrite.area_um2) == (10, pytest.approx(math.pi * 2 * 10))
    assert (axon.length_um, axon.area_um2) == (20, pytest.approx(math.pi * 20))
    assert dendrite.parent == axon.parent == 0
    assert dendrite.fraction_on_parent == 0.5


def test_neurite_of_one_sample_starts_in_the_soma(tmp_path: Path) -> None:
    cell = _cell(tmp_path, BALL + "2 3 8 0 0 1 1\n")
    assert cell.sections[1].length_um == 8
    assert cell.sections[1].area_um2 == pytest.approx(math.pi * 2 * 8)


def test_three_sample_soma_is_a_ball(tmp_path: Path) -> None:
    rest = "4 3 8 0 0 1 1\n5 3 18 0 0 1 4\n"
    three = "1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n" + rest
    assert _cell(tmp_path, three).uid == _cell(tmp_path, BALL + rest).uid


def test_soma_of_several_samples(tmp_path: Path) -> None:
    text = "1 1 0 0 0 5 -1\n2 1 10 0 0 5 1\n3 1 20 0 0 4 2\n4 3 22 0 0 1 3\n5 3 30 0 0 1 4\n"
    soma, dendrite = _cell(tmp_path, text).sections
    assert soma.length_um == 20
    # It leaves the end of the soma, whose last sample is its first point, of its own diameter.
    assert (dendrite.length_um, dendrite.area_um2) == (10, pytest.approx(math.pi * 2 * 10))


def test_soma_drawn_as_its_outline(tmp_path: Path) -> None:
    ring = [(10 * math.cos(a), 6 * math.sin(a)) for a in (i * math.pi / 20 for i in range(40))]
    lines = [f"{i + 1} 1 {x} {y} 0 .25 {i or -1}" for i, (x, y) in enumerate(ring)]
    reading = _read(tmp_path, "\n".join([*lines, "41 3 14 0 0 1 1", "42 3 34 0 0 1 41"]))
    [cell] = reading.cells.values()
    soma, dendrite = cell.sections
    # An ellipsoid with half axes 10, 6 and 6: 2 pi 36 (1 + 10/6 asin(.8)/.8) um2.
    assert soma.area_um2 == pytest.approx(663.2, rel=0.04)
    assert soma.length_um == pytest.approx(20, rel=0.05)
    assert dendrite.length_um == 20
    assert "outline" in reading.reports["a.swc"].notes[0]


def test_branches_and_changes_of_kind_cut_sections(tmp_path: Path) -> None:
    text = BALL + (
        "2 3 6 0 0 1 1\n3 3 10 0 0 1 2\n4 3 20 0 0 1 3\n5 3 20 9 0 1 3\n6 2 30 0 0 1 4\n"
        "7 4 30 9 0 1 5\n"
    )
    sections = _cell(tmp_path, text).sections
    # soma; trunk; one branch that goes on as an apical dendrite; another that ends in an axon.
    assert sorted(s.kind for s in sections) == ["axon", "dendrite", "dendrite", "dendrite", "soma"]
    assert sorted(s.n_segments for s in sections) == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "# made by hand\n1\t1\t0\t0\t0\t5\t-1\n2\t3\t8\t0\t0\t1\t1\n3\t3\t18\t0\t0\t1\t2\n",
        "1,1,0,0,0,5,-1\n2, 3, 8, 0, 0, 1, 1\n3,3,18,0,0,1,2\n",
        "id type x y z r parent\n1 1 0 0 0 5 -1\n2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n",
        "\n  7 1 0.0 0e0 0 5.000 -1 # soma\n\n 3 3 +18 0 0 1 40\n40 3 8 0 0 1 7 extra 9\n",
        "0 1 0 0 0 5 -1\n1 3 8 0 0 1 0\n2 3 18 0 0 1 1\n",
        "1.0 1.0 0 0 0 5 -1.0\n2e0 3 8 0 0 1 1\n3 3 18 0 0 1 2\n\x1a\n",
        "5 1 0 0 0 5 0\n6 3 8 0 0 1 5\n7 3 18 0 0 1 6\n",
        "1 1 100 200 -7 5 -1\n2 3 108 200 -7 1 1\n3 3 118 200 -7 1 2\n",
    ],
    ids=["tabs", "commas", "heading", "any order", "from 0", "reals", "parent 0", "moved"],
)
def test_dialects_are_one_cell(tmp_path: Path, text: str) -> None:
    plain = BALL + "2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n"
    assert _cell(tmp_path, text).uid == _cell(tmp_path, plain).uid


def test_old_line_ends_and_encodings(tmp_path: Path) -> None:
    text = BALL + "2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n"
    (tmp_path / "a.swc").write_bytes(b"# \xb5m\r" + text.replace("\n", "\r").encode())
    (tmp_path / "b.SWC").write_bytes(text.encode("utf-16"))
    reading = read_morphologies(LocalTree(tmp_path), ["a.swc", "b.SWC"])
    assert len(reading.cells) == 1
    assert [d.path for d in reading.definitions] == ["a.swc/a", "b.SWC/b"]
    assert reading.definitions[0].annotations.notes == "µm"


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (BALL + "2 3 nan 0 0 1 1\n", 2, "place"),
        (BALL + "2 3 8 0 0 NaN 1\n", 2, "place"),
        (BALL + "2 3 8 0 0 -1 1\n", 2, "radius"),
        (BALL + "2 3 8 0 0 1\n", 2, "6 columns"),
        (BALL + "2 3 a 0 0 1 1\n", 2, "no number"),
        (BALL + "2 3 8 0 0 1 9\n", 2, "unknown parent"),
        (BALL + "1 3 8 0 0 1 1\n", 1, "one id"),
        (BALL + "2 3 8 0 0 1 3\n3 3 9 0 0 1 2\n", 2, "own ancestors"),
        (BALL + "2 3 8 0 0 1 2\n", 2, "own ancestors"),
        (BALL + "2.5 3 8 0 0 1 1\n", 2, "whole number"),
        (BALL + "2 3 1e99 0 0 1 1\n", 2, "place"),
    ],
)
def test_errors_say_where(text: str, line: int, word: str) -> None:
    with pytest.raises(SourceError, match=word) as caught:
        read_swc(text, "folder/a.swc")
    assert caught.value.where == f"folder/a.swc:{line}"


def test_broken_file_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "bad.swc").write_text("1 1 0 0 0 5 -1\n2 3 x\n")
    (tmp_path / "good.swc").write_text(BALL)
    (tmp_path / "empty.swc").write_text("# nothing\n")
    reading = read_morphologies(LocalTree(tmp_path), ["bad.swc", "empty.swc", "good.swc", "a.txt"])
    statuses = {path: report.status for path, report in reading.reports.items()}
    assert statuses == {"bad.swc": "failed", "empty.swc": "failed", "good.swc": "loaded"}
    assert "bad.swc:2" in reading.reports["bad.swc"].reason


def test_several_trees_are_told(tmp_path: Path) -> None:
    reading = _read(tmp_path, BALL + "2 3 50 0 0 1 -1\n3 3 60 0 0 1 2\n")
    [cell] = reading.cells.values()
    assert [section.parent for section in cell.sections] == [-1, -1]
    assert reading.reports["a.swc"].notes == ["2 samples have no parent: its trees are not joined"]


def test_definition_leads_back_to_the_file(tmp_path: Path) -> None:
    text = "# by a@b.org\n" + "9 1 1 2 3 5 -1\n4 3 9 2 3 1 9\n7 4 19 2 3 1 4\n8 2 1 9 3 1 9\n"
    [definition] = _read(tmp_path, text).definitions
    assert (definition.id, definition.kinds_from, definition.offset_um) == (
        "a",
        "groups",
        (1, 2, 3),
    )
    assert definition.annotations.notes == "by (address removed)"
    assert definition.segment_ids == (9, 4, 7, 8)
    assert definition.group_names == ("apical dendrite", "axon", "dendrite", "soma")
    assert definition.group_sections == ("1", "2", "1", "0")


def test_unknown_types_take_their_kind_from_what_they_grow_from(tmp_path: Path) -> None:
    reading = _read(
        tmp_path, BALL + "2 2 8 0 0 1 1\n3 2 9 0 0 1 2\n4 6 20 0 0 1 3\n5 7 0 9 0 1 1\n"
    )
    assert reading.definitions[0].kinds_from == "topology"
    [cell] = reading.cells.values()
    assert sorted(s.kind for s in cell.sections) == ["axon", "dendrite", "soma"]


def test_samples_given_twice_add_nothing(tmp_path: Path) -> None:
    once = BALL + "2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n4 3 28 0 0 1 3\n"
    twice = BALL + "2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n5 3 18 0 0 1 3\n4 3 28 0 0 1 5\n"
    assert _cell(tmp_path, twice).uid == _cell(tmp_path, once).uid


def test_long_chains_and_stars_are_linear(tmp_path: Path) -> None:
    n = 20_000  # deeper than any recursion, and far too many for anything quadratic
    chain = BALL + "".join(f"{i} 1 {i} 0 0 1 {i - 1}\n" for i in range(2, n))
    star = "1 1 0 0 0 5 -1\n2 1 9 0 0 5 1\n" + "".join(f"{i} 3 {i} 0 0 1 2\n" for i in range(3, n))
    assert len(segments_of(read_swc(chain, "a")).ids) == n - 2
    assert len(segments_of(read_swc(star, "a")).ids) == n - 2


@st.composite
def trees(draw: st.DrawFn) -> list[Line]:
    """Samples with a one-sample soma; every sample has a place of its own."""
    n = draw(st.integers(2, 25))
    lines: list[Line] = [(1, 1, 0.0, 0.0, 0.0, 6.0, -1)]
    for i in range(2, n + 1):
        parent = draw(st.integers(1, i - 1))
        kind = draw(st.sampled_from([2, 3, 4]))
        x, y = draw(st.integers(-500, 500)), draw(st.integers(-500, 500))
        radius = draw(st.integers(1, 40)) / 8
        lines.append((i, kind, x / 4, y / 4, float(7 * i), radius, parent))
    return lines


@settings(max_examples=60, deadline=None)
@given(trees(), st.randoms(use_true_random=False))
def test_order_ids_and_space_do_not_count(lines: list[Line], chance: random.Random) -> None:
    new_ids = chance.sample(range(1000), len(lines))
    renamed = {old[0]: new for old, new in zip(lines, new_ids, strict=True)} | {-1: -1}
    other = [(renamed[i], t, x, y, z, r, renamed[p]) for i, t, x, y, z, r, p in lines]
    chance.shuffle(other)
    gap = chance.choice([" ", "\t", ", ", "   "])
    assert _uid([gap.join(map(str, line)) for line in other]) == _uid(
        [" ".join(map(str, line)) for line in lines]
    )


@settings(max_examples=60, deadline=None)
@given(trees())
def test_length_is_the_sum_over_samples(lines: list[Line]) -> None:
    by_id = {line[0]: line for line in lines}
    goes_on = {(line[6], line[1]) for line in lines}
    expected = 0.0
    for i, kind, *xyz, _radius, parent in lines[1:]:
        if parent == 1 and (i, kind) in goes_on:
            continue  # the way from the centre of the soma to a neurite that goes on
        expected += math.dist(xyz, by_id[parent][2:5])
    segments = segments_of(read_swc("\n".join(" ".join(map(str, line)) for line in lines), "a"))
    ends = zip(segments.proximal, segments.distal, strict=True)
    assert sum(math.dist(p[:3], d[:3]) for p, d in ends) == pytest.approx(expected)


def _rows(*samples: str) -> str:
    return "".join(f"{sample}\n" for sample in samples)


@needs_neuron
def test_as_neuron_reads_it(tmp_path: Path) -> None:
    texts = {
        "ball": BALL
        + _rows(
            "2 3 8 0 0 1 1", "3 3 18 0 0 1 2", "4 3 20 9 0 1 3", "5 3 20 -9 0 1 3", "6 2 0 7 0 1 1"
        ),
        "chain": _rows(
            "1 1 0 0 0 5 -1", "2 1 10 0 0 6 1", "3 1 20 0 0 4 2", "4 3 22 0 0 1 3", "5 3 30 5 0 2 4"
        ),
        "three": _rows(
            "1 1 0 0 0 5 -1", "2 1 0 -5 0 5 1", "3 1 0 5 0 5 1", "4 4 9 0 0 2 1", "5 4 30 0 0 1 4"
        ),
        "kinds": BALL
        + _rows(
            "2 3 8 0 0 1 1",
            "3 3 18 0 0 1 2",
            "4 4 20 9 0 2 3",
            "5 4 20 29 0 3 4",
            "6 7 0 7 0 1 1",
            "7 7 0 9 0 1 6",
        ),
        "middle": _rows(
            "1 1 0 0 0 5 -1",
            "2 1 10 0 0 6 1",
            "3 1 20 0 0 4 2",
            "4 3 10 20 0 1 2",
            "5 3 10 40 0 2 4",
        ),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.swc").write_text(text)
    found = neuron_shapes(*(tmp_path / f"{name}.swc" for name in texts))
    for (name, text), shape in zip(texts.items(), found, strict=True):
        cell = _cell(tmp_path, text)
        # NEURON makes a cylinder of a ball: its area is the ball's, its length the diameter.
        ball = 10 if name in ("ball", "three", "kinds") else 0
        assert _length(cell) + ball == pytest.approx(shape["length"], rel=1e-6), name
        assert _area(cell) == pytest.approx(shape["area"], rel=1e-5), name
