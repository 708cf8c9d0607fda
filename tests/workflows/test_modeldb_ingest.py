"""Accessions of a ModelDB on this machine, from the command to the graph."""

from __future__ import annotations

import json
from collections.abc import Iterator

import neo4j
import pytest
from the_command import Command

from modeldb_server import ModelDBServer, archive, serving


@pytest.fixture(scope="module")
def modeldb() -> Iterator[ModelDBServer]:
    server = ModelDBServer()
    server.add(26997)
    server.add(2488, name="Another leak")
    server.add(87284, archive(**{"fig.m": "plot"}))
    with serving(server):
        yield server


def _ask(driver: neo4j.Driver, cypher: str) -> list[dict[str, object]]:
    return [record.data() for record in driver.execute_query(cypher).records]


def test_an_accession_becomes_a_model_with_its_terms(
    modeldb: ModelDBServer, bnnkg: Command, empty: None, driver: neo4j.Driver
) -> None:
    done = bnnkg("ingest", "modeldb:26997", "--base-url", modeldb.url, "--json")
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["models"]
    assert told["model"].startswith("26997@")
    assert (told["source"], told["tier"]) == ("modeldb:26997", "static")
    [model] = _ask(
        driver,
        "MATCH (m:Model) RETURN m.key AS key, m.accession AS accession, m.licence AS licence, "
        "m.title AS title, m.doi AS doi, m.format AS format, m.archive_sha256 AS sha256, "
        "m.source AS source",
    )
    assert model["key"] == model["accession"] == "26997"
    assert model["licence"] == "MIT"
    assert model["doi"] == "10.1000/leaks.2001.12"
    assert model["title"] == "Leaky cell of the olfactory bulb (Doe & Roe 2001)"
    assert model["format"] == "neuron"
    assert len(str(model["sha256"])) == 64
    assert model["source"] == "modeldb:26997"
    terms = {
        (row["kind"], row["name"], row["id"])
        for row in _ask(
            driver,
            "MATCH (:Model)-[:ABOUT]->(t:Term) "
            "RETURN t.kind AS kind, t.name AS name, t.modeldb_id AS id",
        )
    }
    assert ("species", "Mouse", "115956") in terms
    assert ("region", "Olfactory bulb", "115946") in terms
    assert ("current", "I Na,p", "241") in terms
    everything = str(_ask(driver, "MATCH (n) RETURN properties(n) AS p"))
    assert "submitter" not in everything.lower()
    assert "@example" not in everything


def test_two_models_share_a_mechanism_and_terms(
    modeldb: ModelDBServer, bnnkg: Command, empty: None, driver: neo4j.Driver
) -> None:
    done = bnnkg("ingest", "modeldb:all", "--base-url", modeldb.url, "--json")
    assert done.returncode == 3, done.stderr  # one of the three has no model that is read
    models = {one["source"]: one for one in json.loads(done.stdout)["models"]}
    assert {name: one["status"] for name, one in models.items()} == {
        "modeldb:2488": "partial", "modeldb:26997": "partial", "modeldb:87284": "skipped",
    }  # fmt: skip
    leak = _ask(
        driver, "MATCH (m:Mechanism {name: 'leaky'}) RETURN COUNT { (m)<-[:DEFINES]-() } AS n"
    )
    assert leak == [{"n": 2}]
    mouse = _ask(driver, "MATCH (t:Term {name: 'Mouse'}) RETURN COUNT { (t)<-[:ABOUT]-() } AS n")
    assert mouse == [{"n": 2}]

    again = bnnkg("ingest", "modeldb:all", "--resume", "--base-url", modeldb.url, "--json")
    told = json.loads(again.stdout)["models"]
    assert all(one["reason"].startswith("unchanged since") for one in told)

    removed = bnnkg("remove", "26997", "2488")
    assert removed.returncode == 0, removed.stderr
    assert _ask(driver, "MATCH (t:Term) RETURN t") == []


def test_an_accession_that_is_not_there_is_listed_with_its_cause(
    modeldb: ModelDBServer, bnnkg: Command, empty: None
) -> None:
    done = bnnkg("ingest", "modeldb:404404", "--base-url", modeldb.url)
    assert done.returncode == 1
    listed = bnnkg("models", "--status", "failed", "--json")
    row = next(one for one in json.loads(listed.stdout) if one["model"] == "404404")
    assert row["status"] == "failed"
    assert row["cause"]
    assert "404404" in row["reason"]
    assert "Why" in bnnkg("models", "--status", "failed").stdout


def test_the_address_may_be_a_setting(modeldb: ModelDBServer, bnnkg: Command) -> None:
    done = bnnkg("validate", "modeldb:26997", "--json", BNNKG_MODELDB_URL=modeldb.url)
    assert done.returncode == 0, done.stderr


def test_a_url_is_a_source(modeldb: ModelDBServer, bnnkg: Command) -> None:
    done = bnnkg("validate", f"{modeldb.url}/download/26997", "--name", "leak", "--json")
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["models"]
    assert told["model"].startswith("leak@")
