"""BGAN with a part taken out: what the part is worth.

What is taken out passes its rows on as they are, so that the network itself knows nothing of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from bnnkg.gnn.bgan import Bgan, BganConfig, Rows
from bnnkg.gnn.sites import Sites
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.computation import COMPARTMENT_KINDS, Kind, edge_types


class _Nothing(nn.Module):
    """Rows as they are."""

    def forward(self, nodes: Tensor, *_: object) -> Tensor:
        return nodes


class _NoUp(nn.Module):
    """Neurons as they are."""

    def forward(self, nodes: Tensor, context: object, *_: object) -> Tensor:
        sites: Sites = context.sites  # type: ignore[attr-defined]
        return nodes[: sites.up.plan.n_dst]


class _NoToken(nn.Module):
    """Tokens as they are: the same for every graph."""

    def forward(self, nodes: Tensor, graphs: Tensor, *_: object) -> Tensor:  # noqa: ARG002
        return graphs


class OneMask(Bgan):
    """All heads of BMSA along the flow, none against it."""

    def forward(self, batch: Batch, sites: Sites, *, explain: bool = False) -> Rows:
        """Runs the network on a batch."""
        return super().forward(batch, replace(sites, backward=sites.forward), explain=explain)


def without_nsa(config: BganConfig, widths: Mapping[Kind, int]) -> Bgan:
    """No attention within neurons, none between them, no pass back."""
    network = Bgan(config, widths)
    for block in network.blocks:
        block.low, block.up, block.back = _Nothing(), _NoUp(), _Nothing()
    return network


def without_bmsa(config: BganConfig, widths: Mapping[Kind, int]) -> Bgan:
    """No attention along the flow or against it."""
    network = Bgan(config, widths)
    for block in network.blocks:
        block.bmsa = _Nothing()
    return network


def without_cls(config: BganConfig, widths: Mapping[Kind, int]) -> Bgan:
    """A token that reads nothing."""
    network = Bgan(config, widths)
    for block in network.blocks:
        block.cls = _NoToken()
    return network


def shuffle_hierarchy(tensors: GraphTensors, seed: int) -> GraphTensors:
    """Gives each neuron's sections and mechanisms to another neuron.

    Connections stay, and so does what is within a neuron's parts. Keys and origins still say whose
    they were.

    Args:
        tensors: A model.
        seed: Of who gets whose.
    """
    generator = torch.Generator().manual_seed(seed)
    other = torch.randperm(len(tensors.keys["neuron"]), generator=generator)
    data = tensors.data.copy()
    for kind in (*COMPARTMENT_KINDS, "mechanism"):
        data[kind].neuron = other[data[kind].neuron]
    for triple in edge_types():
        _, name, dst = triple
        if dst == "neuron" and name in ("part_of", "acts_on"):
            pre, post = data[triple].edge_index
            data[triple].edge_index = torch.stack([pre, other[post]])
    return replace(tensors, data=data)
