"""Every file of the library, on both versions: runs, returns what its header says, uses indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hand_graph import Graph, Server

from bnnkg.errors import QueryError, UnknownQueryError
from bnnkg.queries import LibraryQuery, find_query, library, render_reference
from bnnkg.queries import files as package

NAMES = sorted(library())
GIVEN: dict[str, Any] = {
    "cell": "pyramidal", "compartment": 5, "neuron": "p1", "run": "", "other_run": "other",
    "mechanism": "na",
}  # fmt: skip
FROM_A_KEY = {
    "path_to_soma": "Cell(name)",
    "input_profile": "Neuron(name)",
    "feed_forward_triangles": "Neuron(name)",
    "sections_of_neuron": "Neuron(name)",
}
OWNED = re.compile(r":(Network|Population|Neuron|Synapse|Stimulus|Activity)\b")


def _parameters(query: LibraryQuery) -> dict[str, Any]:
    return {p.name: GIVEN[p.name] if p.default is None else p.default for p in query.parameters}


def _operators(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield plan["operatorType"].split("@")[0], plan["args"].get("Details", "")
    for child in plan.get("children", ()):
        yield from _operators(child)


@pytest.mark.parametrize("name", NAMES)
def test_runs_and_returns_the_columns_of_its_header(server: Server, name: str) -> None:
    query = find_query(name)
    prefixes = ["", "CYPHER 25\n"] if server.knows_cypher_25() else [""]
    answers = []
    for prefix in prefixes:
        keys, rows, _ = server.run(prefix + query.text, _parameters(query))
        assert keys == [column.name for column in query.columns]
        answers.append(rows)
    assert answers[0]
    assert all(rows == answers[0] for rows in answers)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "path_to_soma"])
def test_takes_a_limit(server: Server, name: str) -> None:
    query = find_query(name)
    parameters = {**_parameters(query), "limit": 1}
    assert len(server.run(query.text, parameters)[1]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_plan_reads_what_a_model_owns_through_an_index(server: Server, name: str) -> None:
    query = find_query(name)
    _, _, summary = server.run("EXPLAIN " + query.text, _parameters(query))
    assert summary.query_type == "r"
    operators = list(_operators(summary.plan))
    kinds = [kind for kind, _ in operators]
    assert "AllNodesScan" not in kinds
    assert "CartesianProduct" not in kinds
    assert not [kind for kind in kinds if kind.endswith("RelationshipTypeScan")]
    scanned = [text for kind, text in operators if kind in ("NodeByLabelScan", "NodeIndexScan")]
    assert not [text for text in scanned if OWNED.search(text)]
    if name in FROM_A_KEY:
        assert any(FROM_A_KEY[name] in text for kind, text in operators if kind == "NodeIndexSeek")
        assert not scanned


def test_the_graph_fits_the_declaration(graph: Graph) -> None:
    graph.tables()


def test_needs_no_plugin() -> None:
    for query in library().values():
        assert "CALL " not in query.text.upper().replace("CALLED", "")
        assert "apoc." not in query.text
        assert "gds." not in query.text


def test_every_file_is_in_the_library_and_ordered() -> None:
    files = {path.stem for path in (Path(package.__file__).parent / "cypher").rglob("*.cypher")}
    assert files == set(NAMES)
    for query in library().values():
        body = query.text.split("\n", query.text.count("\n//"))[-1]
        assert "ORDER BY" in body
        assert "ID(" not in body.upper().replace("_UID(", "")


def test_an_unknown_query_names_close_ones() -> None:
    with pytest.raises(UnknownQueryError, match="strongest_connections"):
        find_query("strongest_connection")
    with pytest.raises(UnknownQueryError, match="bnnkg queries"):
        find_query("xyzzy")


def test_two_files_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cypher"
    for group in package.GROUPS:
        (folder / group).mkdir(parents=True)
    text = "// Q?\n// Columns:\n//   a: m\nRETURN 1 AS a\n"
    (folder / "contents/one.cypher").write_text(text)
    (folder / "contents/notes.txt").write_text("no query")
    monkeypatch.setattr(package, "files", lambda _: tmp_path)
    assert list(package.library.__wrapped__()) == ["one"]
    (folder / "attention/one.cypher").write_text(text)
    with pytest.raises(QueryError, match="one name"):
        package.library.__wrapped__()


def test_the_reference_has_every_query_parameter_and_column() -> None:
    page = render_reference()
    assert page == render_reference()
    for query in library().values():
        _, _, section = page.partition(f"\n### {query.name}\n")
        section = section.partition("\n### ")[0]
        assert query.question in section
        for item in (*query.parameters, *query.columns):
            assert f"| `{item.name}` |" in section
        assert query.text.splitlines()[-1] in section
    assert "p_corrected" in page
