"""Which rows a model's computational graph has: definitions expanded into instances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnkg.errors import SchemaError
from bnnkg.gnn.features import SYNAPSE_KINDS
from bnnkg.gnn.read import Edges, Flags, Floats, Ints, Nodes, read_edges, read_nodes
from bnnkg.gnn.tensors import Hidden
from bnnkg.schema.computation import COMPARTMENT_KINDS, KIND_OF_COMPARTMENT
from bnnkg.schema.records import GraphTables

_SIDES = ("pre", "both", "post")


@dataclass(frozen=True)
class Definitions:
    """What neurons are copies of.

    Attributes:
        cells: Cell nodes.
        sections: Compartment nodes.
        mechanisms: Mechanism nodes.
        cell_of_section: Row of each section's Cell.
        kind_of_section: Place in ``COMPARTMENT_KINDS`` of each section.
        child_of: CHILD_OF.
        densities: HAS_MECHANISM of sections.
        point_mechanisms: HAS_MECHANISM of cells.
        is_root: Whether the section has no parent.
    """

    cells: Nodes
    sections: Nodes
    mechanisms: Nodes
    cell_of_section: Ints
    kind_of_section: Ints
    child_of: Edges
    densities: Edges
    point_mechanisms: Edges
    is_root: Flags


@dataclass(frozen=True)
class Instances:
    """Copies of definitions, ordered by neuron and then by definition.

    Attributes:
        neuron: Row of the neuron that has it.
        definition: Row of what it is a copy of.
        n_definitions: How many definitions there are.
    """

    neuron: Ints
    definition: Ints
    n_definitions: int

    @property
    def place(self) -> Ints:
        """One ascending number for each (neuron, definition)."""
        return self.neuron * self.n_definitions + self.definition

    def find(self, neuron: Ints, definition: Ints) -> Ints:
        """Rows of these copies; -1 where the neuron has no such copy."""
        wanted, place = neuron * self.n_definitions + definition, self.place
        if not len(place):
            return np.full(len(wanted), -1, dtype=np.int64)
        row = np.minimum(np.searchsorted(place, wanted), len(place) - 1)
        return np.where(place[row] == wanted, row, -1)


@dataclass(frozen=True)
class Synapses:
    """The synapses that may be seen, ordered by presynaptic neuron and then by uid.

    Attributes:
        nodes: Synapse nodes.
        node: Row of each synapse among ``nodes``.
        types: SynapseType nodes.
        type: Row of each synapse's type among ``types``, the postsynaptic side's where the sides
            differ; -1 where there is none.
        kind: Place in ``SYNAPSE_KINDS``.
        pre: Presynaptic neuron.
        post: Postsynaptic neuron.
        pre_section: Row among section instances that it leaves from; -1 where there is none.
        post_section: Row among section instances that it arrives at; -1 where there is none.
        pre_fraction: Where on that section; not a number where unknown.
        post_fraction: Likewise.
    """

    nodes: Nodes
    node: Ints
    types: Nodes
    type: Ints
    kind: Ints
    pre: Ints
    post: Ints
    pre_section: Ints
    post_section: Ints
    pre_fraction: Floats
    post_fraction: Floats

    def __len__(self) -> int:
        return len(self.node)

    def number(self, name: str) -> Floats:
        """A numeric property of each synapse."""
        return self.nodes.number(name)[self.node]

    def type_number(self, name: str) -> Floats:
        """A numeric property of each synapse's type; not a number where it has no type."""
        return np.append(self.types.number(name), np.nan)[self.type]


@dataclass(frozen=True)
class Layout:
    """The rows of a model's computational graph.

    Attributes:
        definitions: What neurons are copies of.
        neurons: Neuron nodes.
        cell_of: Row of each neuron's Cell.
        sections: Their sections.
        kind: [sections] place in ``COMPARTMENT_KINDS``.
        row: [sections] row among sections of that kind.
        mechanisms: Their mechanisms, one for each that the neuron has anywhere.
        synapses: The synapses that may be seen.
    """

    definitions: Definitions
    neurons: Nodes
    cell_of: Ints
    sections: Instances
    kind: Ints
    row: Ints
    mechanisms: Instances
    synapses: Synapses


