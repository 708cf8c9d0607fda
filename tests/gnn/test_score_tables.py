"""Properties of stored records, against dictionaries of lists of their instances."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_graphs import measured_graph, values_of
from small_models import Model, models
from trained_models import apart, circuit, training_model

from bnnkg.gnn.batching import UP
from bnnkg.gnn.measures import Measured
from bnnkg.gnn.score_tables import ScoreTables
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.computation import KINDS
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES
from bnnkg.schema.records import EdgeTable, NodeTable

LABEL = {"neuron": "Neuron", "synapse": "Synapse", "mechanism": "Mechanism"}
Key = tuple[str, ...]
"""Label and uid; or type, two labels, two ends and uid."""
Graph = tuple[GraphTensors, Batch, Measured]
Instances = dict[Key, list[dict[str, list[float]]]]
"""Per record and instance, the seeds' values of each measure."""


def graphs_of(some: Sequence[Model], n_seeds: int) -> list[Graph]:
    tensors = [apart(training_model(m).tensors, f"{n}/") for n, m in enumerate(some)]
    return [(t, *measured_graph(t, n_seeds, seed)) for seed, t in enumerate(tensors)]


def tables_of(graphs: Iterable[Graph]) -> tuple[list[NodeTable], list[EdgeTable]]:
    tables = ScoreTables()
    for graph in graphs:
        tables.add(*graph)
    return list(tables.nodes()), list(tables.edges())


def instances_of(graphs: Iterable[Graph]) -> Instances:
    found: Instances = {}
    for tensors, batch, measured in graphs:
        rows = [(kind, key) for kind in KINDS for key in tensors.keys[kind]]
        for row, (kind, (neuron, definition)) in enumerate(rows):
            key: Key = (LABEL.get(kind, "Compartment"), definition or neuron)
            found.setdefault(key, []).append(values_of(measured.rows, row))
        for edge, number in enumerate(batch.edge_type.tolist()):
            origin, row = tensors.origins[batch.edge_types[number]], int(batch.edge_row[edge])
            own = values_of(measured.edges, edge)
            if origin.stored and any(math.isfinite(v) for values in own.values() for v in values):
                uid = origin.uid[row] if origin.uid else ""
                key = (origin.stored, origin.src_label, origin.dst_label,
                       origin.src_uid[row], origin.dst_uid[row], uid)  # fmt: skip
                found.setdefault(key, []).append(own)
        for folded in connections_of(tensors, batch, measured):
            found.setdefault(folded[0], []).append(folded[1])
    return found


def connections_of(
    tensors: GraphTensors, batch: Batch, measured: Measured
) -> Iterable[tuple[Key, dict[str, list[float]]]]:
    """Each direction of each CONNECTS_TO with its synapses in sum or mean."""
    synapses: dict[Any, list[dict[str, list[float]]]] = {}
    origin = tensors.origins[UP]
    assert batch.up_row is not None
    assert origin.uid is not None
    for u, row in enumerate(batch.up_row.tolist()):
        key = ("CONNECTS_TO", "Neuron", "Neuron",
               origin.src_uid[row], origin.dst_uid[row], origin.uid[row])  # fmt: skip
        ends = tuple(batch.up_index[:, u].tolist())
        synapses.setdefault((key, ends), []).append(values_of(measured.synapses, u))
    for (key, _), own in synapses.items():
        yield key, folded(own)


def folded(own: Sequence[Mapping[str, list[float]]]) -> dict[str, list[float]]:
    found = {}
    for name in own[0]:
        fold = fmean if "lift" in name or "score" in name else math.fsum
        found[name] = [fold(values) for values in zip(*(one[name] for one in own), strict=True)]
    return found | {"attention": found["attention_up"]}


