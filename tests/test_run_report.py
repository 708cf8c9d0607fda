"""What `bnnkg runs show` tells a person."""

from __future__ import annotations

import io
from datetime import datetime

from bnnkg.run_report import write_run

EPOCHS = [{"loss": 0.9, "validation": 0.5}, {"loss": 0.4, "validation": None},
          {"loss": 0.2, "validation": 0.75}]  # fmt: skip
RUN = {
    "run": "20261124-7k2f", "status": "done", "created": datetime(2026, 11, 24, 9, 30),
    "models": [{"uid": "m1", "key": "worm"}], "split": "within models: pairs",
    "config": {"epochs": 3, "network": {"width": 64}},
    "metrics": {
        "gate": {"metric": "edge_auroc", "value": 0.71, "chance": 0.55, "passed": True},
        "held_out": {"edge_auroc": 0.71}, "held_out_sd": {"edge_auroc": 0.02},
        "chance": {"edge_auroc": 0.55}, "baselines": {"degree_alone": {"edge_auroc": 0.6}},
        "seeds": [0], "curves": [EPOCHS], "agreement": 0.41,
        "score_method": "attention_rollout",
        "fidelity": {"attention_lift": 0.01, "attention_rollout": 0.04},
    },
    "strongest": {
        "rows": [{"sender": "AVAL", "receiver": "VA1"}], "reason": "",
        "query": "strongest_connections", "parameters": {"run": "second", "limit": 10},
        "cypher": "// Which?\nMATCH (n)\nRETURN n",
    },
}  # fmt: skip


def told(**changed: object) -> str:
    out = io.StringIO()
    write_run(RUN | changed, out)
    return out.getvalue()


def test_a_run_is_told_whole() -> None:
    text = told()
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "network.width 64" in lines
    assert "edge_auroc 0.71 0.02 0.55 0.6" in lines
    assert any("▁ █" in line and "█▃▁" in line for line in lines)
    assert "attention_score is attention_rollout" in lines
    assert any(line.startswith("attention_rollout 0.04 share of the answers") for line in lines)
    assert "AVAL VA1" in lines
    assert "$ bnnkg query strongest_connections --param run=second --param limit=10" in lines
    assert "MATCH (n)" in lines
    assert "// Which?" not in text


def test_a_run_that_is_not_on_the_graph_says_how_it_gets_there() -> None:
    text = told(strongest={"rows": [], "reason": "bnnkg annotate R writes it"})
    assert "bnnkg annotate R writes it" in text


def test_a_run_without_a_result_shows_what_was_asked_for() -> None:
    text = told(metrics={}, split=None, status="failed")
    assert "failed" in text
    assert "network.width" in text
    assert "Held-out" not in text


def test_a_run_at_chance_says_so() -> None:
    gate = {"metric": "edge_auroc", "value": 0.5, "chance": 0.55, "passed": False}
    assert "NOT above chance" in told(metrics=RUN["metrics"] | {"gate": gate})  # type: ignore[operator]
