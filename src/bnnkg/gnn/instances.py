"""Which stored nodes and edges the rows and edges of a graph are instances of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bnnkg.gnn.measures import Measures
from bnnkg.gnn.metrics import Floats, Ints
from bnnkg.gnn.tensors import Batch, EdgeOrigin, GraphTensors
from bnnkg.schema.columns import taken
from bnnkg.schema.computation import KINDS, Kind

_LABEL: dict[Kind, str] = {
    "neuron": "Neuron", "soma": "Compartment", "dendrite": "Compartment", "axon": "Compartment",
    "synapse": "Synapse", "mechanism": "Mechanism",
}  # fmt: skip
_MEANS = ("attention", "attention_lift", "attention_score")
EdgeKind = tuple[str, str, str]
"""Type of stored edges, label of their sources and of their targets."""


@dataclass(frozen=True)
class Instances:
    """Rows of a graph, or edges, that are instances of stored records of one kind.

    Attributes:
        keys: Columns [n] that together tell which record each one is an instance of: the uid of
            a node; of an edge those of its ends, and its own where its type has one.
        at: [n] their places in ``values``.
        values: What was measured of all rows, or all edges, of the graph.
    """

    keys: tuple[Sequence[str], ...]
    at: Ints | slice
    values: Measures

    def of(self, name: str) -> Floats:
        """[seeds, n] one of the measures."""
        return self.values[name][:, self.at]


def node_instances(tensors: GraphTensors, values: Measures) -> Iterator[tuple[str, Instances]]:
    """The rows of each kind, with the label of the nodes that they are instances of."""
    start = 0
    for kind in KINDS:
        uid = [definition or neuron for neuron, definition in tensors.keys[kind]]
        if uid:
            yield _LABEL[kind], Instances((uid,), slice(start, start + len(uid)), values)
        start += len(uid)


def edge_instances(
    tensors: GraphTensors, batch: Batch, values: Measures
) -> Iterator[tuple[EdgeKind, Instances]]:
    """The edges of each triple of which anything is known, if any stored edge stands for them."""
    known = np.logical_or.reduce([np.isfinite(values[name]).any(axis=0) for name in _MEANS])
    types, rows = batch.edge_type.numpy(), batch.edge_row.numpy()
    for number in np.unique(types[known]).tolist():
        origin = tensors.origins[batch.edge_types[number]]
        if origin.stored:
            edges = np.flatnonzero(known & (types == number))
            kind = (origin.stored, origin.src_label, origin.dst_label)
            yield kind, Instances(keys_of(origin, rows[edges]), edges, values)


def keys_of(origin: EdgeOrigin, rows: Ints) -> tuple[Sequence[str], ...]:
    """What tells the stored edges of some rows, in ascending order, apart: a column each."""
    columns = [c for c in (origin.src_uid, origin.dst_uid, origin.uid) if c is not None]
    if len(rows) == len(origin.src_uid):
        return tuple(columns)
    return tuple(taken(column, rows) for column in columns)
