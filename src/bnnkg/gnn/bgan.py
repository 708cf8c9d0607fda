"""The bio-inspired graph attention network (BGAN), from input features to the rows it returns.

From the paper (arXiv 2410.11503): node kinds neuron, soma, dendrite, axon and synapse;
*neuron-level structural attention* (NSA), which attends first among a neuron's components (GAN_low)
and then among neurons (GAN_up); *bidirectional masked self-attention* (BMSA) along the flow of
signals (Mask A) and against it (Mask B); a [CLS] token that reads the graph. The paper gives no
equations: those below, the mechanism kind, the pass back to the components, the hops and the edge
bias are ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody knows it by

from bnnkg.gnn.attention import edge_attention
from bnnkg.gnn.sites import (
    BACKWARD,
    DOWN,
    FORWARD,
    LOW,
    N_EDGE_INPUTS,
    UP,
    Arc,
    Site,
    SiteName,
    Sites,
    edge_inputs,
)
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import KINDS, Kind


@dataclass(frozen=True)
class BganConfig:
    """Shape of the network.

    Attributes:
        width: Numbers per row, d.
        heads: Attention heads, H; even, and a divisor of the width.
        blocks: Blocks, each of which crosses one synapse.
        hops: How far up the flow inside its neuron a row sees in Mask A.
        dropout: Share of a sublayer's outputs that training leaves out.
    """

    width: int = 64
    heads: int = 4
    blocks: int = 2
    hops: int = 2
    dropout: float = 0.0


@dataclass(frozen=True)
class Attended:
    """Exact attention of one site in one block.

    Attributes:
        site: Its edges: position p of ``alpha`` is position p of the site.
        block: Number of the block.
        alpha: [P, heads of the site] weights, before any dropout; 1 in sum per target and head.
        values: [source rows, heads, D] what was attended to, and
        out: [target rows, heads, D] what came of it: with ``out.grad``, the loss' sensitivity to
            alpha. Both are empty for ``back``, and where no gradient will come: they are the most
            of what a pass over a large graph holds. For ``cls`` a source row is a row of the batch.
    """

    site: Site
    block: int
    alpha: Tensor
    values: Tensor = field(default_factory=lambda: torch.empty(0))
    out: Tensor = field(default_factory=lambda: torch.empty(0))


@dataclass(frozen=True)
class Rows:
    """What the network makes of a batch.

    Attributes:
        nodes: [N, d] one vector per row of the batch.
        graphs: [G, d] [CLS], one vector per graph.
        attention: All sites of all blocks, where it was asked for.
    """

    nodes: Tensor
    graphs: Tensor
    attention: tuple[Attended, ...] = ()


class Bgan(nn.Module):
    """Features in, rows out.

    A node of kind t starts as ``W_t [x * mask, mask] + c_t``: what is unknown or hidden is told
    apart from 0. Then follow the blocks, and a last normalisation.

    Args:
        config: Shape.
        widths: Number of features of each kind.
    """

    def __init__(self, config: BganConfig, widths: Mapping[Kind, int]) -> None:
        super().__init__()
        self.config = config
        self.inputs = nn.ModuleDict({t: nn.Linear(2 * widths[t], config.width) for t in KINDS})
        self.cls = nn.Parameter(torch.zeros(config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, batch: Batch, sites: Sites, *, explain: bool = False) -> Rows:
        """Runs the network on a batch.

        Args:
            batch: Graphs.
            sites: Their attention sites.
            explain: Whether to return the attention.
        """
        nodes = torch.cat([self.embed(batch, kind) for kind in KINDS]).to(self.cls.dtype)
        graphs = self.cls.expand(batch.n_graphs, -1)
        context = _Context(batch, sites, _bias_inputs(batch, sites), [] if explain else None)
        for number, block in enumerate(self.blocks):
            nodes, graphs = block(nodes, graphs, context, number)
        return Rows(self.norm(nodes), self.norm(graphs), tuple(context.record or ()))

    def embed(self, batch: Batch, kind: Kind) -> Tensor:
        """[n, d] first vectors of one kind's rows."""
        mask = batch.mask[kind].to(batch.x[kind].dtype)
        embedded: Tensor = self.inputs[kind](torch.cat([batch.x[kind] * mask, mask], dim=1))
        return embedded


