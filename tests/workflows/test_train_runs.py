"""Training by the workflow: what it prints, what it keeps, that it goes on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import neo4j
import pytest
import torch
from the_command import COMMAND, Command
from whole_graph import dump, wipe
from written_models import IZHIKEVICH, LEAK, cell, channel, circuit, document, folder

from bnnkg.catalogue import Catalogue
from bnnkg.errors import TrainingError, UnknownModelError, UnknownRunError
from bnnkg.settings import Settings
from bnnkg.workflows.annotation import annotate
from bnnkg.workflows.ingestion import ingest
from bnnkg.workflows.listing import list_runs, show_run
from bnnkg.workflows.training import TrainRequest, train

pytest.importorskip("torch")
PROMISED = {"run", "split", "held_out", "chance", "gate", "agreement", "seconds"}


@pytest.fixture(scope="module")
def circuits(
    emptied: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, ...]:
    """Two families: circuits of one rule whose cells and channels differ."""
    path = tmp_path_factory.mktemp("circuits")
    made = {"one": circuit(20), "two": circuit(20, rate=2.5, dendrite_um=50, seed=4)}
    sources = [str(folder(path / name, net=one.text)) for name, one in made.items()]
    assert ingest(sources, settings=settings).exit_code == 0
    return tuple(made)


@pytest.fixture(scope="module")
def trained(circuits: tuple[str, ...], settings: Settings) -> dict[str, Any]:
    """The rule is easy, so that few epochs find it."""
    return train(TrainRequest(models=circuits, epochs=8, seeds=2), settings=settings)


def test_a_rule_is_found_and_told_as_promised(trained: dict[str, Any]) -> None:
    assert set(trained) >= PROMISED
    gate = trained["gate"]
    assert set(gate) == {"metric", "value", "chance", "passed"}
    assert (gate["metric"], gate["passed"]) == ("edge_auroc", True)
    assert gate["value"] == trained["held_out"]["edge_auroc"] > gate["chance"]
    assert gate["chance"] == trained["chance"]["edge_auroc"] > 0.5
    assert set(trained["held_out"]) == set(trained["chance"]) == set(trained["held_out_sd"])
    assert -1 <= trained["agreement"] <= 1
    assert "2 families are too few" in trained["split"]
    assert "within models" in trained["split"]
    assert trained["seconds"] > 0
    assert {"mlp_with_training_degrees", "mean_aggregation", "degree_alone", "nearest_twin"} == set(
        trained["baselines"]
    )
    # Sides are all that matters here, and degrees do not tell them.
    assert trained["baselines"]["degree_alone"]["edge_auroc"] < gate["value"]
    assert [1 <= len(curve) <= 8 for curve in trained["curves"]] == [True, True]
    assert not [name for name in trained["saw"] if "weight" in name or "contacts" in name]


def test_the_run_is_in_the_catalogue(trained: dict[str, Any], settings: Settings) -> None:
    with Catalogue.open(settings.catalogue_url) as catalogue:
        run = catalogue.run(trained["run"])
    assert run.status == "done"
    assert (run.seed, run.seeds, run.split) == (0, 2, trained["split"])
    assert run.metrics["gate"] == trained["gate"]
    assert run.config["epochs"] == 8
    assert {model["key"] for model in run.models} == {"one", "two"}
    (artefact,) = run.artefacts
    assert (settings.runs_folder / artefact.path).is_file()
    listed = list_runs(settings)
    row = listed["run"].index(trained["run"])
    assert listed["passed"][row] is True
    assert listed["value"][row] == trained["gate"]["value"]
    assert show_run(trained["run"], settings)["metrics"]["agreement"] == trained["agreement"]


def test_training_leaves_the_graph_as_it_is(
    circuits: tuple[str, ...], settings: Settings, driver: neo4j.Driver
) -> None:
    before = dump(driver)
    train(TrainRequest(models=circuits[:1], epochs=1, seeds=1), settings=settings)
    assert dump(driver) == before


def _checkpoint(run: str, settings: Settings) -> dict[str, Any]:
    path = settings.runs_folder / run / "checkpoint.pt"
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(
    circuits: tuple[str, ...], settings: Settings, bnnkg: Command, place: Path
) -> None:
    """SIGKILL of the command once it has left a checkpoint, which is before its end."""
    request = TrainRequest(models=circuits[:1], epochs=8, seeds=2, seed=3)
    whole = train(request, settings=settings)
    known = set(list_runs(settings)["run"])
    line = ["train", "--models", "one", "--epochs", "8", "--seeds", "2", "--seed", "3", "--quiet"]
    process = subprocess.Popen(
        [COMMAND, *line, "--db", settings.db],
        env=dict(_environment(settings)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        run = _wait_for_checkpoint(process, known, settings)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL, "it must not have ended by itself"
    assert show_run(run, settings)["status"] != "done"
    with pytest.raises(TrainingError, match=f"not finished(?s:.*)bnnkg train --resume {run}"):
        annotate(run, settings=settings)
    resumed = bnnkg("train", "--resume", run, "--json")
    assert resumed.returncode == 0, resumed.stderr
    answer = json.loads(resumed.stdout)
    assert set(answer) >= PROMISED
    assert answer["run"] == run
    assert answer["held_out"] == whole["held_out"]
    assert answer["curves"] == whole["curves"]
    assert _same(_checkpoint(run, settings), _checkpoint(whole["run"], settings))
    assert show_run(run, settings)["status"] == "done"


def _environment(settings: Settings) -> dict[str, str]:
    import os

    return dict(os.environ) | {"BNNKG_CATALOGUE": str(settings.catalogue)}


def _wait_for_checkpoint(
    process: subprocess.Popen[bytes], known: set[str], settings: Settings
) -> str:
    while process.poll() is None:
        new = set(list_runs(settings)["run"]) - known
        if new and (settings.runs_folder / next(iter(new)) / "checkpoint.pt").exists():
            return str(new.pop())
        time.sleep(0.02)
    raise AssertionError(f"it ended by itself: {process.communicate()[0]!r}")


def test_many_families_are_held_out_whole(
    settings: Settings, circuits: tuple[str, ...], tmp_path: Path
) -> None:
    """Seven cells alone, each with channels of its own: no connection, so masked features only."""
    sources = []
    for i in range(7):
        parts = [LEAK, channel("na", rate=3.0 + i), cell("lone", dendrite_um=20.0 + 5 * i)]
        sources.append(str(folder(tmp_path / f"lone{i}", cell=document(*parts))))
    assert ingest(sources, settings=settings).exit_code == 0
    models = tuple(Path(source).name for source in sources)
    told = train(TrainRequest(models=models, epochs=1, seeds=1), settings=settings)
    assert "families" in told["split"]
    assert "7" in told["split"]
    assert told["gate"]["metric"] == "feature_r2"
    assert told["agreement"] is None


def test_a_target_decides_where_there_is_one(circuits: tuple[str, ...], settings: Settings) -> None:
    request = TrainRequest(models=circuits, epochs=1, seeds=1, target="postsynaptic_sign")
    told = train(request, settings=settings)
    assert told["gate"]["metric"] == "target_auroc"
    forbidden = {"synapse.sign", "synapse.erev_mV", "synapse.gbase_nS"}
    assert not forbidden & set(told["saw"])


def test_models_that_cannot_be_trained_on(
    settings: Settings, circuits: tuple[str, ...], tmp_path: Path
) -> None:
    synapse = document('<expOneSynapse id="s" gbase="2nS" erev="0mV" tauDecay="3ms"/>')
    ingest([str(folder(tmp_path / "synapse", syn=synapse))], settings=settings)
    ingest([str(folder(tmp_path / "point", cell=document(IZHIKEVICH)))], settings=settings)
    with pytest.raises(TrainingError, match="it has no neuron"):
        train(TrainRequest(models=("synapse",)), settings=settings)
    with pytest.raises(TrainingError, match="nothing in these models"):
        train(TrainRequest(models=("point",)), settings=settings)
    with pytest.raises(UnknownModelError, match="nobody"):
        train(TrainRequest(models=("nobody",)), settings=settings)
    with pytest.raises(UnknownRunError):
        train(TrainRequest(resume="20260101-0000"), settings=settings)
    failed = list_runs(settings)["status"][-1]
    assert failed == "failed"


def test_a_run_cannot_go_on_without_its_models(
    settings: Settings, driver: neo4j.Driver, tmp_path: Path
) -> None:
    source = folder(tmp_path / "gone", net=circuit(16).text)
    ingest([str(source)], settings=settings)
    told = train(TrainRequest(models=("gone",), epochs=1, seeds=1), settings=settings)
    wipe(driver)
    with pytest.raises(UnknownModelError):
        train(TrainRequest(resume=told["run"]), settings=settings)


@pytest.mark.slow
def test_two_processes_of_torchrun_make_one_run(
    circuits: tuple[str, ...], settings: Settings, bnnkg: Command
) -> None:
    """As the documentation says it; one process with as many questions a step learns the same."""
    how = ("--models", circuits[0], "--epochs", 3, "--seeds", 1, "--accumulate", 2, "--json")
    before = set(list_runs(settings)["run"])
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    told = os.environ | {
        "BNNKG_DB": settings.db, "BNNKG_CATALOGUE": str(settings.catalogue), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(
        [*launcher, "-m", "bnnkg", "train", *map(str, how)],
        env=told, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    together = json.loads(done.stdout)
    assert set(list_runs(settings)["run"]) - before == {together["run"]}
    alone = json.loads(bnnkg("train", *how).stdout)
    for metric, value in alone["held_out"].items():
        assert together["held_out"][metric] == pytest.approx(value, abs=0.02)
