"""Gating curves of the channels of NeuroML, from the components and types of LEMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bnnkg.kinetics.arithmetic import Value
from bnnkg.kinetics.gates import (
    Gate,
    Kinetics,
    at_limits,
    curve_notes,
    joined_notes,
    measured,
)
from bnnkg.kinetics.lems_gates import relaxation, why_absent
from bnnkg.kinetics.lems_scopes import Scope, Surroundings
from bnnkg.kinetics.lems_types import Component, DynamicsType
from bnnkg.kinetics.measures import GRID_mV, WIDE_mV, differs
from bnnkg.kinetics.probing import Floats
from bnnkg.kinetics.relaxation import Outcome, Relaxation
from bnnkg.kinetics.surroundings import DEFAULT_CELSIUS, RESTING_CALCIUM_mM

ZERO_CELSIUS_K = 273.15
_CONCENTRATIONS = ("caConc", "caConc2")


@dataclass(frozen=True)
class Channel:
    """A channel of NeuroML.

    Attributes:
        component: The channel.
        gates: Those of its parts that are gates, in the order wanted.
        types: Component types of the source by name.
    """

    component: Component
    gates: tuple[Component, ...]
    types: Mapping[str, DynamicsType]


def evaluate_channel(channel: Channel, *, temperature_degC: float | None = None) -> Kinetics:
    """The gating curves of a channel, from its own rates.

    Args:
        channel: The channel.
        temperature_degC: Else the one at which its rates were measured (the lowest, where its gates
            name several), else 6.3. The outcome names none where it does not matter.
    """
    celsius = temperature_degC
    if celsius is None:
        celsius = measured_at(channel.component)
    evaluation = _Evaluation(channel, DEFAULT_CELSIUS if celsius is None else celsius)
    with np.errstate(all="ignore"):
        gates, notes = evaluation.gates()
    matters = "temperature" in evaluation.asked
    return Kinetics(evaluation.celsius if matters else None, GRID_mV, gates, joined_notes(notes))


def measured_at(component: Component) -> float | None:
    """The lowest temperature in degC at which a rate of it was measured, if one is told."""
    found = component.values.get("experimentalTemp")
    own = [] if found is None or component.role != "q10Settings" else [_in_degC(found)]
    inner = (measured_at(part) for part in component.parts)
    return min([*own, *(one for one in inner if one is not None)], default=None)


def _in_degC(kelvin: float) -> float:
    return float(f"{kelvin - ZERO_CELSIUS_K:.9g}")


class _Evaluation:
    """Evaluates all gates of a channel."""

    def __init__(self, channel: Channel, celsius: float) -> None:
        self.celsius = celsius
        self.asked: set[str] = set()
        self._channel = channel

    def gates(self) -> tuple[tuple[Gate, ...], list[tuple[str, str]]]:
        """The gates, and notes on them: name and reason."""
        try:
            outcomes = self._at(WIDE_mV)
            curves = {name: _filled(outcome) for name, outcome in outcomes.items()}
            notes = [*self._reasons(), *self._opened_by_calcium(curves)]
            notes += [note for name, curve in curves.items() for note in curve_notes(name, curve)]
            exponents = {one.id: int(one.values.get("instances", 1)) for one in self._channel.gates}
            return measured(curves, exponents, self._at), notes
        except RecursionError:
            return (), [("", "its expressions are nested too deeply")]

    def _at(self, v_mV: Floats, calcium_mM: float = RESTING_CALCIUM_mM) -> dict[str, Outcome]:
        return at_limits(v_mV, lambda v: self._outcomes(v, calcium_mM))

    def _outcomes(self, v_mV: Floats, calcium_mM: float) -> dict[str, Outcome]:
        channel = self._scope(v_mV, calcium_mM)
        return {one.id: relaxation(channel.part(one), v_mV.shape) for one in self._channel.gates}

    def _scope(self, v_mV: Floats, calcium_mM: float) -> Scope:
        values: dict[str, Value] = {
            "v": v_mV / 1e3,
            "temperature": np.float64(self.celsius + ZERO_CELSIUS_K),
            "vShift": np.float64(0),
            **dict.fromkeys(_CONCENTRATIONS, np.float64(calcium_mM)),
        }
        around = Surroundings(values, self._channel.types, self.asked)
        return Scope(self._channel.component, around)

    def _reasons(self) -> Iterator[tuple[str, str]]:
        """Why curves of gates are absent."""
        channel = self._scope(WIDE_mV[:1], RESTING_CALCIUM_mM)
        for one in self._channel.gates:
            yield from ((one.id, reason) for reason in why_absent(channel.part(one)))

    def _opened_by_calcium(self, curves: Mapping[str, Relaxation]) -> list[tuple[str, str]]:
        """Gates that calcium moves, and at which concentration they were evaluated."""
        if self.asked.isdisjoint(_CONCENTRATIONS):
            return []
        moved = self._at(WIDE_mV, 2 * RESTING_CALCIUM_mM)
        at = f"at caConc {RESTING_CALCIUM_mM:g} mM"
        return [(name, at) for name, curve in curves.items() if differs(curve, moved[name])]


def _filled(outcome: Outcome) -> Relaxation:
    if isinstance(outcome, Relaxation):
        return outcome
    nothing = np.full(WIDE_mV.shape, np.nan)
    return Relaxation(nothing, nothing)
