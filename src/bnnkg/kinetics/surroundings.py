"""What a mechanism finds around itself before anything runs: parameters, ions, NEURON's globals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from bnnkg.kinetics.arithmetic import Numeric, Unknown, Value
from bnnkg.kinetics.interpreter import elements
from bnnkg.kinetics.syntax import Declared, ModFile

DEFAULT_CELSIUS = 6.3
DT_MS = 1e-3
"""Short enough for states that step by themselves in less than NEURON's usual 0.025 ms."""
RESTING_CALCIUM_mM = 5e-5

_GLOBALS = {"t": 0.0, "dt": DT_MS, "diam": 500.0, "area": 100.0, "secondorder": 0.0}
_IONS = {
    "nai": 10.0,
    "nao": 140.0,
    "ena": 50.0,
    "ki": 54.4,
    "ko": 2.5,
    "ek": -77.0,
    "cai": RESTING_CALCIUM_mM,
    "cao": 2.0,
    "eca": 132.4579341637009,
}
"""Defaults of NEURON, in mM and mV."""


def temperature(mod: ModFile, wanted_degC: float | None) -> float:
    """The temperature asked for, else the file's own, else NEURON's default."""
    if wanted_degC is not None:
        return wanted_degC
    own = (each.value for each in mod.parameters if each.name == "celsius")
    return next((value for value in own if value is not None), DEFAULT_CELSIUS)


def surroundings(
    mod: ModFile, v_mV: Numeric, celsius: float, parameters: Mapping[str, float]
) -> dict[str, Value]:
    """Values of every variable by name, those of arrays as ``name[index]``."""
    values: dict[str, Value] = {name: np.float64(value) for name, value in _GLOBALS.items()}
    for declared in (*mod.assigned, *mod.states, *mod.parameters, *mod.constants):
        values.update(_declared_values(declared))
    values.update(_initial_values(mod))
    values.update(_top_level_locals(mod))
    values.update(_ion_values(mod))
    for name in (*mod.pointers, *mod.externals):
        values[name] = Unknown(f"{name} is set from outside")
    values |= {name: np.float64(value) for name, value in parameters.items()}
    return values | {"v": v_mV, "celsius": np.float64(celsius), "dt": np.float64(DT_MS)}


def _declared_values(declared: Declared) -> Iterator[tuple[str, Value]]:
    value = np.float64(declared.value or 0.0)
    size = declared.size
    yield from (
        (key, value) for key in ([declared.name] if size is None else elements(declared.name, size))
    )


def _initial_values(mod: ModFile) -> Iterator[tuple[str, Value]]:
    """``m0`` of each state ``m`` that declares none."""
    declared = {each.name for each in (*mod.parameters, *mod.assigned, *mod.constants)}
    names = (f"{state.name}0" for state in mod.states)
    yield from ((name, np.float64(0)) for name in names if name not in declared)


def _top_level_locals(mod: ModFile) -> Iterator[tuple[str, Value]]:
    for statement in mod.statements:
        if statement.startswith("LOCAL "):
            name, _, size = statement.removeprefix("LOCAL ").rstrip("]").partition("[")
            keys = elements(name, int(size)) if size else [name]
            yield from ((key, np.float64(0)) for key in keys)


def _ion_values(mod: ModFile) -> Iterator[tuple[str, Value]]:
    """What an ion's variables are where nothing else sets them."""
    own = {each.name: each.value for each in mod.parameters}
    for ion in mod.ions:
        for name in (*ion.reads, *ion.writes):
            value = _IONS.get(name, own.get(name))
            if value is None:
                value = _unknown_ion(ion.name, name)
            yield name, np.float64(value)


def _unknown_ion(ion: str, name: str) -> float:
    """Concentrations of ions that NEURON does not know are 1 mM; those of calcium rest."""
    if name == f"{ion}i":
        return RESTING_CALCIUM_mM if ion.startswith("ca") else 1.0
    return 1.0 if name == f"{ion}o" else 0.0


def concentrations_read(mod: ModFile) -> tuple[str, ...]:
    """Names of the ion concentrations that a mechanism reads."""
    return tuple(
        name for ion in mod.ions for name in ion.reads if name in (f"{ion.name}i", f"{ion.name}o")
    )


def concentrations_written(mod: ModFile) -> set[str]:
    """Names of the ion concentrations that a mechanism sets."""
    return {
        name for ion in mod.ions for name in ion.writes if name in (f"{ion.name}i", f"{ion.name}o")
    }


def currents(mod: ModFile) -> tuple[str, ...]:
    """Names of the currents that a mechanism passes."""
    of_ions = (f"i{ion.name}" for ion in mod.ions)
    written = {name for ion in mod.ions for name in ion.writes}
    return (
        *(name for name in of_ions if name in written),
        *mod.nonspecific_currents,
        *mod.electrode_currents,
    )
