"""Networks whose columns make their values are written as plain ones are, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from store_graphs import small_model

from bnnkg.errors import SchemaError
from bnnkg.schema import (
    EdgeTable,
    GraphTables,
    LazyColumn,
    NodeTable,
    Numbered,
    Numbers,
    Picked,
    Same,
)
from bnnkg.store import admin_files, batches
from bnnkg.store.bulk import write_files
from bnnkg.store.checks import check_model
from bnnkg.store.owned import owned_steps

MAX_BYTES_EACH = 100
"""As Python objects, the texts alone of a synapse and its ends take some 500."""


def _lazy(plain: GraphTables) -> GraphTables:
    """The same tables, the synapses and all that is at them as columns that make their values."""
    n = len(plain.nodes["Synapse"])
    neurons = plain.nodes["Neuron"].uid
    uid = Numbered(plain.nodes["Synapse"].uid[0][:-1], np.arange(n))
    ends = np.arange(n) % len(neurons)
    columns: dict[str, LazyColumn] = {
        "uid": uid, "model_uid": Same(plain.nodes["Model"].uid[0], n), "kind": Same("chemical", n),
        "index": Numbers(np.arange(n)), "weight": Numbers(np.arange(n) * 0.5),
    }  # fmt: skip
    edges = dict(plain.edges)
    half = len(plain.edges["LEAVES_FROM", "Synapse", "Compartment"])
    leaves = ("LEAVES_FROM", "Synapse", "Compartment")
    for key, src, dst, more in (
        (("SENDS", "Neuron", "Synapse"), Picked(neurons, ends), uid, {}),
        (("TARGETS", "Synapse", "Neuron"), uid, Picked(neurons, (ends + 1) % len(neurons)), {}),
        (leaves, Picked(uid, np.arange(half)), Same("c1/1", half), dict(edges[leaves].columns)),
        (("OF_TYPE", "Synapse", "SynapseType"), Picked(uid, np.arange(n)), Same("s1", n),
         {"side": Same("both", n)}),
    ):  # fmt: skip
        edges[key] = EdgeTable(*key, src, dst, more)
    return GraphTables({**plain.nodes, "Synapse": NodeTable("Synapse", columns)}, edges)


def test_lazy_columns_are_written_as_plain_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_WEIGHT", 300)
    monkeypatch.setattr(admin_files, "_BLOCK_ROWS", 17)
    plain = small_model("a", n_synapses=100)
    both = [plain, _lazy(plain)]
    uid = str(check_model(both[1])["uid"])
    steps = [[(s.statement, s.parameters, s.n_rows, s.weight, s.locks) for s in owned_steps(t, uid)]
             for t in both]  # fmt: skip
    assert steps[0] == steps[1]
    assert sum(n for text, _, n, *_ in steps[0] if "CREATE (n:Synapse" in text) == 100
    assert len(steps[0]) > 10
    files = []
    for name, tables in zip("pl", both, strict=True):
        folder = tmp_path / name
        folder.mkdir()
        write_files(folder, [tables])
        files.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert files[0] == files[1]


def test_an_end_that_is_no_node_is_found_among_lazy_ones() -> None:
    lazy = _lazy(small_model("a", n_synapses=20))
    key = ("TARGETS", "Synapse", "Neuron")
    ends = EdgeTable(*key, lazy.edges[key].src, Picked(["lost"], np.zeros(20, dtype=np.int8)))
    with pytest.raises(SchemaError, match="TARGETS ends at a Neuron"):
        check_model(GraphTables(lazy.nodes, {**lazy.edges, key: ends}))
    more = Picked(["lost", *lazy.nodes["Neuron"].uid], np.ones(20, dtype=np.int8))
    unused = EdgeTable(*key, lazy.edges[key].src, more)
    check_model(GraphTables(lazy.nodes, {**lazy.edges, key: unused}))


def test_memory_of_a_write_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_WEIGHT", 5000)
    monkeypatch.setattr(admin_files, "_BLOCK_ROWS", 500)
    n = 20_000
    tables = _lazy(small_model("a", n_synapses=n))
    tracemalloc.start()
    check_model(tables)
    for step in owned_steps(tables, tables.nodes["Model"].uid[0]):
        assert step.weight <= 5000
    write_files(tmp_path, [tables])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / n < MAX_BYTES_EACH
