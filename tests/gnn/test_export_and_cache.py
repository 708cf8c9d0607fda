"""Tensors outside: as HeteroData in PyG's own layers and loaders, and on disk."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import neuron, tables_of
from tensor_equality import same_graph
from test_hiding import NETWORK
from torch_geometric.loader import DataLoader
from torch_geometric.nn import HGTConv, SAGEConv, to_hetero

from bnnkg.errors import TrainingError
from bnnkg.gnn.cache import load, save
from bnnkg.gnn.graph import build
from bnnkg.gnn.hetero import hetero
from bnnkg.gnn.tensors import GraphTensors, Hidden
from bnnkg.schema.computation import KINDS, edge_types


@pytest.fixture(scope="module")
def graph() -> GraphTensors:
    return build(tables_of(NETWORK))


def test_every_edge_has_its_reverse(graph: GraphTensors) -> None:
    data = hetero(graph)
    assert data.validate()
    assert len(data.edge_types) == 2 * len(edge_types())
    for src, relation, dst in edge_types():
        forward, back = data[src, relation, dst], data[dst, f"rev_{relation}", src]
        assert torch.equal(forward.edge_index, back.edge_index.flip(0))
        assert torch.equal(forward.edge_attr, back.edge_attr)


def test_cls_hears_every_node(graph: GraphTensors) -> None:
    data = hetero(graph, cls=True)
    assert data.validate()
    assert data["cls"].x.shape == (1, 1)
    assert sum(data[kind, "cls", "cls"].edge_index.shape[1] for kind in KINDS) == sum(
        len(keys) for keys in graph.keys.values()
    )


def test_models_batch_and_go_through_hgt(graph: GraphTensors) -> None:
    other = build(tables_of(replace(NETWORK, synapses=[], key="other")))
    batch = next(iter(DataLoader([hetero(graph), hetero(other)], batch_size=2)))
    widths = {kind: batch[kind].x.shape[1] for kind in KINDS}
    layer = HGTConv(widths, 8, batch.metadata(), heads=2)
    out = layer(batch.x_dict, batch.edge_index_dict)
    assert out["neuron"].shape == (6, 8)
    assert torch.isfinite(out["neuron"]).all()


def test_models_go_through_to_hetero(graph: GraphTensors) -> None:
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = SAGEConv((-1, -1), 4)

        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
            return self.layer(x, edge_index)

    data = hetero(graph)
    out = to_hetero(Net(), data.metadata())(data.x_dict, data.edge_index_dict)
    assert out["synapse"].shape == (4, 4)


@pytest.mark.parametrize(
    "hidden", [Hidden(), Hidden(contacts=True), Hidden.of([(neuron(0), neuron(1))])]
)
def test_cache_gives_back_what_was_saved(tmp_path: Path, hidden: Hidden) -> None:
    graph = build(tables_of(NETWORK), hidden=hidden)
    save(tmp_path, graph)
    again = load(tmp_path, graph.model_uid, hidden=hidden)
    assert again is not None
    assert same_graph(graph, again)
    assert (again.model_key, again.fingerprint, again.hidden) == (
        graph.model_key, graph.fingerprint, hidden,
    )  # fmt: skip
    assert [path.suffix for path in tmp_path.iterdir()] == [".pt"]


def test_cache_tells_versions_and_hidden_apart(graph: GraphTensors, tmp_path: Path) -> None:
    save(tmp_path, graph)
    assert load(tmp_path, "other") is None
    assert load(tmp_path, graph.model_uid, hidden=Hidden(contacts=True)) is None
    assert load(tmp_path / "nowhere", graph.model_uid) is None


@pytest.mark.parametrize("damage", ["empty", "cut", "code", "pickle", "rows", "text"])
def test_damaged_cache_is_told_and_runs_nothing(
    graph: GraphTensors, tmp_path: Path, damage: str
) -> None:
    path = save(tmp_path, graph)
    content = path.read_bytes()
    if damage == "code":
        torch.save({"model": _Touch(tmp_path / "ran")}, path)
    elif damage == "rows":
        far = build(tables_of(NETWORK))
        far.data["neuron", "sends", "synapse"].edge_index[0, 0] = 99
        save(tmp_path, far)
    else:
        path.write_bytes({
            "empty": b"", "cut": content[: len(content) // 2], "text": b"no tensors",
            "pickle": pickle.dumps(_Touch(tmp_path / "ran")),
        }[damage])  # fmt: skip
    with pytest.raises(TrainingError, match="damaged"):
        load(tmp_path, graph.model_uid)
    assert not (tmp_path / "ran").exists()


class _Touch:
    """Makes a file when it is unpickled carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)
