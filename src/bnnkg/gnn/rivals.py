"""What people would use instead of BGAN: PyTorch Geometric's own layers on the same rows and edges.

Every network here is one frame: features in as BGAN takes them, as many layers of one kind as BGAN
has blocks (each crosses a synapse: edges between neurons are there), rows out. Its width is chosen
so that it has as many parameters as BGAN has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody knows it by

from bnnkg.gnn.batching import BATCH_EDGES, UP
from bnnkg.gnn.bgan import Bgan, BganConfig, Rows
from bnnkg.gnn.pyg import GATv2Conv, GINEConv, GPSConv, HGTConv, TransformerConv
from bnnkg.gnn.sites import N_EDGE_INPUTS, Sites
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import KINDS, PLACE, RELATIONS, Kind

_N_EDGE_INPUTS = 2 * len(RELATIONS) + N_EDGE_INPUTS
_MOST_STEPS = 1000


@dataclass(frozen=True)
class Wiring:
    """All that BGAN reads but for features of rows, in the form that PyG's layers take.

    Attributes:
        edges: [2, P] rows, every edge of the batch and every edge between neurons, and its reverse.
        inputs: [P, 2 relations + 10] which relation, in which direction, then its features.
        typed: Per (source kind, relation, target kind), reverses with ``rev_``, [2, p] places
            among the rows of their kinds.
        graph: [N] number of each row's graph.
        sizes: Number of rows of each kind.
    """

    edges: Tensor
    inputs: Tensor
    typed: Mapping[tuple[str, str, str], Tensor]
    graph: Tensor
    sizes: list[int]


Layer = Callable[[int, BganConfig], nn.Module]
"""Makes one layer of a width, that turns rows [N, w] and a :class:`Wiring` into rows [N, w]."""


class Rival(nn.Module):
    """Layers of one kind, with what stands before and after them in BGAN.

    ``h = W_t [x * mask, mask] + c_t``, then the layers, then ``norm(W h)``, as wide as BGAN's rows
    are. A graph is the mean of its rows.

    Args:
        layer: Makes a layer.
        width: Numbers per row inside.
        config: Of BGAN: width of the answer, heads, dropout.
        widths: Number of features of each kind.
    """

    def __init__(
        self, layer: Layer, width: int, config: BganConfig, widths: Mapping[Kind, int]
    ) -> None:
        super().__init__()
        self.inputs = nn.ModuleDict({t: nn.Linear(2 * widths[t], width) for t in KINDS})
        self.layers = nn.ModuleList(layer(width, config) for _ in range(config.blocks))
        self.out = nn.Linear(width, config.width)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, batch: Batch, sites: Sites) -> Rows:  # noqa: ARG002 BGAN's form
        """All rows; the graphs are their means."""
        nodes = torch.cat([self._embed(batch, kind) for kind in KINDS])
        wiring = wire(batch)
        for layer in self.layers:
            nodes = layer(nodes, wiring)
        nodes = self.norm(self.out(nodes))
        flags = F.one_hot(batch.graph, batch.n_graphs).to(nodes.dtype)
        return Rows(nodes, (flags.T @ nodes) / flags.sum(0).clamp_min(1)[:, None])

    def _embed(self, batch: Batch, kind: Kind) -> Tensor:
        mask = batch.mask[kind].to(batch.x[kind].dtype)
        embedded: Tensor = self.inputs[kind](torch.cat([batch.x[kind] * mask, mask], dim=1))
        return embedded


def rival(layer: Layer, config: BganConfig, widths: Mapping[Kind, int]) -> Rival:
    """The network of these layers whose parameters are closest to BGAN's in number.

    Parameters are a polynomial of second degree in the width, which three small networks tell.
    """
    wanted = n_parameters(Bgan(config, widths))
    steps = np.array([1.0, 2.0, 3.0])
    sizes = [n_parameters(Rival(layer, int(n) * config.heads, config, widths)) for n in steps]
    curve = np.polynomial.Polynomial.fit(steps, sizes, 2)
    reached = curve(np.arange(1, _MOST_STEPS))
    nearest = 1 + int(np.abs(reached - wanted).argmin())
    return Rival(layer, nearest * config.heads, config, widths)


def n_parameters(network: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in network.parameters())


def wire(batch: Batch) -> Wiring:
    """A batch's edges, each in both directions."""
    up = torch.full((batch.up_index.shape[1],), PLACE[UP[1]], device=batch.relation.device)
    up_inputs = batch.edge_attr.new_zeros(len(up), N_EDGE_INPUTS)
    edges = torch.cat([batch.edge_index, batch.up_index], dim=1)
    inputs = torch.cat([batch.edge_attr, up_inputs if batch.up_attr is None else batch.up_attr])
    relation = torch.cat([batch.relation, up])
    places = torch.cat([relation, relation + len(RELATIONS)])
    flags = F.one_hot(places, 2 * len(RELATIONS)).to(inputs.dtype)
    return Wiring(
        torch.cat([edges, edges.flip(0)], dim=1),
        torch.cat([flags, inputs.repeat(2, 1)], dim=1),
        _by_type(batch),
        batch.graph,
        [len(batch.x[kind]) for kind in KINDS],
    )


