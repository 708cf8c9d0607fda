"""Scores written on the graph, several runs side by side, and taken back without a trace."""

from __future__ import annotations

import neo4j
import pytest
from store_graphs import a_run, dump, model_uid, small_model, some_scores

from bnnkg.errors import ModelChangedError, SchemaError, UnknownRunError, UsageError
from bnnkg.schema import NodeTable
from bnnkg.schema.scores import AttentionScores
from bnnkg.store import Store


def _scores_in_graph(driver: neo4j.Driver, suffix: str) -> dict[tuple[str, ...], float]:
    """Every score that ends so, by what carries it."""
    nodes = driver.execute_query(
        "MATCH (n) UNWIND keys(n) AS k WITH n, k WHERE k = $cls "
        "RETURN labels(n)[0], n.uid, '' AS a, '' AS b, n[k]",
        cls=f"cls_lift{suffix}",
    ).records
    edges = driver.execute_query(
        "MATCH (a)-[e]->(b) UNWIND keys(e) AS k WITH a, b, e, k WHERE k = $attention "
        "RETURN type(e), a.uid, b.uid, CASE WHEN type(e) = 'ATTENDS_TO' THEN '' "
        "ELSE coalesce(e.uid, '') END, e[k]",
        attention=f"attention{suffix}",
    ).records
    rows = [row.values() for row in (*nodes, *edges)]
    return {tuple(key): value for *key, value in rows}


def _given(scores: AttentionScores) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for nodes in scores.nodes:
        for uid, value in zip(nodes.uid, nodes.columns["cls_lift"], strict=True):
            found[(nodes.label, uid, "", "")] = value
    for edges in scores.edges:
        uids = edges.columns.get("uid", [""] * len(edges))
        rows = zip(edges.src, edges.dst, uids, edges.columns["attention"], strict=True)
        for src, dst, uid, value in rows:
            found[(edges.type, src, dst, uid)] = value
    return found


@pytest.mark.parametrize(("name", "suffix"), [("", ""), ("deep", "__deep")])
def test_scores_are_where_they_belong(
    store: Store, driver: neo4j.Driver, name: str, suffix: str
) -> None:
    models = small_model("a", cells=("c1", "c2")), small_model("b", cells=("c2",))
    for model in models:
        store.load_model(model)
    before = dump(driver)
    scores = some_scores(*models)
    counts = store.write_attention(a_run(), scores, name=name)
    assert _scores_in_graph(driver, suffix) == _given(scores)
    assert sum(counts.values()) == len(_given(scores))
    runs = store.attention_runs()
    assert runs.columns["models"] == [["a", "b"]]
    assert (runs.columns["name"], runs.columns["status"]) == ([name], ["current"])
    store.remove_attention(name)
    assert dump(driver) == before


def test_runs_stand_side_by_side(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    model = small_model("a")
    store_lts.load_model(model)
    first, second = some_scores(model), some_scores(model)
    second.nodes[0].columns["cls_lift"][0] = -1.0  # type: ignore[index]
    store_lts.write_attention(a_run("r1"), first, name="one")
    with_one = dump(driver_lts)
    store_lts.write_attention(a_run("r2"), second, name="")
    assert _scores_in_graph(driver_lts, "__one") == _given(first)
    assert _scores_in_graph(driver_lts, "") == _given(second)
    store_lts.remove_attention("")
    assert dump(driver_lts) == with_one


def test_writing_again_takes_the_place_of_the_first(
    store_lts: Store, driver_lts: neo4j.Driver
) -> None:
    models = small_model("a"), small_model("b")
    for model in models:
        store_lts.load_model(model)
    store_lts.write_attention(a_run("r2"), some_scores(models[1]), name="")
    expected = dump(driver_lts)
    store_lts.remove_attention("")
    store_lts.write_attention(a_run("r1"), some_scores(*models), name="")
    for _ in range(2):
        store_lts.write_attention(a_run("r2"), some_scores(models[1]), name="")
        assert dump(driver_lts) == expected


def test_a_dry_run_counts_and_writes_nothing(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    model = small_model("a")
    store_lts.load_model(model)
    before = dump(driver_lts)
    counts = store_lts.write_attention(a_run(), some_scores(model), name="x", dry_run=True)
    assert (counts["Neuron"], counts["SENDS"], counts["ATTENDS_TO"]) == (4, 6, 2)
    assert dump(driver_lts) == before


def test_a_changed_model_is_refused(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    model = small_model("a")
    store_lts.load_model(model)
    store_lts.load_model(small_model("a", "v2"))
    before = dump(driver_lts)
    for dry_run in (True, False):
        with pytest.raises(ModelChangedError, match=model_uid("a", "v1")):
            store_lts.write_attention(a_run(), some_scores(model), name="x", dry_run=dry_run)
    assert dump(driver_lts) == before


def test_wrong_scores_leave_nothing(store_lts: Store, driver_lts: neo4j.Driver) -> None:
    model = small_model("a")
    store_lts.load_model(model)
    before = dump(driver_lts)
    uids = (model_uid("a", "v1"),)
    unknown = NodeTable("Neuron", {"uid": ["nobody"], "cls_lift": [1.0]})
    with pytest.raises(Exception, match="lacks nodes"):
        store_lts.write_attention(a_run(), AttentionScores((unknown,), (), uids), name="x")
    undeclared = NodeTable("Neuron", {"uid": ["nobody"], "colour": [1.0]})
    with pytest.raises(SchemaError, match="colour"):
        store_lts.write_attention(a_run(), AttentionScores((undeclared,), (), uids), name="x")
    with pytest.raises(UsageError):
        store_lts.write_attention(a_run(), some_scores(model), name="Not A Name")
    with pytest.raises(UnknownRunError):
        store_lts.remove_attention("x")
    assert dump(driver_lts) == before


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_means_over_instances_go_with_one_of_their_models(
    store: Store, driver: neo4j.Driver, how: str
) -> None:
    kept, gone = small_model("a", cells=("c1", "c2")), small_model("b", cells=("c2",))
    for model in (kept, gone):
        store.load_model(model)
    scores = some_scores(kept, gone)
    store.write_attention(a_run(), scores, name="x")
    if how == "removed":
        result = store.remove_models(["b"])
        assert result.stale_runs == ("x",)
    else:
        replaced = store.load_model(small_model("b", "v2", cells=("c3",)))
        assert replaced.stale_runs == ("x",)
    left = _scores_in_graph(driver, "__x")
    own = model_uid("b", "v1")
    means = {"Compartment", "Mechanism", "CHILD_OF", "HAS_COMPARTMENT", "HAS_MECHANISM"}
    expected = {
        key: value
        for key, value in _given(scores).items()
        if not key[1].startswith(own) and not (key[0] in means and "c2" in key[1])
    }
    assert left == expected
    assert store.attention_runs().columns["models"] == [["a"]]


def test_a_run_without_models_goes(store_lts: Store) -> None:
    model = small_model("a")
    store_lts.load_model(model)
    store_lts.write_attention(a_run(), some_scores(model), name="x")
    assert store_lts.remove_models(["a"]).stale_runs == ()
    assert len(store_lts.attention_runs()) == 0
