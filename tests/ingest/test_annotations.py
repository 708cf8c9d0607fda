"""What authors say of their models: notes, properties, RDF, ontology ids."""

from __future__ import annotations

from pathlib import Path

import pytest
from neuroml_texts import CELL, CHANNELS, POINTS, checked_records, edges, read_text, rows

from bnnkg.ingest.annotations import term_of

_NAMESPACES = """xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:bqbiol="http://biomodels.net/biology-qualifiers/"
  xmlns:bqmodel="http://biomodels.net/model-qualifiers/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:vCard="http://www.w3.org/2001/vcard-rdf/3.0#" """


def _rdf(statements: str) -> str:
    return f"""<annotation><rdf:RDF {_NAMESPACES}><rdf:Description rdf:about="x">{statements}
      </rdf:Description></rdf:RDF></annotation>"""


KV = f"""<ionChannelHH id="kv" conductance="10pS" neuroLexId="nlx_1234">
  <notes>delayed
    rectifier</notes>
  {
    _rdf('''<bqbiol:isVersionOf><rdf:Bag>
      <rdf:li rdf:resource="http://identifiers.org/obo.go/GO:0005249"/></rdf:Bag>
    </bqbiol:isVersionOf>
    <bqmodel:isDescribedBy><rdf:Bag><rdf:li>Hodgkin &amp; Huxley (1952)</rdf:li>
      <rdf:li rdf:resource="http://www.ncbi.nlm.nih.gov/pubmed/12991237"/></rdf:Bag>
    </bqmodel:isDescribedBy>
    <dc:creator><rdf:Bag><rdf:li><vCard:N>Somebody</vCard:N></rdf:li></rdf:Bag></dc:creator>''')
}
  <gateHHrates id="n" instances="4"><notes>activation, ask me@example.org</notes>
    <forwardRate type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="9mV"/>
    <reverseRate type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="-9mV"/></gateHHrates>
</ionChannelHH>"""


def test_what_is_said_of_a_channel(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, KV)
    tables = checked_records(parsed)
    [edge] = edges(tables, "DEFINES")
    assert edge["notes"] == "delayed rectifier\ngateHHrates n: activation, ask (address removed)"
    said = zip(edge["annotation_qualifiers"], edge["annotation_values"], strict=True)  # type: ignore[call-overload]
    assert list(said) == [
        ("neuroLexId", "nlx_1234"),
        ("bqbiol:isVersionOf", "http://identifiers.org/obo.go/GO:0005249"),
        ("bqmodel:isDescribedBy", "Hodgkin & Huxley (1952)"),
        ("bqmodel:isDescribedBy", "http://www.ncbi.nlm.nih.gov/pubmed/12991237"),
    ]
    assert {(t["kind"], t["name"], t["ontology_id"]) for t in rows(tables, "Term")} == {
        ("neurolex", "nlx_1234", "neurolex:nlx_1234"), ("go", "GO:0005249", "GO:0005249"),
        ("pubmed", "12991237", "pubmed:12991237"),
    }  # fmt: skip
    [model] = rows(tables, "Model")
    assert {(e["src"], e["dst"]) for e in edges(tables, "ABOUT")} == {
        (model["uid"], uid) for uid in ("neurolex/nlx_1234", "go/GO:0005249", "pubmed/12991237")
    }
    assert "Somebody" not in str(tables)
    counts = parsed.report.files[0].by_class
    assert all(not count.kept for count in counts.values())


def test_what_is_said_is_no_content(tmp_path: Path) -> None:
    bare = KV[: KV.index("<notes>")] + KV[KV.index("<gateHHrates") :]
    said, plain = (read_text(tmp_path / n, text) for n, text in (("said", KV), ("bare", bare)))
    assert [m.uid for m in said.mechanisms] == [m.uid for m in plain.mechanisms]


def test_properties_of_groups(tmp_path: Path) -> None:
    group = '<segmentGroup id="tips" neuroLexId="GO:0030425">'
    cell = CELL.replace(
        '<segmentGroup id="tips">', f'{group}<property tag="numberInternalDivisions" value="7"/>'
    )
    assert cell != CELL
    [edge] = [
        e for e in edges(checked_records(read_text(tmp_path, CHANNELS, cell)), "DEFINES")
        if e["id"] == "pyramid"
    ]  # fmt: skip
    assert edge["property_names"] == ["segmentGroup tips.numberInternalDivisions"]
    assert edge["property_values"] == ["7"]
    assert (edge["annotation_qualifiers"], edge["annotation_values"]) == (
        ["neuroLexId"], ["GO:0030425"],
    )  # fmt: skip


