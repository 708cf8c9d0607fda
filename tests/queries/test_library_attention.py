"""Attention: rankings, directions, mechanisms, [CLS] and runs against the values written."""

from __future__ import annotations

import math

import pytest
from hand_graph import LIFTS, SECTIONS, Ask, Edge, Graph


def _ends(edge: Edge, graph: Graph) -> tuple[str, str, str]:
    return graph.name(edge.src), graph.name(edge.dst), edge["kind"]


def _found(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(row["sender"], row["receiver"], row["kind"]) for row in rows]


@pytest.mark.parametrize(("run", "suffix"), [("", ""), ("other", "__other")])
def test_strongest_connections(ask: Ask, graph: Graph, run: str, suffix: str) -> None:
    lift = f"attention_lift{suffix}"
    expected = sorted(graph.connections(), key=lambda e: (-e[lift], e["uid"]))[:7]
    rows = ask("strongest_connections", run=run, limit="7")
    assert _found(rows) == [_ends(edge, graph) for edge in expected]
    for row, edge in zip(rows, expected, strict=True):
        sd = edge[f"attention_lift_sd{suffix}"]
        assert (row["attention_lift"], row["attention_lift_sd"]) == (edge[lift], sd)
        assert row["lift_over_sd"] == pytest.approx((edge[lift] - 1) / sd)
        assert row["contacts"] == edge["weight"]
        senders = {e.src for e in graph.connections() if e.dst == edge.dst}
        partners = {
            e.dst for e in graph.connections() if e.src == edge.dst and e["kind"] == "electrical"
        }
        assert row["n_inputs"] == len(senders | partners)


def test_strongest_connections_name_their_synapses(ask: Ask) -> None:
    rows = ask("strongest_connections", model="cortex", limit=100)
    types = {(row["sender"], row["receiver"]): row["synapse_types"] for row in rows}
    assert types["p0", "p1"] == ["ampa"]
    assert types["i0", "i1"] == ["gap"]
    assert types["p2", "p1"] == ["custom"]
    assert {row["kind"] for row in ask("strongest_connections", kind="electrical")} == {
        "electrical"
    }


def test_directions_differ_most(ask: Ask, graph: Graph) -> None:
    def difference(edge: Edge) -> float:
        return float(edge["attention_forward_lift"] - edge["attention_backward_lift"])

    expected = sorted(graph.connections(), key=lambda e: (-abs(difference(e)), e["uid"]))[:6]
    rows = ask("direction_differences", limit=6)
    assert _found(rows) == [_ends(edge, graph) for edge in expected]
    for row, edge in zip(rows, expected, strict=True):
        assert row["difference"] == pytest.approx(difference(edge))
        spread = math.hypot(edge["attention_forward_lift_sd"], edge["attention_backward_lift_sd"])
        assert row["difference_over_sd"] == pytest.approx(difference(edge) / spread)


def test_every_value_on_connections(ask: Ask, graph: Graph) -> None:
    by_uid = {edge["uid"]: edge for edge in graph.connections()}
    rows = {row["connection_uid"]: row for row in ask("connection_attention")}
    assert set(rows) == set(by_uid)
    for uid, row in rows.items():
        edge = by_uid[uid]
        for name in row:
            if name.startswith("attention"):
                assert row[name] == edge[name]
        assert (row["sender_uid"], row["receiver_uid"]) == (edge.src, edge.dst)


def test_attention_by_mechanism(ask: Ask) -> None:
    rows = {(row["mechanism"], row["place"]): row for row in ask("attention_by_mechanism")}
    expected: dict[tuple[str, str], list[float]] = {("lif", "point"): [1.3]}
    for name, lifts in LIFTS.items():
        for index, lift in lifts.items():
            expected.setdefault((name, SECTIONS[index][0]), []).append(lift)
    assert set(rows) == set(expected)
    for key, lifts in expected.items():
        row = rows[key]
        assert (row["n_places"], row["n_instances"]) == (len(lifts), 5 * len(lifts))
        assert row["attention_lift"] == pytest.approx(sum(lifts) / len(lifts))
        assert (row["attention_lift_min"], row["attention_lift_max"]) == (min(lifts), max(lifts))


def test_attention_by_synapse_type_reads_the_section_where_there_is_one(
    ask: Ask, graph: Graph
) -> None:
    lifts: dict[str, list[float]] = {}
    at_section = {e.src: e["attention_lift"] for e in graph.of("ARRIVES_AT")}
    at_neuron = {e.src: e["attention_lift"] for e in graph.of("TARGETS")}
    for edge in graph.of("OF_TYPE"):
        if not edge.src.startswith("half"):
            lift = at_section.get(edge.src, at_neuron[edge.src])
            lifts.setdefault(graph.name(edge.dst), []).append(lift)
    rows = {row["synapse_type"]: row for row in ask("attention_by_synapse_type")}
    assert set(rows) == set(lifts)
    for name, row in rows.items():
        assert row["n_synapses"] == len(lifts[name])
        assert row["attention_lift"] == pytest.approx(sum(lifts[name]) / len(lifts[name]))


def test_cls_by_neuron(ask: Ask, graph: Graph) -> None:
    expected = sorted(graph.neurons(), key=lambda n: -graph.row(n["uid"])["cls_lift"])[:4]
    rows = ask("cls_by_neuron", limit=4)
    assert [row["neuron_uid"] for row in rows] == [n["uid"] for n in expected]
    for row in rows:
        node = graph.row(row["neuron_uid"])
        assert (row["cls_lift"], row["received_lift"]) == (node["cls_lift"], node["received_lift"])


def test_cls_by_compartment(ask: Ask) -> None:
    rows = ask("cls_by_compartment")
    assert [row["compartment"] for row in rows] == sorted(SECTIONS, reverse=True)
    assert rows[0]["cls_lift"] == 1.5
    assert rows[0]["kind"] == "axon"


def test_sections_of_one_neuron_are_its_own(ask: Ask, graph: Graph) -> None:
    (instance,) = (e for e in graph.of("INSTANCE_OF") if e.src == "cortex/p2")
    rows = ask("sections_of_neuron", neuron="p2")
    assert [row["compartment"] for row in rows] == list(SECTIONS)
    assert [row["cls_lift"] for row in rows] == instance["compartment_cls_lift"]
    assert [row["received_lift"] for row in rows] == instance["compartment_received_lift"]


def test_runs_on_the_graph(ask: Ask) -> None:
    rows = {row["name"]: row for row in ask("attention_runs")}
    assert {name: row["status"] for name, row in rows.items()} == {
        "": "current", "late": "writing", "other": "current",
    }  # fmt: skip
    assert rows[""]["models"] == ["copy", "cortex"]
    assert rows[""]["saw"] == ["synapse.weight", "neuron.area_um2"]
    assert {row["name"] for row in ask("attention_runs", model="copy")} == {"", "other"}


def test_where_two_runs_differ(ask: Ask, graph: Graph) -> None:
    def difference(edge: Edge) -> float:
        return float(edge["attention_lift"] - edge["attention_lift__other"])

    expected = sorted(graph.connections(), key=lambda e: (-abs(difference(e)), e["uid"]))[:5]
    rows = ask("run_differences", run="", other_run="other", limit=5)
    assert _found(rows) == [_ends(edge, graph) for edge in expected]
    assert [row["difference"] for row in rows] == pytest.approx([difference(e) for e in expected])
