from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensor_equality import differences
from trained_models import TINY, circuit, training_model

from bnnkg.gnn import held_out, study
from bnnkg.gnn.questions import OBJECTIVES, Question, asks
from bnnkg.gnn.study import Study
from bnnkg.gnn.training import prepare, train


@pytest.fixture
def kept() -> Study:
    return prepare([training_model(circuit(24, planted=False))], TINY)


@pytest.fixture
def made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Study:
    monkeypatch.setattr(held_out, "ROWS_KEPT", 0)
    monkeypatch.setattr(study, "ROWS_KEPT", 0)
    return prepare([training_model(circuit(24, planted=False))], TINY, scratch=tmp_path)


def same(one: Question, other: Question) -> bool:
    asked = [
        (a.rows, b.rows, a.values, b.values)
        for a, b in zip(one.features, other.features, strict=True)
    ]
    a, b = one.connections, other.connections
    if a is not None and b is not None:
        asked.append((a.pairs, b.pairs, a.exists, b.exists))
    return (
        (a is None) == (b is None)
        and not differences(one.batch, other.batch)
        and all(torch.equal(w, x) and torch.equal(y, z) for w, x, y, z in asked)
    )


def test_questions_that_are_made_anew_are_those_that_are_kept(
    kept: Study, made_anew: Study
) -> None:
    for part, other in ((kept.validation, made_anew.validation), (kept.test, made_anew.test)):
        first, again = list(other), list(other)
        assert len(list(part)) == len(first) > 1
        assert all(same(*pair) for pair in zip(part, first, strict=True))
        assert all(same(*pair) for pair in zip(first, again, strict=True))
        assert first[0] is not again[0]


def test_what_is_asked_is_known_without_asking(kept: Study, made_anew: Study) -> None:
    for part in (kept.test, made_anew.test):
        for objective in OBJECTIVES:
            wanted = [asked for asked in part if asks(asked, objective)]
            assert part.asks(objective) == bool(wanted)
            found = list(part.about(objective))
            assert len(found) == len(wanted)
            assert all(same(*pair) for pair in zip(found, wanted, strict=True))
    assert kept.objectives == made_anew.objectives == ("edge", "feature")


def test_training_from_disk_is_training_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = training_model(circuit(24, planted=False))
    config = replace(TINY, epochs=2, seeds=1)
    one = train([model], config, folder=tmp_path / "memory")
    monkeypatch.setattr(held_out, "ROWS_KEPT", 0)
    monkeypatch.setattr(study, "ROWS_KEPT", 0)
    other = train([model], config, folder=tmp_path / "disk")
    assert (one.held_out, one.chance, one.history) == (other.held_out, other.chance, other.history)


@pytest.mark.parametrize(("n", "told"), [(20, False), (24, True)])
def test_it_is_told_that_a_population_is_no_class(n: int, told: bool) -> None:
    model = training_model(circuit(n, planted=False))
    one_name = replace(model, group_of=dict.fromkeys(model.group_of, 0))
    assert ("each is on its own" in prepare([one_name], TINY).split) == told