def test_annotations_of_other_kinds_are_kept_as_written(tmp_path: Path) -> None:
    own = CHANNELS.replace(
        "<notes>fast", '<annotation><mine xmlns="urn:x" a="1"/></annotation><notes>fast'
    )
    parsed = read_text(tmp_path, own)
    assert parsed.report.files[0].by_class["annotation"].kept == 1
    [raw] = [d.raw for d in parsed.definitions if d.id == "na"]
    assert "<mine" in (raw or "")


def test_properties_in_an_annotation_and_empty_ones(tmp_path: Path) -> None:
    population = """<network id="n"><population id="p" component="iaf" size="1"><annotation>
      <property tag="color" value="1 0 0"/></annotation></population><annotation/></network>"""
    parsed = read_text(tmp_path, POINTS, population)
    counts = parsed.report.files[0].by_class["annotation"]
    assert (counts.loaded, counts.kept) == (2, 0)
    [head] = parsed.networks
    assert head.annotations.property_names == ("population p.color",)


def test_what_a_document_says_is_the_models(tmp_path: Path) -> None:
    parsed = read_text(
        tmp_path, "<notes>all of it</notes>", '<property tag="seed" value="3"/>', POINTS,
        _rdf('<bqbiol:hasTaxon rdf:resource="http://identifiers.org/taxonomy/6239"/>'),
    )  # fmt: skip
    tables = checked_records(parsed)
    [model] = rows(tables, "Model")
    assert model["notes"] == "one.nml: all of it"
    assert (model["property_names"], model["property_values"]) == (["one.nml.seed"], ["3"])
    assert [t["uid"] for t in rows(tables, "Term")] == ["taxonomy/6239"]


@pytest.mark.parametrize(
    ("qualifier", "value", "kind", "name", "ontology_id"),
    [
        ("neuroLexId", "GO:0043025", "go", "GO:0043025", "GO:0043025"),
        ("neuroLexId", "sao864921383", "neurolex", "sao864921383", "neurolex:sao864921383"),
        ("bqbiol:is", "urn:miriam:neurondb:258", "neurondb", "258", "neurondb:258"),
        ("bqbiol:is", "urn:miriam:obo.go:GO%3A0005623", "go", "GO:0005623", "GO:0005623"),
        ("bqbiol:is", "https://identifiers.org/ncbi.taxonomy:10090", "taxonomy", "10090",
         "taxonomy:10090"),
        ("bqmodel:is", "https://doi.org/10.1152/jn.1991.66.2.635", "doi",
         "10.1152/jn.1991.66.2.635", "doi:10.1152/jn.1991.66.2.635"),
        ("bqmodel:is", "https://senselab.med.yale.edu/ModelDB/showmodel.cshtml?model=108458",
         "modeldb", "108458", "modeldb:108458"),
    ],
)  # fmt: skip
def test_terms(qualifier: str, value: str, kind: str, name: str, ontology_id: str) -> None:
    term = term_of(qualifier, value)
    assert term is not None
    assert (term.kind, term.name, term.ontology_id) == (kind, name, ontology_id)


@pytest.mark.parametrize(
    "value", ["Hodgkin & Huxley", "19011929", "http://example.org/x", "http://identifiers.org/"]
)
def test_what_names_no_term(value: str) -> None:
    assert term_of("bqmodel:isDescribedBy", value) is None


def test_a_point_cell_and_its_mechanism_say_the_same(tmp_path: Path) -> None:
    own = POINTS.replace(
        'leakConductance="0.05uS"/>',
        'leakConductance="0.05uS"><property tag="source" value="paper"/></iafCell>',
    )
    parsed = read_text(tmp_path, own)
    said = {d.label: d.annotations.property_values for d in parsed.definitions if d.id == "iaf"}
    assert said == {"Cell": ("paper",), "Mechanism": ("paper",)}
    assert [d.raw for d in parsed.definitions] == [None] * 4
