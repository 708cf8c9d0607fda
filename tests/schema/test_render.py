"""The page and the plain values that follow from the declaration leave nothing out."""

import json

from bnnkg.jsontext import json_text
from bnnkg.schema import EDGES, NODES, fingerprint
from bnnkg.schema.computation import RELATIONS, edge_types
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES
from bnnkg.schema.render import schema_json, schema_markdown


def sections(page):
    """The page's text below each heading of the third level."""
    parts = page.split("\n### ")[1:]
    return {part.split("\n", 1)[0]: part.split("\n## ")[0] for part in parts}


def test_the_page_has_every_type_and_every_property_in_its_place():
    found = sections(schema_markdown())
    learned = {**LEARNED_ON_NODES, **LEARNED_ON_EDGES}
    declared = {n.label: n.properties for n in NODES.values()}
    declared |= {e.type: e.properties for e in EDGES.values()}
    assert list(found) == list(declared)
    for name, properties in declared.items():
        rows = [line for line in found[name].splitlines() if line.startswith("| `")]
        names = [row.split("`")[1] for row in rows]
        assert names == [p.name for p in (*properties, *learned.get(name, ()))], name


def test_tables_are_rectangular():
    tables = [b for b in schema_markdown().split("\n\n") if b.startswith("| ")]
    assert len(tables) > 30
    for table in tables:
        widths = {line.replace("\\|", "").count("|") for line in table.splitlines()}
        assert len(widths) == 1, table.splitlines()[0]


def test_links_within_the_page_lead_somewhere():
    page = schema_markdown()
    targets = {line.split("(#")[1].split(")")[0] for line in page.splitlines() if "(#" in line}
    assert targets == {name.lower() for name in sections(page)}


def test_the_computational_table_has_every_relation_and_triple():
    page = schema_markdown().split("## Computational graph")[1]
    for relation in RELATIONS:
        assert f"| `{relation.name}` |" in page
    for src, relation, dst in edge_types():
        assert f"| {src} | `{relation}` | {dst} |" in page


def test_the_plain_values_are_json_and_whole():
    plain = json.loads(json_text(schema_json()))
    assert plain["fingerprint"] == fingerprint()
    assert [node["label"] for node in plain["nodes"]] == list(NODES)
    assert [edge["type"] for edge in plain["edges"]] == list(EDGES)
    neuron = next(node for node in plain["nodes"] if node["label"] == "Neuron")
    assert [p["name"] for p in neuron["properties"]] == list(NODES["Neuron"].by_name)
    assert {p["name"] for p in neuron["learned"]} == {p.name for p in LEARNED_ON_NODES["Neuron"]}
    assert [tuple(triple) for triple in plain["edge_types"]] == list(edge_types())
