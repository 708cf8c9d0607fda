"""Graphs too large to learn from at once, a part of their neurons at a time.

A slice has *core* neurons, of which alone anything is asked, and a halo: all neurons that send to
the core or are sent to by it, and those that a question about the core names. All of them come with
their sections and mechanisms, and with every synapse between two of them. Features are those of the
whole graph.

Where a slice ends: a neuron of the halo does not see what it is joined to outside. The first
block of BGAN is the whole graph's for core neurons with sections of their own; later ones, and
[CLS], which reads the slice, are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.questions import Connections, Features, Labels, Question
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.tensors import Batch, Ledger
from bnnkg.schema.computation import COMPARTMENT_KINDS, KINDS, Kind

ROWS_PER_SLICE = 150_000
"""Rows that one machine learns from at once."""


@dataclass(frozen=True)
class Asking:
    """A question whose sites are not planned.

    Attributes:
        batch: What may be seen.
        connections: Asked of pairs of neurons.
        features: Asked of rows whose features are hidden.
        labels: Asked of neurons, mechanisms or hidden connections.
    """

    batch: Batch
    connections: Connections | None = None
    features: tuple[Features, ...] = ()
    labels: Labels | None = None

    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return self.connections is None and self.labels is None and not self.features


def n_slices(batch: Batch) -> int:
    """In how many parts a batch is learned from."""
    return max(1, -(-len(batch.kind) // ROWS_PER_SLICE))


def slice_question(whole: Asking, number: int, of: int, network: BganConfig) -> Question | None:
    """What is asked about one part of the neurons, in a batch that ends at their halo.

    Args:
        whole: What is asked about the whole batch.
        number: Of the part.
        of: How many there are.
        network: Shape of the network that the sites are planned for.

    Returns:
        The question; nothing where none is asked of these neurons. Every answer belongs to one
        part: a connection and a synapse to that of their target, all else to that of its neuron.
    """
    batch = whole.batch
    n_neurons = len(batch.x["neuron"])
    core = torch.arange(n_neurons) * of // n_neurons == number
    connections = _of_targets(whole.connections, core)
    features = [own for f in whole.features if (own := _of_rows(f, batch, core)) is not None]
    labels = _of_subjects(whole.labels, batch, core)
    if connections is None and labels is None and not features:
        return None
    pairs = [c.pairs for c in (connections,) if c is not None]
    pairs += [own.rows for own in (labels,) if own is not None and own.rows.ndim > 1]
    keep = _kept_rows(batch, _with_halo(batch, core, pairs))
    row = torch.cumsum(keep, 0) - 1
    part = select_rows(batch, keep)
    return Question(
        part,
        build_sites(part, heads=network.heads, hops=network.hops),
        None if connections is None else replace(connections, pairs=row[connections.pairs]),
        tuple(_moved(f, batch, part, row) for f in features),
        None if labels is None else replace(labels, rows=_places(labels, batch, part, row)),
    )


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


def _with_halo(batch: Batch, core: Tensor, pairs: Sequence[Tensor]) -> Tensor:
    """[M] True for core neurons, all that a synapse joins to them, and those asked about."""
    inside = core.clone()
    pre, post = batch.up_index
    inside[pre[core[post]]] = True
    inside[post[core[pre]]] = True
    for ends in pairs:
        inside[ends.flatten()] = True
    return inside


def _kept_rows(batch: Batch, inside: Tensor) -> Tensor:
    """[N] True for rows of these neurons, and of synapses only for those between two of them."""
    keep = inside[batch.neuron_of]
    both = torch.zeros(len(batch.kind), dtype=torch.bool)
    both[batch.up_synapse] = inside[batch.up_index].all(dim=0)
    own = _of_kind(batch, "synapse")
    keep[own] = both[own]
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


def _of_targets(connections: Connections | None, core: Tensor) -> Connections | None:
    if connections is None:
        return None
    own = core[connections.pairs[1]]
    if not own.any():
        return None
    units: Ints = connections.units[own.numpy()]
    return Connections(connections.pairs[:, own], connections.exists[own], units)


def _of_subjects(labels: Labels | None, batch: Batch, core: Tensor) -> Labels | None:
    """Those of the core; a connection is its target's."""
    if labels is None:
        return None
    if labels.rows.ndim > 1:
        own = core[labels.rows[1]]
    else:
        own = core[batch.neuron_of[labels.rows + batch.first_row(labels.kind)]]
    if not own.any():
        return None
    return replace(
        labels, rows=labels.rows[..., own], classes=labels.classes[own],
        units=labels.units[own.numpy()],
    )  # fmt: skip


def _of_rows(features: Features, batch: Batch, core: Tensor) -> Features | None:
    """Those of the core's rows; a synapse is its presynaptic neuron's."""
    own = core[batch.neuron_of[features.rows + batch.first_row(features.kind)]]
    if features.kind == "synapse":
        own = core[_targets(batch)[features.rows]]
    if not own.any():
        return None
    return Features(
        features.kind, features.rows[own], features.columns[own], features.values[own],
        features.units[own.numpy()],
    )  # fmt: skip


def _targets(batch: Batch) -> Tensor:
    """[synapses] the neuron that each one arrives at."""
    assert batch.ledger is not None
    return batch.ledger.post


def _moved(features: Features, batch: Batch, part: Batch, row: Tensor) -> Features:
    return replace(features, rows=_places(features, batch, part, row))


def _places(asked: Features | Labels, batch: Batch, part: Batch, row: Tensor) -> Tensor:
    """Where what is asked for stands among the part's rows of its kind."""
    return row[asked.rows + batch.first_row(asked.kind)] - part.first_row(asked.kind)
