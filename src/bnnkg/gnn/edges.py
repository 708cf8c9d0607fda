"""Which edges a model's computational graph has, their features, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bnnkg.errors import SchemaError
from bnnkg.gnn.features import SYNAPSE_KINDS
from bnnkg.gnn.layout import Layout, expand, hides
from bnnkg.gnn.read import Edges, Flags, Floats, Ints, read_edges, uids
from bnnkg.gnn.tensors import EdgeOrigin, EdgeTriple, Hidden
from bnnkg.schema.computation import COMPARTMENT_KINDS, EDGE_FEATURES, conducts_to_parent
from bnnkg.schema.records import GraphTables

_ELECTRICAL = SYNAPSE_KINDS.index("electrical")


@dataclass(frozen=True)
class EdgeRows:
    """Edges of one triple.

    Attributes:
        triple: Source kind, relation, target kind.
        src: Rows of the source kind.
        dst: Rows of the target kind.
        features: Those of ``EDGE_FEATURES`` that are known of such edges.
        flow: Which of them carry the flow of signals.
        origin: Where they come from.
        synapse: The synapse of each, where it stands for one.
    """

    triple: EdgeTriple
    src: Ints
    dst: Ints
    features: dict[str, Floats]
    flow: Flags
    origin: EdgeOrigin
    synapse: Ints | None = None

    def attributes(self) -> Floats:
        """[E, 5] in the order of ``EDGE_FEATURES``; not a number where unknown."""
        unknown = np.full(len(self.src), np.nan)
        return np.stack([self.features.get(name, unknown) for name in EDGE_FEATURES], axis=1)


def list_edges(tables: GraphTables, layout: Layout, hidden: Hidden) -> Iterator[EdgeRows]:
    """All edges of a model's computational graph, triple by triple."""
    yield from _conducts(layout)
    yield from _sections_part_of(layout)
    yield _mechanisms_part_of(layout)
    yield from _act_on_sections(layout)
    yield _act_on_neurons(layout)
    features = _synapse_features(layout, hidden)
    yield from _at_neurons(layout, features)
    yield from _at_sections(layout, features)
    yield _presynaptic_to(tables, layout, hidden, features)


def _conducts(layout: Layout) -> Iterator[EdgeRows]:
    edges = layout.definitions.child_of
    sections = layout.definitions.sections
    neuron, item = expand(layout.cell_of, layout.definitions.cell_of_section[edges.src])
    child = layout.sections.find(neuron, edges.src[item])
    parent = layout.sections.find(neuron, edges.dst[item])
    along = sections.number("path_distance_um")
    apart = np.abs(along[edges.src] - along[edges.dst])[item]
    for c, child_kind in enumerate(COMPARTMENT_KINDS):
        for p, parent_kind in enumerate(COMPARTMENT_KINDS):
            chosen = (layout.kind[child] == c) & (layout.kind[parent] == p)
            ends, kinds = (child[chosen], parent[chosen]), (child_kind, parent_kind)
            if not conducts_to_parent(child_kind, parent_kind):
                ends, kinds = ends[::-1], kinds[::-1]
            yield EdgeRows(
                (kinds[0], "conducts", kinds[1]),
                layout.row[ends[0]], layout.row[ends[1]],
                {"distance_um": apart[chosen]},
                np.ones(int(chosen.sum()), dtype=bool),
                EdgeOrigin(
                    "CHILD_OF", "Compartment", "Compartment",
                    uids(sections, edges.src[item[chosen]]),
                    uids(sections, edges.dst[item[chosen]]),
                ),
            )  # fmt: skip


def _sections_part_of(layout: Layout) -> Iterator[EdgeRows]:
    definitions, neuron, section = (
        layout.definitions,
        layout.sections.neuron,
        layout.sections.definition,
    )
    is_soma = layout.kind == COMPARTMENT_KINDS.index("soma")
    has_soma = np.bincount(neuron[is_soma], minlength=len(layout.neurons)) > 0
    flow = is_soma | (definitions.is_root[section] & ~has_soma[neuron])
    along = definitions.sections.number("path_distance_um")[section]
    for place, kind in enumerate(COMPARTMENT_KINDS):
        chosen = layout.kind == place
        yield EdgeRows(
            (kind, "part_of", "neuron"),
            layout.row[chosen], neuron[chosen],
            {"distance_um": along[chosen]},
            flow[chosen],
            EdgeOrigin(
                "HAS_COMPARTMENT", "Cell", "Compartment",
                uids(definitions.cells, layout.cell_of[neuron[chosen]]),
                uids(definitions.sections, section[chosen]),
            ),
        )  # fmt: skip