def _by_type(batch: Batch) -> dict[tuple[str, str, str], Tensor]:
    first = {kind: batch.first_row(kind) for kind in KINDS}
    found: dict[tuple[str, str, str], Tensor] = {UP: batch.up_index}
    for number, (src, name, dst) in enumerate(batch.edge_types):
        start = torch.tensor([[first[src]], [first[dst]]])  # type: ignore[index]
        found[src, name, dst] = batch.edge_index[:, batch.edge_type == number] - start
    return found | {(d, f"rev_{name}", s): own.flip(0) for (s, name, d), own in found.items()}


class Residual(nn.Module):
    """``h + gelu(f(norm h))`` with dropout: what stands around a layer of any kind.

    Args:
        width: Numbers per row.
        dropout: Share of the layer's outputs that training leaves out.
        mix: f, of rows and a :class:`Wiring`.
    """

    def __init__(self, width: int, dropout: float, mix: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = mix
        self.dropout = nn.Dropout(dropout)

    def forward(self, nodes: Tensor, wiring: Wiring) -> Tensor:
        """[N, w] rows."""
        residual: Tensor = nodes + self.dropout(F.gelu(self.mix(self.norm(nodes), wiring)))
        return residual


class Alone(nn.Module):
    """A row from itself alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = _mlp(width)

    def forward(self, nodes: Tensor, wiring: Wiring) -> Tensor:  # noqa: ARG002 the others' form
        """[N, w] rows."""
        mixed: Tensor = self.mlp(nodes)
        return mixed


class OverEdges(nn.Module):
    """Any of PyG's convolutions that reads features of edges."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, nodes: Tensor, wiring: Wiring) -> Tensor:
        """[N, w] rows."""
        mixed: Tensor = self.convolution(nodes, wiring.edges, wiring.inputs)
        return mixed


class OverTypes(nn.Module):
    """HGT: weights of their own for each kind and relation; it reads no features of edges."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        forth = [UP, *BATCH_EDGES]
        back = [(dst, f"rev_{name}", src) for src, name, dst in forth]
        self.convolution = HGTConv(width, width, (list(KINDS), [*forth, *back]), heads)

    def forward(self, nodes: Tensor, wiring: Wiring) -> Tensor:
        """[N, w] rows."""
        split = dict(zip(KINDS, torch.split(nodes, wiring.sizes), strict=True))
        mixed = self.convolution(split, wiring.typed)
        return torch.cat([mixed[kind] for kind in KINDS])


class Gps(nn.Module):
    """GPS: GINE beside attention of every row to every row of its graph, with its own residuals.

    The attention is Performer's, whose cost is linear in the number of rows.
    """

    def __init__(self, width: int, config: BganConfig) -> None:
        super().__init__()
        gine = GINEConv(_mlp(width), edge_dim=_N_EDGE_INPUTS)
        self.layer = GPSConv(width, gine, config.heads, config.dropout, attn_type="performer")

    def forward(self, nodes: Tensor, wiring: Wiring) -> Tensor:
        """[N, w] rows; between, they stand graph by graph, as PyG wants them."""
        order = torch.argsort(wiring.graph, stable=True)
        place = torch.argsort(order)
        mixed: Tensor = self.layer(
            nodes[order], place[wiring.edges], wiring.graph[order], edge_attr=wiring.inputs
        )
        return mixed[place]


def _mlp(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))


def _alone(width: int, config: BganConfig) -> nn.Module:
    return Residual(width, config.dropout, Alone(width))


def _gine(width: int, config: BganConfig) -> nn.Module:
    convolution = GINEConv(_mlp(width), edge_dim=_N_EDGE_INPUTS)
    return Residual(width, config.dropout, OverEdges(convolution))


def _gatv2(width: int, config: BganConfig) -> nn.Module:
    own = width // config.heads
    convolution = GATv2Conv(width, own, config.heads, edge_dim=_N_EDGE_INPUTS)
    return Residual(width, config.dropout, OverEdges(convolution))


def _transformer(width: int, config: BganConfig) -> nn.Module:
    own = width // config.heads
    convolution = TransformerConv(width, own, config.heads, edge_dim=_N_EDGE_INPUTS)
    return Residual(width, config.dropout, OverEdges(convolution))


def _hgt(width: int, config: BganConfig) -> nn.Module:
    return Residual(width, config.dropout, OverTypes(width, config.heads))


LAYERS: Mapping[str, Layer] = {
    "mlp": _alone,
    "gine": _gine,
    "gatv2": _gatv2,
    "transformer": _transformer,
    "hgt": _hgt,
    "gps": Gps,
}
