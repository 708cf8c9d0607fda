"""The planted truth through the whole pipeline, on a real database of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from the_command import Command

from bnnkg.gnn.features import places
from bnnkg.progress import silent
from bnnkg.schema.computation import Kind
from bnnkg.settings import Settings
from bnnkg.workflows.planted import _N_NETWORKS, _own_database, _read, _rows, _trials

SCORES = {
    "attention", "attention_lift", "attention_head_weighted", "attention_rollout", "cls",
    "gradient_x_input", "gnn_explainer",
}  # fmt: skip


@pytest.mark.slow
def test_the_truth_finds_its_rows(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every candidate is a synapse of the tensors, and lies on the neuron that it concerns."""
    monkeypatch.setattr("bnnkg.workflows.planted.N_DOCUMENTS", 3)
    monkeypatch.setitem(_N_NETWORKS, "decoys", 2)
    with _own_database(settings) as own:
        tensors, known = _read("decoys", settings=own, progress=silent)
    trial = _trials(tensors, known, 0)[-1]
    assert len(trial.subjects) == len(known[2])
    assert int(trial.drivers.sum()) == 3 * len(known[2])
    assert len(trial.candidates) == len(trial.batch.x["synapse"])
    targets = trial.batch.up_index[1]
    receiver = dict(zip(trial.batch.up_synapse.tolist(), targets.tolist(), strict=True))
    expected = [row for row, one in zip(trial.subjects.tolist(), known[2], strict=True)
                for _ in one.candidates]  # fmt: skip
    assert [receiver[row] for row in trial.candidates.tolist()] == expected
    assert trial.batch.n_graphs == 2


@pytest.mark.slow
@pytest.mark.parametrize("task", ["compartment", "mechanism"])
def test_the_parts_of_a_neuron_find_their_rows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """Every candidate belongs to the neuron that it concerns, and drivers are told by a feature."""
    monkeypatch.setattr("bnnkg.workflows.planted.N_DOCUMENTS", 3)
    monkeypatch.setitem(_N_NETWORKS, task, 2)
    with _own_database(settings) as own:
        tensors, known = _read(task, settings=own, progress=silent)
    trial = _trials(tensors, known, 0)[-1]
    expected = [row for row, one in zip(trial.subjects.tolist(), known[2], strict=True)
                for _ in one.candidates]  # fmt: skip
    assert trial.batch.neuron_of[trial.candidates].tolist() == expected
    kind: Kind = "dendrite" if task == "compartment" else "mechanism"
    column = places(kind)["cm_uF_per_cm2" if task == "compartment" else "ion_ca"]
    values = trial.batch.x[kind][trial.candidates - trial.batch.first_row(kind), column]
    assert float(values[trial.drivers].min()) > float(values[~trial.drivers].max())


@pytest.mark.slow
def test_a_chosen_score_finds_the_drivers(bnnkg: Command, place: Path) -> None:
    before = set((place / "work").iterdir())
    done = bnnkg("benchmark", "planted", "--seeds", 1, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    chosen = {row["task"]: row for row in told["rows"] if row["chosen"]}
    assert set(chosen) == set(told["written"]) == {"direct", "decoys", "trans", "graph"}
    for row in chosen.values():
        assert row["control"] == "none"
        assert row["auroc"]["mean"] > 0.95
        assert row["auroc"]["n"] == 1
    for task in chosen:
        for control in ("none", "untrained", "shuffled"):
            own = [r for r in told["rows"] if (r["task"], r["control"]) == (task, control)]
            assert {row["score"] for row in own} == SCORES
    assert set((place / "work").iterdir()) == before


def test_one_row_is_chosen() -> None:
    from bnnkg.gnn.marking import Mark

    marks = [Mark(control, score, 0.7, 0.6, *((found, 0.5) if control == "none" else (None, None)),
                  0.9)
             for control in ("none", "untrained", "shuffled")
             for score, found in (("attention", 0.8), ("cls", 0.9))]  # fmt: skip
    rows = _rows("direct", marks)
    assert [(r["control"], r["score"]) for r in rows if r["chosen"]] == [("none", "cls")]
    assert rows[0]["auroc"] == {"mean": 0.7, "sd": 0.0, "n": 1}


def test_too_few_seeds_are_wrong_usage(bnnkg: Command) -> None:
    done: subprocess.CompletedProcess[str] = bnnkg("benchmark", "planted", "--seeds", 0)
    assert done.returncode == 2