def _mechanisms_part_of(layout: Layout) -> EdgeRows:
    mechanisms = layout.mechanisms
    n = len(mechanisms.neuron)
    return EdgeRows(
        ("mechanism", "part_of", "neuron"),
        np.arange(n), mechanisms.neuron, {}, np.zeros(n, dtype=bool),
        EdgeOrigin(
            "", "Mechanism", "Neuron",
            uids(layout.definitions.mechanisms, mechanisms.definition),
            uids(layout.neurons, mechanisms.neuron),
        ),
    )  # fmt: skip


def _act_on_sections(layout: Layout) -> Iterator[EdgeRows]:
    definitions, edges = layout.definitions, layout.definitions.densities
    neuron, item = expand(layout.cell_of, definitions.cell_of_section[edges.src])
    section = layout.sections.find(neuron, edges.src[item])
    mechanism = layout.mechanisms.find(neuron, edges.dst[item])
    for place, kind in enumerate(COMPARTMENT_KINDS):
        chosen = layout.kind[section] == place
        yield _acts_on(
            layout, edges, item[chosen], mechanism[chosen], kind, layout.row[section[chosen]]
        )


def _act_on_neurons(layout: Layout) -> EdgeRows:
    edges = layout.definitions.point_mechanisms
    neuron, item = expand(layout.cell_of, edges.src)
    mechanism = layout.mechanisms.find(neuron, edges.dst[item])
    return _acts_on(layout, edges, item, mechanism, "neuron", neuron)


def _acts_on(
    layout: Layout, edges: Edges, item: Ints, mechanism: Ints, kind: str, dst: Ints
) -> EdgeRows:
    definitions = layout.definitions
    ends = definitions.cells if kind == "neuron" else definitions.sections
    uid = edges.text("uid")
    return EdgeRows(
        ("mechanism", "acts_on", kind), mechanism, dst,
        {
            "conductance": edges.number("gbar_S_per_cm2")[item],
            "erev_mV": edges.number("erev_mV")[item],
        },
        np.ones(len(item), dtype=bool),
        EdgeOrigin(
            "HAS_MECHANISM", ends.label, "Mechanism",
            uids(ends, edges.src[item]), uids(definitions.mechanisms, edges.dst[item]),
            tuple(uid[row] for row in item.tolist()),
        ),
    )  # fmt: skip


def somata_apart(layout: Layout) -> Floats:
    """Distance between the two neurons of each synapse, um; not a number where unknown."""
    place = np.stack([layout.neurons.number(f"{axis}_um") for axis in "xyz"], axis=1)
    step = place[layout.synapses.pre] - place[layout.synapses.post]
    return np.asarray(np.sqrt((step**2).sum(axis=1)), dtype=np.float64)


def _synapse_features(layout: Layout, hidden: Hidden) -> dict[str, Floats]:
    """Edge features that all edges of a synapse have in common, a row per synapse."""
    synapses = layout.synapses
    known = {
        "delay_ms": synapses.number("delay_ms"),
        "conductance": synapses.type_number("gbase_nS"),
        "erev_mV": synapses.type_number("erev_mV"),
        "distance_um": somata_apart(layout),
    }
    return known if hidden.contacts else {"weight": synapses.number("weight"), **known}


def _at_neurons(layout: Layout, features: dict[str, Floats]) -> Iterator[EdgeRows]:
    synapses = layout.synapses
    for type_, forward, back, neuron, section in (
        ("SENDS", "sends", "targets_back", synapses.pre, synapses.pre_section),
        ("TARGETS", "targets", "sends_back", synapses.post, synapses.post_section),
    ):
        for name, chosen in _directions(synapses.kind, forward, back):
            row = np.flatnonzero(chosen)
            ends = uids(layout.neurons, neuron[row]), uids(synapses.nodes, synapses.node[row])
            into = name.startswith("sends")
            yield EdgeRows(
                ("neuron", name, "synapse") if into else ("synapse", name, "neuron"),
                neuron[row] if into else row,
                row if into else neuron[row],
                {key: values[row] for key, values in features.items()},
                section[row] < 0,
                EdgeOrigin(type_, "Neuron", "Synapse", *ends)
                if type_ == "SENDS"
                else EdgeOrigin(type_, "Synapse", "Neuron", *reversed(ends)),
            )