@dataclass(frozen=True)
class _Context:
    """What all blocks share in one run of the network."""

    batch: Batch
    sites: Sites
    inputs: Mapping[SiteName, Tensor]
    record: list[Attended] | None

    def keep(self, attended: Attended) -> None:
        if self.record is None:
            return
        if attended.out.requires_grad:
            attended.out.retain_grad()
            self.record.append(attended)
        else:
            self.record.append(Attended(attended.site, attended.block, attended.alpha))


def _bias_inputs(batch: Batch, sites: Sites) -> dict[SiteName, Tensor]:
    """Per site [P, arcs + 10]: what the biases of its edges are linear in."""
    biased = (sites.low, sites.up, sites.down, sites.forward, sites.backward)
    return {site.name: edge_inputs(site, batch) for site in biased}


class Block(nn.Module):
    """NSA (low, up, back), BMSA with [CLS], feed-forward: pre-norm, residual.

    GAN_low, each direction of GAN_up and each mask of BMSA is a :class:`SiteBias` and one call of
    :func:`edge_attention`.
    """

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.low = LowAttention(config)
        self.up = UpAttention(config)
        self.back = PassBack(config)
        self.bmsa = MaskedAttention(config)
        self.cls = GraphAttention(config)
        self.feed_forward = FeedForward(config)

    def forward(
        self, nodes: Tensor, graphs: Tensor, context: _Context, number: int
    ) -> tuple[Tensor, Tensor]:
        """Rows and tokens after this block."""
        nodes = self.low(nodes, context, number)
        neurons = self.up(nodes, context, number)
        nodes = self.back(nodes, neurons, context, number)
        with torch.autocast(nodes.device.type, enabled=False):  # its softmax is over every row
            graphs = self.cls(nodes, graphs, context, number)
        nodes = self.bmsa(nodes, context, number)
        return self.feed_forward(nodes), self.feed_forward(graphs)


class SiteBias(nn.Module):
    """``b[arc(ij)] + w . f_ij``: what a site adds to the logit of an edge, per head.

    The kind of edge stands as flags before the edge's features, so this is one matrix product
    (and its gradient another: no scatter).
    """

    def __init__(self, arcs: tuple[Arc, ...], heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(heads, len(arcs) + N_EDGE_INPUTS))

    def forward(self, site: Site, context: _Context, extra: Tensor | None = None) -> Tensor:
        """[P, H] bias."""
        bias = F.linear(context.inputs[site.name], self.weight)
        return bias if extra is None else bias + extra


class LowAttention(nn.Module):
    """NSA, GAN_low: sections attend to their neighbours in the tree, to their mechanisms and to
    themselves; a neuron attends to its sections, its mechanisms and itself.

    Synapses take no part: they lie between neurons.
    """  # noqa: D205

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.bias = SiteBias(LOW, config.heads)
        self.out = Output(config)

    def forward(self, nodes: Tensor, context: _Context, number: int) -> Tensor:
        """[N, d] rows, of which neurons and sections have changed."""
        site = context.sites.low
        n_targets = site.plan.n_dst
        read = nodes.index_select(0, context.sites.low_rows)
        q, k, v = self.qkv(self.norm(read)).unflatten(-1, (3, self.heads, -1)).unbind(1)
        out, alpha = edge_attention(q[:n_targets], k, v, self.bias(site, context), site.plan)
        context.keep(Attended(site, number, alpha, v, out))
        return torch.cat([nodes[:n_targets] + self.out(out), nodes[n_targets:]])


