from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from neuron_oracle import needs_neuron, neuron_shapes

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.neurolucida import read_neurolucida
from bnnkg.ingest.neuron.samples import cylinder_of_outline
from bnnkg.ingest.neuron.static_morphology import MorphologyReading, read_morphologies
from bnnkg.ingest.parsed import Cell
from bnnkg.ingest.sources import LocalTree


def _outline(a: float = 10, b: float = 6, n: int = 40) -> str:
    angles = [2 * math.pi * i / n for i in range(n)]
    points = "".join(f"  ({a * math.cos(t):.4f} {b * math.sin(t):.4f} 0 0.5)\n" for t in angles)
    return f'("CellBody"\n  (Color Red)\n  (CellBody)\n{points})\n'


DENDRITE = """
( (Color Yellow)
  (Dendrite)
  (14 0 0 2)   ; Root
  (20 0 0 2 S1)
  (30 0 0 1)
  (
    (40 10 0 1)
    <(41 11 0 .2)>
    (Dot (Color White) (Name "Marker 3") (40 10 0 1))
    (
      (50 20 0 1)
      High
    |
      (50 0 0 1)
      Low
    )
  |
    (40 -10 0 1)
    Normal
  )
)
"""
AXON = "((Axon) (0 -8 0 1) (0 -28 0 1) Incomplete)\n"


def _read(folder: Path, text: str) -> MorphologyReading:
    (folder / "a.asc").write_text(text)
    return read_morphologies(LocalTree(folder), ["a.asc"])


def _cell(folder: Path, text: str) -> Cell:
    reading = _read(folder, text)
    assert reading.reports["a.asc"].status == "loaded", reading.reports
    [cell] = reading.cells.values()
    return cell


def test_trees_by_hand(tmp_path: Path) -> None:
    reading = _read(tmp_path, f"; V3 text file\n{_outline()}{DENDRITE}{AXON}")
    [cell] = reading.cells.values()
    soma, *rest = cell.sections
    assert soma.kind == "soma"
    # trunk of 16 um; sqrt(200) to the second branch point and to the lower end; twice sqrt(200)
    root2 = math.sqrt(200)
    dendrites = sorted(s.length_um for s in rest if s.kind == "dendrite")
    assert dendrites == pytest.approx([root2, root2, root2, root2, 16])
    assert [s.length_um for s in rest if s.kind == "axon"] == [20]
    assert sum(s.parent == 0 for s in rest) == 2
    notes = reading.reports["a.asc"].notes
    assert "1 markers left out" in notes
    assert "1 spines left out" in notes


def test_parts_in_any_order_and_shape_of_text(tmp_path: Path) -> None:
    one = _cell(tmp_path, _outline() + DENDRITE + AXON).uid
    squeezed = " ".join(line.partition(";")[0] for line in DENDRITE.splitlines())
    assert _cell(tmp_path, AXON + squeezed.replace("Dendrite", "DENDRITE") + _outline()).uid == one


def test_colours_of_three_numbers_are_no_points(tmp_path: Path) -> None:
    text = _outline() + DENDRITE
    coloured = text.replace("(Color Yellow)", "(Color RGB (255, 255, 128))")
    assert _cell(tmp_path, coloured).uid == _cell(tmp_path, text).uid


def test_apical_and_unnamed_trees(tmp_path: Path) -> None:
    text = _outline() + "((Apical) (0 8 0 2) (0 20 0 2))\n((0 -9 0 1) (0 -19 0 1))\n"
    reading = _read(tmp_path, text)
    [definition] = reading.definitions
    assert definition.group_names == ("apical dendrite", "soma", "unknown")
    assert definition.kinds_from == "topology"
    assert [s.kind for s in reading.cells[definition.uid].sections].count("dendrite") == 2


def test_other_outlines_and_texts_are_left_out(tmp_path: Path) -> None:
    text = '("Layer (IV)" (Color Blue) (Closed) (0 0 0 1) (9 9 0 1) (9 0 0 1))\n'
    pictures = (
        '(ImageCoords Filename "C:\\pic (1).tif" Merge 1 (0 0))\n(Thumbnail (Cols 2) (00 1))\n'
    )
    reading = _read(tmp_path, pictures + text + _outline() + DENDRITE)
    [cell] = reading.cells.values()
    assert cell.uid == _cell(tmp_path, _outline() + DENDRITE).uid
    assert "1 other outlines left out" in reading.reports["a.asc"].notes


def test_trees_without_a_cell_body_are_not_joined(tmp_path: Path) -> None:
    reading = _read(tmp_path, DENDRITE + AXON)
    assert "2 trees are not joined: no cell body is drawn" in reading.reports["a.asc"].notes


def test_cylinder_of_an_ellipse() -> None:
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    offsets = np.column_stack([30 * np.sin(angles), 12 * np.cos(angles), 0 * angles])
    ring = offsets + np.array([5, 7, 9])
    start, end = cylinder_of_outline(ring)
    middle = [float(a + b) / 2 for a, b in zip(start[:3], end[:3], strict=True)]
    assert middle == pytest.approx([5, 7, 9], abs=0.5)
    length = math.dist(start[:3], end[:3])
    assert length == pytest.approx(60, rel=0.05)
    e = math.sqrt(1 - (12 / 30) ** 2)  # a prolate ellipsoid, a = 30, c = 12
    area = 2 * math.pi * 12**2 * (1 + 30 / (12 * e) * math.asin(e))
    assert math.pi * length * float(start[3]) == pytest.approx(area, rel=0.03)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("(\n(Dendrite) (1 2 3 4)\n", 1, "does not end"),
        ("\n)", 2, "did not begin"),
        ('("CellBody\n(1 2 3 4))', 1, "text does not end"),
        ("((Dendrite)\n(1 2 3 4) (1 2 3 -4))", 2, "no place"),
        ("((Dendrite)\n(1 2 1e99 4))", 2, "no place"),
        ("(" * 100_001, 1, "too deep"),
    ],
)
def test_errors_say_where(text: str, line: int, word: str) -> None:
    with pytest.raises(SourceError, match=word) as caught:
        read_neurolucida(text, "a.asc")
    assert caught.value.where == f"a.asc:{line}"


def test_nothing_drawn(tmp_path: Path) -> None:
    reading = _read(tmp_path, "(Description) ; no tree\n")
    assert reading.reports["a.asc"].status == "failed"
    reading = _read(tmp_path, "a table\n1 2 3\n")
    assert reading.reports["a.asc"].status == "skipped"


def test_deep_trees_need_no_recursion() -> None:
    n = 20_000
    text = (
        "((Dendrite)\n" + "".join(f"({i} 0 0 1)(" for i in range(n)) + "(0 1 0 1)" + ")" * (n + 1)
    )
    assert len(read_neurolucida(text, "a.asc").ids) == n + 1


@needs_neuron
def test_as_neuron_reads_it(tmp_path: Path) -> None:
    (tmp_path / "n.asc").write_text(_outline() + DENDRITE + AXON)
    [shape] = neuron_shapes(tmp_path / "n.asc")
    cell = _cell(tmp_path, _outline() + DENDRITE + AXON)
    assert len(cell.sections) == shape["sections"]
    assert sum(s.length_um for s in cell.sections) == pytest.approx(shape["length"], rel=1e-4)
    assert sum(s.area_um2 for s in cell.sections) == pytest.approx(shape["area"], rel=1e-3)
