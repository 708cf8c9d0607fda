"""Models small enough to count by hand, as the records that ingest gives and the store returns."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from bnnkg.schema.records import EdgeTable, GraphTables, NodeTable


@dataclass
class Section:
    kind: str
    parent: int | None = None
    length: float = 10.0
    diameter: float = 2.0
    at: float = 0.0
    """Where its one point is, um from the root."""


@dataclass
class Density:
    section: int
    mechanism: str
    gbar: float | None = 0.1
    erev: float | None = 50.0


@dataclass
class Cell:
    sections: list[Section] = field(default_factory=list)
    densities: list[Density] = field(default_factory=list)
    point: list[str] = field(default_factory=list)
    class_: str = "cell"


@dataclass
class Synapse:
    pre: int
    post: int
    kind: str = "chemical"
    weight: float | None = None
    pre_section: int | None = None
    post_section: int | None = None
    type_: int | None = None
    mirrored: bool = False


@dataclass
class SynapseType:
    gbase: float = 1.0
    erev: float = 0.0


@dataclass
class Model:
    cells: list[Cell]
    neurons: list[int]
    synapses: list[Synapse] = field(default_factory=list)
    types: list[SynapseType] = field(default_factory=list)
    positions: list[float] = field(default_factory=list)
    rates: dict[int, float] = field(default_factory=dict)
    """Mean frequency measured of some neurons, Hz."""
    key: str = "small"


def neuron(number: int) -> str:
    return f"n{number:02}"


def synapse(number: int) -> str:
    return f"y{number:02}"


def section(cell: int, number: int) -> str:
    return f"c{cell}.s{number}"


def tables_of(model: Model, *, shuffle: int | None = None) -> GraphTables:
    """The model's records, in random order where a seed is given."""
    tables = GraphTables.of(_nodes(model), _edges(model))
    return tables if shuffle is None else _shuffled(tables, random.Random(shuffle))


def path_distance(cell: Cell, number: int) -> float:
    """From the root to the middle of the section."""
    own = cell.sections[number]
    before, parent = own.length / 2, own.parent
    while parent is not None:
        before += cell.sections[parent].length
        parent = cell.sections[parent].parent
    return before


def mechanisms(model: Model) -> list[str]:
    names = {d.mechanism for cell in model.cells for d in cell.densities}
    return sorted(names | {name for cell in model.cells for name in cell.point})


def _nodes(model: Model) -> list[NodeTable]:
    sections = [
        (c, s, cell) for c, cell in enumerate(model.cells) for s in range(len(cell.sections))
    ]
    own = [cell.sections[s] for _, s, cell in sections]
    named, positions = mechanisms(model), model.positions
    n = len(model.neurons)
    return [
        NodeTable("Model", {"uid": ["m0"], "key": [model.key], "accession": [None]}),
        NodeTable("Cell", {
            "uid": [f"c{c}" for c in range(len(model.cells))],
            "cell_class": [cell.class_ for cell in model.cells],
            "is_point": [not cell.sections for cell in model.cells],
            "length_um": [sum(s.length for s in cell.sections) for cell in model.cells],
            "area_um2": [sum(s.length * s.diameter for s in cell.sections) for cell in model.cells],
            "n_segments": [len(cell.sections) for cell in model.cells],
            "max_path_distance_um": [
                max([path_distance(cell, s) for s in range(len(cell.sections))], default=None)
                for cell in model.cells
            ],
            "v_init_mV": [-65.0] * len(model.cells),
        }),
        NodeTable("Compartment", {
            "uid": [section(c, s) for c, s, _ in sections],
            "kind": [s.kind for s in own],
            "index": [s for _, s, _ in sections],
            "n_segments": [1] * len(own),
            "length_um": [s.length for s in own],
            "diameter_um": [s.diameter for s in own],
            "area_um2": [s.length * s.diameter for s in own],
            "path_distance_um": [path_distance(cell, s) for _, s, cell in sections],
            "segment_points_um": [[s.at, 0.0, 0.0, s.diameter] * 2 for s in own],
        }),
        NodeTable("Mechanism", {
            "uid": named,
            "kind": ["point" if name.startswith("point") else "channel" for name in named],
            "is_passive": [name == "leak" for name in named],
            "ion": ["na" if name.startswith("na") else None for name in named],
        }),
        NodeTable("Neuron", {
            "uid": [neuron(i) for i in range(n)],
            "index": list(range(n)),
            "x_um": positions or [None] * n,
            "y_um": [0.0] * n,
            "z_um": [0.0] * n,
        }),
        NodeTable("Population", {"uid": ["p"], "size": [n]}),
        NodeTable("SynapseType", {
            "uid": [f"t{t}" for t in range(len(model.types))],
            "gbase_nS": [t.gbase for t in model.types],
            "erev_mV": [t.erev for t in model.types],
            "sign": [1 if t.erev > -55 else -1 for t in model.types],
        }),
        NodeTable("Synapse", {
            "uid": [synapse(y) for y in range(len(model.synapses))],
            "kind": [y.kind for y in model.synapses],
            "weight": [y.weight for y in model.synapses],
            "mirrored": [y.mirrored for y in model.synapses],
        }),
        NodeTable("Activity", {
            "uid": [f"a{i}" for i in model.rates],
            "feature_names": [["mean_frequency_Hz"]] * len(model.rates),
            "feature_values": [[rate] for rate in model.rates.values()],
        }),
    ]  # fmt: skip


