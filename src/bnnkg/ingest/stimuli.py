"""Inputs as records."""

from __future__ import annotations

from typing import Any

from bnnkg.ingest.annotations import said
from bnnkg.ingest.connections import Neurons
from bnnkg.ingest.parsed import InputModel, InputTable, ParsedModel
from bnnkg.ingest.tables import Tables, arrays


def stimulus_records(tables: Tables, parsed: ParsedModel, model: str, neurons: Neurons) -> None:
    """Adds a Stimulus per input with its target; one without where the source aims it at none."""
    for table in parsed.input_tables:
        _add_inputs(tables, parsed.inputs[table.model], table, model, neurons)


def _add_inputs(
    tables: Tables, component: InputModel, table: InputTable, model: str, neurons: Neurons
) -> None:
    places = table.places.tolist()
    n = len(places)
    own = table.target is None
    paths = [table.path] if own else [f"{table.path}/{place}" for place in places]
    uids = [f"{model}/{path}" for path in paths]
    same = {name: [value] * n for name, value in _properties(component).items()}
    tables.nodes(
        "Stimulus", uid=uids, model_uid=[model] * n, path=paths, weight=table.weight.tolist(),
        receiver=[name or None for name in table.receivers] or [None] * n, **same,
    )  # fmt: skip
    tables.edges(
        "DEFINES", "Model", "Stimulus", [model] * n, uids,
        uid=[f"{model}/Stimulus/{path}" for path in paths], id=[component.id or None] * n,
        path=paths, raw=[component.raw] * n,
        **{name: [value] * n for name, value in said(component.annotations).items()},
    )  # fmt: skip
    if table.target is not None:
        _add_targets(tables, table, uids, neurons)


def _add_targets(tables: Tables, table: InputTable, uids: list[str], neurons: Neurons) -> None:
    target = table.target
    assert target is not None
    pairs = zip(target.population.tolist(), target.neuron.tolist(), strict=True)
    on_section = (target.section >= 0).tolist()

    def where(values: list[Any]) -> list[Any]:
        return [v if there else None for v, there in zip(values, on_section, strict=True)]

    tables.edges(
        "STIMULATES", "Stimulus", "Neuron", uids, [neurons[p][row] for p, row in pairs],
        compartment=where(target.section.tolist()), segment=where(target.segment.tolist()),
        fraction_along=where(target.fraction.tolist()),
    )  # fmt: skip


def _properties(component: InputModel) -> dict[str, Any]:
    parameters = component.parameters
    return {
        "name": component.id or None,
        "stimulus_class": component.stimulus_class,
        "amplitude_pA": _in_unit(component, "pA", "amplitude"),
        "delay_ms": _in_unit(component, "ms", "delay"),
        "duration_ms": _in_unit(component, "ms", "duration"),
        **arrays(parameters),
    }


def _in_unit(component: InputModel, unit: str, name: str) -> float | None:
    parameters = component.parameters
    if name not in parameters.names:
        return None
    row = parameters.names.index(name)
    return parameters.values[row] if parameters.units[row] == unit else None
