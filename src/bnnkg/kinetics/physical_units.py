"""Factors between units as the UNITS block of NMODL writes them, ``R = (k-mole) (joule/degC)``.

The grammar is that of the Unix program ``units``: a blank or ``-`` multiplies, one ``/`` divides by
all that follows, digits after a name are its power, and a name may have SI prefixes and a plural s.
"""

from __future__ import annotations

import re

ELEMENTARY_CHARGE_C = 1.602176634e-19
AVOGADRO_PER_MOL = 6.02214076e23
BOLTZMANN_J_PER_K = 1.380649e-23
MAX_LENGTH = 200

_UNITS: dict[str, float] = {
    "": 1.0,
    "m": 1.0,
    "meter": 1.0,
    "metre": 1.0,
    "micron": 1e-6,
    "um": 1e-6,
    "nm": 1e-9,
    "mm": 1e-3,
    "cm": 1e-2,
    "inch": 0.0254,
    "foot": 0.3048,
    "angstrom": 1e-10,
    "gram": 1e-3,
    "g": 1e-3,
    "kg": 1.0,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "minute": 60.0,
    "min": 60.0,
    "hour": 3600.0,
    "liter": 1e-3,
    "l": 1e-3,
    "mole": AVOGADRO_PER_MOL,
    "mol": AVOGADRO_PER_MOL,
    "molar": AVOGADRO_PER_MOL * 1e3,
    "M": AVOGADRO_PER_MOL * 1e3,
    "mM": AVOGADRO_PER_MOL,
    "uM": AVOGADRO_PER_MOL * 1e-3,
    "nM": AVOGADRO_PER_MOL * 1e-6,
    "coul": 1.0,
    "coulomb": 1.0,
    "C": 1.0,
    "e": ELEMENTARY_CHARGE_C,
    "faraday": ELEMENTARY_CHARGE_C * AVOGADRO_PER_MOL,
    "k": BOLTZMANN_J_PER_K,
    "K": 1.0,
    "kelvin": 1.0,
    "degK": 1.0,
    "degC": 1.0,
    "joule": 1.0,
    "J": 1.0,
    "newton": 1.0,
    "watt": 1.0,
    "volt": 1.0,
    "V": 1.0,
    "mV": 1e-3,
    "amp": 1.0,
    "ampere": 1.0,
    "A": 1.0,
    "mA": 1e-3,
    "uA": 1e-6,
    "nA": 1e-9,
    "pA": 1e-12,
    "mho": 1.0,
    "siemens": 1.0,
    "S": 1.0,
    "mS": 1e-3,
    "uS": 1e-6,
    "nS": 1e-9,
    "pS": 1e-12,
    "ohm": 1.0,
    "farad": 1.0,
    "uF": 1e-6,
    "pi": 3.141592653589793,
    "degree": 3.141592653589793 / 180.0,
    "radian": 1.0,
    "gasconstant": BOLTZMANN_J_PER_K * AVOGADRO_PER_MOL,
}
_PREFIXES = {
    "mega": 1e6,
    "kilo": 1e3,
    "deci": 1e-1,
    "centi": 1e-2,
    "milli": 1e-3,
    "micro": 1e-6,
    "nano": 1e-9,
    "pico": 1e-12,
    "femto": 1e-15,
}
_PART = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]?[-+][0-9]+|[eE][0-9]+)?)"
    r"|(?P<name>[A-Za-z]+)(?P<power>[0-9]*)|(?P<per>/)|[\s*.-]+"
)


class UnknownUnitError(ValueError):
    """A unit has a name that is not known here."""


def factor_between(source: str, target: str, aliases: dict[str, str]) -> float:
    """How many of the target unit the source unit is.

    Args:
        source: As ``k-mole``.
        target: As ``joule/degC``.
        aliases: Units that the file itself names, as ``{"mA": "milliamp"}``.

    Raises:
        UnknownUnitError: One of them is not known.
    """
    return _value(source, aliases, 0) / _value(target, aliases, 0)


def _value(unit: str, aliases: dict[str, str], depth: int) -> float:
    if len(unit) > MAX_LENGTH or depth > 5:
        raise UnknownUnitError(unit[:MAX_LENGTH])
    value, sign, position = 1.0, 1, 0
    while position < len(unit):
        part = _PART.match(unit, position)
        if part is None:
            raise UnknownUnitError(unit)
        position = part.end()
        if part["per"]:
            sign = -1
        elif part["number"]:
            value *= _number(part["number"]) ** sign
        elif part["name"]:
            power = int(part["power"][:2] or 1)
            value *= _named(part["name"], aliases, depth) ** (sign * power)
    return value


def _number(text: str) -> float:
    """A number, whose exponent may be written without its e (``6.02+23``)."""
    value = float(re.sub(r"(?<=[0-9.])([-+])", r"e\1", text))
    if value == 0:
        raise UnknownUnitError(text)
    return value


def _named(name: str, aliases: dict[str, str], depth: int) -> float:
    if name in aliases:
        if aliases[name] == name:
            return _known(name)
        return _value(aliases[name], aliases, depth + 1)
    return _known(name)


def _known(name: str) -> float:
    if name in _UNITS:
        return _UNITS[name]
    for prefix, factor in _PREFIXES.items():
        if name.startswith(prefix):
            return factor * _known(name[len(prefix) :])
    if name.endswith("s"):
        return _known(name[:-1])
    raise UnknownUnitError(name)