def lay_out(tables: GraphTables, hidden: Hidden) -> Layout:
    """Expands definitions into the instances of a model.

    Raises:
        SchemaError: A neuron without a cell, a section without one, a synapse without ends, or a
            synapse on a section of another cell.
    """
    definitions = _read_definitions(tables)
    neurons = read_nodes(tables, "Neuron")
    instance_of = read_edges(tables, "INSTANCE_OF", neurons, definitions.cells)
    cell_of = _only("INSTANCE_OF", neurons, instance_of.src, instance_of.dst)
    sections = Instances(*expand(cell_of, definitions.cell_of_section), len(definitions.sections))
    kind = definitions.kind_of_section[sections.definition]
    return Layout(
        definitions, neurons, cell_of, sections, kind, _rows_within(kind),
        _expand_mechanisms(definitions, cell_of),
        _read_synapses(tables, neurons, definitions, sections, hidden),
    )  # fmt: skip


def expand(cell_of: Ints, cell_of_item: Ints) -> tuple[Ints, Ints]:
    """Gives every neuron its own copy of what its cell has.

    Args:
        cell_of: [N] cell of each neuron.
        cell_of_item: [K] cell of each item.

    Returns:
        Neuron and item of every copy, by neuron, then in the order of the items.
    """
    n_cells = int(max(cell_of.max(initial=-1), cell_of_item.max(initial=-1))) + 1
    by_cell = np.argsort(cell_of_item, kind="stable")
    count = np.bincount(cell_of_item, minlength=n_cells)
    start = np.cumsum(count) - count
    copies = count[cell_of]
    neuron = np.repeat(np.arange(len(cell_of)), copies)
    within = np.arange(len(neuron)) - np.repeat(np.cumsum(copies) - copies, copies)
    return neuron, by_cell[start[cell_of][neuron] + within]


def _read_definitions(tables: GraphTables) -> Definitions:
    cells, sections = read_nodes(tables, "Cell"), read_nodes(tables, "Compartment")
    mechanisms = read_nodes(tables, "Mechanism")
    has = read_edges(tables, "HAS_COMPARTMENT", cells, sections)
    child_of = read_edges(tables, "CHILD_OF", sections, sections)
    cell_of_section = _only("HAS_COMPARTMENT", sections, has.dst, has.src)
    if (cell_of_section[child_of.src] != cell_of_section[child_of.dst]).any():
        raise SchemaError("a section is the child of one of another cell", where="CHILD_OF")
    is_root = np.ones(len(sections), dtype=bool)
    is_root[child_of.src] = False
    kinds = [COMPARTMENT_KINDS.index(KIND_OF_COMPARTMENT[k]) for k in sections.text("kind")]
    return Definitions(
        cells, sections, mechanisms, cell_of_section, np.array(kinds, dtype=np.int64), child_of,
        read_edges(tables, "HAS_MECHANISM", sections, mechanisms),
        read_edges(tables, "HAS_MECHANISM", cells, mechanisms),
        is_root,
    )  # fmt: skip


def _only(type_: str, nodes: Nodes, at: Ints, other: Ints) -> Ints:
    """The one other end of each node's edge of this type."""
    found = np.full(len(nodes), -1, dtype=np.int64)
    found[at] = other
    if (found < 0).any() or len(at) != len(nodes):
        lacking = np.flatnonzero(np.bincount(at, minlength=len(nodes)) != 1)
        raise SchemaError(
            f"a {nodes.label} has not exactly one {type_}", found=nodes.uid[int(lacking[0])]
        )
    return found


