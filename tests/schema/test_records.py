"""Records are checked against the declaration before a database sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnkg.errors import SchemaError
from bnnkg.schema import EdgeTable, GraphTables, NodeTable, validate
from bnnkg.schema.declaration import Property
from bnnkg.schema.records import _check_values

TERM = {"uid": ["t1", "t2"], "kind": ["region", "species"], "name": ["CA1", "rat"]}


def check_node(**changes):
    columns = {**TERM, **changes}
    nodes = NodeTable("Term", {k: v for k, v in columns.items() if v is not None})
    validate(GraphTables.of([nodes], []))


def check_edge(
    type_="SENDS", ends=("Neuron", "Synapse"), src=("a", "b"), dst=("c", "d"), **columns
):
    validate(GraphTables.of([], [EdgeTable(type_, *ends, list(src), list(dst), columns)]))


def test_records_that_fit_pass():
    check_node()
    check_edge()
    check_edge("ARRIVES_AT", ("Synapse", "Compartment"), fraction_along=[0, None], segment=[1, 0])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"nmae": ["a", "b"]}, "Term.nmae: no such property"),
        ({"name": ["CA1"]}, r"Term.name: 1 values for 2 records"),
        ({"name": ["CA1", None]}, "Term.name, row 1: a required value is absent"),
        ({"name": None}, "Term.name: a required property is missing"),
        ({"name": ["CA1", 3]}, r"Term.name, row 1: a value has another type"),
        ({"uid": ["t1", "t1"]}, "Term, row 1: the same uid occurs twice"),
    ],
)
def test_nodes_that_do_not_fit_are_refused(changes, told):
    with pytest.raises(SchemaError, match=told):
        check_node(**changes)


@pytest.mark.parametrize(
    ("edge", "told"),
    [
        ({"type_": "SEND"}, "no such edge type"),
        ({"ends": ("Synapse", "Neuron")}, "SENDS does not join these labels"),
        ({"dst": ("c",)}, "2 sources and 1 targets"),
        ({"dst": ("c", "c")}, "SENDS, row 1: the same target occurs twice"),
        ({"weight": [1, 2]}, "SENDS.weight: no such property"),
        (
            {"type_": "TARGETS", "ends": ("Synapse", "Neuron"), "src": ("a", "a")},
            "the same source occurs twice",
        ),
        (
            {"type_": "CONNECTS_TO", "ends": ("Neuron", "Neuron"), "uid": ["x", "x"],
             "kind": ["chemical"] * 2, "n_synapses": [1, 1]},
            "the same uid occurs twice",
        ),
        (
            {"type_": "CONNECTS_TO", "ends": ("Neuron", "Neuron"), "kind": ["chemical"] * 2,
             "n_synapses": [1, 1]},
            "CONNECTS_TO.uid: a required property is missing",
        ),
    ],
)  # fmt: skip
def test_edges_that_do_not_fit_are_refused(edge, told):
    with pytest.raises(SchemaError, match=told):
        check_edge(**edge)


def test_an_undeclared_label_is_refused():
    with pytest.raises(SchemaError, match="Cells: no such label"):
        validate(GraphTables.of([NodeTable("Cells", {"uid": ["a"]})], []))


def test_two_edges_may_leave_one_source_where_the_design_lets_them():
    check_edge(src=("a", "a"))


TYPES = {
    "string": st.text(),
    "integer": st.integers(),
    "float": st.floats(),
    "boolean": st.booleans(),
}
LISTS = {f"{name}s": st.lists(values) for name, values in TYPES.items() if name != "boolean"}
FITS = {(a, b): a == b or (a, b) == ("float", "integer") for a in TYPES for b in TYPES}


@given(st.data())
def test_a_value_passes_exactly_where_its_type_is_declared(data):
    """An integer is a float, a boolean is no number, one odd value among many is found."""
    declared, actual = (data.draw(st.sampled_from(sorted(TYPES))) for _ in range(2))
    column = data.draw(st.lists(TYPES[declared] | st.none(), max_size=5))
    column.insert(data.draw(st.integers(0, len(column))), data.draw(TYPES[actual]))
    prop = Property("p", declared, "any")
    if FITS[declared, actual]:
        _check_values("x", prop, column)
    else:
        with pytest.raises(SchemaError, match="another type"):
            _check_values("x", prop, column)


@given(st.data())
def test_a_list_has_the_declared_values_without_gaps(data):
    declared = data.draw(st.sampled_from(sorted(LISTS)))
    values = data.draw(LISTS[declared])
    prop = Property("p", declared, "any")
    _check_values("x", prop, [values, tuple(values), None])
    for odd in ([*values, None], [*values, b"x"], [[*values]], "text", 3):
        with pytest.raises(SchemaError, match="another type"):
            _check_values("x", prop, [values, odd])


def test_counts_are_by_label_and_type():
    tables = GraphTables.of(
        [NodeTable("Term", TERM), NodeTable("Cell", {"uid": []})],
        [
            EdgeTable("HAS_MECHANISM", "Compartment", "Mechanism", ["a"], ["m"]),
            EdgeTable("HAS_MECHANISM", "Cell", "Mechanism", ["c", "c"], ["m", "n"]),
        ],
    )
    assert tables.counts() == ({"Term": 2}, {"HAS_MECHANISM": 3})
