"""Learned scores in the graph: all, equal to the network's, side by side, and gone again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
from the_command import Command
from whole_graph import ask, dump, one
from written_models import circuit, folder

from bnnkg.catalogue import Catalogue
from bnnkg.errors import (
    AtChanceError,
    ModelChangedError,
    TrainingError,
    UnknownModelError,
    UsageError,
)
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES
from bnnkg.schema.scores import AttentionScores
from bnnkg.settings import Settings
from bnnkg.workflows.annotation import annotate, diff_runs
from bnnkg.workflows.ingestion import ingest, remove
from bnnkg.workflows.reading import open_store, read_tensors
from bnnkg.workflows.training import TrainRequest, train

PROPERTIES = {
    p.name for props in [*LEARNED_ON_NODES.values(), *LEARNED_ON_EDGES.values()] for p in props
}


@pytest.fixture(scope="module")
def sources(
    emptied: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Two circuits that share cells, so that scores of shared nodes are means over both."""
    path = tmp_path_factory.mktemp("circuits")
    made = {
        "a": folder(path / "a", net=circuit(20, points=True).text),
        "b": folder(path / "b", net=circuit(20, seed=1).text),
    }
    made["drawn"] = folder(path / "drawn", net=circuit(24, rule=False, rate=2.0).text)
    assert ingest([str(one) for one in made.values()], settings=settings).exit_code == 0
    return made


@pytest.fixture(scope="module")
def run(sources: dict[str, Path], settings: Settings) -> str:
    told = train(TrainRequest(models=("a", "b"), epochs=6, seeds=2), settings=settings)
    assert told["gate"]["passed"], "the rule of these circuits is easy"
    return str(told["run"])


@pytest.fixture(scope="module")
def other_run(sources: dict[str, Path], settings: Settings) -> str:
    told = train(TrainRequest(models=("a", "b"), epochs=2, seeds=1, seed=9), settings=settings)
    return str(told["run"])


@pytest.fixture(scope="module")
def bare(run: str, other_run: str, driver: neo4j.Driver) -> list[str]:
    """The graph without any annotation."""
    return dump(driver)


@pytest.fixture
def clean(bare: list[str], settings: Settings, driver: neo4j.Driver) -> Iterator[list[str]]:
    """The graph without any annotation, before and after."""
    yield bare
    with open_store(settings, write=True) as store:
        for name in store.attention_runs().columns["name"]:
            store.remove_attention(name)
    assert dump(driver) == bare, "removing annotations must leave nothing of them"


@pytest.fixture(scope="module")
def scores(run: str, settings: Settings) -> AttentionScores:
    """What the checkpoint says of the models, straight from the network."""
    from bnnkg.gnn.scores import attention_scores, load_run

    with Catalogue.open(settings.catalogue_url) as catalogue:
        entry = catalogue.run(run)
    trained = load_run(settings.runs_folder / entry.artefacts[0].path)
    with open_store(settings, write=False) as store:
        graphs = [
            read_tensors(store, model["key"], settings=settings, withhold_contacts=True)
            for model in entry.models
        ]
    return attention_scores(trained, graphs)


def _given(scores: AttentionScores) -> dict[tuple[Any, ...], Any]:
    """Every value of the scores by where it belongs."""
    found: dict[tuple[Any, ...], Any] = {}
    for nodes in scores.nodes:
        for name in set(nodes.columns) - {"uid"}:
            for uid, value in zip(nodes.uid, nodes.columns[name], strict=True):
                found[nodes.label, uid, name] = value
    for edges in scores.edges:
        keys = list(zip(edges.src, edges.dst, edges.columns.get("uid", edges.src), strict=True))
        for name in set(edges.columns) - {"uid"}:
            for (src, dst, uid), value in zip(keys, edges.columns[name], strict=True):
                own = uid if edges.type in ("HAS_MECHANISM", "CONNECTS_TO") else ""
                found[edges.type, src, dst, own, name] = value
    return {key: value for key, value in found.items() if value is not None}


