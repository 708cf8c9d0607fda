from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_batch import WIDTHS, small_batch
from torch import Tensor

from bnnkg.gnn.bgan import Attended, Bgan, BganConfig
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import KINDS

CONFIG = BganConfig(width=16, heads=4, blocks=2, dropout=0.0)
SITES = ("low", "up", "down", "back", "cls", "forward", "backward")


def network(seed: int = 0, blocks: int = 2) -> Bgan:
    torch.manual_seed(seed)
    model = Bgan(replace(CONFIG, blocks=blocks), WIDTHS)
    for name, parameter in model.named_parameters():
        if "norm" not in name:  # what is 0 at first would hide everything else
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def run(model: Bgan, batch: Batch):  # type: ignore[no-untyped-def]
    with torch.no_grad():
        sites = build_sites(batch, heads=4, hops=2)
        return model(batch, sites, explain=True)


def edges_of(batch: Batch, attended: Attended) -> dict[tuple[int, int, int, int], Tensor]:
    """Weights by (source row, target row, kind of edge, repetition)."""
    found: dict[tuple[int, int, int, int], Tensor] = {}
    site = attended.site
    keys = zip(site.src.tolist(), site.dst.tolist(), site.arc.tolist(), strict=True)
    for position, key in enumerate(keys):
        repetition = sum(k[:3] == key for k in found)
        found[*key, repetition] = attended.alpha[position]
    return found


def test_attention_sums_to_one_per_target_and_head_at_every_site() -> None:
    attention = run(network(), small_batch()).attention
    assert [(a.block, a.site.name) for a in attention] == [(b, s) for b in (0, 1) for s in SITES]
    for attended in attention:
        n_targets, heads = attended.site.plan.n_dst, attended.alpha.shape[1]
        sums = torch.zeros(n_targets, heads).index_add_(0, attended.site.plan.dst, attended.alpha)
        present = torch.bincount(attended.site.plan.dst, minlength=n_targets) > 0
        assert (sums[present] - 1).abs().max() < 1e-5
        halves = ("up", "down", "forward", "backward")
        assert heads == (2 if attended.site.name in halves else 4)


def test_who_attends_to_whom_in_one_neuron() -> None:
    """One neuron (0): soma 1, dendrites 2 (near), 3 (far), 4, axon 5, channel 6, pump 7."""
    batch = small_batch(1, 1, n_graphs=1)
    batch = replace(
        batch,
        **_without_synapses(batch),
    )
    sites = build_sites(batch, heads=4, hops=2)
    low = set(zip(sites.low.dst.tolist(), sites.low.src.tolist(), strict=True))
    assert low == {
        *((i, i) for i in range(6)),
        (1, 2), (2, 1), (2, 3), (3, 2), (1, 4), (4, 1), (5, 1), (1, 5),
        *((0, i) for i in range(1, 8)),
        (1, 6), (3, 6), (2, 7),
    }  # fmt: skip
    forward = set(zip(sites.forward.dst.tolist(), sites.forward.src.tolist(), strict=True))
    direct = {(1, 2), (2, 3), (1, 4), (5, 1), (0, 1), (1, 6), (3, 6), (2, 7)}
    two_hops = {(1, 3), (1, 7), (2, 6), (5, 2), (5, 4), (5, 6), (0, 2), (0, 4), (0, 6)}
    assert forward == {*((i, i) for i in range(8)), *direct, *two_hops}
    backward = set(zip(sites.backward.src.tolist(), sites.backward.dst.tolist(), strict=True))
    assert backward == forward


def _without_synapses(batch: Batch) -> dict[str, object]:
    keep = (batch.kind != KINDS.index("synapse"))[batch.edge_index].all(0)
    drop = batch.kind != KINDS.index("synapse")
    row = torch.cumsum(drop, 0) - 1
    return {
        "x": {**batch.x, "synapse": batch.x["synapse"][:0]},
        "mask": {**batch.mask, "synapse": batch.mask["synapse"][:0]},
        "kind": batch.kind[drop], "neuron_of": batch.neuron_of[drop], "graph": batch.graph[drop],
        "edge_index": row[batch.edge_index[:, keep]], "flow": batch.flow[keep],
        "relation": batch.relation[keep], "edge_attr": batch.edge_attr[keep],
        "up_index": batch.up_index[:, :0], "up_synapse": batch.up_synapse[:0],
    }  # fmt: skip


def test_no_hop_passes_through_a_synapse() -> None:
    batch = small_batch()
    site = build_sites(batch, heads=4, hops=3).forward
    hops = site.arc == site.arcs.index(("hop", False))
    ends = torch.stack([site.src, site.dst])[:, hops]
    assert ends.shape[1] > 0
    assert (batch.kind[ends] != KINDS.index("synapse")).all()
    assert torch.equal(*batch.neuron_of[ends])


def test_a_network_without_synapses_runs() -> None:
    batch = small_batch(2, 1, n_graphs=1)
    rows = run(network(), replace(batch, **_without_synapses(batch)))
    assert torch.isfinite(rows.nodes).all()


