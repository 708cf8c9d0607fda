from __future__ import annotations

import pickle

import numpy as np
import pytest

from bnnkg.errors import SchemaError
from bnnkg.schema import (
    GraphTables,
    Joined,
    LazyColumn,
    NodeTable,
    Numbered,
    Numbers,
    Picked,
    Same,
    Written,
    validate,
)
from bnnkg.schema.columns import differ

NAMES = ["a", "b", "c"]
COLUMNS: list[tuple[LazyColumn, list[object]]] = [
    (Same("x", 3), ["x", "x", "x"]),
    (Numbers(np.array([0.5, np.nan])), [0.5, None]),
    (Numbers(np.array([True, False])), [True, False]),
    (Numbers(np.array([3, 1], dtype=np.int8)), [3, 1]),
    (Numbered("m/p/", np.array([0, 2, 10])), ["m/p/0", "m/p/2", "m/p/10"]),
    (Picked(NAMES, np.array([2, 0, 2])), ["c", "a", "c"]),
    (Picked(Numbered("s", np.arange(5)), np.array([4, 1])), ["s4", "s1"]),
    (
        Joined([Same("x", 1), Numbered("n/", np.arange(2)), Same("y", 0), Same("z", 2)]),
        ["x", "n/0", "n/1", "z", "z"],
    ),
    (
        Written("{}>{}!", (Picked(NAMES, np.array([0, 1])), Same("c", 2))),
        ["a>c!", "b>c!"],
    ),
]


@pytest.mark.parametrize(("column", "values"), COLUMNS)
def test_a_column_gives_the_values_that_it_stands_for(
    column: LazyColumn, values: list[object]
) -> None:
    assert list(column) == values
    assert len(column) == len(values)
    assert column == values
    assert [column[row] for row in range(len(values))] == values
    assert column[-1] == values[-1]
    assert column[1:] == values[1:]
    assert column[::2] == values[::2]
    rows = np.array([len(values) - 1, 0])
    assert column.made(rows) == [values[-1], values[0]]
    assert column.types() >= set(map(type, values))
    assert list(pickle.loads(pickle.dumps(column))) == values
    with pytest.raises(IndexError):
        column[len(values)]


def test_a_column_knows_when_its_values_differ() -> None:
    assert Numbered("a/", np.array([1, 2])).is_distinct()
    assert not Numbered("a/", np.array([1, 1])).is_distinct()
    parts = [Numbered("a/", np.arange(2)), Numbered("b/", np.arange(2))]
    assert Joined(parts).is_distinct()
    assert not Joined([parts[0], parts[0]]).is_distinct()
    assert differ(["a", "b"])
    assert not differ(["a", "b", "a"])


def test_records_of_lazy_columns_are_checked() -> None:
    def synapses(uid: LazyColumn, **columns: LazyColumn) -> GraphTables:
        same = {"model_uid": Same("m", 2), "kind": Same("chemical", 2), "index": Same(0, 2)}
        return GraphTables.of([NodeTable("Synapse", {"uid": uid, **same, **columns})], [])

    uid = Numbered("m/p/", np.arange(2))
    validate(synapses(uid))
    with pytest.raises(SchemaError, match="occurs twice"):
        validate(synapses(Same("m/p/0", 2)))
    with pytest.raises(SchemaError, match="another type"):
        validate(synapses(uid, weight=Same("heavy", 2)))
