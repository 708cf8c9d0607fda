"""Numbers of NEURON brought back to what the author wrote, as far as that can be told."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bnnkg.ingest.parsed import Floats, Integers

DIGITS = 9


def nine_digits(values: Floats) -> Floats:
    """Values at nine significant digits, element by element; -0 becomes 0, NaN stays."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        power = DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.abs(power)
        up = np.rint(values * scale) / scale
        down = np.rint(values / scale) * scale
        rounded = np.where(power >= 0, up, down)
    return np.where(np.isfinite(rounded), rounded, values) + 0.0


def as_written(values: Floats) -> Floats:
    """The shortest decimals that single precision rounds to the same values, element by element.

    NEURON keeps 3-D points in single precision: 12.3 comes back as 12.300000190734863. What is not
    a number of single precision stays as it is.
    """
    single = values.astype(np.float32)
    found = values.copy()
    open_ = (single == values) & (values != 0) & np.isfinite(values)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = np.floor(np.log10(np.abs(values)))
    for digits in range(6, DIGITS + 1):
        if not open_.any():
            break
        shift = digits - 1 - power[open_]
        scale = 10.0 ** np.abs(shift)
        here = values[open_]
        near = np.where(shift >= 0, np.rint(here * scale) / scale, np.rint(here / scale) * scale)
        hit = near.astype(np.float32) == single[open_]
        rows = np.flatnonzero(open_)[hit]
        found.ravel()[rows] = near[hit]
        open_.ravel()[rows] = False
    return found + 0.0


def texts(values: Iterable[float]) -> list[str]:
    """Values as text for a hash: nine significant digits, equal for equal numbers."""
    return [f"{value + 0.0:.9g}" for value in values]


def micrometres_apart(points: Floats, origin: Floats) -> Floats:
    """Coordinates from an origin; what is smaller than a millionth of a um is rounding, and 0."""
    return np.round(points - origin, 6) + 0.0


def distinct_rows(values: Floats) -> tuple[Floats, Integers]:
    """The distinct rows of a table, at nine digits, and which of them each row is.

    Rows are compared as bytes, so that NaN is like NaN; they come in the order of their first
    occurrence.
    """
    rounded = np.ascontiguousarray(nine_digits(values))
    if not rounded.shape[1]:
        return rounded[:1], np.zeros(len(rounded), np.int64)
    rounded[np.isnan(rounded)] = np.nan
    keys = rounded.view(np.dtype((np.void, rounded.dtype.itemsize * rounded.shape[1]))).ravel()
    _, first, of_row = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rounded[first[order]], rank[of_row.reshape(-1)]