class UpAttention(nn.Module):
    """NSA, GAN_up: half of the heads attend from neurons to their presynaptic neurons, half to
    their postsynaptic ones; an edge per synapse, and self. Separate softmaxes, one projection.

    The logit of an edge gains ``w . norm(h_synapse)``, the state of the synapse that it stands
    for: two synapses between the same neurons need not weigh the same.
    """  # noqa: D205

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.heads, self.n_up = config.heads, config.heads // 2
        self.norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.up_bias = SiteBias(UP, self.n_up)
        self.down_bias = SiteBias(DOWN, self.heads - self.n_up)
        self.synapse = nn.Linear(config.width, config.heads, bias=False)
        self.out = Output(config)

    def forward(self, nodes: Tensor, context: _Context, number: int) -> Tensor:
        """[M, d] neurons."""
        neurons = nodes[: context.sites.up.plan.n_dst]
        qkv = self.qkv(self.norm(neurons)).unflatten(-1, (3, self.heads, -1))
        states = self.synapse_states(nodes, context)
        outs = []
        for site, bias, heads in (
            (context.sites.up, self.up_bias, slice(self.n_up)),
            (context.sites.down, self.down_bias, slice(self.n_up, None)),
        ):
            q, k, v = qkv[:, :, heads].unbind(1)
            of_synapse = _at_synapses(states[:, heads], site, context.batch)
            out, alpha = edge_attention(q, k, v, bias(site, context, of_synapse), site.plan)
            context.keep(Attended(site, number, alpha, v, out))
            outs.append(out)
        residual: Tensor = neurons + self.out(torch.cat(outs, dim=1))
        return residual

    def synapse_states(self, nodes: Tensor, context: _Context) -> Tensor:
        """[S, H] what each synapse adds to the logits of its edges."""
        first, end = context.batch.first_row("synapse"), context.batch.first_row("mechanism")
        states: Tensor = self.synapse(self.norm(nodes[first:end]))
        return states


def _at_synapses(states: Tensor, site: Site, batch: Batch) -> Tensor:
    """[P, heads] of each edge between neurons, the state of its synapse; 0 on self edges."""
    if not len(states):
        return states.new_zeros(len(site.edge), states.shape[1])
    synapse = batch.up_synapse.index_select(0, site.edge.clamp_min(0)) - batch.first_row("synapse")
    bias: Tensor = states.index_select(0, synapse) * (site.edge >= 0)[:, None]
    return bias


class PassBack(nn.Module):
    """From each neuron back to its components: attention over {self, own neuron}.

    With two sources the softmax is a logistic function of the difference of their logits, each of
    which is linear here: ``alpha_own = 1 / (1 + exp(w_s . x_i - w_n . u))``. What a component
    takes from itself is already in its residual.
    """

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.width)
        self.own = nn.Linear(config.width, config.heads)
        self.neuron = nn.Linear(config.width, config.heads, bias=False)
        self.value = nn.Linear(config.width, config.width)
        self.out = Output(config)

    def forward(self, nodes: Tensor, neurons: Tensor, context: _Context, number: int) -> Tensor:
        """[N, d] rows with the new neurons in place and the components changed."""
        parts, own = nodes[len(neurons) :], context.batch.neuron_of[len(neurons) :]
        read = self.norm(neurons)
        logit = self.neuron(read).index_select(0, own) - self.own(self.norm(parts))
        alpha = torch.sigmoid(logit.to(nodes.dtype))
        both = torch.stack([alpha, 1 - alpha], dim=1).flatten(0, 1)
        context.keep(Attended(context.sites.back, number, both))
        value = self.value(read).unflatten(-1, (self.heads, -1)).index_select(0, own)
        return torch.cat([neurons, parts + self.out(alpha.unsqueeze(-1) * value)])