def _expand_mechanisms(definitions: Definitions, cell_of: Ints) -> Instances:
    n = max(len(definitions.mechanisms), 1)
    cell = np.concatenate([
        definitions.cell_of_section[definitions.densities.src], definitions.point_mechanisms.src
    ])  # fmt: skip
    mechanism = np.concatenate([definitions.densities.dst, definitions.point_mechanisms.dst])
    pairs = np.unique(cell * n + mechanism)
    neuron, pair = expand(cell_of, pairs // n)
    return Instances(neuron, (pairs % n)[pair], n)


def _rows_within(kind: Ints) -> Ints:
    """Row of each node among those of its kind."""
    rows = np.empty(len(kind), dtype=np.int64)
    for place in range(len(COMPARTMENT_KINDS)):
        chosen = kind == place
        rows[chosen] = np.arange(int(chosen.sum()))
    return rows


def _read_synapses(
    tables: GraphTables,
    neurons: Nodes,
    definitions: Definitions,
    sections: Instances,
    hidden: Hidden,
) -> Synapses:
    nodes = read_nodes(tables, "Synapse")
    sends = read_edges(tables, "SENDS", neurons, nodes)
    targets = read_edges(tables, "TARGETS", nodes, neurons)
    pre = _only("SENDS", nodes, sends.dst, sends.src)
    post = _only("TARGETS", nodes, targets.src, targets.dst)
    node = np.flatnonzero(~hides(hidden, neurons, pre, post))
    node = node[np.argsort(pre[node], kind="stable")]
    kinds = np.array([SYNAPSE_KINDS.index(k) for k in nodes.text("kind")], dtype=np.int64)
    pre, post = pre[node], post[node]
    sides = [
        _find_side(
            read_edges(tables, type_, nodes, definitions.sections), nodes, sections, node, neuron
        )
        for type_, neuron in (("LEAVES_FROM", pre), ("ARRIVES_AT", post))
    ]
    (pre_section, pre_fraction), (post_section, post_fraction) = sides
    return Synapses(
        nodes, node, *_read_types(tables, nodes, node), kinds[node],
        pre, post, pre_section, post_section, pre_fraction, post_fraction,
    )  # fmt: skip


def _read_types(tables: GraphTables, nodes: Nodes, node: Ints) -> tuple[Nodes, Ints]:
    types = read_nodes(tables, "SynapseType")
    edges = read_edges(tables, "OF_TYPE", nodes, types)
    type_ = np.full(len(nodes), -1, dtype=np.int64)
    sides = np.array([_SIDES.index(side) for side in edges.text("side")], dtype=np.int64)
    for side in range(len(_SIDES)):
        type_[edges.src[sides == side]] = edges.dst[sides == side]
    return types, type_[node]


def hides(hidden: Hidden, neurons: Nodes, one: Ints, other: Ints) -> Flags:
    """Which of these pairs of neurons are hidden."""
    pairs = [sorted(pair) for pair in hidden.pairs]
    low = neurons.rows([pair[0] for pair in pairs], "hidden pairs")
    high = neurons.rows([pair[-1] for pair in pairs], "hidden pairs")
    code = np.minimum(one, other) * len(neurons) + np.maximum(one, other)
    return np.isin(code, low * len(neurons) + high)


def _find_side(
    edges: Edges, nodes: Nodes, sections: Instances, node: Ints, neuron: Ints
) -> tuple[Ints, Floats]:
    """Section instance, and place on it, on one side of each synapse."""
    definition = np.full(len(nodes), -1, dtype=np.int64)
    fraction = np.full(len(nodes), np.nan)
    definition[edges.src], fraction[edges.src] = edges.dst, edges.number("fraction_along")
    definition = definition[node]
    row = sections.find(neuron, definition)
    lost = (row < 0) & (definition >= 0)
    if lost.any():
        raise SchemaError(
            "a synapse is on a section that its neuron's cell does not have",
            where=edges.type,
            found=nodes.uid[int(node[lost][0])],
        )
    return np.where(definition < 0, -1, row), fraction[node]
