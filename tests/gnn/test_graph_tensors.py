"""The exact map between the stored graph and the computational one."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from small_models import (
    Cell,
    Density,
    Model,
    Section,
    Synapse,
    SynapseType,
    models,
    neuron,
    section,
    synapse,
    tables_of,
)
from tensor_equality import same_graph

from bnnkg.errors import SchemaError
from bnnkg.gnn.features import COLUMNS, SHARED_BY, places
from bnnkg.gnn.graph import build
from bnnkg.gnn.hetero import hetero
from bnnkg.gnn.tensors import GraphTensors, Hidden
from bnnkg.schema.computation import (
    EDGE_FEATURES,
    KIND_OF_COMPARTMENT,
    KINDS,
    RELATIONS,
    USES,
    Kind,
    edge_types,
)
from bnnkg.schema.graph import EDGES, NODES
from bnnkg.schema.records import EdgeTable, GraphTables

PYRAMID = Cell(
    [
        Section("soma", None, 20.0, 10.0),
        Section("dendrite", 0, 30.0),
        Section("dendrite", 1, 40.0),
        Section("axon", 0, 50.0),
    ],
    [
        Density(0, "na_a", 0.1),
        Density(0, "na_a", 0.3),
        Density(2, "na_a", 0.8),
        Density(1, "leak", 0.01),
    ],
)
POINT = Cell(point=["point_a"], class_="izhikevich2007Cell")
TINY = Model(
    [PYRAMID, POINT],
    [0, 0, 1],
    [
        Synapse(0, 1, "chemical", 3.0, 3, 2, 0),
        Synapse(0, 1, "chemical", 4.0, 3, 1, 1),
        Synapse(1, 2, "chemical", None, 3, None, 0),
        Synapse(0, 2, "electrical", 5.0, 0, None, None),
        Synapse(2, 0, "electrical", 7.0, None, 0, None, mirrored=True),
    ],
    [SynapseType(2.0, 0.0), SynapseType(3.0, -70.0)],
    [0.0, 3.0, 10.0],
)


@pytest.fixture(scope="module")
def tiny() -> GraphTensors:
    return build(tables_of(TINY))


def cell(graph: GraphTensors, kind: str, row: int, column: str) -> float | None:
    """A feature as read by a user: its value, or None where unknown."""
    place = places(kind)[column]  # type: ignore[index]
    store = graph.data[kind]
    return float(store.x[row, place]) if store.mask[row, place] else None


def edges(graph: GraphTensors, src: str, relation: str, dst: str) -> list[tuple[str, str]]:
    """Edges as pairs of the uids of what they join (the neuron's own where there is no other)."""
    keys = [[own or neuron for neuron, own in graph.keys[kind]] for kind in (src, dst)]  # type: ignore[index]
    index = graph.data[src, relation, dst].edge_index.T.tolist()
    return [(keys[0][a], keys[1][b]) for a, b in index]


def stored_edges(model: Model) -> Counter[tuple[str, str, str, str | None]]:
    """What the computational graph must come from, counted from the records, an edge each."""
    tables = tables_of(model)
    copies = Counter(f"c{number}" for number in model.neurons)
    owner = dict(zip(*_ends(tables, "HAS_COMPARTMENT", "Cell", "Compartment")[::-1], strict=True))
    found: Counter[tuple[str, str, str, str | None]] = Counter()
    electrical = {synapse(y) for y, s in enumerate(model.synapses) if s.kind == "electrical"}
    for table in tables.edges.values():
        if USES[table.type] != "edge" or table.type == "CONNECTS_TO":
            continue
        uid = table.columns.get("uid", [None] * len(table))
        for src, dst, own in zip(table.src, table.dst, uid, strict=True):
            if table.type in ("CHILD_OF", "HAS_COMPARTMENT", "HAS_MECHANISM"):
                n = copies[src if table.src_label == "Cell" else owner[src]]
            else:
                n = 2 if {src, dst} & electrical else 1
            if n:
                found[table.type, src, dst, own] = n
    return found


def _ends(tables: GraphTables, *key: str) -> tuple[list[str], list[str]]:
    table = tables.edges.get(key)  # type: ignore[call-overload]
    return (list(table.src), list(table.dst)) if table else ([], [])


@settings(max_examples=30, deadline=None)
@given(models())
def test_every_stored_edge_is_there_once_per_instance(model: Model) -> None:
    graph = build(tables_of(model))
    found: Counter[tuple[str, str, str, str | None]] = Counter()
    for triple, origin in graph.origins.items():
        n = graph.data[triple].edge_index.shape[1]
        assert len(origin.src_uid) == len(origin.dst_uid) == n
        if origin.stored not in ("", "CONNECTS_TO"):
            uid = origin.uid or (None,) * n
            found.update(zip([origin.stored] * n, origin.src_uid, origin.dst_uid, uid, strict=True))
    assert found == stored_edges(model)


@settings(max_examples=25, deadline=None)
@given(models())
def test_edges_join_what_their_origin_joins(model: Model) -> None:
    graph = build(tables_of(model))
    cell_of = {neuron(i): f"c{c}" for i, c in enumerate(model.neurons)}
    for (src, relation, dst), origin in graph.origins.items():
        index = graph.data[src, relation, dst].edge_index.T.tolist()
        for (a, b), one, other in zip(index, origin.src_uid, origin.dst_uid, strict=True):
            ends = {*graph.keys[src][a], *graph.keys[dst][b]} - {""}  # type: ignore[index]
            ends |= {cell_of[uid] for uid in ends if uid in cell_of}
            assert {one, other} <= ends


@settings(max_examples=25, deadline=None)
@given(models())
def test_rows_are_the_instances(model: Model) -> None:
    graph = build(tables_of(model))
    for kind in KINDS:
        assert list(graph.keys[kind]) == sorted(set(graph.keys[kind]))
        assert len(graph.keys[kind]) == len(graph.data[kind].x) == len(graph.data[kind].mask)
    expected = [
        (neuron(i), section(c, s), KIND_OF_COMPARTMENT[own.kind])
        for i, c in enumerate(model.neurons)
        for s, own in enumerate(model.cells[c].sections)
    ]
    found = [(*key, kind) for kind in ("soma", "dendrite", "axon") for key in graph.keys[kind]]  # type: ignore[index]
    assert sorted(found) == sorted(expected)
    carried = {
        (neuron(i), name)
        for i, c in enumerate(model.neurons)
        for name in [d.mechanism for d in model.cells[c].densities] + model.cells[c].point
    }
    assert set(graph.keys["mechanism"]) == carried


@settings(max_examples=30, deadline=None)
@given(models())
def test_order_of_records_does_not_matter(model: Model) -> None:
    assert same_graph(build(tables_of(model)), build(tables_of(model, shuffle=1)))


def test_conduction_runs_from_dendrite_to_soma_to_axon(tiny: GraphTensors) -> None:
    assert edges(tiny, "dendrite", "conducts", "soma") == [("c0.s1", "c0.s0")] * 2
    assert edges(tiny, "dendrite", "conducts", "dendrite") == [("c0.s2", "c0.s1")] * 2
    assert edges(tiny, "soma", "conducts", "axon") == [("c0.s0", "c0.s3")] * 2
    assert tiny.origins["soma", "conducts", "axon"].src_uid == ("c0.s3", "c0.s3")


def test_flow_takes_the_section_where_there_is_one(tiny: GraphTensors) -> None:
    sends, targets = (
        tiny.data["neuron", "sends", "synapse"],
        tiny.data["synapse", "targets", "neuron"],
    )
    assert edges(tiny, "neuron", "sends", "synapse") == [
        ("n00", "y00"), ("n00", "y01"), ("n00", "y03"), ("n01", "y02"), ("n02", "y04"),
    ]  # fmt: skip
    assert sends.flow.tolist() == [False, False, False, False, True]
    assert targets.flow.tolist() == [False, False, True, True, False]
    assert tiny.data["soma", "part_of", "neuron"].flow.all()
    assert not tiny.data["dendrite", "part_of", "neuron"].flow.any()


def test_without_soma_the_root_speaks_for_the_neuron() -> None:
    bare = Cell([Section("dendrite"), Section("dendrite", 0)])
    graph = build(tables_of(Model([bare], [0])))
    assert graph.data["dendrite", "part_of", "neuron"].flow.tolist() == [True, False]


def test_a_soma_that_is_no_root_still_speaks_for_the_neuron() -> None:
    odd = Cell([Section("dendrite"), Section("soma", 0), Section("axon", 1)])
    graph = build(tables_of(Model([odd], [0])))
    assert graph.data["dendrite", "part_of", "neuron"].flow.tolist() == [False]
    assert graph.data["soma", "part_of", "neuron"].flow.tolist() == [True]
    assert edges(graph, "dendrite", "conducts", "soma") == [("c0.s0", "c0.s1")]


def test_electrical_synapses_flow_both_ways(tiny: GraphTensors) -> None:
    assert edges(tiny, "neuron", "sends_back", "synapse") == [("n02", "y03"), ("n00", "y04")]
    assert edges(tiny, "synapse", "targets_back", "neuron") == [("y03", "n00"), ("y04", "n02")]
    assert edges(tiny, "synapse", "arrives_back", "soma") == [("y03", "c0.s0")]
    assert edges(tiny, "soma", "leaves_back", "synapse") == [("c0.s0", "y04")]
    up = edges(tiny, "neuron", "presynaptic_to", "neuron")
    assert Counter(up) == {
        ("n00", "n01"): 2, ("n01", "n02"): 1, ("n00", "n02"): 2, ("n02", "n00"): 2,
    }  # fmt: skip
    origin = tiny.origins["neuron", "presynaptic_to", "neuron"]
    assert origin.uid is not None
    assert set(origin.uid) == {
        "n00>n01:chemical", "n01>n02:chemical", "n00>n02:electrical", "n02>n00:electrical",
    }  # fmt: skip


def test_degrees_by_hand(tiny: GraphTensors) -> None:
    expected = {
        "in_chemical_partners": (0, 1, 1), "out_chemical_partners": (1, 1, 0),
        "in_chemical_synapses": (0, 2, 1), "out_chemical_synapses": (2, 1, 0),
        "in_chemical_weight": (0, 7, 1), "out_chemical_weight": (7, 1, 0),
        "electrical_partners": (1, 0, 1), "electrical_synapses": (1, 0, 1),
        "electrical_weight": (6, 0, 6), "in_continuous_partners": (0, 0, 0),
    }  # fmt: skip
    for name, values in expected.items():
        assert [cell(tiny, "neuron", row, name) for row in range(3)] == list(values), name
    assert [key[1] for key in tiny.keys["dendrite"]] == ["c0.s1", "c0.s2"] * 2
    arriving = [cell(tiny, "dendrite", row, "in_chemical_weight") for row in range(4)]
    assert arriving == [0, 0, 4, 3]
    assert [cell(tiny, "axon", row, "out_chemical_synapses") for row in range(2)] == [2, 1]
    assert [cell(tiny, "soma", row, "electrical_synapses") for row in range(2)] == [1, 0]


def test_a_gap_junction_to_itself_counts_once() -> None:
    graph = build(tables_of(Model([PYRAMID], [0, 0], [Synapse(0, 0, "electrical", 3.0, 0, 0)])))
    for name, value in {"partners": 1, "synapses": 1, "weight": 3}.items():
        assert cell(graph, "neuron", 0, f"electrical_{name}") == value
    assert cell(graph, "soma", 0, "electrical_weight") == 3


def test_features_by_hand(tiny: GraphTensors) -> None:
    assert cell(tiny, "neuron", 1, "length_um") == 140
    assert cell(tiny, "neuron", 2, "is_point") == 1
    assert cell(tiny, "neuron", 2, "izhikevich") == 1
    assert cell(tiny, "neuron", 1, "relative_index") == 0.5
    assert cell(tiny, "dendrite", 1, "path_distance_um") == 70
    assert cell(tiny, "dendrite", 1, "relative_index") == pytest.approx(2 / 3)
    assert cell(tiny, "soma", 0, "gbar_S_per_cm2") == pytest.approx(0.4)
    assert cell(tiny, "soma", 0, "n_children") == 2
    rows = [key[1] for key in tiny.keys["mechanism"]]
    assert rows == ["leak", "na_a", "leak", "na_a", "point_a"]
    assert cell(tiny, "mechanism", 1, "gbar_S_per_cm2") == pytest.approx(0.4)
    assert cell(tiny, "mechanism", 1, "n_sections") == 2
    assert cell(tiny, "mechanism", 1, "ion_na") == 1
    assert cell(tiny, "mechanism", 0, "is_passive") == 1
    assert cell(tiny, "synapse", 0, "pre_path_distance_um") == 45
    assert cell(tiny, "synapse", 0, "distance_um") == 3
    assert cell(tiny, "synapse", 1, "n_parallel") == 2
    assert cell(tiny, "synapse", 1, "sign") == -1
    attr = tiny.data["axon", "leaves", "synapse"].edge_attr
    assert attr[:2].tolist() == [[3, 0, 2, 0, 45], [4, 0, 3, -70, 45]]


def test_absence_is_not_zero(tiny: GraphTensors) -> None:
    assert cell(tiny, "neuron", 2, "length_um") == 0  # a point cell says that it has no length
    assert cell(tiny, "neuron", 2, "max_path_distance_um") is None
    assert [key[1] for key in tiny.keys["synapse"]] == ["y00", "y01", "y03", "y02", "y04"]
    assert cell(tiny, "synapse", 2, "post_path_distance_um") is None
    assert cell(tiny, "synapse", 2, "gbase_nS") is None
    assert cell(tiny, "soma", 0, "cm_uF_per_cm2") is None
    assert cell(tiny, "synapse", 3, "weight") == 1.0  # NeuroML's default
    assert not tiny.data["synapse", "targets", "neuron"].edge_mask[2, 2]


def test_activity_reaches_all_that_the_neuron_has() -> None:
    graph = build(tables_of(Model([PYRAMID], [0, 0], [Synapse(0, 1)], rates={1: 12.0})))
    assert [cell(graph, "neuron", row, "mean_frequency_Hz") for row in (0, 1)] == [None, 12]
    assert [cell(graph, "soma", row, "neuron_mean_frequency_Hz") for row in (0, 1)] == [None, 12]
    assert cell(graph, "synapse", 0, "post_mean_frequency_Hz") == 12
    assert cell(graph, "synapse", 0, "pre_mean_frequency_Hz") is None


def test_hidden_pairs_are_gone_before_anything_is_counted() -> None:
    hidden = build(tables_of(TINY), hidden=Hidden.of([(neuron(1), neuron(0))]))
    rest = Model(TINY.cells, TINY.neurons, TINY.synapses[2:], TINY.types, TINY.positions)
    alone = build(tables_of(rest))
    for kind in KINDS:
        assert torch.equal(hidden.data[kind].x, alone.data[kind].x), kind
    assert [key[1] for key in hidden.keys["synapse"]] == ["y03", "y02", "y04"]


def test_contacts_withheld_are_in_no_feature() -> None:
    other = Model(TINY.cells, TINY.neurons, [*TINY.synapses], TINY.types, TINY.positions)
    other.synapses[0] = Synapse(0, 1, "chemical", 9.0, 3, 2, 0)
    one, two = (build(tables_of(m), hidden=Hidden(contacts=True)) for m in (TINY, other))
    for key in one.data:
        store, twin = vars(one.data[key]), vars(two.data[key])
        assert all(torch.equal(store[name], twin[name]) for name in store)
    for kind in KINDS:
        telling = [column.contacts for column in COLUMNS[kind]]
        assert not one.data[kind].mask[:, telling].any()
        assert not one.data[kind].x[:, telling].any()
    assert cell(one, "neuron", 1, "in_chemical_partners") == 1


@pytest.mark.parametrize(
    ("label", "type_", "says"),
    [
        ("Neuron", "INSTANCE_OF", "INSTANCE_OF"),
        ("Compartment", "HAS_COMPARTMENT", "HAS_COMPARTMENT"),
        ("Synapse", "TARGETS", "TARGETS"),
        ("Neuron", "CONNECTS_TO", "do not follow from the synapses"),
    ],
)
def test_what_cannot_be_mapped_is_an_error(label: str, type_: str, says: str) -> None:
    tables = tables_of(TINY)
    edges = [t for t in tables.edges.values() if t.type != type_]
    with pytest.raises(SchemaError, match=says):
        build(GraphTables.of(tables.nodes.values(), edges))


def test_connection_without_synapse_is_an_error() -> None:
    tables = tables_of(TINY)
    old = tables.edges["CONNECTS_TO", "Neuron", "Neuron"]
    columns = {name: [*values, values[-1]] for name, values in old.columns.items()}
    columns["uid"][-1] = "more"
    more = EdgeTable(
        old.type, old.src_label, old.dst_label, [*old.src, "n02"], [*old.dst, "n01"], columns
    )
    with pytest.raises(SchemaError, match="do not follow"):
        build(GraphTables.of(tables.nodes.values(), [*tables.edges.values(), more]))


def test_synapse_on_a_section_of_another_cell_is_an_error() -> None:
    strange = Model([PYRAMID, PYRAMID], [0, 1], [Synapse(0, 1, pre_section=0)])
    tables = tables_of(strange)
    leaves = EdgeTable("LEAVES_FROM", "Synapse", "Compartment", ["y00"], ["c1.s0"], {})
    with pytest.raises(SchemaError, match="does not have"):
        build(GraphTables.of(tables.nodes.values(), [*tables.edges.values(), leaves]))


def test_edge_to_nowhere_is_an_error() -> None:
    tables = tables_of(TINY)
    sends = EdgeTable("INSTANCE_OF", "Neuron", "Cell", ["n00", "n01", "n99"], ["c0", "c0", "c1"])
    with pytest.raises(SchemaError, match="n99"):
        build(GraphTables.of(tables.nodes.values(), [*tables.edges.values(), sends]))


def test_two_models_are_an_error() -> None:
    with pytest.raises(SchemaError, match="one model at a time"):
        build(GraphTables.of([], []))


def test_every_edge_type_has_a_rule() -> None:
    assert set(USES) == set(EDGES)
    drawn = {relation.stored for relation in RELATIONS if relation.stored}
    assert drawn == {type_ for type_, use in USES.items() if use == "edge"}


def test_every_triple_is_in_every_graph(tiny: GraphTensors) -> None:
    assert set(tiny.data) == {*KINDS, *edge_types()}
    assert hetero(tiny).validate()


def test_all_six_groups_are_on_every_kind_and_no_name_is_a_feature() -> None:
    for kind in KINDS:
        groups = {column.group for column in COLUMNS[kind]}
        assert groups == {"type", "index", "io", "geometry", "activity", "function"}, kind
        words = " ".join(column.source for column in COLUMNS[kind])
        for forbidden in (".name", ".uid", "instance_id", "projection", "Term", "property"):
            assert forbidden not in words


def test_whatever_gives_a_column_away_exists() -> None:
    names = {f"{kind}.{column.name}" for kind in KINDS for column in COLUMNS[kind]}
    names |= {f"{relation.name}.{feature}" for relation in RELATIONS for feature in EDGE_FEATURES}
    for kind in KINDS:
        for column in COLUMNS[kind]:
            assert {*column.hides_with, *column.hides_across} <= names
            assert column.shared_by in ("", *SHARED_BY[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_declaration_derives_is_hidden_with_it(kind: Kind) -> None:
    by_source = {column.source: column for column in COLUMNS[kind]}
    for source, column in by_source.items():
        label, _, name = source.partition(".")
        declared = NODES[label].by_name.get(name) if label in NODES else None
        for other in declared.derived_from if declared else ():
            if f"{label}.{other}" in by_source:
                origin = by_source[f"{label}.{other}"]
                assert f"{kind}.{column.name}" in origin.hides_with
                assert f"{kind}.{origin.name}" in column.hides_with
