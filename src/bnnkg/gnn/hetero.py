"""Tensors as a ``HeteroData`` for users' own networks."""

from __future__ import annotations

import torch

from bnnkg.gnn.pyg import HeteroData
from bnnkg.gnn.tensors import GraphTensors
from bnnkg.schema.computation import KINDS, edge_types


def hetero(tensors: GraphTensors, *, cls: bool = False) -> HeteroData:
    """Makes a ``HeteroData`` with every edge also in reverse.

    Row r of a kind is ``tensors.keys[kind][r]``; edge e of a triple comes from row e of
    ``tensors.origins[triple]``, and so does edge e of its reverse.

    Args:
        tensors: A model.
        cls: Whether to add a node of kind ``cls`` that every node has an edge to.

    Returns:
        Per kind ``x`` and ``mask`` [n, F_kind], unscaled; per triple, and per reverse
        (target kind, ``rev_`` + relation, source kind), ``edge_index`` [2, E], ``edge_attr`` and
        ``edge_mask`` [E, 5]. Kinds and triples are the same for all models, so that models can be
        batched.
    """
    data = HeteroData()
    for kind in KINDS:
        data[kind].x, data[kind].mask = tensors.data[kind].x, tensors.data[kind].mask
    for src, relation, dst in edge_types():
        forward = tensors.data[src, relation, dst]
        for triple, index in (
            ((src, relation, dst), forward.edge_index),
            ((dst, f"rev_{relation}", src), forward.edge_index.flip(0)),
        ):
            data[triple].edge_index = index
            data[triple].edge_attr = forward.edge_attr
            data[triple].edge_mask = forward.edge_mask
    if cls:
        _add_cls(data)
    return data


def _add_cls(data: HeteroData) -> None:
    """Adds the graph's token, and an edge to it from every node."""
    for kind in KINDS:
        rows = torch.arange(len(data[kind].x))
        data[kind, "cls", "cls"].edge_index = torch.stack([rows, torch.zeros_like(rows)])
    data["cls"].x = torch.ones((1, 1))
