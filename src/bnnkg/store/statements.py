"""Cypher that writes records, rendered from the declaration alone.

Rows travel as columns: a list parameter per property, read by position. That halves what the
client packs against a list of rows, and spares the server a map for each row. A node is written
together with the edges of which it has at most one (a Synapse with its two neurons and its
sections), which spares an index look-up for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bnnkg.schema.declaration import Property, ValueType
from bnnkg.schema.graph import edge_type, node_type

LOCK = "MATCH (s:Store {uid: 'store'}) SET s.lock = $now"
"""Taken first by whoever writes or removes shared nodes, so that one waits for the other."""

LISTS: tuple[ValueType, ...] = ("strings", "integers", "floats")
"""Types of properties that hold several values."""


@dataclass(frozen=True)
class Attached:
    """An edge type that is written together with the node at one of its ends.

    Attributes:
        type: Edge type.
        other: Label of the node at its other end, which exists already.
        outgoing: Whether the edge leaves the new node.
        properties: What the edges carry.
    """

    type: str
    other: str
    outgoing: bool
    properties: tuple[str, ...]


def find(variable: str, label: str, value: str) -> str:
    """A look-up of a node by its uid, through the index whatever the planner's statistics say."""
    return f"MATCH ({variable}:{label} {{uid: {value}}}) USING INDEX {variable}:{label}(uid)"


def create_nodes(label: str, properties: Sequence[str], attached: Sequence[Attached] = ()) -> str:
    """Creates ``$n`` nodes and their attached edges; returns how many.

    Parameters are the properties' columns, ``model_uid`` as one value, and for the attached edge
    k the uids of its other ends as ``x<k>`` and its properties as ``x<k>_<name>``.
    """
    node_type(label)
    lines = ["UNWIND range(0, $n - 1) AS i"]
    lines += [find(f"x{k}", edge.other, f"$x{k}[i]") for k, edge in enumerate(attached)]
    lines.append(f"CREATE (n:{label} {_map(properties)})")
    for k, edge in enumerate(attached):
        arrow = f"[:{edge.type} {_map(edge.properties, f'x{k}_')}]"
        lines.append(
            f"CREATE (n)-{arrow}->(x{k})" if edge.outgoing else f"CREATE (x{k})-{arrow}->(n)"
        )
    lines.append("RETURN count(*)")
    return "\n".join(lines)


def create_edges(
    type_: str, src_label: str, dst_label: str, properties: Sequence[str], *, once: bool = False
) -> str:
    """Creates ``$n`` edges between nodes found by ``$src`` and ``$dst``; returns how many.

    With ``once``, an edge of the type that joins them already is taken instead.
    """
    edge_type(type_)
    created = f"CREATE (a)-[:{type_} {_map(properties)}]->(b)"
    merged = f"MERGE (a)-[e:{type_}]->(b) SET e += {_map(properties)}"
    return "\n".join(
        [
            "UNWIND range(0, $n - 1) AS i",
            find("a", src_label, "$src[i]"),
            find("b", dst_label, "$dst[i]"),
            merged if once else created,
            "RETURN count(*)",
        ]
    )


def in_order(names: Iterable[str], declared: Iterable[Property]) -> tuple[str, ...]:
    """Names in the order of the declaration, so that equal tables give equal statements."""
    wanted = set(names)
    return tuple(prop.name for prop in declared if prop.name in wanted)


def _map(properties: Sequence[str], prefix: str = "") -> str:
    pairs = (
        f"{name}: ${prefix}{name}" + ("" if name == "model_uid" else "[i]") for name in properties
    )
    return "{" + ", ".join(pairs) + "}"


def ready(prop: Property, column: Sequence[Any]) -> list[Any]:
    """A column as the driver takes it: plain values, absent ones (None, not a number) as null."""
    values: list[Any] = column.tolist() if hasattr(column, "tolist") else list(column)
    if prop.type == "float":
        return [None if v is None or v != v else float(v) for v in values]
    if prop.type == "floats":
        return [None if v is None else [float(x) for x in v] for v in values]
    if prop.type in ("strings", "integers"):
        return [None if v is None else list(v) for v in values]
    return values
