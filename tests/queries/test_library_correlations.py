"""Correlations: the pairs against loops over the rows, the numbers against scipy."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hand_graph import AT, DENSITIES, LIFTS, SECTIONS, Ask, Graph
from scipy import stats

from bnnkg.queries import run_query
from bnnkg.store import Store

FAMILY = {"cortex": "cortex", "copy": "4242"}


def _statistics(store: Store, name: str, **parameters: Any) -> list[dict[str, Any]]:
    table = run_query(store, name, parameters).statistics
    assert table is not None
    return list(table.rows())


def _pairs(graph: Graph, x: str, y: str, kind: str = "chemical") -> dict[str, list[Any]]:
    """Values of two properties of connections by family."""
    pairs: dict[str, list[Any]] = {}
    for edge in graph.connections():
        if edge["kind"] == kind:
            pairs.setdefault(FAMILY[edge.src.split("/")[0]], []).append((edge[x], edge[y]))
    return pairs


def _vote(pairs: dict[str, list[Any]]) -> float:
    z = []
    for values in pairs.values():
        rho = float(stats.spearmanr(*zip(*values, strict=True)).statistic)
        bound = 1 - 1 / (2 * len(values))
        z.append(math.atanh(min(max(rho, -bound), bound)))
    return math.tanh(sum(z) / len(z))


def test_attention_against_contacts(ask: Ask, store: Store, graph: Graph) -> None:
    rows = ask("attention_against_contacts")
    assert len(rows) == len(graph.connections())
    found = {
        (r["receiver_uid"], r["sender"], r["kind"]): (
            r["contacts"],
            r["n_synapses"],
            r["attention_lift"],
        )
        for r in rows
    }
    assert found == {
        (e.dst, graph.name(e.src), e["kind"]): (e["weight"], e["n_synapses"], e["attention_lift"])
        for e in graph.connections()
    }
    chemical, electrical, *_ = _statistics(store, "attention_against_contacts")
    pairs = _pairs(graph, "weight", "attention_lift")
    assert (chemical["kind"], chemical["against"]) == ("chemical", "contacts")
    assert chemical["rho"] == pytest.approx(_vote(pairs))
    assert (chemical["n"], chemical["n_families"]) == (sum(map(len, pairs.values())), 2)
    assert chemical["note"].startswith("circular: the run had synapse.weight")
    assert electrical["note"].startswith("undefined: fewer than 4 rows")


def test_a_run_that_did_not_see_the_weights_is_not_circular(store: Store) -> None:
    chemical, *_ = _statistics(store, "attention_against_contacts", run="other", model="cortex")
    assert chemical["note"] == ""
    assert chemical["n_families"] == 1


def test_a_constant_number_of_synapses_is_undefined(store: Store) -> None:
    rows = _statistics(store, "attention_against_contacts", model="copy")
    (row,) = (row for row in rows if row["against"] == "n_synapses")
    assert (row["rho"], row["note"]) == (None, "undefined: n_synapses is constant")


def test_attention_against_distance(ask: Ask, store: Store, graph: Graph) -> None:
    expected: dict[tuple[str, str, str], Any] = {}
    pairs: dict[str, list[Any]] = {}
    for edge in graph.connections():
        ends = AT[graph.name(edge.src)], AT[graph.name(edge.dst)]
        if edge.src != edge.dst and None not in ends:
            distance = math.dist(*ends)  # type: ignore[arg-type]
            key = (graph.name(edge.src), graph.name(edge.dst), edge["kind"])
            expected[key] = pytest.approx(distance)
            if edge["kind"] == "chemical":
                family = FAMILY[edge.src.split("/")[0]]
                pairs.setdefault(family, []).append((distance, edge["attention_lift"]))
    rows = ask("attention_against_distance")
    assert {(r["sender"], r["receiver"], r["kind"]): r["distance_um"] for r in rows} == expected
    chemical, _ = _statistics(store, "attention_against_distance")
    assert chemical["rho"] == pytest.approx(_vote(pairs))
    assert chemical["note"] == ""
    seen, _ = _statistics(store, "attention_against_distance", run="other")
    assert "circular: the run had neuron.x_um" in seen["note"]


def test_forward_against_backward(ask: Ask, store: Store, graph: Graph) -> None:
    rows = ask("forward_against_backward")
    assert len(rows) == len(graph.connections())
    chemical, _ = _statistics(store, "forward_against_backward")
    pairs = _pairs(graph, "attention_backward_lift", "attention_forward_lift")
    assert chemical["rho"] == pytest.approx(_vote(pairs))
    assert chemical["n_agree"] == 2


def test_density_against_attention(ask: Ask, store: Store) -> None:
    rows = ask("density_against_attention")
    found = {
        (r["mechanism"], r["compartment"]): (r["gbar_S_per_cm2"], r["attention_lift"]) for r in rows
    }
    assert found == {
        (name, i): (g, LIFTS[name][i]) for name, one in DENSITIES.items() for i, g in one.items()
    }
    assert {r["family"] for r in rows} == {"4242"}
    ih, leak, na = _statistics(store, "density_against_attention")
    values = [(g, LIFTS["ih"][i]) for i, g in DENSITIES["ih"].items()]
    assert ih["rho"] == pytest.approx(stats.spearmanr(*zip(*values, strict=True)).statistic)
    assert leak["note"] == "undefined: gbar_S_per_cm2 is constant"
    assert na["note"] == "undefined: fewer than 4 rows with both values"


def test_density_against_activity(ask: Ask, store: Store) -> None:
    area = {i: 3.0 * s[2] * s[3] for i, s in SECTIONS.items()}
    rows = ask("density_against_activity")
    found = {
        (r["family"], r["mechanism"], r["feature"]): (r["gbar_mean_S_per_cm2"], r["value"])
        for r in rows
    }
    expected: dict[tuple[str, str, str], Any] = {}
    for family, rate in (("cortex", 10.0), ("4242", 11.0)):
        for name, densities in DENSITIES.items():
            mean = sum(g * area[i] for i, g in densities.items()) / sum(area.values())
            expected[family, name, "rate_Hz"] = (pytest.approx(mean), rate)
            expected[family, name, "width_ms"] = (pytest.approx(mean), 1.0)
    assert found == expected
    assert {r["feature"] for r in ask("density_against_activity", feature="rate_Hz")} == {"rate_Hz"}
    assert ask("density_against_activity", protocol="ramp") == []
    assert all(
        row["note"] == "undefined: fewer than 4 families with both values"
        for row in _statistics(store, "density_against_activity")
    )


def test_attention_against_activity(ask: Ask, store: Store, graph: Graph) -> None:
    rows = ask("attention_against_activity")
    found = {(r["neuron_uid"], r["feature"]): (r["value"], r["cls_lift"]) for r in rows}
    lift = graph.row("copy/q0")["cls_lift"]
    assert found == {
        ("copy/q0", "rate_Hz"): (11.0, lift), ("copy/q0", "width_ms"): (1.0, lift),
    }  # fmt: skip
    assert {r["feature"] for r in ask("attention_against_activity", feature="rate_Hz")} == {
        "rate_Hz"
    }
    notes = [r["note"] for r in _statistics(store, "attention_against_activity")]
    assert notes == ["undefined: fewer than 4 rows with both values"] * 4


def test_two_runs_agree(store: Store, graph: Graph) -> None:
    chemical, _ = _statistics(store, "run_agreement", run="", other_run="other")
    assert chemical["rho"] == pytest.approx(
        _vote(_pairs(graph, "attention_lift__other", "attention_lift"))
    )


def test_the_limit_is_told_where_it_may_have_cut(store: Store, graph: Graph) -> None:
    n = len(graph.connections())
    for limit, cut in ((n - 1, True), (n, True), (n + 1, False)):
        notes = [r["note"] for r in _statistics(store, "forward_against_backward", limit=limit)]
        assert all(("partial" in note) == cut for note in notes)


def test_pairs_are_not_ordered_by_what_is_correlated(ask: Ask, graph: Graph) -> None:
    """A limit must not choose the rows with the greatest attention."""
    rows = ask("attention_against_contacts")
    keys = [(r["family"], r["kind"], r["sender"], r["receiver"]) for r in rows]
    assert keys == sorted(keys)
