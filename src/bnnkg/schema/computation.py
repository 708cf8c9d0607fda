"""How the computational graph of a model follows from the stored one.

One table says, for every edge of the computational graph, whether it is an edge of the graph
(*stored*), follows from stored ones by a rule (*derived*), or is added by the network (*virtual*),
and on which stored edge its attention is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["neuron", "soma", "dendrite", "axon", "synapse", "mechanism"]
Origin = Literal["stored", "derived", "virtual"]

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
    """

    name: str
    src: tuple[Kind, ...]
    dst: tuple[Kind, ...]
    origin: Origin
    stored: str
    meaning: str


_NEURITES = COMPARTMENT_KINDS
RELATIONS: tuple[Relation, ...] = (
    Relation("conducts", _NEURITES, _NEURITES, "stored", "CHILD_OF",
             "dendrite and soma sections to their parent; from parent to child where the child is axon"),
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
)  # fmt: skip

FLOW: tuple[str, ...] = ("conducts", "part_of", "acts_on", "sends", "leaves", "arrives", "targets")
"""Relations that carry the flow of signals. Where a synapse has a section on a side, that section's
``leaves`` or ``arrives`` carries it and ``sends`` or ``targets`` is membership; an electrical
synapse flows both ways."""
