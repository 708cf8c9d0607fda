"""The synapses between two neurons, folded into one connection."""

from __future__ import annotations

import numpy as np

from bnnkg.gnn.batching import UP
from bnnkg.gnn.grouping import Groups, Ranks
from bnnkg.gnn.instances import Instances, keys_of
from bnnkg.gnn.measures import Measured, Measures
from bnnkg.gnn.significance import degree_matched_p, seed_p
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.columns import taken

_SHARES = ("attention_up", "attention_down", "attention_forward", "attention_backward")
"""What the synapses of a connection have in sum; the rest they have in mean."""


def connections(tensors: GraphTensors, batch: Batch, measured: Measured) -> Instances:
    """CONNECTS_TO; one of gap junctions has an instance in each direction."""
    assert batch.up_row is not None
    keys = keys_of(tensors.origins[UP], batch.up_row.numpy())
    pre, post = batch.up_index.numpy()
    stored = Ranks(keys[-1]).of(keys[-1])  # with both neurons, its own uid tells it from others
    groups = Groups.of(stored, pre, post)
    folded = fold(measured, groups)
    return Instances(tuple(taken(column, groups.first) for column in keys), slice(None), folded)


def pairs(tensors: GraphTensors, batch: Batch, measured: Measured) -> Instances:
    """Neurons that attend, with those that they attend to: whoever sends to them."""
    pre, post = batch.up_index.numpy()
    groups = Groups.of(post, pre)
    uids = [neuron for neuron, _ in tensors.keys["neuron"]]
    keys = tuple(taken(uids, end[groups.first]) for end in (post, pre))
    return Instances(keys, slice(None), fold(measured, groups))


def fold(measured: Measured, groups: Groups) -> Measures:
    """[seeds, groups] of each measure, and how likely such a lift is by chance.

    Args:
        measured: With its edges between neurons,
        groups: and which of them belong together: all of one group have the same receiver.
    """
    folded = {
        name: groups.sums(values) if name in _SHARES else groups.means(values)
        for name, values in measured.synapses.items()
    }
    lifts = folded["attention_lift"]
    n_sources = measured.n_sources[groups.first]
    tested = {
        "attention_p_degree": degree_matched_p(lifts.mean(axis=0), n_sources),
        "attention_p_seeds": seed_p(lifts),
    }
    everywhere = {name: np.broadcast_to(p, lifts.shape) for name, p in tested.items()}
    return {"attention": folded["attention_up"], **folded, **everywhere}
