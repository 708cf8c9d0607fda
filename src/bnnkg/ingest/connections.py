"""Connections as records: synapses, their ends, and which neurons they join."""

from __future__ import annotations

import math

import numpy as np

from bnnkg.ingest.parsed import ParsedModel, Projection, SiteColumns
from bnnkg.ingest.tables import Tables

Neurons = list[list[str]]
Side = tuple[int, int]


def connection_records(tables: Tables, parsed: ParsedModel, model: str, neurons: Neurons) -> None:
    """Adds a Synapse per connection with its edges, and CONNECTS_TO between neurons.

    A gap junction that a network lists from both sides stays twice; the later one is marked
    ``mirrored`` and not counted again in CONNECTS_TO.
    """
    pending: dict[tuple[object, ...], int] = {}
    joined: dict[tuple[str, str, str], list[float]] = {}
    for projection in parsed.projections:
        mirrored = _mirrored(projection, pending)
        _add_synapses(tables, parsed, model, neurons, projection, mirrored)
        _join(projection, neurons, mirrored, joined)
    pairs = sorted(joined)
    uids = [f"{pre}>{post.removeprefix(model)}>{kind}" for pre, post, kind in pairs]
    tables.edges(
        "CONNECTS_TO", "Neuron", "Neuron", [pre for pre, _, _ in pairs],
        [post for _, post, _ in pairs], uid=uids, kind=[kind for _, _, kind in pairs],
        n_synapses=[int(joined[pair][0]) for pair in pairs],
        weight=[math.fsum(joined[pair][1:]) for pair in pairs],
    )  # fmt: skip


def _mirrored(projection: Projection, pending: dict[tuple[object, ...], int]) -> list[bool] | None:
    """For gap junctions: whether an earlier one of the same network is this one, turned round."""
    if projection.kind != "electrical":
        return None
    result = []
    pre, post = _ends(projection.pre), _ends(projection.post)
    for a, b, type_ in zip(pre, post, projection.type_of.tolist(), strict=True):
        about = (projection.network, projection.types[type_])
        turned = (b, a, about)
        if a[:2] != b[:2] and pending.get(turned, 0) > 0:
            pending[turned] -= 1
            result.append(True)
        else:
            pending[(a, b, about)] = pending.get((a, b, about), 0) + 1
            result.append(False)
    return result


def _ends(site: SiteColumns) -> list[tuple[int, int, int, int]]:
    return list(
        zip(
            site.population.tolist(), site.neuron.tolist(), site.section.tolist(),
            site.segment.tolist(), strict=True,
        )
    )  # fmt: skip


def _uids(site: SiteColumns, neurons: Neurons) -> list[str]:
    pairs = zip(site.population.tolist(), site.neuron.tolist(), strict=True)
    return [neurons[population][row] for population, row in pairs]


def _add_synapses(
    tables: Tables,
    parsed: ParsedModel,
    model: str,
    neurons: Neurons,
    projection: Projection,
    mirrored: list[bool] | None,
) -> None:
    n = len(projection.places)
    uids = [f"{model}/{projection.path}/{place}" for place in projection.places.tolist()]
    tables.nodes(
        "Synapse", uid=uids, model_uid=[model] * n, kind=[projection.kind] * n,
        projection=[projection.id] * n, index=projection.places.tolist(),
        weight=projection.weight.tolist(), delay_ms=_absent_where_nan(projection.delay_ms),
        mirrored=mirrored if mirrored is not None else [None] * n,
    )  # fmt: skip
    tables.edges("SENDS", "Neuron", "Synapse", _uids(projection.pre, neurons), uids)
    tables.edges("TARGETS", "Synapse", "Neuron", uids, _uids(projection.post, neurons))
    _add_types(tables, projection, uids)
    _add_place(tables, parsed, "LEAVES_FROM", projection.pre, uids)
    _add_place(tables, parsed, "ARRIVES_AT", projection.post, uids)


def _absent_where_nan(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _add_types(tables: Tables, projection: Projection, uids: list[str]) -> None:
    for row, types in enumerate(projection.types):
        here = np.flatnonzero(projection.type_of == row).tolist()
        for uid, side in types:
            tables.edges(
                "OF_TYPE", "Synapse", "SynapseType", [uids[i] for i in here], [uid] * len(here),
                side=[side] * len(here),
            )  # fmt: skip


def _add_place(
    tables: Tables, parsed: ParsedModel, type_: str, site: SiteColumns, uids: list[str]
) -> None:
    """Joins synapses to sections, where the neuron is no point."""
    here = np.flatnonzero(site.section >= 0).tolist()
    if not here:
        return
    cells = [population.cell_uid for population in parsed.populations]
    population, section = site.population.tolist(), site.section.tolist()
    tables.edges(
        type_, "Synapse", "Compartment", [uids[i] for i in here],
        [f"{cells[population[i]]}/{section[i]}" for i in here],
        fraction_along=site.fraction[here].tolist(), segment=site.segment[here].tolist(),
    )  # fmt: skip


def _join(
    projection: Projection,
    neurons: Neurons,
    mirrored: list[bool] | None,
    joined: dict[tuple[str, str, str], list[float]],
) -> None:
    """Adds a projection to what CONNECTS_TO says: number of synapses, then their weights."""
    kind = projection.kind
    weights = projection.weight.tolist()
    pre, post = _uids(projection.pre, neurons), _uids(projection.post, neurons)
    for row, (a, b) in enumerate(zip(pre, post, strict=True)):
        if mirrored is not None and mirrored[row]:
            continue
        key = (a, b, kind)
        if mirrored is not None and key not in joined and (b, a, kind) in joined:
            key = (b, a, kind)
        entry = joined.setdefault(key, [0.0])
        entry[0] += 1
        entry.append(weights[row])
