"""What each neuron's own sections received, where the stored sections are those of its cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np

from bnnkg.gnn.features import places
from bnnkg.gnn.measures import Measures
from bnnkg.gnn.metrics import Floats, Ints
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.columns import taken
from bnnkg.schema.computation import COMPARTMENT_KINDS
from bnnkg.schema.records import EdgeTable


def section_lifts(tensors: GraphTensors, batch: Batch, rows: Measures) -> EdgeTable:
    """INSTANCE_OF of the neurons of a graph that have sections.

    Lifts are means over seeds, in the order of the sections' index in the cell; 0 of what a section
    receives that feeds nothing.

    Args:
        tensors: The graph.
        batch: The same, alone in a batch.
        rows: What was measured of its rows.
    """
    at = slice(batch.first_row(COMPARTMENT_KINDS[0]), batch.first_row("synapse"))
    neuron = batch.neuron_of.numpy()[at]
    index = [tensors.data[k].x[:, places(k)["relative_index"]].numpy() for k in COMPARTMENT_KINDS]
    share, received = (rows[name][:, at].mean(axis=0) for name in ("cls_lift", "received_lift"))
    order = np.lexsort((received, share, np.concatenate(index), neuron))
    start = np.flatnonzero(np.diff(neuron[order], prepend=-1))
    received = np.where(np.isfinite(received), received, 0.0)
    owners, cells = neuron[order][start].tolist(), _cells(tensors, batch)
    return EdgeTable(
        "INSTANCE_OF", "Neuron", "Cell",
        [tensors.keys["neuron"][row][0] for row in owners],
        [cells[row] for row in owners],
        {
            "compartment_cls_lift": _cut(share[order], start),
            "compartment_received_lift": _cut(received[order], start),
        },
    )  # fmt: skip


def joined(tables: Sequence[EdgeTable]) -> EdgeTable:
    """Tables of several graphs as one, ascending by neuron."""
    src = list(chain.from_iterable(table.src for table in tables))
    dst = list(chain.from_iterable(table.dst for table in tables))
    order = sorted(range(len(src)), key=src.__getitem__)
    columns = {
        name: taken(list(chain.from_iterable(t.columns[name] for t in tables)), order)
        for name in tables[0].columns
    }
    return EdgeTable("INSTANCE_OF", "Neuron", "Cell", taken(src, order), taken(dst, order), columns)


def _cells(tensors: GraphTensors, batch: Batch) -> dict[int, str]:
    """Cell (its uid) of each neuron (row) that has sections."""
    cells: dict[int, str] = {}
    types, rows, dst = batch.edge_type.numpy(), batch.edge_row.numpy(), batch.edge_index[1].numpy()
    for number, triple in enumerate(batch.edge_types):
        origin = tensors.origins[triple]
        if origin.stored == "HAS_COMPARTMENT":
            edges = np.flatnonzero(types == number)
            cells |= zip(dst[edges].tolist(), taken(origin.src_uid, rows[edges]), strict=True)
    return cells


def _cut(values: Floats, start: Ints) -> list[list[float]]:
    """Values from each start to the next."""
    column = values.tolist()
    return [column[a:b] for a, b in pairwise([*start.tolist(), len(column)])]
