"""A model's computational graph as tensors, with an exact map back to the graph it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

from torch import Tensor

from bnnkg.schema.computation import KINDS, Kind

if TYPE_CHECKING:
    from bnnkg.gnn.scaling import Scaling

EdgeTriple = tuple[str, str, str]
"""Source kind, relation, target kind."""


@dataclass(frozen=True)
class Hidden:
    """What is left out before anything is computed.

    Attributes:
        pairs: Unordered pairs of neuron uids: what joins them, in either direction and of every
            kind, is not there.
        contacts: Whether numbers of contacts (weights, and how many synapses a pair has) are
            withheld from every feature; distinct partners are still counted.
    """

    pairs: frozenset[frozenset[str]] = frozenset()
    contacts: bool = False

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]] = (), *, contacts: bool = False) -> Hidden:
        """From pairs in any order; a neuron joined to itself is a pair too."""
        return cls(frozenset(frozenset(pair) for pair in pairs), contacts)


NOTHING = Hidden()


@dataclass(frozen=True)
class FeatureColumn:
    """One column of a kind's features.

    Attributes:
        name: Unique within the kind.
        group: One of the six feature groups.
        source: ``Label.property`` that it is read from, or the rule that computes it.
        hides_with: Names of the columns (of any kind, as ``kind.name``) that give it away and are
            hidden with it when it is to be predicted: of the same row (``kind.name``) and of the
            edges at that row (``relation.feature``).
        numeric: Whether it is scaled (on training models); flags and one-hot columns are not.
        hides_across: The same, but of all rows and edges of the neurons that the row concerns.
        shared_by: The definition whose instances all have this value; empty where it is the row's.
        heavy: Whether its tail is heavy: scaled by asinh.
        contacts: Whether it tells numbers of contacts.
        target: Whether it may be asked for when hidden; not what the visible graph shows anyway.
    """

    name: str
    group: str
    source: str
    hides_with: tuple[str, ...] = ()
    numeric: bool = True
    hides_across: tuple[str, ...] = ()
    shared_by: str = ""
    heavy: bool = False
    contacts: bool = False
    target: bool = True


@dataclass(frozen=True)
class EdgeOrigin:
    """Where the edges of one (source kind, relation, target kind) come from, a row each.

    Attributes:
        stored: Edge type of the graph; empty where none stands for them (a mechanism is part of
            its neuron because the neuron's cell has it).
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
class Ledger:
    """What degrees and sums are computed from: a row per synapse, in the order of synapse rows.

    Attributes:
        kind: [S] place in ``SYNAPSE_KINDS``.
        weight: [S] float64; not a number where unknown.
        share: [S] float64: 1, but where a file lists a gap junction from both sides, what makes
            the listings of a pair add up to its junctions.
        pre: [S] row of the presynaptic neuron, among neurons.
        post: [S] row of the postsynaptic neuron, among neurons.
        pre_section: [S] row of the section that it leaves from, all three kinds counted through
            in the order soma, dendrite, axon; -1 where there is none.
        post_section: [S] likewise, that it arrives at.
        contacts: Whether numbers of contacts are withheld.
    """

    kind: Tensor
    weight: Tensor
    share: Tensor
    pre: Tensor
    post: Tensor
    pre_section: Tensor
    post_section: Tensor
    contacts: bool


class Stores:
    """Tensors by kind of node and by triple, as attributes: what a ``HeteroData`` is, without PyG.

    ``stores["soma"].x``, ``stores["soma", "part_of", "neuron"].edge_index``; one that was not there
    is made.
    """

    def __init__(self) -> None:
        self._by_key: dict[str | EdgeTriple, SimpleNamespace] = {}

    def __getitem__(self, key: str | EdgeTriple) -> SimpleNamespace:
        return self._by_key.setdefault(key, SimpleNamespace())

    def __iter__(self) -> Iterator[str | EdgeTriple]:
        return iter(self._by_key)

    def copy(self) -> Stores:
        """Stores of its own with the same tensors."""
        own = Stores()
        for key, store in self._by_key.items():
            vars(own[key]).update(vars(store))
        return own


@dataclass(frozen=True)
class GraphTensors:
    """One model.

    Attributes:
        model_uid: uid of the Model (key and version).
        model_key: Its key.
        data: Per kind ``x`` [n, F_kind] (unscaled, 0 where unknown), ``mask`` [n, F_kind] (True
            where known), ``neuron`` [n] row of its neuron (a synapse's is the presynaptic one) and
            ``shared`` [n, L] what of ``SHARED_BY`` it is an instance of, as numbers that are the
            same in all models; per triple ``edge_index`` [2, E], ``edge_attr`` [E, 5] in the order
            of ``EDGE_FEATURES``, ``edge_mask`` [E, 5] and ``flow`` [E]; ``presynaptic_to`` also
            ``synapse`` [E] row of the synapse. Every declared kind and triple is there, be it
            with no rows.
        keys: Per kind and row, (neuron uid, definition uid): the definition is the Compartment,
            the Mechanism, the Synapse, or empty for the neuron itself.
        origins: Per edge type of ``data``, where its rows come from.
        columns: Per kind, what the columns of ``x`` are.
        fingerprint: Of the schema declaration, the computational graph's and the columns'.
        ledger: What degrees and sums are recomputed from.
        hidden: What was left out.
    """

    model_uid: str
    model_key: str
    data: Stores
    keys: Mapping[Kind, tuple[tuple[str, str], ...]]
    origins: Mapping[EdgeTriple, EdgeOrigin]
    columns: Mapping[Kind, tuple[FeatureColumn, ...]]
    fingerprint: str
    ledger: Ledger
    hidden: Hidden = NOTHING


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
        edge_index: [2, E] edges of all relations but ``presynaptic_to``, in their direction.
        flow: [E] True for edges that carry the flow of signals: distal dendrite to soma to neuron,
            soma to axon to synapse to the section that it arrives at (the neuron, where the cell
            is a point), mechanism to section; False for membership. Electrical synapses stand
            twice, once in each direction.
        relation: [E] place of the edge's relation in ``RELATIONS``; a mirrored one has the place
            of its other direction.
        edge_attr: [E, 10] the five edge features, scaled, then their masks as 0 or 1.
        edge_type: [E] number of the edge's triple in ``edge_types``.
        edge_row: [E] its row among its own graph's edges of that triple, as ``build`` gave them:
            the way back to origins.
        edge_types: The triples.
        up_index: [2, U] neuron rows, presynaptic to postsynaptic, one per synapse and direction.
        up_synapse: [U] row of that synapse.
        up_attr: [U, 10] features of these edges, like ``edge_attr``.
        up_row: [U] row among its own graph's (neuron, presynaptic_to, neuron).
        shared: Per kind [n, L] what of ``SHARED_BY`` the row is an instance of.
        columns: Per kind, what the columns of ``x`` are.
        ledger: What degrees and sums are recomputed from.
        scaling: What ``x`` and ``edge_attr`` were scaled with.
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
    up_attr: Tensor | None = None
    up_row: Tensor | None = None
    shared: Mapping[Kind, Tensor] = field(default_factory=dict)
    columns: Mapping[Kind, tuple[FeatureColumn, ...]] = field(default_factory=dict)
    ledger: Ledger | None = None
    scaling: Scaling | None = None

    def first_row(self, kind: Kind) -> int:
        """Row of the kind's first node."""
        return sum(len(self.x[k]) for k in KINDS[: KINDS.index(kind)])
