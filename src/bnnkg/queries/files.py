"""The library of questions: ``cypher/<group>/<name>.cypher`` in this package."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from bnnkg.errors import QueryError, UnknownQueryError
from bnnkg.queries.header import LibraryQuery, parse_query

GROUPS: dict[str, str] = {
    "contents": "What is there",
    "mechanisms": "Mechanisms across models",
    "structure": "Structure",
    "attention": "Attention",
    "correlations": "Correlations",
}
"""Folders of the library in the order in which they are shown, and their titles."""


@cache
def library() -> dict[str, LibraryQuery]:
    """All queries by name, in the order of their groups, then by name.

    Raises:
        QueryError: A file's header is malformed, or two files have one name.
    """
    queries: dict[str, LibraryQuery] = {}
    for group in GROUPS:
        folder = files("bnnkg.queries") / "cypher" / group
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            name, _, suffix = entry.name.rpartition(".")
            if suffix != "cypher":
                continue
            if name in queries:
                raise QueryError("two files of the library have one name", where=entry.name)
            text = entry.read_text(encoding="utf-8")
            where = f"{group}/{entry.name}"
            queries[name] = parse_query(text, name=name, group=group, where=where)
    return queries


def find_query(name: str) -> LibraryQuery:
    """The query of that name.

    Raises:
        UnknownQueryError: There is none; close names are in its message.
    """
    queries = library()
    if name in queries:
        return queries[name]
    close = get_close_matches(name, queries, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else "bnnkg queries lists them"
    raise UnknownQueryError("the library has no such query", found=name, hint=hint)
