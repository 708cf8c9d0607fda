"""Start, stop and status of real servers, and what kills and other processes do to them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import neo4j
import psutil
import pytest

from bnnkg.errors import ServerError, StoreVersionError
from bnnkg.store.server import ServerStatus, read_password, start, status, stop
from bnnkg.store.server.home import HomeFolder, hold_lock, read_record
from bnnkg.store.server.processes import created

START = (
    "import sys, pathlib; from bnnkg.store.server import start; start(pathlib.Path(sys.argv[1]))"
)
NEWEST, LTS = "2026.08.1", "5.26.30"


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def run_cypher(home: Path, query: str) -> list[object]:
    uri = status(home).uri
    assert uri is not None
    with neo4j.GraphDatabase.driver(uri, auth=("neo4j", read_password(home))) as driver:
        return [record.values()[0] for record in driver.execute_query(query).records]


def kill(pid: int) -> None:
    """As kill -9 and a breath: a process takes a moment to die."""
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: created(pid) is None)


def processes_of(home: Path) -> list[int]:
    """All living processes with the folder on their command line: keepers and servers."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
            words = process.info["cmdline"] or []
            if any(str(home) in word for word in words):
                found.append(process.pid)
    return found


def test_a_new_folder_is_stopped_and_stop_does_nothing(home: Path) -> None:
    expected = ServerStatus("stopped", None, None, None, None, home)
    assert status(home) == expected
    assert stop(home) == expected
    assert not home.exists()


@pytest.mark.parametrize("version", [LTS, NEWEST])
def test_start_answers_on_bolt_and_http(server_home: Callable[[str], Path], version: str) -> None:
    home = server_home(version)
    running = status(home)
    assert (running.state, running.version) == ("running", version)
    assert run_cypher(home, "CALL dbms.components() YIELD name, versions RETURN versions[0]")[
        0
    ] == (version)
    assert running.http is not None
    with urllib.request.urlopen(running.http) as page:
        assert b"Neo4j Browser" in page.read()
    assert start(home) == running


@pytest.mark.parametrize("version", [LTS, NEWEST])
def test_it_listens_on_the_loopback_alone(server_home: Callable[[str], Path], version: str) -> None:
    java = psutil.Process(status(server_home(version)).pid)
    listening = [c for c in java.net_connections() if c.status == psutil.CONN_LISTEN]
    assert len(listening) == 2
    assert {c.laddr.ip.removeprefix("::ffff:") for c in listening} == {"127.0.0.1"}


def test_the_password_is_secret(server_home: Callable[[str], Path]) -> None:
    home = server_home(LTS)
    assert HomeFolder(home).password.stat().st_mode & 0o777 == 0o600
    password = read_password(home)
    assert len(password) >= 16
    wrong = neo4j.GraphDatabase.driver(status(home).uri or "", auth=("neo4j", password + "x"))
    with wrong, pytest.raises(neo4j.exceptions.AuthError):
        wrong.verify_connectivity()
    for log in HomeFolder(home).logs.iterdir():
        assert password not in log.read_text(errors="replace")


@pytest.mark.parametrize("version", [LTS, NEWEST])
def test_load_csv_reads_no_file(server_home: Callable[[str], Path], version: str) -> None:
    with pytest.raises(
        neo4j.exceptions.Neo4jError, match=r"allow_csv_import_from_file_urls|disabled"
    ):
        run_cypher(server_home(version), "LOAD CSV FROM 'file:///etc/hostname' AS row RETURN row")


def test_stop_returns_at_once_and_a_start_meanwhile_waits(used: Path) -> None:
    first = start(used)
    run_cypher(used, "MERGE (:Kept) RETURN 1")
    asked = stop(used)
    assert (asked.state, asked.uri, asked.pid) == ("stopped", None, first.pid)
    second = start(used)
    assert second.pid != first.pid
    assert second.uri == first.uri, "the Browser keeps what it saved by its address"
    assert run_cypher(used, "MATCH (n:Kept) RETURN count(n)") == [1]
    stop(used, wait=True)
    assert processes_of(used) == []
    assert not HomeFolder(used).record.exists()


def test_two_commands_at_once_share_one_server(used: Path) -> None:
    stop(used, wait=True)
    commands = [subprocess.Popen([sys.executable, "-c", START, used]) for _ in range(2)]
    assert [command.wait(120) for command in commands] == [0, 0]
    assert len(processes_of(used)) == 2, "one keeper and one server"
    assert run_cypher(used, "RETURN 1") == [1]


