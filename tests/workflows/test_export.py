"""A model as tensors and as a file, and what reading it again costs in truth."""

from __future__ import annotations

import json
from pathlib import Path

import neo4j
import pytest
import torch
from the_command import Command
from whole_graph import ask
from written_models import Circuit, circuit, folder

from bnnkg.errors import BnnkgError, UnknownModelError, UsageError
from bnnkg.settings import Settings
from bnnkg.workflows.exporting import export
from bnnkg.workflows.ingestion import ingest
from bnnkg.workflows.reading import open_store, read_tensors


@pytest.fixture(scope="module")
def made(
    emptied: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Circuit]:
    source, content = tmp_path_factory.mktemp("export") / "net", circuit(10, points=True)
    ingest([str(folder(source, net=content.text))], settings=settings)
    return source, content


def test_a_file_holds_the_model(
    made: tuple[Path, Circuit], settings: Settings, driver: neo4j.Driver, bnnkg: Command,
    tmp_path: Path,
) -> None:  # fmt: skip
    told = bnnkg("export", "net", "--format", "hetero", "--out", tmp_path / "net.pt", "--json")
    assert told.returncode == 0, told.stderr
    data = torch.load(tmp_path / "net.pt", weights_only=False)
    n_synapses = made[1].chemical + made[1].electrical
    assert data["neuron"].num_nodes == made[1].neurons
    assert data["synapse"].num_nodes == n_synapses
    # Instances are expanded: soma, dendrite and axon for each of the ten.
    assert [data[kind].num_nodes for kind in ("soma", "dendrite", "axon")] == [10, 10, 10]
    uids = {uid for (uid,) in ask(driver, "MATCH (n:Neuron) RETURN n.uid")}
    assert {neuron for neuron, _ in data["neuron"].key} == uids
    sent = {
        (data["neuron"].key[a][0], data["synapse"].key[b])
        for triple in data.edge_types
        if triple[0] == "neuron" and triple[2] == "synapse" and not triple[1].startswith("rev_")
        for a, b in data[triple].edge_index.T.tolist()
    }
    assert len(sent) >= made[1].electrical
    with pytest.raises(UnknownModelError, match="nobody"):
        export("nobody", format="hetero", out=tmp_path / "x", settings=settings)
    with pytest.raises(UsageError, match="not written"):
        export("net", format="swc", out=tmp_path / "x", settings=settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pt"]


@pytest.mark.parametrize("format_", ["neuroml", "hetero"])
def test_a_folder_that_is_not_there_is_told(
    format_: str, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(BnnkgError, match="no such folder") as told:
        export("any", format=format_, out=tmp_path / "absent" / "file", settings=settings)
    assert str(tmp_path / "absent") in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_neuroml_from_the_graph_is_the_same_model(
    made: tuple[Path, Circuit], settings: Settings, driver: neo4j.Driver, bnnkg: Command,
    tmp_path: Path,
) -> None:  # fmt: skip
    told = bnnkg("export", "net", "--format", "neuroml", "--out", tmp_path / "net.nml", "--json")
    assert told.returncode == 0, told.stderr
    written = json.loads(told.stdout)
    assert (written["path"], written["beside"]) == (str(tmp_path / "net.nml"), [])
    assert (written["not_written"], written["renamed"]) == ([], {})
    with open_store(settings, write=True) as store:
        before = store.read_model("net")
        ingest([str(tmp_path / "net.nml")], settings=settings, name="again")
        after = store.read_model("again")
        try:
            for label in ("Cell", "Compartment", "Mechanism", "SynapseType"):
                assert set(after.nodes[label].uid) == set(before.nodes[label].uid)
            for label in ("Neuron", "Synapse", "Stimulus"):
                assert len(after.nodes[label]) == len(before.nodes[label])
            weights = [sorted(t.nodes["Synapse"].columns["weight"]) for t in (before, after)]
            assert weights[0] == weights[1]
        finally:
            store.remove_models(["again"])


def test_what_cannot_be_written_is_told(
    made: tuple[Path, Circuit], bnnkg: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    told = bnnkg("export", "net", "--out", tmp_path / "file" / "net.pt")
    assert (told.returncode, told.stdout) == (1, "")
    assert str(tmp_path / "file") in told.stderr
    assert "Traceback" not in told.stderr


def test_the_cache_never_outlives_a_version(
    made: tuple[Path, Circuit], settings: Settings, tmp_path: Path
) -> None:
    with open_store(settings, write=False) as store:
        first = read_tensors(store, "net", settings=settings)
        again = read_tensors(store, "net", settings=settings)
        assert first.model_uid == again.model_uid
        for kind in first.keys:
            assert first.keys[kind] == again.keys[kind]
            assert torch.equal(first.data[kind].x, again.data[kind].x)
    folder(made[0], net=circuit(10, points=True, dendrite_um=44).text)
    ingest([str(made[0])], settings=settings)
    with open_store(settings, write=False) as store:
        changed = read_tensors(store, "net", settings=settings)
    assert changed.model_uid != first.model_uid
    assert not torch.equal(changed.data["dendrite"].x, first.data["dendrite"].x)
    folder(made[0], net=made[1].text)
    ingest([str(made[0])], settings=settings)
    with open_store(settings, write=False) as store:
        back = read_tensors(store, "net", settings=settings)
    assert torch.equal(back.data["dendrite"].x, first.data["dendrite"].x)
