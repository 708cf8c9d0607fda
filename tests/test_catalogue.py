"""The catalogue, on SQLite and on PostgreSQL."""

import multiprocessing
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bnnkg.catalogue import CATALOGUE_VERSION, Artefact, Catalogue, SourceEntry
from bnnkg.catalogue.catalogue import name_after
from bnnkg.errors import CatalogueError, UnknownRunError

REPORT = {
    "files": [{"path": "worm/net.nml", "status": "loaded", "reason": "", "elements": {}}],
    "models": [
        {"source": "worm", "model": "worm@12ab", "tier": "static", "status": "partial",
         "reason": "an include leads nowhere", "missing": ["net.nml: a.nml"]},
        {"source": "README", "model": None, "tier": "static", "status": "skipped",
         "reason": "not a model", "missing": []},
    ],
    "totals": {"nodes": {"Model": 1}, "edges": {}},
}  # fmt: skip


@pytest.fixture(scope="session")
def postgresql_url():
    """A PostgreSQL server of the tests' own, where one is installed."""
    programs = {name: _find_program(name) for name in ("initdb", "pg_ctl")}
    if None in programs.values():
        pytest.skip("no PostgreSQL server is installed (initdb, pg_ctl)")
    folder = Path(tempfile.mkdtemp(prefix="bnnkg-postgresql-"))
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)

    def call(program, *arguments):
        command = [programs[program], "-D", str(folder / "data"), *arguments]
        with (folder / "log").open("a") as log:
            subprocess.run(command, check=True, user=user, stdout=log, stderr=log, cwd=folder)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    call("initdb", "--username=tester", "--auth=trust", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
    call("pg_ctl", "--wait", "--silent", "-o", options, "start")
    try:
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "--mode=immediate", "--silent", "stop")
        shutil.rmtree(folder)


