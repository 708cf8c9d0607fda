"""Units as NMODL files write them, brought to the canonical units of the schema."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache

from bnnkg.schema.units import UNITS, round_decimal

Powers = tuple[int, int, int, int, int]

# Volt, ampere, second, metre, mole: enough for what membranes have.
_BASES: dict[str, tuple[Powers, str]] = {
    "V": ((1, 0, 0, 0, 0), "1"),
    "A": ((0, 1, 0, 0, 0), "1"),
    "s": ((0, 0, 1, 0, 0), "1"),
    "m": ((0, 0, 0, 1, 0), "1"),
    "mol": ((0, 0, 0, 0, 1), "1"),
    "S": ((-1, 1, 0, 0, 0), "1"),
    "ohm": ((1, -1, 0, 0, 0), "1"),
    "F": ((-1, 1, 1, 0, 0), "1"),
    "C": ((0, 1, 1, 0, 0), "1"),
    "Hz": ((0, 0, -1, 0, 0), "1"),
    "M": ((0, 0, 0, -3, 1), "1e3"),
    "l": ((0, 0, 0, 3, 0), "1e-3"),
    "micron": ((0, 0, 0, 1, 0), "1e-6"),
}
_SYNONYMS = {
    "Ohm": "ohm",
    "volt": "V", "amp": "A", "ampere": "A", "sec": "s", "second": "s", "meter": "m", "metre": "m",
    "mole": "mol", "mho": "S", "siemens": "S", "farad": "F", "coul": "C", "coulomb": "C",
    "hertz": "Hz", "molar": "M", "liter": "l", "litre": "l",
}  # fmt: skip
_PREFIXES = {
    "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "k": 3, "M": 6, "G": 9, "femto": -15,
    "pico": -12, "nano": -9, "micro": -6, "milli": -3, "centi": -2, "kilo": 3, "meg": 6,
    "mega": 6, "giga": 9,
}  # fmt: skip
_FACTOR = re.compile(r"(?P<name>[A-Za-z]+)(?P<power>\d*)|(?P<one>1)(?![\d.eE])|(?P<slash>/)|[-* ]")
_TEMPERATURES = frozenset({"degC"})


@lru_cache(maxsize=2**14)  # instances of a synapse share most of their values
def canonical_quantity(value: float, unit: str) -> tuple[float, str]:
    """A value in the canonical unit of what it measures, at nine significant digits, and that unit.

    A unit that the schema does not know is kept as written, without blanks, and so is the value.

    Args:
        value: As the file has it.
        unit: As the file has it, without its parentheses.
    """
    written = Decimal(repr(value))
    if not written.is_finite():
        return value, "".join(unit.split())
    canonical, factor = _conversion(" ".join(unit.split()))
    return float(round_decimal(written * factor)), canonical


@cache
def _conversion(unit: str) -> tuple[str, Decimal]:
    if unit in _TEMPERATURES:
        return unit, Decimal(1)
    measure = _measure(unit)
    if measure is not None:
        known = _canonical().get(measure[0])
        if known is not None:
            return known[0], measure[1] / known[1]
    return unit.replace(" ", ""), Decimal(1)


@cache
def _canonical() -> dict[Powers, tuple[str, Decimal]]:
    """What the powers mean: the schema's canonical unit and its size in SI."""
    found: dict[Powers, tuple[str, Decimal]] = {}
    for unit, _ in UNITS.values():
        measure = _measure(unit.replace("per_", "/").replace("_", " "))
        if measure is not None:
            found.setdefault(measure[0], (unit, measure[1]))
    return found


def _measure(unit: str) -> tuple[Powers, Decimal] | None:
    """Powers of the bases and size in SI; absent where a part is unknown."""
    powers, size, sign, at = [0] * 5, Decimal(1), 1, 0
    while at < len(unit):
        factor = _FACTOR.match(unit, at)
        if factor is None:
            return None
        at = factor.end()
        if factor["slash"]:
            sign = -1
        elif factor["name"]:
            base = _base(factor["name"])
            if base is None:
                return None
            power = sign * int(factor["power"] or 1)
            powers = [total + power * own for total, own in zip(powers, base[0], strict=True)]
            size *= base[1] ** power
    v, a, s, m, mol = powers
    return (v, a, s, m, mol), size


def _base(name: str) -> tuple[Powers, Decimal] | None:
    exact = _spelled(name)
    if exact is not None:
        return exact
    for prefix, exponent in _PREFIXES.items():
        base = _spelled(name[len(prefix) :]) if name.startswith(prefix) else None
        if base is not None:
            return base[0], base[1].scaleb(exponent)
    return None


def _spelled(name: str) -> tuple[Powers, Decimal] | None:
    """A base by its symbol or name; names may stand in the plural."""
    symbol = _SYNONYMS.get(name) or _SYNONYMS.get(name.removesuffix("s")) or name
    if symbol not in _BASES:
        return None
    powers, size = _BASES[symbol]
    return powers, Decimal(size)
