"""Parameters, runs and models: what is converted, and what is refused with which words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd
import pytest
from hand_graph import Graph

import bnnkg.queries as queries
from bnnkg.errors import QueryError, UnknownModelError, UnknownQueryError
from bnnkg.queries import find_query, run_query
from bnnkg.queries.run import convert_parameters
from bnnkg.store import Store


def _converted(name: str, **given: Any) -> dict[str, Any]:
    return convert_parameters(find_query(name), given)


def test_text_becomes_the_declared_type() -> None:
    values = _converted("input_profile", neuron="7", bin_um="25", limit="10")
    assert values == {"neuron": "7", "model": "", "bin_um": 25.0, "limit": 10}
    assert type(values["bin_um"]) is float
    assert type(_converted("input_profile", neuron="x", bin_um=25)["bin_um"]) is float


@pytest.mark.parametrize(
    ("given", "what", "detail"),
    [
        ({"limits": "1"}, "no such parameter", "did you mean limit"),
        ({"limit": "many"}, "another type", "'many'"),
        ({"limit": "1.5"}, "another type", "integer"),
        ({"limit": True}, "another type", "True"),
        ({"limit": -1}, "negative", "-1"),
        ({"model": 3}, "another type", "string"),
    ],
)
def test_a_wrong_parameter_is_refused(given: dict[str, Any], what: str, detail: str) -> None:
    with pytest.raises(QueryError, match=what) as caught:
        _converted("strongest_connections", **given)
    assert detail in str(caught.value)


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(QueryError, match=r"missing[\s\S]*--param neuron="):
        _converted("input_profile")


def test_an_unknown_run_is_refused_with_the_known_ones(store: Store) -> None:
    with pytest.raises(QueryError, match=r"no run named othr[\s\S]*the unnamed run, other"):
        run_query(store, "strongest_connections", {"run": "othr"})
    with pytest.raises(QueryError, match="late"):
        run_query(store, "strongest_connections", {"run": "late"})


def test_an_unknown_model_is_refused_with_close_ones(store: Store) -> None:
    with pytest.raises(UnknownModelError, match="did you mean cortex"):
        run_query(store, "neurons", {"model": "cortx"})
    with pytest.raises(UnknownModelError, match="half"):
        run_query(store, "neurons", {"model": "half"})
    with pytest.raises(UnknownQueryError):
        run_query(store, "neuron", {})


def test_importing_the_queries_is_cheap() -> None:
    code = "import sys, bnnkg.queries as q; q.library(); print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    for heavy in ("numpy", "pandas", "scipy", "neo4j", "torch"):
        assert f"'{heavy}'" not in loaded


def test_a_query_without_statistics_has_none(store: Store) -> None:
    assert run_query(store, "models").statistics is None
    with pytest.raises(QueryError, match="no statistics"):
        queries.fetch_statistics(store, "models")


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("fetch_models", "models"),
        ("fetch_cells", "cells"),
        ("fetch_mechanisms", "mechanisms"),
        ("fetch_synapse_types", "synapse_types"),
        ("fetch_neurons", "neurons"),
        ("fetch_synapses", "synapses"),
        ("fetch_gap_junctions", "gap_junctions"),
        ("fetch_attention", "connection_attention"),
        ("fetch_runs", "attention_runs"),
    ],
)
def test_frames_hold_the_rows_of_their_query(store: Store, name: str, query: str) -> None:
    frame = getattr(queries, name)(store)
    table = run_query(store, query).table
    pd.testing.assert_frame_equal(frame, table.to_frame())
    assert len(frame) > 0


def test_frames_can_be_narrowed(store: Store, graph: Graph) -> None:
    n = sum(s["model_uid"] == "copy" for s in graph.nodes["Synapse"].values())
    assert len(queries.fetch_synapses(store, model="copy", kind="chemical")) == n
    assert len(queries.fetch(store, "neurons", limit=3)) == 3
    empty = queries.fetch(store, "density_against_activity", protocol="ramp")
    assert list(empty.columns) == [c.name for c in find_query("density_against_activity").columns]
    statistics = queries.fetch_statistics(store, "run_agreement", run="", other_run="other")
    assert statistics["rho"].notna().any()
