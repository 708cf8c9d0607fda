"""The hand-written graph on one server of each version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
from hand_graph import Ask, Graph, Server, build_graph

from bnnkg.queries import run_query
from bnnkg.store import Store
from bnnkg.store.server import read_password, start


@pytest.fixture(scope="session")
def graph() -> Graph:
    return build_graph()


@pytest.fixture(scope="module")
def server(neo4j_home: Path, graph: Graph) -> Iterator[Server]:
    address = start(neo4j_home).uri
    assert address is not None
    with neo4j.GraphDatabase.driver(
        address,
        auth=("neo4j", read_password(neo4j_home)),
        notifications_min_severity="OFF",
    ) as driver:
        server = Server(driver)
        if not server.holds(graph):
            server.load(graph)
        yield server


@pytest.fixture(scope="module")
def store(neo4j_home: Path, server: Server) -> Iterator[Store]:
    """Opened to read: opening to write would sweep the models that are not current."""
    with Store.open(neo4j_home, write=False) as store:
        yield store


@pytest.fixture
def ask(store: Store) -> Ask:
    def rows(name: str, **parameters: Any) -> list[dict[str, Any]]:
        return list(run_query(store, name, parameters).table.rows())

    return rows
