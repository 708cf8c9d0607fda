"""Cells of a run: measures of their sections, and content that no order of creation changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from written_captures import balls, capture_of

from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.forest import plant
from bnnkg.ingest.neuron.trees import Trees, read_trees


def _trees(capture: Capture) -> Trees:
    return read_trees(capture, plant(capture), [])


def test_sections_have_the_measures_of_the_run(tmp_path: Path) -> None:
    [tree] = _trees(capture_of(tmp_path)).models
    soma, dendrite = tree.cell.sections
    assert (soma.kind, soma.length_um, soma.diameter_um, soma.ra_ohm_cm) == ("soma", 20, 20, 35.4)
    assert (dendrite.kind, dendrite.parent, dendrite.fraction_on_parent) == ("dendrite", 0, 1.0)
    assert (dendrite.n_segments, dendrite.length_um, dendrite.diameter_um) == (3, 90, 2)
    assert dendrite.area_um2 == pytest.approx(282.7 + 188.5 + 94.2)
    assert dendrite.path_distance_um == 20 + 45  # of its middle, from the start of the soma
    assert dendrite.segment_parents == (0, 1, 2)
    assert dendrite.segment_fractions == (1.0, 1.0, 1.0)


def test_a_copy_that_was_moved_has_the_cell_of_its_model(tmp_path: Path) -> None:
    trees = _trees(balls(tmp_path, [[10, 40, 5], [300.0, 40, 5], [10, 40, 5]], [20.0, 20, 25]))
    assert trees.clusters.of_tree.tolist() == [0, 0, 1]
    [thin, thick] = trees.models
    assert thin.cell.uid != thick.cell.uid
    [section] = thin.cell.sections
    from_its_start = [0, 0, 0, 20, 20 / 3, 0, 0, 20]
    assert section.points_um == pytest.approx(from_its_start, rel=1e-5)


def test_another_resistance_is_another_cell(tmp_path: Path) -> None:
    [one] = _trees(capture_of(tmp_path / "one")).models
    [same] = _trees(capture_of(tmp_path / "same")).models
    [other] = _trees(capture_of(tmp_path / "other", section_Ra=np.array([35.4, 110.0]))).models
    assert one.cell.uid == same.cell.uid
    assert one.cell.uid != other.cell.uid
