"""Where states come to rest and how fast, from the equations x' = A x + b that probing finds.

Whatever the author called the rates::

    one state:      x_inf = -b / A              tau = -1 / A
    coupled states: x_inf = -A^-1 b             tau = -1 / (the slowest eigenvalue of A)

where a closed scheme has the sum of its states (``CONSERVE``) for one of its equations. A state
that a procedure steps by itself, x <- a + c x within dt, has x_inf = a / (1 - c), tau = -dt / ln c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnkg.kinetics.arithmetic import Unknown
from bnnkg.kinetics.probing import (
    NOT_LINEAR,
    Clamp,
    Floats,
    Probed,
    Response,
    probe_apart,
    probe_together,
)
from bnnkg.kinetics.surroundings import DT_MS

_ROUNDING = 1e-14


@dataclass(frozen=True)
class Relaxation:
    """A state's steady state and time constant at each voltage.

    Attributes:
        steady_state: Where it comes to rest, (n,).
        tau_ms: How slowly, (n,).
        others_fixed: Whether that holds only with the other states where ``INITIAL`` puts them.
    """

    steady_state: Floats
    tau_ms: Floats
    others_fixed: bool = False


Outcome = Relaxation | Unknown


def relaxations(clamp: Clamp) -> dict[str, Outcome]:
    """What each state of a mechanism does at each voltage.

    Raises:
        CannotEvaluateError: Its blocks cannot be run.
    """
    probed = probe_together(clamp)
    found = _Solving(probed, len(clamp.v_mV)).outcomes()
    asked = [name for name in found if _needs_others(probed.responses[name])]
    if asked and len(probed.names) > 1:
        apart = probe_apart(clamp, asked)
        found |= {name: _alone(response, 0, others_fixed=True) for name, response in apart.items()}
    return found


def _needs_others(response: Response | Unknown) -> bool:
    """Whether an equation makes sense only with the other states at likely values."""
    if isinstance(response, Unknown):
        return response is NOT_LINEAR
    return bool(np.isnan(response.at_zero).all())


class _Solving:
    """Solves the equations that were found, those of coupled states together."""

    def __init__(self, probed: Probed, n_v: int) -> None:
        self._probed = probed
        self._names = probed.names
        self._n_v = n_v
        self._found: dict[str, Outcome] = {}

    def outcomes(self) -> dict[str, Outcome]:
        """What each state does."""
        for place, name in enumerate(self._names):
            if name not in self._found:
                self._solve(place, name)
        return {name: self._found[name] for name in self._names}

    def _solve(self, place: int, name: str) -> None:
        response = self._probed.responses[name]
        others = [i for i in range(len(self._names)) if i != place]
        if isinstance(response, Unknown) or not any(response.depends_on(i) for i in others):
            self._found[name] = _alone(response, place)
        elif response.steps:
            self._found[name] = Unknown("its step depends on other states")
        else:
            self._solve_coupled(self._coupled(name))

    def _coupled(self, name: str) -> list[str]:
        """States that are connected with this one, in order."""
        found = {name}
        waiting = [name]
        while waiting:
            at = waiting.pop()
            near = [other for other in self._names if self._touch(at, other)]
            waiting += [other for other in near if other not in found]
            found.update(near)
        return [each for each in self._names if each in found]

    def _touch(self, one: str, other: str) -> bool:
        return self._drives(one, other) or self._drives(other, one)

    def _drives(self, source: str, target: str) -> bool:
        response = self._probed.responses[target]
        return isinstance(response, Response) and response.depends_on(self._names.index(source))

    def _solve_coupled(self, names: list[str]) -> None:
        responses = [self._probed.responses[name] for name in names]
        rows = [each for each in responses if isinstance(each, Response) and not each.steps]
        if len(rows) < len(names):
            self._found |= dict.fromkeys(names, Unknown("a state that it is coupled to is unknown"))
            return
        places = [self._names.index(name) for name in names]
        matrix = np.stack([row.slopes[places].T for row in rows], axis=1)
        constant = np.stack([row.at_zero for row in rows], axis=1)
        solved = coupled_outcomes(matrix, constant, self._total(names))
        self._found |= dict(zip(names, solved, strict=True))

    def _total(self, names: list[str]) -> Floats:
        """What the sum of a closed scheme's states is: as conserved, as it starts, or one."""
        for terms, total in self._probed.conserved:
            whole = set(terms) == set(names) and set(terms.values()) == {1}
            if whole and not isinstance(total, Unknown):
                return np.broadcast_to(np.asarray(total), (self._n_v,))
        starts = [self._probed.starts[name] for name in names]
        known = [each for each in starts if not isinstance(each, Unknown)]
        total = np.broadcast_to(np.sum(np.broadcast_arrays(*known), axis=0), (self._n_v,))
        sound = len(known) == len(starts) and np.isfinite(total).all() and (total > 0).all()
        return total if sound else np.ones(self._n_v)


def _alone(response: Response | Unknown, place: int, *, others_fixed: bool = False) -> Outcome:
    """What a state does whose equation holds no other state."""
    if isinstance(response, Unknown):
        return response
    constant, slope = response.at_zero, response.slopes[place]
    rests = (slope > -_ROUNDING) & (slope < 1) if response.steps else slope < 0
    if not rests.any():
        return Unknown(f"{_no_rest(slope)} with the parameters of the file")
    slope = np.where(rests, slope, np.nan)
    if not response.steps:
        return Relaxation(-constant / slope, -1 / slope, others_fixed)
    tau = np.where(slope < _ROUNDING, 0.0, -DT_MS / np.log(slope))
    return Relaxation(constant / (1 - slope), tau, others_fixed)


def _no_rest(slope: Floats) -> str:
    return "its rates are not finite" if np.isnan(slope).all() else "it has no steady state"


def coupled_outcomes(matrix: Floats, constant: Floats, total: Floats) -> list[Outcome]:
    """Steady states of x' = A x + b; ``matrix`` is (voltage, state, state)."""
    n = matrix.shape[1]
    finite = np.asarray(np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(constant).all(axis=1))
    matrix, constant, total = matrix[finite], constant[finite], total[finite]
    if not matrix.any():
        what = "it has no steady state" if finite.any() else "its rates are not finite"
        return [Unknown(f"{what} with the parameters of the file")] * n
    scale = np.abs(matrix).max(axis=(1, 2))[:, None]
    closed = bool((np.abs(matrix.sum(axis=1)) <= 1e-9 * scale).all() and not constant.any())
    try:
        rates: Floats = np.sort(-np.linalg.eigvals(matrix).real, axis=1)
        if closed:
            matrix, constant = matrix.copy(), constant.copy()
            matrix[:, -1, :], constant[:, -1] = 1.0, -total
        rest = np.linalg.solve(matrix, -constant[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return [Unknown("its scheme has no single steady state")] * n
    slowest: Floats = rates[:, 1] if closed else rates[:, 0]
    tau = _spread(1 / np.where(slowest > 0, slowest, np.nan), finite)
    return [Relaxation(_spread(rest[:, place], finite), tau) for place in range(n)]


def _spread(values: NDArray[np.floating], where: NDArray[np.bool_]) -> Floats:
    spread = np.full(where.shape, np.nan)
    spread[where] = values
    return spread
