"""What commands tell people at length."""

import io
import json

import pytest

from bnnkg.ingest import ElementCounts, FileReport, SourceReport
from bnnkg.jsontext import json_text
from bnnkg.reports import (
    demonstration_json,
    write_demonstration,
    write_ingest,
    write_planted,
    write_training,
)
from bnnkg.store import LoadResult, Table
from bnnkg.workflows.demonstration import Answer, Demonstration, Question
from bnnkg.workflows.ingestion import IngestOutcome

TRAINING = {
    "run": "20261124-7k2f",
    "split": "families",
    "held_out": {"edge_auroc": 0.71, "feature_r2": -0.2},
    "held_out_sd": {"edge_auroc": 0.01, "feature_r2": 0.1},
    "chance": {"edge_auroc": 0.55},
    "gate": {"metric": "edge_auroc", "value": 0.71, "chance": 0.55, "passed": True},
    "baselines": {"mlp": {"edge_auroc": 0.69}},
    "agreement": 0.41,
    "seeds": [0, 1, 2],
    "left_out": {"point": "it has no connection"},
    "seconds": 12.3,
}


def told(write, *arguments):
    out = io.StringIO()
    write(*arguments, out)
    return out.getvalue()


def test_a_report_accounts_for_every_file():
    by_class = {"cell": ElementCounts(1, 0, 0), "note": ElementCounts(0, 2, 1)}
    files = [
        FileReport("a.nml", "loaded", "", by_class, ["b.nml is missing"]),
        FileReport("README", "skipped", "not a model"),
    ]
    report = SourceReport("m/", "m@1", "static", "partial", "an include is missing", [], files)
    outcome = IngestOutcome((report,), {}, {"Cell": 1200}, {}, 0)
    lines = told(write_ingest, outcome).splitlines()
    assert lines[0] == "m/: partial, m@1, an include is missing"
    assert lines[2].split() == ["a.nml", "loaded", "1", "2", "1"]
    assert lines[3].split() == ["README", "skipped", "0", "0", "0", "not", "a", "model"]
    assert "a.nml: b.nml is missing" in lines
    assert lines[-2:] == ["nodes: 1,200 Cell", "edges: none"]


def test_a_report_says_what_the_graph_did():
    loads = {
        "m/": LoadResult("replaced", "u", "m", replaced_shares_nothing=True, stale_runs=("", "x"))
    }
    report = SourceReport("m/", "m@2", "static", "loaded", "", [], [])
    outcome = IngestOutcome((report,), loads, {}, {}, 0)
    lines = told(write_ingest, outcome).splitlines()
    assert lines[0] == "m/: loaded, m@2, replaced"
    assert lines[1].startswith("m: this version replaced one that it has nothing in common with")
    assert lines[2].endswith("gone: the one without a name, x")
    (model,) = outcome.to_json()["models"]
    assert (model["change"], model["remarks"]) == ("replaced", lines[1:3])
    assert f"- {lines[1]}" in outcome.to_markdown()


def test_a_training_stands_beside_chance_and_baselines():
    lines = told(write_training, TRAINING).splitlines()
    assert lines[:3] == [
        "run 20261124-7k2f", "held out: families", "left out: point: it has no connection",
    ]  # fmt: skip
    assert lines[4].split() == ["metric", "BGAN", "sd", "chance", "mlp"]
    assert lines[5].split() == ["edge_auroc", "0.71", "0.01", "0.55", "0.69"]
    assert lines[6].split() == ["feature_r2", "-0.2", "0.1"]
    assert "edge_auroc 0.710 is above chance (0.550)" in lines
    assert "3 seeds agree at 0.41 (rank correlation)" in lines


def test_a_training_at_chance_says_so():
    gate = TRAINING["gate"] | {"value": 0.5, "passed": False}
    text = told(write_training, TRAINING | {"gate": gate, "agreement": None, "seeds": [0]})
    assert "edge_auroc 0.500 is NOT above chance (0.550)" in text
    assert "agree" not in text


@pytest.fixture
def demonstration():
    question = Question("Which?", "cells", "A remark.", {"limit": 2}, ("cell",))
    cypher = "// the question\n// Columns:\nMATCH (n)\nRETURN n.name AS cell"
    answers = (
        Answer(question, "worm", cypher, Table({"cell": ["AVAL", "AVAR"]}), None),
        Answer(
            question, "worm", cypher, None, Table({"rho": [None], "note": ["undefined: constant"]})
        ),
    )
    return Demonstration({"nodes": {"Cell": 2}, "edges": {}}, TRAINING, {}, answers, "worm.db")


def test_the_demonstration_shows_answers_with_their_queries(demonstration):
    text = told(write_demonstration, demonstration, "http://127.0.0.1:7474/browser/")
    first, second = text.split("2. Which?")
    assert "AVAL" in first.split("1. Which?")[1]
    assert "    MATCH (n)\n    RETURN n.name AS cell\n" in first
    assert "// Columns" not in text
    assert "  $ bnnkg query cells --param model=worm --param limit=2 --db worm.db\n" in first
    assert "undefined: constant" in second
    assert "http://127.0.0.1:7474/browser/" in second
    assert "  $ bnnkg db open --db worm.db" in second


def test_the_demonstration_is_json(demonstration):
    plain = json.loads(json_text(demonstration_json(demonstration, None)))
    assert plain["answers"][0]["rows"] == [{"cell": "AVAL"}, {"cell": "AVAR"}]
    assert plain["answers"][1]["statistics"] == [{"rho": None, "note": "undefined: constant"}]
    assert plain["training"]["run"] == "20261124-7k2f"


def test_planted_scores_are_told_by_task() -> None:
    spread = {"mean": 0.99, "sd": 0.01, "n": 5}
    rows = [
        {"task": "direct", "model": "bgan", "control": control, "score": score,
         "auroc": spread, "ap": spread, "chosen": control == "none" and score == "attention_lift"}
        for control in ("none", "untrained", "shuffled")
        for score in ("attention_lift", "attention_rollout")
    ]  # fmt: skip
    outcomes = [{"task": "direct", "model": "bgan", "control": "none", "auroc": spread}]
    out = io.StringIO()
    write_planted({"rows": rows, "outcomes": outcomes, "written": {"direct": "b"}}, out)
    lines = [line.split() for line in out.getvalue().splitlines()]
    chosen = [line[0] for line in lines if line and line[-1] == "yes"]
    assert chosen == ["attention_lift"]
    assert "without the truth, b would be written" in out.getvalue()