def expected(own: Sequence[Mapping[str, list[float]]], lift: str) -> dict[str, Any]:
    """Means over instances and seeds, as absent where they are unknown."""
    found: dict[str, Any] = {"attention_n": len(own)}
    for name in own[0]:
        seeds = []
        for values in zip(*(one[name] for one in own), strict=True):
            known = [value for value in values if math.isfinite(value)]
            seeds.append(fmean(known) if known else math.nan)
        known_everywhere = all(map(math.isfinite, seeds))
        found[name] = fmean(seeds) if known_everywhere else None
        if len(seeds) > 1:
            found[f"{name}_sd"] = stdev(seeds) if known_everywhere else None
    found["attention_lift_spread"] = pstdev([fmean(one[lift]) for one in own])
    return found


def check(key: Key, columns: Mapping[str, Any], row: int, wanted: Mapping[str, Any]) -> None:
    learned = LEARNED_ON_NODES.get(key[0]) or LEARNED_ON_EDGES[key[0]]
    for name in {prop.name for prop in learned} & set(wanted):
        value = columns[name][row] if name in columns else None
        if wanted[name] is None:
            assert value is None, (key, name)
        else:
            assert value == pytest.approx(wanted[name], rel=1e-9, abs=1e-12), (key, name)


@settings(max_examples=20, deadline=None)
@given(st.lists(models(), min_size=1, max_size=3), st.sampled_from([1, 3]))
def test_records_have_the_means_over_their_instances(some: list[Model], n_seeds: int) -> None:
    graphs = graphs_of(some, n_seeds)
    instances = instances_of(graphs)
    nodes, edges = tables_of(graphs)
    seen: list[Key] = []
    for table in nodes:
        assert list(table.uid) == sorted(table.uid)
        for row, uid in enumerate(table.uid):
            seen.append((table.label, uid))
            check(seen[-1], table.columns, row, expected(instances[seen[-1]], "cls_lift"))
    for edge in edges:
        if edge.type in ("INSTANCE_OF", "ATTENDS_TO"):
            continue
        uids = edge.columns.get("uid", [""] * len(edge))
        keys = list(zip(edge.src, edge.dst, uids, strict=True))
        assert keys == sorted(keys)
        for row, ends in enumerate(keys):
            key = (edge.type, edge.src_label, edge.dst_label, *ends)
            seen.append(key)
            check(key, edge.columns, row, expected(instances[key], "attention_lift"))
    assert sorted(seen) == sorted(instances)


def test_the_strongest_of_all_graphs_attend() -> None:
    graphs = graphs_of([circuit(n, seed=n) for n in (12, 20)], 2)
    lifts: dict[tuple[str, str], list[float]] = {}
    for tensors, batch, measured in graphs:
        uids = [neuron for neuron, _ in tensors.keys["neuron"]]
        for u, (pre, post) in enumerate(batch.up_index.T.tolist()):
            own = values_of(measured.synapses, u)["attention_lift"]
            lifts.setdefault((uids[post], uids[pre]), []).append(fmean(own))
    ranked = sorted(lifts, key=lambda pair: -fmean(lifts[pair]))
    best = sorted(ranked[: round(0.05 * len(ranked))])
    assert len(best) > 2
    table = tables_of(graphs)[1][-1]
    assert table.type == "ATTENDS_TO"
    assert list(zip(table.src, table.dst, strict=True)) == best
    found = table.columns["attention_lift"]
    assert list(found) == pytest.approx([fmean(lifts[pair]) for pair in best])


def test_what_is_unknown_everywhere_is_no_column() -> None:
    ((tensors, batch, measured),) = graphs_of([circuit(4)], 2)
    measured.rows["received_lift"][:, :4] = math.nan
    neurons = tables_of([(tensors, batch, measured)])[0][0]
    assert neurons.label == "Neuron"
    assert set(neurons.columns) == {
        "uid", "cls_attention", "cls_attention_sd", "cls_lift", "cls_lift_sd",
        "attention_score", "attention_score_sd",
    }  # fmt: skip
