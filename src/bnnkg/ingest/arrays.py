"""Arrays of rows in as few bytes as their values need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_WIDTHS = (np.int8, np.int16, np.int32)


def narrow(values: np.ndarray) -> np.ndarray:
    """The same values in fewer bytes: one that is everywhere is held once, integers are narrow.

    What comes back may be a read-only view of a single value.
    """
    if not len(values):
        return values
    low, high = values.min(), values.max()
    if low == high or (low != low and bool((values != values).all())):
        return same(values[0], len(values))
    if values.dtype.kind == "i":
        return values.astype(_narrowest(low, high), copy=False)
    return values


def _narrowest(low: int, high: int) -> np.dtype[np.signedinteger]:
    """The smallest type of integers in a range."""
    fits = (w for w in _WIDTHS if np.iinfo(w).min <= low and high <= np.iinfo(w).max)
    return np.dtype(next(fits, np.int64))


def same(value: object, n_rows: int) -> np.ndarray:
    """One value in every row, held once."""
    return np.broadcast_to(np.array(value), n_rows)


def is_same(values: np.ndarray) -> bool:
    """Whether an array holds one value once for all its rows."""
    return len(values) > 0 and values.strides == (0,)


def only(values: np.ndarray, good: npt.NDArray[np.bool_]) -> np.ndarray:
    """The rows for which ``good`` holds."""
    if good.all():
        return values
    return same(values[0], int(good.sum())) if is_same(values) else values[good]


def joined(parts: Sequence[np.ndarray], type_: type[np.generic] = np.int64) -> np.ndarray:
    """Arrays one after the other, narrow; of a type where there are none."""
    parts = [part for part in parts if len(part)] or list(parts[:1])
    if len(parts) < 2:
        return parts[0] if parts else np.zeros(0, type_)
    if all(map(is_same, parts)) and len({part[0] for part in parts}) == 1:
        return same(parts[0][0], sum(map(len, parts)))
    # One value held once is of the widest type, and would make all others so.
    types = [
        _narrowest(part[0], part[0]) if is_same(part) and part.dtype.kind == "i" else part.dtype
        for part in parts
    ]
    return np.concatenate(parts, dtype=np.result_type(*types), casting="same_kind")
