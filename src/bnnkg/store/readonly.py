"""Whether a query only reads this database.

A read session is not enough: it loads files and URLs, and ends other people's transactions. So a
query is judged before it runs, twice over. Its plan must be of a kind that reads and have only
operators from a list. And since a plan does not show what is nested in expressions (a ``LOAD CSV``
in a ``COLLECT { }`` in a list comprehension is part of a projection there), its text must call
only procedures and functions from lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bnnkg.errors import QueryError, WriteRefusedError
from bnnkg.store.connection import Connection

PROCEDURES = frozenset(
    {
        "db.info",
        "db.labels",
        "db.propertykeys",
        "db.relationshiptypes",
        "db.schema.nodetypeproperties",
        "db.schema.reltypeproperties",
        "db.schema.visualization",
        "db.ping",
        "db.index.fulltext.querynodes",
        "db.index.fulltext.queryrelationships",
        "db.index.vector.querynodes",
        "db.index.vector.queryrelationships",
        "dbms.components",
    }
)
NAMESPACES = frozenset(
    (
        "coll", "date", "datetime", "duration", "localdatetime", "localtime", "point", "time",
        "vector",
    )
)  # fmt: skip
"""First words of the dotted functions that Neo4j itself brings and that only compute."""

OPERATORS = frozenset(
    (
        "AllNodesScan", "Anti", "AntiSemiApply", "Apply", "Argument", "AssertSameNode",
        "AssertSameRelationship", "BFSPruningVarLengthExpand", "CacheProperties",
        "CartesianProduct", "ConditionalApply", "DirectedAllRelationshipsScan",
        "DirectedRelationshipByElementIdSeek", "DirectedRelationshipByIdSeek",
        "DirectedRelationshipIndexContainsScan", "DirectedRelationshipIndexEndsWithScan",
        "DirectedRelationshipIndexScan", "DirectedRelationshipIndexSeek",
        "DirectedRelationshipIndexSeekByRange", "DirectedRelationshipTypeScan",
        "DirectedRelationshipUniqueIndexSeek", "DirectedUnionRelationshipTypesScan", "Distinct",
        "DynamicDirectedRelationshipTypeLookup", "DynamicLabelNodeLookup",
        "DynamicUndirectedRelationshipTypeLookup", "Eager", "EagerAggregation", "EmptyResult",
        "EmptyRow", "Expand", "Filter", "IntersectionNodeByLabelsScan", "LeftOuterHashJoin",
        "LetAntiSemiApply", "LetSelectOrAntiSemiApply", "LetSelectOrSemiApply", "LetSemiApply",
        "Limit", "MultiNodeIndexSeek", "NodeByElementIdSeek", "NodeByIdSeek", "NodeByLabelScan",
        "NodeCountFromCountStore", "NodeHashJoin", "NodeIndexContainsScan",
        "NodeIndexEndsWithScan", "NodeIndexScan", "NodeIndexSeek", "NodeIndexSeekByRange",
        "NodeLeftOuterHashJoin", "NodeRightOuterHashJoin", "NodeUniqueIndexSeek",
        "NodeUniqueIndexSeekByRange", "Optional", "OptionalExpand", "OrderedAggregation",
        "OrderedDistinct", "OrderedUnion", "PartialSort", "PartialTop", "PathPropagatingBFS",
        "ProcedureCall", "ProduceResults", "ProjectEndpoints", "Projection",
        "RelationshipCountFromCountStore", "Repeat", "RightOuterHashJoin", "RollUpApply",
        "SelectOrAntiSemiApply", "SelectOrSemiApply", "SemiApply", "ShortestPath", "Skip",
        "Sort", "StatefulShortestPath", "SubtractionNodeByLabelsScan", "Top", "TriadicBuild",
        "TriadicFilter", "TriadicSelection", "UndirectedAllRelationshipsScan",
        "UndirectedRelationshipByElementIdSeek", "UndirectedRelationshipByIdSeek",
        "UndirectedRelationshipIndexContainsScan", "UndirectedRelationshipIndexEndsWithScan",
        "UndirectedRelationshipIndexScan", "UndirectedRelationshipIndexSeek",
        "UndirectedRelationshipIndexSeekByRange", "UndirectedRelationshipTypeScan",
        "UndirectedRelationshipUniqueIndexSeek", "UndirectedUnionRelationshipTypesScan", "Union",
        "UnionNodeByLabelsScan", "Unwind", "ValueHashJoin", "VarLengthExpand",
    )
)  # fmt: skip

_ESCAPE = re.compile(r"\\u+[0-9A-Fa-f]{4}")
_TOKEN = re.compile(
    r"""//[^\r\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`|[^\W\d]\w*|\S""",
    re.DOTALL,
)


