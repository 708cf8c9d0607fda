"""Training by two processes, started as torchrun starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from trained_models import TINY, circuit, training_model

from bnnkg.errors import TrainingError
from bnnkg.gnn.checkpoints import load_checkpoint
from bnnkg.gnn.processes import ALONE, Processes, started_processes
from bnnkg.gnn.training import RunResult, train

CONFIG = replace(TINY, folds=3, accumulate=2, seeds=1, epochs=4, patience=4, checkpoint_every=2)


def train_in(folder: Path) -> RunResult:
    with started_processes() as processes:
        return train([training_model(circuit())], CONFIG, folder=folder, processes=processes)


def launch(folder: Path) -> None:
    """Two processes of this file, under torchrun."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node=2", __file__, str(folder)]
    paths = [str(Path(__file__).parent), *sys.path]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environment, timeout=900, capture_output=True)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("two")
    launch(folder)
    return load_checkpoint(folder / "checkpoint.pt")


def test_two_processes_learn_what_one_learns(tmp_path: Path, together: dict[str, object]) -> None:
    """Sums of gradients are rounded in another order, and nothing else differs."""
    alone = load_checkpoint(train_in(tmp_path).checkpoint)
    assert alone["finished"].keys() == together["finished"].keys()
    for name, one in alone["finished"].items():
        two = together["finished"][name]  # type: ignore[index]
        torch.testing.assert_close(one["history"], two["history"], rtol=1e-3, atol=1e-4)
        for key, value in one["best"].items():
            torch.testing.assert_close(value, two["best"][key], rtol=1e-3, atol=1e-4)


def test_more_processes_than_questions_to_share_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--accumulate 3"):
        train([training_model(circuit())], CONFIG, folder=tmp_path, processes=Processes(0, 3))


def test_without_torchrun_a_process_is_alone() -> None:
    with started_processes() as processes:
        assert processes is ALONE


def test_the_mean_of_gradients_is_over_losses() -> None:
    one, none = torch.nn.Parameter(torch.tensor([1.0, 2.0])), torch.nn.Parameter(torch.ones(1))
    one.grad = torch.tensor([3.0, 9.0])
    assert ALONE.mean_gradients([one, none], 6.0, 3) == (2.0, 3)
    assert one.grad.tolist() == [1.0, 3.0]
    assert none.grad is None


if __name__ == "__main__":
    train_in(Path(sys.argv[1]))
