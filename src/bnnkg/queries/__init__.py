"""Questions to the graph: a library of Cypher files, their statistics, and tables of answers."""

from bnnkg.queries.files import find_query, library
from bnnkg.queries.frames import (
    fetch,
    fetch_attention,
    fetch_cells,
    fetch_gap_junctions,
    fetch_mechanisms,
    fetch_models,
    fetch_neurons,
    fetch_runs,
    fetch_statistics,
    fetch_synapse_types,
    fetch_synapses,
)
from bnnkg.queries.header import Column, Correlation, LibraryQuery, Parameter, parse_query
from bnnkg.queries.reference import render_reference
from bnnkg.queries.run import QueryResult, run_query

__all__ = [
    "Column",
    "Correlation",
    "LibraryQuery",
    "Parameter",
    "QueryResult",
    "fetch",
    "fetch_attention",
    "fetch_cells",
    "fetch_gap_junctions",
    "fetch_mechanisms",
    "fetch_models",
    "fetch_neurons",
    "fetch_runs",
    "fetch_statistics",
    "fetch_synapse_types",
    "fetch_synapses",
    "find_query",
    "library",
    "parse_query",
    "render_reference",
    "run_query",
]
