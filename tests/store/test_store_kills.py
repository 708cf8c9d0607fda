"""``kill -9`` of a writer, and of the server, at random moments: nothing half, lost or orphaned."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drivers import drive
from store_graphs import dump, small_model

from bnnkg.store import Store
from bnnkg.store.server import read_password, start, status, stop

pytestmark = pytest.mark.slow

KILLS = range(10)
SIZES = {"n_neurons": 400, "n_synapses": 3000}
CHILD = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import bnnkg.store.batches
from bnnkg.store import Store
from store_graphs import a_run, small_model, some_scores
bnnkg.store.batches.MAX_WEIGHT = 2000
uri, password, work = sys.argv[1:4]
with Store.open(uri, password=password) as store:
    old = small_model("a", cells=("c1", "c2"), **{SIZES!r})
    new = small_model("a", "v2", cells=("c2", "c3"), **{SIZES!r})
    print("open", flush=True)
    if work == "ingest":
        store.load_model(old)
    elif work == "re-ingest":
        store.load_model(new)
    else:
        store.write_attention(a_run(), some_scores(old), name="x")
"""

Dump = tuple[list[Any], list[Any]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a server that these tests may kill."""
    home = tmp_path_factory.mktemp("killed") / "bnnkg.db"
    start(home)
    yield home
    stop(home, wait=True)


def _empty(home: Path) -> None:
    with Store.open(home) as store:
        store.write("MATCH (n) WHERE NOT n:Store CALL (n) { DETACH DELETE n } IN TRANSACTIONS")


def _before(home: Path, work: str) -> None:
    """The graph in which the work begins: a neighbour that shares a cell, and the old version."""
    _empty(home)
    with Store.open(home) as store:
        store.load_model(small_model("b", cells=("c2", "c4"), n_neurons=20, n_synapses=20))
        if work != "ingest":
            store.load_model(small_model("a", cells=("c1", "c2"), **SIZES))


def _dump(home: Path) -> Dump:
    with drive(home) as driver:
        return dump(driver)


def _child(home: Path, work: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(status(home).uri), read_password(home), work]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    return child


@pytest.fixture(scope="module", params=["ingest", "re-ingest", "annotate"])
def work(request: pytest.FixtureRequest, home: Path) -> tuple[str, Dump, Dump, float]:
    """A piece of work, the graph before and after it, and how long it takes."""
    _before(home, request.param)
    before = _dump(home)
    child = _child(home, request.param)
    began = time.monotonic()
    assert child.wait() == 0
    seconds = time.monotonic() - began
    child.communicate()
    return request.param, before, _dump(home), seconds


def _check(home: Path, name: str, before: Dump, after: Dump) -> None:
    """The next open finds the graph as before or as after; the next run completes it."""
    with Store.open(home):
        found = _dump(home)
    assert found in (before, after)
    child = _child(home, name)
    assert child.wait() == 0
    child.communicate()
    assert _dump(home) == after


@pytest.mark.parametrize("kill", KILLS)
def test_the_writer_is_killed(home: Path, work: tuple[str, Dump, Dump, float], kill: int) -> None:
    name, before, after, seconds = work
    _before(home, name)
    child = _child(home, name)
    time.sleep(random.Random(f"{name} {kill}").uniform(0, seconds))
    child.kill()
    child.communicate()
    _check(home, name, before, after)


@pytest.mark.parametrize("kill", KILLS)
def test_the_server_is_killed(home: Path, work: tuple[str, Dump, Dump, float], kill: int) -> None:
    name, before, after, seconds = work
    _before(home, name)
    child = _child(home, name)
    time.sleep(random.Random(f"server {name} {kill}").uniform(0, seconds))
    pid = status(home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    child.wait(timeout=60)
    child.communicate()
    start(home)
    _check(home, name, before, after)
