"""What a gate of LEMS does at each voltage.

A gate gives its steady state and time constant directly (``inf`` and ``tau``), by the equation of
its state, or by a scheme of states with transitions between them. Of a scheme the steady state is
its open fraction and the time constant its slowest; of a gate made of sub-gates likewise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bnnkg.kinetics.arithmetic import Unknown, Value
from bnnkg.kinetics.lems_scopes import Scope
from bnnkg.kinetics.lems_types import Component
from bnnkg.kinetics.probing import Floats
from bnnkg.kinetics.relaxation import Outcome, Relaxation, coupled_outcomes

MAX_STATES = 40
_RELATIVE_CONDUCTANCE = {"openState": 1.0, "closedState": 0.0}
_MS_PER_S = 1e3


def relaxation(gate: Scope, shape: tuple[int, ...]) -> Outcome:
    """Steady state and time constant of a gate; what is unknown of them is not a number."""
    inf, tau_s = _inf_and_tau(gate)
    if isinstance(inf, Unknown) and isinstance(tau_s, Unknown):
        return inf
    return Relaxation(_spread(inf, shape), _spread(tau_s, shape) * _MS_PER_S)


def why_absent(gate: Scope) -> tuple[str, ...]:
    """Why the steady state or the time constant of a gate is unknown; empty where neither is."""
    reasons = [one.reason for one in _inf_and_tau(gate) if isinstance(one, Unknown)]
    return tuple(dict.fromkeys(reasons))


def _inf_and_tau(gate: Scope) -> tuple[Value, Value]:
    """Steady state, and time constant in seconds."""
    if not gate.is_known:
        unknown = Unknown(f"its type {gate.component.type} is defined nowhere")
        return unknown, unknown
    if _states(gate):
        return _scheme(gate)
    if gate.has("inf"):
        return gate.value("inf"), _time_constant(gate)
    state = gate.state()
    if state is not None:
        return _by_equation(gate, state)
    if gate.has("q"):
        return gate.value("q"), np.float64(0)
    unknown = Unknown(f"its type {gate.component.type} tells neither a steady state nor rates")
    return unknown, unknown


def _time_constant(gate: Scope) -> Value:
    sub_gates = [gate.part(part) for part in gate.component.parts if part.role == "subGate"]
    if gate.has("tau") or not sub_gates:
        return gate.value("tau")
    slowest: Value = np.float64(0)
    for one in (sub_gate.value("tau") for sub_gate in sub_gates):
        if isinstance(one, Unknown):
            return one
        slowest = np.maximum(np.asarray(slowest), np.asarray(one))
    return slowest


def _by_equation(gate: Scope, state: str) -> tuple[Value, Value]:
    """From q' = a q + b: it rests at -b / a, with the time constant -1 / a."""
    at = [gate.with_state(state, q).derivative(state) for q in (0.0, 0.5, 1.0)]
    unknown = next((one for one in at if isinstance(one, Unknown)), None)
    if unknown is not None:
        return unknown, unknown
    zero, half, one = (np.asarray(value) for value in at)
    slope = one - zero
    if not np.allclose(half, (zero + one) / 2, equal_nan=True):
        unknown = Unknown(f"the equation of {state} is not linear in it")
        return unknown, unknown
    slope = np.where(slope < 0, slope, np.nan)
    return -zero / slope, -1 / slope


def _spread(value: Value, shape: tuple[int, ...]) -> Floats:
    return np.full(shape, np.nan) if isinstance(value, Unknown) else np.broadcast_to(value, shape)


# ---------------------------------------------------------------------- schemes of states


def _states(gate: Scope) -> list[Component]:
    return [p for p in gate.component.parts if p.role in _RELATIVE_CONDUCTANCE or _conducts(p)]


def _conducts(part: Component) -> bool:
    return "relativeConductance" in part.values


def _scheme(gate: Scope) -> tuple[Value, Value]:
    """Open fraction, and slowest time constant, of a scheme of states."""
    of_scheme = {one.id: one for one in reversed(_states(gate))}  # the first, where ids repeat
    states = {id_: place for place, id_ in enumerate(of_scheme)}
    found = _rates(gate, states)
    if isinstance(found, Unknown):
        return found, found
    matrix = _matrix(found, len(states))
    n_v = len(matrix)
    outcomes = coupled_outcomes(matrix, np.zeros((n_v, len(states))), np.ones(n_v))
    open_fraction = np.zeros(n_v)
    for outcome, state in zip(outcomes, of_scheme.values(), strict=True):
        if isinstance(outcome, Unknown):
            return outcome, outcome
        share = state.values.get("relativeConductance", _RELATIVE_CONDUCTANCE.get(state.role, 0.0))
        open_fraction = open_fraction + share * outcome.steady_state
    first = outcomes[0]
    assert isinstance(first, Relaxation)
    return open_fraction, first.tau_ms


_Rate = tuple[int, int, Value]
"""From which state to which, and how fast in 1/s."""


def _rates(gate: Scope, states: Mapping[str, int]) -> list[_Rate] | Unknown:
    """Transitions from a state to another with their rates in 1/s."""
    if len(states) > MAX_STATES:
        return Unknown(f"its scheme has {len(states)} states")
    scale = gate.value("rateScale")
    if isinstance(scale, Unknown):
        return scale
    rates: list[_Rate] = []
    for part in gate.component.parts:
        ends = [states.get(part.links.get(name, "")) for name in ("from", "to")]
        if not {"from", "to"} <= part.links.keys():
            continue
        if ends[0] is None or ends[1] is None:
            return Unknown(f"a {part.role} leads from or to no state of the gate")
        forward, backward = (gate.part(part).value(name) for name in ("rf", "rr"))
        if isinstance(forward, Unknown):
            return forward
        if isinstance(backward, Unknown):
            return backward
        rates += [(ends[0], ends[1], forward * scale), (ends[1], ends[0], backward * scale)]
    return rates


def _matrix(rates: Sequence[_Rate], n_states: int) -> Floats:
    """A of x' = A x, (voltage, state, state)."""
    n_v = max((np.asarray(rate).size for _, _, rate in rates), default=1)
    matrix = np.zeros((n_v, n_states, n_states))
    for source, target, rate in rates:
        matrix[:, target, source] += np.asarray(rate)
        matrix[:, source, source] -= np.asarray(rate)
    return matrix
