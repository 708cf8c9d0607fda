from __future__ import annotations

from pathlib import Path

import torch
from tensor_equality import differences
from trained_models import circuit, training_model

from bnnkg.gnn.batching import collate
from bnnkg.gnn.mapped import map_to_disk
from bnnkg.gnn.scaling import fit_scaling


def test_a_batch_is_the_same_on_disk(tmp_path: Path) -> None:
    models = [training_model(circuit(n, planted=False)).tensors for n in (12, 20)]
    batch = collate(models, fit_scaling(models))
    mapped = map_to_disk(batch, tmp_path)
    assert differences(mapped, batch) == []
    assert mapped.columns == batch.columns
    assert mapped.scaling is batch.scaling
    assert list(tmp_path.iterdir()) == []


def test_its_numbers_are_pages_of_the_file(tmp_path: Path) -> None:
    """Told by the kernel: the tensor's address lies in a mapping of the file that is gone."""
    model = training_model(circuit(12, planted=False)).tensors
    mapped = map_to_disk(collate([model], fit_scaling([model])), tmp_path)
    at = mapped.edge_attr.data_ptr()
    lines = Path("/proc/self/maps").read_text().splitlines()
    spans = {
        line: [int(end, 16) for end in line.split()[0].split("-")]
        for line in lines
        if str(tmp_path) in line and "(deleted)" in line
    }
    assert any(lo <= at < hi for lo, hi in spans.values())
    assert torch.isfinite(mapped.edge_attr).all()
