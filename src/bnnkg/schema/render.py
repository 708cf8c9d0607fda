"""The declaration as a page for people and as plain values for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from bnnkg.schema.computation import (
    EDGE_FEATURES,
    FEATURE_GROUPS,
    KIND_OF_COMPARTMENT,
    KINDS,
    RELATIONS,
    USES,
    edge_types,
)
from bnnkg.schema.declaration import EdgeType, NodeType, Property
from bnnkg.schema.graph import EDGES, NODES, SCHEMA_VERSION, fingerprint
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES

_COUNTS = {"1": "exactly one", "0..1": "at most one", "*": "any number"}
_SCOPES = {
    "model": "owned by one Model, whose uid begins its own",
    "shared": "identified by content alone, shared between models",
    "store": "belongs to the database",
}
_USES = {
    "edge": "an edge of the computational graph",
    "expansion": "expands a definition into its instances",
    "feature": "a feature of the nodes that it joins",
    "context": "none: it says who and whence, not what",
}


def schema_json() -> dict[str, Any]:
    """The whole declaration as plain values."""
    return {
        "version": SCHEMA_VERSION,
        "fingerprint": fingerprint(),
        "nodes": [
            _plain(node) | {"learned": _properties(LEARNED_ON_NODES.get(node.label, ()))}
            for node in NODES.values()
        ],
        "edges": [
            _plain(edge) | {"learned": _properties(LEARNED_ON_EDGES.get(edge.type, ()))}
            for edge in EDGES.values()
        ],
        "relations": [asdict(relation) for relation in RELATIONS],
        "kinds": list(KINDS),
        "edge_types": [list(triple) for triple in edge_types()],
        "uses": dict(USES),
        "edge_features": list(EDGE_FEATURES),
        "feature_groups": list(FEATURE_GROUPS),
    }


def schema_markdown() -> str:
    """The declaration as a page of documentation."""
    parts = [
        "# The graph",
        "Generated from the declaration in `bnnkg.schema` by `make docs`; do not edit. "
        f"Version {SCHEMA_VERSION}, fingerprint `{fingerprint()}`.",
        "A value that is not known is absent. *Learned* properties are written by "
        "`bnnkg annotate`; those of a run with a name end in `__NAME`. A property that is "
        "*derived from* others is hidden with them when they are to be predicted.",
        "## Nodes",
        _table(("label", "what it is", "uid from", "whose"), map(_node_row, NODES.values())),
        *(part for node in NODES.values() for part in _node_section(node)),
        "## Edges",
        _table(("type", "from and to", "what it says"), map(_edge_row, EDGES.values())),
        *(part for edge in EDGES.values() for part in _edge_section(edge)),
        "## Computational graph",
        *_computation(),
    ]
    return "\n\n".join(parts) + "\n"


def _plain(declared: NodeType | EdgeType) -> dict[str, Any]:
    return {name: value for name, value in asdict(declared).items() if name != "by_name"}


def _properties(properties: Iterable[Property]) -> list[dict[str, Any]]:
    return [asdict(prop) for prop in properties]


def _node_row(node: NodeType) -> tuple[str, ...]:
    return f"[`{node.label}`](#{node.label.lower()})", node.meaning, node.uid_from, node.scope


def _edge_row(edge: EdgeType) -> tuple[str, ...]:
    return f"[`{edge.type}`](#{edge.type.lower()})", _ends(edge), edge.meaning


def _node_section(node: NodeType) -> Iterator[str]:
    yield f"### {node.label}"
    indexed = ", ".join(f"`{name}`" for name in ("uid", *node.indexed))
    yield (
        f"{node.meaning}. Its uid is made from {node.uid_from}; {_SCOPES[node.scope]}. "
        f"Indexed: {indexed}."
    )
    yield _property_table(node.properties)
    yield from _learned(LEARNED_ON_NODES.get(node.label, ()))


def _edge_section(edge: EdgeType) -> Iterator[str]:
    yield f"### {edge.type}"
    yield (
        f"{edge.meaning}. {_ends(edge)}; {_COUNTS[edge.per_src]} from one source, "
        f"{_COUNTS[edge.per_dst]} to one target."
    )
    if edge.properties:
        yield _property_table(edge.properties)
    yield from _learned(LEARNED_ON_EDGES.get(edge.type, ()))


def _ends(edge: EdgeType) -> str:
    return ", ".join(f"`{src}` to `{dst}`" for src, dst in edge.ends)


def _learned(properties: Iterable[Property]) -> Iterator[str]:
    if properties:
        yield "Learned:"
        yield _property_table(properties)


def _property_table(properties: Iterable[Property]) -> str:
    head = ("property", "type", "unit", "meaning", "NeuroML or NEURON", "derived from")
    return _table(head, map(_property_row, properties))


def _property_row(prop: Property) -> tuple[str, ...]:
    meaning = prop.meaning if prop.default is None else f"{prop.meaning} (default {prop.default})"
    return (
        f"`{prop.name}`",
        f"{prop.type}, required" if prop.required else prop.type,
        prop.unit,
        meaning,
        prop.term and f"`{prop.term}`",
        ", ".join(f"`{name}`" for name in prop.derived_from),
    )


def _computation() -> Iterator[str]:
    yield (
        "The tensors of a model (`HeteroData`) have these kinds of node: "
        + ", ".join(f"`{kind}`" for kind in KINDS)
        + ". A Compartment's kind decides which it is: "
        + ", ".join(f"{stored} is `{kind}`" for stored, kind in KIND_OF_COMPARTMENT.items())
        + ". Every node has these groups of features: "
        + ", ".join(FEATURE_GROUPS)
        + ". Every edge has these: "
        + ", ".join(f"`{name}`" for name in EDGE_FEATURES)
        + "."
    )
    yield (
        "Each relation is an edge of the graph (*stored*), follows from such edges (*derived*), or "
        "is added by the network (*virtual*). What the network learns on it is written to the "
        "stored edge."
    )
    yield _table(
        ("relation", "from", "to", "origin", "stored edge", "rule"),
        (
            (
                f"`{r.name}`", ", ".join(r.src), ", ".join(r.dst), r.origin,
                r.stored and f"`{r.stored}`", r.meaning,
            )
            for r in RELATIONS
        ),
    )  # fmt: skip
    yield "What becomes of every edge type of the graph:"
    yield _table(("edge", "use"), ((f"`{type_}`", _USES[use]) for type_, use in USES.items()))
    yield "Edge types of the tensors:"
    yield _table(
        ("from", "relation", "to"), ((src, f"`{name}`", dst) for src, name, dst in edge_types())
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines
    )
