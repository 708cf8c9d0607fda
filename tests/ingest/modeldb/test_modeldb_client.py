"""Entries of ModelDB, from the server and from the cache."""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bnnkg.errors import SourceError, UsageError
from bnnkg.ingest.modeldb import EVERY_ACCESSION, ModelDB, TermRef, read_accession
from conftest import Client
from modeldb_server import ModelDBServer, objects, page, paper_form, serving, status

DAY_S = 86_400


def age(folder: Path, days: float) -> None:
    """Makes everything in a cache so much older."""
    for path in [*folder.rglob("*.json")]:
        stored = json.loads(path.read_text())
        for name in {"fetched_at", "checked_at"} & set(stored):
            stored[name] -= days * DAY_S
        path.write_text(json.dumps(stored))


def test_an_entry_has_its_papers_and_its_species(client: Client, server: ModelDBServer) -> None:
    entry = client().entry("26997")
    assert entry.citation == "Doe J, Roe R (2001). Leaks of cells. J Leaks. 12:34-56"
    assert entry.doi == "10.1000/leaks.2001.12"
    assert entry.terms[:2] == (
        TermRef("species", "Mouse", "115956"),
        TermRef("region", "Olfactory bulb", "115946"),
    )


def test_several_papers_are_lines_and_the_first_doi_counts(
    client: Client, server: ModelDBServer
) -> None:
    server.add(1, model_paper=objects((1, "Old (1990)"), (7001, "D"), (3, "C (1991)"), (4, "x")))
    server.forms["papers/1"] = paper_form(1, doi=None, title={"value": "Old"})
    server.forms["papers/4"] = paper_form(4, doi={"value": "10.1000/other"})
    entry = client().entry("1")
    assert (entry.citation or "").splitlines() == [
        "Doe J, Roe R (2001). Old. J Leaks. 12:34-56",
        "Doe J, Roe R (2001). Leaks of cells. J Leaks. 12:34-56",
        "C (1991)",  # ModelDB has no form of it
        "Doe J, Roe R (2001). Leaks of cells. J Leaks. 12:34-56",
    ]
    assert entry.doi == "10.1000/leaks.2001.12"


def test_an_entry_without_papers_has_the_citation_that_was_given(
    client: Client, server: ModelDBServer
) -> None:
    server.add(1, model_paper=None, _citation_text="Doe (2001), write to d@example.org")
    assert client().entry("1").citation == "Doe (2001), write to [address removed]"


def test_a_region_of_which_modeldb_knows_nothing_stays_a_region(
    client: Client, server: ModelDBServer
) -> None:
    server.add(1, region=objects((5, "Lobe")))
    assert client().entry("1").terms[0] == TermRef("region", "Lobe", "5")


def test_accessions_are_those_of_all_models(client: Client, server: ModelDBServer) -> None:
    server.add(300)
    server.add(4)
    assert client().accessions() == ["4", "300", "26997"]


def test_nobody_is_in_the_cache(client: Client, server: ModelDBServer, tmp_path: Path) -> None:
    modeldb = client()
    modeldb.accessions()
    modeldb.download("26997")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"accessions.json", "entry.json", "file.json", "26997.zip"} <= names
    secrets = [b"jane", b"submitter", b"implementer", b"$2b$", b"@example", b"at example.org]"]
    for path in files:
        content = path.read_bytes().lower()
        assert not [secret for secret in secrets if secret in content], path


