"""Graphs with numbers on all their rows and edges that no network computed."""

from __future__ import annotations

import numpy as np

from bnnkg.gnn.batching import collate
from bnnkg.gnn.measures import Measured, Measures
from bnnkg.gnn.metrics import Floats
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.tensors import Batch, GraphTensors

ROWS = ("cls_attention", "cls_lift", "received_lift", "attention_score")
MEANS = ("attention", "attention_lift", "attention_score")
SIDES = (
    "attention_forward", "attention_backward", "attention_forward_lift", "attention_backward_lift",
)  # fmt: skip
EDGES = (*MEANS, "attention_low", "attention_up", "attention_down", *SIDES)
SYNAPSES = ("attention_lift", "attention_score", "attention_up", "attention_down", *SIDES)


def measured_graph(tensors: GraphTensors, n_seeds: int, seed: int = 0) -> tuple[Batch, Measured]:
    """A batch of one graph, and what is said to be measured of it.

    Some rows receive nothing, and of some edges something, or all, is unknown.
    """
    source = np.random.default_rng(seed)
    batch = collate([tensors], fit_scaling([tensors]))
    n_rows, n_edges, n_synapses = len(batch.kind), len(batch.flow), batch.up_index.shape[1]
    rows = _drawn(source, ROWS, n_seeds, n_rows)
    rows["received_lift"][:, source.random(n_rows) < 0.3] = np.nan
    edges = _drawn(source, EDGES, n_seeds, n_edges)
    nothing = source.random(n_edges) < 0.2
    for name, values in edges.items():
        missing = nothing if name in MEANS else nothing | (source.random(n_edges) < 0.3)
        values[:, missing] = np.nan
    n_sources = 1 + np.bincount(batch.up_index[1].numpy(), minlength=n_rows)
    return batch, Measured(
        rows, edges, _drawn(source, SYNAPSES, n_seeds, n_synapses),
        n_sources[batch.up_index[1].numpy()],
    )  # fmt: skip


def _drawn(
    source: np.random.Generator, names: tuple[str, ...], n_seeds: int, n: int
) -> dict[str, Floats]:
    return {name: source.random((n_seeds, n)) for name in names}


def values_of(measures: Measures, place: int) -> dict[str, list[float]]:
    """Per measure, what the seeds say at a place."""
    return {name: values[:, place].tolist() for name, values in measures.items()}