def test_it_stops_by_itself_but_not_under_a_client(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(used, wait=True)
    monkeypatch.setenv("BNNKG_IDLE_SECONDS", "2")
    running = start(used)
    assert running.uri is not None
    assert running.http is not None
    with neo4j.GraphDatabase.driver(running.uri, auth=("neo4j", read_password(used))) as driver:
        driver.verify_connectivity()
        time.sleep(3)
        assert status(used).state == "running"
    address = ("127.0.0.1", int(running.http.split(":")[2].split("/")[0]))
    with socket.create_connection(address):  # an open Browser
        time.sleep(3)
        assert status(used).state == "running"
    wait_until(lambda: not processes_of(used), 30)
    assert status(used).state == "stopped"


def test_a_killed_server_is_started_again(used: Path) -> None:
    first = start(used)
    run_cypher(used, "MERGE (:Kept) RETURN 1")
    assert first.pid is not None
    kill(first.pid)
    second = start(used)
    assert second.pid != first.pid
    assert run_cypher(used, "MATCH (n:Kept) RETURN count(n)") == [1]


def test_a_killed_keeper_leaves_no_server(used: Path) -> None:
    first = start(used)
    record = read_record(HomeFolder(used))
    assert record is not None
    kill(record.keeper.pid)
    second = start(used)
    assert second.pid != first.pid
    assert len(processes_of(used)) == 2
    assert run_cypher(used, "RETURN 1") == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_server_without_its_keeper_ends(used: Path) -> None:
    java = start(used).pid
    record = read_record(HomeFolder(used))
    assert java is not None
    assert record is not None
    kill(record.keeper.pid)
    wait_until(lambda: created(java) is None)
    assert status(used).state == "stopped"


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [moment / 4 for moment in range(12)])
def test_a_start_killed_at_any_moment_is_recovered(home: Path, after_s: float) -> None:
    command = subprocess.Popen([sys.executable, "-c", START, home])
    wait_until(HomeFolder(home).record.exists)
    time.sleep(after_s)
    command.kill()
    command.wait()
    for pid in processes_of(home):
        kill(pid)
    start(home)
    assert run_cypher(home, "RETURN 1") == [1]


def test_the_server_outlives_a_killed_command(used: Path) -> None:
    stop(used, wait=True)
    HomeFolder(used).record.unlink(missing_ok=True)  # one that a kill left
    command = subprocess.Popen([sys.executable, "-c", START, used])
    wait_until(HomeFolder(used).record.exists)
    command.kill()
    command.wait()
    wait_until(lambda: status(used).state == "running")
    assert run_cypher(used, "RETURN 1") == [1]


def test_a_stale_record_names_nobody(used: Path) -> None:
    start(used)
    folder = HomeFolder(used)
    stale = json.loads(folder.record.read_text())
    stop(used, wait=True)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        stale["keeper"]["pid"] = stale["java"]["pid"] = bystander.pid
        folder.record.write_text(json.dumps(stale))
        assert status(used).state == "stopped"
        assert stop(used, wait=True).state == "stopped"
        lock = hold_lock(folder)  # as a keeper that has written nothing yet
        assert lock is not None
        assert status(used).state == "stopped"
        stop(used)
        os.close(lock)
        assert start(used).pid != bystander.pid
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"java": null}'])
def test_a_broken_record_is_no_record(home: Path, text: str) -> None:
    home.mkdir()
    HomeFolder(home).record.write_text(text)
    assert read_record(HomeFolder(home)) is None
    assert status(home).state == "stopped"


def test_a_taken_port_is_replaced(used: Path) -> None:
    first = start(used)
    stop(used, wait=True)
    assert first.uri is not None
    with socket.create_server(("127.0.0.1", int(first.uri.rpartition(":")[2]))):
        second = start(used)
        assert second.uri != first.uri
        assert second.http == first.http
        assert run_cypher(used, "RETURN 1") == [1]


@pytest.mark.slow
def test_a_deleted_folder_takes_its_server_along(home: Path, tmp_path: Path) -> None:
    start(home)
    moved = home.rename(tmp_path / "elsewhere")
    wait_until(lambda: not processes_of(home), 30)
    assert status(moved).state == "stopped"


def test_a_newer_database_is_refused_untouched(home: Path) -> None:
    start(home, version=NEWEST)
    stop(home, wait=True)
    store = HomeFolder(home).data
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    with pytest.raises(StoreVersionError, match=r"made by a newer version(.|\n)*2026\.08\.1"):
        start(home, version=LTS)
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before

    HomeFolder(home).version.unlink()  # as in a folder that somebody else's Neo4j made
    with pytest.raises(StoreVersionError, match="made by a newer version"):
        start(home, version=LTS)
    assert status(home).state == "stopped"


def test_a_folder_stays_with_the_version_that_opened_it(
    server_home: Callable[[str], Path],
) -> None:
    home = server_home(NEWEST)
    assert start(home).version == NEWEST
    with pytest.raises(ServerError, match=r"another version(.|\n)*bnnkg db stop"):
        start(home, version=LTS)
