"""The small process that runs one Neo4j: starts it, watches for clients, stops it.

Run as `python -m bnnkg.store.server.keeper HOME VERSION REPORT`, where REPORT is the number of an
inherited pipe that is told, in one line of JSON, how the start went. The keeper holds the
folder's lock before it writes anything there, and Java inherits it: the folder is free only when
both are gone.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

from bnnkg.errors import ServerError, StoreError
from bnnkg.store.server import archives, configuration, reasons
from bnnkg.store.server.clients import seconds_since_last
from bnnkg.store.server.home import (
    HomeFolder,
    ServerRecord,
    hold_lock,
    holds_still,
    write_atomically,
    write_record,
)
from bnnkg.store.server.importing import empty_unfinished
from bnnkg.store.server.jars import Distribution, locate
from bnnkg.store.server.processes import die_with_parent, identify
from bnnkg.store.server.versions import choose_version

_log = logging.getLogger(__name__)

_IDLE_S = 15 * 60.0
_LOOK_EVERY_S = 5.0
_POLL_S = 0.05
# A new database takes 2 MB; on a full disk Neo4j neither starts nor ends.
_ROOM_TO_START, _ROOM_TO_GO_ON = 16 << 20, 64 << 10
_START_S = 300.0
_STOP_S = 60.0
_PORT_TRIES = 5
_LOCK_TRIES = 5
BOLT_GREETING = bytes.fromhex("6060b017" + "00000405" + "00000000" * 3)

Outcome = Literal["running", "busy", "stopped", "failed"]


class Keeper:
    """Runs one server from start to stop; the caller holds the lock."""

    def __init__(self, home: HomeFolder, distribution: Distribution, lock: int) -> None:
        self.home, self.distribution, self.lock = home, distribution, lock
        self.record = ServerRecord("starting", distribution.version, identify(os.getpid()))
        self.archives = archives.prepare(distribution)
        self.java: subprocess.Popen[bytes] | None = None
        self.stop_asked = False
        self.woken = threading.Event()
        write_record(home, self.record)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: self.woken.set())

    def _on_stop(self, *_: object) -> None:
        self.stop_asked = True
        self.woken.set()

    def start(self) -> Outcome:
        """Starts Neo4j and waits until Bolt and HTTP answer.

        Raises:
            ServerError: It ended instead, or did not answer in time.
        """
        reasons.refuse_full_disk(self.home, _ROOM_TO_START)
        empty_unfinished(self.home)
        write_atomically(self.home.version, self.distribution.version + "\n")
        configuration.set_password(self.home, self.distribution)
        for _ in range(_PORT_TRIES):
            bolt, http = configuration.choose_ports(self.home)
            configuration.write_configuration(self.home, bolt, http)
            self._start_java(bolt, http)
            if self._wait_until_ready(bolt, http):
                self._say("running")
                return "running"
            if self.stop_asked:
                return "stopped"
            if not reasons.is_taken_port(self._output()):
                break
            configuration.forget_ports(self.home)
        raise reasons.explain(self.home, self.distribution.version, self._output())

    def _start_java(self, bolt: int, http: int) -> None:
        command = configuration.server_command(self.home, self.distribution, self.archives.options)
        self.home.logs.joinpath("neo4j.log").unlink(missing_ok=True)
        with self.home.logs.joinpath("java.log").open("w") as log:
            self.java = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=configuration.java_environment(self.home),
                cwd=self.home.root,
                pass_fds=[self.lock],
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),
            )
        self.record = replace(
            self.record,
            java=identify(self.java.pid),
            uri=f"bolt://{configuration.LOOPBACK}:{bolt}",
            http=f"http://{configuration.LOOPBACK}:{http}/browser/",
            ports=[bolt, http],
        )
        write_record(self.home, self.record)

    def _wait_until_ready(self, bolt: int, http: int) -> bool:
        assert self.java is not None
        deadline = time.monotonic() + _START_S
        while self.java.poll() is None and not self.stop_asked:
            if answers(bolt, BOLT_GREETING) and answers(http, b"") and self.java.poll() is None:
                return True
            reasons.refuse_full_disk(self.home, _ROOM_TO_GO_ON)
            if time.monotonic() > deadline:
                raise ServerError(
                    f"Neo4j did not answer within {_START_S:.0f} seconds",
                    where=str(self.home.logs / "java.log"),
                    found=reasons.last_lines(self._output()),
                )
            time.sleep(_POLL_S)
        return False

    def _output(self) -> str:
        texts = []
        for name in ("java.log", "neo4j.log"):
            path = self.home.logs / name
            if path.exists():
                texts.append(path.read_text(errors="replace"))
        return "\n".join(texts)

    def _say(self, state: Literal["running", "stopping"]) -> None:
        self.record = replace(self.record, state=state)
        write_record(self.home, self.record)

    def watch(self) -> None:
        """Returns when the server should stop: asked to, idle, ended, or its folder gone."""
        assert self.java is not None
        idle_s = float(os.environ.get("BNNKG_IDLE_SECONDS", _IDLE_S))
        look_every_s = min(_LOOK_EVERY_S, max(idle_s / 4, 0.1))
        last_client = time.monotonic()
        while not self.stop_asked and self.java.poll() is None:
            since = seconds_since_last(self.record.ports, self.java.pid)
            last_client = max(last_client, time.monotonic() - since)
            if time.monotonic() - last_client >= idle_s:
                _log.info("no client for %.0f seconds", idle_s)
                return
            if not holds_still(self.home, self.lock):
                _log.warning("the folder was moved or deleted")
                return
            self.woken.wait(look_every_s)
            self.woken.clear()

    def stop(self) -> None:
        """Stops Neo4j, with force if it takes too long, and leaves the folder."""
        if self.java is None:
            return
        if self.java.poll() is None:
            self._say_stopping()
            self.java.terminate()
            try:
                self.java.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                _log.warning("Neo4j did not stop in %.0f seconds and is killed", _STOP_S)
                self.java.kill()
                self.java.wait()
        self.archives.adopt(self.java.returncode)

    def _say_stopping(self) -> None:
        try:
            if holds_still(self.home, self.lock):
                self._say("stopping")
        except OSError as error:  # a full disk must not keep the server alive
            _log.warning("cannot say that the server stops: %s", error)

    def leave(self) -> None:
        """Takes the record away, so that nobody reads that of a server that is gone."""
        if holds_still(self.home, self.lock):
            self.home.record.unlink(missing_ok=True)


def answers(port: int, greeting: bytes) -> bool:
    """Tells whether something listens on a port of the loopback, and replies to a greeting."""
    try:
        with socket.create_connection((configuration.LOOPBACK, port), timeout=5) as connection:
            connection.sendall(greeting)
            return not greeting or len(connection.recv(4)) == 4
    except OSError:
        return False


def run(home: HomeFolder, version: str, report: int) -> None:
    """Runs a server until it is stopped, and reports how its start went."""
    lock = _hold(home)
    if lock is None:
        _report(report, "busy")
        return
    try:
        _serve(home, version, lock, report)
    except StoreError as error:
        _log.error("%s", error)
        os.close(lock)
        _report(report, "failed", error)
    except OSError as error:
        _log.exception("the folder cannot be written")
        os.close(lock)
        _report(report, "failed", reasons.explain_os_error(home, error))


def _serve(home: HomeFolder, version: str, lock: int, report: int) -> None:
    choose_version(home, version, None)
    keeper = Keeper(home, locate(version), lock)
    try:
        outcome = keeper.start()
        _report(report, outcome)
        if outcome == "running":
            keeper.watch()
    finally:
        keeper.stop()
        keeper.leave()


def _hold(home: HomeFolder) -> int | None:
    """Takes the lock; whoever only looks at it holds it for a moment, hence the tries."""
    for _ in range(_LOCK_TRIES):
        lock = hold_lock(home)
        if lock is not None:
            return lock
        time.sleep(_POLL_S)
    return None


def _report(pipe: int, outcome: Outcome, error: StoreError | None = None) -> None:
    parts = ("what", "where", "expected", "found", "hint")
    said = {name: getattr(error, name) for name in parts} if error else None
    line = {"outcome": outcome, "kind": type(error).__name__, "error": said}
    try:
        os.write(pipe, json.dumps(line).encode() + b"\n")
        os.close(pipe)
    except OSError:  # the command that asked is gone, or was told already
        _log.info("nobody reads that the start went: %s", outcome)


def main() -> None:
    """Leaves the terminal and its session behind, then runs the server."""
    root, version, report = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if os.fork():
        os._exit(0)
    os.chdir("/")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    run(HomeFolder(root), version, report)


if __name__ == "__main__":
    main()
