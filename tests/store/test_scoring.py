"""Scores are taken back by pages of bounded size, however dense a network is."""

from __future__ import annotations

import neo4j
import pytest
from store_graphs import a_run, dump, model_uid, small_model, some_scores

from bnnkg.store import Store, scoring
from bnnkg.store.scoring import clear_connections, clear_owned, delete_attends_to


def _with_scores(driver: neo4j.Driver, type_: str) -> int:
    found = driver.execute_query(
        f"MATCH ()-[e:{type_}]->() WHERE e.attention__x IS NOT NULL RETURN count(*)"
    )
    return int(found.records[0][0])


def test_a_page_is_bounded_in_edges(
    store_lts: Store, driver_lts: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All synapses of the model are at few neurons, so that pages of neurons bound nothing."""
    monkeypatch.setattr(scoring, "_EDGES_AT_ONCE", 1)
    store_lts.load_model(small_model("a"))
    before = dump(driver_lts)
    store_lts.write_attention(a_run(), some_scores(small_model("a")), name="x")
    uid = model_uid("a", "v1")
    of_model = {"after": uid, "end": uid + "\uffff"}
    driver_lts.execute_query(clear_owned("Neuron", "__x", 100), **of_model)
    for type_, statement in (
        ("CONNECTS_TO", clear_connections("__x")),
        ("ATTENDS_TO", delete_attends_to()),
    ):
        n = _with_scores(driver_lts, type_)
        assert n > 1, "taking scores off neurons leaves these alone"
        given = of_model if type_ == "CONNECTS_TO" else {"after": "", "end": "\uffff"}
        (row,) = driver_lts.execute_query(statement, **given).records
        assert row[0] is not None
        assert _with_scores(driver_lts, type_) == n - 1
    store_lts.remove_attention("x")
    assert dump(driver_lts) == before
