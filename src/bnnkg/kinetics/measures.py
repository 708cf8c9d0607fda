"""What is read off a gating curve: half-activation, slope, and where it is slowest."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bnnkg.kinetics.arithmetic import Unknown
from bnnkg.kinetics.probing import Floats
from bnnkg.kinetics.relaxation import Outcome, Relaxation

GRID_mV: Floats = np.arange(-120, 61, 5).astype(np.float64)
"""Voltages of the stored curves."""
WIDE_mV: Floats = np.arange(-400, 241, 5).astype(np.float64) / 2
"""Voltages of the first evaluation, beyond the grid, where steady states reach their extremes."""
GRID_mV.setflags(write=False)
WIDE_mV.setflags(write=False)

_ON_GRID = np.isin(WIDE_mV, GRID_mV)
_WITHIN_GRID = np.asarray((WIDE_mV >= GRID_mV[0]) & (WIDE_mV <= GRID_mV[-1]))
_VARIES = 1e-9
_TURNS_BACK = 0.1

Bracket: TypeAlias = tuple[float, float]


def on_grid(wide: Floats) -> Floats:
    """The values at ``GRID_mV`` of those at ``WIDE_mV``."""
    return wide[_ON_GRID]


def moves(x: Floats) -> bool:
    """Whether a curve is more than flat, as far as it is finite between -120 and 60 mV."""
    x = x[_WITHIN_GRID & np.isfinite(x)]
    return bool(x.size and np.ptp(x) > _VARIES * np.abs(x).max())


def varies(curve: Relaxation) -> bool:
    """Whether the voltage changes a state's rest or its time constant."""
    return moves(curve.steady_state) or moves(curve.tau_ms)


def differs(curve: Relaxation, other: Outcome) -> bool:
    """Whether two evaluations of one state differ by more than rounding."""
    if isinstance(other, Unknown):
        return False
    pairs = ((curve.steady_state, other.steady_state), (curve.tau_ms, other.tau_ms))
    return any(not np.allclose(a, b, rtol=_VARIES, atol=0, equal_nan=True) for a, b in pairs)


def half_bracket(curve: Relaxation) -> Bracket | None:
    """The step of ``WIDE_mV`` in which the steady state is half between its extremes."""
    inside = _span(curve.steady_state)
    if inside is None or not moves(curve.steady_state):
        return None
    v, place = WIDE_mV[inside], int(_crossings(curve.steady_state[inside])[0])
    return float(v[place]), float(v[place + 1])


def why_no_half(curve: Relaxation) -> str:
    """Why a steady state has no half, where it has none."""
    if not np.isfinite(on_grid(curve.steady_state)).all():
        return "no V-half, for its steady state is not finite everywhere"
    return "no V-half, for it rises and falls"


def _span(wide: Floats) -> NDArray[np.bool_] | None:
    """The voltages over which a steady state rises, or falls; absent where it does both.

    From -200 to 120 mV, so that its extremes are reached; else between -120 and 60 mV, for rates
    may make no sense beyond. It may turn back by a tenth of its range, if it passes its half once.
    """
    for inside in (np.ones(WIDE_mV.shape, np.bool_), _WITHIN_GRID):
        x = wide[inside]
        steps = np.diff(x)
        back = min(-steps[steps < 0].sum(), steps[steps > 0].sum())
        if np.isfinite(x).all() and back <= _TURNS_BACK * np.ptp(x) and len(_crossings(x)) == 1:
            return inside
    return None


def _crossings(x: Floats) -> NDArray[np.intp]:
    """Places before which and after which a curve is on different sides of its half."""
    above = x > (x.min() + x.max()) / 2
    return np.flatnonzero(above[1:] != above[:-1])


def slowest_bracket(curve: Relaxation) -> Bracket | None:
    """The two steps of ``WIDE_mV`` around the greatest time constant between -120 and 60 mV."""
    v, tau = WIDE_mV[_WITHIN_GRID], curve.tau_ms[_WITHIN_GRID]
    if not np.isfinite(tau).any():
        return None
    place = int(np.nanargmax(np.where(np.isfinite(tau), tau, np.nan)))
    return float(v[max(place - 1, 0)]), float(v[min(place + 1, len(v) - 1)])


def half_and_slope(curve: Relaxation, v_mV: Floats, fine: Floats) -> tuple[float, float]:
    """V-half and slope, from the whole curve's extremes and its steady state close to the half."""
    wide = curve.steady_state[_span(curve.steady_state)]
    low, high = float(wide.min()), float(wide.max())
    order = np.argsort(fine)
    v_half = float(np.interp((low + high) / 2, fine[order], v_mV[order]))
    dx_dv = float(np.interp(v_half, v_mV, np.gradient(fine, v_mV)))
    return v_half, (high - low) / (4 * dx_dv) if dx_dv else math.nan


def slowest(v_mV: Floats, tau_ms: Floats) -> tuple[float, float]:
    """The greatest time constant, and where it is."""
    if not np.isfinite(tau_ms).any():
        return math.nan, math.nan
    place = int(np.nanargmax(tau_ms))
    return float(tau_ms[place]), float(v_mV[place])


def without_spikes(around: Floats) -> Floats:
    """Values at voltages, (n,), from those at them, just below and just above, (3 n,).

    Where a rate is 0/0, or an author's guard against it stands at a wrong voltage, the value at one
    voltage alone is none, or a wrong one: both sides agree with each other and not with it.
    """
    at, below, above = around.reshape(3, -1)
    limit = (below + above) / 2
    size = 1e-3 * np.abs(limit) + _VARIES * np.abs(limit[np.isfinite(limit)]).max(initial=0.0)
    near = 10 * np.abs(above - below) + size
    spike = np.isfinite(limit) & ~(np.abs(at - limit) <= near)
    return np.where(spike, limit, at)