def _stored(driver: neo4j.Driver, suffix: str = "") -> dict[tuple[Any, ...], Any]:
    """Every learned value in the graph by where it stands."""
    found: dict[tuple[Any, ...], Any] = {}
    names = {name + suffix: name for name in PROPERTIES}
    for label, uid, properties in ask(
        driver, "MATCH (n) WHERE NOT n:AttentionRun RETURN labels(n)[0], n.uid, properties(n)"
    ):
        found |= {(label, uid, names[k]): v for k, v in properties.items() if k in names}
    for type_, src, dst, properties in ask(
        driver, "MATCH (a)-[e]->(b) RETURN type(e), a.uid, b.uid, properties(e)"
    ):
        own = properties.get("uid", "") if type_ in ("HAS_MECHANISM", "CONNECTS_TO") else ""
        found |= {(type_, src, dst, own, names[k]): v for k, v in properties.items() if k in names}
    return found


def test_every_value_is_the_networks(
    run: str, settings: Settings, driver: neo4j.Driver, clean: list[str], scores: AttentionScores
) -> None:
    told = annotate(run, settings=settings)
    assert (told["run"], told["name"], told["forced"]) == (run, "", False)
    stored, given = _stored(driver), _given(scores)
    assert stored.keys() == given.keys()
    for key, value in given.items():
        assert stored[key] == pytest.approx(value, rel=1e-6, abs=1e-12, nan_ok=False), key
    # The declaration, label by label and type by type.
    for label, properties in LEARNED_ON_NODES.items():
        assert {key[-1] for key in stored if key[0] == label} == {p.name for p in properties}, label
    for type_, properties in LEARNED_ON_EDGES.items():
        names = {key[-1] for key in stored if key[0] == type_}
        assert names == {p.name for p in properties}, type_
    written = told["written"]
    assert written["Neuron"] == one(driver, "MATCH (n:Neuron) WHERE n.cls_lift > 0 RETURN count(n)")
    assert written["Neuron"] == 2 * 20 + 2
    assert written["ATTENDS_TO"] == one(driver, "MATCH ()-[e:ATTENDS_TO]->() RETURN count(e)")


def test_the_run_stands_beside_its_values(
    run: str, settings: Settings, driver: neo4j.Driver, clean: list[str]
) -> None:
    annotate(run, settings=settings)
    ((properties, models),) = ask(
        driver,
        "MATCH (r:AttentionRun)-[:ANNOTATES]->(m) RETURN properties(r), collect(m.key) AS models",
    )
    with Catalogue.open(settings.catalogue_url) as catalogue:
        entry = catalogue.run(run)
    gate = entry.metrics["gate"]
    assert sorted(models) == ["a", "b"]
    assert properties["status"] == "current"
    assert properties["checkpoint_sha256"] == entry.artefacts[0].sha256
    assert (properties["held_out"], properties["chance"]) == (gate["value"], gate["chance"])
    assert (properties["passed"], properties["forced"]) == (True, False)
    assert properties["agreement"] == entry.metrics["agreement"]
    assert properties["seeds"] == [0, 1]
    assert properties["split"] == entry.split
    assert json.loads(properties["config"])["epochs"] == 6
    assert properties["saw"] == list(entry.metrics["saw"])