def _find_program(name):
    found = shutil.which(name)
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(debian[-1]) if debian else None)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty catalogue's URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'catalogue.sqlite'}"
    server = request.getfixturevalue("postgresql_url")
    engine = sa.create_engine(server.replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = f"t{os.urandom(6).hex()}"
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.replace("/postgres", f"/{name}")


def start(catalogue, store_id="store-1"):
    return catalogue.start_run(
        store_id=store_id,
        config={"epochs": 10, "models": ["worm"]},
        seed=7,
        seeds=3,
        models=[{"uid": "abc", "key": "worm"}],
    )


def test_a_run_is_found_again_in_a_new_process(url):
    before = datetime.now(UTC)
    with Catalogue.open(url) as catalogue:
        run_id = start(catalogue)
    with Catalogue.open(url) as catalogue:
        run = catalogue.run(run_id)
    assert run.id == run_id
    assert (run.status, run.seed, run.seeds, run.split) == ("running", 7, 3, None)
    assert run.config == {"epochs": 10, "models": ["worm"]}
    assert run.models == [{"uid": "abc", "key": "worm"}]
    assert (run.metrics, run.artefacts) == ({}, ())
    assert before <= run.created <= datetime.now(UTC)
    assert run.updated == run.created


def test_an_update_keeps_what_it_does_not_name(url):
    with Catalogue.open(url) as catalogue:
        run_id = start(catalogue)
        catalogue.update_run(
            run_id,
            split="families",
            metrics={"held_out": {"auroc": 0.83}, "agreement": 0.4},
            artefacts=[Artefact("a/one.pt", "0" * 64), Artefact("a/two.pt", "1" * 64)],
        )
        catalogue.update_run(
            run_id,
            status="done",
            metrics={"agreement": 0.5},
            artefacts=[Artefact("a/two.pt", "2" * 64)],
        )
        run = catalogue.run(run_id)
    assert (run.status, run.split) == ("done", "families")
    assert run.metrics == {"held_out": {"auroc": 0.83}, "agreement": 0.5}
    assert run.artefacts == (Artefact("a/one.pt", "0" * 64), Artefact("a/two.pt", "2" * 64))
    assert run.updated > run.created


def test_a_score_that_is_undefined_is_absent(url):
    with Catalogue.open(url) as catalogue:
        run_id = start(catalogue)
        catalogue.update_run(run_id, metrics={"curves": [1.5, float("nan"), float("inf")]})
        assert catalogue.run(run_id).metrics == {"curves": [1.5, None, None]}


def test_runs_are_listed_oldest_first_and_by_store(url):
    with Catalogue.open(url) as catalogue:
        ids = [start(catalogue, store) for store in ("a", "b", "a")]
        assert [run.id for run in catalogue.runs()] == ids
        assert [run.id for run in catalogue.runs("a")] == [ids[0], ids[2]]
        assert catalogue.runs("c") == ()


def test_an_unknown_run_is_told_with_the_known_ones(url):
    with Catalogue.open(url) as catalogue:
        with pytest.raises(UnknownRunError, match="bnnkg train makes one"):
            catalogue.run("nope")
        run_id = start(catalogue)
        with pytest.raises(UnknownRunError, match=run_id):
            catalogue.run("nope")
        with pytest.raises(UnknownRunError):
            catalogue.update_run("nope", status="done")


def test_an_ingest_keeps_its_report(url):
    with Catalogue.open(url) as catalogue:
        first = catalogue.record_ingest(store_id="a", sources=["worm", "README"], report=REPORT)
        second = catalogue.record_ingest(store_id="b", sources=[], report={**REPORT, "models": []})
        ingests = catalogue.ingests()
        assert [ingest.id for ingest in ingests] == [first, second]
        assert [ingest.id for ingest in catalogue.ingests("b")] == [second]
    assert ingests[0].report == REPORT
    assert ingests[0].sources == ["worm", "README"]
    assert ingests[0].models[0] == {
        "source": "worm", "model": "worm@12ab", "tier": "static", "status": "partial",
        "reason": "an include leads nowhere",
    }  # fmt: skip
    assert ingests[0].models[1]["model"] is None


def told(**values):
    return SourceEntry(
        **{
            "store_id": "a", "key": "2488", "source": "modeldb:2488", "fingerprint": "f",
            "model": None, "tier": "static", "status": "failed", "cause": "no entry",
            "reason": "none of 3 entries loads", **values,
        }
    )  # fmt: skip


def test_the_last_word_on_a_source_is_kept(url):
    with Catalogue.open(url) as catalogue:
        for entry in (
            told(),
            told(key="1"),
            told(store_id="b"),
            told(status="loaded", model="m@1"),
        ):
            catalogue.tell_source(entry)
    with Catalogue.open(url) as catalogue:
        assert catalogue.sources("a") == (told(key="1"), told(status="loaded", model="m@1"))
        assert catalogue.sources("b") == (told(store_id="b"),)
        assert catalogue.sources("c") == ()


def test_a_catalogue_of_the_first_version_gets_what_it_lacks(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    with Catalogue.open(url) as catalogue:
        run_id = start(catalogue)
    engine = sa.create_engine(url)
    with engine.begin() as connection:  # as version 1 left it
        connection.execute(sa.text("DROP TABLE sources"))
        connection.execute(sa.text("DELETE FROM catalogue_version"))
        connection.execute(sa.text("INSERT INTO catalogue_version VALUES (1)"))
    engine.dispose()
    with Catalogue.open(url) as catalogue:
        catalogue.tell_source(told())
        assert catalogue.sources("a") == (told(),)
        assert [run.id for run in catalogue.runs()] == [run_id]


def work_beside_others(url, n_runs):
    with Catalogue.open(url) as catalogue:
        for _ in range(n_runs):
            run_id = start(catalogue)
            catalogue.update_run(run_id, metrics={"a": 1})
            catalogue.update_run(run_id, status="done", metrics={"b": 2})


def test_several_processes_write_at_once(url):
    """From the first open on: nobody fails, nothing is lost, no id is given twice."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work_beside_others, args=(url, 8)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Catalogue.open(url) as catalogue:
        runs = catalogue.runs()
    assert len({run.id for run in runs}) == 24
    assert {(run.status, run.metrics["a"], run.metrics["b"]) for run in runs} == {("done", 1, 2)}


def tell_metrics(url, run_id, name):
    with Catalogue.open(url) as catalogue:
        for step in range(10):
            catalogue.update_run(run_id, metrics={f"{name}{step}": step})


def test_what_several_processes_tell_of_one_run_is_kept(url):
    with Catalogue.open(url) as catalogue:
        run_id = start(catalogue)
    context = multiprocessing.get_context("spawn")
    tellers = [context.Process(target=tell_metrics, args=(url, run_id, name)) for name in "abc"]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join()
    with Catalogue.open(url) as catalogue:
        metrics = catalogue.run(run_id).metrics
    assert metrics == {f"{name}{step}": step for name in "abc" for step in range(10)}


def test_a_newer_catalogue_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "catalogue.sqlite"
    url = f"sqlite:///{path}"
    Catalogue.open(url).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE catalogue_version SET version = ?", [CATALOGUE_VERSION + 1])
    connection.close()
    content = path.read_bytes()
    with pytest.raises(CatalogueError, match="a newer bnnkg made this catalogue"):
        Catalogue.open(url)
    assert path.read_bytes() == content


def test_reading_makes_no_file(tmp_path):
    path = tmp_path / "folder" / "catalogue.sqlite"
    with Catalogue.open(f"sqlite:///{path}", create=False) as catalogue:
        assert catalogue.runs() == ()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "this is no URL of a catalogue"),
        ("nosuchdatabase://host/name", "this is no URL of a catalogue"),
        ("oracle+cx_oracle://host/name", "not installed"),
        ("sqlite:////proc/no/catalogue.sqlite", "folder of the catalogue cannot be made"),
        ("sqlite:////proc/version", "the catalogue cannot be used"),
        ("postgresql://me:s3cret@127.0.0.1:9/name", "the catalogue cannot be used"),
    ],
)
def test_a_catalogue_that_cannot_be_opened_is_told(url, told):
    with pytest.raises(CatalogueError, match=told) as caught:
        Catalogue.open(url)
    assert "s3cret" not in str(caught.value)


def test_the_last_moment_of_a_day_is_its_last_id():
    assert name_after(datetime(2026, 11, 24, tzinfo=UTC)) == "20261124-0000"
    assert name_after(datetime(2026, 11, 24, 0, 0, 2, tzinfo=UTC)) == "20261124-0012"  # 38 ticks
    last = datetime(2026, 11, 24, 23, 59, 59, 999999, tzinfo=UTC)
    assert "20261124-zm00" < name_after(last) < "20261124-zzzz"


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2099, 1, 1)), st.integers(1))
def test_ids_sort_as_their_times_do(moment, later_ms):
    """An id is its day and time of day, so a list by id is a list by time."""
    moment = moment.replace(tzinfo=UTC)
    later = moment + timedelta(milliseconds=min(later_ms, 10**10))
    assert name_after(moment) <= name_after(later)
    assert name_after(moment)[:9] == f"{moment:%Y%m%d}-"
    assert len(name_after(moment)) == 13
    if later - moment > timedelta(milliseconds=52):
        assert name_after(moment) < name_after(later)
