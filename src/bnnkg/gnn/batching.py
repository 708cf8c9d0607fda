"""Whole graphs side by side, flat and scaled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bnnkg.errors import TrainingError
from bnnkg.gnn.features import COLUMNS
from bnnkg.gnn.scaling import Scaling
from bnnkg.gnn.tensors import Batch, GraphTensors, Ledger
from bnnkg.schema.computation import COMPARTMENT_KINDS, KINDS, PLACE, Kind, edge_types

UP = ("neuron", "presynaptic_to", "neuron")
BATCH_EDGES = tuple(triple for triple in edge_types() if triple != UP)


@dataclass(frozen=True)
class _Offsets:
    """Where each graph's rows of each kind start in the batch."""

    start: dict[tuple[Kind, int], int]
    n_rows: int

    @classmethod
    def of(cls, graphs: Sequence[GraphTensors]) -> _Offsets:
        start, at = {}, 0
        for kind in KINDS:
            for number, graph in enumerate(graphs):
                start[kind, number] = at
                at += graph.data[kind].x.shape[0]
        return cls(start, at)


def collate(graphs: Sequence[GraphTensors], scaling: Scaling) -> Batch:
    """Puts whole graphs side by side.

    Args:
        graphs: One or more models, built alike.
        scaling: Fitted on training models.

    Raises:
        TrainingError: No graph, or one that was built by other rules than the scaling knows.
    """
    _check(graphs, scaling)
    offsets = _Offsets.of(graphs)
    per_kind = {kind: [graph.data[kind] for graph in graphs] for kind in KINDS}
    mask = {kind: torch.cat([s.mask for s in stores]) for kind, stores in per_kind.items()}
    x = {
        kind: scaling.nodes(kind, torch.cat([s.x for s in stores]), mask[kind])
        for kind, stores in per_kind.items()
    }
    sizes = [(k, g, per_kind[k][g].x.shape[0]) for k in KINDS for g in range(len(graphs))]
    edges = [_edges(graphs, triple, offsets, scaling) for triple in BATCH_EDGES]
    attr, row, relation, flow, index, type_ = (
        torch.cat(parts, dim=-1) for parts in _columns(edges)
    )
    up_index, up_attr, up_row, up_synapse = _up(graphs, offsets, scaling)
    return Batch(
        x=x,
        mask=mask,
        kind=torch.cat([torch.full((n,), KINDS.index(k)) for k, _, n in sizes]),
        neuron_of=torch.cat(
            [per_kind[k][g].neuron + offsets.start["neuron", g] for k, g, _ in sizes]
        ),
        graph=torch.cat([torch.full((n,), g) for _, g, n in sizes]),
        n_graphs=len(graphs),
        edge_index=index,
        flow=flow,
        relation=relation,
        edge_attr=attr.T.contiguous(),
        edge_type=type_,
        edge_row=row,
        edge_types=BATCH_EDGES,
        up_index=up_index,
        up_synapse=up_synapse,
        up_attr=up_attr,
        up_row=up_row,
        shared={kind: torch.cat([s.shared for s in stores]) for kind, stores in per_kind.items()},
        columns=COLUMNS,
        ledger=_join_ledgers(graphs, offsets),
        scaling=scaling,
    )


def _check(graphs: Sequence[GraphTensors], scaling: Scaling) -> None:
    for graph in graphs:
        if graph.fingerprint != scaling.fingerprint:
            raise TrainingError(
                "the model's tensors and the scaling were made by different rules",
                where=graph.model_key,
                expected=scaling.fingerprint,
                found=graph.fingerprint,
                hint="build the tensors again, or use the version that trained the run",
            )
    if len({graph.hidden.contacts for graph in graphs}) != 1:
        raise TrainingError("contacts are withheld from all graphs of a batch, or from none")


Parts = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def _columns(edges: Sequence[Parts]) -> Iterator[tuple[Tensor, ...]]:
    return zip(*edges, strict=True)