def test_permuting_neurons_permutes_rows_and_attention() -> None:
    batch = small_batch(n_graphs=1)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    rows = torch.cat(
        [
            batch.first_row(kind) + _permuted(batch, kind, order)
            for kind in KINDS
        ]
    )  # fmt: skip
    new_row = torch.empty_like(rows)
    new_row[rows] = torch.arange(len(rows))
    permuted = replace(
        batch,
        x={k: v[_permuted(batch, k, order)] for k, v in batch.x.items()},
        mask={k: v[_permuted(batch, k, order)] for k, v in batch.mask.items()},
        neuron_of=new_row[batch.neuron_of][rows],
        edge_index=new_row[batch.edge_index],
        up_index=new_row[batch.up_index],
        up_synapse=new_row[batch.up_synapse],
    )
    model = network()
    before, after = run(model, batch), run(model, permuted)
    torch.testing.assert_close(after.nodes, before.nodes[rows], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(after.graphs, before.graphs, atol=1e-5, rtol=1e-4)
    for a, b in zip(before.attention, after.attention, strict=True):
        _same_attention(batch, a, b, new_row)


def _permuted(batch: Batch, kind: str, order: Tensor) -> Tensor:
    n = len(batch.x[kind])  # type: ignore[index]
    if kind == "synapse":
        return torch.arange(n).flip(0)
    each = n // len(order)
    return (order[:, None] * each + torch.arange(each)).flatten()


def _same_attention(batch: Batch, a: Attended, b: Attended, new_row: Tensor) -> None:
    """Edge by edge; parallel edges between the same rows are compared in order of weight."""
    sums = []
    for attended, rows in ((a, new_row), (b, torch.arange(len(new_row)))):
        site = attended.site
        dst = site.dst if site.name == "cls" else rows[site.dst]
        code = (dst * len(rows) + rows[site.src]) * len(site.arcs) + site.arc
        total = torch.zeros(int(code.max()) + 1, attended.alpha.shape[1], dtype=torch.float64)
        sums.append(total.index_add_(0, code, attended.alpha.double()))
    torch.testing.assert_close(sums[0], sums[1], atol=1e-5, rtol=1e-4)


def test_nobody_reads_the_graph_token() -> None:
    batch, model = small_batch(), network()
    before = run(model, batch)
    with torch.no_grad():
        model.cls.add_(torch.randn(16, generator=torch.Generator().manual_seed(1)))
    after = run(model, batch)
    assert torch.equal(before.nodes, after.nodes)
    assert not torch.allclose(before.graphs, after.graphs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_token_reads_every_kind_of_its_own_graph_only(kind: str) -> None:
    batch, model = small_batch(), network()
    before = run(model, batch)
    x = batch.x[kind].clone()  # type: ignore[index]
    rows = batch.first_row(kind) + torch.arange(len(x))  # type: ignore[arg-type]
    x[batch.graph[rows] == 1] += 3.0
    after = run(model, replace(batch, x={**batch.x, kind: x}))
    assert torch.equal(before.graphs[0], after.graphs[0])
    assert not torch.equal(before.graphs[1], after.graphs[1])


def test_one_block_crosses_one_synapse() -> None:
    """Whoever is two synapses away from a changed neuron cannot know after one block."""
    model = network(blocks=1)
    batch = small_batch(4, 3, n_graphs=1)
    chain = torch.tensor([[0, 1, 2], [1, 2, 3]])
    batch = replace(batch, **_chain(batch, chain))
    before = run(model, batch).nodes
    x = batch.x["neuron"].clone()
    x[0] += 3.0
    mask = {**batch.mask, "neuron": torch.ones_like(batch.mask["neuron"])}
    after = run(model, replace(batch, x={**batch.x, "neuron": x}, mask=mask)).nodes
    base = run(model, replace(batch, mask=mask)).nodes
    assert not torch.equal(base[1], after[1])
    assert torch.equal(base[2], after[2])
    assert before.shape == after.shape


def _chain(batch: Batch, chain: Tensor) -> dict[str, object]:
    fresh = small_batch(4, 3, n_graphs=1)
    edges, first = fresh.edge_index.clone(), fresh.first_row
    between = (fresh.kind[edges] == KINDS.index("synapse")).any(0)
    synapse = first("synapse") + torch.arange(3)
    axon, far = first("axon") + chain[0], first("dendrite") + 3 * chain[1] + 1
    new = torch.stack([torch.cat([axon, synapse]), torch.cat([synapse, far])])
    keep = ~between
    from bnnkg.schema.computation import PLACE

    relation = torch.tensor([PLACE["leaves"]] * 3 + [PLACE["arrives"]] * 3)
    return {
        "edge_index": torch.cat([edges[:, keep], new], 1),
        "flow": torch.cat([fresh.flow[keep], torch.ones(6, dtype=torch.bool)]),
        "relation": torch.cat([fresh.relation[keep], relation]),
        "edge_attr": torch.cat([fresh.edge_attr[keep], torch.zeros(6, 10)]),
        "neuron_of": torch.cat(
            [fresh.neuron_of[: first("synapse")], chain[0], fresh.neuron_of[first("mechanism") :]]
        ),
        "up_index": chain,
        "up_synapse": synapse,
        "up_attr": torch.zeros(3, 10),
    }


def test_two_networks_of_one_seed_learn_the_same_bits() -> None:
    results = []
    for _ in range(2):
        model = network(3).train()
        batch = small_batch()
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
        sites = build_sites(batch, heads=4, hops=2)
        for _ in range(3):
            rows = model(batch, sites)
            optimiser.zero_grad()
            (rows.nodes.square().mean() + rows.graphs.sum()).backward()
            optimiser.step()
        results.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*results)