def _edges(model: Model) -> list[EdgeTable]:
    cells, neurons = list(enumerate(model.cells)), list(enumerate(model.neurons))
    synapses = list(enumerate(model.synapses))
    owned = [(f"c{c}", section(c, s)) for c, cell in cells for s in range(len(cell.sections))]
    children = [
        (section(c, s), section(c, own.parent))
        for c, cell in cells for s, own in enumerate(cell.sections) if own.parent is not None
    ]  # fmt: skip
    densities = [(c, d, i) for c, cell in cells for i, d in enumerate(cell.densities)]
    points = [(c, name) for c, cell in cells for name in cell.point]
    leaves = [
        (synapse(y), section(model.neurons[s.pre], s.pre_section))
        for y, s in synapses if s.pre_section is not None
    ]  # fmt: skip
    arrives = [
        (synapse(y), section(model.neurons[s.post], s.post_section))
        for y, s in synapses if s.post_section is not None
    ]  # fmt: skip
    typed = [(synapse(y), f"t{s.type_}") for y, s in synapses if s.type_ is not None]
    return [
        _table("INSTANCE_OF", "Neuron", "Cell", [(neuron(i), f"c{c}") for i, c in neurons]),
        _table("HAS_NEURON", "Population", "Neuron", [("p", neuron(i)) for i, _ in neurons]),
        _table("HAS_COMPARTMENT", "Cell", "Compartment", owned),
        _table("CHILD_OF", "Compartment", "Compartment", children),
        _table(
            "HAS_MECHANISM", "Compartment", "Mechanism",
            [(section(c, d.section), d.mechanism) for c, d, _ in densities],
            uid=[f"c{c}.d{i}" for c, _, i in densities],
            gbar_S_per_cm2=[d.gbar for _, d, _ in densities],
            erev_mV=[d.erev for _, d, _ in densities],
        ),
        _table(
            "HAS_MECHANISM", "Cell", "Mechanism", [(f"c{c}", name) for c, name in points],
            uid=[f"c{c}.{name}" for c, name in points],
        ),
        _table("SENDS", "Neuron", "Synapse", [(neuron(s.pre), synapse(y)) for y, s in synapses]),
        _table("TARGETS", "Synapse", "Neuron", [(synapse(y), neuron(s.post)) for y, s in synapses]),
        _table("LEAVES_FROM", "Synapse", "Compartment", leaves, fraction_along=[0.5] * len(leaves)),
        _table("ARRIVES_AT", "Synapse", "Compartment", arrives,
               fraction_along=[0.5] * len(arrives)),
        _table("OF_TYPE", "Synapse", "SynapseType", typed, side=["both"] * len(typed)),
        _table(
            "MEASURED_AS", "Neuron", "Activity", [(neuron(i), f"a{i}") for i in model.rates]
        ),
        _connects(model),
    ]  # fmt: skip


