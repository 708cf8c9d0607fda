"""Many models at once into an empty database, and as files for a server elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from the_command import Command
from written_models import Circuit, circuit, folder

from bnnkg.store.server import stop


@pytest.fixture
def home(place: Path) -> Iterator[Path]:
    yield place / "bulk.db"
    stop(place / "bulk.db", wait=True)


@pytest.fixture(scope="module")
def sources(place: Path) -> tuple[list[Path], Circuit]:
    content = circuit(10, points=True)
    return [folder(place / key, net=content.text) for key in ("first", "second")], content


@pytest.mark.slow
def test_an_empty_database_is_filled(
    home: Path, sources: tuple[list[Path], Circuit], bnnkg: Command
) -> None:
    paths, content = sources
    told = bnnkg("ingest", "--bulk", "--json", *paths, "--db", home)
    assert told.returncode == 0, told.stderr
    models = json.loads(told.stdout)["models"]
    assert [Path(m["source"]).name for m in models] == ["first", "second"]
    count = "MATCH (m:Model)-[:DEFINES]->(:Network)-[:HAS_POPULATION]->()-[:HAS_NEURON]->(n) "
    count += "RETURN m.key AS model, count(n) AS neurons ORDER BY model"
    rows = json.loads(bnnkg("cypher", count, "--json", "--db", home).stdout)
    n = content.neurons
    assert rows == [{"model": "first", "neurons": n}, {"model": "second", "neurons": n}]
    again = bnnkg("ingest", *paths, "--json", "--db", home)
    assert again.returncode == 0, again.stderr
    refused = bnnkg("ingest", "--bulk", *paths, "--db", home)
    assert refused.returncode == 2
    assert "a bulk load needs a local database with nothing in it" in refused.stderr


def test_files_for_a_server(
    sources: tuple[list[Path], Circuit], bnnkg: Command, tmp_path: Path
) -> None:
    paths, content = sources
    out = tmp_path / "files"
    command = ("export", *paths, "--format", "neo4j-admin", "--out", out)
    told = bnnkg(*command, "--json")
    assert told.returncode == 0, told.stderr
    answer = json.loads(told.stdout)
    assert "neo4j-admin database import full neo4j @arguments.txt" in answer["command"]
    lines = (out / "Neuron.csv").read_text().splitlines()
    assert len(lines) == 2 * content.neurons
    # The two models have the same cells: each is written once.
    assert len((out / "Cell.csv").read_text().splitlines()) == answer["totals"]["nodes"]["Cell"]
    again = bnnkg(*command)
    assert again.returncode == 2
    assert "a new or empty folder" in again.stderr
