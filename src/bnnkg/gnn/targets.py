"""Supervised targets: what is predicted of neurons, and what it forbids the network to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bnnkg.errors import TrainingError
from bnnkg.gnn.features import places
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.computation import EDGE_FEATURES, KINDS, RELATIONS, Kind


@dataclass(frozen=True)
class Target:
    """A property of neurons with two values.

    Attributes:
        name: As on the command line.
        meaning: What it says, in one line.
        read: The label (0 or 1) of each neuron's row; absent where it has none.
        forbids: Columns (``kind.column``) and features of edges (``relation.feature``) that give
            it away. They are hidden everywhere, always, in training as in annotation.
    """

    name: str
    meaning: str
    read: Callable[[GraphTensors], Mapping[int, int]]
    forbids: tuple[str, ...]


def forbid(batch: Batch, target: Target) -> Batch:
    """A batch without what gives the target away."""
    x = {kind: values.clone() for kind, values in batch.x.items()}
    mask = {kind: known.clone() for kind, known in batch.mask.items()}
    edge_attr = batch.edge_attr.clone()
    up_attr = None if batch.up_attr is None else batch.up_attr.clone()
    for name in target.forbids:
        where, _, what = name.partition(".")
        if where in KINDS:
            kind: Kind = next(k for k in KINDS if k == where)
            x[kind][:, places(kind)[what]] = 0.0
            mask[kind][:, places(kind)[what]] = False
        elif where == "presynaptic_to" and up_attr is not None:
            _blank(up_attr, torch.ones(len(up_attr), dtype=torch.bool), what)
        else:
            _blank(edge_attr, batch.relation == _place(where), what)
    return replace(batch, x=x, mask=mask, edge_attr=edge_attr, up_attr=up_attr)


def target_named(name: str) -> Target:
    """The target of that name.

    Raises:
        TrainingError: There is none.
    """
    for target in TARGETS:
        if target.name == name:
            return target
    raise TrainingError(
        "no such target", expected=", ".join(target.name for target in TARGETS), found=name
    )


def _place(relation: str) -> int:
    return [r.name for r in RELATIONS].index(relation)


def _blank(attributes: Tensor, rows: Tensor, feature: str) -> None:
    """Hides a feature of edges: its value, and that it was known."""
    place = EDGE_FEATURES.index(feature)
    for column in (place, place + len(EDGE_FEATURES)):
        attributes[:, column] = torch.where(rows, 0.0, attributes[:, column])


def _postsynaptic_sign(tensors: GraphTensors) -> dict[int, int]:
    """1 where most of a neuron's chemical synapses excite, 0 where most inhibit."""
    store, column = tensors.data["synapse"], places("synapse")
    told = store.mask[:, column["sign"]] & (store.x[:, column["is_chemical"]] > 0)
    signs: dict[int, float] = {}
    for neuron, sign in zip(
        store.neuron[told].tolist(), store.x[told, column["sign"]].tolist(), strict=True
    ):
        signs[neuron] = signs.get(neuron, 0.0) + sign
    return {neuron: int(total > 0) for neuron, total in signs.items() if total}


_AT_SYNAPSES = ("sends", "targets", "leaves", "arrives", "presynaptic_to")
POSTSYNAPTIC_SIGN = Target(
    "postsynaptic_sign",
    "Whether most of the chemical synapses that a neuron sends excite",
    _postsynaptic_sign,
    (
        *(
            f"synapse.{name}"
            for name in (
                "sign", "erev_mV", "gbase_nS", "tau_rise_ms", "tau_decay_ms",
                "has_short_term_plasticity", "has_block",
            )
        ),
        *(f"{relation}.{name}" for relation in _AT_SYNAPSES for name in ("conductance", "erev_mV")),
    ),
)  # fmt: skip
TARGETS: tuple[Target, ...] = (POSTSYNAPTIC_SIGN,)
