"""One real Neo4j per supported version and test session, shared by all tests that ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bnnkg.store.server import DEFAULT_VERSION, SUPPORTED_VERSIONS, start, stop


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Gives the folder of a running server of a version; starts it at the first call."""
    homes: dict[str, Path] = {}

    def home_of(version: str) -> Path:
        if version not in homes:
            homes[version] = tmp_path_factory.mktemp("neo4j") / "bnnkg.db"
        start(homes[version], version=version)
        return homes[version]

    yield home_of
    for home in homes.values():
        stop(home)
    for home in homes.values():
        stop(home, wait=True)


@pytest.fixture(scope="session", params=SUPPORTED_VERSIONS)
def neo4j_home(request: pytest.FixtureRequest, server_home: Callable[[str], Path]) -> Path:
    """The folder of a running server, once with each supported version."""
    return server_home(request.param)


@pytest.fixture(scope="session")
def neo4j_home_lts(server_home: Callable[[str], Path]) -> Path:
    """The folder of a running server of the default version."""
    return server_home(DEFAULT_VERSION)
