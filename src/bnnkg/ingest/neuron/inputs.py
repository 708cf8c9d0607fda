"""What drives the neurons of a run from outside: electrodes, and events that come from nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bnnkg.ingest.identity import path_part
from bnnkg.ingest.neuron.connectivity import Wiring, from_generator, is_connection
from bnnkg.ingest.neuron.resolved import Resolved
from bnnkg.ingest.neuron.rounding import distinct_rows
from bnnkg.ingest.parsed import Flags, InputModel, InputTable, Integers, Parameters

EVENTS = "NetCon"
"""Class of an input by events of which NEURON knows no source."""

_USUAL = {
    "amp": ("amplitude", "pA"), "i0": ("amplitude", "pA"), "del": ("delay", "ms"),
    "delay": ("delay", "ms"), "dur": ("duration", "ms"), "duration": ("duration", "ms"),
    "amplitude": ("amplitude", "pA"),
}  # fmt: skip


def read_inputs(wiring: Wiring, first: int) -> list[tuple[InputModel, InputTable]]:
    """All inputs of a run: a model for each distinct set of parameters, and where they are.

    Args:
        wiring: The run, its connections read.
        first: Place in the model of the first input model.
    """
    found: list[tuple[InputModel, InputTable]] = []
    for model, point, place, weight in [*_events(wiring), *_processes(wiring)]:
        table = InputTable(
            model.path, first + len(found), place, wiring.sites.of_points(point), weight,
            wiring.names(point),
        )  # fmt: skip
        found.append((model, table))
    return found


_Found = tuple[InputModel, Integers, Integers, np.ndarray]


def _events(wiring: Wiring) -> Iterator[_Found]:
    """NetCons without a neuron that sends; those to nothing in the graph count as missing."""
    netcons, points = wiring.capture.netcons, wiring.capture.points
    generated = from_generator(wiring)
    arrives = wiring.placed(netcons.post)
    sends = (netcons.pre_segment >= 0) | (netcons.pre_point >= 0)
    rows = np.flatnonzero(arrives & (~sends | generated))
    _count_lost(wiring, arrives, arrives & sends & ~generated & ~is_connection(wiring))
    wiring.taken[netcons.post[rows]] = True
    kinds = points.mechanism[netcons.post[rows]]
    sources = np.where(
        generated[rows], np.append(points.mechanism, -1)[netcons.pre_point[rows]], -1
    )
    for kind in np.unique(kinds).tolist():
        own = kinds == kind
        post = netcons.post[rows[own]]
        on_section = points.segment[post[0]] >= 0
        uids, type_of = (
            wiring.synapse_types(post) if on_section else ([""], np.zeros(len(post), np.int64))
        )
        delays = netcons.delay_ms[rows[own]]
        values, of_row = distinct_rows(np.column_stack([type_of, sources[own], delays]))
        for place, (type_, source, delay) in enumerate(values.tolist()):
            chosen = rows[own][of_row == place]
            told = {"synapse": uids[int(type_)]}
            if source >= 0:
                told["source"] = wiring.resolved[points.kinds[int(source)]].uid
            weight = netcons.weight[chosen]
            yield (
                _event_model(wiring, points.kinds[kind], told, delay), netcons.post[chosen],
                chosen, np.where(np.isnan(weight), 1.0, weight),
            )  # fmt: skip


def _count_lost(wiring: Wiring, arrives: Flags, from_nowhere: Flags) -> None:
    netcons, missing = wiring.capture.netcons, wiring.missing
    missing["NetCons without a target"] += int((netcons.post < 0).sum())
    missing["NetCons to a point process that is nowhere"] += int(
        (~arrives & (netcons.post >= 0)).sum()
    )
    missing["NetCons from a point process that is nowhere"] += int(from_nowhere.sum())


def _event_model(wiring: Wiring, receiver: str, told: dict[str, str], delay: float) -> InputModel:
    known = delay == delay
    names = sorted(name for name, text in told.items() if text)
    return InputModel(
        id=receiver,
        stimulus_class=EVENTS,
        path=wiring.unique_path(f"events/{path_part(receiver)}"),
        parameters=Parameters(
            ("delay",) * known, (delay,) * known, ("ms",) * known, tuple(names),
            tuple(told[name] for name in names),
        ),
    )  # fmt: skip


def _processes(wiring: Wiring) -> Iterator[_Found]:
    """Point processes that receive nothing: electrodes, and synapses that no event reaches."""
    points, neurons = wiring.capture.points, wiring.sites.neurons
    on_section = points.segment >= 0
    wiring.missing["point processes that are nowhere"] += int(
        (~on_section & (neurons.point_population < 0)).sum()
    )
    for name in points.kinds:
        one = wiring.resolved[name]
        rows = points.row[name]
        free = on_section[rows] & ~wiring.taken[rows]
        rows, own = rows[free], points.values[name][free]
        if not len(rows):
            continue
        values, of_row = distinct_rows(own * one.factors())
        for place, row in enumerate(values.tolist()):
            chosen = rows[of_row == place]
            model = InputModel(
                name, name, wiring.unique_path(path_part(name)), _parameters(one, row)
            )
            yield model, chosen, points.index[chosen], np.ones(len(chosen))
        wiring.taken[rows] = True


def _parameters(one: Resolved, values: list[float]) -> Parameters:
    """Parameters of an electrode, the usual ones under the names that inputs have elsewhere."""
    own = one.parameters(values)
    rows = zip(own.names, own.values, own.units, strict=True)
    named = [(_usual(name, unit), value, unit) for name, value, unit in rows]
    if len({name for name, _, _ in named}) < len(named):
        return own
    named.sort()
    return Parameters(*(tuple(column) for column in zip(*named, strict=True)) if named else ())


def _usual(name: str, unit: str) -> str:
    usual, wanted = _USUAL.get(name.lower(), (name, unit))
    return usual if wanted == unit else name
