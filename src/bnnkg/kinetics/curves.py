"""Gating curves of a mechanism: the steady state and time constant of each of its gates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bnnkg.kinetics.arithmetic import Unknown
from bnnkg.kinetics.exponents import exponents
from bnnkg.kinetics.gates import Gate, Kinetics, at_limits, curve_notes, joined_notes, measured
from bnnkg.kinetics.interpreter import CannotEvaluateError
from bnnkg.kinetics.measures import GRID_mV, WIDE_mV, differs, varies
from bnnkg.kinetics.probing import Clamp, Floats
from bnnkg.kinetics.relaxation import Outcome, Relaxation, relaxations
from bnnkg.kinetics.surroundings import concentrations_read, surroundings, temperature
from bnnkg.kinetics.syntax import ModFile


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
    return Kinetics(celsius, GRID_mV, gates, joined_notes(notes))


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
        notes += [note for name, curve in chosen.items() for note in curve_notes(name, curve)]
        powers = exponents(Clamp(self._mod, WIDE_mV, self._celsius, self._parameters))
        return measured(chosen, powers, self._at), notes

    def _at(self, v_mV: Floats, more: Mapping[str, float] | None = None) -> dict[str, Outcome]:
        parameters = {**self._parameters, **(more or {})}
        return at_limits(
            v_mV, lambda v: relaxations(Clamp(self._mod, v, self._celsius, parameters))
        )

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
