"""What may not be seen leaves no trace: the leak tests."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import (
    Cell,
    Density,
    Model,
    Section,
    Synapse,
    SynapseType,
    models,
    neuron,
    tables_of,
)
from tensor_equality import ROWS_OF_ORIGIN, differences

from bnnkg.errors import TrainingError
from bnnkg.gnn.batching import collate
from bnnkg.gnn.features import places
from bnnkg.gnn.graph import build
from bnnkg.gnn.hiding import hide_features, hide_pairs, hide_rows
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.tensors import Batch, Hidden
from bnnkg.schema.computation import Kind

Pairs = list[tuple[int, int]]


@st.composite
def models_and_pairs(draw: st.DrawFn) -> tuple[Model, Pairs]:
    model = draw(models(min_synapses=1))
    some = st.sampled_from(model.synapses).map(lambda s: (s.post, s.pre))
    return model, draw(st.lists(some, min_size=1, max_size=3))


def rows(pairs: Pairs) -> torch.Tensor:
    return torch.tensor(pairs).T


def uids(pairs: Pairs) -> list[tuple[str, str]]:
    return [(neuron(a), neuron(b)) for a, b in pairs]


def without(model: Model, pairs: Pairs) -> Model:
    hidden = {frozenset(pair) for pair in pairs}
    kept = [s for s in model.synapses if frozenset((s.pre, s.post)) not in hidden]
    return replace(model, synapses=kept)


@settings(max_examples=40, deadline=None)
@given(models_and_pairs(), st.booleans())
def test_hiding_pairs_is_rebuilding_without_them(
    given: tuple[Model, Pairs], contacts: bool
) -> None:
    model, pairs = given
    whole = build(tables_of(model), hidden=Hidden(contacts=contacts))
    scaling = fit_scaling([whole])
    rebuilt = build(tables_of(model), hidden=Hidden.of(uids(pairs), contacts=contacts))
    quick = hide_pairs(collate([whole], scaling), rows(pairs))
    assert differences(quick, collate([rebuilt], scaling), skip=ROWS_OF_ORIGIN) == []


@settings(max_examples=40, deadline=None)
@given(models_and_pairs(), st.data())
def test_models_that_differ_in_hidden_pairs_look_the_same(
    given: tuple[Model, Pairs], data: st.DataObject
) -> None:
    model, pairs = given
    rest = without(model, pairs)
    other_way = [
        replace(
            s,
            weight=float(data.draw(st.integers(1, 99))),
            kind=data.draw(st.sampled_from(["chemical", "electrical"])),
        )
        for s in model.synapses
        if {s.pre, s.post} in [set(pair) for pair in pairs]
    ]
    n = data.draw(st.integers(0, 2))
    twin = replace(model, synapses=[*rest.synapses, *other_way * n])
    scaling = fit_scaling([build(tables_of(rest))])
    one, two = (
        hide_pairs(collate([build(tables_of(m))], scaling), rows(pairs))
        for m in (sorted_like(model, rest), twin)
    )
    assert differences(one, two, skip=ROWS_OF_ORIGIN) == []


def sorted_like(model: Model, rest: Model) -> Model:
    """The model with its hidden synapses last, so that the others keep their uids."""
    hidden = [s for s in model.synapses if not any(s is kept for kept in rest.synapses)]
    return replace(model, synapses=[*rest.synapses, *hidden])


def test_rows_of_origin_still_point_into_the_tensors() -> None:
    whole = build(tables_of(NETWORK))
    hidden = hide_pairs(collate([whole], fit_scaling([whole])), rows([(0, 1)]))
    triple = ("neuron", "sends", "synapse")
    own = hidden.edge_row[hidden.edge_type == hidden.edge_types.index(triple)]
    left = [whole.origins[triple].dst_uid[row] for row in own.tolist()]
    assert left == ["y02", "y03"]
    assert hidden.up_row is not None
    assert len(hidden.up_row) == hidden.up_index.shape[1]


def test_hiding_is_of_one_graph_of_a_batch() -> None:
    whole = build(tables_of(NETWORK))
    scaling = fit_scaling([whole])
    rest = build(tables_of(NETWORK), hidden=Hidden.of([(neuron(0), neuron(1))]))
    quick = hide_pairs(collate([whole, whole], scaling), rows([(3, 4)]))
    assert differences(quick, collate([whole, rest], scaling), skip=ROWS_OF_ORIGIN) == []


DENDRITE = Section("dendrite", 0, 30.0, 2.0, 15.0)
OTHER = Cell([Section("soma", None, 9.0)], [Density(0, "na_a", 0.2)])
NETWORK = Model(
    [Cell([Section("soma", None, 20.0, 9.0), DENDRITE, Section("axon", 0, 50.0)],
          [Density(0, "na_a", 0.1), Density(1, "na_a", 0.3), Density(1, "k_a", 0.5)]), OTHER],
    [0, 0, 1],
    [Synapse(0, 1, "chemical", 3.0, 2, 1, 0), Synapse(0, 1, "electrical", 2.0, 0, 0, 1),
     Synapse(1, 2, "chemical", 4.0, 2, 0, 0), Synapse(2, 0, "electrical", 5.0, 0, 0, 1)],
    [SynapseType(2.0, 0.0), SynapseType(3.0, -70.0)],
    [0.0, 5.0, 50.0], {0: 3.0, 1: 4.0, 2: 5.0},
)  # fmt: skip


def hidden(model: Model, kind: Kind, group: str, row: int, column: str | None = None) -> Batch:
    scaling = fit_scaling([build(tables_of(NETWORK))])
    batch = collate([build(tables_of(model))], scaling)
    columns = None if column is None else [column]
    return hide_features(batch, kind, group, torch.tensor([row]), columns=columns)


def changed_dendrite(**to: float) -> Model:
    cell = NETWORK.cells[0]
    sections = [cell.sections[0], replace(DENDRITE, **to), cell.sections[2]]  # type: ignore[arg-type]
    return replace(NETWORK, cells=[replace(cell, sections=sections), OTHER])


def changed_density(place: int, **to: float) -> Model:
    cell = NETWORK.cells[0]
    densities = [replace(d, **to) if i == place else d for i, d in enumerate(cell.densities)]  # type: ignore[arg-type]
    return replace(NETWORK, cells=[replace(cell, densities=densities), OTHER])


CASES = [
    ("dendrite", "geometry", 0, None, changed_dendrite(length=70.0, diameter=5.0, at=30.0)),
    ("dendrite", "geometry", 1, "length_um", changed_dendrite(length=70.0, at=30.0)),
    ("dendrite", "geometry", 1, "diameter_um", changed_dendrite(diameter=5.0)),
    ("neuron", "geometry", 0, None, changed_dendrite(length=70.0, diameter=5.0, at=30.0)),
    ("neuron", "geometry", 0, "x_um", replace(NETWORK, positions=[9.0, 5.0, 50.0])),
    ("mechanism", "function", 1, None, changed_density(0, gbar=0.9, erev=80.0)),
    ("mechanism", "function", 3, "gbar_S_per_cm2", changed_density(1, gbar=0.9)),
    ("soma", "function", 0, None, changed_density(0, gbar=0.9)),
    ("dendrite", "function", 1, "gbar_S_per_cm2", changed_density(2, gbar=0.9)),
    (
        "synapse",
        "function",
        0,
        None,
        replace(NETWORK, types=[SynapseType(7.0, -80.0), NETWORK.types[1]]),
    ),
    (
        "synapse",
        "function",
        0,
        "erev_mV",
        replace(NETWORK, types=[SynapseType(2.0, -80.0), NETWORK.types[1]]),
    ),
    (
        "synapse",
        "function",
        0,
        "sign",
        replace(NETWORK, types=[SynapseType(2.0, -80.0), NETWORK.types[1]]),
    ),
    (
        "synapse",
        "function",
        3,
        "weight",
        replace(
            NETWORK, synapses=[*NETWORK.synapses[:3], replace(NETWORK.synapses[3], weight=8.0)]
        ),
    ),
    (
        "synapse",
        "function",
        1,
        "weight",
        replace(
            NETWORK,
            synapses=[
                NETWORK.synapses[0],
                replace(NETWORK.synapses[1], weight=8.0),
                *NETWORK.synapses[2:],
            ],
        ),
    ),
    ("neuron", "activity", 2, None, replace(NETWORK, rates={0: 3.0, 1: 4.0, 2: 77.0})),
]


@pytest.mark.parametrize(("kind", "group", "row", "column", "other"), CASES)
def test_models_that_differ_in_hidden_features_look_the_same(
    kind: Kind, group: str, row: int, column: str | None, other: Model
) -> None:
    plain = [
        collate([build(tables_of(m))], fit_scaling([build(tables_of(NETWORK))]))
        for m in (NETWORK, other)
    ]
    assert differences(*plain), "the models must differ before"
    one, two = (hidden(m, kind, group, row, column) for m in (NETWORK, other))
    assert differences(one, two, skip={"ledger"}) == []


def test_weight_of_a_gap_junction_is_hidden_in_both_listings() -> None:
    def listed(weight: float) -> Model:
        back = Synapse(0, 2, "electrical", weight, 0, 0, 1, mirrored=True)
        forth = replace(NETWORK.synapses[3], weight=weight)
        return replace(NETWORK, synapses=[*NETWORK.synapses[:3], forth, back])

    one, two = (hidden(listed(w), "synapse", "function", 4, "weight") for w in (5.0, 8.0))
    assert differences(one, two, skip={"ledger"}) == []


def test_other_instances_are_hidden_and_other_cells_are_not() -> None:
    batch = hidden(NETWORK, "soma", "geometry", 0)
    place = places("soma")["length_um"]
    assert batch.mask["soma"][:, place].tolist() == [False, False, True]
    assert batch.mask["dendrite"][:, place].tolist() == [True, True]


def test_hiding_pairs_brings_no_hidden_sum_back() -> None:
    without_weight = hidden(NETWORK, "synapse", "function", 3, "weight")
    batch = hide_pairs(without_weight, rows([(0, 1)]))
    place = places("neuron")["electrical_weight"]
    assert batch.mask["neuron"][:, place].tolist() == [False, True, False]
    assert batch.x["neuron"][:, place][[0, 2]].tolist() == [0, 0]


def test_hidden_is_zero_and_masked() -> None:
    batch = hidden(NETWORK, "mechanism", "function", 0)
    assert not batch.x["mechanism"][~batch.mask["mechanism"]].any()
    assert not batch.edge_attr[:, :5][batch.edge_attr[:, 5:] == 0].any()


@pytest.mark.parametrize(("group", "column"), [("shape", None), ("geometry", "weight")])
def test_unknown_features_are_an_error(group: str, column: str | None) -> None:
    with pytest.raises(TrainingError, match="no such"):
        hidden(NETWORK, "soma", group, 0, column)


def test_what_collate_did_not_make_is_refused() -> None:
    whole = build(tables_of(NETWORK))
    bare = replace(collate([whole], fit_scaling([whole])), ledger=None)
    with pytest.raises(TrainingError, match="collate did not make"):
        hide_pairs(bare, rows([(0, 1)]))


@settings(max_examples=20, deadline=None)
@given(models(min_synapses=1), st.data())
def test_rows_are_hidden_with_their_edges_and_nothing_else(
    model: Model, data: st.DataObject
) -> None:
    whole = build(tables_of(model))
    batch = collate([whole], fit_scaling([whole]))
    row = data.draw(st.integers(0, len(batch.kind) - 1))
    hidden = hide_rows(batch, torch.tensor([row]))
    at = (batch.edge_index == row).any(dim=0)
    assert not hidden.edge_attr[at].any()
    assert torch.equal(hidden.edge_attr[~at], batch.edge_attr[~at])
    for kind, mask in batch.mask.items():
        own = torch.arange(len(mask)) + batch.first_row(kind) == row
        assert not hidden.mask[kind][own].any()
        assert not hidden.x[kind][own].any()
        assert torch.equal(hidden.mask[kind][~own], mask[~own])
        assert torch.equal(hidden.x[kind][~own], batch.x[kind][~own])
