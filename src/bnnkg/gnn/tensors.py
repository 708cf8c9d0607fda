"""A model's computational graph as tensors, with an exact map back to the graph it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch_geometric.data import HeteroData

from bnnkg.schema.computation import Kind


@dataclass(frozen=True)
class FeatureColumn:
    """One column of a kind's features.

    Attributes:
        name: Unique within the kind.
        group: One of the six feature groups.
        source: ``Label.property`` that it is read from, or the rule that computes it.
        hides_with: Names of the columns (of any kind, as ``kind.name``) that give it away and are
            hidden with it when it is to be predicted.
        numeric: Whether it is scaled (on training models); flags and one-hot columns are not.
    """

    name: str
    group: str
    source: str
    hides_with: tuple[str, ...] = ()
    numeric: bool = True


@dataclass(frozen=True)
class EdgeOrigin:
    """Where the edges of one (source kind, relation, target kind) come from, a row each.

    Attributes:
        stored: Edge type of the graph; empty for virtual edges.
        src_label: Label of the stored edge's source node.
        dst_label: Label of the stored edge's target node.
        src_uid: uid of the stored edge's source node.
        dst_uid: uid of the stored edge's target node.
        uid: The stored edge's own uid; absent where its type has none.
    """

    stored: str
    src_label: str
    dst_label: str
    src_uid: tuple[str, ...]
    dst_uid: tuple[str, ...]
    uid: tuple[str, ...] | None = None


@dataclass(frozen=True)
class GraphTensors:
    """One model.

    Attributes:
        model_uid: uid of the Model (key and version).
        model_key: Its key.
        data: Per kind ``x`` [n, F_kind] (unscaled, 0 where unknown) and ``mask`` [n, F_kind] (True
            where known); per relation ``edge_index`` [2, E], ``edge_attr`` [E, 5] in the order of
            ``EDGE_FEATURES`` and ``edge_mask`` [E, 5].
        keys: Per kind and row, (neuron uid, definition uid): the definition is the Compartment,
            the Mechanism, the Synapse, or empty for the neuron itself.
        origins: Per edge type of ``data``, where its rows come from.
        columns: Per kind, what the columns of ``x`` are.
        fingerprint: Of the schema declaration.
    """

    model_uid: str
    model_key: str
    data: HeteroData
    keys: Mapping[Kind, tuple[tuple[str, str], ...]]
    origins: Mapping[tuple[str, str, str], EdgeOrigin]
    columns: Mapping[Kind, tuple[FeatureColumn, ...]]
    fingerprint: str


@dataclass(frozen=True)
class Batch:
    """Whole graphs side by side, flat: what the network reads.

    Rows are ordered by kind (neuron, soma, dendrite, axon, synapse, mechanism), then by graph,
    then by key. N rows, M neurons (rows 0..M-1), G graphs, E flow edges, U neuron-to-neuron edges.

    Attributes:
        x: Per kind [n, F_kind], scaled, 0 where unknown or hidden.
        mask: Per kind [n, F_kind], True where known and not hidden.
        kind: [N] place of the row's kind in ``KINDS``.
        neuron_of: [N] row of the neuron that it belongs to (a synapse to its presynaptic one).
        graph: [N] number of its graph.
        n_graphs: G.
        edge_index: [2, E] edges of all relations, in the direction of the relation.
        flow: [E] True for edges that carry the flow of signals: distal dendrite to soma to neuron,
            soma to axon to synapse to the section that it arrives at (the neuron, where the cell
            is a point), mechanism to section; False for membership. Electrical synapses stand
            twice, once in each direction.
        relation: [E] place of the edge's relation in ``RELATIONS``.
        edge_attr: [E, 10] the five edge features, scaled, then their masks as 0 or 1.
        edge_row: [E] row among all edges of its (source kind, relation, target kind), and
            ``edge_type`` [E] the number of that triple in ``edge_types``: the way back to origins.
        edge_types: The triples.
        up_index: [2, U] neuron rows, presynaptic to postsynaptic, one per synapse and direction.
        up_synapse: [U] row of that synapse.
    """

    x: Mapping[Kind, Tensor]
    mask: Mapping[Kind, Tensor]
    kind: Tensor
    neuron_of: Tensor
    graph: Tensor
    n_graphs: int
    edge_index: Tensor
    flow: Tensor
    relation: Tensor
    edge_attr: Tensor
    edge_type: Tensor
    edge_row: Tensor
    edge_types: tuple[tuple[str, str, str], ...]
    up_index: Tensor
    up_synapse: Tensor
