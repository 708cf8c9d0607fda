"""Whatever is wrong: a plain message, the right exit code, the rest of the batch is loaded."""

from __future__ import annotations

import json
import os
from pathlib import Path

import neo4j
import pytest
from the_command import Command
from whole_graph import ask, dump
from written_models import LEAK, SYNAPSES, cell, channel, document, folder, pair

from bnnkg.settings import Settings
from bnnkg.workflows.ingestion import ingest

GOOD = pair()
NML1 = '<neuroml xmlns="http://morphml.org/neuroml/schema"><cells/></neuroml>'
UNKNOWN_SEGMENT = document(
    LEAK, channel("na"), cell("c"), SYNAPSES,
    '<network id="net"><population id="p" component="c" size="2"/>'
    '<projection id="q" presynapticPopulation="p" postsynapticPopulation="p" synapse="exc">'
    '<connection id="0" preCellId="../p[0]" postCellId="../p[1]" postSegmentId="1"/>'
    '<connection id="1" preCellId="../p[1]" postCellId="../p[0]" postSegmentId="77"/>'
    "</projection></network>",
)  # fmt: skip
SYNAPSE_IN_VOLTS = document('<expOneSynapse id="s" gbase="2mV" erev="0mV" tauDecay="3ms"/>')
CASES = {
    "not_xml": ("this is no XML", "failed", "no well-formed XML"),
    "broken_xml": (GOOD[:200], "failed", "no well-formed XML"),
    "not_neuroml": ("<html><body/></html>", "skipped", "its root is <html>"),
    "neuroml_1": (NML1, "skipped", "NeuroML version 1 is not supported"),
    "empty": ("", "failed", "the file is empty"),
    "entities": (
        '<!DOCTYPE neuroml [<!ENTITY x "y">]>' + GOOD, "failed", "declares entities",
    ),
}  # fmt: skip


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_no_model(
    name: str, strict: bool, settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    """Beside a good source and beside a good file of its own source; then alone."""
    text, status, reason = CASES[name]
    good = folder(tmp_path / "good", net=GOOD)
    mixed = folder(tmp_path / "mixed", bad=text, net=pair(n=3))
    alone = folder(tmp_path / "alone", bad=text)
    sources = [str(good), str(mixed), str(alone)]
    outcome = ingest(sources, settings=settings, strict=strict)
    told = outcome.to_json()
    rows = {file["path"]: file for file in told["files"]}
    for where in (mixed, alone):
        assert rows[f"{where}/bad.nml"]["status"] == status
        assert reason in rows[f"{where}/bad.nml"]["reason"]
        assert rows[f"{where}/bad.nml"]["elements"] == {"by_class": {}}
    models = {model["source"]: model for model in told["models"]}
    assert models[str(alone)]["model"] is None
    assert models[str(alone)]["status"] == status
    assert reason in models[str(alone)]["reason"]
    assert models[str(mixed)]["status"] == ("partial" if status == "failed" else "loaded")
    keys = sorted(key for (key,) in ask(driver, "MATCH (m:Model) RETURN m.key"))
    assert keys == (["good"] if strict else ["good", "mixed"])
    assert outcome.exit_code == (1 if strict else 3)
    assert ingest([str(alone)], settings=settings, strict=strict).exit_code == 1
    without = {"failed": 3, "skipped": 0}[status]
    assert ingest([str(good), str(mixed)], settings=settings).exit_code == without


def test_an_include_that_is_missing(
    settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    text = GOOD.replace("<izhi", '<include href="channels/na.channel.nml"/><izhi', 1)
    source = folder(tmp_path / "m", net=text)
    outcome = ingest([str(source)], settings=settings)
    (model,) = outcome.to_json()["models"]
    assert outcome.exit_code == 0
    assert model["status"] == "partial"
    assert model["missing"] == ["net.nml: channels/na.channel.nml"]
    assert "missing" in model["reason"]
    assert ask(driver, "MATCH (n:Neuron) RETURN count(n)") == [(2,)]
    assert ingest([str(source)], settings=settings, strict=True).exit_code == 1


def test_a_wrong_unit_costs_only_its_value(
    settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    outcome = ingest([str(folder(tmp_path / "volts", syn=SYNAPSE_IN_VOLTS))], settings=settings)
    (file,) = outcome.to_json()["files"]
    (told,) = [note for note in file["notes"] if note.startswith("syn.nml:1: expOneSynapse.gbase")]
    assert "found '2mV'" in told
    assert "conductance" in told
    assert outcome.reports[0].status == "partial"
    assert ask(driver, "MATCH (s:SynapseType) RETURN s.gbase_nS, s.tau_decay_ms") == [(None, 3.0)]
    raw = ask(driver, "MATCH (:Model)-[d:DEFINES]->(:SynapseType) RETURN d.raw")
    params = ask(driver, "MATCH (s:SynapseType) RETURN s.expression_names, s.expression_texts")
    assert "2mV" in repr([raw, params]), "what was written is kept"


def test_an_unknown_segment_costs_only_its_connection(
    settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    outcome = ingest([str(folder(tmp_path / "m", net=UNKNOWN_SEGMENT))], settings=settings)
    (file,) = outcome.to_json()["files"]
    assert file["elements"]["by_class"]["connection"] == {"loaded": 1, "kept": 1, "skipped": 0}
    (told,) = [note for note in file["notes"] if "segment 77" in note]
    assert "net.nml" in told
    assert "line " in told
    assert outcome.reports[0].status == "partial"
    assert ask(driver, "MATCH (y:Synapse) RETURN y.index") == [(0,)]


def test_batches_by_the_command(
    bnnkg: Command, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    """One good source among all that can be wrong with one: 3, and every one of them is told."""
    good = folder(tmp_path / "good", net=GOOD)
    (tmp_path / "nothing").mkdir()
    broken = folder(tmp_path / "broken", net="<neuroml")
    (tmp_path / "README").write_text("no model")
    (tmp_path / "no.zip").write_bytes(b"PK no zip")
    names = ["nothing", "absent", "broken", "README", "no.zip"]
    sources = [broken, good, *(tmp_path / n for n in names if n != "broken")]
    told = bnnkg("ingest", *sources, "--json")
    assert told.returncode == 3
    assert "Traceback" not in told.stderr
    models = {Path(m["source"]).name: m for m in json.loads(told.stdout)["models"]}
    assert models["good"]["status"] == "loaded"
    assert [models[name]["status"] for name in names] == [
        "skipped", "failed", "failed", "skipped", "failed",
    ]  # fmt: skip
    assert [models[name]["model"] for name in names] == [None] * 5
    assert "no file in it" in models["nothing"]["reason"]
    assert "no such file or folder" in models["absent"]["reason"]
    assert ask(driver, "MATCH (m:Model) RETURN m.key, m.status") == [("good", "current")]
    table = bnnkg("ingest", *sources)
    assert table.returncode == 3
    for name in names:
        assert name in table.stdout + table.stderr


@pytest.mark.parametrize(
    ("name", "code", "what"),
    [("nothing", 1, "no file in it"), ("absent", 1, "no such file or folder"),
     ("README", 1, "is not read"), ("no.zip", 1, "archive cannot be read")],
)  # fmt: skip
def test_a_source_alone(name: str, code: int, what: str, bnnkg: Command, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "README.md").write_text("no model")
    (tmp_path / "no.zip").write_bytes(b"PK no zip")
    path = tmp_path / ("README.md" if name == "README" else name)
    told = bnnkg("validate", path)
    assert told.returncode == code
    assert what in " ".join((told.stdout + told.stderr).split())
    assert "Traceback" not in told.stderr


def test_a_file_that_may_not_be_read(settings: Settings, empty: None, tmp_path: Path) -> None:
    source = folder(tmp_path / "m", net=GOOD, secret=pair(n=5))
    (source / "secret.nml").chmod(0)
    if os.access(source / "secret.nml", os.R_OK):
        pytest.skip("this user may read every file")
    outcome = ingest([str(source)], settings=settings)
    assert outcome.exit_code == 3
    assert "cannot be read" in outcome.reports[0].reason


# --------------------------------------------------------------- what is asked for wrongly

FAILURES = {
    "database away": (
        "models", {"BNNKG_DB": "bolt://127.0.0.1:1"}, 1,
        ("no database answers", "127.0.0.1:1"),
    ),
    "ingest with the database away": (
        "ingest {good}", {"BNNKG_DB": "bolt://127.0.0.1:1"}, 1,
        ("no database answers",),
    ),
    "a file in the folder's place": ("ingest {good}", {"BNNKG_DB": "{file}"}, 1, ("{file}",)),
    "no room for the catalogue": (
        "ingest {good}", {"BNNKG_CATALOGUE": "sqlite:///{file}/c.sqlite"}, 1,
        ("catalogue",),
    ),
    "no room for an export": ("export none --out {file}/x.pt", {}, 1, ("no such folder", "{file}")),
    "unknown run": (
        "annotate 20260101-0000", {}, 1,
        ("there is no run '20260101-0000'", "bnnkg train"),
    ),
    "unknown run to go on with": ("train --resume 20260101-0000", {}, 1, ("there is no run",)),
    "unknown query": ("query cels", {}, 1, ("no such query", "cels", "cells")),
    "bad Cypher": ("cypher 'MATCH (n RETURN n'", {}, 1, ("line 1", "MATCH (n RETURN n")),
    "a write": ("cypher 'CREATE (:X)'", {}, 1, ("does more than read (Create)", "--write")),
    "unknown model to remove": ("remove nobody", {}, 1, ("nobody", "bnnkg models")),
    "unknown model to train on": ("train --models nobody", {}, 1, ("nobody", "bnnkg models")),
    "nothing to train on": ("train", {}, 1, ("no model to train on", "bnnkg ingest")),
    "unknown target": ("train --target wisdom", {}, 1, ("wisdom", "postsynaptic_sign")),
    "two sources of one key": (
        "ingest {good} {twin}", {}, 2,
        ("both be the model 'good'", "{twin}", "--manifest"),
    ),
    "no source": ("ingest", {}, 2, ("nothing to ingest", "name a file")),
    "a manifest that is away": (
        "ingest --manifest {file}x", {}, 2,
        ("manifest cannot be read", "{file}x"),
    ),
    "a manifest of other columns": (
        "ingest --manifest {file}", {}, 2,
        ("other columns", "source, name", "what"),
    ),
    "a name that ends no property": (
        "annotate r --as Upper", {}, 2,
        ("cannot end a property", "'Upper'"),
    ),
    "another form": ("export m --format csv --out x", {}, 2, ("not written", "hetero", "csv")),
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("files")
    (path / "other").mkdir()
    (path / "file").write_text("what,ever\n1,2\n")
    return {
        "good": str(folder(path / "good", net=GOOD)),
        "twin": str(folder(path / "other" / "good", net=GOOD)),
        "file": str(path / "file"),
    }


@pytest.mark.parametrize("case", FAILURES)
def test_a_command_that_cannot_work(
    case: str, bnnkg: Command, files: dict[str, str], driver: neo4j.Driver, empty: None
) -> None:
    import shlex

    line, environment, code, words = FAILURES[case]
    told = bnnkg(
        *shlex.split(line.format(**files)), **{k: v.format(**files) for k, v in environment.items()}
    )
    assert (told.returncode, told.stdout) == (code, ""), told.stderr
    assert "Traceback" not in told.stderr
    for word in words:
        assert word.format(**files) in told.stderr
    assert ask(driver, "MATCH (n) WHERE NOT n:Store RETURN count(n)")[0][0] in (
        (0,) if case != "no room for the catalogue" else range(100)
    )


def test_a_wrong_password_is_told_and_never_shown(
    bnnkg: Command, settings: Settings, driver: neo4j.Driver
) -> None:
    from bnnkg.store.server import status

    address = str(status(settings.home).uri)
    told = bnnkg("models", BNNKG_DB=address, BNNKG_PASSWORD="open sesame")
    assert told.returncode == 1
    assert "sesame" not in told.stdout + told.stderr
    assert address.partition("://")[2] in told.stderr
    assert "BNNKG_PASSWORD" in told.stderr


def test_a_bad_source_changes_nothing_of_a_good_one(
    settings: Settings, driver: neo4j.Driver, empty: None, tmp_path: Path
) -> None:
    """What is in the graph stays where its source is broken afterwards."""
    source = folder(tmp_path / "m", net=GOOD)
    ingest([str(source)], settings=settings)
    before = dump(driver)
    folder(source, net=GOOD[:300])
    assert ingest([str(source)], settings=settings).exit_code == 1
    assert dump(driver) == before
