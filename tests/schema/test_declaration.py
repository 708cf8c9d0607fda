"""The declaration against the design: what must be there, how it is named, what refers to what."""

import re
from collections import Counter

import pytest

from bnnkg.errors import SchemaError, UsageError
from bnnkg.schema import EDGES, NODES, edge_type, fingerprint, node_type
from bnnkg.schema.computation import BY_NAME, KINDS, RELATIONS, USES, edge_types, use_of
from bnnkg.schema.graph import constraint_statements, owned_labels, shared_labels
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES, suffix_of
from bnnkg.schema.units import UNITS

LABELS = [
    "Model",
    "Term",
    "Network",
    "Population",
    "Cell",
    "Compartment",
    "Mechanism",
    "SynapseType",
    "Neuron",
    "Synapse",
    "Stimulus",
    "Activity",
    "AttentionRun",
]
TYPES = [
    "DEFINES",
    "ABOUT",
    "HAS_POPULATION",
    "HAS_NEURON",
    "INSTANCE_OF",
    "HAS_COMPARTMENT",
    "CHILD_OF",
    "HAS_MECHANISM",
    "SENDS",
    "TARGETS",
    "LEAVES_FROM",
    "ARRIVES_AT",
    "OF_TYPE",
    "STIMULATES",
    "MEASURED_AS",
    "CONNECTS_TO",
    "SIMILAR_TO",
    "ATTENDS_TO",
    "ANNOTATES",
]
ENDS = {
    "INSTANCE_OF": ("Neuron", "Cell"),
    "HAS_COMPARTMENT": ("Cell", "Compartment"),
    "CHILD_OF": ("Compartment", "Compartment"),
    "SENDS": ("Neuron", "Synapse"),
    "TARGETS": ("Synapse", "Neuron"),
    "LEAVES_FROM": ("Synapse", "Compartment"),
    "ARRIVES_AT": ("Synapse", "Compartment"),
    "OF_TYPE": ("Synapse", "SynapseType"),
    "CONNECTS_TO": ("Neuron", "Neuron"),
    "SIMILAR_TO": ("Mechanism", "Mechanism"),
    "ATTENDS_TO": ("Neuron", "Neuron"),
    "ANNOTATES": ("AttentionRun", "Model"),
}
DECLARED = [
    *((node.label, node.properties) for node in NODES.values()),
    *((edge.type, edge.properties) for edge in EDGES.values()),
    *LEARNED_ON_NODES.items(),
    *LEARNED_ON_EDGES.items(),
]
EVERY_PROPERTY = [(where, prop) for where, properties in DECLARED for prop in properties]


def test_every_type_of_the_design_is_declared_once():
    assert set(LABELS) <= set(NODES)
    assert set(TYPES) == set(EDGES)
    assert set(NODES) - set(LABELS) == {"Store"}


@pytest.mark.parametrize("type_", ENDS)
def test_edges_join_what_the_design_says(type_):
    assert EDGES[type_].ends == (ENDS[type_],)


def test_a_mechanism_belongs_to_a_section_or_a_point_cell():
    assert set(EDGES["HAS_MECHANISM"].ends) == {("Compartment", "Mechanism"), ("Cell", "Mechanism")}
    assert EDGES["HAS_MECHANISM"].has_uid
    assert EDGES["DEFINES"].has_uid


def test_names_have_their_form():
    assert all(re.fullmatch(r"([A-Z][a-z]+)+", label) for label in NODES)
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", type_) for type_ in EDGES)
    for where, prop in EVERY_PROPERTY:
        unit = prop.unit if prop.name.endswith(f"_{prop.unit}") else ""
        stem = prop.name.removesuffix(f"_{unit}") if unit else prop.name
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", stem), f"{where}.{prop.name}"


def test_no_label_shares_its_name_with_an_edge_type():
    labels = {label.lower() for label in NODES}
    assert not labels & {type_.replace("_", "").lower() for type_ in EDGES}


def test_a_property_with_a_unit_ends_in_it():
    for where, prop in EVERY_PROPERTY:
        if prop.unit and prop.unit != "ms since 1970":
            assert prop.name.endswith(f"_{prop.unit}"), f"{where}.{prop.name}"


def test_a_name_that_ends_in_a_unit_declares_it():
    units = {canonical for canonical, _ in UNITS.values() if canonical}
    for where, prop in EVERY_PROPERTY:
        for unit in units:
            if prop.name.endswith(f"_{unit}") and prop.name != "lease_until_ms":
                longest = max((u for u in units if prop.name.endswith(f"_{u}")), key=len)
                assert prop.unit == longest, f"{where}.{prop.name}"


def test_no_property_is_declared_twice():
    for where in {where for where, _ in EVERY_PROPERTY}:
        names = Counter(prop.name for place, prop in EVERY_PROPERTY if place == where)
        assert max(names.values()) == 1, where


