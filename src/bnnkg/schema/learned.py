"""The properties that ``bnnkg annotate`` writes on nodes and edges of the graph."""

from __future__ import annotations

import re
from typing import Literal

from bnnkg.errors import UsageError
from bnnkg.schema.declaration import Property

ScoreMethod = Literal["attention_lift", "attention_head_weighted", "attention_rollout"]
"""Ways to compute ``attention_score``, one of which is chosen for each run."""
SCORE_METHODS: dict[ScoreMethod, str] = {
    "attention_lift": "lift, all heads and blocks alike",
    "attention_head_weighted": "lift, heads and blocks weighted by |alpha dL/dalpha| on validation",
    "attention_rollout": "share of the answers that came by it, attention followed back from them",
}

RUN_NAME = re.compile(r"[a-z][a-z0-9]*\Z")


def _score(name: str, meaning: str) -> tuple[Property, Property]:
    return (
        Property(name, "float", meaning),
        Property(f"{name}_sd", "float", f"Spread over seeds of {name}", derived_from=(name,)),
    )


ATTENTION = _score(
    "attention", "Attention, mean over heads, blocks and seeds; sums to 1 per target in each site"
)
LIFT = _score(
    "attention_lift", "Attention times the number of sources it competed with; 1 is no preference"
)
SCORE = _score(
    "attention_score", "The score that won on validation; its method is named in the AttentionRun"
)
LOW = _score("attention_low", "Attention within the neuron (GAN_low)")
UP = _score("attention_up", "Attention of a neuron to its presynaptic neuron (GAN_up)")
DOWN = _score("attention_down", "Attention of a neuron to its postsynaptic neuron (GAN_up)")
FORWARD = _score("attention_forward", "Attention along the flow (Mask A)")
BACKWARD = _score("attention_backward", "Attention against the flow (Mask B)")
FORWARD_LIFT = _score(
    "attention_forward_lift", "attention_forward times the number of sources it competed with"
)
BACKWARD_LIFT = _score(
    "attention_backward_lift", "attention_backward times the number of sources it competed with"
)
CLS = (
    *_score("cls_attention", "Share of the graph token's attention that the node gets"),
    *_score("cls_lift", "That share times the number of nodes in the graph"),
    *_score("received_lift", "Mean lift that the node receives from those it feeds"),
)
N_INSTANCES = Property("attention_n", "integer", "Instances that the shared mean was taken over")
SPREAD = Property("attention_lift_spread", "float", "Standard deviation of the lift over instances")

P_VALUES = (
    Property(
        "attention_p_degree",
        "float",
        "Share of the connections onto receivers with about as many sources whose lift is as high",
    ),
    Property(
        "attention_p_seeds",
        "float",
        "p that the seeds' mean lift is above 1 by chance (Student's t, one-sided)",
    ),
)

_NODE = (*CLS, *SCORE)
_EDGE = (*ATTENTION, *LIFT, *SCORE)
_SIDES = (*FORWARD, *BACKWARD, *FORWARD_LIFT, *BACKWARD_LIFT)
_SHARED = (N_INSTANCES, SPREAD)

LEARNED_ON_NODES: dict[str, tuple[Property, ...]] = {
    "Neuron": _NODE,
    "Synapse": _NODE,
    "Compartment": (*_NODE, *_SHARED),
    "Mechanism": (*_NODE, *_SHARED),
}
LEARNED_ON_EDGES: dict[str, tuple[Property, ...]] = {
    "SENDS": (*_EDGE, *DOWN, *_SIDES),
    "TARGETS": (*_EDGE, *UP, *_SIDES),
    "LEAVES_FROM": (*_EDGE, *_SIDES),
    "ARRIVES_AT": (*_EDGE, *_SIDES),
    "CONNECTS_TO": (*_EDGE, *UP, *DOWN, *_SIDES, *P_VALUES),
    "ATTENDS_TO": (*_EDGE, *UP, *P_VALUES),
    "CHILD_OF": (*_EDGE, *LOW, *_SIDES, *_SHARED),
    "HAS_COMPARTMENT": (*_EDGE, *LOW, *_SIDES, *_SHARED),
    "HAS_MECHANISM": (*_EDGE, *LOW, *_SIDES, *_SHARED),
    "INSTANCE_OF": (
        Property("compartment_cls_lift", "floats", "cls_lift of the neuron's own sections, in order of index"),
        Property("compartment_received_lift", "floats", "received_lift of the neuron's own sections, in order of index"),
    ),
}  # fmt: skip


def suffix_of(run_name: str) -> str:
    """The end of the property names that a run of this name writes.

    Args:
        run_name: Empty for the unnamed run, else ``[a-z][a-z0-9]*``.

    Raises:
        UsageError: The name has another form.
    """
    if not run_name:
        return ""
    if not RUN_NAME.match(run_name):
        raise UsageError(
            "this name cannot end a property",
            expected="a lower-case letter, then letters and digits ([a-z][a-z0-9]*)",
            found=repr(run_name),
            hint="choose another name with --as",
        )
    return f"__{run_name}"
