"""Headers of library files: what is read, and how a malformed one is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnkg.errors import QueryError
from bnnkg.queries import Column, Correlation, LibraryQuery, Parameter, parse_query

GOOD = """\
// Which sections are long,
// and how long?
//
// Length along the segments.
//
// Parameters:
//   kind (string = ""): soma, dendrite or axon;
//     empty for all
//   at_least_um (float = 1.5): in um
//   cell (string): name
// Columns:
//   section: its index
//   length_um [um]: its length
//   family: its model
// Statistics:
//   length_um ~ section | within: family | groups: section, family | shuffled in: family
//     | inputs: Compartment.length_um, index
MATCH (c {kind: $kind, name: $cell}) WHERE c.length_um > $at_least_um
// $not_a_header_line_but_a_used_name would be one, were it not left out here
RETURN c.index AS section, c.length_um AS length_um, c.family AS family
"""


def _parse(text: str) -> LibraryQuery:
    return parse_query(text, name="long", group="structure", where="structure/long.cypher")


def test_a_header_is_read_whole() -> None:
    text = GOOD.replace("$not_a_header_line_but_a_used_name", "it")
    assert _parse(text) == LibraryQuery(
        name="long",
        group="structure",
        question="Which sections are long, and how long?",
        notes="Length along the segments.",
        parameters=(
            Parameter("kind", "string", "", "soma, dendrite or axon; empty for all"),
            Parameter("at_least_um", "float", 1.5, "in um"),
            Parameter("cell", "string", None, "name"),
        ),
        columns=(
            Column("section", "", "its index"),
            Column("length_um", "um", "its length"),
            Column("family", "", "its model"),
        ),
        statistics=(
            Correlation(
                "length_um",
                "section",
                "family",
                groups=("section", "family"),
                shuffled_in="family",
                inputs=("Compartment.length_um", "index"),
            ),
        ),
        text=text,
    )


MINIMAL = "// Q?\n//\n// Parameters:\n//   n (integer = 1): m\n// Columns:\n//   a: m\n//   f: m\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("// Q?", "//", 1, "asks no question"),
        ("n (integer = 1): m", "n: m", 4, "no parameter"),
        ("n (integer = 1): m", "n (number = 1): m", 4, "no such type"),
        ("n (integer = 1): m", "n (integer = 1.5): m", 4, "another type"),
        ("n (integer = 1): m", "n (integer = true): m", 4, "another type"),
        ("n (integer = 1): m", "n (integer = one): m", 4, "another type"),
        ("n (integer = 1): m", "k (integer = 1): m", 1, "not those of the text"),
        ("//   a: m", "//  a: m", 6, "indented by three"),
        ("//   a: m", "//   a m", 6, "no column"),
        ("//   a: m", "//   f: m", 1, "one twice"),
        ("//   f: m\n", "//   f: m\n// Statistics:\n//   a | within: f\n", 9, "no correlation"),
        ("//   f: m\n", "//   f: m\n// Statistics:\n//   a ~ f\n", 9, "within or across"),
        ("//   f: m\n", "//   f: m\n// Statistics:\n//   a ~ b | within: f\n", 1, "no such column"),
        ("//   f: m\n", "//   f: m\n// Statistics:\n//   a ~ f | by: f\n", 9, "no such clause"),
    ],
)
def test_a_malformed_header_names_file_and_line(old: str, new: str, line: int, what: str) -> None:
    good = MINIMAL + "RETURN $n AS a, 1 AS f"
    assert _parse(good).statistics is None
    with pytest.raises(QueryError, match=what) as caught:
        _parse(good.replace(old, new))
    assert caught.value.where == f"structure/long.cypher:{line}"


DEFAULTS = st.one_of(
    st.tuples(st.just("string"), st.text(st.characters(categories=["L", "N", "P", "Zs"]))),
    st.tuples(st.just("integer"), st.integers()),
    st.tuples(st.just("float"), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("boolean"), st.booleans()),
)


@given(DEFAULTS)
def test_any_default_is_read_as_written(default: tuple[str, object]) -> None:
    type_, value = default
    parameter = f"//   n ({type_} = {json.dumps(value)}): m"
    text = f"// Q?\n// Parameters:\n{parameter}\n// Columns:\n//   a: m\nRETURN $n AS a"
    (read,) = _parse(text).parameters
    assert (read.default, read.type) == (value, type_)
