"""The command line: its words, its codes, its errors, and a few commands from end to end."""

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from pyarrow import parquet
from typer.testing import CliRunner

from bnnkg import invocation
from bnnkg.cli import app
from bnnkg.invocation import Invocation
from bnnkg.store.server import read_password, status

NETWORK = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="pair">
  <izhikevich2007Cell id="iz" C="100pF" v0="-60mV" k="0.7nS_per_mV" vr="-60mV" vt="-40mV"
      vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>
  <expOneSynapse id="syn" gbase="2nS" erev="0mV" tauDecay="3ms"/>
  <network id="net">
    <population id="cells" component="iz" size="2"/>
    <projection id="p" presynapticPopulation="cells" postsynapticPopulation="cells" synapse="syn">
      <connection id="0" preCellId="../cells[0]" postCellId="../cells[1]"/>
    </projection>
  </network>
</neuroml>
"""
ROOT = typer.main.get_command(app)


def commands(path=(), command=ROOT):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands((*path, name), inner)


PATHS = [path for path, _ in commands()]
LEAVES = [(path, command) for path, command in commands() if command.epilog and path]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """No setting of the machine reaches a test, and none leaves anything outside its folder."""
    for name in [name for name in os.environ if name.startswith("BNNKG_")]:
        if name not in {"BNNKG_CACHE", "BNNKG_NEO4J_HOME"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def called(monkeypatch):
    """What commands would be called with; none is."""
    calls = []

    def note(call, function):
        calls.append((call, function.keywords))
        return 0

    monkeypatch.setattr(invocation, "_run", note)
    return calls


# ---------------------------------------------------------------------------------- its words


def test_the_commands_are_those_of_the_design():
    assert {" ".join(path) for path in PATHS if path} == {
        "demo", "doctor", "db", "db start", "db stop", "db status", "db open", "ingest",
        "validate", "remove", "models", "runs", "runs show", "runs diff", "schema", "queries",
        "train", "annotate", "query", "cypher", "export", "benchmark", "benchmark planted",
        "benchmark models", "synthesize",
    }  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_helps(path):
    told = run(*path, "--help")
    assert told.exit_code == 0
    for option in ("--db", "--json", "--quiet", "--verbose"):
        assert option in told.stdout or path in (("db",), ("benchmark",))
    assert max(map(len, told.stdout.splitlines())) <= 80


def test_help_documents_the_exit_codes():
    told = run("--help").stdout
    for code in ("0    done", "1    failed", "2    wrong usage", "3    done, but", "130  stopped"):
        assert code in told


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(p) for p, _ in LEAVES])
def test_every_example_can_be_typed(path, command, called):
    (line,) = re.findall(r"^  \$ bnnkg (.*)$", command.epilog, re.MULTILINE)
    arguments = shlex.split(line.split(" > ")[0])
    assert tuple(arguments[: len(path)]) == path
    told = run(*arguments)
    assert (told.exit_code, told.stderr) == (0, "")
    assert len(called) == 1


@pytest.mark.parametrize("before", [True, False])
def test_common_options_stand_before_and_after_the_command(before, called):
    options = ["--db", "worm.db", "--json", "-q", "--verbose"]
    told = run(*options, "runs", "show", "r") if before else run("runs", "show", "r", *options)
    assert told.exit_code == 0
    assert called == [(Invocation("worm.db", True, True, True), {"run": "r"})]


def test_common_options_may_stand_in_the_middle_and_the_last_database_counts(called):
    run("--db", "a", "runs", "--json", "show", "r", "--db", "b")
    run("--db", "a", "models", "--quiet")
    assert [call for call, _ in called] == [
        Invocation("b", json=True), Invocation("a", quiet=True),
    ]  # fmt: skip


def test_arguments_reach_the_command(called):
    run("train", "--models", "a,b", "--models", "c", "--seeds", "5", "--epochs", "7")
    assert called[0][1] == {
        "models": ["a,b", "c"], "target": None, "epochs": 7, "seed": 0, "seeds": 5, "resume": None,
        "accumulate": 1, "precision": "float32",
    }  # fmt: skip


def test_the_version_is_told():
    from bnnkg import __version__

    installed = Path(sys.executable).with_name("bnnkg")
    told = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    assert run("--version").stdout == told.stdout == f"bnnkg {__version__}\n"


# ---------------------------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    "line",
    [
        "bogus",
        "query",
        "cypher",
        "remove",
        "runs show",
        "runs diff one",
        "train --seeds 0",
        "train --epochs x",
        "schema --nonsense",
        "validate",
        "ingest",
        "ingest a b --name x",
        "export worm",
        "query cells --param limit",
        "query cells --statistics",
        "cypher 'RETURN 1' --param =1",
        "db start --db bolt://localhost",
        "db stop --db neo4j+s://localhost",
        "models --db http://localhost:7474",
        "models --status lost",
        "models --db ''",
        "annotate r --as Bad-Name",
    ],
)
def test_wrong_usage_is_told_and_exits_2(line):
    told = run(*shlex.split(line))
    assert told.exit_code == 2, told.stderr
    assert told.stdout == ""
    assert re.match("Usage: |error: ", told.stderr)
    assert "Traceback" not in told.stderr
    assert list(Path.cwd().iterdir()) == []


def test_no_arguments_show_the_help():
    told = run()
    assert told.exit_code == 2
    assert "Commands:" in told.stderr + told.stdout


def test_a_bad_settings_file_is_told():
    Path("bnnkg.toml").write_text('dbb = "x"')
    told = run("runs")
    assert told.exit_code == 2
    assert "bnnkg.toml: dbb is no setting" in told.stderr


# ---------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("runs show 20260101-0000", "there is no run '20260101-0000'"),
        ("runs diff 20260101-0000 20260101-0001", "there is no run '20260101-0000'"),
        ("annotate 20260101-0000", "there is no run '20260101-0000'"),
        ("train --resume 20260101-0000", "there is no run '20260101-0000'"),
        ("query cels", "no such query"),
        ("queries cels", "no such query"),
        ("validate nowhere.nml", "nowhere.nml"),
        ("ingest nowhere.nml --dry-run", "nowhere.nml"),
        ("cypher 'RETURN 1' --db bolt://127.0.0.1:9", "no database answers"),
        ("models --db /proc/no/such/folder", "/proc/no"),
    ],
)
def test_what_fails_is_told_and_exits_1(line, told):
    result = run(*shlex.split(line))
    assert result.exit_code == 1, result.output
    assert told in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    assert list(Path.cwd().iterdir()) == []


def test_an_error_is_an_object_where_json_is_asked_for():
    told = run("runs", "show", "nope", "--json")
    error = json.loads(told.stderr)["error"]
    assert (told.exit_code, told.stdout) == (1, "")
    assert (error["type"], error["exit_code"]) == ("UnknownRunError", 1)
    assert error["hint"] == "bnnkg train makes one"


def test_verbose_shows_where_an_error_arose():
    told = run("runs", "show", "nope", "--verbose")
    assert "Traceback" in told.stderr
    assert "error: there is no run 'nope'" in told.stderr


def test_lists_leave_nothing_behind():
    for line in ("runs", "runs --json", "queries", "schema", "db status"):
        assert run(*line.split()).exit_code == 0
    assert list(Path.cwd().iterdir()) == []


def bnnkg(*arguments, **options):
    code = "import sys; from bnnkg.cli import main; sys.argv[0] = 'bnnkg'; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_a_reader_that_leaves_is_no_error():
    process = bnnkg("schema", "--json")
    process.stdout.close()  # long before the command has something to say
    assert (process.wait(), process.stderr.read()) == (0, "")
    process.stderr.close()


def test_a_stop_by_the_user_exits_130(tmp_path):
    """Ctrl-C while the command waits for its input."""
    os.mkfifo(tmp_path / "manifest.csv")
    process = bnnkg(
        "ingest", "--manifest", tmp_path / "manifest.csv",
        # Where the tests run in the background, they and their children are deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    writer = os.open(tmp_path / "manifest.csv", os.O_WRONLY)  # waits until the command reads
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    os.close(writer)
    assert (process.returncode, out) == (130, "")
    assert err == "error: stopped; what was finished stays\n"


# ---------------------------------------------------------------------------------- for programs


def test_queries_are_listed_and_shown():
    listed = json.loads(run("queries", "--json").stdout)
    assert {"name", "question"} == set(listed[0])
    assert len(listed) >= 10
    shown = json.loads(run("queries", "cells", "--json").stdout)
    assert shown["text"] == run("queries", "cells").stdout
    assert "limit" in [parameter["name"] for parameter in shown["parameters"]]


def test_the_schema_is_json_or_the_page():
    assert json.loads(run("schema", "--json").stdout)["nodes"][0]["label"] == "Store"
    assert run("schema").stdout == (Path(__file__).parents[1] / "docs/schema.md").read_text()


def test_validate_reports_without_a_database():
    Path("pair.nml").write_text(NETWORK)
    Path("README").write_text("no model")
    told = run("validate", "pair.nml", "--json")
    report = json.loads(told.stdout)
    assert told.exit_code == 0
    assert report["files"][0]["path"] == "pair.nml"
    assert report["files"][0]["elements"]["by_class"]["connection"] == {
        "loaded": 1, "kept": 0, "skipped": 0,
    }  # fmt: skip
    assert report["totals"]["nodes"]["Neuron"] == 2
    assert run("validate", "pair.nml", "nowhere", "README").exit_code == 3
    assert run("validate", "pair.nml", "--markdown").stdout.startswith("## pair.nml: loaded")
    assert {path.name for path in Path.cwd().iterdir()} == {"pair.nml", "README"}


# ---------------------------------------------------------------------------------- end to end


@pytest.fixture
def home(neo4j_home_lts):
    """A running local server; its graph is not this test's alone."""
    return neo4j_home_lts


