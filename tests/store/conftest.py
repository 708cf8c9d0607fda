from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest
from drivers import drive

from bnnkg.store import Store

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


@pytest.fixture(scope="module")
def driver(neo4j_home: Path) -> Iterator[neo4j.Driver]:
    with drive(neo4j_home) as driver:
        yield driver


@pytest.fixture(scope="module")
def driver_lts(neo4j_home_lts: Path) -> Iterator[neo4j.Driver]:
    with drive(neo4j_home_lts) as driver:
        yield driver
