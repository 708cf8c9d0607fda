from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import tables_of
from trained_models import TINY, circuit, training_model

from bnnkg.errors import ModelChangedError
from bnnkg.gnn.batching import collate
from bnnkg.gnn.explanation import explain
from bnnkg.gnn.readings import HeadWeights, Score
from bnnkg.gnn.scores import TrainedRun, attention_scores, load_run
from bnnkg.gnn.sites import SiteName, build_sites
from bnnkg.gnn.training import train
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES, SCORE_METHODS
from bnnkg.schema.records import EdgeTable, NodeTable

ELECTRICAL = {("n00", "n02"), ("n02", "n00")}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("run")
    return load_run(train([training_model(circuit())], TINY, folder=folder).checkpoint)


@pytest.fixture(scope="module")
def tables(run: TrainedRun) -> tuple[dict[str, NodeTable], dict[str, EdgeTable]]:
    scores = attention_scores(run, [training_model(circuit()).tensors])
    assert scores.model_uids == ("small@0",)
    return {t.label: t for t in scores.nodes}, {t.type: t for t in scores.edges}


def test_every_stored_edge_and_node_gets_its_scores(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    nodes, edges = tables
    stored = tables_of(circuit())
    for label in LEARNED_ON_NODES:
        assert sorted(nodes[label].uid) == sorted(stored.nodes[label].uid)
    for (type_, *_), table in stored.edges.items():
        if type_ in LEARNED_ON_EDGES:
            expected = sorted(zip(table.src, table.dst, strict=True))
            assert sorted(zip(edges[type_].src, edges[type_].dst, strict=True)) == expected


def test_properties_are_those_declared(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    nodes, edges = tables
    for label, table in nodes.items():
        names = set(table.columns) - {"uid"}
        assert names == {p.name for p in LEARNED_ON_NODES[label]}
    for type_, edge in edges.items():
        assert set(edge.columns) - {"uid"} <= {p.name for p in LEARNED_ON_EDGES[type_]}
        assert {"attention", "attention_lift"} <= set(edge.columns) or type_ == "INSTANCE_OF"
    assert {"attention_low", "attention_forward", "attention_backward_lift"} <= set(
        edges["CHILD_OF"].columns
    )
    assert "attention_up" in edges["CONNECTS_TO"].columns
    assert "attention_up" in edges["TARGETS"].columns
    assert "attention_down" in edges["SENDS"].columns


def column(table: NodeTable | EdgeTable, name: str) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in table.columns[name]], dtype=float)


