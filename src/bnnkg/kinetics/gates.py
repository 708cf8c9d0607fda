"""Gates as they are measured, whatever language their equations were written in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnkg.kinetics.arithmetic import Unknown
from bnnkg.kinetics.measures import (
    half_and_slope,
    half_bracket,
    moves,
    on_grid,
    slowest,
    slowest_bracket,
    why_no_half,
    without_spikes,
)
from bnnkg.kinetics.probing import Floats
from bnnkg.kinetics.relaxation import Outcome, Relaxation

_FINE = 33
_BESIDE_mV = 1e-4

Outcomes = Mapping[str, Outcome]
At = Callable[[Floats], Outcomes]
"""Voltages in mV, (n,), to what each state does there."""


@dataclass(frozen=True)
class Gate:
    """A state that the voltage (or a concentration) opens and closes.

    Attributes:
        name: As in the file.
        exponent: Its power in the current, absent where there is no single whole one.
        v_half_mV: Where the steady state is half between its extremes; NaN where it is flat, or
            rises and falls.
        slope_mV: (max - min) / (4 dx/dv) at ``v_half_mV``, the k of a Boltzmann function; positive
            where depolarisation opens it.
        tau_max_ms: Greatest time constant between -120 and 60 mV.
        tau_max_at_mV: Where it is.
        steady_state: At the voltages of its :class:`Kinetics`.
        tau_ms: Time constants there; of a scheme of coupled states, the slowest.
    """

    name: str
    exponent: int | None
    v_half_mV: float
    slope_mV: float
    tau_max_ms: float
    tau_max_at_mV: float
    steady_state: NDArray[np.float64]
    tau_ms: NDArray[np.float64]


@dataclass(frozen=True)
class Kinetics:
    """The gates of a mechanism at one temperature.

    Attributes:
        temperature_degC: That temperature; absent where the curves are the same at any.
        voltages_mV: Where the curves are given, (37,): -120 to 60 in steps of 5.
        gates: States that depend on the voltage, in the order of the file; of a NeuroML channel
            all gates.
        note: What could not be evaluated, and why; empty where all was.
    """

    temperature_degC: float | None
    voltages_mV: NDArray[np.float64]
    gates: tuple[Gate, ...]
    note: str


def at_limits(v_mV: Floats, outcomes_at: At) -> dict[str, Outcome]:
    """Outcomes at voltages; where a single voltage stands out, the limit from both sides."""
    around = np.concatenate([v_mV, v_mV - _BESIDE_mV, v_mV + _BESIDE_mV])
    return {name: _healed(outcome) for name, outcome in outcomes_at(around).items()}


def measured(
    curves: Mapping[str, Relaxation], exponents: Mapping[str, int | None], at: At
) -> tuple[Gate, ...]:
    """Gates of curves at ``WIDE_mV``, evaluated again close around what is looked for.

    Args:
        curves: By name.
        exponents: Likewise.
        at: Evaluates them at other voltages.
    """
    found = {bracket(curve) for curve in curves.values() for bracket in _BRACKETS}
    steps = [np.linspace(*bracket, _FINE) for bracket in found if bracket is not None]
    v_mV = np.unique(np.concatenate(steps)) if steps else np.empty(0)
    fine = _Fine(v_mV, at(v_mV) if v_mV.size else {})
    return tuple(_gate(name, exponents[name], curve, fine) for name, curve in curves.items())


def curve_notes(name: str, curve: Relaxation) -> Iterator[tuple[str, str]]:
    """What there is to say on a curve: the name and the note."""
    if curve.others_fixed:
        yield name, "with the other states at their start"
    if moves(curve.steady_state) and half_bracket(curve) is None:
        yield name, why_no_half(curve)


def joined_notes(notes: Iterable[tuple[str, str]]) -> str:
    """Notes of states and their reasons, those of one reason together."""
    states: dict[str, list[str]] = {}
    for name, reason in notes:
        states.setdefault(reason, []).append(name)
    named = ((", ".join(filter(None, names)), reason) for reason, names in states.items())
    return "; ".join(f"{names}: {reason}" if names else reason for names, reason in named)


_BRACKETS = (half_bracket, slowest_bracket)


@dataclass(frozen=True)
class _Fine:
    """Outcomes at voltages that lie close around what is looked for."""

    v_mV: Floats
    outcomes: Mapping[str, Outcome]

    def within(self, name: str, bracket: tuple[float, float]) -> tuple[Floats, Relaxation]:
        """The voltages of a bracket and the state's curve there."""
        outcome = self.outcomes[name]
        inside = (self.v_mV >= bracket[0]) & (self.v_mV <= bracket[1])
        if isinstance(outcome, Unknown):
            nothing = np.full(np.count_nonzero(inside), math.nan)
            return self.v_mV[inside], Relaxation(nothing, nothing)
        curve = Relaxation(outcome.steady_state[inside], outcome.tau_ms[inside])
        return self.v_mV[inside], curve


def _gate(name: str, exponent: int | None, curve: Relaxation, fine: _Fine) -> Gate:
    v_half, slope, tau_max, tau_max_at = (math.nan,) * 4
    if half := half_bracket(curve):
        v, close = fine.within(name, half)
        v_half, slope = half_and_slope(curve, v, close.steady_state)
    if top := slowest_bracket(curve):
        v, close = fine.within(name, top)
        tau_max, tau_max_at = slowest(v, close.tau_ms)
    curves = (on_grid(curve.steady_state), on_grid(curve.tau_ms))
    return Gate(name, exponent, v_half, slope, tau_max, tau_max_at, *curves)


def _healed(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Unknown):
        return outcome
    healed = (without_spikes(outcome.steady_state), without_spikes(outcome.tau_ms))
    return Relaxation(*healed, outcome.others_fixed)
