"""How the computational graph of a model follows from the stored one.

One table says, for every edge of the computational graph, whether it is an edge of the graph
(*stored*), follows from stored ones by a rule (*derived*), or is added by the network (*virtual*),
and on which stored edge its attention is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

from bnnkg.errors import SchemaError

Kind = Literal["neuron", "soma", "dendrite", "axon", "synapse", "mechanism"]
Origin = Literal["stored", "derived", "virtual"]
Use = Literal["edge", "expansion", "feature", "context"]

KINDS: tuple[Kind, ...] = ("neuron", "soma", "dendrite", "axon", "synapse", "mechanism")
COMPARTMENT_KINDS: tuple[Kind, ...] = ("soma", "dendrite", "axon")
KIND_OF_COMPARTMENT: dict[str, Kind] = {
    "soma": "soma",
    "dendrite": "dendrite",
    "axon": "axon",
    "other": "dendrite",
}
"""A section that is neither soma, dendrite nor axon (a muscle's arm) conducts as a dendrite does."""

FEATURE_GROUPS: tuple[str, ...] = ("type", "index", "io", "geometry", "activity", "function")
EDGE_FEATURES: tuple[str, ...] = ("weight", "delay_ms", "conductance", "erev_mV", "distance_um")


@dataclass(frozen=True)
class Relation:
    """One kind of edge of the computational graph.

    Attributes:
        name: Verb, in the direction of the flow.
        src: Kinds of node that it leaves.
        dst: Kinds of node that it arrives at.
        origin: Whether it is stored, derived or virtual.
        stored: Edge type of the graph that it stands for; empty for virtual ones.
        meaning: The rule.
        mirrors: The relation that it is to the network, where it is the other direction of one:
            a gap junction is the same from both sides.
    """

    name: str
    src: tuple[Kind, ...]
    dst: tuple[Kind, ...]
    origin: Origin
    stored: str
    meaning: str
    mirrors: str = ""


_NEURITES = COMPARTMENT_KINDS
RELATIONS: tuple[Relation, ...] = (
    Relation("conducts", _NEURITES, _NEURITES, "stored", "CHILD_OF",
             "from dendrite to soma to axon; between two of a kind to the parent, but from it between axons"),
    Relation("part_of", (*_NEURITES, "mechanism"), ("neuron",), "stored", "HAS_COMPARTMENT",
             "each section to its neuron; for a mechanism derived from HAS_MECHANISM of its sections"),
    Relation("acts_on", ("mechanism",), (*_NEURITES, "neuron"), "stored", "HAS_MECHANISM",
             "a neuron's mechanism to each section that carries it; to the neuron where the cell is a point"),
    Relation("sends", ("neuron",), ("synapse",), "stored", "SENDS", "the presynaptic neuron to its synapse"),
    Relation("leaves", _NEURITES, ("synapse",), "stored", "LEAVES_FROM", "the presynaptic section to the synapse"),
    Relation("arrives", ("synapse",), _NEURITES, "stored", "ARRIVES_AT", "the synapse to the postsynaptic section"),
    Relation("targets", ("synapse",), ("neuron",), "stored", "TARGETS", "the synapse to the postsynaptic neuron"),
    Relation("presynaptic_to", ("neuron",), ("neuron",), "derived", "CONNECTS_TO",
             "one edge per synapse (two for an electrical one), from SENDS and TARGETS"),
    Relation("self", KINDS, KINDS, "virtual", "", "a node to itself"),
    Relation("hop", KINDS, KINDS, "virtual", "", "an ancestor inside the neuron, up to k hops along the flow"),
    Relation("cls", KINDS, KINDS, "virtual", "", "every node of a graph to its token"),
    Relation("sends_back", ("neuron",), ("synapse",), "stored", "TARGETS", "the second neuron to an electrical synapse", "sends"),
    Relation("leaves_back", _NEURITES, ("synapse",), "stored", "ARRIVES_AT", "the second section to an electrical synapse", "leaves"),
    Relation("arrives_back", ("synapse",), _NEURITES, "stored", "LEAVES_FROM", "an electrical synapse to its first section", "arrives"),
    Relation("targets_back", ("synapse",), ("neuron",), "stored", "SENDS", "an electrical synapse to its first neuron", "targets"),
)  # fmt: skip

FLOW: tuple[str, ...] = ("conducts", "part_of", "acts_on", "sends", "leaves", "arrives", "targets")
"""Relations that carry the flow of signals, with those that mirror them. Of ``part_of`` only the
soma's does (the root section's, where a cell has none). Where a synapse has a section on a side,
that section's ``leaves`` or ``arrives`` carries it and ``sends`` or ``targets`` is membership."""

USES: dict[str, Use] = {
    "CHILD_OF": "edge",
    "HAS_COMPARTMENT": "edge",
    "HAS_MECHANISM": "edge",
    "SENDS": "edge",
    "TARGETS": "edge",
    "LEAVES_FROM": "edge",
    "ARRIVES_AT": "edge",
    "CONNECTS_TO": "edge",
    "INSTANCE_OF": "expansion",
    "HAS_NEURON": "feature",
    "OF_TYPE": "feature",
    "STIMULATES": "feature",
    "MEASURED_AS": "feature",
    "HAS_POPULATION": "context",
    "DEFINES": "context",
    "ABOUT": "context",
    "SIMILAR_TO": "context",
    "ATTENDS_TO": "context",
    "ANNOTATES": "context",
}
"""What the computational graph makes of each edge type: an edge of its own, the expansion of a
definition into instances, a feature, or nothing, since it says who and whence and not what."""

_RANK: dict[Kind, int] = {"dendrite": 0, "soma": 1, "axon": 2}
BY_NAME: dict[str, Relation] = {relation.name: relation for relation in RELATIONS}
PLACE: dict[str, int] = {
    relation.name: [r.name for r in RELATIONS].index(relation.mirrors or relation.name)
    for relation in RELATIONS
}
"""Number of each relation for the network; mirrored ones have that of their other direction."""


def conducts_to_parent(child: Kind, parent: Kind) -> bool:
    """Whether signals flow from a section to its parent, rather than from the parent."""
    if child == parent:
        return child != "axon"
    return _RANK[child] < _RANK[parent]


def edge_types() -> tuple[tuple[Kind, str, Kind], ...]:
    """All triples of the computational graph that follow from the stored one, in a fixed order."""
    return tuple(
        (src, relation.name, dst)
        for relation in RELATIONS
        if relation.origin != "virtual"
        for src, dst in product(relation.src, relation.dst)
        if _allowed(relation.name, src, dst)
    )


def use_of(edge_type: str) -> Use:
    """What the computational graph makes of an edge type.

    Raises:
        SchemaError: Nobody has said.
    """
    try:
        return USES[edge_type]
    except KeyError:
        raise SchemaError(
            "the computational graph has no rule for this edge type",
            where=edge_type,
            expected=", ".join(USES),
        ) from None


def _allowed(relation: str, src: Kind, dst: Kind) -> bool:
    return relation != "conducts" or _RANK[src] <= _RANK[dst]
