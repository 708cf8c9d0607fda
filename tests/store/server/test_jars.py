"""Where Neo4j comes from: the cache, or an installed distribution."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bnnkg.store.server import SUPPORTED_VERSIONS, jars, start, stop


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_a_lock_file_pins_every_jar(version: str) -> None:
    locked = jars.read_lock(version)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in locked)
    assert len({jar.path for jar in locked}) == len(locked) > 200
    pinned = {(jar.group, jar.artifact): jar.version for jar in locked}
    assert pinned["org.neo4j", "neo4j"] == version
    assert pinned["org.neo4j.app", "neo4j-server"] == version
    assert pinned["org.neo4j.client", "neo4j-browser"] == "5.24.0"


def test_what_is_there_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    jars.install("5.26.30")
    told: list[str] = []
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    found = jars.install("5.26.30", lambda task, *_: told.append(task))
    assert told == []
    assert all(jar.exists() for jar in found.jars)


@pytest.mark.slow
def test_an_installed_distribution_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "neo4j-community" / "lib"
    library.mkdir(parents=True)
    for jar in jars.install("2026.08.1").jars:
        library.joinpath(jar.name).symlink_to(jar)
    monkeypatch.setenv("BNNKG_NEO4J_HOME", str(library.parent))
    monkeypatch.setenv("BNNKG_CACHE", str(tmp_path / "cache"))
    home = tmp_path / "bnnkg.db"
    try:
        assert start(home).version == "2026.08.1"
        assert not tmp_path.joinpath("cache", "maven").exists()
    finally:
        stop(home, wait=True)
