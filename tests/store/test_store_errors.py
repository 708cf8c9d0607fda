"""What can go wrong between us and a database, told plainly and without secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import neo4j
import pytest
from store_graphs import small_model

from bnnkg.errors import (
    QueryError,
    StoreAuthError,
    StoreUnavailableError,
    StoreVersionError,
    UnknownModelError,
    UsageError,
)
from bnnkg.schema import SCHEMA_VERSION
from bnnkg.store import Store, Table
from bnnkg.store.server import status


def test_wrong_password(neo4j_home: Path) -> None:
    with pytest.raises(StoreAuthError, match="BNNKG_PASSWORD") as caught:
        Store.open(str(status(neo4j_home).uri), password="not the password")
    assert "not the password" not in str(caught.value)


def test_no_password(neo4j_home_lts: Path) -> None:
    with pytest.raises(StoreAuthError):
        Store.open(str(status(neo4j_home_lts).uri))


def test_database_away() -> None:
    with pytest.raises(StoreUnavailableError, match=r"bolt://127\.0\.0\.1:1: no database answers"):
        Store.open("bolt://127.0.0.1:1", password="x")


def test_an_address_of_another_kind() -> None:
    with pytest.raises(StoreUnavailableError, match="no address of a database"):
        Store.open("mysql://127.0.0.1", password="x")


def test_credentials_do_not_belong_into_an_address() -> None:
    with pytest.raises(UsageError) as caught:
        Store.open("bolt://me:secret@127.0.0.1:1")
    assert "secret" not in str(caught.value)


def test_a_graph_of_a_newer_version(store: Store, neo4j_home: Path, driver: neo4j.Driver) -> None:
    newer = SCHEMA_VERSION + 1
    driver.execute_query("MATCH (s:Store) SET s.schema_version = $v", v=newer)
    try:
        for write in (True, False):
            with pytest.raises(StoreVersionError, match=f"schema version {newer}"):
                Store.open(neo4j_home, write=write)
    finally:
        driver.execute_query("MATCH (s:Store) SET s.schema_version = $v", v=SCHEMA_VERSION)


def test_a_mistake_in_a_query_is_shown_in_its_place(store: Store) -> None:
    query = "MATCH (n:Neuron)\nRETRN n"
    for run in (store.read, store.read_untrusted, store.write):
        with pytest.raises(QueryError) as caught:
            run(query)
        assert caught.value.where == "line 2, column 1"
        line, caret = str(caught.value.found).split("\n")
        assert (line, caret.strip()) == ("RETRN n", "^")
    with pytest.raises(QueryError) as caught:
        store.read_untrusted("RETURN nosuch + 1")
    line, caret = f"  found: {caught.value.found}".split("\n")
    assert caret.index("^") == line.index("nosuch")


def test_other_mistakes_in_queries(store: Store) -> None:
    with pytest.raises(QueryError, match="wanted"):
        store.read_untrusted("RETURN $wanted AS x")
    with pytest.raises(QueryError, match=r"/ by zero|by zero"):
        store.read_untrusted("RETURN 1 / 0 AS x")
    with pytest.raises(QueryError):
        store.read_untrusted("")
    with pytest.raises(QueryError, match=r"nosuch\.procedure|not among"):
        store.read_untrusted("CALL nosuch.procedure()")


def test_an_unknown_model(store_lts: Store) -> None:
    store_lts.load_model(small_model("a"))
    with pytest.raises(UnknownModelError, match="found: a"):
        store_lts.read_model("b")


def test_answers_are_plain_columns(store: Store) -> None:
    store.load_model(small_model("a"))
    table = store.read(
        "MATCH p = (n:Neuron {index: 0})-[e:CONNECTS_TO]->(m) "
        "RETURN n, e, p, date('2024-05-06') AS d, duration('P1D') AS dur, "
        "point({x: 1.0, y: 2.0}) AS xy, {a: [n.index]} AS map, null AS nothing"
    )
    (row,) = table.rows()
    assert row["n"]["labels"] == ["Neuron"]
    assert row["n"]["properties"]["index"] == 0
    assert row["e"]["type"] == "CONNECTS_TO"
    steps = [step.get("type") or step["labels"][0] for step in row["p"]]
    assert steps == ["Neuron", "CONNECTS_TO", "Neuron"]
    assert (row["d"], row["dur"], row["xy"]) == ("2024-05-06", "P1D", [1.0, 2.0])
    assert (row["map"], row["nothing"]) == ({"a": [0]}, None)
    assert list(table.to_frame().columns) == list(table.columns)


def test_an_answer_without_rows_has_its_columns(store_lts: Store) -> None:
    table = store_lts.read("MATCH (n:Nothing) RETURN n.a AS a, n.b AS b")
    assert table == Table({"a": [], "b": []})
    assert (len(table), list(table.rows())) == (0, [])


def test_py2neo_sees_the_same_graph(store_lts: Store) -> None:
    store_lts.load_model(small_model("a"))
    graph = store_lts.py2neo()
    assert graph.run("MATCH (n:Neuron) RETURN count(n)").evaluate() == 4
    graph.service.connector.close()


def test_the_driver_comes_without_pandas_and_leaves_it_to_others() -> None:
    script = """if True:
        import sys
        from bnnkg.store.driver import import_driver
        import_driver()
        print([name for name in ("pandas", "pyarrow") if name in sys.modules])
        import pandas
        import_driver()
        print("neo4j" in sys.modules, pandas.DataFrame({"a": [1]}).shape)
    """
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "True (1, 1)"]


def test_importing_the_store_is_cheap() -> None:
    heavy = ["neo4j", "pandas", "numpy", "torch", "sqlalchemy", "psutil", "jgo", "py2neo"]
    script = f"import sys, bnnkg.store; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
