"""The declared graph: look-ups, fingerprint, and what is rendered from it for the database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bnnkg.errors import SchemaError
from bnnkg.schema.declaration import EdgeType, NodeType
from bnnkg.schema.edges import EDGE_TYPES
from bnnkg.schema.nodes import NODE_TYPES

SCHEMA_VERSION = 1

NODES: dict[str, NodeType] = {node.label: node for node in NODE_TYPES}
EDGES: dict[str, EdgeType] = {edge.type: edge for edge in EDGE_TYPES}


def node_type(label: str) -> NodeType:
    """The node type of that label.

    Raises:
        SchemaError: None is declared.
    """
    try:
        return NODES[label]
    except KeyError:
        raise SchemaError(
            "no such label is declared", where=label, expected=", ".join(NODES)
        ) from None


def edge_type(type_: str) -> EdgeType:
    """The edge type of that name.

    Raises:
        SchemaError: None is declared.
    """
    try:
        return EDGES[type_]
    except KeyError:
        raise SchemaError(
            "no such edge type is declared", where=type_, expected=", ".join(EDGES)
        ) from None


def owned_labels() -> tuple[str, ...]:
    """Labels of the nodes that belong to one Model and go with it."""
    return tuple(node.label for node in NODE_TYPES if node.scope == "model")


def shared_labels() -> tuple[str, ...]:
    """Labels of the nodes that a DEFINES edge keeps alive."""
    return tuple(dst for _, dst in EDGES["DEFINES"].ends if NODES[dst].scope == "shared")


def fingerprint() -> str:
    """Sixteen hex digits that change with any declared type, property or unit."""
    lines = [repr(node) for node in NODE_TYPES] + [repr(edge) for edge in EDGE_TYPES]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def constraint_statements() -> Iterator[str]:
    """Cypher that makes every uid unique and every declared index, idempotent.

    Edges that two nodes may share several times get an index on their uid: community Neo4j
    cannot make it unique, so writers MERGE on it between its two nodes.
    """
    for node in NODE_TYPES:
        name = f"{node.label.lower()}_uid"
        yield f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{node.label}) REQUIRE n.uid IS UNIQUE"
        for prop in node.indexed:
            name = f"{node.label.lower()}_{prop.lower()}"
            yield f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{node.label}) ON (n.{prop})"
    for edge in EDGE_TYPES:
        if edge.has_uid:
            name = f"{edge.type.lower()}_uid"
            yield f"CREATE INDEX {name} IF NOT EXISTS FOR ()-[e:{edge.type}]-() ON (e.uid)"
