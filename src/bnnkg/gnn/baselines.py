"""What BGAN must be better than: the same decoder on simpler rows, and rules without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from bnnkg.gnn.bgan import Rows
from bnnkg.gnn.questions import Connections
from bnnkg.gnn.sites import Sites
from bnnkg.gnn.tensors import Batch


class NeuronMlp(nn.Module):
    """Neurons from their own features alone, the degrees of what may be seen among them.

    Args:
        n_features: Number of features of a neuron.
        width: Numbers per row.
        dropout: Share of hidden numbers that training leaves out.
    """

    def __init__(self, n_features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * n_features, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.LayerNorm(width),
        )

    def forward(self, batch: Batch, sites: Sites) -> Rows:  # noqa: ARG002 BGAN's form
        """Neuron rows; the graphs are their means."""
        nodes = self.layers(neuron_inputs(batch))
        return Rows(nodes, _graph_means(nodes, batch))


class MeanAggregation(nn.Module):
    """GraphSAGE with means (Hamilton et al., NeurIPS 2017) over neurons, both ways.

    ``h_i = gelu(W h_i + W_in mean_{j to i} h_j + W_out mean_{i to j} h_j)``, twice; an edge per
    synapse.

    Args:
        n_features: Number of features of a neuron.
        width: Numbers per row.
        dropout: Share of hidden numbers that training leaves out.
    """

    def __init__(self, n_features: int, width: int, dropout: float) -> None:
        super().__init__()
        sizes = (2 * n_features, width)
        self.own = nn.ModuleList(nn.Linear(n, width) for n in sizes)
        self.incoming = nn.ModuleList(nn.Linear(n, width, bias=False) for n in sizes)
        self.outgoing = nn.ModuleList(nn.Linear(n, width, bias=False) for n in sizes)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, batch: Batch, sites: Sites) -> Rows:  # noqa: ARG002 BGAN's form
        """Neuron rows; the graphs are their means."""
        nodes = neuron_inputs(batch)
        to_post = _mean_matrix(batch.up_index, len(nodes))
        to_pre = _mean_matrix(batch.up_index.flip(0), len(nodes))
        for own, incoming, outgoing in zip(self.own, self.incoming, self.outgoing, strict=True):
            mixed = own(nodes) + incoming(to_post @ nodes) + outgoing(to_pre @ nodes)
            nodes = self.dropout(nn.functional.gelu(mixed))
        nodes = self.norm(nodes)
        return Rows(nodes, _graph_means(nodes, batch))


def neuron_inputs(batch: Batch) -> Tensor:
    """[M, 2 F] features of neurons and whether they are known, as BGAN reads them."""
    mask = batch.mask["neuron"].to(batch.x["neuron"].dtype)
    return torch.cat([batch.x["neuron"] * mask, mask], dim=1)


def degree_score(batch: Batch, asked: Connections) -> Tensor:
    """[P] log(1 + synapses that i sends) + log(1 + synapses that j gets), of those to be seen."""
    n = len(batch.x["neuron"])
    pre, post = batch.up_index
    sent, got = torch.bincount(pre, minlength=n), torch.bincount(post, minlength=n)
    return torch.log1p(sent[asked.pairs[0]].double()) + torch.log1p(got[asked.pairs[1]].double())


def twin_score(batch: Batch, asked: Connections) -> Tensor:
    """[P] whether the nearest twin of i sends to j, plus whether i sends to the twin of j.

    A neuron's nearest twin is that with the most similar partners (cosine over the connections
    that may be seen, both ways).
    """
    n = len(batch.x["neuron"])
    pre, post = (ends.numpy() for ends in batch.up_index)
    linked = sparse.csr_array((np.ones(len(pre)), (pre, post)), shape=(n, n)).sign()
    profile = sparse.csr_array(sparse.hstack([linked, linked.T]))
    length = np.sqrt(profile.multiply(profile).sum(axis=1))
    unit = sparse.diags_array(1 / np.maximum(length, 1.0)) @ profile
    likeness = sparse.csr_array(unit @ unit.T) - sparse.eye_array(n, format="csr") * 2
    twin = np.asarray(likeness.argmax(axis=1))
    i, j = asked.pairs.numpy().copy()
    return torch.from_numpy(linked[twin[i], j] + linked[i, twin[j]])


TRAINED: Mapping[str, Callable[[int, int, float], nn.Module]] = {
    "mlp_with_training_degrees": NeuronMlp,
    "mean_aggregation": MeanAggregation,
}
RULES: Mapping[str, Callable[[Batch, Connections], Tensor]] = {
    "degree_alone": degree_score,
    "nearest_twin": twin_score,
}


def _mean_matrix(index: Tensor, n: int) -> Tensor:
    """[n, n] sparse: row j holds the shares of j's sources."""
    share = 1.0 / torch.bincount(index[1], minlength=n).clamp_min(1).float()
    return torch.sparse_coo_tensor(
        index.flip(0), share[index[1]], (n, n), check_invariants=False
    ).coalesce()


def _graph_means(nodes: Tensor, batch: Batch) -> Tensor:
    graph = batch.graph[: len(nodes)]
    flags = nn.functional.one_hot(graph, batch.n_graphs).to(nodes.dtype)
    return (flags.T @ nodes) / flags.sum(0).clamp_min(1)[:, None]