def test_every_property_says_what_it_means():
    assert all(len(prop.meaning) > 3 and prop.meaning.strip() for _, prop in EVERY_PROPERTY)


def test_what_a_property_is_derived_from_exists():
    for where, prop in EVERY_PROPERTY:
        for source in prop.derived_from:
            label, _, name = source.rpartition(".")
            place = label or where
            assert any(p == place and q.name == name for p, q in EVERY_PROPERTY), source


def test_nodes_have_a_uid_first_and_index_what_they_have():
    for node in NODES.values():
        assert node.properties[0].name == "uid"
        assert node.properties[0].required
        assert set(node.indexed) <= set(node.by_name)


def test_edges_end_at_declared_labels():
    assert {label for edge in EDGES.values() for ends in edge.ends for label in ends} <= set(NODES)


def test_what_a_model_owns_names_it():
    assert owned_labels() == ("Network", "Population", "Neuron", "Synapse", "Stimulus", "Activity")
    for label in owned_labels():
        assert NODES[label].by_name["model_uid"].required


def test_defined_nodes_that_models_share():
    assert set(shared_labels()) == {"Cell", "Mechanism", "SynapseType"}


def test_learned_properties_are_of_declared_types_and_never_required():
    assert set(LEARNED_ON_NODES) <= set(NODES)
    assert set(LEARNED_ON_EDGES) <= set(EDGES)
    learned = [
        prop
        for properties in (*LEARNED_ON_NODES.values(), *LEARNED_ON_EDGES.values())
        for prop in properties
    ]
    assert not any(prop.required for prop in learned)
    assert not any("__" in prop.name for prop in learned)


@pytest.mark.parametrize(
    "type_",
    [
        "SENDS",
        "TARGETS",
        "LEAVES_FROM",
        "ARRIVES_AT",
        "CONNECTS_TO",
        "CHILD_OF",
        "HAS_COMPARTMENT",
        "HAS_MECHANISM",
        "ATTENDS_TO",
    ],
)
def test_attention_is_written_where_the_design_says(type_):
    names = {prop.name for prop in LEARNED_ON_EDGES[type_]}
    assert {"attention", "attention_lift", "attention_score"} <= names


def test_run_names_end_properties():
    assert suffix_of("") == ""
    assert suffix_of("run2") == "__run2"
    for name in ("Run", "2run", "a_b", "a`b", "a b", "é", "a\n"):
        with pytest.raises(UsageError, match="--as"):
            suffix_of(name)


def test_every_edge_type_has_a_use_and_only_those():
    assert set(USES) == set(EDGES)
    with pytest.raises(SchemaError, match="no rule"):
        use_of("NO_SUCH")


def test_relations_stand_for_declared_edges_that_can_hold_what_was_learned():
    for relation in RELATIONS:
        assert (relation.stored == "") == (relation.origin == "virtual"), relation.name
        if relation.stored:
            assert relation.stored in EDGES
            assert use_of(relation.stored) == "edge"
            assert relation.stored in LEARNED_ON_EDGES
        assert set(relation.src) | set(relation.dst) <= set(KINDS)
        assert not relation.mirrors or relation.mirrors in BY_NAME


def test_edge_types_of_the_tensors_are_unique_and_their_names_safe():
    triples = edge_types()
    assert len(set(triples)) == len(triples)
    assert ("dendrite", "conducts", "soma") in triples
    assert ("axon", "conducts", "soma") not in triples
    assert not any(relation in {"self", "hop", "cls"} for _, relation, _ in triples)


def test_constraints_cover_every_uid_and_index():
    statements = list(constraint_statements())
    assert all(" IF NOT EXISTS FOR " in statement for statement in statements)
    names = [statement.split()[2] for statement in statements]
    assert len(set(names)) == len(names)
    unique = [s for s in statements if s.startswith("CREATE CONSTRAINT")]
    assert len(unique) == len(NODES)
    assert (
        "CREATE CONSTRAINT neuron_uid IF NOT EXISTS FOR (n:Neuron) REQUIRE n.uid IS UNIQUE"
        in unique
    )
    assert "CREATE INDEX model_key IF NOT EXISTS FOR (n:Model) ON (n.key)" in statements
    on_edges = {s.split(":")[1].split("]")[0] for s in statements if "()-[e:" in s}
    assert on_edges == {edge.type for edge in EDGES.values() if edge.has_uid}


def test_the_fingerprint_is_short_and_steady():
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint())
    assert fingerprint() == fingerprint()


def test_unknown_types_are_told_with_the_known_ones():
    with pytest.raises(SchemaError, match="Neurone: no such label") as caught:
        node_type("Neurone")
    assert "Neuron," in caught.value.expected
    with pytest.raises(SchemaError, match="SENDS"):
        edge_type("SEND")
