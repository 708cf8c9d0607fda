"""Connections between neurons: their synapses folded together."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
import torch
from measured_graphs import SYNAPSES, measured_graph, values_of
from trained_models import circuit, training_model, untrained_run

from bnnkg.gnn.batching import collate
from bnnkg.gnn.connections import connections, pairs
from bnnkg.gnn.explanation import explain
from bnnkg.gnn.readings import HeadWeights, Score
from bnnkg.gnn.scores import attention_scores
from bnnkg.gnn.sites import SiteName, build_sites
from bnnkg.schema.learned import SCORE_METHODS
from bnnkg.schema.records import EdgeTable

TENSORS = training_model(circuit()).tensors
RUN = untrained_run(TENSORS)
ELECTRICAL = {("n00", "n02"), ("n02", "n00")}


@pytest.fixture(scope="module")
def edges() -> dict[str, EdgeTable]:
    return {table.type: table for table in attention_scores(RUN, [TENSORS]).edges}


def test_pairs_sum_attention_and_average_the_rest() -> None:
    batch, measured = measured_graph(TENSORS, 3)
    uids = [neuron for neuron, _ in TENSORS.keys["neuron"]]
    synapses: dict[tuple[str, str], list[int]] = {}
    for u, (pre, post) in enumerate(batch.up_index.T.tolist()):
        synapses.setdefault((uids[post], uids[pre]), []).append(u)
    assert max(map(len, synapses.values())) == 2
    found = pairs(TENSORS, batch, measured)
    assert sorted(zip(*found.keys, strict=True)) == sorted(synapses)
    for place, pair in enumerate(zip(*found.keys, strict=True)):
        own = [values_of(measured.synapses, u) for u in synapses[pair]]
        for name in SYNAPSES:
            fold = fmean if "lift" in name or "score" in name else math.fsum
            wanted = [fold(seeds) for seeds in zip(*(one[name] for one in own), strict=True)]
            assert found.of(name)[:, place] == pytest.approx(wanted)
        assert (found.of("attention")[:, place] == found.of("attention_up")[:, place]).all()


def test_a_gap_junction_is_a_connection_in_both_directions() -> None:
    batch, measured = measured_graph(TENSORS, 1)
    found = connections(TENSORS, batch, measured)
    stored = list(zip(*found.keys, strict=True))
    electrical = [place for place, key in enumerate(stored) if key[2].endswith("electrical")]
    assert [stored[place][:2] for place in electrical] == [("n00", "n02")] * 2
    assert len(set(stored)) == len(stored) - 1
    up = [u for u, ends in enumerate(batch.up_index.T.tolist()) if ends in ([0, 2], [2, 0])]
    lifts = measured.synapses["attention_lift"][0]
    assert set(found.of("attention_lift")[0, electrical]) <= {lifts[u] for u in up}


def test_a_pair_is_tested_against_those_with_as_many_sources() -> None:
    """p is the share of the pairs with as many sources that have a lift as high."""
    batch, measured = measured_graph(TENSORS, 3)
    of_receiver = 3 + 40 * (batch.up_index[1].numpy() % 2)
    found = pairs(TENSORS, batch, replace(measured, n_sources=of_receiver))
    lifts = found.of("attention_lift").mean(axis=0).tolist()
    odd = [int(attends.removeprefix("n")) % 2 for attends in found.keys[0]]
    for p in found.of("attention_p_degree"):
        for place, lift in enumerate(lifts):
            peers = [other for other, o in zip(lifts, odd, strict=True) if o == odd[place]]
            assert p[place] == pytest.approx(sum(other >= lift for other in peers) / len(peers))


@pytest.mark.parametrize(
    ("site", "name"), [("up", "attention"), ("up", "attention_up"), ("down", "attention_down")]
)
def test_connections_sum_alpha_over_synapses_and_average_over_seeds(
    edges: dict[str, EdgeTable], site: SiteName, name: str
) -> None:
    batch = collate([TENSORS], RUN.scaling)
    sites = build_sites(batch, heads=2, hops=2)
    alphas: dict[tuple[str, str], list[float]] = {}
    for learner in RUN.learners:
        one = explain(learner, batch, sites).sites[site]
        for p, edge in enumerate(one.site.edge.tolist()):
            if edge >= 0:
                pre, post = batch.up_index[:, edge].tolist()
                key = (TENSORS.keys["neuron"][pre][0], TENSORS.keys["neuron"][post][0])
                alphas.setdefault(key, []).append(float(one.alpha[p]))
    edge = edges["CONNECTS_TO"]
    for src, dst, value, kind in zip(
        edge.src, edge.dst, edge.columns[name], edge.columns["uid"], strict=True
    ):
        if kind.endswith("chemical"):
            assert value == pytest.approx(sum(alphas[src, dst]) / 2)


def test_the_strongest_pairs_attend_from_post_to_pre(edges: dict[str, EdgeTable]) -> None:
    strongest, all_ = edges["ATTENDS_TO"], edges["CONNECTS_TO"]
    known = {(d, s) for s, d in zip(all_.src, all_.dst, strict=True)}
    known |= {(s, d) for d, s in known if (d, s) == ("n00", "n02")}
    pairs = set(zip(strongest.src, strongest.dst, strict=True))
    assert 0 < len(pairs) < 0.1 * len(known)
    assert pairs <= known | {("n00", "n02"), ("n02", "n00")}


def test_the_score_of_a_connection_is_the_mean_over_its_synapses() -> None:
    """Whichever score was chosen, and it changes nothing else."""
    weights: HeadWeights = {("up", 0): torch.tensor([1.0])}  # one block, one head of GAN_up
    written = {}
    for method in SCORE_METHODS:
        scores = (Score(method, weights),) * 2
        result = attention_scores(replace(RUN, scores=scores), [TENSORS])
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


def test_connections_are_tested_against_their_like(edges: dict[str, EdgeTable]) -> None:
    """Among all connections the shares of peers average above a half: each is its own peer."""
    columns = edges["CONNECTS_TO"].columns
    p = np.array(columns["attention_p_degree"])
    assert ((p > 0) & (p <= 1)).all()
    assert p.mean() > 0.5
    assert np.corrcoef(p, columns["attention_lift"])[0, 1] < 0
    seeds = [value for value in columns["attention_p_seeds"] if value is not None]
    assert seeds
    assert all(0 <= value <= 1 for value in seeds)
    assert {"attention_p_degree", "attention_p_seeds"} <= set(edges["ATTENDS_TO"].columns)
