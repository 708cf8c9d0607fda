"""Runs a query of the library and the statistics that its header names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bnnkg.errors import QueryError, UnknownModelError
from bnnkg.queries.files import find_query
from bnnkg.queries.header import PYTHON_TYPES, LibraryQuery, Parameter, Value

if TYPE_CHECKING:
    from bnnkg.store import Store, Table

_RUN_PARAMETERS = ("run", "other_run")
_RUNS = """
MATCH (r:AttentionRun {status: 'current'})
RETURN r.name AS name, coalesce(r.saw, []) AS saw
ORDER BY name, r.uid
"""
_MODELS = "MATCH (m:Model {status: 'current'}) RETURN m.key AS model ORDER BY model, m.uid"


@dataclass(frozen=True)
class QueryResult:
    """An answer.

    Attributes:
        table: Its rows, as columns.
        statistics: One row per correlation and group, with the columns of
            ``bnnkg.queries.statistics.STATISTIC_COLUMNS`` after those of the groups; absent where
            the query's header names none.
    """

    table: Table
    statistics: Table | None


def run_query(
    store: Store, name: str, parameters: Mapping[str, Value] | None = None
) -> QueryResult:
    """Runs a query of the library.

    Args:
        store: Where the graph is.
        name: Name of the query.
        parameters: Values by name; text is converted to the declared type.

    Raises:
        UnknownQueryError: The library has no such query.
        QueryError: A parameter is unknown, missing or of another type, or names a run that has
            not annotated the graph.
        UnknownModelError: The graph has no such model.
    """
    query = find_query(name)
    values = convert_parameters(query, parameters or {})
    _check_model(store, query, values)
    saw = _inputs_of_runs(store, query, values)
    table = store.read(query.text, values)
    if query.statistics is None:
        return QueryResult(table, None)
    from bnnkg.queries.statistics import correlate
    from bnnkg.store import Table

    rows = table.columns
    truncated = "limit" in values and _n_rows(table) >= int(values["limit"])
    statistics = correlate(rows, query.statistics, saw=saw, truncated=truncated)
    return QueryResult(table, Table(statistics))


def convert_parameters(query: LibraryQuery, given: Mapping[str, Value]) -> dict[str, Value]:
    """Every parameter of the query with its value: the one given, else its default.

    Raises:
        QueryError: A parameter is unknown, missing or of another type.
    """
    declared = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in declared:
            close = get_close_matches(name, declared, n=1)
            raise QueryError(
                "the query has no such parameter",
                where=query.name,
                expected=", ".join(declared) or "no parameters",
                found=name,
                hint=f"did you mean {close[0]}?" if close else None,
            )
    return {
        name: _convert(query, parameter, given[name])
        if name in given
        else _default(query, parameter)
        for name, parameter in declared.items()
    }


def _default(query: LibraryQuery, parameter: Parameter) -> Value:
    if parameter.default is None:
        raise QueryError(
            "a parameter is missing",
            where=query.name,
            expected=f"{parameter.name}: {parameter.meaning}",
            hint=f"add --param {parameter.name}=...",
        )
    return parameter.default


def _convert(query: LibraryQuery, parameter: Parameter, value: Value) -> Value:
    converted = _read_text(parameter, value) if isinstance(value, str) else value
    if parameter.type == "float" and type(converted) is int:
        converted = float(converted)
    if type(converted) is not PYTHON_TYPES[parameter.type]:
        raise QueryError(
            "a parameter has another type",
            where=f"{query.name}, {parameter.name}",
            expected=parameter.type,
            found=repr(value),
        )
    if parameter.name == "limit" and int(converted) < 0:
        raise QueryError(
            "a limit is negative", where=query.name, expected="0 or more", found=str(converted)
        )
    return converted


def _read_text(parameter: Parameter, text: str) -> Value:
    """The value that the text says, or the text itself where it says none of that type."""
    if parameter.type == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if parameter.type in ("integer", "float"):
        try:
            return int(text) if parameter.type == "integer" else float(text)
        except ValueError:
            return text
    return text


def _check_model(store: Store, query: LibraryQuery, values: Mapping[str, Value]) -> None:
    wanted = values.get("model", "")
    if not wanted:
        return
    keys = store.read(_MODELS, {}).columns.get("model", [])
    if wanted not in keys:
        close = get_close_matches(str(wanted), keys, n=3)
        raise UnknownModelError(
            "no such model is in the graph",
            where=query.name,
            found=str(wanted),
            hint=f"did you mean {', '.join(close)}?" if close else "bnnkg models lists them",
        )


def _inputs_of_runs(
    store: Store, query: LibraryQuery, values: Mapping[str, Value]
) -> tuple[str, ...]:
    """What the runs that the query reads had as inputs."""
    wanted = [str(values[name]) for name in _RUN_PARAMETERS if name in values]
    if not wanted:
        return ()
    runs = store.read(_RUNS, {}).columns
    saw: dict[str, list[str]] = dict(zip(runs.get("name", []), runs.get("saw", []), strict=True))
    for name in wanted:
        if name not in saw:
            raise _no_such_run(query, name, list(saw))
    return tuple(entry for name in wanted for entry in saw[name])


def _no_such_run(query: LibraryQuery, name: str, known: list[str]) -> QueryError:
    return QueryError(
        f"no run named {name} has annotated the graph"
        if name
        else "no unnamed run is on the graph",
        where=query.name,
        expected=", ".join(run or "the unnamed run" for run in known) or None,
        hint="bnnkg annotate RUN writes one; --param run=NAME reads a named one",
    )


def _n_rows(table: Table) -> int:
    return len(next(iter(table.columns.values()), []))
