"""The worm's path from files to answers: short in every run, whole where there is time."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import psutil
import pytest
from the_command import Command
from whole_graph import ask, counts, one

from bnnkg.queries import run_query
from bnnkg.settings import Settings
from bnnkg.store import Store
from bnnkg.store.server import status, stop
from bnnkg.workflows.annotation import annotate
from bnnkg.workflows.demonstration import MODEL, QUESTIONS, write_worm
from bnnkg.workflows.ingestion import ingest
from bnnkg.workflows.reading import open_store
from bnnkg.workflows.training import TrainRequest, train

pytest.importorskip("c302", reason="needs the extra [demo]")

CHEMICAL, GAP_PAIRS, TO_ITSELF, GAPS, NEURONS = 2279, 557, 5, 1084, 302
"""Counted in the files of c302 by a program of its own."""


@pytest.fixture(scope="module")
def worm(emptied: None, settings: Settings) -> dict[str, Any]:
    """The worm in the graph, with the attention of a network that hardly learned."""
    source = write_worm(settings.cache_folder / "demo")
    outcome = ingest([str(source)], settings=settings, name=MODEL)
    assert outcome.exit_code == 0
    told = train(TrainRequest(models=(MODEL,), epochs=2, seeds=1), settings=settings)
    annotate(told["run"], settings=settings, force=True)
    return told


@pytest.fixture
def store(worm: dict[str, Any], settings: Settings) -> Iterator[Store]:
    with open_store(settings, write=False) as store:
        yield store


def test_the_worm_is_in_the_graph(worm: dict[str, Any], driver: neo4j.Driver) -> None:
    found = counts(driver)
    assert found["Neuron"] == NEURONS
    assert found["Synapse"] == CHEMICAL + GAPS
    assert found["CONNECTS_TO"] == CHEMICAL + GAP_PAIRS
    assert found["STIMULATES"] == NEURONS
    weights = "MATCH (s:Synapse {kind: 'chemical'}) RETURN "
    assert one(driver, weights + "percentileDisc(s.weight, .5)") == 2
    assert one(driver, weights + "max(s.weight)") == 37
    assert one(driver, weights + "sum(CASE s.weight WHEN 1 THEN 1 ELSE 0 END)") == 1130


def test_numbers_of_contacts_are_no_input(worm: dict[str, Any]) -> None:
    """Homologues are held out together, and what is to be found is not put in."""
    assert "counterparts and numbered classes" in worm["split"]
    assert not [name for name in worm["saw"] if "weight" in name or "contacts" in name]
    assert worm["gate"]["metric"] == "edge_auroc"
    assert {"mlp_with_training_degrees", "mean_aggregation"} <= set(worm["baselines"])


@pytest.mark.parametrize("question", QUESTIONS, ids=[q.query for q in QUESTIONS])
def test_every_question_has_an_answer(question: Any, store: Store) -> None:
    result = run_query(store, question.query, {"model": MODEL, **question.parameters})
    assert len(result.table) > 0
    assert set(question.shown) <= set(result.table.columns)
    assert all(None not in result.table.columns[name] for name in question.shown
               if not name.endswith("_sd") and name != "difference_over_sd")  # fmt: skip
    if result.statistics is not None:
        rows = {(row.get("kind"), row.get("mechanism"), row["against"]): row
                for row in result.statistics.rows()}  # fmt: skip
        undefined = {key for key, row in rows.items() if row["rho"] is None}
        assert {key: rows[key]["n"] for key in rows} == STATISTICS[question.query][0]
        assert undefined == {key for key in rows if key[2] in STATISTICS[question.query][1]}
        assert all("is constant" in rows[key]["note"] for key in undefined)
        assert all(rows[key]["p"] is None for key in undefined)


SECTIONS = 2040
STATISTICS: dict[str, tuple[dict[tuple[str | None, str | None, str], int], set[str]]] = {
    "attention_against_contacts": (
        {
            ("chemical", None, "contacts"): CHEMICAL,
            ("chemical", None, "n_synapses"): CHEMICAL,
            ("electrical", None, "contacts"): GAP_PAIRS,
            ("electrical", None, "n_synapses"): GAP_PAIRS,
        },
        {"n_synapses"},
    ),
    "attention_against_distance": (
        {
            ("chemical", None, "distance_um"): CHEMICAL,
            ("electrical", None, "distance_um"): GAP_PAIRS - TO_ITSELF,
        },
        set(),
    ),
    "density_against_attention": (
        {
            (None, name, "gbar_S_per_cm2"): SECTIONS
            for name in ("Leak", "ca_boyle", "k_fast", "k_slow")
        },
        {"gbar_S_per_cm2"},
    ),
}
"""How many pairs each correlation has, and what is constant: each projection is one connection,
and every section has the same four densities."""


def test_the_strongest_connections_are_those_of_the_graph(
    store: Store, driver: neo4j.Driver
) -> None:
    rows = run_query(
        store, "strongest_connections", {"model": MODEL, "kind": "chemical", "limit": 8}
    )
    highest = ask(
        driver,
        "MATCH (a)-[e:CONNECTS_TO {kind: 'chemical'}]->(b) WHERE e.attention_lift IS NOT NULL"
        " RETURN e.attention_lift AS lift ORDER BY lift DESC LIMIT 8",
    )
    found = rows.table.columns["attention_lift"]
    assert sorted(found, reverse=True) == list(found) == [lift for (lift,) in highest]


def test_contacts_in_the_answers_are_those_of_the_file(store: Store, driver: neo4j.Driver) -> None:
    rows = run_query(store, "attention_against_contacts", {"model": MODEL}).table
    contacts = [
        row[0] for row in ask(driver, "MATCH (s:Synapse {kind: 'chemical'}) RETURN s.weight")
    ]
    column = next(name for name in rows.columns if "contacts" in name)
    chemical = [
        n for n, kind in zip(
            rows.columns[column], rows.columns.get("kind", ["chemical"] * len(rows)), strict=True
        ) if kind == "chemical"
    ]  # fmt: skip
    assert sorted(chemical) == sorted(contacts)


@pytest.mark.slow
def test_the_whole_demonstration(
    bnnkg: Command, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The README's first command on an empty database; what it costs is printed, not judged."""
    home = tmp_path / "worm.db"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        told = bnnkg(
            "demo", "--json", BNNKG_DB=str(home), BNNKG_CATALOGUE=f"sqlite:///{tmp_path}/c.sqlite"
        )
        assert told.returncode == 0, told.stderr
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        server = sum(_cpu_seconds(psutil.Process(pid)) for pid in _tree(status(home).pid))
    finally:
        stop(home, wait=True)
    answer = json.loads(told.stdout)
    gate = answer["training"]["gate"]
    assert gate["passed"]
    assert gate["value"] > gate["chance"]
    assert not answer["annotation"]["forced"]
    assert [a["query"] for a in answer["answers"]] == [q.query for q in QUESTIONS]
    assert all(a["rows"] or a["statistics"] for a in answer["answers"])
    assert answer["browser"].startswith("http://")
    assert len(answer["training"]["seeds"]) == 3
    with capsys.disabled():
        print(f"\nbnnkg demo: {client:.0f} + {server:.0f} CPU s (client + server),", end=" ")
        print(f"AUROC {gate['value']:.3f} against {gate['chance']:.3f} of chance", end=" ")


def _tree(pid: int | None) -> list[int]:
    server = psutil.Process(pid)
    return [server.pid, *(child.pid for child in server.children(recursive=True))]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def test_the_worm_is_written_once(worm: dict[str, Any], settings: Settings) -> None:
    folder = write_worm(settings.cache_folder / "demo")
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert write_worm(settings.cache_folder / "demo") == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == stamps
