"""Connections as records: synapses, their ends, and which neurons they join."""

from __future__ import annotations

import numpy as np

from bnnkg.ingest.parsed import ParsedModel, Projection, SiteColumns
from bnnkg.ingest.tables import Tables

Neurons = list[list[str]]


def connection_records(tables: Tables, parsed: ParsedModel, model: str, neurons: Neurons) -> None:
    """Adds a Synapse per connection with its edges, and CONNECTS_TO between neurons.

    A gap junction that a network lists from both sides stays twice; the later one is marked
    ``mirrored`` and not counted again in CONNECTS_TO.
    """
    pending: dict[tuple[object, ...], int] = {}
    pairs = _Pairs(neurons)
    for projection in parsed.projections:
        mirrored = _mirrored(projection, pending)
        _add_synapses(tables, parsed, model, neurons, projection, mirrored)
        pairs.add(projection, mirrored)
    pairs.add_records(tables, model)


class _Pairs:
    """Which neurons are joined, by the kind of their synapses.

    Args:
        neurons: uids of the neurons by population.
    """

    def __init__(self, neurons: Neurons) -> None:
        self._uids = [uid for population in neurons for uid in population]
        sizes = [len(population) for population in neurons]
        self._first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._rows: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}

    def add(self, projection: Projection, mirrored: list[bool] | None) -> None:
        """Adds the connections of a projection that are no mirror images."""
        counted = (
            np.ones(len(projection.places), bool) if mirrored is None else ~np.array(mirrored, bool)
        )
        pre, post = (
            (self._first[site.population] + site.neuron)[counted]
            for site in (projection.pre, projection.post)
        )
        rows = (pre, post, projection.weight[counted])
        self._rows.setdefault(projection.kind, []).append(rows)

    def add_records(self, tables: Tables, model: str) -> None:
        """Adds a CONNECTS_TO for each pair and kind; gap junctions have no direction.

        Such an edge then points as the first of its connections does.
        """
        for kind in sorted(self._rows):
            pre, post, weight = (np.concatenate(c) for c in zip(*self._rows[kind], strict=True))
            low, high = pre, post
            if kind == "electrical":
                low, high = np.minimum(pre, post), np.maximum(pre, post)
            _, first, pair_of, counts = np.unique(
                low * len(self._uids) + high,
                return_index=True, return_inverse=True, return_counts=True,
            )  # fmt: skip
            src = [self._uids[i] for i in pre[first].tolist()]
            dst = [self._uids[i] for i in post[first].tolist()]
            tables.edges(
                "CONNECTS_TO", "Neuron", "Neuron", src, dst,
                uid=[f"{a}>{b.removeprefix(model)}>{kind}" for a, b in zip(src, dst, strict=True)],
                kind=[kind] * len(src), n_synapses=counts.tolist(),
                weight=np.bincount(pair_of, weights=weight, minlength=len(src)).tolist(),
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
        threshold_mV=_thresholds(projection),
        mirrored=mirrored if mirrored is not None else [None] * n,
        receiver=[name or None for name in projection.receivers] or [None] * n,
    )  # fmt: skip
    tables.edges("SENDS", "Neuron", "Synapse", _uids(projection.pre, neurons), uids)
    tables.edges("TARGETS", "Synapse", "Neuron", uids, _uids(projection.post, neurons))
    _add_types(tables, projection, uids)
    _add_place(tables, parsed, "LEAVES_FROM", projection.pre, uids)
    _add_place(tables, parsed, "ARRIVES_AT", projection.post, uids)


def _thresholds(projection: Projection) -> list[float | None]:
    if projection.threshold_mV is None:
        return [None] * len(projection.places)
    return _absent_where_nan(projection.threshold_mV)


def _absent_where_nan(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _add_types(tables: Tables, projection: Projection, uids: list[str]) -> None:
    order = np.argsort(projection.type_of, kind="stable")
    ends = np.searchsorted(projection.type_of[order], np.arange(len(projection.types) + 1))
    for row, types in enumerate(projection.types):
        here = order[ends[row] : ends[row + 1]].tolist()
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
    places = list(zip(site.population.tolist(), site.section.tolist(), strict=True))
    sections = {place: f"{cells[place[0]]}/{place[1]}" for place in set(places)}
    tables.edges(
        type_, "Synapse", "Compartment", [uids[i] for i in here],
        [sections[places[i]] for i in here],
        fraction_along=site.fraction[here].tolist(), segment=site.segment[here].tolist(),
    )  # fmt: skip
