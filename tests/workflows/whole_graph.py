"""The graph as independent Cypher sees it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import neo4j

from bnnkg.store.server import read_password, start

Row = tuple[Any, ...]


def drive(home: Path) -> neo4j.Driver:
    """A driver on the server of a folder."""
    address = start(home).uri
    assert address is not None
    return neo4j.GraphDatabase.driver(
        address, auth=("neo4j", read_password(home)), notifications_min_severity="OFF"
    )


def wipe(driver: neo4j.Driver) -> None:
    """Leaves nothing but the Store node."""
    with driver.session(fetch_size=-1) as session:
        session.run(
            "MATCH (n) WHERE NOT n:Store CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 2000 ROWS"
        ).consume()


def ask(driver: neo4j.Driver, cypher: str, **parameters: Any) -> list[Row]:
    """Rows of a query."""
    with driver.session(fetch_size=-1) as session:
        return [tuple(row) for row in session.run(cypher, parameters).values()]


def one(driver: neo4j.Driver, cypher: str, **parameters: Any) -> Any:
    """The only value of a query."""
    ((value,),) = ask(driver, cypher, **parameters)
    return value


def dump(driver: neo4j.Driver) -> list[str]:
    """Every node and edge with every property, in order, but for the Store node."""
    nodes = ask(driver, "MATCH (n) WHERE NOT n:Store RETURN labels(n), properties(n)")
    edges = ask(
        driver,
        "MATCH (a)-[e]->(b) RETURN type(e), labels(a), a.uid, labels(b), b.uid, properties(e)",
    )
    return sorted(repr((*row[:-1], sorted(row[-1].items()))) for row in [*nodes, *edges])


def fingerprint(rows: list[str]) -> str:
    """A hash of a dump."""
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def counts(driver: neo4j.Driver) -> dict[str, int]:
    """Nodes by label and edges by type."""
    nodes = ask(
        driver, "MATCH (n) WHERE NOT n:Store UNWIND labels(n) AS label RETURN label, count(*)"
    )
    edges = ask(driver, "MATCH ()-[e]->() RETURN type(e), count(*)")
    return dict([*nodes, *edges])


def belonging_to(driver: neo4j.Driver, key: str) -> list[str]:
    """All that a model owns or defines, with what lies below it, each with all properties.

    Edges of other models to shared nodes are not part of it.
    """
    reach = """MATCH (m:Model {key: $key})
        CALL (m) {
            RETURN m AS n
            UNION MATCH (n) WHERE n.model_uid = m.uid RETURN n
            UNION MATCH (m)-[:DEFINES]->(n) RETURN n
            UNION MATCH (m)-[:DEFINES]->(:Cell)-[:HAS_COMPARTMENT]->(n) RETURN n
        }
        WITH DISTINCT n """
    nodes = ask(driver, reach + "RETURN labels(n), properties(n)", key=key)
    edges = ask(
        driver,
        reach + "MATCH (n)-[e]->(b) RETURN type(e), labels(n), n.uid, b.uid, properties(e)",
        key=key,
    )
    return sorted(repr((*row[:-1], sorted(row[-1].items()))) for row in [*nodes, *edges])
