"""What a trained network says of a graph, on its way from the network to the store."""

from __future__ import annotations

from dataclasses import dataclass

from bnnkg.schema.records import EdgeTable, NodeTable


@dataclass(frozen=True)
class AttentionScores:
    """Learned scores of nodes and edges.

    Attributes:
        nodes: Per label of ``LEARNED_ON_NODES``, ``uid`` and the learned properties, under their
            plain names: the store adds the suffix of the run.
        edges: Per edge type of ``LEARNED_ON_EDGES`` and pair of labels, the ends of the edges,
            their ``uid`` where the type has one, and the learned properties under plain names.
        model_uids: The Models (their versions) that the scores are about.
    """

    nodes: tuple[NodeTable, ...]
    edges: tuple[EdgeTable, ...]
    model_uids: tuple[str, ...]