@pytest.fixture
def pair(home):
    """A model of two neurons in the graph of ``home``."""
    Path("pair.nml").write_text(NETWORK)
    told = run("ingest", "pair.nml", "--name", "cli-pair", "--db", home, "--json")
    assert told.exit_code == 0, told.stderr
    yield json.loads(told.stdout)
    run("remove", "cli-pair", "--db", home)


def test_a_model_is_loaded_listed_asked_for_and_removed(home, pair):
    assert pair["models"][0]["status"] == "loaded"
    assert pair["models"][0]["model"].startswith("cli-pair@")
    again = run("ingest", "pair.nml", "--name", "cli-pair", "--db", home)
    assert again.exit_code == 0
    assert "unchanged" in again.stdout

    models = json.loads(run("models", "--db", home, "--json").stdout)
    (listed,) = [model for model in models if model["model"] == "cli-pair"]
    assert (listed["status"], listed["n_neurons"], listed["n_synapses"]) == ("loaded", 2, 1)
    lost = json.loads(run("models", "--status", "failed", "--db", home, "--json").stdout)
    assert "cli-pair" not in [model["model"] for model in lost]

    dry = json.loads(run("remove", "cli-pair", "--dry-run", "--db", home, "--json").stdout)
    assert dry["dry_run"]
    assert run("remove", "cli-pair", "--db", home).exit_code == 0
    assert "cli-pair" not in run("models", "--db", home).stdout
    told = run("remove", "cli-pair", "--db", home)
    assert told.exit_code == 1
    assert "cli-pair" in told.stderr


