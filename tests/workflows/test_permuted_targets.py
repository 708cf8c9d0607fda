"""On data of a real size, what was permuted cannot be told: nothing leaks the answers."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bnnkg.gnn.training import RunResult, TrainingConfig
from bnnkg.gnn.training import train as train_networks
from bnnkg.settings import Settings
from bnnkg.workflows.demonstration import write_worm
from bnnkg.workflows.ingestion import ingest
from bnnkg.workflows.reading import open_store
from bnnkg.workflows.training import TrainRequest, read_models, train

pytest.importorskip("c302", reason="needs the extra [demo]")
pytestmark = pytest.mark.slow

NAMESPACE = "{http://www.neuroml.org/schema/neuroml2}"


def _rewire(source: Path, target: Path, seed: int) -> int:
    """Copies the worm with the receivers of its connections exchanged; degrees stay.

    Returns how many connections have another receiver (Maslov & Sneppen, Science 2002).
    """
    tree = ElementTree.parse(source)
    rows = list(tree.getroot().iter(f"{NAMESPACE}projection"))
    pre = [row.get("presynapticPopulation", "") for row in rows]
    post = [row.get("postsynapticPopulation", "") for row in rows]
    before, there = list(post), set(zip(pre, post, strict=True))
    choose = random.Random(seed)
    for _ in range(20 * len(rows)):
        a, b = choose.randrange(len(rows)), choose.randrange(len(rows))
        new = {(pre[a], post[b]), (pre[b], post[a])}
        if len(new) == 2 and not new & there and pre[a] != post[b] and pre[b] != post[a]:
            there = there - {(pre[a], post[a]), (pre[b], post[b])} | new
            post[a], post[b] = post[b], post[a]
    for row, old, name in zip(rows, before, post, strict=True):
        row.set("postsynapticPopulation", name)
        for connection in row:
            cell = connection.get("postCellId", "")
            assert cell.startswith(f"../{old}/0/")
            connection.set("postCellId", f"../{name}/0/{name}")
    tree.write(target)
    return sum(a != b for a, b in zip(before, post, strict=True))


def test_a_rewired_worm_scores_at_chance(emptied: None, settings: Settings, tmp_path: Path) -> None:
    """Same neurons, same degrees, same gap junctions; only who sends to whom is left to chance."""
    worm = write_worm(settings.cache_folder / "demo")
    (source,) = worm.glob("*.net.nml")
    (tmp_path / "rewired").mkdir()
    assert _rewire(source, tmp_path / "rewired" / source.name, seed=1) > 2000
    (tmp_path / "rewired" / "cells").symlink_to(worm / "cells")
    assert ingest([str(tmp_path / "rewired")], settings=settings).reports[0].status == "loaded"
    told = train(TrainRequest(models=("rewired",), seeds=2), settings=settings)
    for scores in (told["held_out"], *told["baselines"].values()):
        assert abs(scores["edge_auroc"] - 0.5) < 0.06
    assert not told["gate"]["passed"]


@pytest.fixture(scope="module")
def shuffled(
    emptied: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> RunResult:
    """The worm itself with every answer exchanged between units, of every objective."""
    ingest([str(write_worm(settings.cache_folder / "demo"))], settings=settings, name="worm")
    with open_store(settings, write=False) as store:
        models = read_models(store, [store.model_uid("worm")], settings=settings)
    config = replace(TrainingConfig(), target="postsynaptic_sign", seeds=2, shuffled=True)
    return train_networks(models, config, folder=tmp_path_factory.mktemp("shuffled"))


def test_exchanged_connections_score_at_chance(shuffled: RunResult) -> None:
    assert shuffled.held_out["edge_auroc"] <= shuffled.chance["edge_auroc"]


def test_exchanged_labels_score_at_chance(shuffled: RunResult) -> None:
    assert shuffled.gate.metric == "target_auroc"
    assert not shuffled.gate.passed


def test_exchanged_features_score_at_chance(shuffled: RunResult) -> None:
    assert shuffled.held_out["feature_r2"] <= max(0.05, shuffled.chance["feature_r2"])
