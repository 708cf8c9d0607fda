"""What is written on rows and edges, position by position in plain loops."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import pytest
from small_batch import small_batch

from bnnkg.gnn.explanation import Explained, SiteAttention
from bnnkg.gnn.measures import Measured, measure
from bnnkg.gnn.sites import Site, SiteName, build_sites
from bnnkg.schema.computation import PLACE

BATCH = small_batch(n_graphs=1)
SITES = build_sites(BATCH, heads=2, hops=3)
NAMES: tuple[SiteName, ...] = ("low", "up", "down", "back", "forward", "backward", "cls")
SRC, DST = (ends.tolist() for ends in BATCH.edge_index)
PRE, POST = (ends.tolist() for ends in BATCH.up_index)
OWNER = BATCH.neuron_of.tolist()


def drawn(seed: int) -> Explained:
    """Attention that nobody computed: different numbers at every position of every site."""
    source = np.random.default_rng(seed)
    sites = {}
    for name in NAMES:
        site: Site = getattr(SITES, name)
        sites[name] = SiteAttention(site, *source.random((3, len(site.edge))))
    return Explained(sites, source.random(len(BATCH.kind)))


SEEDS = [drawn(0), drawn(1)]


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(BATCH, SITES, SEEDS)


def edges_with(*relations: str) -> list[int]:
    wanted = [PLACE[name] for name in relations]
    return [e for e, relation in enumerate(BATCH.relation.tolist()) if relation in wanted]


def edge_of(site: Site, position: int) -> int | None:
    """The edge that a position is about, by the rules of the sites."""
    edge = int(site.edge[position])
    if site.name == "back" and int(site.arc[position]):
        row = int(site.dst[position])
        own = [e for e in edges_with("part_of") if SRC[e] == row]
        own += [e for e in edges_with("sends") if DST[e] == row and SRC[e] == OWNER[row]]
        return own[0] if own else None
    if site.name in ("up", "down") and edge >= 0:
        synapse = int(BATCH.up_synapse[edge])
        wanted = ("targets", synapse, POST[edge]) if site.name == "up" else (
            "sends", PRE[edge], synapse)  # fmt: skip
        own = [e for e in edges_with(wanted[0]) if (SRC[e], DST[e]) == wanted[1:]]
        return own[0] if own else None
    return edge if edge >= 0 else None


def by_edge(name: SiteName, seed: int, what: str) -> dict[int, float]:
    """Mean over the positions of a site that are about each edge."""
    one = SEEDS[seed].sites[name]
    found: dict[int, list[float]] = {}
    for position, value in enumerate(getattr(one, what).tolist()):
        edge = edge_of(one.site, position)
        if edge is not None:
            found.setdefault(edge, []).append(value)
    return {edge: fmean(values) for edge, values in found.items()}


@pytest.mark.parametrize(
    ("measure_name", "what"),
    [("attention", "alpha"), ("attention_lift", "lift"), ("attention_score", "score")],
)
def test_an_edge_has_the_mean_of_the_sites_that_it_takes_part_in(
    measured: Measured, measure_name: str, what: str
) -> None:
    for seed in range(2):
        sites = [by_edge(name, seed, what) for name in NAMES if name != "cls"]
        own = [[site[edge] for site in sites if edge in site] for edge in range(len(SRC))]
        wanted = [fmean(values) if values else math.nan for values in own]
        assert measured.edges[measure_name][seed] == pytest.approx(wanted, nan_ok=True)
        assert sum(len(values) > 1 for values in own) > len(SRC) / 2


@pytest.mark.parametrize(
    ("measure_name", "site", "what"),
    [
        ("attention_low", "low", "alpha"), ("attention_up", "up", "alpha"),
        ("attention_down", "down", "alpha"), ("attention_forward", "forward", "alpha"),
        ("attention_backward", "backward", "alpha"), ("attention_forward_lift", "forward", "lift"),
        ("attention_backward_lift", "backward", "lift"),
    ],
)  # fmt: skip
def test_an_edge_has_the_attention_of_some_sites_alone(
    measured: Measured, measure_name: str, site: SiteName, what: str
) -> None:
    for seed in range(2):
        own = by_edge(site, seed, what)
        assert own
        wanted = [own.get(edge, math.nan) for edge in range(len(SRC))]
        assert measured.edges[measure_name][seed] == pytest.approx(wanted, nan_ok=True)


def test_an_edge_between_neurons_has_what_its_synapse_has(measured: Measured) -> None:
    for seed, one in enumerate(SEEDS):
        up, down = one.sites["up"], one.sites["down"]
        at_up, at_down = ({e: p for p, e in enumerate(s.site.edge.tolist())} for s in (up, down))
        for u, synapse in enumerate(BATCH.up_synapse.tolist()):
            found = {name: values[seed, u] for name, values in measured.synapses.items()}
            assert found["attention_up"] == up.alpha[at_up[u]]
            assert found["attention_lift"] == up.lift[at_up[u]]
            assert found["attention_down"] == down.alpha[at_down[u]]
            assert found["attention_score"] == one.rows[synapse]


def test_it_has_the_flow_over_the_synapse_on_either_side(measured: Measured) -> None:
    flow = BATCH.flow.tolist()
    for u, synapse in enumerate(BATCH.up_synapse.tolist()):
        (arrival,) = [e for e in edges_with("targets", "arrives")
                      if flow[e] and SRC[e] == synapse and OWNER[DST[e]] == POST[u]]  # fmt: skip
        (departure,) = [e for e in edges_with("sends", "leaves")
                        if flow[e] and DST[e] == synapse and OWNER[SRC[e]] == PRE[u]]  # fmt: skip
        for name, edge in (("forward", arrival), ("backward", departure)):
            for end in ("", "_lift"):
                measure_name = f"attention_{name}{end}"
                found = measured.synapses[measure_name][:, u]
                assert (found == measured.edges[measure_name][:, edge]).all()
                assert np.isfinite(found).all()


def test_receivers_choose_between_their_inputs_and_themselves(measured: Measured) -> None:
    assert measured.n_sources.tolist() == [1 + POST.count(post) for post in POST]


def test_a_row_has_its_share_of_the_token_and_what_it_receives(measured: Measured) -> None:
    for seed, one in enumerate(SEEDS):
        token = one.sites["cls"]
        assert measured.rows["attention_score"][seed].tolist() == one.rows.tolist()
        received: dict[int, list[float]] = {}
        for site in (one.sites["forward"], one.sites["up"]):
            for p, row in enumerate(site.site.src.tolist()):
                if int(site.site.arc[p]):
                    received.setdefault(row, []).append(site.lift[p])
        for p, row in enumerate(token.site.src.tolist()):
            assert measured.rows["cls_attention"][seed, row] == token.alpha[p]
            assert measured.rows["cls_lift"][seed, row] == token.lift[p]
            wanted = fmean(received[row]) if row in received else math.nan
            found = measured.rows["received_lift"][seed, row]
            assert found == pytest.approx(wanted, nan_ok=True)
        assert 0 < len(received) < len(BATCH.kind)
