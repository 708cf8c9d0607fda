"""A neuron's own sections, found again by the number in their uid."""

from __future__ import annotations

import math
from statistics import fmean

from measured_graphs import measured_graph
from small_models import Cell, Model, Section
from trained_models import apart, training_model

from bnnkg.gnn.sections import joined, section_lifts
from bnnkg.schema.computation import KINDS

BRANCHED = Cell(
    [Section("dendrite"), Section("axon", 0), Section("soma", 0), Section("dendrite", 2)]
)
MODEL = Model([BRANCHED, Cell(point=["point_a"]), Cell([Section("soma")])], [0, 1, 2, 0])
TENSORS = training_model(MODEL).tensors


def test_they_stand_in_the_order_of_their_index_in_the_cell() -> None:
    batch, measured = measured_graph(TENSORS, 2)
    rows = [key for kind in KINDS for key in TENSORS.keys[kind]]
    table = section_lifts(TENSORS, batch, measured.rows)
    assert list(zip(table.src, table.dst, strict=True)) == [
        ("n00", "c0"), ("n02", "c2"), ("n03", "c0"),
    ]  # fmt: skip
    unknown = 0
    for place, (neuron, cell) in enumerate(zip(table.src, table.dst, strict=True)):
        n = 4 if cell == "c0" else 1
        own = [rows.index((neuron, f"{cell}.s{number}")) for number in range(n)]
        for name in ("cls_lift", "received_lift"):
            means = [fmean(measured.rows[name][:, row].tolist()) for row in own]
            unknown += sum(map(math.isnan, means))
            wanted = [0.0 if math.isnan(mean) else mean for mean in means]
            assert table.columns[f"compartment_{name}"][place] == wanted
    assert unknown, "some section receives nothing"


def test_neurons_of_several_graphs_stand_in_one_order() -> None:
    tables = []
    for seed, name in enumerate(("b/", "a/")):
        tensors = apart(TENSORS, name)
        batch, measured = measured_graph(tensors, 1, seed)
        tables.append(section_lifts(tensors, batch, measured.rows))
    both = joined(tables)
    assert list(both.src) == [f"{name}/n{i}" for name in "ab" for i in ("00", "02", "03")]
    assert list(both.dst) == ["c0", "c2", "c0"] * 2
    for name, column in both.columns.items():
        assert list(column) == [*tables[1].columns[name], *tables[0].columns[name]]


def test_without_sections_there_is_none() -> None:
    tensors = training_model(Model([Cell(point=["point_a"])], [0, 0])).tensors
    batch, measured = measured_graph(tensors, 1)
    assert not len(joined([section_lifts(tensors, batch, measured.rows)]))