def test_the_cache_is_good_for_a_week(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    entry = client().entry("26997")
    asked = len(server.requests)
    age(tmp_path, 6.9)
    assert client().entry("26997") == entry
    assert len(server.requests) == asked
    server.forms["models/26997"]["name"] = "Another name"
    age(tmp_path, 0.2)
    assert client().entry("26997").name == "Another name"


def test_without_the_network_an_old_entry_serves_and_says_so(
    client: Client, server: ModelDBServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = client().download("26997")
    age(tmp_path, 30)
    server.fail("/api/v1/models/26997", *[status(502)] * 4)
    with caplog.at_level(logging.WARNING):
        assert client().download("26997") == replace(found, from_cache=True)
    assert "what the cache holds since 30 days is used instead: status 502" in caplog.text


def test_a_model_that_was_withdrawn_is_not_served_from_the_cache(
    client: Client, server: ModelDBServer
) -> None:
    client().entry("26997")
    del server.forms["models/26997"]
    with pytest.raises(SourceError, match="no public model 26997"):
        client(max_age_s=0).entry("26997")


def test_what_came_broken_is_not_kept(client: Client, server: ModelDBServer) -> None:
    server.fail("/api/v1/papers/7001", page())
    with pytest.raises(SourceError, match="no JSON"):
        client().entry("26997")
    assert client().entry("26997").doi == "10.1000/leaks.2001.12"


def test_offline_the_cache_serves_at_any_age_and_nobody_is_asked(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    online = client()
    found, accessions = online.download("26997"), online.accessions()
    age(tmp_path, 1000)
    asked = len(server.requests)
    offline = client(offline=True)
    assert offline.download("26997") == replace(found, from_cache=True)
    assert offline.accessions() == accessions
    for missing in (lambda: offline.entry("5"), lambda: offline.download("5")):
        with pytest.raises(SourceError, match="no server is to be asked"):
            missing()
    found.archive.write_bytes(b"changed")
    with pytest.raises(SourceError, match="not in the cache, and no server"):
        offline.download("26997")
    assert len(server.requests) == asked


def test_every_server_has_a_cache_of_its_own(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    here = client().download("26997")
    with serving(ModelDBServer()) as other:
        other.add(26997, name="A copy")
        there = client(base_url=other.url + "/").download("26997")
        assert client(base_url=other.url).download("26997").from_cache
    assert there.archive != here.archive
    assert there.entry.name == "A copy"


@pytest.mark.parametrize(
    "stored",
    ["", "{", "[1]", "{}", '{"fetched_at": 9e99}', '{"fetched_at": "x", "value": {}}',
     '{"fetched_at": NaN, "value": {"accession": "26997", "name": "old", "terms": []}}',
     '{"fetched_at": %s, "value": {"name": 5, "accession": "26997", "terms": []}}',
     '{"fetched_at": %s, "value": {"accession": "26997", "name": "x", "terms": [{"name": "y"}]}}',
     '{"fetched_at": %s, "value": {"accession": "26997", "name": "x", "terms": [], "more": 1}}'],
)  # fmt: skip
def test_a_broken_cache_is_asked_for_anew(
    client: Client, server: ModelDBServer, tmp_path: Path, stored: str
) -> None:
    entry = client().entry("26997")
    (path,) = tmp_path.rglob("entry.json")
    path.write_text(stored.replace("%s", str(time.time())))
    assert client().entry("26997") == entry


def test_the_cache_may_be_moved_and_emptied(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    client().download("26997")
    shutil.rmtree(tmp_path / "cache")
    assert not client().download("26997").from_cache


@pytest.mark.parametrize(
    "text",
    ["modeldb:", "modeldb:-1", "modeldb:0", "modeldb:007", "modeldb:2 ", "modeldb:ALL", "26997",
     "modeldb:../1", "modeldb:\u0661", "modeldb:1234567890", "ModelDB:2", "modeldb:2\n"],
)  # fmt: skip
def test_an_accession_is_a_number(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no accession of ModelDB"):
        read_accession(text)
    with ModelDB(base_url="http://127.0.0.1:1", cache=tmp_path) as modeldb:
        for ask in (modeldb.entry, modeldb.download):
            accession = text.removeprefix("modeldb:") if text != "26997" else "26997 "
            with pytest.raises(UsageError, match="no accession of ModelDB"):
                ask(accession)
    assert not list(tmp_path.iterdir())


def test_accessions_are_written_so() -> None:
    assert read_accession("modeldb:26997") == "26997"
    assert read_accession("modeldb:all") == EVERY_ACCESSION
