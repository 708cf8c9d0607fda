"""Cypher that writes and clears learned scores, rendered from the declaration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bnnkg.schema.declaration import Property
from bnnkg.schema.graph import edge_type
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES
from bnnkg.store.statements import find

_CELLS_AT_ONCE = 25
_EDGES_AT_ONCE = 10_000


def set_on_nodes(label: str, names: Sequence[str], suffix: str) -> str:
    """Sets scores on ``$n`` nodes found by ``$uid``; returns how many."""
    return _rows(find("x", label, "$uid[i]"), names, suffix)


def set_on_edges(
    type_: str, src_label: str, dst_label: str, names: Sequence[str], suffix: str
) -> str:
    """Sets scores on ``$n`` edges; returns how many.

    An edge is found through the node that has only one of its type, else by its own uid.
    """
    declared = edge_type(type_)
    if declared.per_dst != "*":
        match = f"{find('b', dst_label, '$dst[i]')} MATCH (b)<-[x:{type_}]-()"
    elif declared.per_src != "*":
        match = f"{find('a', src_label, '$src[i]')} MATCH (a)-[x:{type_}]->()"
    else:
        match = (
            f"MATCH (a:{src_label})-[x:{type_} {{uid: $uid[i]}}]->(:{dst_label}) "
            f"USING INDEX x:{type_}(uid) WHERE a.uid = $src[i]"
        )
    return _rows(match, names, suffix)


def create_attends_to(names: Sequence[str], suffix: str) -> str:
    """Joins ``$n`` pairs of neurons; returns how many.

    It looks for no earlier edge, since each batch is written exactly once: in a network of 440,000
    synapses that search took longer than all else.
    """
    match = (
        f"{find('a', 'Neuron', '$src[i]')} {find('b', 'Neuron', '$dst[i]')} "
        "CREATE (a)-[x:ATTENDS_TO {uid: $uid[i], run: $run[i]}]->(b)"
    )
    return _rows(match, names, suffix)


def _rows(match: str, names: Sequence[str], suffix: str) -> str:
    values = ", ".join(f"x.{name}{suffix} = ${name}[i]" for name in names)
    change = f"SET {values}\n" if values else ""
    return f"UNWIND range(0, $n - 1) AS i\n{match}\n{change}RETURN count(*)"


def clear_owned(label: str, suffix: str, at_once: int) -> str:
    """Takes scores off the next nodes of a Model by uid, and off the edges of which each has one.

    Returns the uid of the last one, null where there was none.
    """
    lines = [
        f"MATCH (n:{label}) USING INDEX n:{label}(uid) WHERE n.uid > $after AND n.uid < $end",
        f"WITH n ORDER BY n.uid LIMIT {at_once}",
        _remove("n", LEARNED_ON_NODES[label], suffix),
    ]
    for type_, properties in LEARNED_ON_EDGES.items():
        arrow = _arrow(type_, label)
        if arrow:
            lines.append(f"WITH n CALL (n) {{ MATCH {arrow} {_remove('e', properties, suffix)} }}")
    return "\n".join([*lines, "RETURN max(n.uid)"])


def _arrow(type_: str, label: str) -> str:
    """The edges of a type that are found through a node of an owned label."""
    declared = edge_type(type_)
    for src, dst in declared.ends:
        if dst == label and declared.per_dst != "*":
            return f"(n)<-[e:{type_}]-()"
        if src == label and declared.per_src != "*":
            return f"(n)-[e:{type_}]->()"
    return ""


def clear_connections(suffix: str) -> str:
    """Takes scores off the next ``CONNECTS_TO`` of a Model by uid; returns as ``clear_owned``.

    They have pages of their own: a neuron may have any number of them.
    """
    return _page("CONNECTS_TO", _remove("e", LEARNED_ON_EDGES["CONNECTS_TO"], suffix))


def delete_attends_to() -> str:
    """Deletes the next ``ATTENDS_TO`` of a run by uid; returns as ``clear_owned``."""
    return _page("ATTENDS_TO", "DELETE e")


def _page(type_: str, change: str) -> str:
    """Changes the next edges of a type by their own uid; returns that of the last."""
    return (
        f"MATCH ()-[e:{type_}]->() USING INDEX e:{type_}(uid) "
        f"WHERE e.uid > $after AND e.uid < $end "
        f"WITH e, e.uid AS uid ORDER BY uid LIMIT {_EDGES_AT_ONCE} {change} RETURN max(uid)"
    )


def clear_shared(suffix: str) -> Iterator[str]:
    """Statements that take scores off the shared nodes of a Model and their edges, by pages."""
    nodes, edges = LEARNED_ON_NODES, LEARNED_ON_EDGES
    mechanism = _remove("e", edges["HAS_MECHANISM"], suffix)
    yield "\n".join(
        [
            "MATCH (:Model {uid: $model})-[:DEFINES]->(c:Cell) WITH DISTINCT c",
            f"WHERE c.uid > $after WITH c ORDER BY c.uid LIMIT {_CELLS_AT_ONCE}",
            f"CALL (c) {{ MATCH (c)-[e:HAS_MECHANISM]->() {mechanism} }}",
            f"CALL (c) {{ MATCH (c)-[e:HAS_COMPARTMENT]->(p) "
            f"{_remove('e', edges['HAS_COMPARTMENT'], suffix)} "
            f"{_remove('p', nodes['Compartment'], suffix)} }}",
            f"CALL (c) {{ MATCH (c)-[:HAS_COMPARTMENT]->()-[e:HAS_MECHANISM]->() {mechanism} }}",
            f"CALL (c) {{ MATCH (c)-[:HAS_COMPARTMENT]->()-[e:CHILD_OF]->() "
            f"{_remove('e', edges['CHILD_OF'], suffix)} }}",
            "RETURN max(c.uid)",
        ]
    )
    yield "\n".join(
        [
            "MATCH (:Model {uid: $model})-[:DEFINES]->(k:Mechanism) WITH DISTINCT k",
            "WHERE k.uid > $after WITH k ORDER BY k.uid LIMIT 5000",
            _remove("k", nodes["Mechanism"], suffix),
            "RETURN max(k.uid)",
        ]
    )


def _remove(variable: str, properties: Sequence[Property], suffix: str) -> str:
    return "REMOVE " + ", ".join(f"{variable}.{prop.name}{suffix}" for prop in properties)
