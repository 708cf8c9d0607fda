"""Densities that vary over a cell, against the formula by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from neuroml_texts import CELL, CHANNELS, checked_records, edges, read_text, rows


def _cell(measure: str, density: str) -> str:
    group = '<segmentGroup id="tips"><member segment="3"/><member segment="4"/></segmentGroup>'
    assert group in CELL
    with_measure = CELL.replace(
        '<member segment="3"/><member segment="4"/></segmentGroup>\n    <segmentGroup id="tips">',
        f'<member segment="3"/><member segment="4"/>{measure}</segmentGroup>\n'
        '    <segmentGroup id="tips">',
    )
    assert with_measure != CELL
    return with_measure.replace("<spikeThresh", f"{density}<spikeThresh")


MEASURE = '<inhomogeneousParameter id="far" variable="p" metric="Path Length from root">{}'
END = "</inhomogeneousParameter>"
NERNST = """<channelDensityNonUniformNernst id="v" ionChannel="na" ion="na"><variableParameter
  parameter="condDensity" segmentGroup="dendrite_group"><inhomogeneousValue
  inhomogeneousParameter="far" value="{}"/></variableParameter></channelDensityNonUniformNernst>"""
GHK = """<channelDensityNonUniformGHK id="v" ionChannel="na" ion="na"><variableParameter
  parameter="permeability" segmentGroup="dendrite_group"><inhomogeneousValue
  inhomogeneousParameter="far" value="{}"/></variableParameter></channelDensityNonUniformGHK>"""


def _by_length(tmp_path: Path, measure: str, density: str) -> dict[float, dict[str, object]]:
    """Edges of the density by the length of their section."""
    tables = checked_records(read_text(tmp_path, CHANNELS, _cell(measure, density)))
    length = {c["uid"]: c["length_um"] for c in rows(tables, "Compartment")}
    return {
        float(length[e["src"]]): e  # type: ignore[arg-type]
        for e in edges(tables, "HAS_MECHANISM")
        if e["variable_parameter"]
    }


def test_a_formula_of_the_path_length(tmp_path: Path) -> None:
    # the soma is 10 um long; then 20 and 30 um (one section), then tips of 40 and 30 um
    found = _by_length(tmp_path, MEASURE.format("") + END, NERNST.format("5 * exp(-p / 100)"))
    assert sorted(found) == [30, 40, 50]
    at = {p: 5e-4 * math.exp(-p / 100) for p in (20, 45, 75, 80)}  # S/m2 to S/cm2
    assert found[30]["gbar_S_per_cm2"] == pytest.approx(at[75])
    assert found[40]["gbar_S_per_cm2"] == pytest.approx(at[80])
    assert found[50]["segment_gbar_S_per_cm2"] == pytest.approx([at[20], at[45]])
    # by area: a cylinder of 2 by 20 um, and a cone from 2 to 1 um, 30 um long
    cylinder = math.pi * 2 * 20
    cone = math.pi * (1 + 0.5) * math.hypot(30, 0.5)
    mean = (at[20] * cylinder + at[45] * cone) / (cylinder + cone)
    assert found[50]["gbar_S_per_cm2"] == pytest.approx(mean)


def test_a_measure_from_zero_to_one(tmp_path: Path) -> None:
    ends = '<proximal translationStart="0"/><distal normalizationEnd="1"/>'
    found = _by_length(tmp_path, MEASURE.format(ends) + END, NERNST.format("10 * p"))
    # the group begins 10 um from the root and ends 100 um from it
    assert found[40]["gbar_S_per_cm2"] == pytest.approx(1e-3 * (80 - 10) / 90)
    assert found[30]["gbar_S_per_cm2"] == pytest.approx(1e-3 * (75 - 10) / 90)


def test_a_permeability(tmp_path: Path) -> None:
    found = _by_length(tmp_path, MEASURE.format("") + END, GHK.format("1e-6 * H(p - 76)"))
    assert found[40]["permeability_cm_per_s"] == pytest.approx(1e-4)
    assert found[30]["permeability_cm_per_s"] == 0
    assert found[50]["varying_names"] == ["permeability_cm_per_s"]
    assert found[50]["segment_values"] == [0, 0]


def test_what_cannot_be_evaluated_is_told(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, CHANNELS, _cell(MEASURE.format("") + END, NERNST.format("5 * q")))
    [note] = parsed.report.files[0].notes
    assert note == ("channelDensityNonUniformNernst 'v' is not evaluated: nothing gives q a value")
    [edge] = [e for e in edges(checked_records(parsed), "DEFINES") if e["id"] == "pyramid"]
    assert edge["inhomogeneous_parameters"] == ["far of dendrite_group = p: Path Length from root"]
