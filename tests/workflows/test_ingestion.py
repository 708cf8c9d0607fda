"""Small models from files to the graph, on every supported version of the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import neo4j
import pytest
from the_command import Command
from whole_graph import ask, belonging_to, counts, drive, dump, one, wipe
from written_models import (
    IZHIKEVICH,
    LEAK,
    SYNAPSES,
    cell,
    channel,
    circuit,
    document,
    folder,
    pair,
)

from bnnkg.catalogue import Catalogue
from bnnkg.errors import UnknownModelError
from bnnkg.settings import Settings
from bnnkg.workflows.ingestion import IngestOutcome, ingest, remove, validate
from bnnkg.workflows.listing import list_models


@pytest.fixture
def local(neo4j_home: Path, place: Path) -> Settings:
    """An empty database of each version."""
    with drive(neo4j_home) as driver:
        wipe(driver)
    catalogue = f"sqlite:///{place}/{neo4j_home.parent.name}.sqlite"
    return Settings(db=str(neo4j_home), cache=place / "cache", catalogue=catalogue)


def test_a_circuit_is_what_its_maker_wrote(local: Settings, tmp_path: Path) -> None:
    made = circuit(12)
    outcome = ingest([str(folder(tmp_path / "made", net=made.text))], settings=local)
    assert outcome.exit_code == 0
    with drive(local.home) as driver:
        found = counts(driver)
        assert found["Neuron"] == found["Population"] == found["INSTANCE_OF"] == made.neurons
        assert found["Synapse"] == found["SENDS"] == made.chemical + made.electrical
        # Two cells of soma, dendrite and axon; leak in all of them, the channel in the soma.
        assert (found["Cell"], found["Compartment"], found["CHILD_OF"]) == (2, 6, 4)
        assert found["HAS_MECHANISM"] == 8
        assert found["Stimulus"] == found["STIMULATES"] == 1
        lengths = ask(
            driver,
            """MATCH (:Model)-[d:DEFINES {id: 'second'}]->(:Cell)-[:HAS_COMPARTMENT]->(s)
            RETURN s.kind, s.length_um, s.diameter_um, d.segment_ids ORDER BY s.index""",
        )
        assert sorted((k, length) for k, length, *_ in lengths) == [
            ("axon", pytest.approx(50)),
            ("dendrite", pytest.approx(95)),
            ("soma", pytest.approx(10)),
        ]
        assert sorted(lengths[0][3]) == [0, 1, 2, 3]
        somata = """MATCH (:Compartment {kind: 'soma'})-[h:HAS_MECHANISM]->(k)
            RETURN DISTINCT k.name, h.gbar_S_per_cm2"""
        assert sorted(ask(driver, somata)) == [
            ("leak", pytest.approx(0.0003)), ("na", pytest.approx(0.12)),
        ]  # fmt: skip
        arrivals = one(
            driver,
            "MATCH (y:Synapse {kind: 'chemical'})"
            " WHERE EXISTS { (y)-[:LEAVES_FROM]->({kind: 'axon'}) }"
            " AND EXISTS { (y)-[:ARRIVES_AT]->() } RETURN count(y)",
        )
        assert arrivals == made.chemical
        assert {k: outcome.nodes[k] for k in outcome.nodes} == {k: found[k] for k in outcome.nodes}


def test_the_same_graph_in_any_order_and_again(local: Settings, tmp_path: Path) -> None:
    """Three models that share a channel, a cell or a synapse under other names."""
    shared = cell("pyramid", active="fast")
    sources = [
        folder(tmp_path / "a", one=document(LEAK, channel("fast"), shared)),
        folder(tmp_path / "b", one=circuit(6).text),
        folder(
            tmp_path / "c", one=document(LEAK, channel("aaa"), cell("zz", active="aaa"), SYNAPSES)
        ),
    ]
    dumps = []
    with drive(local.home) as driver:
        for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
            wipe(driver)
            for place in order:
                ingest([str(sources[place])], settings=local)
            ingest([str(sources[place]) for place in order], settings=local)
            dumps.append(dump(driver))
        assert dumps[0] == dumps[1] == dumps[2]
        # One content under three ids each; the smallest is shown.
        assert ask(driver, "MATCH (k:Mechanism {is_passive: false}) RETURN k.name") == [("aaa",)]
        assert one(driver, "MATCH (c:Cell {name: 'first'}) RETURN count(c)") == 1
        # Without the model that gave the smallest, the next is shown, as if it had never been.
        remove(["c"], settings=local)
        without = dump(driver)
        assert ask(driver, "MATCH (k:Mechanism {is_passive: false}) RETURN k.name") == [("fast",)]
        wipe(driver)
        ingest([str(source) for source in sources[:2]], settings=local)
        assert dump(driver) == without


def test_removing_or_changing_one_of_two_leaves_the_other_exact(
    local: Settings, tmp_path: Path
) -> None:
    one_, other = (folder(tmp_path / name, net=circuit(8).text) for name in ("one", "other"))
    with drive(local.home) as driver:
        ingest([str(other)], settings=local)
        alone, own = dump(driver), belonging_to(driver, "other")
        assert len(own) > 100
        ingest([str(one_)], settings=local)
        assert belonging_to(driver, "other") == own
        # The same circuit with another channel: its cells are others, its synapse types are not.
        folder(one_, net=circuit(8, rate=1.5).text)
        changed = ingest([str(one_)], settings=local)
        assert [load.status for load in changed.loads.values()] == ["replaced"]
        assert belonging_to(driver, "other") == own
        assert one(driver, "MATCH (m:Model) RETURN count(m)") == 2
        assert one(driver, "MATCH (c:Cell) RETURN count(c)") == 4
        told = remove(["one"], settings=local)
        assert told["nodes"] > 0
        assert dump(driver) == alone


def test_a_model_may_be_changed_back(local: Settings, tmp_path: Path) -> None:
    source = folder(tmp_path / "one", net=circuit(6).text)
    with drive(local.home) as driver:
        ingest([str(source)], settings=local)
        first = dump(driver)
        folder(source, net=circuit(6, rate=2.0).text)
        ingest([str(source)], settings=local)
        assert dump(driver) != first
        folder(source, net=circuit(6).text)
        ingest([str(source)], settings=local)
        assert dump(driver) == first


def _read_of(outcome: IngestOutcome) -> dict[str, Any]:
    """A report without what the graph did, and what only validation compares with the schema."""
    report = outcome.to_json()
    for model in report["models"]:
        del model["change"]
    for file in report["files"]:
        file["notes"] = [note for note in file["notes"] if "against the schema" not in note]
    return report


def test_a_dry_run_writes_nothing(
    settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    source = folder(tmp_path / "one", net=pair())
    told = ingest([str(source)], settings=settings, dry_run=True)
    assert (told.exit_code, told.loads) == (0, {})
    assert dump(driver) == []
    done = ingest([str(source)], settings=settings)
    assert _read_of(done) == _read_of(told)
    whole = dump(driver)
    would = remove(["one"], settings=settings, dry_run=True)
    assert dump(driver) == whole
    assert would == remove(["one"], settings=settings) | {"dry_run": True}
    with pytest.raises(UnknownModelError):
        remove(["one"], settings=settings)


def test_validate_says_what_ingest_says(settings: Settings, empty: None, tmp_path: Path) -> None:
    source = folder(tmp_path / "one", net=circuit(6).text)
    told, done = validate([str(source)]), ingest([str(source)], settings=settings)
    assert _read_of(told) == _read_of(done)


def test_a_manifest_names_sources(
    bnnkg: Command, settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        folder(tmp_path / name, net=pair(n=2 if name == "one" else 3))
    manifest = tmp_path / "models.csv"
    manifest.write_text(
        "source,name,accession,licence,doi\n"
        f"{tmp_path}/one,first,,CC-BY-4.0,10.1/x\n{tmp_path}/two,,1234,,\n"
    )
    told = bnnkg("ingest", "--manifest", manifest, "--json")
    assert told.returncode == 0, told.stderr
    assert sorted(ask(driver, "MATCH (m:Model) RETURN m.key, m.accession, m.licence, m.doi")) == [
        ("1234", "1234", None, None), ("first", None, "CC-BY-4.0", "10.1/x"),
    ]  # fmt: skip
    report = json.loads(told.stdout)
    assert {model["source"] for model in report["models"]} == {f"{tmp_path}/one", f"{tmp_path}/two"}
    assert report["totals"]["nodes"]["Neuron"] == 5
    # The synapse types and the cell stand once, though both models define them.
    assert report["totals"]["nodes"]["Cell"] == 1


def test_every_ingest_is_in_the_catalogue(settings: Settings, empty: None, tmp_path: Path) -> None:
    good = folder(tmp_path / "good", net=pair())
    bad = folder(tmp_path / "bad", net="no xml")
    outcome = ingest([str(good), str(bad)], settings=settings)
    with Catalogue.open(settings.catalogue_url) as catalogue:
        last = max(catalogue.ingests(), key=lambda one: one.id)
    assert list(last.sources) == [str(good), str(bad)]
    assert last.report == outcome.to_json()
    listed = list_models(settings)
    rows = dict(zip(listed["model"], listed["status"], strict=True))
    assert rows["good"] == "loaded"
    assert rows["bad"] == "failed"
    assert list_models(settings, status="failed")["cause"] == ["files that cannot be read"]
    assert list_models(settings, status="loaded")["model"] == ["good"]


def test_cells_without_a_network_get_a_neuron_each(
    settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    cells = document(LEAK, channel("na"), cell("a"), cell("b", dendrite_um=9), IZHIKEVICH)
    ingest([str(folder(tmp_path / "cells", one=cells))], settings=settings)
    rows = ask(
        driver,
        "MATCH (w:Network {implicit: true})-[:HAS_POPULATION]->()-[:HAS_NEURON]->(n)-[:INSTANCE_OF]"
        "->(c) RETURN c.name, n.implicit ORDER BY c.name",
    )
    assert rows == [("a", True), ("b", True), ("izh", True)]
