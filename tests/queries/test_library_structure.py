"""Structure: paths, profiles, motifs, degrees and balance against loops over the rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hand_graph import CORTEX, SECTIONS, Ask, Edge, Graph

SIGNS = {"ampa": 1, "gaba": -1, "custom": None}
GBASE = {"ampa": 0.5, "gaba": 2.0, "custom": None}


def _chemical(graph: Graph, model: str = "") -> list[Edge]:
    return [e for e in graph.connections() if e["kind"] != "electrical" and e.src.startswith(model)]


@pytest.mark.parametrize("start", list(SECTIONS))
def test_path_to_the_soma(ask: Ask, start: int) -> None:
    expected = [start]
    while SECTIONS[expected[-1]][1] is not None:
        expected.append(SECTIONS[expected[-1]][1])  # type: ignore[arg-type]
    rows = ask("path_to_soma", cell="pyramidal", compartment=start)
    assert [row["compartment"] for row in rows] == expected
    assert [row["step"] for row in rows] == list(range(len(expected)))
    assert [row["path_distance_um"] for row in rows] == [SECTIONS[i][4] for i in expected]
    assert rows[-1]["kind"] == "soma"


def test_path_of_an_unknown_cell_is_empty(ask: Ask) -> None:
    assert ask("path_to_soma", cell="nobody", compartment=0) == []


def test_input_profile_of_a_neuron(ask: Ask) -> None:
    expected: dict[tuple[str, float], list[tuple[str, float]]] = {}
    for _, post, type_, weight, section, fraction in CORTEX:
        if post == "p1":
            kind, _, length, _, path, _ = SECTIONS[section]
            start = (path + (fraction - 0.5) * length) // 40.0 * 40.0
            expected.setdefault((kind, start), []).append((type_, weight))
    rows = ask("input_profile", neuron="p1", bin_um="40")
    assert {(row["kind"], row["from_um"]) for row in rows} == set(expected)
    for row in rows:
        arriving = expected[row["kind"], row["from_um"]]
        assert row["to_um"] == row["from_um"] + 40
        assert row["n_synapses"] == len(arriving)
        assert row["n_excitatory"] == sum(SIGNS[t] == 1 for t, _ in arriving)
        assert row["n_inhibitory"] == sum(SIGNS[t] == -1 for t, _ in arriving)
        assert row["weight"] == sum(w for _, w in arriving)


def test_reciprocal_pairs_stand_once(ask: Ask, graph: Graph) -> None:
    weights = {(e.src, e.dst): e for e in _chemical(graph)}
    expected = {(a, b) for a, b in weights if (b, a) in weights and a < b}
    rows = ask("reciprocal_pairs")
    assert {(row["first_uid"], row["second_uid"]) for row in rows} == expected
    for row in rows:
        there = weights[row["first_uid"], row["second_uid"]]
        back = weights[row["second_uid"], row["first_uid"]]
        assert (row["n_there"], row["n_back"]) == (there["n_synapses"], back["n_synapses"])
        assert (row["weight_there"], row["weight_back"]) == (there["weight"], back["weight"])
        assert row["gap_junction"] is False


def test_feed_forward_triangles_from_a_neuron(ask: Ask, graph: Graph) -> None:
    weight = {
        (graph.name(e.src), graph.name(e.dst)): e["weight"] for e in _chemical(graph, "cortex")
    }
    names = {name for pair in weight for name in pair}
    for start in ("p0", "p1"):
        expected = {
            (b, c, weight[start, c], weight[start, b], weight[b, c])
            for b in names
            for c in names
            if len({start, b, c}) == 3 and {(start, b), (b, c), (start, c)} <= set(weight)
        }
        rows = ask("feed_forward_triangles", neuron=start)
        assert expected
        assert {
            (r["relay"], r["target"], r["weight_direct"], r["weight_first"], r["weight_second"])
            for r in rows
        } == expected
        assert len(rows) == len(expected)


def test_convergence_and_divergence(ask: Ask, graph: Graph) -> None:
    rows = {row["neuron_uid"]: row for row in ask("convergence")}
    assert set(rows) == {neuron["uid"] for neuron in graph.neurons()}
    arriving = Counter(e.dst for e in _chemical(graph))
    leaving = Counter(e.src for e in _chemical(graph))
    for uid, row in rows.items():
        assert (row["n_senders"], row["n_receivers"]) == (arriving[uid], leaving[uid])
        synapses_in = sum(e["n_synapses"] for e in _chemical(graph) if e.dst == uid)
        synapses_out = sum(e["n_synapses"] for e in _chemical(graph) if e.src == uid)
        assert (row["n_synapses_in"], row["n_synapses_out"]) == (synapses_in, synapses_out)
    gap_partners = {
        row["neuron"]: row["n_gap_partners"] for row in ask("convergence", model="cortex")
    }
    assert gap_partners == {"p0": 0, "p1": 0, "p2": 0, "i0": 1, "i1": 1}


def test_balance_of_excitation_and_inhibition(ask: Ask) -> None:
    rows = {row["neuron"]: row for row in ask("excitation_inhibition", model="cortex")}
    assert set(rows) == {post for _, post, *_ in CORTEX}
    for neuron, row in rows.items():
        arriving = [(t, w) for _, post, t, w, *_ in CORTEX if post == neuron]
        excites = [w * GBASE[t] for t, w in arriving if SIGNS[t] == 1]  # type: ignore[operator]
        inhibits = [w * GBASE[t] for t, w in arriving if SIGNS[t] == -1]  # type: ignore[operator]
        assert (row["n_excitatory"], row["n_inhibitory"]) == (len(excites), len(inhibits))
        assert row["n_unsigned"] == sum(SIGNS[t] is None for t, _ in arriving)
        assert (row["excitatory_nS"], row["inhibitory_nS"]) == (sum(excites), sum(inhibits))
        n = len(excites) + len(inhibits)
        assert row["balance"] == pytest.approx((len(excites) - len(inhibits)) / n)
        conductance = (sum(excites) - sum(inhibits)) / (sum(excites) + sum(inhibits))
        assert row["balance_conductance"] == pytest.approx(conductance)


def test_a_gap_junction_listed_twice_stands_once(ask: Ask) -> None:
    rows = ask("gap_junctions")
    found: dict[Any, Any] = {
        (row["first"], row["second"]): (
            row["n_junctions"], row["n_listed"], row["weight"], pytest.approx(row["conductance_nS"])
        ) for row in rows
    }  # fmt: skip
    assert found == {("i0", "i1"): (1, 2, 2.0, 0.2), ("i1", "i1"): (1, 1, 1.0, 0.1)}
    assert [row["second"] for row in ask("gap_junctions", neuron="i0")] == ["i1"]
