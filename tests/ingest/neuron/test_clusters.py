"""Which neurons are copies of one cell: moved ones are, thicker or other ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from written_captures import balls, capture_of

from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.clusters import Clusters, depths, find_clusters, has_points
from bnnkg.ingest.neuron.forest import plant


def _clusters(capture: Capture) -> Clusters:
    return find_clusters(capture, plant(capture), [])


def test_depths_count_ancestors() -> None:
    assert depths(np.array([-1, 0, 1, 1, -1])).tolist() == [0, 1, 2, 2, 0]
    assert depths(np.array([1, 2, -1])).tolist() == [2, 1, 0]  # parents after their children


def test_a_moved_copy_is_one_in_single_precision(tmp_path: Path) -> None:
    """A third is no number of single precision: far out it is another than at the origin."""
    places = [[5000.1, 0.3, 0], [0.1, 0.3, 0], [123456.1, 0, 7]]
    found = _clusters(balls(tmp_path, places, [20.0, 20, 20]))
    assert found.of_tree.tolist() == [0, 0, 0]
    assert found.model == (1,)  # the one that was moved least
    np.testing.assert_allclose(found.origin_um, places, rtol=1e-6)


def test_another_diameter_makes_another_cell(tmp_path: Path) -> None:
    found = _clusters(balls(tmp_path, [[0, 0, 0]] * 3, [20.0, 20, 20.5]))
    assert found.of_tree.tolist() == [0, 0, 1]
    assert found.model == (0, 2)


def test_two_points_make_a_drawing(tmp_path: Path) -> None:
    assert has_points(plant(capture_of(tmp_path))).tolist() == [True, False]
