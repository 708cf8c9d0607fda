from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_models import tables_of
from trained_models import TINY, circuit, training_model

from bnnkg.errors import ModelChangedError
from bnnkg.gnn.scores import TrainedRun, attention_scores, load_run
from bnnkg.gnn.training import train
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES
from bnnkg.schema.records import EdgeTable, NodeTable


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


def test_shared_mechanisms_get_the_mean_over_their_instances(
    tables: tuple[dict[str, NodeTable], dict[str, EdgeTable]],
) -> None:
    nodes, edges = tables
    assert nodes["Mechanism"].columns["attention_n"] == [16, 16]
    assert set(edges["HAS_MECHANISM"].columns["attention_n"]) == {1}


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