class MaskedAttention(nn.Module):
    """BMSA: half of the heads along the flow (Mask A), half against it (Mask B).

    In Mask A a row sees itself, its flow predecessors, and its ancestors inside the neuron up to
    ``hops``; Mask B is the transpose. Separate softmaxes, one projection.
    """

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.heads, self.n_forward = config.heads, config.heads // 2
        self.norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.forward_bias = SiteBias(FORWARD, self.n_forward)
        self.backward_bias = SiteBias(BACKWARD, self.heads - self.n_forward)
        self.out = Output(config)

    def forward(self, nodes: Tensor, context: _Context, number: int) -> Tensor:
        """[N, d] rows."""
        qkv = self.qkv(self.norm(nodes)).unflatten(-1, (3, self.heads, -1))
        outs = []
        for site, bias, part in (
            (context.sites.forward, self.forward_bias, qkv[:, :, : self.n_forward]),
            (context.sites.backward, self.backward_bias, qkv[:, :, self.n_forward :]),
        ):
            q, k, v = part.unbind(1)
            out, alpha = edge_attention(q, k, v, bias(site, context), site.plan)
            context.keep(Attended(site, number, alpha, v, out))
            outs.append(out)
        residual: Tensor = nodes + self.out(torch.cat(outs, dim=1))
        return residual


class GraphAttention(nn.Module):
    """[CLS] reads every row of its graph in a softmax of its own; nobody reads it.

    ``q . (W_k x_j) = (W_k^T q) . x_j`` and ``sum_j alpha_j W_v x_j = W_v sum_j alpha_j x_j``: with
    one query per graph no row needs a key or a value of its own.
    """

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.width)
        self.query = nn.Linear(config.width, config.width)
        self.key = nn.Linear(config.width, config.width, bias=False)
        self.value = nn.Linear(config.width, config.width, bias=False)
        self.out = Output(config)

    def forward(self, nodes: Tensor, graphs: Tensor, context: _Context, number: int) -> Tensor:
        """[G, d] tokens."""
        site = context.sites.cls
        read = self.norm(nodes).index_select(0, site.src)
        query = self.query(self.norm(graphs)).unflatten(-1, (self.heads, -1))
        key = self.key.weight.view(self.heads, -1, nodes.shape[1])
        folded = torch.einsum("ghe,hed->ghd", query, key) / math.sqrt(query.shape[-1])
        sizes = torch.diff(site.plan.offsets).tolist()
        seen, alphas = [], []
        for own, rows in zip(folded, read.split(sizes), strict=True):
            alpha = torch.softmax(rows @ own.T, dim=0)
            seen.append(alpha.T @ rows)
            alphas.append(alpha)
        value = self.value.weight.view(self.heads, -1, nodes.shape[1])
        out = torch.einsum("ghd,hed->ghe", torch.stack(seen), value)
        if context.record is not None:
            values = self.value(self.norm(nodes)).unflatten(-1, (self.heads, -1))
            context.keep(Attended(site, number, torch.cat(alphas), values, out))
        residual: Tensor = graphs + self.out(out)
        return residual


class Output(nn.Module):
    """Heads side by side, projected, with dropout.

    The weights are half of a layer's at first, so that a block starts as little, but not 0: what
    takes two sites in a row to reach an answer would then start where neither has a gradient.
    """

    GAIN = 0.5

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.project = nn.Linear(config.width, config.width)
        nn.init.zeros_(self.project.bias)
        with torch.no_grad():
            self.project.weight.mul_(self.GAIN)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, heads: Tensor) -> Tensor:
        """[n, d] from [n, H, D]."""
        projected: Tensor = self.dropout(self.project(heads.flatten(1)))
        return projected


class FeedForward(nn.Module):
    """``h + W_2 gelu(W_1 norm(h))``, twice as wide inside."""

    def __init__(self, config: BganConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.inner = nn.Linear(config.width, 2 * config.width)
        self.outer = nn.Linear(2 * config.width, config.width)
        nn.init.zeros_(self.outer.weight)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, rows: Tensor) -> Tensor:
        """[n, d] rows."""
        residual: Tensor = rows + self.dropout(self.outer(F.gelu(self.inner(self.norm(rows)))))
        return residual
