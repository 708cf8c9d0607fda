"""Supervised targets: what is predicted, and what may then not be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bnnkg.errors import TrainingError
from bnnkg.gnn.features import IONS, SECTION_IO, WEIGHTS, places
from bnnkg.gnn.labels import (
    ION_CLASSES,
    ROLES,
    TRANSMITTERS,
    Reader,
    Subject,
    channel_ions,
    channel_placements,
    connection_weights,
    postsynaptic_signs,
    roles,
    transmitters,
)
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import (
    BY_NAME,
    COMPARTMENT_KINDS,
    EDGE_FEATURES,
    KINDS,
    PLACE,
    Kind,
)


@dataclass(frozen=True)
class Target:
    """A property that is to be predicted.

    Attributes:
        name: As on the command line.
        meaning: What it says, in one line.
        subject: What has it.
        classes: Its values, in the order of their numbers.
        read: The class of everything that has one.
        forbids: What gives it away: columns (``kind.column``), features of edges
            (``relation.feature``), and whole relations (``relation``), whose edges are taken away.
            They are hidden everywhere, always, in training as in annotation.
    """

    name: str
    meaning: str
    subject: Subject
    classes: tuple[str, ...]
    read: Reader
    forbids: tuple[str, ...]

    @property
    def n_outputs(self) -> int:
        """Logits per subject: one for two classes, else one for each."""
        return 1 if len(self.classes) == 2 else len(self.classes)


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
        elif what:
            _blank(edge_attr, batch.relation == PLACE[where], what)
    hidden = replace(batch, x=x, mask=mask, edge_attr=edge_attr, up_attr=up_attr)
    return _without(hidden, [PLACE[name] for name in target.forbids if name in BY_NAME])


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


def _blank(attributes: Tensor, rows: Tensor, feature: str) -> None:
    """Hides a feature of edges: its value, and that it was known."""
    place = EDGE_FEATURES.index(feature)
    for column in (place, place + len(EDGE_FEATURES)):
        attributes[:, column] = torch.where(rows, 0.0, attributes[:, column])


def _without(batch: Batch, relations: list[int]) -> Batch:
    """The batch without the edges of these relations."""
    kept = ~torch.isin(batch.relation, torch.tensor(relations, dtype=torch.long))
    return replace(
        batch,
        edge_index=batch.edge_index[:, kept],
        flow=batch.flow[kept],
        relation=batch.relation[kept],
        edge_attr=batch.edge_attr[kept],
        edge_type=batch.edge_type[kept],
        edge_row=batch.edge_row[kept],
    )


def _sections(*names: str) -> tuple[str, ...]:
    return tuple(f"{kind}.{name}" for kind in COMPARTMENT_KINDS for name in names)


def _mechanism(*names: str) -> tuple[str, ...]:
    return tuple(f"mechanism.{name}" for name in names)


def _at_synapses(*features: str) -> tuple[str, ...]:
    relations = ("sends", "targets", "leaves", "arrives", "presynaptic_to")
    return tuple(f"{relation}.{name}" for relation in relations for name in features)


_SYNAPSE_TYPE = (
    *(
        f"synapse.{name}"
        for name in (
            "sign", "erev_mV", "gbase_nS", "tau_rise_ms", "tau_decay_ms",
            "has_short_term_plasticity", "has_block",
        )
    ),
    *_at_synapses("conductance", "erev_mV"),
)  # fmt: skip
TARGETS: tuple[Target, ...] = (
    Target(
        "postsynaptic_sign", "Whether most of the chemical synapses that a neuron sends excite",
        "neuron", ("inhibits", "excites"), postsynaptic_signs, _SYNAPSE_TYPE,
    ),
    Target(
        "role", "Whether a neuron is sensory, motor or between, as its population says",
        "neuron", ROLES, roles, (),
    ),
    Target(
        "transmitter", "Which transmitter a neuron releases, as its population says",
        "neuron", TRANSMITTERS, transmitters, _SYNAPSE_TYPE,
    ),
    Target(
        "connection_weight", "Whether a hidden connection's weight (in a connectome, its number of"
        " contacts) is above the median of its model",
        "connection", ("weak", "strong"), connection_weights,
        ("synapse.weight", *_at_synapses("weight"), *(f"neuron.{name}" for name in WEIGHTS),
         *_sections(*(name for name in SECTION_IO if name in WEIGHTS))),
    ),
    Target(
        "channel_placement", "Whether a cell has a channel in its dendrites, or elsewhere only",
        "mechanism", ("elsewhere", "dendrites"), channel_placements,
        ("acts_on", *_sections("gbar_S_per_cm2"),
         *_mechanism("first_relative_index", "n_sections", "share_of_sections")),
    ),
    Target(
        "channel_ion", "Which ion a channel conducts",
        "mechanism", ION_CLASSES, channel_ions,
        (*_mechanism(*(f"ion_{ion}" for ion in IONS), "erev_mV", "c_init_mM", "c_ext_mM",
                     "permeability_cm_per_s"), "acts_on.erev_mV"),
    ),
)  # fmt: skip
