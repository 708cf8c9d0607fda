from __future__ import annotations

import pytest

from bnnkg.ingest.neuron.mod_units import canonical_quantity


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.12, "mho/cm2", (0.12, "S_per_cm2")),
        (0.12, "S/cm2", (0.12, "S_per_cm2")),
        (120, "mS/cm2", (0.12, "S_per_cm2")),
        # 1 pS/um2 = 1e-12 S / 1e-8 cm2
        (30, "pS/um2", (0.003, "S_per_cm2")),
        (1200, "mho/m2", (0.12, "S_per_cm2")),
        (0.5, "uS", (500, "nS")),
        (0.5, "umho", (500, "nS")),
        (3, "microsiemens", (3000, "nS")),
        (-65, "mV", (-65, "mV")),
        (-65, "millivolt", (-65, "mV")),
        (1.5, "sec", (1500, "ms")),
        (0.25, "/ms", (0.25, "per_ms")),
        (0.25, "1/ms", (0.25, "per_ms")),
        (2, "Hz", (0.002, "per_ms")),
        (0.1, "nA", (100, "pA")),
        (1, "mA/cm2", (1000, "uA_per_cm2")),
        (50, "uM", (0.05, "mM")),
        (2, "millimolar", (2, "mM")),
        (0.1, "micron", (0.1, "um")),
        (1e-4, "cm/s", (1e-4, "cm_per_s")),
        (35.4, "ohm-cm", (35.4, "ohm_cm")),
        (10, "megohm", (10, "Mohm")),
        (6.3, "degC", (6.3, "degC")),
        (1, "uF/cm2", (1, "uF_per_cm2")),
        (3, "", (3, "")),
        (3, "1", (3, "")),
        # The schema has no such quantity: as written.
        (2, "um2 / ms", (2, "um2/ms")),
        (2, "/mM-ms", (2, "/mM-ms")),
        (2, "furlong", (2, "furlong")),
        (2, "K", (2, "K")),
        (2, "mV^2", (2, "mV^2")),
    ],
)
def test_a_value_in_the_canonical_unit(
    value: float, unit: str, expected: tuple[float, str]
) -> None:
    assert canonical_quantity(value, unit) == expected


def test_equal_quantities_become_equal_numbers() -> None:
    # 0.1 + 0.2 is no 0.3 in binary; nine digits are.
    assert canonical_quantity(0.1 + 0.2, "mV") == canonical_quantity(300, "uV")
    assert canonical_quantity(0.7, "mS/cm2") == canonical_quantity(7, "pS/um2")


def test_what_is_no_number_stays_so() -> None:
    assert canonical_quantity(float("inf"), "m V") == (float("inf"), "mV")
