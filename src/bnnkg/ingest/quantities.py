"""Quantities of hostile files: numbers that no model means are refused, not computed with."""

from __future__ import annotations

from decimal import Decimal, DecimalException

from bnnkg.errors import QuantityError
from bnnkg.schema.units import read_quantity

LARGEST = Decimal("1e100")
LARGEST_WHOLE = 2**31


def finite_quantity(text: str, dimension: str | None = None) -> tuple[Decimal, str]:
    """A quantity in its canonical unit, as :func:`bnnkg.schema.units.read_quantity` reads it.

    Raises:
        QuantityError: No number, another unit, or a number beyond any physical one.
    """
    try:
        value, unit = read_quantity(text, dimension)
    except DecimalException:
        value, unit = LARGEST, ""
    if abs(value) >= LARGEST:
        raise QuantityError("this number is too large", expected="below 1e100", found=text[:50])
    return value, unit


def whole_number(text: str) -> int:
    """A whole number.

    Raises:
        ValueError: The text is none, or it is too large.
    """
    value = int(text) if len(text) < 20 else LARGEST_WHOLE
    if abs(value) >= LARGEST_WHOLE:
        raise ValueError(f"{text[:50]!r} is too large")
    return value
