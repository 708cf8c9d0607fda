"""Models loaded, loaded again, replaced, removed: the graph as an independent query sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import neo4j
import pytest
from store_graphs import a_run, dump, model_uid, plain, small_model, some_scores

from bnnkg.errors import SchemaError, UnknownModelError
from bnnkg.schema import EdgeTable, GraphTables, NodeTable
from bnnkg.store import Store
from bnnkg.store.connection import Connection
from bnnkg.store.server import read_password

T = TypeVar("T")


def test_what_was_loaded_is_read_again(store: Store) -> None:
    model = small_model("a", cells=("c1", "c2"))
    result = store.load_model(model)
    assert (result.status, result.key, result.model_uid) == ("loaded", "a", model_uid("a", "v1"))
    assert plain(store.read_model("a")) == plain(model)
    assert plain(store.read_model(result.model_uid)) == plain(model)


def test_numbers_in_the_graph(store: Store, driver: neo4j.Driver) -> None:
    store.load_model(small_model("a", n_neurons=5, n_synapses=7))
    nodes, edges = dump(driver)
    # by hand: 1 each of Model, Term, Network, Population, Cell, Mechanism, SynapseType; 2 sections
    assert len(nodes) == 7 + 2 + 5 + 7
    # 4 DEFINES, ABOUT, HAS_POPULATION; 5 HAS_NEURON, INSTANCE_OF, CONNECTS_TO; 2 sections,
    # CHILD_OF, 3 densities; 7 SENDS, TARGETS, OF_TYPE; half of 7 LEAVES_FROM
    assert len(edges) == 6 + 3 * 5 + 2 + 1 + 3 + 3 * 7 + 3
    model = next(row for row in nodes if row[0] == ["Model"])
    assert dict(model[1])["status"] == "current"
    assert not [name for name, _ in model[1] if "lease" in name]


def test_loading_again_changes_nothing(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    store_lts.load_model(small_model("a"))
    before = dump(driver_lts)
    assert store_lts.load_model(small_model("a")).status == "unchanged"
    assert dump(driver_lts) == before


def test_a_changed_model_takes_the_place_of_the_old(store: Store, driver: neo4j.Driver) -> None:
    new = small_model("a", "v2", cells=("c1", "c3"), n_synapses=9)
    store.load_model(new)
    expected = dump(driver)
    store.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    store.load_model(small_model("a", cells=("c1", "c2")))
    result = store.load_model(new)
    assert (result.status, result.replaced_shares_nothing) == ("replaced", False)
    assert dump(driver) == expected
    assert store.models().columns["version"] == ["v2"]


def test_a_replaced_version_that_shares_nothing_is_told(store_lts: Store) -> None:
    store_lts.load_model(small_model("a", cells=("c1",)))
    other = small_model("a", "v2", cells=("c2",))
    keep = {key: t for key, t in other.edges.items() if key[2] != "SynapseType"}
    nodes = {label: t for label, t in other.nodes.items() if label != "SynapseType"}
    assert store_lts.load_model(GraphTables(nodes, keep)).replaced_shares_nothing


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a")])
def test_any_order_gives_the_same_graph(
    store_lts: Store, driver_lts: neo4j.Driver, order: tuple[str, ...]
) -> None:
    models = {
        "a": small_model("a", cells=("c1", "c2")),
        "b": small_model("b", cells=("c2", "c3")),
        "c": small_model("c", cells=("c2",)),
    }
    for key in "abc":
        store_lts.load_model(models[key])
    expected = dump(driver_lts)
    names = dict(driver_lts.execute_query("MATCH (c:Cell) RETURN c.uid, c.name").records)
    assert names == {"c1": "a-c1", "c2": "a-c2", "c3": "b-c3"}
    store_lts.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    for key in order:
        store_lts.load_model(models[key])
    assert dump(driver_lts) == expected


@pytest.mark.parametrize("gone", ["a", "b"])
def test_removing_one_of_two_that_share_leaves_the_other_exact(
    store: Store, driver: neo4j.Driver, gone: str
) -> None:
    models = {key: small_model(key, cells=("c1", f"c-{key}")) for key in "ab"}
    (stays,) = {"a", "b"} - {gone}
    store.load_model(models[stays])
    expected = dump(driver)
    store.load_model(models[gone])
    told = store.remove_models([gone], dry_run=True)
    assert dump(driver) != expected
    done = store.remove_models([gone])
    assert dump(driver) == expected
    assert dict(told.nodes) == dict(done.nodes)
    assert (told.n_shared_kept, done.n_shared_kept) == (4, 4)  # c1, k-c1, s1, the Term


def test_changing_one_of_two_that_share_leaves_the_other_exact(
    store_lts: Store, driver_lts: neo4j.Driver
) -> None:
    store_lts.load_model(small_model("b", cells=("c1", "c2")))
    store_lts.load_model(small_model("a", "v2", cells=("c2", "c3")))
    expected = dump(driver_lts)
    store_lts.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    store_lts.load_model(small_model("a", cells=("c1", "c2")))
    store_lts.load_model(small_model("b", cells=("c1", "c2")))
    store_lts.load_model(small_model("a", "v2", cells=("c2", "c3")))
    assert dump(driver_lts) == expected


def test_removing_all_leaves_nothing(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    store_lts.load_model(small_model("a"))
    store_lts.load_model(small_model("b"))
    result = store_lts.remove_models(["a", "b"])
    assert dump(driver_lts) == ([], [])
    # by hand: twice 1 Model, Network, Population, 4 neurons, 6 synapses; once what they share
    assert result.n_nodes == 2 * 13 + 6


def test_an_unknown_model_stops_the_removal(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    store_lts.load_model(small_model("a"))
    before = dump(driver_lts)
    with pytest.raises(UnknownModelError, match=r"nosuch"):
        store_lts.remove_models(["a", "nosuch"])
    assert dump(driver_lts) == before


def test_models_are_listed_with_their_numbers(store: Store) -> None:
    store.load_model(small_model("b", cells=("c1", "c2"), n_neurons=3, n_synapses=8))
    store.load_model(small_model("a"))
    rows = list(store.models().rows())
    assert [(r["key"], r["status"]) for r in rows] == [("a", "current"), ("b", "current")]
    wanted = {"neurons": 3, "synapses": 8, "cells": 2, "mechanisms": 2, "synapse_types": 1}
    assert {name: rows[1][name] for name in wanted} == wanted


def _with(tables: GraphTables, *changed: NodeTable | EdgeTable) -> GraphTables:
    nodes, edges = dict(tables.nodes), dict(tables.edges)
    for table in changed:
        if isinstance(table, NodeTable):
            nodes[table.label] = table
        else:
            edges[(table.type, table.src_label, table.dst_label)] = table
    return GraphTables(nodes, edges)


def test_tables_that_are_no_whole_model_are_refused(
    store_lts: Store, driver_lts: neo4j.Driver
) -> None:
    model = small_model("a")
    m = model_uid("a", "v1")
    lost_end = EdgeTable("SENDS", "Neuron", "Synapse", ["nobody"], [f"{m}/net/proj/0"])
    without = {key: table for key, table in model.edges.items() if key[2] != "Mechanism"}
    foreign = dict(model.nodes["Network"].columns) | {"model_uid": ["ffffffffffff"]}
    for broken, word in (
        (_with(model, lost_end), "nobody"),
        (GraphTables(model.nodes, without), "no DEFINES edge reaches a Mechanism"),
        (_with(model, NodeTable("Network", foreign)), "another Model"),
        (GraphTables({}, {}), "one Model"),
    ):
        with pytest.raises(SchemaError, match=word):
            store_lts.load_model(broken)
    assert dump(driver_lts) == ([], [])


def test_a_load_that_fails_leaves_nothing(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    store_lts.load_model(small_model("b"))
    before = dump(driver_lts)

    def stop(task: str, done: float, total: float | None = None, note: str = "") -> None:
        if done > 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_lts.load_model(small_model("a", cells=("c1", "c2")), progress=stop)
    assert dump(driver_lts) == before
    assert store_lts.load_model(small_model("a", cells=("c1", "c2"))).status == "loaded"


class Twice(Connection):
    """Runs every transaction again after its commit, as the driver does when an answer is lost."""

    def transact(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        super().transact(work)
        return super().transact(work)


def test_transactions_that_are_sent_again_change_nothing(
    store: Store, driver: neo4j.Driver, neo4j_home: Path
) -> None:
    old, new = small_model("a", cells=("c1", "c2")), small_model("a", "v2", cells=("c2", "c3"))
    store.load_model(new)
    store.write_attention(a_run(), some_scores(new), name="x")
    expected = dump(driver)
    store.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    with Store(Twice(store.uri, "neo4j", read_password(neo4j_home)), store.store_id) as again:
        assert again.load_model(old).status == "loaded"
        assert again.load_model(new).status == "replaced"
        again.write_attention(a_run(), some_scores(new), name="x")
        assert dump(driver) == expected
        again.remove_attention("x")
        again.remove_models(["a"])
    assert dump(driver) == ([], [])
