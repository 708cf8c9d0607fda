"""Physical quantities as NeuroML and NEURON write them, brought to canonical units.

Values are decimal, so that equal quantities stay equal however they were written: ``0.5 nS`` and
``500 pS`` give the same number, and with nine significant digits the same hash.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from bnnkg.errors import QuantityError

_QUANTITY = re.compile(
    r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z_%][A-Za-z_0-9/%]*|)\s*\Z"
)
_NINE_DIGITS = Context(prec=9)

# dimension -> (canonical unit, {unit: factor to canonical})
UNITS: dict[str, tuple[str, dict[str, str]]] = {
    "voltage": ("mV", {"V": "1e3", "mV": "1", "uV": "1e-3"}),
    "time": ("ms", {"s": "1e3", "ms": "1", "us": "1e-3", "min": "6e4", "hour": "36e5"}),
    "per_time": ("per_ms", {"per_s": "1e-3", "per_ms": "1", "Hz": "1e-3", "per_min": "0.0000166666666666667", "per_hour": "2.77777777777778e-7", "kHz": "1"}),
    "current": ("pA", {"A": "1e12", "mA": "1e9", "uA": "1e6", "nA": "1e3", "pA": "1"}),
    "current_density": ("uA_per_cm2", {"A_per_m2": "1e2", "uA_per_cm2": "1", "mA_per_cm2": "1e3"}),
    "conductance": ("nS", {"S": "1e9", "mS": "1e6", "uS": "1e3", "nS": "1", "pS": "1e-3"}),
    "conductance_density": ("S_per_cm2", {"S_per_m2": "1e-4", "mS_per_cm2": "1e-3", "uS_per_cm2": "1e-6", "S_per_cm2": "1"}),
    "conductance_per_voltage": ("nS_per_mV", {"S_per_V": "1e6", "nS_per_mV": "1"}),
    "capacitance": ("pF", {"F": "1e12", "uF": "1e6", "nF": "1e3", "pF": "1"}),
    "specific_capacitance": ("uF_per_cm2", {"F_per_m2": "1e2", "uF_per_cm2": "1"}),
    "resistance": ("Mohm", {"ohm": "1e-6", "kohm": "1e-3", "Mohm": "1"}),
    "resistivity": ("ohm_cm", {"ohm_cm": "1", "kohm_cm": "1e3", "ohm_m": "1e2"}),
    "length": ("um", {"m": "1e6", "cm": "1e4", "um": "1"}),
    "area": ("um2", {"m2": "1e12", "cm2": "1e8", "um2": "1"}),
    "volume": ("um3", {"m3": "1e18", "cm3": "1e12", "litre": "1e15", "um3": "1"}),
    "permeability": ("cm_per_s", {"m_per_s": "1e2", "cm_per_s": "1", "um_per_ms": "0.1", "cm_per_ms": "1e3"}),
    "concentration": ("mM", {"mol_per_m3": "1", "mol_per_cm3": "1e6", "M": "1e3", "mM": "1"}),
    "substance": ("mol", {"mol": "1"}),
    "charge": ("pC", {"C": "1e12", "e": "1.602176634e-7"}),
    "charge_per_mole": ("C_per_mol", {"C_per_mol": "1", "nA_ms_per_amol": "1e6", "pC_per_umol": "1e-6"}),
    "mass": ("kg", {"kg": "1", "g": "1e-3"}),
    "temperature": ("degC", {"degC": "1", "K": "1"}),
    "idealGasConstant": ("J_per_K_per_mol", {"J_per_K_per_mol": "1", "fJ_per_K_per_amol": "1e3", "fJ_per_K_per_umol": "1e-9"}),
    "rho_factor": ("mol_per_m_per_A_per_s", {"mol_per_m_per_A_per_s": "1", "mol_per_cm_per_uA_per_ms": "1e11", "umol_per_cm_per_nA_per_ms": "1e8"}),
    "per_voltage": ("per_mV", {"per_V": "1e-3", "per_mV": "1"}),
    "none": ("", {"": "1"}),
}  # fmt: skip
DIMENSION_OF = {unit: dimension for dimension, (_, units) in UNITS.items() for unit in units}


def read_quantity(text: str, dimension: str | None = None) -> tuple[Decimal, str]:
    """Reads a number and its unit, with any space between them.

    Args:
        text: Such as ``-65mV`` or ``0.5 nS``.
        dimension: What it must measure; any where absent.

    Returns:
        The value in the canonical unit of its dimension, rounded to nine significant digits, and
        that unit (empty for a pure number).

    Raises:
        QuantityError: No number, an unknown unit, or a unit of another dimension.
    """
    match = _QUANTITY.match(text)
    if match is None:
        raise QuantityError("this is no quantity", expected=_wanted(dimension), found=repr(text))
    number, unit = match.groups()
    actual = DIMENSION_OF.get(unit)
    if actual is None or (dimension is not None and actual != dimension):
        raise QuantityError("the unit does not fit", expected=_wanted(dimension), found=repr(text))
    canonical, factors = UNITS[actual]
    value = Decimal(number)
    if unit == "K":
        value -= Decimal("273.15")
    return round_decimal(value * Decimal(factors[unit])), canonical


def round_decimal(value: Decimal) -> Decimal:
    """The value at nine significant digits, in the shortest form: 1.50 and 1.5 become one."""
    rounded = _NINE_DIGITS.plus(value).normalize()
    return rounded if rounded else Decimal(0)


def _wanted(dimension: str | None) -> str:
    if dimension is None:
        return "a number and a unit of NeuroML"
    units = ", ".join(unit or "no unit" for unit in UNITS[dimension][1])
    return f"a {dimension.replace('_', ' ')} in one of: {units}"
