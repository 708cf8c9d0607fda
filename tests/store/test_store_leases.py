"""What others left unfinished: removed when its writer is gone, left alone while it lives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import neo4j
import pytest
from store_graphs import a_run, dump, model_uid, small_model, some_scores

from bnnkg.store import Store
from bnnkg.store.lease import is_dead, now_ms, signed
from bnnkg.store.server import read_password, status

HERE = Path(__file__).parent
CHILD = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from bnnkg.store import Store
from store_graphs import small_model
uri, password, key, cells = sys.argv[1:5]
with Store.open(uri, password=password) as store:
    print("open", flush=True)
    sys.stdin.readline()
    model = small_model(key, cells=tuple(cells.split(",")), n_neurons=300, n_synapses=900)
    print(store.load_model(model).status, flush=True)
"""


@pytest.fixture
def gone() -> str:
    """The signature of a process of this host that has ended."""
    with signed() as owner:
        host = owner.split("|")[0]
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{host}|{process.pid}|1.00|0"


def _leave(driver: neo4j.Driver, key: str, owner: str, until_ms: int) -> str:
    """A model as a writer leaves it that was killed when half its nodes were written."""
    uid = model_uid(key, "v1")
    driver.execute_query(
        "CREATE (m:Model {uid: $m, key: $key, version: 'v1', status: 'loading', "
        "lease_owner: $owner, lease_until_ms: $until}) "
        "CREATE (m)-[:DEFINES {uid: $m + 'd', id: 'x', path: ''}]->"
        "(c:Cell {uid: 'cx', name: 'x', n_compartments: 1})-[:HAS_COMPARTMENT]->"
        "(:Compartment {uid: 'cx/0'}) "
        "CREATE (:Neuron {uid: $m + '/n', model_uid: $m})-[:INSTANCE_OF]->(c)",
        m=uid,
        key=key,
        owner=owner,
        until=until_ms,
    )
    return uid


def _reopen(home: Path) -> None:
    Store.open(home).close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_dead_are_told_from_the_living(gone: str) -> None:
    soon, past = now_ms() + 60_000, now_ms() - 1
    assert is_dead("", soon)
    assert is_dead(None, None)
    assert is_dead(gone, soon)
    assert is_dead("elsewhere|1|1.00|0", past)
    assert not is_dead("elsewhere|1|1.00|0", soon)
    with signed() as mine:
        assert not is_dead(mine, past)
        host = mine.split("|")[0]
    assert is_dead(mine, soon)
    # the start of a process, in ticks, is field 22 of /proc/PID/stat (proc(5))
    stat = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()
    assert not is_dead(f"{host}|{os.getppid()}|{float(stat[22 - 3])}|0", past)
    assert is_dead(f"{host}|{os.getppid()}|{float(stat[22 - 3]) + 1}|0", past)


def test_a_dead_load_is_removed_when_the_store_is_opened(
    store: Store, neo4j_home: Path, driver: neo4j.Driver, gone: str
) -> None:
    store.load_model(small_model("b"))
    before = dump(driver)
    _leave(driver, "a", gone, now_ms() + 60_000)
    Store.open(neo4j_home, write=False).close()
    assert dump(driver) != before
    _reopen(neo4j_home)
    assert dump(driver) == before


def test_a_load_in_progress_elsewhere_is_left_alone(
    store_lts: Store, neo4j_home_lts: Path, driver_lts: neo4j.Driver
) -> None:
    _leave(driver_lts, "a", "elsewhere|1|1.00|0", now_ms() + 60_000)
    before = dump(driver_lts)
    _reopen(neo4j_home_lts)
    assert dump(driver_lts) == before
    driver_lts.execute_query("MATCH (m:Model) SET m.lease_until_ms = 1")
    _reopen(neo4j_home_lts)
    assert dump(driver_lts) == ([], [])


