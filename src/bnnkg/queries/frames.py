"""Answers of the library as pandas DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnnkg.errors import QueryError
from bnnkg.queries.files import find_query
from bnnkg.queries.header import Value
from bnnkg.queries.run import run_query

if TYPE_CHECKING:
    import pandas as pd

    from bnnkg.store import Store

ALL_ROWS = 2**31 - 1


def fetch(store: Store, name: str, **parameters: Value) -> pd.DataFrame:
    """The rows of any query of the library: all of them, unless a ``limit`` is given.

    Args:
        store: Where the graph is.
        name: Name of the query.
        parameters: Its parameters by name.

    Raises:
        UnknownQueryError: The library has no such query.
        QueryError: A parameter is unknown, missing or of another type.
    """
    import pandas as pd

    result = run_query(store, name, _all_rows(name, parameters))
    columns = [column.name for column in find_query(name).columns]
    return pd.DataFrame(result.table.columns, columns=columns)


def fetch_statistics(store: Store, name: str, **parameters: Value) -> pd.DataFrame:
    """The correlations that a query's header names, over all its rows.

    Raises:
        UnknownQueryError: The library has no such query.
        QueryError: Its header names none, or a parameter is wrong.
    """
    import pandas as pd

    statistics = run_query(store, name, _all_rows(name, parameters)).statistics
    if statistics is None:
        raise QueryError("the query has no statistics", where=name)
    return pd.DataFrame(statistics.columns)


def fetch_models(store: Store) -> pd.DataFrame:
    """Every current model with its counts (query ``models``)."""
    return fetch(store, "models")


def fetch_cells(store: Store, model: str = "") -> pd.DataFrame:
    """Cells with their morphology (query ``cells``)."""
    return fetch(store, "cells", model=model)


def fetch_mechanisms(store: Store, model: str = "") -> pd.DataFrame:
    """Channels, concentration models and point dynamics (query ``mechanisms``)."""
    return fetch(store, "mechanisms", model=model)


def fetch_synapse_types(store: Store, model: str = "") -> pd.DataFrame:
    """Models of synapses with class and sign (query ``synapse_types``)."""
    return fetch(store, "synapse_types", model=model)


def fetch_neurons(store: Store, model: str = "") -> pd.DataFrame:
    """Neurons with population, cell and position (query ``neurons``)."""
    return fetch(store, "neurons", model=model)


def fetch_synapses(store: Store, model: str = "", kind: str = "") -> pd.DataFrame:
    """Connections with their ends, type and weight (query ``synapses``)."""
    return fetch(store, "synapses", model=model, kind=kind)


def fetch_gap_junctions(store: Store, model: str = "") -> pd.DataFrame:
    """Pairs of neurons that gap junctions join, each once (query ``gap_junctions``)."""
    return fetch(store, "gap_junctions", model=model)


def fetch_attention(store: Store, run: str = "", model: str = "") -> pd.DataFrame:
    """What a run wrote on every connection (query ``connection_attention``)."""
    return fetch(store, "connection_attention", run=run, model=model)


def fetch_runs(store: Store) -> pd.DataFrame:
    """Runs that have annotated the graph (query ``attention_runs``)."""
    return fetch(store, "attention_runs")


def _all_rows(name: str, parameters: dict[str, Value]) -> dict[str, Value]:
    limited = any(parameter.name == "limit" for parameter in find_query(name).parameters)
    return {"limit": ALL_ROWS, **parameters} if limited else parameters
