"""The whole library as one Markdown page."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bnnkg.queries.files import GROUPS, library
from bnnkg.queries.header import Correlation, LibraryQuery, Parameter
from bnnkg.queries.statistics import STATISTIC_COLUMNS

_INTRODUCTION = """\
# Queries

Generated from the library's own files. `bnnkg query NAME --param key=value` runs one;
`bnnkg.queries.fetch(store, NAME, key=value)` gives it as a DataFrame. Every query reads current
models only, and runs unchanged on Neo4j 5.26 and newer, as Cypher 5 and as Cypher 25.
"""


def render_reference() -> str:
    """Markdown of every query: question, parameters, columns, statistics and text."""
    lines = [_INTRODUCTION]
    queries = library().values()
    for group, title in GROUPS.items():
        members = [query for query in queries if query.group == group]
        lines += [f"## {title}", "", "| query | question |", "| --- | --- |"]
        lines += [f"| [{q.name}](#{q.name}) | {_cell(q.question)} |" for q in members]
        for query in members:
            lines += ["", *_render_query(query)]
        lines.append("")
    return "\n".join([*lines, *_render_statistics()]) + "\n"


def _render_query(query: LibraryQuery) -> Iterator[str]:
    yield from (f"### {query.name}", "", query.question)
    if query.notes:
        yield from ("", query.notes)
    if query.parameters:
        yield from ("", "| parameter | type | default | meaning |", "| --- | --- | --- | --- |")
        yield from (_render_parameter(parameter) for parameter in query.parameters)
    yield from ("", "| column | unit | meaning |", "| --- | --- | --- |")
    for column in query.columns:
        yield f"| `{column.name}` | {column.unit} | {_cell(column.meaning)} |"
    if query.statistics:
        yield from ("", "Statistics:", "")
        yield from (f"- {_describe(correlation)}" for correlation in query.statistics)
    yield from ("", "```cypher", _body(query), "```")


def _render_parameter(parameter: Parameter) -> str:
    default = "required" if parameter.default is None else f"`{json.dumps(parameter.default)}`"
    return f"| `{parameter.name}` | {parameter.type} | {default} | {_cell(parameter.meaning)} |"


def _describe(correlation: Correlation) -> str:
    parts = [f"`{correlation.y}` against `{correlation.x}`"]
    if correlation.across:
        parts.append(f"across `{correlation.family}`, one point each")
    else:
        parts.append(f"within `{correlation.family}`, one vote each")
    if correlation.groups:
        parts.append("for each " + ", ".join(f"`{name}`" for name in correlation.groups))
    if correlation.shuffled_in:
        parts.append(f"shuffled within `{correlation.shuffled_in}`")
    if correlation.inputs:
        parts.append(f"circular where the run saw {', '.join(correlation.inputs)}")
    return "; ".join(parts)


def _render_statistics() -> Iterator[str]:
    yield from ("## Statistics", "", "A query with statistics has a second table:", "")
    yield from ("| column | meaning |", "| --- | --- |")
    yield from (f"| `{column.name}` | {_cell(column.meaning)} |" for column in STATISTIC_COLUMNS)


def _body(query: LibraryQuery) -> str:
    lines = query.text.splitlines()
    return "\n".join(line for line in lines if not line.startswith("//")).strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