def test_loading_what_a_dead_process_left_half_loads_it_whole(
    store_lts: Store, driver_lts: neo4j.Driver, gone: str
) -> None:
    store_lts.load_model(small_model("a"))
    expected = dump(driver_lts)
    store_lts.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    _leave(driver_lts, "a", gone, now_ms() + 60_000)
    assert store_lts.load_model(small_model("a")).status == "loaded"
    assert dump(driver_lts) == expected


def test_a_replaced_version_that_nobody_removed_goes(
    store_lts: Store, neo4j_home_lts: Path, driver_lts: neo4j.Driver, gone: str
) -> None:
    store_lts.load_model(small_model("b"))
    before = dump(driver_lts)
    store_lts.load_model(small_model("a"))
    driver_lts.execute_query(
        "MATCH (m:Model {key: 'a'}) SET m.status = 'superseded', m.lease_owner = $o, "
        "m.lease_until_ms = 1",
        o=gone,
    )
    _reopen(neo4j_home_lts)
    assert dump(driver_lts) == before


def test_a_dead_annotation_is_taken_back(
    store: Store, neo4j_home: Path, driver: neo4j.Driver, gone: str
) -> None:
    model = small_model("a")
    store.load_model(model)
    before = dump(driver)
    store.write_attention(a_run(), some_scores(model), name="x")
    driver.execute_query(
        "MATCH (r:AttentionRun) SET r.status = 'writing', r.lease_owner = $o, r.lease_until_ms = 1",
        o=gone,
    )
    _reopen(neo4j_home)
    assert dump(driver) == before


def _spawn(home: Path, key: str, cells: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(status(home).uri), read_password(home), key, cells]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _start(home: Path, key: str, cells: str) -> subprocess.Popen[str]:
    child = _spawn(home, key, cells)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    return child


def _go(*children: subprocess.Popen[str]) -> list[str]:
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    return [child.communicate(timeout=120)[0].strip() for child in children]


def test_two_processes_load_models_that_share_cells_at_once(
    store_lts: Store, neo4j_home_lts: Path, driver_lts: neo4j.Driver
) -> None:
    sizes = {"n_neurons": 300, "n_synapses": 900}
    store_lts.load_model(small_model("a", cells=("c1", "c2"), **sizes))
    store_lts.load_model(small_model("b", cells=("c2", "c3"), **sizes))
    expected = dump(driver_lts)
    store_lts.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    children = _start(neo4j_home_lts, "a", "c1,c2"), _start(neo4j_home_lts, "b", "c2,c3")
    assert _go(*children) == ["loaded", "loaded"]
    assert dump(driver_lts) == expected


def test_two_processes_load_the_same_model_at_once(
    store_lts: Store, neo4j_home_lts: Path, driver_lts: neo4j.Driver
) -> None:
    store_lts.load_model(small_model("a", n_neurons=300, n_synapses=900))
    expected = dump(driver_lts)
    store_lts.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    children = _start(neo4j_home_lts, "a", "c1"), _start(neo4j_home_lts, "a", "c1")
    assert sorted(_go(*children)) == ["loaded", "unchanged"]
    assert dump(driver_lts) == expected


def test_two_processes_make_an_empty_database_ready_at_once(
    store_lts: Store, neo4j_home_lts: Path, driver_lts: neo4j.Driver
) -> None:
    driver_lts.execute_query("MATCH (s:Store) DELETE s")
    for name, kind in driver_lts.execute_query(
        "SHOW INDEXES YIELD name, owningConstraint, type WHERE type = 'RANGE' "
        "RETURN name, owningConstraint IS NOT NULL"
    ).records:
        driver_lts.execute_query(f"DROP {'CONSTRAINT' if kind else 'INDEX'} {name}")
    children = [_spawn(neo4j_home_lts, key, key) for key in "ab"]
    assert [lines.split() for lines in _go(*children)] == [["open", "loaded"]] * 2
    assert driver_lts.execute_query("MATCH (s:Store) RETURN count(s)").records[0][0] == 1
