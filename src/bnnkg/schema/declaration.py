"""The words in which the graph is declared: properties, node types, edge types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ValueType = Literal["string", "integer", "float", "boolean", "strings", "integers", "floats"]
Scope = Literal["store", "model", "shared"]
Count = Literal["1", "0..1", "*"]


@dataclass(frozen=True)
class Property:
    """One property of a node or an edge.

    Attributes:
        name: snake_case; ends in its unit where it has one.
        type: The type of its value; plurals are lists without gaps.
        meaning: What it says, in one line.
        unit: Canonical unit; empty where it has none.
        term: The NeuroML or NEURON term that it comes from.
        derived_from: Names of the properties (of the same record, or ``Label.property``) that
            determine it; whoever hides one of them must hide this too.
        required: Whether every record has it.
        default: What NeuroML says an absent value is; only such values are ever filled in.
    """

    name: str
    type: ValueType
    meaning: str
    unit: str = ""
    term: str = ""
    derived_from: tuple[str, ...] = ()
    required: bool = False
    default: float | int | str | None = None


@dataclass(frozen=True)
class NodeType:
    """A kind of node.

    Attributes:
        label: PascalCase.
        meaning: What such a node is.
        uid_from: What its ``uid`` is made from.
        scope: ``model`` where a Model owns it (its uid then starts with the Model's), ``shared``
            where content alone identifies it, ``store`` where it belongs to the database.
        properties: What it may carry, ``uid`` first.
        indexed: Properties with an index beside that of ``uid``.
    """

    label: str
    meaning: str
    uid_from: str
    scope: Scope
    properties: tuple[Property, ...]
    indexed: tuple[str, ...] = ()
    by_name: dict[str, Property] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {p.name: p for p in self.properties})


@dataclass(frozen=True)
class EdgeType:
    """A kind of edge.

    Attributes:
        type: UPPER_SNAKE.
        meaning: What such an edge says.
        ends: Allowed pairs of labels (source, target).
        per_src: How many such edges leave one source node.
        per_dst: How many arrive at one target node.
        properties: What it may carry; ``uid`` first where the same two nodes may be joined by
            several such edges, which are then told apart by it.
    """

    type: str
    meaning: str
    ends: tuple[tuple[str, str], ...]
    per_src: Count = "*"
    per_dst: Count = "*"
    properties: tuple[Property, ...] = ()
    by_name: dict[str, Property] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {p.name: p for p in self.properties})

    @property
    def has_uid(self) -> bool:
        """Whether two nodes can be joined by several edges of this type."""
        return "uid" in self.by_name