def test_rows_come_in_every_form(home, pair):
    text = """MATCH (m:Model {key: $key})-[:DEFINES]->(:Network)-[:HAS_POPULATION]->(p)
        -[:HAS_NEURON]->(n) RETURN n.index AS i, p.name AS population, [n.index] AS list,
        null AS nothing ORDER BY i"""
    ask = ("cypher", text, "--param", "key=cli-pair", "--db", home)
    rows = [
        {"i": i, "population": "cells", "list": [i], "nothing": None} for i in (0, 1)
    ]  # counted in NETWORK
    assert json.loads(run(*ask, "--json").stdout) == rows
    assert list(csv.DictReader(io.StringIO(run(*ask, "--csv").stdout))) == [
        {"i": str(i), "population": "cells", "list": f"[{i}]", "nothing": ""} for i in (0, 1)
    ]
    told = run(*ask, "--parquet", "rows.parquet")
    assert (told.exit_code, told.stdout) == (0, "")
    assert parquet.read_table("rows.parquet").to_pylist() == rows
    assert run(*ask).stdout.splitlines()[0].split() == ["i", "population", "list", "nothing"]
    assert run(*ask, "--json", "--csv").exit_code == 2


def test_parameters_are_json_or_else_text(home):
    told = run(
        "cypher", "RETURN $a AS a, $b AS b, $c AS c, $d AS d", "--db", home, "--json",
        "-p", "a=3", "-p", "b=[1, null]", "-p", "c=x=y", "-p", "d=true",
    )  # fmt: skip
    assert json.loads(told.stdout) == [{"a": 3, "b": [1, None], "c": "x=y", "d": True}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RETURN", "line 1, column 7"),
        ("MATCH (n RETURN n", "line 1"),
        ("RETURN $missing", "missing"),
        ("CREATE (n:Oops)", "--write"),
        ("MATCH (n) DETACH DELETE n", "--write"),
        ("LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row", "LOAD CSV"),
    ],
)
def test_bad_or_writing_cypher_is_refused(home, text, told):
    result = run("cypher", text, "--db", home)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr


