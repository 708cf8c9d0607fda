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
from bnnkg.kinetics.measures import GRID_mV, WIDE_mV, moves
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
            curves = {name: _filled(one) for name, one in self._at(WIDE_mV).items()}
            gates = self._channel.gates
            notes = [note for one in gates for note in self._notes(one, curves[one.id])]
            exponents = {one.id: int(one.values.get("instances", 1)) for one in gates}
            return measured(curves, exponents, self._at), notes
        except RecursionError:
            return (), [("", "its expressions are nested too deeply")]

    def _at(self, v_mV: Floats) -> dict[str, Outcome]:
        return at_limits(v_mV, self._outcomes)

    def _outcomes(self, v_mV: Floats) -> dict[str, Outcome]:
        channel = Scope(self._channel.component, self._around(v_mV))
        return {one.id: relaxation(channel.part(one), v_mV.shape) for one in self._channel.gates}

    def _around(self, v_mV: Floats) -> Surroundings:
        values: dict[str, Value] = {
            "v": v_mV / 1e3,
            "temperature": np.float64(self.celsius + ZERO_CELSIUS_K),
            "vShift": np.float64(0),
            **dict.fromkeys(_CONCENTRATIONS, np.float64(RESTING_CALCIUM_mM)),
        }
        return Surroundings(values, self._channel.types)

    def _notes(self, gate: Component, curve: Relaxation) -> Iterator[tuple[str, str]]:
        """What there is to say on a gate, and why anything of it is absent."""
        around = self._around(WIDE_mV[:1])
        scope = Scope(self._channel.component, around).part(gate)
        yield from ((gate.id, reason) for reason in why_absent(scope))
        self.asked |= around.asked
        if not around.asked.isdisjoint(_CONCENTRATIONS):
            yield gate.id, f"at caConc {RESTING_CALCIUM_mM:g} mM"
        yield from curve_notes(gate.id, curve)
        if np.isfinite(curve.steady_state).all() and not moves(curve.steady_state):
            yield gate.id, "no V-half, for its steady state does not depend on the potential"


def _filled(outcome: Outcome) -> Relaxation:
    if isinstance(outcome, Relaxation):
        return outcome
    nothing = np.full(WIDE_mV.shape, np.nan)
    return Relaxation(nothing, nothing)
