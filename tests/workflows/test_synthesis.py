"""Made-up models as files: what is written, the truth beside it, and what is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from the_command import Command

from bnnkg.workflows.synthesis import PLANTED, TASKS, make

NS = {"n": "http://www.neuroml.org/schema/neuroml2"}


@pytest.fixture
def bnnkg(warm_folder: Path) -> Command:
    """The command without a database: it needs none."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [warm_folder / "bnnkg", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run


def paths_of(text: str) -> set[str]:
    """Neurons and connections of a document, and neurons with their parts, as truths name them."""
    root = ElementTree.fromstring(text)
    cells = {cell.get("id"): cell for cell in root.findall("n:cell", NS)}
    found: set[str] = set()
    for network in root.findall("n:network", NS):
        id_ = str(network.get("id"))
        found.add(id_)
        for population in network.findall("n:population", NS):
            for place in range(int(str(population.get("size")))):
                neuron = f"{id_}/{population.get('id')}/{place}"
                found |= {neuron, *_parts(neuron, cells.get(population.get("component")))}
        for tag in ("projection", "electricalProjection"):
            for one in network.findall(f"n:{tag}", NS):
                found |= {f"{id_}/{one.get('id')}/{place}" for place in range(len(one))}
    return found


def _parts(neuron: str, cell: ElementTree.Element | None) -> set[str]:
    if cell is None:
        return set()
    found = {
        f"{neuron}#{one.get('ionChannel')}" for one in cell.iterfind(".//n:channelDensity", NS)
    }
    for segment in cell.iterfind(".//n:segment", NS):
        start, end = (
            float(str(segment.find(f"n:{tag}", NS).get("y")))  # type: ignore[union-attr]
            for tag in ("proximal", "distal")
        )
        found.add(f"{neuron}#{end - start:.2f}")
    return found


@pytest.mark.parametrize("task", PLANTED)
def test_what_a_truth_names_is_in_its_document(task: str, bnnkg: Command, tmp_path: Path) -> None:
    done = bnnkg("synthesize", task, "--out", tmp_path, "--networks", 2, "--seed", 4, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {"written": [str(tmp_path / f"{task}4{end}") for end in (".nml", ".truth.json")]}
    document, beside = (Path(path) for path in told["written"])
    truth: dict[str, Any] = json.loads(beside.read_text())
    assert (truth["task"], truth["seed"], truth["document"]) == (task, 4, document.name)
    there = paths_of(document.read_text())
    for one in truth["outcomes"]:
        assert one["outcome"] in (0, 1)
        assert {one["subject"], *one["candidates"]} <= there
        assert set() < set(one["drivers"]) < set(one["candidates"])


def test_each_document_has_a_seed_of_its_own(bnnkg: Command, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "er"
    done = bnnkg("synthesize", "wiring", "--out", out, "--documents", 2, "--seed", 7)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {"wiring7.nml", "wiring8.nml"}
    for seed in (7, 8):
        text = make("wiring", n_networks=1, seed=seed).text
        assert (out / f"wiring{seed}.nml").read_text() == text


def test_a_dry_run_says_what_it_would_write(bnnkg: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = bnnkg("synthesize", "graph", "--out", out, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"would_write"}
    assert not out.exists()


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_nothing_is_overwritten(bnnkg: Command, tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "direct1.truth.json").write_text("mine")
    done = bnnkg("synthesize", "direct", "--out", tmp_path, "--documents", 3, *more)
    assert done.returncode == 2
    assert "direct1.truth.json" in done.stderr
    assert "to do:" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"direct1.truth.json"}
    assert (tmp_path / "direct1.truth.json").read_text() == "mine"


def test_an_unknown_task_is_wrong_usage(bnnkg: Command, tmp_path: Path) -> None:
    done = bnnkg("synthesize", "worm", "--out", tmp_path)
    assert done.returncode == 2
    assert all(task in done.stderr for task in TASKS)
