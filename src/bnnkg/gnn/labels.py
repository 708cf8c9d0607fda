"""What the graph says of neurons, connections and channels that can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from bnnkg.gnn.features import IONS, SHARED_BY, SYNAPSE_KINDS, places
from bnnkg.gnn.metrics import Ints
from bnnkg.gnn.tensors import GraphTensors
from bnnkg.schema.computation import Kind

Subject = Literal["neuron", "mechanism", "connection"]
"""What a target is a property of: a row of that kind, or two neurons one of which sends to the
other."""
Properties = Mapping[str, Mapping[str, str]]
"""Per uid of a neuron, what the author's properties of its population say: value by tag."""
Found = tuple[Ints, Ints]
"""[P] rows (for connections [2, P], pre and post), and [P] their classes."""
Reader = Callable[[GraphTensors, Properties], Found]

ROLES = ("sensory", "interneuron", "motor")
TRANSMITTERS = ("Acetylcholine", "Glutamate", "GABA")
ION_CLASSES = ("na", "k", "ca", "other")


def read_labels(
    reader: Reader,
    subject: Subject,
    graphs: Sequence[GraphTensors],
    properties: Sequence[Properties],
    directed: Tensor,
) -> Tensor:
    """The classes of all that a batch holds.

    Args:
        reader: Of the target.
        subject: Of the target.
        graphs: The models of the batch, in order.
        properties: Of their neurons.
        directed: [2, P] connections of the batch.

    Returns:
        [n] of each row of the subject's kind, or [P] of each connection; -1 where there is none.
    """
    kind: Kind = "mechanism" if subject == "mechanism" else "neuron"
    sizes = [len(graph.keys[kind]) for graph in graphs]
    starts = np.cumsum([0, *sizes])
    found = [reader(graph, own) for graph, own in zip(graphs, properties, strict=True)]
    rows = np.concatenate(
        [own + start for (own, _), start in zip(found, starts[:-1], strict=True)], axis=-1
    )
    classes = np.concatenate([own for _, own in found])
    if subject == "connection":
        n = int(starts[-1])
        place = dict(zip(_codes(rows, n), classes.tolist(), strict=True))
        return torch.tensor([place.get(code, -1) for code in _codes(directed.numpy(), n)])
    labels = torch.full((int(starts[-1]),), -1)
    labels[torch.from_numpy(rows)] = torch.from_numpy(classes)
    return labels


def postsynaptic_signs(tensors: GraphTensors, properties: Properties) -> Found:  # noqa: ARG001
    """1 where most of a neuron's chemical synapses excite, 0 where most inhibit."""
    store, column = tensors.data["synapse"], places("synapse")
    told = store.mask[:, column["sign"]] & (store.x[:, column["is_chemical"]] > 0)
    total = torch.zeros(len(tensors.keys["neuron"]))
    total.index_add_(0, store.neuron[told], store.x[told, column["sign"]])
    rows = total.nonzero().flatten()
    return rows.numpy(), (total[rows] > 0).long().numpy()


def roles(tensors: GraphTensors, properties: Properties) -> Found:
    """Place in ``ROLES`` of neurons that have one role only."""
    return _told(tensors, properties, "type", ROLES)


def transmitters(tensors: GraphTensors, properties: Properties) -> Found:
    """Place in ``TRANSMITTERS`` of neurons that have one transmitter only."""
    return _told(tensors, properties, "neurotransmitter", TRANSMITTERS)


def connection_weights(tensors: GraphTensors, properties: Properties) -> Found:  # noqa: ARG001
    """1 where the weight is above the median of the model's connections.

    Of pairs that one chemical synapse joins: how many there are can be seen, and would tell.
    """
    ledger = tensors.ledger
    known = (ledger.kind == SYNAPSE_KINDS.index("chemical")) & ledger.weight.isfinite()
    pairs, place, count = torch.unique(
        torch.stack([ledger.pre, ledger.post])[:, known],
        dim=1, return_inverse=True, return_counts=True,
    )  # fmt: skip
    single = count[place] == 1
    weight, ends = ledger.weight[known][single], pairs[:, place[single]]
    other = ends[0] != ends[1]
    weight, ends = weight[other], ends[:, other]
    if not len(weight) or float(weight.max()) == float(weight.min()):
        return np.zeros((2, 0), np.int64), np.zeros(0, np.int64)
    strong = weight > float(np.median(weight.numpy()))
    return ends.numpy(), strong.long().numpy()


def channel_placements(tensors: GraphTensors, properties: Properties) -> Found:  # noqa: ARG001
    """1 where a cell has the channel on a dendrite; of cells that have a soma and dendrites."""
    rows = _channels(tensors, "Cell")
    neuron = tensors.data["mechanism"].neuron.numpy()
    for kind in ("soma", "dendrite"):
        rows = rows[np.isin(neuron[rows], tensors.data[kind].neuron.numpy())]
    carried = {kind: _carriers(tensors, kind) for kind in ("soma", "dendrite", "axon")}
    rows = rows[np.isin(rows, np.concatenate(list(carried.values())))]
    return rows, np.isin(rows, carried["dendrite"]).astype(np.int64)


def channel_ions(tensors: GraphTensors, properties: Properties) -> Found:  # noqa: ARG001
    """Place in ``ION_CLASSES``, of channels that say which ion they conduct."""
    rows = _channels(tensors, "Mechanism")
    column = places("mechanism")
    flags = tensors.data["mechanism"].x[rows][:, [column[f"ion_{ion}"] for ion in IONS]].numpy()
    known = flags.any(axis=1)
    ion = np.minimum(flags[known].argmax(axis=1), len(ION_CLASSES) - 1)
    return rows[known], ion.astype(np.int64)


def _told(tensors: GraphTensors, properties: Properties, tag: str, classes: Sequence[str]) -> Found:
    said = [properties.get(uid, {}).get(tag, "").strip() for uid, _ in tensors.keys["neuron"]]
    rows = np.array([row for row, value in enumerate(said) if value in classes], dtype=np.int64)
    return rows, np.array([classes.index(said[row]) for row in rows], dtype=np.int64)


def _channels(tensors: GraphTensors, once: Literal["Mechanism", "Cell"]) -> Ints:
    """Rows of channels that are not passive, one for each channel or for each of a cell.

    Every neuron of a cell repeats them.
    """
    store, column = tensors.data["mechanism"], places("mechanism")
    wanted = (store.x[:, column["is_channel"]] > 0) & (store.x[:, column["is_passive"]] == 0)
    rows = wanted.nonzero().flatten().numpy()
    of = SHARED_BY["mechanism"].index(once)
    _, first = np.unique(store.shared[rows, of].numpy(), return_index=True)
    return np.sort(rows[first])


def _carriers(tensors: GraphTensors, kind: str) -> Ints:
    """Rows of mechanisms that act on a section of this kind."""
    rows: Ints = tensors.data["mechanism", "acts_on", kind].edge_index[0].numpy()
    return rows


def _codes(pairs: Ints, n: int) -> list[int]:
    codes: list[int] = (pairs[0] * n + pairs[1]).tolist()
    return codes