def test_attention_is_a_distribution(
    run: str, settings: Settings, driver: neo4j.Driver, clean: list[str]
) -> None:
    annotate(run, settings=settings)
    # Per graph, [CLS] shares 1 out; what instances share stands for as many as it has.
    total = one(
        driver,
        "MATCH (n) WHERE n.cls_attention IS NOT NULL"
        " RETURN sum(n.cls_attention * coalesce(n.attention_n, 1))",
    )
    assert total == pytest.approx(2)
    # A neuron attends to its inputs, or its receivers, and to itself; the rest is not stored.
    for name, end in (("attention_up", "receiver"), ("attention_down", "sender")):
        shares = ask(
            driver,
            "MATCH (sender:Neuron)-[e:CONNECTS_TO {kind: 'chemical'}]->(receiver:Neuron)"
            f" WHERE e.{name} IS NOT NULL RETURN {end}.uid, sum(e.{name})",
        )
        assert len(shares) > 20
        assert all(0 < share < 1 for _, share in shares)
    sent = one(
        driver,
        "MATCH (:Neuron)-[e:SENDS]->(s:Synapse {kind: 'chemical'})-[t:TARGETS]->()"
        " WHERE e.attention IS NOT NULL"  # one model was not trained on
        " RETURN count(e) > 100"
        " AND count(e) = count(e.attention_down) AND count(t) = count(t.attention_up)",
    )
    assert sent is True
    # A share times the number of rows that it competed with.
    lifts = ask(
        driver,
        "MATCH (n:Neuron) WHERE n.cls_lift IS NOT NULL"
        " RETURN DISTINCT n.model_uid, round(n.cls_lift / n.cls_attention)",
    )
    assert len(lifts) == 2


def test_runs_stand_side_by_side_and_are_compared(
    run: str, other_run: str, settings: Settings, driver: neo4j.Driver, clean: list[str]
) -> None:
    annotate(run, settings=settings)
    first = _stored(driver)
    assert diff_runs(run, other_run, settings=settings)["attention"] is None
    annotate(other_run, settings=settings, name="again", force=True)
    assert _stored(driver) == first
    second = _stored(driver, "__again")
    assert len(second) > 1000
    assert "attention_lift_sd" not in {key[-1] for key in second}, "one seed has no spread"
    diff = diff_runs(run, other_run, settings=settings)
    assert diff["config"] == {"epochs": [6, 2], "seed": [0, 9], "seeds": [2, 1]}
    assert diff["models"] == {}
    assert set(diff["held_out"]) <= {"edge_auroc", "edge_average_precision", "feature_r2"}
    assert diff["attention"]
    rho = diff["attention"][0]["rho"]
    assert rho is None or -1 <= rho <= 1
    annotate(other_run, settings=settings, name="again", remove=True)
    assert _stored(driver) == first
    assert not _stored(driver, "__again")


def test_a_run_without_a_name_takes_the_place_of_the_last(
    run: str, other_run: str, settings: Settings, driver: neo4j.Driver, clean: list[str]
) -> None:
    annotate(run, settings=settings)
    once = dump(driver)
    annotate(run, settings=settings)
    assert dump(driver) == once
    annotate(other_run, settings=settings, force=True)
    assert ask(driver, "MATCH (r:AttentionRun) RETURN r.run") == [(other_run,)]
    assert not [key for key in _stored(driver) if key[-1].endswith("_sd")]
    with pytest.raises(UsageError, match="no unnamed annotation"):
        annotate(run, settings=settings, remove=True)


def test_a_dry_run_and_a_removal(
    run: str, settings: Settings, driver: neo4j.Driver, clean: list[str], bnnkg: Command
) -> None:
    told = bnnkg("annotate", run, "--as", "trial", "--dry-run", "--json")
    assert told.returncode == 0, told.stderr
    assert dump(driver) == clean
    would = json.loads(told.stdout)["would_write"]
    done = bnnkg("annotate", run, "--as", "trial", "--json")
    assert json.loads(done.stdout)["written"] == would
    whole = dump(driver)
    annotate(run, settings=settings, name="trial", remove=True, dry_run=True)
    assert dump(driver) == whole
    annotate(run, settings=settings, name="trial", remove=True)
    assert dump(driver) == clean
    again = bnnkg("annotate", run, "--as", "trial", "--remove")
    assert again.returncode == 2
    assert "no annotation 'trial'" in again.stderr


