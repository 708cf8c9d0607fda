from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest

from bnnkg.store import Store
from bnnkg.store.server import read_password, status

WIPE = "MATCH (n) WHERE NOT n:Store DETACH DELETE n"


@pytest.fixture(scope="module")
def opened(neo4j_home: Path) -> Iterator[Store]:
    with Store.open(neo4j_home) as store:
        yield store


@pytest.fixture(scope="module")
def opened_lts(neo4j_home_lts: Path) -> Iterator[Store]:
    with Store.open(neo4j_home_lts) as store:
        yield store


@pytest.fixture
def store(opened: Store) -> Store:
    """An empty store, on each supported version."""
    opened.write(WIPE)
    return opened


@pytest.fixture
def store_lts(opened_lts: Store) -> Store:
    """An empty store, on the default version."""
    opened_lts.write(WIPE)
    return opened_lts


def drive(home: Path) -> neo4j.Driver:
    """A driver of the test's own."""
    uri = status(home).uri
    assert uri is not None
    return neo4j.GraphDatabase.driver(uri, auth=("neo4j", read_password(home)))


@pytest.fixture(scope="module")
def driver(neo4j_home: Path) -> Iterator[neo4j.Driver]:
    with drive(neo4j_home) as driver:
        yield driver


@pytest.fixture(scope="module")
def driver_lts(neo4j_home_lts: Path) -> Iterator[neo4j.Driver]:
    with drive(neo4j_home_lts) as driver:
        yield driver