def _connects(model: Model) -> EdgeTable:
    joined = sorted({(neuron(s.pre), neuron(s.post), s.kind) for s in model.synapses})
    return _table(
        "CONNECTS_TO", "Neuron", "Neuron", [(a, b) for a, b, _ in joined],
        uid=[f"{a}>{b}:{kind}" for a, b, kind in joined],
        kind=[kind for _, _, kind in joined],
        n_synapses=[1 for _ in joined],
    )  # fmt: skip


def _table(
    type_: str, src: str, dst: str, ends: list[tuple[str, str]], **columns: list[Any]
) -> EdgeTable:
    return EdgeTable(type_, src, dst, [a for a, _ in ends], [b for _, b in ends], columns)


def _shuffled(tables: GraphTables, source: random.Random) -> GraphTables:
    nodes, edges = [], []
    for table in tables.nodes.values():
        order = source.sample(range(len(table)), len(table))
        columns = {name: [values[i] for i in order] for name, values in table.columns.items()}
        nodes.append(NodeTable(table.label, columns))
    for edge in tables.edges.values():
        order = source.sample(range(len(edge)), len(edge))
        src, dst = [edge.src[i] for i in order], [edge.dst[i] for i in order]
        columns = {name: [values[i] for i in order] for name, values in edge.columns.items()}
        edges.append(EdgeTable(edge.type, edge.src_label, edge.dst_label, src, dst, columns))
    return GraphTables.of(nodes, edges)


KINDS = ("soma", "dendrite", "axon", "other")
_size = st.floats(0.5, 50, width=32)


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    if draw(st.integers(0, 3)) == 0:
        return Cell(point=["point_a"], class_="izhikevich2007Cell")
    sections: list[Section] = []
    for i in range(draw(st.integers(1, 4))):
        parent = draw(st.integers(0, i - 1)) if i else None
        kind = draw(st.sampled_from(KINDS))
        sections.append(Section(kind, parent, draw(_size), draw(_size), draw(_size)))
    place = st.integers(0, len(sections) - 1)
    density = st.builds(
        Density, place, st.sampled_from(["na_a", "k_a", "leak"]), st.none() | st.floats(0, 1)
    )
    return Cell(sections, draw(st.lists(density, max_size=4)))


@st.composite
def synapses(draw: st.DrawFn, own: list[Cell], neurons: list[int]) -> Synapse:
    pre, post = (draw(st.integers(0, len(neurons) - 1)) for _ in range(2))
    sides = []
    for number in (pre, post):
        n = len(own[neurons[number]].sections)
        sides.append(draw(st.none() | st.integers(0, n - 1)) if n else None)
    kind = draw(st.sampled_from(["chemical", "chemical", "electrical", "continuous"]))
    weight = draw(st.none() | st.integers(1, 9).map(float))
    return Synapse(pre, post, kind, weight, *sides, draw(st.none() | st.integers(0, 1)))


@st.composite
def models(draw: st.DrawFn, min_synapses: int = 0) -> Model:
    own = draw(st.lists(cells(), min_size=1, max_size=3))
    neurons = draw(st.lists(st.integers(0, len(own) - 1), min_size=2, max_size=5))
    some = draw(st.lists(synapses(own, neurons), min_size=min_synapses, max_size=9))
    positions = [float(draw(st.integers(-20, 20))) for _ in neurons]
    return Model(own, neurons, some, [SynapseType(), SynapseType(2.0, -70.0)], positions)
