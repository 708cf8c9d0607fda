"""Channels, concentration models and point dynamics as Mechanisms; synapse models; inputs."""

from __future__ import annotations

import math
from typing import Any

from bnnkg.ingest.components import Part
from bnnkg.ingest.identity import shared_uid
from bnnkg.ingest.parameters import Collector, is_gate
from bnnkg.ingest.parsed import Mechanism, Parameters, SynapseModel

EXCITATION_THRESHOLD_MV = -55.0
"""A synapse that drives towards less than this inhibits; near a usual spike threshold."""

_ELECTRICAL = frozenset({"gapJunction"})


def channel(part: Part, collected: Collector, base_class: str | None) -> Mechanism:
    """An ion channel, with its gates in the order of their names."""
    gates = gates_of(part)
    names = tuple(gate.id for gate in gates)
    return Mechanism(
        uid=_uid(part, "channel", base_class, collected, names),
        mechanism_class=part.tag,
        kind="channel",
        base_class=base_class,
        ion=part.texts.get("species"),
        is_passive=not gates and not part.strange,
        conductance_pS=_in_pS(part.number("conductance")),
        gate_names=names,
        gate_instances=tuple(int(gate.number("instances") or 1) for gate in gates),
        parameters=collected.parameters(),
    )


def gates_of(part: Part) -> tuple[Part, ...]:
    """The gates of a channel in the order of their names."""
    return tuple(sorted((p for p in part.parts if is_gate(p)), key=lambda p: p.id))


def _in_pS(conductance_nS: float | None) -> float | None:
    return None if conductance_nS is None else conductance_nS * 1000


def concentration(part: Part, collected: Collector, base_class: str | None) -> Mechanism:
    """A concentration model."""
    return Mechanism(
        uid=_uid(part, "concentration", base_class, collected),
        mechanism_class=part.tag,
        kind="concentration",
        base_class=base_class,
        ion=part.texts.get("ion"),
        parameters=collected.parameters(),
    )


def point_dynamics(part: Part, collected: Collector, base_class: str | None) -> Mechanism:
    """What makes a point cell, or a source of spikes."""
    return Mechanism(
        uid=_uid(part, "point", base_class, collected),
        mechanism_class=part.tag,
        kind="point",
        base_class=base_class,
        parameters=collected.parameters(),
    )


def _uid(
    part: Part,
    kind: str,
    base_class: str | None,
    collected: Collector,
    gates: tuple[str, ...] = (),
) -> str:
    content: Any = [kind, part.tag, base_class, collected.content(), gates]
    return shared_uid("Mechanism", content)


def synapse(part: Part, collected: Collector, base_class: str | None) -> SynapseModel:
    """A model of a synapse; its sign by its reversal potential against -55 mV."""
    parameters = collected.parameters()
    erev = _first(parameters, "erev", "e_rev")
    plasticity = _inner_class(part, "lasticityMechanism", "DepMechanism", "DepFacMechanism")
    block = _inner_class(part, "blockMechanism", "BlockMechanism")
    content = [part.tag, base_class, collected.content(), plasticity, block]
    rise, decay = _time_constants_ms(part.tag, parameters)
    return SynapseModel(
        uid=shared_uid("SynapseType", content),
        synapse_class=part.tag,
        base_class=base_class,
        gbase_nS=_conductance(parameters),
        erev_mV=erev,
        tau_rise_ms=rise,
        tau_decay_ms=decay,
        time_to_peak_ms=_time_to_peak_ms(part.tag, rise, decay),
        sign=_sign(part, erev),
        short_term_plasticity=plasticity,
        block=block,
        parameters=parameters,
    )


_ALPHA = frozenset({
    "alphaSynapse", "alphaCurrentSynapse", "alphaCondSynapse", "alphaCurrSynapse",
})  # fmt: skip
"""Their time course is that of t exp(-t / tau): it rises and decays with one constant."""
_ONE_EXPONENTIAL = frozenset({"expOneSynapse", "expCondSynapse", "expCurrSynapse"})
_TWO_EXPONENTIALS = frozenset({"expTwoSynapse", "blockingPlasticSynapse", "stdpSynapse"})


def _time_constants_ms(tag: str, parameters: Parameters) -> tuple[float | None, float | None]:
    """Rise and decay; of two decays the first."""
    if tag in _ALPHA:
        tau = _first(parameters, "tau", "tau_syn")
        return tau, tau
    return (
        _first(parameters, "tauRise"),
        _first(parameters, "tauDecay", "tauDecay1", "tau", "tau_syn"),
    )


def _time_to_peak_ms(tag: str, rise: float | None, decay: float | None) -> float | None:
    if tag in _ALPHA:
        return decay
    if tag in _ONE_EXPONENTIAL and decay is not None:
        return 0.0
    if tag not in _TWO_EXPONENTIALS or rise is None or decay is None or not 0 < rise < decay:
        return None
    return rise * decay / (decay - rise) * math.log(decay / rise)


def _conductance(parameters: Parameters) -> float | None:
    for name in ("gbase", "gbase1", "conductance"):
        if name in parameters.names and parameters.units[parameters.names.index(name)] == "nS":
            return parameters.value(name)
    return None


def _first(parameters: Parameters, *names: str) -> float | None:
    return next((v for v in map(parameters.value, names) if v is not None), None)


def _sign(part: Part, erev_mV: float | None) -> int | None:
    if erev_mV is None or part.tag in _ELECTRICAL:
        return None
    return 1 if erev_mV > EXCITATION_THRESHOLD_MV else -1


def _inner_class(part: Part, *endings: str) -> str | None:
    """Class of a part that is such a mechanism: its type where it has one, else its tag."""
    found = [p for p in part.parts if p.tag.endswith(endings)]
    return (found[0].texts.get("type") or found[0].tag) if found else None
