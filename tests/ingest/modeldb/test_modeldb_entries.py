"""What is taken over from ModelDB's forms, and what is left behind."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bnnkg.errors import SourceError
from bnnkg.ingest.modeldb import TermRef
from bnnkg.ingest.modeldb.entries import (
    Paper,
    entry_of,
    read_accessions,
    read_model,
    read_paper,
    read_parent,
)
from bnnkg.ingest.modeldb.personal import without_addresses, without_names
from modeldb_server import model_form, objects, paper_form

WHERE = "https://modeldb.example.org/api/v1/models/26997"

# What may stand where another thing should: of every type that JSON has, at every depth.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["value", "object_id", "object_name", "attr_id", "id"]) | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PEOPLE = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


def test_what_an_entry_says_is_taken_over() -> None:
    entry, papers = read_model(model_form(26997), WHERE, "26997")
    assert entry.name == "Leaky cell of the olfactory bulb (Doe & Roe 2001)"
    assert (entry.version, entry.licence) == ("7 of 2018-11-02T09:00:00", "MIT")
    assert papers == (TermRef("paper", "Doe J, Roe R (2001)", "7001"),)
    assert [(term.kind, term.name, term.id) for term in entry.terms] == [
        ("region", "Mouse", "115956"),
        ("region", "Olfactory bulb", "115946"),
        ("celltype", "Olfactory bulb main mitral GLU cell", "265"),
        ("current", "I Na,p", "241"),
        ("current", "I L high threshold", "245"),
        ("receptor", "NMDA", "205"),
        ("receptor", "AMPA", "206"),
        ("gene", "Kv1.1 KCNA1", "1001"),
        ("transmitter", "Glutamate", "214"),
        ("concept", "Dendritic Action Potentials", "3639"),
        ("modeltype", "Neuron or other electrically excitable cell", "3537"),
        ("simenvironment", "NEURON", "1882"),
    ]


def test_those_who_made_or_submitted_it_are_left_behind() -> None:
    entry, _ = read_model(model_form(26997), WHERE, "26997")
    assert entry.notes == (
        "A cell that only leaks.\nQuestions to [address removed], or ask [name removed] in person;"
        " code is available at example.org."
    )
    told = json.dumps(entry, default=vars)
    for secret in ("Jane", "submitter", "Submitter", "Implementer", "secret", "@"):
        assert secret not in told


def test_an_entry_may_be_nearly_empty() -> None:
    entry, papers = read_model({"id": 7, "name": "bare"}, WHERE, "7")
    assert (entry.version, entry.licence, entry.doi, entry.citation) == (None,) * 4
    assert (entry.notes, entry.terms, papers) == (None, (), ())


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({"ver_number": 3, "ver_date": None}, "3"),
        ({"ver_number": 3.0, "ver_date": None}, "3"),
        ({"ver_number": None, "ver_date": "2019"}, "2019"),
        ({"ver_number": {"value": 2}, "ver_date": ""}, "2"),
    ],
)
def test_versions_have_several_forms(changes: dict[str, Any], version: str) -> None:
    assert read_model(model_form(1, **changes), WHERE, "1")[0].version == version


def test_one_object_need_not_be_in_a_list_and_counts_once() -> None:
    single = {"attr_id": 25, "value": {"object_id": "265", "object_name": " mitral  cell "}}
    form = {"id": 1, "name": "m", "neurons": single, "more_cells": single, "gene": {"value": None}}
    assert read_model(form, WHERE, "1")[0].terms == (TermRef("celltype", "mitral cell", "265"),)


def test_an_object_without_a_name_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    form = {"id": 1, "name": "m", "neurons": objects((1, " "), (2, "mitral"))}
    assert read_model(form, WHERE, "1")[0].terms == (TermRef("celltype", "mitral", "2"),)
    assert "an item of neurons has no name and is left out" in caplog.text


def test_an_alternative_version_is_answered_with_its_model() -> None:
    form = model_form(26997, alternative_version=objects((30001, "with more leaks")))
    assert read_model(form, WHERE, "30001")[0].accession == "30001"
    with pytest.raises(SourceError, match="another model") as caught:
        read_model(form, WHERE, "30002")
    assert (caught.value.expected, caught.value.found) == ("id 30002", "id 26997")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": None}, "id"),
        ({"id": True}, "id"),
        ({"id": "26997; DROP"}, "id"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "x" * 1001}, "name"),
        ({"notes": {"value": 10**400}}, "notes"),
        ({"notes": {"value": "x" * 200_001}}, "notes"),
        ({"region": "Mouse"}, "region"),
        ({"region": {"value": "Mouse"}}, "region.value"),
        ({"region": {"value": ["Mouse"]}}, "an item of region"),
        ({"region": objects((1, "x" * 1001))}, "object_name in region"),
        ({"region": {"value": [{"object_name": "x", "object_id": -1}]}}, "object_id in region"),
        ({"region": objects(*[(1, "x")] * 1001)}, "region.value"),
        ({"model_paper": 5}, "model_paper"),
        ({"license": {"value": []}}, "license"),
    ],
)
def test_another_form_is_refused_by_its_name(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_model({"id": 26997, "name": "m"} | changes, WHERE, "26997")
    assert caught.value.what == f"ModelDB's answer has another form: {what}"
    assert caught.value.where == WHERE
    assert caught.value.expected
    assert caught.value.found
    assert caught.value.hint
    assert len(caught.value.message()) < 600


@given(ANYTHING)
def test_whatever_is_answered_is_read_or_refused(answer: Any) -> None:
    for read in (
        lambda: read_model(answer, WHERE, "1"),
        lambda: read_paper(answer, WHERE),
        lambda: read_parent(answer, WHERE),
        lambda: read_accessions(answer, WHERE),
    ):
        with contextlib.suppress(SourceError):
            read()


@given(
    st.sampled_from(sorted(model_form(1, alternative_version=objects((2, "b"))))),
    ANYTHING | st.fixed_dictionaries({"value": ANYTHING}),
)
@example("name", "\ud800\x00 name")
def test_whatever_one_attribute_holds_the_entry_can_be_written(attribute: str, held: Any) -> None:
    form = model_form(1, alternative_version=objects((2, "b"))) | {attribute: held}
    try:
        entry, _ = read_model(form, WHERE, "1")
    except SourceError:
        return
    written = json.dumps(entry, default=vars, ensure_ascii=False).encode()
    assert b"\x00" not in written
    assert entry_of(json.loads(written)) == entry


def test_a_paper_is_a_line_and_a_doi() -> None:
    assert read_paper(paper_form(), WHERE) == Paper(
        "Doe J, Roe R (2001). Leaks of cells. J Leaks. 12:34-56", "10.1000/leaks.2001.12"
    )


@pytest.mark.parametrize(
    ("changes", "paper"),
    [
        ({"doi": {"value": " https://doi.org/10.1000/X_1. "}}, "10.1000/X_1"),
        ({"doi": {"value": "none"}}, None),
        ({"doi": {"value": None}}, None),
    ],
)
def test_a_doi_is_bare(changes: dict[str, Any], paper: str | None) -> None:
    assert read_paper(paper_form(**changes), WHERE).doi == paper


def test_a_paper_of_which_little_is_known_has_its_name() -> None:
    empty: dict[str, Any] = dict.fromkeys(["authors", "year", "title", "journal", "volume", "doi"])
    assert read_paper(paper_form(**empty), WHERE) == Paper("Doe J, Roe R (2001)")
    assert read_paper({"year": {"value": 1999}, "title": {"value": "T?"}}, WHERE).citation == (
        "1999. T?."
    )


def test_accessions_come_in_numeric_order_and_once() -> None:
    assert read_accessions([100, "20", 3, 20], WHERE) == ["3", "20", "100"]
    wrong: object
    for wrong in ({}, [1.5], [-1], [None], ["../1"], [10**30]):
        with pytest.raises(SourceError, match="another form"):
            read_accessions(wrong, WHERE)


@pytest.mark.parametrize(
    ("answer", "parent"),
    [
        ({"parent": {"object_name": "Species"}}, "Species"),
        ({"id": 1}, None),
        ({"parent": "115946"}, None),
        ({"parent": 115946}, None),
    ],
)
def test_a_region_may_belong_to_something(answer: object, parent: str | None) -> None:
    assert read_parent(answer, WHERE) == parent


@pytest.mark.parametrize(
    "address",
    [
        "jane.doe@example.org",
        "<jane@mail.example.co.uk>",
        "mailto:jane+models@example.org",
        "jane @ example.org",
        "jane\uff20example.org",
        "jane.doe [at] example [dot] org",
        "jane (at) example.org",
        "Jane.Doe at example.org",
        "jdoe AT EXAMPLE.ORG",
        "jane at example dot org",
        "j" * 80 + "@example.org",
        "j\u00f6rg@m\u00fcller.example",
    ],
)
def test_addresses_are_taken_out(address: str) -> None:
    scrubbed = without_addresses(f"Write to {address}, or not.")
    assert "[address removed]" in scrubbed
    assert not re.search("jane|jdoe|jj|rg@|example", scrubbed, re.IGNORECASE)
    assert scrubbed.endswith(", or not.")


@pytest.mark.parametrize(
    "text",
    [
        "available at senselab.med.example.edu",
        "fires at rest.The cell then stops",
        "held at -65.5 mV, stepped at 2.5Hz",
        "see https://example.org/@lab and f@1",
        "a rate of 5 spikes @ 20 nA",
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    assert without_addresses(text) == text


@given(st.text(alphabet="ab.@ [](){}atdot-_\n", max_size=200))
def test_no_plain_address_is_left(text: str) -> None:
    assert not PEOPLE.search(without_addresses(text))


@pytest.mark.parametrize("unit", ["a", "a.", "a@", "a at ", "a[at]b ", "a at b.", "@a.", " "])
def test_a_hostile_text_costs_no_more_than_its_length(unit: str) -> None:
    """Were a pattern quadratic, these 200,000 characters would take minutes."""
    without_addresses(unit * (200_000 // len(unit)))


def test_names_are_taken_out_in_every_order() -> None:
    names = ["Doe, Jane [jane at example.org]", "Lab for Leaks", "Doe", "Roe, Ann-Marie X."]
    text = "By JANE DOE, Doe Jane, Doe, Jane and Ann-Marie X. Roe (Lab for Leaks); Doe et al. 2001"
    told = "By [name removed], [name removed], [name removed] and [name removed]"
    assert without_names(text, names) == f"{told} ([name removed]); Doe et al. 2001"
    assert without_names("Jane Doewood", names) == "Jane Doewood"