def test_a_run_at_chance_is_refused_or_marked(
    sources: dict[str, Path], settings: Settings, driver: neo4j.Driver, clean: list[str],
    bnnkg: Command,
) -> None:  # fmt: skip
    """One epoch on connections that were drawn at random."""
    told = train(TrainRequest(models=("drawn",), epochs=1, seeds=1), settings=settings)
    assert not told["gate"]["passed"]
    with pytest.raises(AtChanceError, match="not above chance"):
        annotate(told["run"], settings=settings)
    refused = bnnkg("annotate", told["run"])
    assert (refused.returncode, refused.stdout) == (1, "")
    for word in (told["run"], "edge_auroc above", "--force"):
        assert word in refused.stderr
    assert dump(driver) == clean
    forced = annotate(told["run"], settings=settings, force=True)
    assert forced["forced"]
    assert ask(driver, "MATCH (r:AttentionRun) RETURN r.passed, r.forced") == [(False, True)]


def test_force_does_not_mark_a_run_that_passed(
    run: str, settings: Settings, driver: neo4j.Driver, clean: list[str]
) -> None:
    assert not annotate(run, settings=settings, force=True)["forced"]
    assert ask(driver, "MATCH (r:AttentionRun) RETURN r.passed, r.forced") == [(True, False)]


def test_a_score_that_cannot_be_told_is_refused(
    run: str, settings: Settings, clean: list[str]
) -> None:
    """Of one class alone there is no AUROC: the catalogue has no number then."""
    with Catalogue.open(settings.catalogue_url) as catalogue:
        entry = catalogue.run(run)
        lost = dict(entry.metrics) | {
            "gate": {
                "metric": "target_auroc",
                "value": math.nan,
                "chance": math.nan,
                "passed": False,
            }
        }
        catalogue.update_run(run, metrics=lost)
    try:
        with pytest.raises(AtChanceError, match="not above chance"):
            annotate(run, settings=settings)
    finally:
        with Catalogue.open(settings.catalogue_url) as catalogue:
            catalogue.update_run(run, metrics=entry.metrics)


def test_another_checkpoint_is_refused(run: str, settings: Settings, clean: list[str]) -> None:
    path = settings.runs_folder / run / "checkpoint.pt"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(TrainingError, match="not the one that it made"):
            annotate(run, settings=settings)
        path.unlink()
        with pytest.raises(TrainingError, match="no file"):
            annotate(run, settings=settings)
    finally:
        path.write_bytes(content)


def test_a_model_that_changed_is_refused_and_takes_its_scores_along(
    run: str, sources: dict[str, Path], settings: Settings, driver: neo4j.Driver, clean: list[str]
) -> None:
    annotate(run, settings=settings)
    n_values = len([key for key in _stored(driver) if key[0] == "Neuron"])
    folder(sources["b"], net=circuit(20, seed=7).text)
    ingest([str(sources["b"])], settings=settings)
    with pytest.raises(ModelChangedError, match="b: the model is not the version"):
        annotate(run, settings=settings)
    left = _stored(driver)
    # Means over instances of both are gone; that of the point cell, which b never had, holds.
    assert {key[1] for key in left if key[0] in ("Compartment", "Mechanism", "CHILD_OF")} == {
        uid for (uid,) in ask(driver, "MATCH (m:Mechanism {kind: 'point'}) RETURN m.uid")
    }
    assert {uid for label, uid, *_ in left if label == "Neuron"} == {
        uid for (uid,) in ask(driver, "MATCH (:Model {key: 'a'})-[:DEFINES]->(:Network)"
                              "-[:HAS_POPULATION]->()-[:HAS_NEURON]->(n) RETURN n.uid")
    }  # fmt: skip
    assert ask(driver, "MATCH (:AttentionRun)-[:ANNOTATES]->(m) RETURN m.key") == [("a",)]
    remove(["b"], settings=settings)
    with pytest.raises(UnknownModelError, match="b"):
        annotate(run, settings=settings)
    folder(sources["b"], net=circuit(20, seed=1).text)
    ingest([str(sources["b"])], settings=settings)
    annotate(run, settings=settings)
    assert len([key for key in _stored(driver) if key[0] == "Neuron"]) == n_values
