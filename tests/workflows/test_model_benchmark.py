"""Networks compared on a model of the graph, and what is written of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from the_command import Command

from bnnkg.workflows.comparison import write_comparison

CIRCUIT = Path(__file__).parents[2] / "docs" / "examples" / "circuit"
PNG = b"\x89PNG\r\n\x1a\n"


def row(model: str, mean: float, above: float | None) -> dict[str, Any]:
    spread = {"mean": mean, "sd": 0.01, "n": 3}
    difference = None if above is None else {"mean": above, "sd": 0.02, "n": 3}
    return {
        "model": model, "group": "bgan" if model == "bgan" else "network", "metric": "edge_auroc",
        "held_out": spread, "validation": spread, "above": difference, "parameters": 1234,
        "epochs": spread, "cpu_s": spread, "wall_s": spread,
    }  # fmt: skip


def test_a_network_that_is_better_is_said_to_be(tmp_path: Path) -> None:
    from bnnkg.workflows.comparison import _verdict

    rows = [row("gine", 0.8, 0.05), row("bgan", 0.75, 0.0)]
    verdict = _verdict(rows)
    assert verdict == "gine is better than BGAN, by +0.050 ± 0.020 (mean and sd of 3 seeds)"
    result = {"rows": rows, "metric": "edge_auroc", "verdict": verdict, "left_out": {}}
    files = write_comparison(result, tmp_path)
    assert {Path(file).name for file in files} == {"models.json", "models.md", "models.png"}
    assert json.loads((tmp_path / "models.json").read_text()) == result
    table = (tmp_path / "models.md").read_text()
    assert "| gine | network | 0.800 ± 0.010 | 3 | +0.050 ± 0.020 |" in table
    assert table.endswith(verdict + "\n")
    assert (tmp_path / "models.png").read_bytes().startswith(PNG)


def test_bgan_at_the_top_is_told_by_how_far() -> None:
    from bnnkg.workflows.comparison import _verdict

    rows = [row("bgan", 0.8, 0.0), row("gine", 0.75, -0.05)]
    assert _verdict(rows).startswith("BGAN is best; gine follows, -0.050 ± 0.020")


@pytest.mark.usefixtures("emptied")
def test_the_command_compares_and_writes(bnnkg: Command, tmp_path: Path) -> None:
    assert bnnkg("ingest", CIRCUIT, "--name", "circuit").returncode == 0
    done = bnnkg(
        "benchmark", "models", "--models", "circuit", "--network",
        "mlp_with_training_degrees,mean_aggregation",
        "--seeds", 1, "--epochs", 1, "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {one["model"] for one in told["rows"]} == {
        "mlp_with_training_degrees", "mean_aggregation", "degree_alone", "nearest_twin",
    }  # fmt: skip
    assert told["best"] == told["rows"][0]["model"]
    means = [one["held_out"]["mean"] for one in told["rows"]]
    assert means == sorted(means, reverse=True)
    assert all(Path(path).is_file() for path in told["files"])


def test_an_unknown_network_is_wrong_usage(bnnkg: Command) -> None:
    done = bnnkg("benchmark", "models", "--network", "resnet")
    assert done.returncode == 2
    assert "gatv2" in done.stderr


@pytest.mark.usefixtures("emptied")
def test_synthetic_models_make_one_more_row(bnnkg: Command, tmp_path: Path) -> None:
    """They are not tested on, also where no model is named, and the other rows do without them."""
    assert bnnkg("ingest", CIRCUIT, "--name", "circuit").returncode == 0
    assert bnnkg("synthesize", "compartment", "--out", tmp_path).returncode == 0
    assert bnnkg("ingest", tmp_path / "compartment0.nml", "--name", "made").returncode == 0
    command = (
        "benchmark", "models", "--network", "mean_aggregation", "--seeds", 1, "--epochs", 1,
        "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    alone = bnnkg(*command, "--models", "circuit")
    beside = bnnkg(*command, "--synthetic", "made")
    assert beside.returncode == 0, beside.stderr
    told = json.loads(beside.stdout)
    assert told["synthetic"] == ["made"]
    rows = {one["model"]: one for one in told["rows"]}
    without = {one["model"]: one for one in json.loads(alone.stdout)["rows"]}
    assert set(rows) == {*without, "bgan_with_synthetic_data"}
    assert rows["bgan_with_synthetic_data"]["group"] == "data"
    for name in ("mean_aggregation", "nearest_twin"):
        assert rows[name]["held_out"] == without[name]["held_out"]


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--synthetic", "nobody"], 1, "nobody"),
        (["--synthetic", "circuit"], 2, "relative"),
        (["--network", "bgan_with_synthetic_data"], 2, "--synthetic"),
    ],
)
def test_what_is_synthetic_must_be_named_and_apart(
    bnnkg: Command, options: list[str], code: int, told: str
) -> None:
    assert bnnkg("ingest", CIRCUIT, "--name", "circuit").returncode == 0
    done = bnnkg("benchmark", "models", "--models", "circuit", *options)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
