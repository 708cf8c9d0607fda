"""Trees of sections: what grows on what, which way round, and what each is; by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from written_captures import capture_of

from bnnkg.ingest.neuron.forest import KINDS, local_names, plant, roots


def test_roots_are_found_wherever_parents_stand() -> None:
    assert roots(np.array([-1, 0, 1, -1, 3])).tolist() == [0, 0, 0, 3, 3]
    assert roots(np.array([2, 0, -1])).tolist() == [2, 2, 2]  # each after its child


def test_names_without_their_owner() -> None:
    names = np.array(["Pyr[3].dend[2]", "soma", "Net[0].cells[4].axon"])
    assert local_names(names) == ["dend[2]", "soma", "axon"]


def test_a_section_that_joins_by_its_far_end_is_turned(tmp_path: Path) -> None:
    forest = plant(capture_of(tmp_path, section_child_end=np.array([0, 1], np.int32)))
    assert forest.flipped.tolist() == [False, True]
    assert forest.segment.tolist() == [0, 3, 2, 1]
    assert forest.segment_place.tolist() == [0, 2, 1, 0]
    assert [KINDS[kind] for kind in forest.kind] == ["soma", "dendrite"]
    assert forest.kinds_from == ("names",)


def test_a_root_is_never_turned(tmp_path: Path) -> None:
    capture = capture_of(
        tmp_path,
        section_parent_x=np.array([0.0, 0.25]),
        section_child_end=np.array([1, 0], np.int32),
    )
    forest = plant(capture)
    assert forest.flipped.tolist() == [False, False]
    assert forest.fraction.tolist() == [0.0, 0.25]


def test_topology_tells_what_no_name_does(tmp_path: Path) -> None:
    unnamed = capture_of(tmp_path, section_name=np.array(["Cell[0].a", "Cell[0].b"]))
    forest = plant(unnamed)
    assert [KINDS[kind] for kind in forest.kind] == ["soma", "dendrite"]
    assert forest.kinds_from == ("topology",)
    assert forest.local_parent.tolist() == [-1, 0]
