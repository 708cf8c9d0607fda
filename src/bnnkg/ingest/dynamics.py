"""Components and component types as values for the evaluation of their kinetics, in SI units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from lxml import etree

from bnnkg.errors import QuantityError
from bnnkg.ingest.components import Part
from bnnkg.ingest.identity import PathNames
from bnnkg.ingest.markup import local_name
from bnnkg.ingest.parsed import GateKinetics
from bnnkg.ingest.quantities import finite_quantity
from bnnkg.kinetics import Channel, Component, Derived, DynamicsType, evaluate_channel

TypeOf = Callable[[str], etree._Element | None]
"""The ComponentType of a name; absent where the source has none."""

MAX_TYPES = 500
_IN_SI = {
    "": 1.0, "mV": 1e-3, "per_mV": 1e3, "ms": 1e-3, "per_ms": 1e3, "mM": 1.0, "pA": 1e-12,
    "uA_per_cm2": 1e-2, "nS": 1e-9, "S_per_cm2": 1e4, "nS_per_mV": 1e-6, "pF": 1e-12,
    "uF_per_cm2": 1e-2, "Mohm": 1e6, "ohm_cm": 1e-2, "um": 1e-6, "um2": 1e-12, "um3": 1e-18,
    "cm_per_s": 1e-2, "pC": 1e-12, "C_per_mol": 1.0, "J_per_K_per_mol": 1.0, "mol": 1.0, "kg": 1.0,
    "mol_per_m_per_A_per_s": 1.0,
}  # fmt: skip
"""Canonical units in SI units, but for degrees Celsius."""
_ZERO_CELSIUS_K = 273.15


def channel_of(part: Part, gates: tuple[Part, ...], type_of: TypeOf) -> Channel:
    """A channel with its gates and the component types that it needs."""
    component = _component(part)
    by_part = dict(zip(map(id, part.parts), component.parts, strict=True))
    names = PathNames()  # where ids repeat
    own = tuple(replace(by_part[id(gate)], id=names.unique(gate.id)) for gate in gates)
    return Channel(component, own, types_of(part, type_of))


def gate_kinetics(channel: Channel, temperature_degC: float | None = None) -> GateKinetics | None:
    """Measures of the gates of a channel; absent where it has none."""
    if not channel.gates:
        return None
    kinetics = evaluate_channel(channel, temperature_degC=temperature_degC)
    gates = kinetics.gates
    return GateKinetics(
        temperature_degC=kinetics.temperature_degC,
        v_half_mV=tuple(gate.v_half_mV for gate in gates),
        slope_mV=tuple(gate.slope_mV for gate in gates),
        tau_max_ms=tuple(gate.tau_max_ms for gate in gates),
        tau_max_at_mV=tuple(gate.tau_max_at_mV for gate in gates),
        steady_states=tuple(float(x) for gate in gates for x in gate.steady_state),
        taus_ms=tuple(float(x) for gate in gates for x in gate.tau_ms),
        note=kinetics.note,
    )


def _component(part: Part) -> Component:
    return Component(
        role=part.tag,
        type=part.texts.get("type") or part.tag,
        id=part.id,
        values={name: _si(value, unit) for name, (value, unit) in part.numbers.items()},
        links=part.texts,
        parts=tuple(_component(inner) for inner in part.parts),
    )


def _si(value: Decimal, unit: str) -> float:
    return float(value) + _ZERO_CELSIUS_K if unit == "degC" else float(value) * _IN_SI[unit]


# ---------------------------------------------------------------------- component types


def types_of(part: Part, type_of: TypeOf) -> dict[str, DynamicsType]:
    """The component types that a part and all in it are of, with those that these extend."""
    types: dict[str, DynamicsType] = {}
    waiting = list(_type_names(part))
    for name in waiting:
        element = type_of(name) if name not in types and len(types) < MAX_TYPES else None
        if element is not None:
            types[name] = dynamics_type(element)
            waiting.append(types[name].extends or "")
    return types


def _type_names(part: Part) -> Iterator[str]:
    yield part.tag
    if "type" in part.texts:
        yield part.texts["type"]
    for inner in part.parts:
        yield from _type_names(inner)


def dynamics_type(element: etree._Element) -> DynamicsType:
    """What a ``ComponentType`` element says."""
    named: dict[str, list[etree._Element]] = {}
    for child in element.iter():
        named.setdefault(local_name(child), []).append(child)
    return DynamicsType(
        name=element.get("name", ""),
        extends=element.get("extends"),
        constants=dict(_constants(named)),
        variables=dict(_variables(named)),
        derivatives={
            one.get("variable", ""): one.get("value", "") for one in named.get("TimeDerivative", ())
        },
        exposures=_names(named, "Exposure"),
        states=_names(named, "StateVariable"),
        parameters=_names(named, "Parameter"),
    )


def _names(elements: Mapping[str, list[etree._Element]], kind: str) -> tuple[str, ...]:
    return tuple(one.get("name", "") for one in elements.get(kind, ()))


def _constants(elements: Mapping[str, list[etree._Element]]) -> Iterator[tuple[str, float]]:
    """Values that no component gives; those in units that are not known are left out."""
    for kind, name, value in (
        ("Property", "name", "defaultValue"), ("Constant", "name", "value"),
        ("Fixed", "parameter", "value"),
    ):  # fmt: skip
        for one in elements.get(kind, ()):
            try:
                yield one.get(name, ""), _si(*finite_quantity(one.get(value, "")))
            except QuantityError:
                continue


def _variables(elements: Mapping[str, list[etree._Element]]) -> Iterator[tuple[str, Derived]]:
    for kind in ("DerivedParameter", "DerivedVariable"):
        for one in elements.get(kind, ()):
            text = one.get("value")
            plain = () if text is None else ((None, text),)
            yield one.get("name", ""), Derived(plain, one.get("select"), one.get("reduce"))
    for one in elements.get("ConditionalDerivedVariable", ()):
        cases = tuple(
            (case.get("condition"), case.get("value", ""))
            for case in one
            if local_name(case) == "Case"
        )
        yield one.get("name", ""), Derived(cases)
