"""Values of NMODL expressions over many voltages at once, and what is computed with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

EXPONENT_LIMIT = 700.0
"""Beyond it NEURON's ``exp`` stays where it is (``hoc_Exp``)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that cannot be computed, and why; whatever is computed from it is unknown too."""

    reason: str


Numeric: TypeAlias = NDArray[np.float64] | np.float64
Value: TypeAlias = Numeric | Unknown


def _exp(x: Any) -> Any:
    return np.where(x < -EXPONENT_LIMIT, 0.0, np.exp(np.minimum(x, EXPONENT_LIMIT)))


def _truth(comparison: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: (
        np.float64(comparison(x, y))
        if np.ndim(x) == np.ndim(y) == 0
        else (comparison(x, y).astype(np.float64))
    )


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    ">": _truth(np.greater),
    ">=": _truth(np.greater_equal),
    "<": _truth(np.less),
    "<=": _truth(np.less_equal),
    "==": _truth(np.equal),
    "!=": _truth(np.not_equal),
    "&&": _truth(np.logical_and),
    "||": _truth(np.logical_or),
}

_FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("exp", 1): _exp,
    ("log", 1): np.log,
    ("log10", 1): np.log10,
    ("sqrt", 1): np.sqrt,
    ("fabs", 1): np.fabs,
    ("abs", 1): np.fabs,
    ("sin", 1): np.sin,
    ("cos", 1): np.cos,
    ("tan", 1): np.tan,
    ("asin", 1): np.arcsin,
    ("acos", 1): np.arccos,
    ("atan", 1): np.arctan,
    ("atan2", 2): np.arctan2,
    ("sinh", 1): np.sinh,
    ("cosh", 1): np.cosh,
    ("tanh", 1): np.tanh,
    ("floor", 1): np.floor,
    ("ceil", 1): np.ceil,
    ("pow", 2): np.power,
    ("fmod", 2): np.fmod,
}


def apply_operator(operator: str, left: Value, right: Value) -> Value:
    """``left operator right``, element by element."""
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        return right
    result: Numeric = OPERATORS[operator](left, right)
    return result


def apply_sign(operator: str, value: Value) -> Value:
    """``-value`` or ``!value``."""
    if isinstance(value, Unknown):
        return value
    return np.float64(-1.0) * value if operator == "-" else OPERATORS["=="](value, np.float64(0))


def apply_function(name: str, arguments: Sequence[Value]) -> Value:
    """A function of C's mathematics, as NEURON has it."""
    for argument in arguments:
        if isinstance(argument, Unknown):
            return argument
    function = _FUNCTIONS.get((name, len(arguments)))
    if function is None:
        return Unknown(f"function {name} is not in the file")
    result: Numeric = function(*arguments)
    return result
