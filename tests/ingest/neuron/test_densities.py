"""Densities over sections: means by area, what varies, and what a section carries; by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from written_captures import capture_of

from bnnkg.ingest.neuron.densities import carried_by, density_tables, over_sections
from bnnkg.ingest.neuron.forest import plant
from bnnkg.ingest.neuron.mods import ModReading
from bnnkg.ingest.neuron.resolved import Mechanisms


@pytest.mark.parametrize(
    ("values", "weights", "mean", "varies"),
    [
        ([1.0, 3], [1.0, 3], 2.5, True),  # (1*1 + 3*3) / 4
        ([1.0, 3], [0.0, 0], 2.0, True),  # no area: they count alike
        ([0.1, 0.1], [1.0, 3], 0.1, False),  # exactly, though sums round
        ([np.nan, 1], [1.0, 1], np.nan, False),
    ],
)
def test_a_mean_over_a_section(
    values: list[float], weights: list[float], mean: float, varies: bool
) -> None:
    rows = np.array([*values, 7.0])[:, None]
    means, vary = over_sections(rows, np.array([*weights, 1.0]), np.array([0, 2, 3]))
    np.testing.assert_array_equal(means[:, 0], [mean, 7.0])
    assert vary[:, 0].tolist() == [varies, False]


def test_what_sections_carry(tmp_path: Path) -> None:
    capture = capture_of(tmp_path)
    forest = plant(capture)
    mechanisms = Mechanisms(ModReading((), (), (), (), (), ()), "model")
    [table] = density_tables(capture, forest, mechanisms.resolve(capture.header), mechanisms)
    soma, dendrite = (carried_by(table, section) for section in (0, 1))
    assert soma is not None
    assert dendrite is not None
    assert (soma.placement.gbar_S_per_cm2, soma.placement.erev_mV) == (0.001, -70.0)
    assert soma.placement.segment_gbar_S_per_cm2 is None
    by_area = (0.002 * 282.7 + 0.003 * 188.5 + 0.004 * 94.2) / (282.7 + 188.5 + 94.2)
    assert dendrite.placement.gbar_S_per_cm2 == pytest.approx(by_area, rel=1e-12)
    assert dendrite.placement.segment_gbar_S_per_cm2 == (0.002, 0.003, 0.004)
    assert soma.uid == dendrite.uid
    assert soma.text != dendrite.text
    assert carried_by(table, 2) is None
