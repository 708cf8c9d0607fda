"""The nervous system of C. elegans, from its files to a batch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from bnnkg.gnn.batching import collate
from bnnkg.gnn.features import places
from bnnkg.gnn.graph import build
from bnnkg.gnn.hiding import hide_pairs
from bnnkg.gnn.homologues import homologue_groups
from bnnkg.gnn.negatives import sample_negatives
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.splits import split_pairs
from bnnkg.gnn.tensors import Hidden
from bnnkg.ingest import find_source, read_source, records_of
from bnnkg.schema.records import GraphTables

pytest.importorskip("c302", reason="needs the extra [demo]")


@pytest.fixture(scope="module")
def tables(c302_folder: Path) -> GraphTables:
    return records_of(read_source(find_source(str(c302_folder))))


def test_counts_are_those_of_the_network(tables: GraphTables) -> None:
    graph = build(tables)
    sizes = {kind: len(keys) for kind, keys in graph.keys.items()}
    assert {kind: sizes[kind] for kind in ("neuron", "soma", "dendrite", "axon", "synapse")} == {
        "neuron": 302, "soma": 302, "dendrite": 1410, "axon": 328, "synapse": 2279 + 1084,
    }  # fmt: skip
    up = graph.data["neuron", "presynaptic_to", "neuron"]
    assert up.edge_index.shape[1] == 2279 + 2 * 1084
    electrical = graph.data["neuron"].x[:, places("neuron")["electrical_partners"]]
    own = 5  # neurons joined to themselves count once
    assert electrical.sum() == 2 * (557 - own) + own


def test_every_synapse_has_its_origins(tables: GraphTables) -> None:
    graph = build(tables)
    found = Counter(
        (origin.stored, *pair)
        for origin in graph.origins.values()
        for pair in zip(origin.src_uid, origin.dst_uid, strict=True)
    )
    kind = dict(
        zip(tables.nodes["Synapse"].uid, tables.nodes["Synapse"].columns["kind"], strict=True)
    )
    for type_ in ("SENDS", "TARGETS", "LEAVES_FROM", "ARRIVES_AT"):
        for (name, *_), table in tables.edges.items():
            if name == type_:
                for src, dst in zip(table.src, table.dst, strict=True):
                    times = 2 if kind.get(src, kind.get(dst)) == "electrical" else 1
                    assert found[type_, src, dst] == times


def test_held_out_connections_leave_no_trace(tables: GraphTables) -> None:
    graph = build(tables, hidden=Hidden(contacts=True))
    names = dict(
        zip(tables.nodes["Neuron"].uid, tables.nodes["Neuron"].columns["name"], strict=True)
    )
    uids = [key[0] for key in graph.keys["neuron"]]
    groups = dict(zip(uids, homologue_groups([names[uid] for uid in uids]), strict=True))
    up = graph.data["neuron", "presynaptic_to", "neuron"].edge_index
    split = split_pairs([(uids[a], uids[b]) for a, b in up.T.tolist()], groups, seed=0)
    row = {uid: place for place, uid in enumerate(uids)}
    pairs = torch.tensor([[row[a], row[b]] for a, b in split.test]).T
    quick = hide_pairs(collate([graph], fit_scaling([graph])), pairs)
    slow = build(tables, hidden=Hidden.of(split.test, contacts=True))
    rebuilt = collate([slow], fit_scaling([graph]))
    assert torch.equal(quick.x["neuron"], rebuilt.x["neuron"])
    assert torch.equal(quick.edge_index, rebuilt.edge_index)
    joined = {frozenset(pair) for pair in quick.up_index.T.tolist()}
    assert not joined & {frozenset(pair) for pair in pairs.T.tolist()}


def test_negatives_match_degrees(tables: GraphTables) -> None:
    graph = build(tables)
    up = graph.data["neuron", "presynaptic_to", "neuron"]
    chemical = graph.ledger.kind[up.synapse] == 0
    positive = torch.unique(up.edge_index[:, chemical], dim=1)
    positive = positive[:, positive[0] != positive[1]]
    negative = sample_negatives(positive, up.edge_index, 302, torch.Generator().manual_seed(0))
    assert negative.shape[1] >= 0.99 * positive.shape[1]
