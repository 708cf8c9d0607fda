"""The attention operation beside PyG's way of writing it and beside the traffic it cannot avoid.

    python benchmarks/attention.py [nodes]

Forward and backward in single precision, 4 heads of 16, on one thread, in CPU seconds, best of
several alternating runs; compilation is not counted. Two graphs of the same size: a circuit whose
rows see themselves and their predecessors in the flow of signals, and one with random ends, which
no cache can help. The floor is 11 d numbers a node and 97 bytes an edge, at the bandwidth of a
large copy in the same run. Last, the cost of an edge as the circuit grows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch_geometric.utils import softmax

from bnnkg.gnn import portable
from bnnkg.gnn.attention import edge_attention
from bnnkg.gnn.plans import Plan, plan_edges

HEADS, WIDTH = 4, 16
N_SECTIONS, N_AXON, N_SYNAPSES, N_MECHANISMS = 50, 10, 10, 5
ROWS_PER_NEURON = 1 + N_SECTIONS + N_SYNAPSES + N_MECHANISMS
N_RUNS = 7
Operands = tuple[Tensor, Tensor, Tensor, Tensor]


def main() -> None:
    torch.set_num_threads(1)
    n_nodes = int(sys.argv[1]) if len(sys.argv) == 2 else 100_000
    bandwidth = copy_bandwidth()
    print(f"copy: {bandwidth / 1e9:.1f} GB/s")
    for name, (src, dst, n) in {"circuit": circuit(n_nodes), "random": scattered(n_nodes)}.items():
        plan = plan_edges(src, dst, n, n, HEADS)
        ways = {
            "ours": edge_attention,
            "ours, torch": portable_attention,
            "PyG-style": pyg_attention,
        }
        seconds = measure(ways, plan)
        floor = (11 * HEADS * WIDTH * 4 * n + 97 * len(src)) / bandwidth
        print(f"\n{name}: {n:,} nodes, {len(src):,} edges; floor {floor * 1e3:.1f} ms")
        for way, own in seconds.items():
            print(
                f"  {way:12} {own * 1e3:7.1f} ms  {own / seconds['PyG-style']:.3f} of PyG-style"
                f"  {own / floor:5.2f} floors"
            )
    print("\nedges         ns per edge")
    for n in (50_000, 500_000, 5_000_000):
        src, dst, n_rows = circuit(n)
        plan = plan_edges(src, dst, n_rows, n_rows, HEADS)
        own = measure({"ours": edge_attention}, plan, n_runs=3)["ours"]
        print(f"{len(src):>11,}  {own / len(src) * 1e9:7.1f}")


def circuit(n_nodes: int) -> tuple[Tensor, Tensor, int]:
    """Self and flow edges of neurons with sections, synapses and mechanisms, kind by kind."""
    random = np.random.default_rng(0)
    m = n_nodes // ROWS_PER_NEURON
    neuron = np.arange(m)[:, None]
    section = m + neuron * N_SECTIONS + np.arange(N_SECTIONS)
    synapse = m * (1 + N_SECTIONS) + neuron * N_SYNAPSES + np.arange(N_SYNAPSES)
    mechanism = m * (ROWS_PER_NEURON - N_MECHANISMS) + neuron * N_MECHANISMS
    mechanism = mechanism + np.arange(N_MECHANISMS)
    parent = np.maximum(
        np.arange(1, N_SECTIONS) - 1 - random.integers(0, 8, (m, N_SECTIONS - 1)), 0
    )
    child, parent = section[:, 1:], np.take_along_axis(section, parent, 1)
    axonal = np.arange(1, N_SECTIONS) <= N_AXON
    sender = section[
        random.integers(0, m, synapse.shape), random.integers(1, 1 + N_AXON, synapse.shape)
    ]
    receiver = section[neuron, random.integers(1 + N_AXON, N_SECTIONS, synapse.shape)]
    place = section[neuron, random.integers(0, N_SECTIONS, mechanism.shape)]
    n = m * ROWS_PER_NEURON
    src = (np.where(axonal, parent, child), sender, synapse, mechanism, np.arange(n))
    dst = (np.where(axonal, child, parent), synapse, receiver, place, np.arange(n))
    flat = [
        torch.from_numpy(np.concatenate([part.ravel() for part in ends])) for ends in (src, dst)
    ]
    return flat[0], flat[1], n


def scattered(n_nodes: int) -> tuple[Tensor, Tensor, int]:
    """As many edges between random ends."""
    n_edges = round(2.12 * n_nodes)
    src, dst = torch.randint(n_nodes, (2, n_edges), generator=torch.Generator().manual_seed(0))
    return src, dst, n_nodes


def pyg_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan
) -> tuple[Tensor, Tensor]:
    """Gather, softmax and scatter, as PyG's ``TransformerConv`` does."""
    logits = (q[plan.dst] * k[plan.src]).sum(-1) / WIDTH**0.5 + bias
    alpha = softmax(logits, plan.dst, num_nodes=plan.n_dst)
    out = q.new_zeros(plan.n_dst, HEADS, WIDTH)
    return out.index_add_(0, plan.dst, v[plan.src] * alpha.unsqueeze(-1)), alpha


def portable_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor, plan: Plan
) -> tuple[Tensor, Tensor]:
    """Ours without compiled code."""
    out, alpha = PortableAttention.apply(q, k, v, bias, plan)
    return out, alpha


class PortableAttention(torch.autograd.Function):
    """The torch path, which the CPU does not take by itself."""

    @staticmethod
    def forward(ctx, q, k, v, bias, plan):  # type: ignore[no-untyped-def]
        """As ``edge_attention`` does it."""
        out, alpha = portable.forward(q, k, v, bias, plan)
        ctx.save_for_backward(q, k, v, alpha)
        ctx.plan = plan
        return out, alpha

    @staticmethod
    def backward(ctx, grad_out, grad_alpha):  # type: ignore[no-untyped-def]
        """Gradients of the four operands."""
        return (*portable.backward(grad_out, grad_alpha, *ctx.saved_tensors, ctx.plan), None)


def operands(plan: Plan) -> Operands:
    random = torch.Generator().manual_seed(0)
    rows = [torch.randn(plan.n_dst, HEADS, WIDTH, generator=random) for _ in range(3)]
    rows.append(torch.randn(len(plan.src), HEADS, generator=random))
    return tuple(values.requires_grad_() for values in rows)  # type: ignore[return-value]


def measure(
    ways: dict[str, Callable[..., tuple[Tensor, Tensor]]], plan: Plan, n_runs: int = N_RUNS
) -> dict[str, float]:
    """Least CPU seconds of each way, forward and backward, all of them taking turns."""
    values = operands(plan)
    grad = torch.randn(plan.n_dst, HEADS, WIDTH, generator=torch.Generator().manual_seed(1))
    best = dict.fromkeys(ways, float("inf"))
    for run in range(n_runs + 1):
        for name, way in ways.items():
            for value in values:
                value.grad = None
            started = time.process_time()
            out, _ = way(*values, plan)
            out.backward(grad)
            if run:  # the first one compiles, and makes what a plan keeps
                best[name] = min(best[name], time.process_time() - started)
    return best


def copy_bandwidth() -> float:
    """Bytes read and written in a second by a copy of 256 MB."""
    source, target = torch.ones(64_000_000), torch.ones(64_000_000)
    best = float("inf")
    for _ in range(N_RUNS):
        started = time.process_time()
        target.copy_(source)
        best = min(best, time.process_time() - started)
    return 2 * source.nbytes / best


if __name__ == "__main__":
    main()