def judge(connection: Connection, cypher: str, parameters: Mapping[str, Any]) -> None:
    """Makes sure that a query only reads.

    Args:
        connection: Whose database plans it.
        cypher: One query.
        parameters: Its parameters.

    Raises:
        WriteRefusedError: It would change the database or reach outside it.
        QueryError: It does not parse or misses a parameter.
    """
    judge_text(cypher)
    summary = connection.explain(cypher, parameters)
    if summary.plan is None:
        raise WriteRefusedError("the database did not say how it would run this query")
    operators = list(_operators(summary.plan))
    foreign = sorted({name for name in operators if name not in OPERATORS})
    if foreign:
        raise _refusal(f"this query does more than read ({', '.join(foreign)})")
    calls = "ProcedureCall" in operators
    if summary.query_type != "r" and not (summary.query_type == "s" and calls):
        raise _refusal("this query writes")


def judge_text(cypher: str) -> None:
    """Makes sure that a query's text names no clause, procedure or function that may do more.

    Raises:
        WriteRefusedError: It does.
        QueryError: It hides its text behind unicode escapes, or profiles, which runs it.
    """
    if _ESCAPE.search(cypher):
        raise QueryError(
            "unicode escapes are not taken in read-only queries",
            found=_ESCAPE.findall(cypher)[0],
            hint="write the character itself, or pass the text as a parameter",
        )
    tokens = list(_words(cypher))
    upper = [token.upper() for token in tokens]
    for place, word in enumerate(upper):
        if word == "LOAD" and upper[place + 1 : place + 2] == ["CSV"]:
            raise _refusal("LOAD CSV reads files and addresses")
        if word == "CALL" and upper[place - 1 : place] != ["."]:
            _check_procedure(_dotted(tokens, place + 1)[0])
    _check_functions(tokens, upper)
    if "PROFILE" in upper[:1]:
        raise QueryError("PROFILE runs the query that it measures", hint="use EXPLAIN, or --write")


def _check_procedure(name: str) -> None:
    if name and name.lower() not in PROCEDURES:
        raise _refusal(f"the procedure {name} is not among those that only read")


def _check_functions(tokens: Sequence[str], upper: Sequence[str]) -> None:
    place = 0
    while place < len(tokens):
        name, end = _dotted(tokens, place)
        called = tokens[end : end + 1] == ["("] and place > 0 and upper[place - 1] != "CALL"
        first, dot, _ = name.partition(".")
        if called and dot and first.lower() not in NAMESPACES:
            raise _refusal(f"the function {name} is not among those that only compute")
        place = max(end, place + 1)


def _dotted(tokens: Sequence[str], place: int) -> tuple[str, int]:
    """The dotted name that starts at a token, empty where none does, and where it ends."""
    parts: list[str] = []
    while place < len(tokens) and _is_name(tokens[place]):
        parts.append(tokens[place].strip("`"))
        place += 1
        if tokens[place : place + 1] != ["."]:
            break
        place += 1
    return ".".join(parts), place


def _is_name(token: str) -> bool:
    return token[0] == "`" or token[0].isalpha() or token[0] == "_"


def _words(cypher: str) -> Iterator[str]:
    """The tokens of a query, without comments and texts."""
    for token in _TOKEN.findall(cypher):
        if not token.startswith(("//", "/*", "'", '"')):
            yield token


def _operators(plan: Mapping[str, Any]) -> Iterator[str]:
    yield str(plan["operatorType"]).partition("@")[0].partition("(")[0]
    for child in plan.get("children", ()):
        yield from _operators(child)


def _refusal(what: str) -> WriteRefusedError:
    return WriteRefusedError(what, hint="use --write to let a query change the graph")