def test_the_tokens_shares_are_one_in_sum(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    """Over rows: what instances share counts as often as it has instances."""
    nodes, _ = tables
    total = 0.0
    for table in nodes.values():
        share = column(table, "cls_attention")
        n = column(table, "attention_n") if "attention_n" in table.columns else np.ones(len(share))
        total += float((share * n).sum())
    assert total == pytest.approx(1)


@pytest.mark.parametrize(
    ("site", "name"), [("up", "attention"), ("up", "attention_up"), ("down", "attention_down")]
)
def test_connections_sum_alpha_over_synapses_and_average_over_seeds(
    run: TrainedRun, tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
    site: SiteName, name: str,
) -> None:  # fmt: skip
    tensors = training_model(circuit()).tensors
    batch = collate([tensors], run.scaling)
    sites = build_sites(batch, heads=2, hops=2)
    alphas: dict[tuple[str, str], list[float]] = {}
    for learner in run.learners:
        one = explain(learner, batch, sites).sites[site]
        for p, edge in enumerate(one.site.edge.tolist()):
            if edge >= 0:
                pre, post = batch.up_index[:, edge].tolist()
                key = (tensors.keys["neuron"][pre][0], tensors.keys["neuron"][post][0])
                alphas.setdefault(key, []).append(float(one.alpha[p]))
    edge = tables[1]["CONNECTS_TO"]
    for src, dst, value, kind in zip(
        edge.src, edge.dst, edge.columns[name], edge.columns["uid"], strict=True
    ):
        if kind.endswith("chemical"):
            assert value == pytest.approx(sum(alphas[src, dst]) / 2)


def test_shared_mechanisms_get_the_mean_over_their_instances(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    nodes, edges = tables
    assert nodes["Mechanism"].columns["attention_n"] == [16, 16]
    assert set(edges["HAS_MECHANISM"].columns["attention_n"]) == {1}


def test_a_neurons_own_sections_stand_in_order(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    nodes, edges = tables
    sections = nodes["Compartment"]
    lift = dict(zip(sections.uid, sections.columns["cls_lift"], strict=True))
    instance = edges["INSTANCE_OF"]
    for cell, own in zip(instance.dst, instance.columns["compartment_cls_lift"], strict=True):
        assert own == pytest.approx([lift[f"{cell}.s{i}"] for i in range(3)])


def test_the_strongest_pairs_attend_from_post_to_pre(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    _, edges = tables
    strongest, all_ = edges["ATTENDS_TO"], edges["CONNECTS_TO"]
    known = {(d, s) for s, d in zip(all_.src, all_.dst, strict=True)}
    known |= {(s, d) for d, s in known if (d, s) == ("n00", "n02")}
    pairs = set(zip(strongest.src, strongest.dst, strict=True))
    assert 0 < len(pairs) < 0.1 * len(known)
    assert pairs <= known | {("n00", "n02"), ("n02", "n00")}


def test_the_score_of_a_connection_is_the_mean_over_its_synapses(run: TrainedRun) -> None:
    """Whichever score was chosen, and it changes nothing else."""
    tensors = training_model(circuit()).tensors
    weights: HeadWeights = {("up", 0): torch.tensor([1.0])}  # one block, one head of GAN_up
    written = {}
    for method in SCORE_METHODS:
        scores = (Score(method, weights),) * 2
        result = attention_scores(replace(run, scores=scores), [tensors])
        written[method] = result
        synapses = next(t for t in result.nodes if t.label == "Synapse")
        of_synapse = dict(zip(synapses.uid, synapses.columns["attention_score"], strict=True))
        edges = {t.type: t for t in result.edges}
        reached = zip(edges["TARGETS"].src, edges["TARGETS"].dst, strict=True)
        senders = dict(zip(edges["SENDS"].dst, edges["SENDS"].src, strict=True))
        pairs: dict[tuple[str, str], list[float]] = {}
        for synapse, receiver in reached:
            if senders[synapse] != receiver and (senders[synapse], receiver) not in ELECTRICAL:
                pairs.setdefault((senders[synapse], receiver), []).append(of_synapse[synapse])
        table = edges["CONNECTS_TO"]
        found = dict(zip(zip(table.src, table.dst, strict=True),
                         table.columns["attention_score"], strict=True))  # fmt: skip
        for pair, values in pairs.items():
            assert found[pair] == pytest.approx(sum(values) / len(values))
    lifts = [next(t for t in r.edges if t.type == "CONNECTS_TO").columns["attention_lift"]
             for r in written.values()]  # fmt: skip
    assert lifts[0] == lifts[1] == lifts[2]
    of_rows = [next(t for t in r.nodes if t.label == "Synapse").columns["attention_score"]
               for r in written.values()]  # fmt: skip
    assert of_rows[0] != of_rows[1] != of_rows[2]


def test_another_version_of_the_model_is_refused(run: TrainedRun) -> None:
    tensors = training_model(circuit()).tensors
    with pytest.raises(ModelChangedError, match="not trained on this version"):
        attention_scores(run, [replace(tensors, model_uid="small@1")])
    with pytest.raises(ModelChangedError, match="other inputs"):
        attention_scores(run, [training_model(circuit(), contacts=False).tensors])


def test_a_run_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    from bnnkg.errors import TrainingError

    with pytest.raises(TrainingError, match="no checkpoint"):
        load_run(tmp_path / "checkpoint.pt")


def test_connections_are_tested_against_their_like(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    """Among all connections the shares of peers average above a half: each is its own peer."""
    columns = tables[1]["CONNECTS_TO"].columns
    p = np.array(columns["attention_p_degree"])
    assert ((p > 0) & (p <= 1)).all()
    assert p.mean() > 0.5
    assert np.corrcoef(p, columns["attention_lift"])[0, 1] < 0
    seeds = [value for value in columns["attention_p_seeds"] if value is not None]
    assert seeds
    assert all(0 <= value <= 1 for value in seeds)
    assert {"attention_p_degree", "attention_p_seeds"} <= set(tables[1]["ATTENDS_TO"].columns)