def test_cypher_may_write_where_it_is_let(home):
    run("cypher", "CREATE (:CliOops {x: 1})", "--write", "--db", home)
    count = ("cypher", "MATCH (n:CliOops) RETURN count(n) AS n", "--json", "--db", home)
    assert json.loads(run(*count).stdout) == [{"n": 1}]
    run("cypher", "MATCH (n:CliOops) DELETE n", "--write", "--db", home)
    assert json.loads(run(*count).stdout) == [{"n": 0}]


def test_a_query_of_the_library_takes_its_parameters(home, pair):
    ask = ("query", "neurons", "--param", "model=cli-pair", "--db", home)
    rows = json.loads(run(*ask, "--json").stdout)
    assert len(rows) == 2
    assert len(json.loads(run(*ask, "--param", "limit=1", "--json").stdout)) == 1
    for param, word in (
        ("nolimit=1", "limit"),
        ("limit=x", "integer"),
        ("model=no", "no such model"),
    ):
        told = run(*ask, "--param", param)
        assert told.exit_code == 1
        assert word in told.stderr


def test_the_same_commands_speak_to_a_server_by_its_address(home, pair, monkeypatch, tmp_path):
    running = status(home)
    ask = ("cypher", "RETURN 1 AS one", "--db", running.uri, "--json")
    path = tmp_path / "password"
    path.write_text(read_password(home))
    monkeypatch.setenv("BNNKG_PASSWORD_FILE", str(path))
    assert json.loads(run(*ask).stdout) == [{"one": 1}]
    monkeypatch.setenv("BNNKG_PASSWORD", "wrong")
    told = run(*ask)
    error = json.loads(told.stderr)["error"]
    assert (told.exit_code, error["type"]) == (1, "StoreAuthError")
    assert "wrong" not in told.stderr.replace("wrong usage", "")


def test_the_server_is_described_and_opened(home, monkeypatch, tmp_path):
    described = json.loads(run("db", "status", "--db", home, "--json").stdout)
    assert set(described) == {"state", "uri", "http", "pid", "version", "home"}
    assert described["state"] == "running"
    assert (
        run("db", "start", "--db", home, "--json").stdout == json.dumps(described, indent=2) + "\n"
    )
    assert read_password(home) not in run("db", "status", "--db", home).stdout

    opened = json.loads(run("db", "open", "--db", home, "--json").stdout)
    filled_in = f"connectURL={described['uri'].replace('://', '://neo4j@')}"
    assert opened == {
        "uri": described["uri"], "http": f"{described['http']}?{filled_in}", "user": "neo4j",
        "password": read_password(home),
    }  # fmt: skip
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/seen\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    told = run("db", "open", "--db", home)
    assert read_password(home) in told.stdout
    assert (tmp_path / "seen").read_text().strip() == opened["http"]


def test_the_doctor_looks_at_the_database(home):
    told = run("doctor", "--db", home, "--json")
    checks = {check["name"]: check for check in json.loads(told.stdout)["checks"]}
    assert told.exit_code == 0
    assert checks["database"]["ok"]
    assert "flag --db" in checks["setting db"]["detail"]


def test_the_doctor_says_what_is_wrong():
    told = run("doctor", "--db", "bolt://127.0.0.1:9")
    assert told.exit_code == 1
    assert re.search(r"^database +NO +no database answers", told.stdout, re.MULTILINE)
