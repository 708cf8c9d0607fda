"""Kinetics of the channels of a model at the temperature of its networks.

A Mechanism is shared by all models that have it, and measured at the temperature that its own rates
name. What a model makes of it stands with the model's definition of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bnnkg.ingest.definitions import Definitions
from bnnkg.ingest.dynamics import gate_kinetics
from bnnkg.ingest.networks import Networks
from bnnkg.ingest.parsed import Definition, GateKinetics


def add_kinetics_at_network_temperatures(networks: Networks) -> None:
    """Measures gates again where the networks that hold them have another temperature."""
    definitions = networks.definitions
    measured = dict(_measured(definitions, _temperatures_degC(networks)))
    if measured:
        definitions.definitions[:] = [_with(one, measured) for one in definitions.definitions]


def _with(definition: Definition, measured: Mapping[str, GateKinetics]) -> Definition:
    found = measured.get(definition.uid)
    return definition if found is None else replace(definition, kinetics=found)


def _temperatures_degC(networks: Networks) -> dict[str, set[float]]:
    """Temperatures of the networks in whose cells each mechanism is."""
    mechanisms = {
        uid: {placement.mechanism_uid for placement in cell.placements}
        for uid, cell in networks.definitions.cells.items()
    }
    found: dict[str, set[float]] = {}
    for cell_uid, network in {(one.cell_uid, one.network) for one in networks.populations}:
        temperature = networks.heads[network].temperature_degC
        if temperature is not None:
            for uid in mechanisms[cell_uid]:
                found.setdefault(uid, set()).add(temperature)
    return found


def _measured(
    definitions: Definitions, temperatures_degC: Mapping[str, set[float]]
) -> Iterator[tuple[str, GateKinetics]]:
    for uid, here in temperatures_degC.items():
        own = definitions.mechanisms[uid].kinetics
        if uid not in definitions.channels or own is None or here == {own.temperature_degC}:
            continue
        if own.temperature_degC is None:
            continue
        found = gate_kinetics(definitions.channels[uid], min(here)) if len(here) == 1 else None
        yield uid, found or GateKinetics(None, note=_several(here))


def _several(temperatures_degC: set[float]) -> str:
    listed = ", ".join(f"{one:g}" for one in sorted(temperatures_degC))
    return f"the networks that hold it are at {listed} degC"
