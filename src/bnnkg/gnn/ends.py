"""On which edges the attention is written that follows no edge of the batch itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.sites import Site
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import PLACE


@dataclass(frozen=True)
class Ends:
    """Where the sites that have no edge of the batch of their own are written.

    -1 where there is no such edge.

    Attributes:
        back: [N] the edge that joins a component to its neuron.
        up: [U] the edge from the synapse to the neuron that receives, and in ``up`` attends.
        down: [U] the edge to the synapse from the neuron that sends, and in ``down`` attends.
        arrival: [U] the flow edge by which the synapse reaches that neuron or its section.
        departure: [U] the flow edge by which the attended neuron reaches the synapse.
    """

    back: Ints
    up: Ints
    down: Ints
    arrival: Ints
    departure: Ints

    @classmethod
    def of(cls, batch: Batch) -> Ends:
        """The edges of a batch."""
        relation, flow = batch.relation, batch.flow
        src, dst = batch.edge_index
        at_synapse = (
            [PLACE[n] for n in ("sends", "leaves")],
            [PLACE[n] for n in ("targets", "arrives")],
        )
        leaving, reaching = (torch.isin(relation, torch.tensor(r)) for r in at_synapse)
        owner = batch.neuron_of
        pre, post = batch.up_index
        synapse = batch.up_synapse
        n = len(batch.kind)
        return cls(
            _own_edges(batch),
            _find(relation == PLACE["targets"], src * n + dst, synapse * n + post),
            _find(relation == PLACE["sends"], dst * n + src, synapse * n + pre),
            _find(flow & reaching, src * n + owner[dst], synapse * n + post),
            _find(flow & leaving, dst * n + owner[src], synapse * n + pre),
        )

    def edges_of(self, site: Site) -> Ints:
        """[P] the edge of the batch that each position of a site is written on."""
        edge: Ints = site.edge.numpy()
        if site.name == "back":
            return np.where(site.arc.numpy() != 0, self.back[site.dst.numpy()], -1)
        if site.name in ("up", "down"):
            edge = np.append(self.up if site.name == "up" else self.down, -1)[edge]
        return edge


def _own_edges(batch: Batch) -> Ints:
    """[N] first edge that joins each component to its own neuron."""
    src, dst = batch.edge_index
    part_of = batch.relation == PLACE["part_of"]
    sends = (batch.relation == PLACE["sends"]) & (batch.neuron_of[dst] == src)
    own = np.full(len(batch.kind), -1)
    for chosen, component in ((part_of, src), (sends, dst)):
        edges = chosen.nonzero().flatten().flip(0).numpy()  # of several, the last one set stays
        own[component.numpy()[edges]] = edges
    return own


def _find(chosen: Tensor, codes: Tensor, wanted: Tensor) -> Ints:
    """First chosen edge with each wanted code; -1 where there is none."""
    at = chosen.nonzero().flatten().numpy()
    if not len(at):
        return np.full(len(wanted), -1)
    own, target = codes.numpy()[at], wanted.numpy()
    order = np.argsort(own, kind="stable")
    place = np.minimum(np.searchsorted(own[order], target), len(own) - 1)
    found: Ints = np.where(own[order][place] == target, at[order][place], -1)
    return found
