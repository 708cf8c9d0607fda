"""The equations of a mechanism's states, found by running its blocks with chosen state values.

One run takes many voltages and many values of the states at once: none, each alone at 1 and at 1/2,
all at 1/2 and all at 1. Where x' is linear in the states this gives its coefficients exactly; where
it is not, that shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnkg.kinetics.arithmetic import Unknown, Value
from bnnkg.kinetics.interpreter import CannotEvaluateError, Machine, elements
from bnnkg.kinetics.surroundings import concentrations_written, surroundings
from bnnkg.kinetics.syntax import ModFile

MAX_STATES = 40
NOT_LINEAR = Unknown("its equation is not linear in the states")
_ROUNDING = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Clamp:
    """Where a mechanism is evaluated.

    Attributes:
        mod: The mechanism.
        v_mV: Voltages, (n,).
        celsius: Temperature in degrees Celsius.
        parameters: Values to take instead of the file's own.
    """

    mod: ModFile
    v_mV: Floats
    celsius: float
    parameters: Mapping[str, float]

    def initialised(self) -> Machine:
        """A machine after ``INITIAL``."""
        around = surroundings(self.mod, self.v_mV, self.celsius, self.parameters)
        machine = Machine(self.mod.blocks, around)
        machine.solving = False
        self.run(machine, "INITIAL")
        machine.solving = True
        machine.written.clear()
        return machine

    def run(self, machine: Machine, kind: str) -> None:
        """Run every block of a kind."""
        for block in self.mod.blocks:
            if block.kind == kind:
                machine.run(block.body)


@dataclass(frozen=True)
class Response:
    """A linear equation at each voltage.

    Attributes:
        at_zero: Its value where all states are 0, (n,).
        slopes: Its slope in each state, (state, n).
        steps: Whether it is the state's next value, dt later, rather than its derivative.
    """

    at_zero: Floats
    slopes: Floats
    steps: bool

    def depends_on(self, place: int) -> bool:
        """Whether a state moves it, where it is a number."""
        slope = self.slopes[place]
        return bool(slope[np.isfinite(slope)].any())


@dataclass(frozen=True)
class Probed:
    """What the probes showed.

    Attributes:
        names: States.
        responses: The equation of each, or why there is none.
        starts: Where ``INITIAL`` puts each.
        conserved: Sums of states that ``CONSERVE`` fixes: their terms by name, and the total.
    """

    names: list[str]
    responses: dict[str, Response | Unknown]
    starts: dict[str, Value]
    conserved: Sequence[tuple[Mapping[str, int], Value]]


def state_names(mod: ModFile) -> list[str]:
    """States by name, elements of arrays one by one, without concentrations of ions.

    Raises:
        CannotEvaluateError: There are too many.
    """
    written = concentrations_written(mod)
    names = [
        key
        for state in mod.states
        if state.name not in written
        for key in ([state.name] if state.size is None else elements(state.name, state.size))
    ]
    if len(names) > MAX_STATES:
        raise CannotEvaluateError(f"it has {len(names)} states")
    return names


def probe_together(clamp: Clamp) -> Probed:
    """The equations of all states.

    Raises:
        CannotEvaluateError: The blocks cannot be run.
    """
    names = state_names(clamp.mod)
    machine = clamp.initialised()
    starts = {name: machine.variables.get(name, np.float64(0)) for name in names}
    table = _together(len(names))
    machine.variables |= {name: table[:, [place]] for place, name in enumerate(names)}
    clamp.run(machine, "BREAKPOINT")
    shape = (len(table), len(clamp.v_mV))
    responses = {name: _response(_answers(machine, name, shape)) for name in names}
    return Probed(names, responses, starts, machine.conserved)


def _together(n: int) -> Floats:
    """Values of n states in every probe: zero, each at 1, each at 1/2, all at 1/2, all at 1."""
    one, half = np.eye(n), np.eye(n) / 2
    return np.concatenate([np.zeros((1, n)), one, half, np.full((1, n), 0.5), np.ones((1, n))])


@dataclass(frozen=True)
class _Answers:
    """What an equation gave in each probe and at each voltage."""

    values: Floats
    steps: bool

    def agree(self, found: Floats, expected: Floats) -> bool:
        """Whether values are as a linear equation has them, but for rounding."""
        scale = np.abs(self.values).max(axis=0) + self.steps  # a step adds to a state of about 1
        error = np.abs(found - expected)[:, np.isfinite(scale)]
        return not (error > _ROUNDING * scale[np.isfinite(scale)]).any()


def _answers(machine: Machine, name: str, shape: tuple[int, int]) -> _Answers | Unknown:
    steps = name not in machine.derivatives
    if steps and name not in machine.written:
        return Unknown("no equation changes it")
    values = (machine.variables if steps else machine.derivatives)[name]
    return (
        values if isinstance(values, Unknown) else _Answers(np.broadcast_to(values, shape), steps)
    )


def _response(answers: _Answers | Unknown) -> Response | Unknown:
    if isinstance(answers, Unknown):
        return answers
    values = answers.values
    n = (len(values) - 3) // 2
    at_zero, slopes = values[0], values[1 : n + 1] - values[0]
    together = slopes.sum(axis=0)
    expected = [*(at_zero + slopes / 2), at_zero + together / 2, at_zero + together]
    if not answers.agree(values[n + 1 :], np.stack(expected)):
        return NOT_LINEAR
    return Response(at_zero, slopes, answers.steps)


def probe_apart(clamp: Clamp, asked: Sequence[str]) -> dict[str, Response | Unknown]:
    """The equations of some states, each while the others stay where ``INITIAL`` puts them.

    The slopes are those of each state in itself, (1, n).

    Raises:
        CannotEvaluateError: The blocks cannot be run.
    """
    machine = clamp.initialised()
    rows = 3 * len(asked)
    for place, name in enumerate(asked):
        start = machine.variables[name]
        if not isinstance(start, Unknown):
            table = np.tile(start, (rows, 1))
            table[3 * place : 3 * place + 3] = [[0.0], [0.5], [1.0]]
            machine.variables[name] = table
    clamp.run(machine, "BREAKPOINT")
    shape = (rows, len(clamp.v_mV))
    return {
        name: _own_response(_answers(machine, name, shape), place)
        for place, name in enumerate(asked)
    }


def _own_response(answers: _Answers | Unknown, place: int) -> Response | Unknown:
    if isinstance(answers, Unknown):
        return answers
    at_zero, half, one = answers.values[3 * place : 3 * place + 3]
    if not answers.agree(half[None], (at_zero + one)[None] / 2):
        return NOT_LINEAR
    return Response(at_zero, (one - at_zero)[None], answers.steps)
