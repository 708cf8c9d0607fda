"""A first load by neo4j-admin's import gives the graph that transactions give."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from drivers import drive
from store_graphs import dump, plain, small_model

from bnnkg.errors import SchemaError, ServerError, UsageError
from bnnkg.schema import GraphTables, NodeTable
from bnnkg.store import Store
from bnnkg.store.bulk import import_command, write_files
from bnnkg.store.server import SUPPORTED_VERSIONS, read_password, start, status, stop
from bnnkg.store.server.home import HomeFolder
from bnnkg.store.server.importing import import_files

AWKWARD = {
    "name": ["", " led by a space", "\t", 'a "quoted", 1\n2nd line \\ é \U0001f9e0'],
    "x_um": [math.inf, -math.inf, 5e-324, 0.1 + 0.2],
}
AWKWARD_LISTS = {
    "gate_names": [['"', "", "x;y,|z\n2", "\\"]],
    "gate_v_half_mV": [[1.5, math.inf, -0.0, 5e-324]],
    "gate_slope_mV": [[math.nan, 2.0]],
    "gate_instances": [[]],
    "parameter_units": [[""]],
    "kinetics_note": ['two\nlines, "quoted" \\"'],
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "bnnkg.db"
    yield folder
    stop(folder, wait=True)


def _awkward() -> GraphTables:
    """A model with every kind of value that a CSV file makes hard to carry."""
    model = small_model("a")
    nodes = dict(model.nodes)
    for label, columns in (("Neuron", AWKWARD), ("Mechanism", AWKWARD_LISTS)):
        nodes[label] = NodeTable(label, {**nodes[label].columns, **columns})
    return GraphTables(nodes, model.edges)


@pytest.mark.parametrize(
    "version",
    [
        SUPPORTED_VERSIONS[0],
        *(pytest.param(v, marks=pytest.mark.slow) for v in SUPPORTED_VERSIONS[1:]),
    ],
)
def test_the_graph_is_that_of_transactions(
    version: str, home: Path, tmp_path_factory: pytest.TempPathFactory, server_home: object
) -> None:
    other = server_home(version)  # type: ignore[operator]
    models = [_awkward(), small_model("b", cells=("c1", "c2")), small_model("aa", cells=("c2",))]
    with Store.open(other) as store, drive(other) as driver:
        store.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
        for model in models:
            store.load_model(model)
        expected = dump(driver)
        store.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    start(home, version=version)
    with Store.open(home) as store:
        before = store.store_id
        results = store.import_models(models)
        assert [(r.status, r.key) for r in results] == [("loaded", k) for k in ("a", "b", "aa")]
        # As text, in which what is no number is like itself.
        found, wanted = plain(store.read_model("a")), plain(models[0])
        assert repr(sorted(found.items(), key=repr)) == repr(sorted(wanted.items(), key=repr))
        with drive(home) as driver:
            assert repr(dump(driver)) == repr(expected)
        assert store.load_model(models[1]).status == "unchanged"
        constraints = store.read("SHOW CONSTRAINTS YIELD name RETURN count(*) AS n").columns["n"]
        assert constraints[0] > 10
        with pytest.raises(UsageError, match="nothing in it"):
            store.import_models([small_model("late")])
    with Store.open(home) as store:
        assert store.store_id == before
    assert status(home).version == version


def test_a_server_is_not_imported_into(neo4j_home_lts: Path) -> None:
    uri = str(start(neo4j_home_lts).uri)
    with (
        Store.open(uri, user="neo4j", password=read_password(neo4j_home_lts)) as store,
        pytest.raises(UsageError, match="--format neo4j-admin"),
    ):
        store.import_models([small_model("a")])


@pytest.mark.slow
def test_what_does_not_fit_leaves_the_database_empty(home: Path) -> None:
    bad = small_model("b")
    bad = GraphTables({k: t for k, t in bad.nodes.items() if k != "Cell"}, bad.edges)
    with Store.open(home) as store:
        with pytest.raises(SchemaError, match="Cell"):
            store.import_models([small_model("a"), bad])
        assert store.models().columns["key"] == []
        assert not list(home.glob("import-*"))


@pytest.mark.slow
def test_an_import_that_fails_leaves_an_empty_database(home: Path, tmp_path: Path) -> None:
    with Store.open(home):
        pass
    files = tmp_path / "files"
    files.mkdir()
    write_files(files, [small_model("a")])
    neurons = files / "Neuron.csv"
    neurons.write_text(neurons.read_text().replace("0.5", "half"))
    with pytest.raises(ServerError, match="neo4j-admin cannot import"):
        import_files(home, files, "arguments.txt")
    with Store.open(home) as store:
        assert store.models().columns["key"] == []
        assert store.load_model(small_model("a")).status == "loaded"


@pytest.mark.slow
def test_a_killed_import_leaves_an_empty_database(home: Path, tmp_path: Path) -> None:
    with Store.open(home):
        pass
    files = tmp_path / "files"
    files.mkdir()
    write_files(files, [small_model("a")])
    code = """
        import sys
        from pathlib import Path
        from bnnkg.store.server.importing import import_files
        import_files(Path(sys.argv[1]), Path(sys.argv[2]), "arguments.txt")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(home), str(files)]
    process = subprocess.Popen(command, start_new_session=True)
    log = HomeFolder(home).logs / "import.log"
    while process.poll() is None and not (log.exists() and "Import starting" in log.read_text()):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert HomeFolder(home).importing.exists()
    with Store.open(home) as store:
        assert store.models().columns["key"] == []
        assert store.load_model(small_model("a")).status == "loaded"


def test_files_say_how_they_are_imported(tmp_path: Path) -> None:
    files = tmp_path / "my files"
    files.mkdir()
    written, _ = write_files(files, [_awkward()])
    assert (written.nodes["Neuron"], written.edges["SENDS"]) == (4, 6)
    first, second, third = import_command(files).splitlines()
    assert first == f"cd '{files}'"
    assert second.startswith("neo4j-admin database import full neo4j @arguments.txt")
    assert third.startswith("cypher-shell -d neo4j -f after-import.cypher")
    after = (files / "after-import.cypher").read_text().splitlines()
    assert after == [
        "UNWIND ['k-c1'] AS uid MATCH (x:Mechanism {uid: uid}) SET x.gate_instances = [];",
        "UNWIND ['k-c1'] AS uid MATCH (x:Mechanism {uid: uid}) SET x.parameter_units = [''];",
    ]
