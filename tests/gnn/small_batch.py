"""A random batch that fits on a page: neurons of five sections and two mechanisms, two graphs."""

from __future__ import annotations

import torch
from torch import Tensor

from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import KINDS, PLACE, Kind

WIDTHS: dict[Kind, int] = {
    "neuron": 4, "soma": 3, "dendrite": 3, "axon": 3, "synapse": 2, "mechanism": 2,
}  # fmt: skip
_PARTS: dict[Kind, int] = {"soma": 1, "dendrite": 3, "axon": 1, "mechanism": 2}


def small_batch(
    n_neurons: int = 6, n_synapses: int = 14, *, n_graphs: int = 2, seed: int = 0
) -> Batch:
    """Neuron i belongs to graph i % n_graphs ... after sorting; synapse 0 is electrical."""
    random = torch.Generator().manual_seed(seed)
    graph_of_neuron = torch.arange(n_neurons) * n_graphs // n_neurons
    counts: dict[Kind, int] = {
        "neuron": n_neurons, "synapse": n_synapses,
        **{kind: n * n_neurons for kind, n in _PARTS.items()},
    }  # fmt: skip
    first, total = {}, 0
    for kind in KINDS:
        first[kind], total = total, total + counts[kind]
    pre, post = _ends(graph_of_neuron, n_synapses, random)
    neuron_of = _owners(n_neurons, pre)
    edges: list[tuple[str, bool, Tensor, Tensor]] = _edges(n_neurons, first, pre, post)
    n_edges = sum(len(src) for _, _, src, _ in edges)
    synapse = first["synapse"] + torch.arange(n_synapses)
    return Batch(
        x={k: torch.randn(counts[k], WIDTHS[k], generator=random) for k in KINDS},
        mask={k: torch.rand(counts[k], WIDTHS[k], generator=random) > 0.2 for k in KINDS},
        kind=torch.cat([torch.full((counts[k],), i) for i, k in enumerate(KINDS)]),
        neuron_of=neuron_of,
        graph=graph_of_neuron[neuron_of],
        n_graphs=n_graphs,
        edge_index=torch.stack(
            [torch.cat([e[2] for e in edges]), torch.cat([e[3] for e in edges])]
        ),
        flow=torch.cat([torch.full((len(e[2]),), e[1]) for e in edges]),
        relation=torch.cat([torch.full((len(e[2]),), PLACE[e[0]]) for e in edges]),
        edge_attr=torch.randn(n_edges, 10, generator=random),
        edge_type=torch.zeros(n_edges, dtype=torch.long),
        edge_row=torch.arange(n_edges),
        edge_types=(("neuron", "any", "neuron"),),
        up_index=torch.stack([torch.cat([pre, post[:1]]), torch.cat([post, pre[:1]])]),
        up_synapse=torch.cat([synapse, synapse[:1]]),
        up_attr=torch.randn(n_synapses + 1, 10, generator=random),
        up_row=torch.arange(n_synapses + 1),
    )


def _ends(graph: Tensor, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    pre = torch.randint(0, len(graph), (n,), generator=random).sort().values
    post = torch.stack(
        [
            (inside := (graph == graph[i]).nonzero().squeeze(1))[
                torch.randint(0, len(inside), (), generator=random)
            ]
            for i in pre
        ]
    )
    return pre, post


def _owners(n_neurons: int, pre: Tensor) -> Tensor:
    neurons = torch.arange(n_neurons)
    rows = {k: neurons.repeat_interleave(n) for k, n in _PARTS.items()}
    return torch.cat(
        [neurons, rows["soma"], rows["dendrite"], rows["axon"], pre, rows["mechanism"]]
    )


def _edges(
    n_neurons: int, first: dict[Kind, int], pre: Tensor, post: Tensor
) -> list[tuple[str, bool, Tensor, Tensor]]:
    """Soma with a chain of two dendrites and one more, and an axon; synapses axon to dendrite."""
    neurons = torch.arange(n_neurons)
    soma, axon = first["soma"] + neurons, first["axon"] + neurons
    near, far, other = (first["dendrite"] + 3 * neurons + i for i in range(3))
    channel, pump = (first["mechanism"] + 2 * neurons + i for i in range(2))
    synapse = first["synapse"] + torch.arange(len(pre))
    return [
        (
            "conducts",
            True,
            torch.cat([near, far, other, soma]),
            torch.cat([soma, near, soma, axon]),
        ),
        ("part_of", True, soma, neurons),
        ("part_of", False, torch.cat([near, far, other, axon, channel, pump]), neurons.repeat(6)),
        ("acts_on", True, torch.cat([channel, channel, pump]), torch.cat([soma, far, near])),
        ("sends", False, pre, synapse),
        ("leaves", True, axon[pre], synapse),
        ("arrives", True, synapse, far[post]),
        ("targets", False, synapse, post),
        ("leaves", True, far[post[:1]], synapse[:1]),
        ("arrives", True, synapse[:1], axon[pre[:1]]),
    ]
