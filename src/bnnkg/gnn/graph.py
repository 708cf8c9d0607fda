"""From the records of a model to its computational graph as tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from bnnkg.errors import SchemaError
from bnnkg.gnn.degrees import neuron_io, section_io
from bnnkg.gnn.edges import EdgeRows, list_edges
from bnnkg.gnn.features import (
    COLUMNS,
    NEURON_IO,
    SECTION_IO,
    SHARED_BY,
    SYNAPSE_KINDS,
    places,
    tensor_fingerprint,
)
from bnnkg.gnn.inputs import values_by_kind
from bnnkg.gnn.layout import Layout, Synapses, lay_out
from bnnkg.gnn.read import Floats, Ints, check_all_mapped, uids
from bnnkg.gnn.tensors import (
    NOTHING,
    EdgeOrigin,
    EdgeTriple,
    GraphTensors,
    Hidden,
    Ledger,
    Stores,
)
from bnnkg.schema.computation import COMPARTMENT_KINDS, KINDS, Kind, edge_types
from bnnkg.schema.records import GraphTables

_ELECTRICAL = SYNAPSE_KINDS.index("electrical")


def build(tables: GraphTables, *, hidden: Hidden = NOTHING) -> GraphTensors:
    """Makes a model's computational graph.

    Cells are expanded into their neurons' sections, with one mechanism row for each mechanism that
    a neuron has. Rows are sorted by (neuron uid, definition uid), so the order of the records does
    not matter. What is hidden is left out first, and everything is computed from the rest.

    Args:
        tables: The records of exactly one model.
        hidden: What may not be seen.

    Returns:
        Tensors, with the way from every row and edge back to the stored graph.

    Raises:
        SchemaError: Not one model, an edge type without a rule, an edge that ends outside the
            model, a neuron or section without a cell, a synapse without ends, or connections that
            do not follow from the synapses.
    """
    model = tables.nodes.get("Model")
    if model is None or len(model) != 1:
        found = 0 if model is None else len(model)
        raise SchemaError("tensors are made of one model at a time", found=f"{found} models")
    check_all_mapped(tables)
    layout = lay_out(tables, hidden)
    ledger = _ledger(layout, contacts=hidden.contacts)
    data = Stores()
    _add_nodes(data, tables, layout, ledger)
    origins = _add_edges(data, list_edges(tables, layout, hidden))
    return GraphTensors(
        model.uid[0], model.columns["key"][0], data, _keys(layout), origins, COLUMNS,
        tensor_fingerprint(), ledger, hidden,
    )  # fmt: skip


def _ledger(layout: Layout, *, contacts: bool) -> Ledger:
    synapses = layout.synapses
    sizes = np.bincount(layout.kind, minlength=len(COMPARTMENT_KINDS))
    through = layout.row + (np.cumsum(sizes) - sizes)[layout.kind]
    through = np.append(through, -1)
    return Ledger(
        torch.from_numpy(synapses.kind),
        torch.from_numpy(synapses.number("weight")),
        torch.from_numpy(_shares(synapses, len(layout.neurons))),
        torch.from_numpy(synapses.pre),
        torch.from_numpy(synapses.post),
        torch.from_numpy(through[synapses.pre_section]),
        torch.from_numpy(through[synapses.post_section]),
        contacts,
    )


def _shares(synapses: Synapses, n: int) -> Floats:
    """What each synapse counts: of a gap junction listed from both sides, each listing a part.

    A pair of neurons with L listings, m of which are marked as the mirror of another, has L - m
    junctions, and each listing counts (L - m) / L.
    """
    electrical = synapses.kind == _ELECTRICAL
    low = np.minimum(synapses.pre, synapses.post)
    high = np.maximum(synapses.pre, synapses.post)
    _, pair = np.unique(low * n + high, return_inverse=True)
    n_pairs = int(pair.max(initial=-1)) + 1
    mirrored = np.array([bool(m) for m in synapses.nodes.text("mirrored")], dtype=bool)
    listings = np.bincount(pair[electrical], minlength=n_pairs)
    mirrors = np.bincount(pair[electrical & mirrored[synapses.node]], minlength=n_pairs)
    share = (listings - mirrors) / np.maximum(listings, 1)
    return np.where(electrical, share[pair], 1.0)


def _add_nodes(data: Stores, tables: GraphTables, layout: Layout, ledger: Ledger) -> None:
    features = values_by_kind(tables, layout)
    _put_io(features, layout, ledger)
    neuron = _neurons(layout)
    shared = _shared(layout)
    for kind in KINDS:
        values = torch.from_numpy(features[kind])
        data[kind].x, data[kind].mask = with_mask(values)
        if ledger.contacts:
            hide = [column.contacts for column in COLUMNS[kind]]
            data[kind].x[:, hide] = 0
            data[kind].mask[:, hide] = False
        data[kind].neuron = torch.from_numpy(neuron[kind])
        data[kind].shared = torch.from_numpy(shared[kind])


def with_mask(values: Tensor) -> tuple[Tensor, Tensor]:
    """Values as float32, 0 where unknown, and where they are known (and finite)."""
    x = values.to(torch.float32)
    mask = torch.isfinite(x)
    return torch.where(mask, x, 0.0), mask


def _put_io(features: dict[Kind, Floats], layout: Layout, ledger: Ledger) -> None:
    place = places("neuron")
    features["neuron"][:, [place[name] for name in NEURON_IO]] = neuron_io(
        ledger, len(layout.neurons)
    ).numpy()
    loads = section_io(ledger, len(layout.kind)).numpy()
    start = 0
    for kind in COMPARTMENT_KINDS:
        place, n = places(kind), len(features[kind])
        features[kind][:, [place[name] for name in SECTION_IO]] = loads[start : start + n]
        start += n


def _neurons(layout: Layout) -> dict[Kind, Ints]:
    """Row of the neuron that each row belongs to."""
    found: dict[Kind, Ints] = {"neuron": np.arange(len(layout.neurons))}
    for place, kind in enumerate(COMPARTMENT_KINDS):
        found[kind] = layout.sections.neuron[layout.kind == place]
    return found | {"synapse": layout.synapses.pre, "mechanism": layout.mechanisms.neuron}


def _keys(layout: Layout) -> dict[Kind, tuple[tuple[str, str], ...]]:
    """(neuron uid, definition uid) of each row."""
    definitions = layout.definitions
    own: dict[Kind, tuple[str, ...]] = {
        "neuron": ("",) * len(layout.neurons),
        "synapse": uids(layout.synapses.nodes, layout.synapses.node),
        "mechanism": uids(definitions.mechanisms, layout.mechanisms.definition),
    }
    for place, kind in enumerate(COMPARTMENT_KINDS):
        chosen = layout.kind == place
        own[kind] = uids(definitions.sections, layout.sections.definition[chosen])
    neuron = _neurons(layout)
    return {
        kind: tuple(zip(uids(layout.neurons, neuron[kind]), own[kind], strict=True))
        for kind in KINDS
    }


def _shared(layout: Layout) -> dict[Kind, Ints]:
    """Numbers of what each row is an instance of, in the order of ``SHARED_BY``."""
    definitions, synapses = layout.definitions, layout.synapses
    cells, mechanisms = _numbers(definitions.cells.uid), _numbers(definitions.mechanisms.uid)
    sections = _numbers(definitions.sections.uid)[layout.sections.definition]
    own_cell = cells[layout.cell_of[layout.mechanisms.neuron]]
    own_mechanism = mechanisms[layout.mechanisms.definition]
    types = np.append(_numbers(synapses.types.uid), 0)[synapses.type]
    itself = _numbers(uids(synapses.nodes, synapses.node))
    types = np.where(synapses.type < 0, itself, types)
    neurons = _numbers(layout.neurons.uid)
    pair = (
        neurons[synapses.pre]
        ^ neurons[synapses.post]
        ^ (neurons[synapses.pre] * neurons[synapses.post])
    )
    junction = np.where(synapses.kind == _ELECTRICAL, pair, itself)
    found: dict[Kind, Ints] = {
        "neuron": cells[layout.cell_of][:, None],
        "synapse": np.stack([types, junction], axis=1),
        "mechanism": np.stack([own_mechanism, own_mechanism ^ (own_cell * 31)], axis=1),
    }
    for place, kind in enumerate(COMPARTMENT_KINDS):
        found[kind] = sections[layout.kind == place][:, None]
    assert all(found[kind].shape[1] == len(SHARED_BY[kind]) for kind in KINDS)
    return found


def _numbers(names: Iterable[str]) -> Ints:
    """A number for each uid, the same wherever it occurs."""
    digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names]
    return np.frombuffer(b"".join(digests), dtype="<i8").astype(np.int64)


def _add_edges(data: Stores, edges: Iterable[EdgeRows]) -> dict[EdgeTriple, EdgeOrigin]:
    """Puts in all edges; of one triple there may be several tables."""
    tables: dict[EdgeTriple, list[EdgeRows]] = {triple: [] for triple in edge_types()}
    for rows in edges:
        tables[rows.triple].append(rows)
    origins = {}
    for triple, parts in tables.items():
        _add_triple(data, triple, parts)
        origins[triple] = _join_origins([part.origin for part in parts])
    return origins


def _add_triple(data: Stores, triple: EdgeTriple, parts: list[EdgeRows]) -> None:
    ends = [
        np.concatenate([part.src for part in parts]),
        np.concatenate([part.dst for part in parts]),
    ]
    store = data[triple]
    store.edge_index = torch.from_numpy(np.stack(ends))
    store.edge_attr, store.edge_mask = with_mask(
        torch.from_numpy(np.concatenate([part.attributes() for part in parts]))
    )
    store.flow = torch.from_numpy(np.concatenate([part.flow for part in parts]))
    of_synapses = [part.synapse for part in parts if part.synapse is not None]
    if of_synapses:
        store.synapse = torch.from_numpy(np.concatenate(of_synapses))


def _join_origins(parts: list[EdgeOrigin]) -> EdgeOrigin:
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return EdgeOrigin(
        first.stored, first.src_label, first.dst_label,
        tuple(uid for part in parts for uid in part.src_uid),
        tuple(uid for part in parts for uid in part.dst_uid),
    )  # fmt: skip
