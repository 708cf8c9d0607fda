"""Gating curves of a mechanism: the steady state and time constant of each of its gates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnkg.kinetics.arithmetic import Unknown
from bnnkg.kinetics.exponents import exponents
from bnnkg.kinetics.interpreter import CannotEvaluateError
from bnnkg.kinetics.measures import (
    GRID_mV,
    WIDE_mV,
    differs,
    half_and_slope,
    half_bracket,
    moves,
    on_grid,
    slowest,
    slowest_bracket,
    varies,
    why_no_half,
    without_spikes,
)
from bnnkg.kinetics.probing import Clamp, Floats
from bnnkg.kinetics.relaxation import Outcome, Relaxation, relaxations
from bnnkg.kinetics.surroundings import concentrations_read, surroundings, temperature
from bnnkg.kinetics.syntax import ModFile

_FINE = 33
_BESIDE_mV = 1e-4


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
        temperature_degC: That temperature.
        voltages_mV: Where the curves are given, (37,): -120 to 60 in steps of 5.
        gates: States that depend on the voltage, in the order of the file.
        note: What could not be evaluated, and why; empty where all was.
    """

    temperature_degC: float
    voltages_mV: NDArray[np.float64]
    gates: tuple[Gate, ...]
    note: str


def evaluate_kinetics(
    mod: ModFile,
    *,
    temperature_degC: float | None = None,
    parameters: Mapping[str, float] | None = None,
) -> Kinetics:
    """The gating curves of a mechanism, from its own equations and parameters.

    Its ``INITIAL`` and ``BREAKPOINT`` blocks run over a grid of voltages, as NEURON would run them
    under voltage clamp; ``TABLE`` statements, which only approximate the same rates, are not used.
    Ions rest at NEURON's defaults (calcium inside at 5e-5 mM).

    Args:
        mod: The mechanism.
        temperature_degC: Else the file's own ``celsius``, else NEURON's 6.3.
        parameters: Values to take instead of the file's own.
    """
    celsius = temperature(mod, temperature_degC)
    evaluation = _Evaluation(mod, celsius, parameters or {})
    with np.errstate(all="ignore"):
        try:
            gates, notes = evaluation.gates()
        except CannotEvaluateError as error:
            gates, notes = (), [("", str(error))]
        except RecursionError:
            gates, notes = (), [("", "its expressions are nested too deeply")]
    return Kinetics(celsius, GRID_mV, gates, _joined(notes))


def _joined(notes: Iterable[tuple[str, str]]) -> str:
    """Notes of states and their reasons, those of one reason together."""
    states: dict[str, list[str]] = {}
    for name, reason in notes:
        states.setdefault(reason, []).append(name)
    named = ((", ".join(filter(None, names)), reason) for reason, names in states.items())
    return "; ".join(f"{names}: {reason}" if names else reason for names, reason in named)


class _Evaluation:
    def __init__(self, mod: ModFile, celsius: float, parameters: Mapping[str, float]) -> None:
        self._mod = mod
        self._celsius = celsius
        self._parameters = parameters

    def gates(self) -> tuple[tuple[Gate, ...], list[tuple[str, str]]]:
        """The gates, and notes on states: name and reason."""
        if not self._mod.states:
            return (), [("", "no states")]
        outcomes = self._at(WIDE_mV)
        notes = [(n, o.reason) for n, o in outcomes.items() if isinstance(o, Unknown)]
        curves = {n: o for n, o in outcomes.items() if isinstance(o, Relaxation)}
        opened = self._opened_by_concentrations(curves)
        chosen = {n: c for n, c in curves.items() if varies(c) or n in opened}
        if not chosen:
            return (), notes or [("", "no voltage-dependent states")]
        notes += opened.items()
        notes += [note for name, curve in chosen.items() for note in _notes(name, curve)]
        powers = exponents(Clamp(self._mod, WIDE_mV, self._celsius, self._parameters))
        fine = self._fine(chosen)
        return tuple(_gate(n, powers[n], curve, fine) for n, curve in chosen.items()), notes

    def _at(self, v_mV: Floats, more: Mapping[str, float] | None = None) -> dict[str, Outcome]:
        """Outcomes at voltages; where a single voltage stands out, the limit from both sides."""
        around = np.concatenate([v_mV, v_mV - _BESIDE_mV, v_mV + _BESIDE_mV])
        parameters = {**self._parameters, **(more or {})}
        outcomes = relaxations(Clamp(self._mod, around, self._celsius, parameters))
        return {name: _healed(outcome) for name, outcome in outcomes.items()}

    def _opened_by_concentrations(self, curves: Mapping[str, Relaxation]) -> dict[str, str]:
        """States that a concentration moves, and at which one they were evaluated."""
        names = concentrations_read(self._mod)
        if not curves or not names:
            return {}
        around = surroundings(self._mod, np.float64(0), self._celsius, self._parameters)
        values = ((name, around[name]) for name in names)
        resting = {n: float(value) for n, value in values if not isinstance(value, Unknown)}
        moved = self._at(WIDE_mV, {name: 2 * value for name, value in resting.items()})
        at = ", ".join(f"{name} {value:g} mM" for name, value in resting.items())
        return {name: f"at {at}" for name, curve in curves.items() if differs(curve, moved[name])}

    def _fine(self, curves: Mapping[str, Relaxation]) -> _Fine:
        """A second evaluation, close around what is looked for."""
        found = {bracket(curve) for curve in curves.values() for bracket in _BRACKETS}
        steps = [np.linspace(*bracket, _FINE) for bracket in found if bracket is not None]
        v_mV = np.unique(np.concatenate(steps)) if steps else np.empty(0)
        return _Fine(v_mV, self._at(v_mV))


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


def _notes(name: str, curve: Relaxation) -> Iterator[tuple[str, str]]:
    if curve.others_fixed:
        yield name, "with the other states at their start"
    if moves(curve.steady_state) and half_bracket(curve) is None:
        yield name, why_no_half(curve)


def _healed(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Unknown):
        return outcome
    healed = (without_spikes(outcome.steady_state), without_spikes(outcome.tau_ms))
    return Relaxation(*healed, outcome.others_fixed)
