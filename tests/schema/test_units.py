"""Quantities, against the factors of the International System and NeuroML's own units."""

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bnnkg.errors import QuantityError
from bnnkg.schema.units import DIMENSION_OF, UNITS, read_quantity, round_decimal


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("-65mV", "-65", "mV"),
        ("-0.065 V", "-65", "mV"),
        ("500 pS", "0.5", "nS"),
        ("0.5nS", "0.5", "nS"),
        ("120 mS_per_cm2", "0.12", "S_per_cm2"),
        ("3 S_per_m2", "0.0003", "S_per_cm2"),
        ("1 uF_per_cm2", "1", "uF_per_cm2"),
        ("0.01 F_per_m2", "1", "uF_per_cm2"),
        ("0.1 kohm_cm", "100", "ohm_cm"),
        ("1 ohm_m", "100", "ohm_cm"),
        ("35 degC", "35", "degC"),
        ("279.45K", "6.3", "degC"),
        ("2 per_s", "0.002", "per_ms"),
        ("5Hz", "0.005", "per_ms"),
        ("1 hour", "3600000", "ms"),
        ("4.54e-9 mol_per_cm3", "0.00454", "mM"),
        ("1e-7 m_per_s", "0.00001", "cm_per_s"),
        ("3e-10A", "300", "pA"),
        ("1.5", "1.5", ""),
        (".5e1 ms", "5", "ms"),
        ("  7.  ms ", "7", "ms"),
        ("0mV", "0", "mV"),
        ("-0 mV", "0", "mV"),
    ],
)
def test_a_quantity_is_read_in_its_canonical_unit(text, value, unit):
    assert read_quantity(text) == (Decimal(value), unit)


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("", None), ("mV", None), ("1,5 mV", None), ("1 parsec", None), ("1 mV mV", None),
        ("nan mV", None), ("inf", None), ("0x10 mV", None), ("1 MV", None),
        ("1 mV", "time"), ("1", "voltage"), ("1 ms", "none"),
        ("\u0661 mV", None),
    ],
)  # fmt: skip
def test_what_is_no_such_quantity_is_refused(text, dimension):
    with pytest.raises(QuantityError):
        read_quantity(text, dimension)


def test_the_refusal_lists_the_units_that_would_do():
    with pytest.raises(QuantityError, match=r"V, mV, uV") as caught:
        read_quantity("1 ms", "voltage")
    assert "'1 ms'" in str(caught.value)


NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=9
)
SCALED = sorted(unit for unit in DIMENSION_OF if unit not in {"K", "degC"})
WRITABLE = sorted(u for u in SCALED if UNITS[DIMENSION_OF[u]][0] in DIMENSION_OF)  # pC is not


@given(NUMBERS, st.sampled_from(SCALED))
def test_conversion_is_multiplication_to_nine_digits(number, unit):
    value, canonical = read_quantity(f"{number} {unit}")
    name, factors = UNITS[DIMENSION_OF[unit]]
    assert canonical == name
    exact = number * Decimal(factors[unit])
    assert abs(value - exact) <= abs(exact) * Decimal("5.01e-9")


@given(NUMBERS, st.sampled_from(WRITABLE))
def test_a_canonical_value_reads_as_itself(number, unit):
    value, canonical = read_quantity(f"{number} {unit}")
    assert read_quantity(f"{value} {canonical}".strip()) == (value, canonical)


@given(NUMBERS, st.integers(-9, 9))
def test_the_way_a_number_is_written_does_not_matter(number, shift):
    shifted = f"{number.scaleb(-shift):f}e{shift} mV"
    plain = f"{number:f}0 mV" if "." in f"{number:f}" else f"{number:f} mV"
    assert repr(read_quantity(shifted)) == repr(read_quantity(plain))


@given(NUMBERS)
def test_rounding_twice_is_rounding_once(number):
    once = round_decimal(number)
    assert repr(round_decimal(once)) == repr(once)
    assert len(once.as_tuple().digits) <= 9


def units_of_neuroml():
    """(symbol, dimension, factor to the International System) as NeuroML itself declares them."""
    pyneuroml = pytest.importorskip(
        "pyneuroml", reason="pyNeuroML, which has them, is not installed"
    )
    (jar,) = Path(pyneuroml.__file__).parent.glob("lib/jNeuroML-*.jar")
    with zipfile.ZipFile(jar) as archive:
        root = etree.fromstring(archive.read("NeuroML2CoreTypes/NeuroMLCoreDimensions.xml"))
    for unit in root.iter("{*}Unit"):
        factor = Decimal(unit.get("scale", "1")).scaleb(int(unit.get("power", "0")))
        yield unit.get("symbol"), unit.get("dimension"), factor


def test_every_unit_of_neuroml_is_known_and_scaled_as_neuroml_scales_it():
    ratios = {}
    for symbol, dimension, factor in units_of_neuroml():
        assert symbol in DIMENSION_OF, symbol
        ours = Decimal(UNITS[DIMENSION_OF[symbol]][1][symbol])
        ratios.setdefault(dimension, {})[symbol] = ours / factor
    for dimension, by_symbol in ratios.items():
        first, *others = by_symbol.values()
        assert all(abs(other / first - 1) < Decimal("1e-9") for other in others), dimension
    assert len(ratios) == len({DIMENSION_OF[next(iter(units))] for units in ratios.values()})


def test_every_unit_has_one_dimension_and_every_canonical_unit_factor_one():
    assert len(DIMENSION_OF) == sum(len(factors) for _, factors in UNITS.values())
    assert {factors[unit] for unit, factors in UNITS.values() if unit in factors} == {"1"}
