"""Graphs too large to learn from at once, a part of their neurons at a time.

A slice has *core* neurons, of which alone anything is asked, and a halo: all neurons that send to
the core or are sent to by it, and those that a question about the core names. All of them come
with their sections and mechanisms, and with every synapse that joins a core neuron. Features are
those of the whole graph.

Where a slice ends: a neuron of the halo does not see what it is joined to but the core. The first
block of BGAN is the whole graph's for core neurons with sections of their own; later ones, and
[CLS], which reads the slice, are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bnnkg.gnn.material import Material
from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.questions import Connections, Labels
from bnnkg.gnn.tensors import Batch, Ledger
from bnnkg.schema.computation import COMPARTMENT_KINDS, KINDS, Kind

ROWS_PER_SLICE = 150_000
"""Rows of core neurons, with the synapses that they send, that are learned from at once."""
_NO_PART = -1


def n_slices(batch: Batch) -> int:
    """In how many parts a batch is learned from."""
    return max(1, -(-len(batch.kind) // ROWS_PER_SLICE))


@dataclass(frozen=True)
class Slice:
    """Some neurons of a batch with their surroundings, and what of it may be asked here.

    Every answer belongs to one slice: a connection and a synapse to that of their target, all else
    to that of its neuron.

    Attributes:
        whole: What it is a slice of.
        core: [M] True for neurons of the whole that something is asked about.
        keep: [N] True for rows of the whole that are in the slice.
        batch: The rows that are kept, and the edges between them.
    """

    whole: Batch
    core: Tensor
    keep: Tensor
    batch: Batch

    def connections(self, asked: Connections | None) -> Connections | None:
        """Those whose target is in the core; nothing where there are none."""
        if asked is None:
            return None
        own = self.core[asked.pairs[1]]
        if not own.any():
            return None
        units: Ints = asked.units[own.numpy()]
        return Connections(self._row()[asked.pairs[:, own]], asked.exists[own], units)

    def labels(self, asked: Labels | None) -> Labels | None:
        """Those of the core; a connection's is its target's."""
        if asked is None:
            return None
        at = asked.rows + self.whole.first_row(asked.kind)
        own = self.core[self.whole.neuron_of[at if at.ndim == 1 else at[1]]]
        if not own.any():
            return None
        rows = self._row()[at[..., own]] - self.batch.first_row(asked.kind)
        return replace(asked, rows=rows, classes=asked.classes[own], units=asked.units[own.numpy()])

    def material(self, row_part: Tensor, row_unit: Ints, material: Material) -> Material:
        """What features of these rows may be asked for: those of the core.

        Args:
            row_part: [N] part of each row of the whole.
            row_unit: [N] what rows' features are held out together.
            material: What the whole was made from.
        """
        part = torch.where(self._is_asked_here(), row_part, _NO_PART)[self.keep]
        group = material.group[self.keep[: len(material.group)]]
        units: Ints = row_unit[self.keep.numpy()]
        return replace(material, batch=self.batch, group=group, row_part=part, row_unit=units)

    def _row(self) -> Tensor:
        return torch.cumsum(self.keep, 0) - 1

    def _is_asked_here(self) -> Tensor:
        """[N] rows of core neurons; a synapse is its postsynaptic neuron's."""
        own = self.core[self.whole.neuron_of]
        if self.whole.ledger is not None:
            own[_of_kind(self.whole, "synapse")] = self.core[self.whole.ledger.post]
        return own


def cut_slice(whole: Batch, number: int, of: int, asked: Connections | None = None) -> Slice:
    """One part of the neurons, in a batch that ends at their halo.

    Args:
        whole: What may be seen.
        number: Of the part.
        of: How many there are.
        asked: Connections that are asked for: both neurons of those with their target in the core
            are in the slice. Labels of connections are asked of some of them.
    """
    n_neurons = len(whole.x["neuron"])
    core = torch.arange(n_neurons) * of // max(1, n_neurons) == number
    keep = _kept_rows(whole, core, _with_halo(whole, core, asked))
    return Slice(whole, core, keep, select_rows(whole, keep))


def select_rows(batch: Batch, keep: Tensor) -> Batch:
    """The batch of some of its rows and of the edges between them.

    Args:
        batch: Any.
        keep: [N] True for rows that stay; with a row stays its neuron, and with a synapse stay
            both of its neurons.
    """
    row = torch.cumsum(keep, 0) - 1
    edge, up = keep[batch.edge_index].all(dim=0), keep[batch.up_synapse]
    own = {kind: keep[_of_kind(batch, kind)] for kind in KINDS}
    return replace(
        batch,
        x={kind: x[own[kind]] for kind, x in batch.x.items()},
        mask={kind: mask[own[kind]] for kind, mask in batch.mask.items()},
        shared={kind: shared[own[kind]] for kind, shared in batch.shared.items()},
        kind=batch.kind[keep],
        neuron_of=row[batch.neuron_of[keep]],
        graph=batch.graph[keep],
        edge_index=row[batch.edge_index[:, edge]],
        flow=batch.flow[edge],
        relation=batch.relation[edge],
        edge_attr=batch.edge_attr[edge],
        edge_type=batch.edge_type[edge],
        edge_row=batch.edge_row[edge],
        up_index=row[batch.up_index[:, up]],
        up_synapse=row[batch.up_synapse[up]],
        up_attr=None if batch.up_attr is None else batch.up_attr[up],
        up_row=None if batch.up_row is None else batch.up_row[up],
        ledger=None if batch.ledger is None else _select(batch.ledger, batch, keep, row),
    )


def _of_kind(batch: Batch, kind: Kind) -> slice:
    first = batch.first_row(kind)
    return slice(first, first + len(batch.x[kind]))


def _with_halo(batch: Batch, core: Tensor, asked: Connections | None) -> Tensor:
    """[M] True for core neurons, all that a synapse joins to them, and those asked about."""
    inside = core.clone()
    pre, post = batch.up_index
    inside[pre[core[post]]] = True
    inside[post[core[pre]]] = True
    if asked is not None:
        inside[asked.pairs[0, core[asked.pairs[1]]]] = True
    return inside


def _kept_rows(batch: Batch, core: Tensor, inside: Tensor) -> Tensor:
    """[N] True for rows of these neurons, and of synapses only for those that join the core.

    A synapse between two neurons of the halo would be read in the second block at the soonest; in a
    network without locality there are as many of them as in the whole.
    """
    keep = inside[batch.neuron_of]
    joins = torch.zeros(len(batch.kind), dtype=torch.bool)
    joins[batch.up_synapse] = core[batch.up_index].any(dim=0)
    own = _of_kind(batch, "synapse")
    keep[own] = joins[own]
    return keep


def _select(ledger: Ledger, batch: Batch, keep: Tensor, row: Tensor) -> Ledger:
    own = keep[_of_kind(batch, "synapse")]
    first = batch.first_row(COMPARTMENT_KINDS[0])
    sections = keep[first : batch.first_row("synapse")]
    place = torch.cat(
        [torch.where(sections, torch.cumsum(sections, 0) - 1, -1), torch.tensor([-1])]
    )
    return Ledger(
        ledger.kind[own], ledger.weight[own], ledger.share[own],
        row[ledger.pre[own]], row[ledger.post[own]],
        place[ledger.pre_section[own]], place[ledger.post_section[own]],
        ledger.contacts,
    )  # fmt: skip