def _edges(
    graphs: Sequence[GraphTensors],
    triple: tuple[Kind, str, Kind],
    offsets: _Offsets,
    scaling: Scaling,
) -> Parts:
    """One triple's features [10, E], rows, relations, flow, index and type."""
    index, attr, mask, rows, flow = [], [], [], [], []
    for number, graph in enumerate(graphs):
        store = graph.data[triple]
        index.append(_shift(store.edge_index, triple, number, offsets))
        attr.append(store.edge_attr)
        mask.append(store.edge_mask)
        rows.append(torch.arange(store.edge_index.shape[1]))
        flow.append(store.flow)
    n = sum(len(part) for part in flow)
    return (
        scaling.edges(triple[1], torch.cat(attr), torch.cat(mask)).T,
        torch.cat(rows),
        torch.full((n,), PLACE[triple[1]]),
        torch.cat(flow),
        torch.cat(index, dim=1),
        torch.full((n,), BATCH_EDGES.index(triple)),
    )


def _shift(index: Tensor, triple: tuple[Kind, str, Kind], number: int, offsets: _Offsets) -> Tensor:
    starts = [offsets.start[triple[0], number], offsets.start[triple[2], number]]
    return index + torch.tensor(starts)[:, None]


def _up(
    graphs: Sequence[GraphTensors], offsets: _Offsets, scaling: Scaling
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Neuron-to-neuron edges: index, features, rows and synapses."""
    stores = [graph.data[UP] for graph in graphs]
    attr = torch.cat([store.edge_attr for store in stores])
    mask = torch.cat([store.edge_mask for store in stores])
    parts = list(enumerate(stores))
    return (
        torch.cat(
            [_shift(s.edge_index, ("neuron", "", "neuron"), n, offsets) for n, s in parts], dim=1
        ),
        scaling.edges(UP[1], attr, mask),
        torch.cat([torch.arange(store.edge_index.shape[1]) for store in stores]),
        torch.cat([store.synapse + offsets.start["synapse", n] for n, store in parts]),
    )


def _join_ledgers(graphs: Sequence[GraphTensors], offsets: _Offsets) -> Ledger:
    ledgers = [graph.ledger for graph in graphs]
    neurons = [offsets.start["neuron", n] for n in range(len(graphs))]
    return Ledger(
        torch.cat([ledger.kind for ledger in ledgers]),
        torch.cat([ledger.weight for ledger in ledgers]),
        torch.cat([ledger.share for ledger in ledgers]),
        torch.cat([ledger.pre + start for ledger, start in zip(ledgers, neurons, strict=True)]),
        torch.cat([ledger.post + start for ledger, start in zip(ledgers, neurons, strict=True)]),
        torch.cat([_move(g, g.ledger.pre_section, n, offsets) for n, g in enumerate(graphs)]),
        torch.cat([_move(g, g.ledger.post_section, n, offsets) for n, g in enumerate(graphs)]),
        ledgers[0].contacts,
    )


def _move(graph: GraphTensors, section: Tensor, number: int, offsets: _Offsets) -> Tensor:
    """Rows of sections counted through within a graph, to rows counted through the batch."""
    first = offsets.start[COMPARTMENT_KINDS[0], 0]
    rows = [
        torch.arange(graph.data[kind].x.shape[0]) + offsets.start[kind, number] - first
        for kind in COMPARTMENT_KINDS
    ]
    return torch.cat([*rows, torch.tensor([-1])])[section]


def select_synapses(ledger: Ledger, keep: Tensor) -> Ledger:
    """The ledger of some of its synapses."""
    return replace(
        ledger,
        kind=ledger.kind[keep], weight=ledger.weight[keep], share=ledger.share[keep],
        pre=ledger.pre[keep], post=ledger.post[keep],
        pre_section=ledger.pre_section[keep], post_section=ledger.post_section[keep],
    )  # fmt: skip