def _directions(kind: Ints, forward: str, back: str) -> tuple[tuple[str, Flags], ...]:
    """Relations by the synapses that they hold for: all, and electrical ones also back."""
    return (forward, np.ones(len(kind), dtype=bool)), (back, kind == _ELECTRICAL)


def _at_sections(layout: Layout, features: dict[str, Floats]) -> Iterator[EdgeRows]:
    synapses = layout.synapses
    along = layout.definitions.sections.number("path_distance_um")
    for type_, forward, back, section in (
        ("LEAVES_FROM", "leaves", "arrives_back", synapses.pre_section),
        ("ARRIVES_AT", "arrives", "leaves_back", synapses.post_section),
    ):
        for name, chosen in _directions(synapses.kind, forward, back):
            for place, kind in enumerate(COMPARTMENT_KINDS):
                on_kind = section >= 0
                on_kind[on_kind] = layout.kind[section[on_kind]] == place
                row = np.flatnonzero(chosen & on_kind)
                instance = section[row]
                definition = layout.sections.definition[instance]
                into = name.startswith("leaves")
                yield EdgeRows(
                    (kind, name, "synapse") if into else ("synapse", name, kind),
                    layout.row[instance] if into else row,
                    row if into else layout.row[instance],
                    {key: values[row] for key, values in features.items()}
                    | {"distance_um": along[definition]},
                    np.ones(len(row), dtype=bool),
                    EdgeOrigin(
                        type_, "Synapse", "Compartment",
                        uids(synapses.nodes, synapses.node[row]),
                        uids(layout.definitions.sections, definition),
                    ),
                )  # fmt: skip


def _presynaptic_to(
    tables: GraphTables, layout: Layout, hidden: Hidden, features: dict[str, Floats]
) -> EdgeRows:
    synapses = layout.synapses
    both = synapses.kind == _ELECTRICAL
    row = np.concatenate([np.arange(len(synapses)), np.flatnonzero(both)])
    src = np.concatenate([synapses.pre, synapses.post[both]])
    dst = np.concatenate([synapses.post, synapses.pre[both]])
    order = np.lexsort((row, dst, src))
    row, src, dst = row[order], src[order], dst[order]
    return EdgeRows(
        ("neuron", "presynaptic_to", "neuron"), src, dst,
        {key: values[row] for key, values in features.items()},
        np.zeros(len(row), dtype=bool),
        _connections(tables, layout, hidden, synapses.kind[row], src, dst),
        row,
    )  # fmt: skip


def _connections(
    tables: GraphTables, layout: Layout, hidden: Hidden, kind: Ints, src: Ints, dst: Ints
) -> EdgeOrigin:
    """The CONNECTS_TO of each edge; of a gap junction also one that points the other way."""
    neurons = layout.neurons
    stored = read_edges(tables, "CONNECTS_TO", neurons, neurons)
    stored_kind = [SYNAPSE_KINDS.index(k) for k in stored.text("kind")]
    ends = zip(stored_kind, stored.src.tolist(), stored.dst.tolist(), strict=True)
    place = {key: row for row, key in enumerate(ends)}
    found = []
    for key in zip(kind.tolist(), src.tolist(), dst.tolist(), strict=True):
        turned = (key[0], key[2], key[1]) if key[0] == _ELECTRICAL else key
        found.append(place.get(key, place.get(turned, -1)))
    row = np.array(found, dtype=np.int64)
    seen = set(found) | set(np.flatnonzero(hides(hidden, neurons, stored.src, stored.dst)).tolist())
    if -1 in seen or len(seen) != len(stored):
        raise SchemaError(
            "the connections between neurons do not follow from the synapses",
            where="CONNECTS_TO",
            expected="one for each pair of neurons and kind of synapse that joins them",
            hint="ingest the model again",
        )
    uid = stored.text("uid")
    return EdgeOrigin(
        "CONNECTS_TO", "Neuron", "Neuron",
        uids(neurons, stored.src[row]), uids(neurons, stored.dst[row]),
        tuple(uid[r] for r in found),
    )  # fmt: skip
