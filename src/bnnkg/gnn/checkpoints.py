"""Training on disk: what it needs to go on, and what annotation needs of it."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from pathlib import Path
from typing import Any

import torch

from bnnkg.errors import TrainingError

FORMAT = 1


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Writes tensors and plain values; a reader never sees half a file.

    Args:
        path: Where.
        content: Dictionaries, lists, numbers, text and tensors.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            torch.save({"format": FORMAT, **content}, file)
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint as data: code in it does not run.

    Raises:
        TrainingError: There is none, it is damaged, or another version wrote it.
    """
    if not path.exists():
        raise TrainingError("there is no checkpoint", where=str(path), hint="train the run again")
    try:
        content = torch.load(path, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise TrainingError(
            "this checkpoint is damaged",
            where=str(path),
            found=str(error).partition("\n")[0][:200],
            hint="train the run again",
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise TrainingError(
            "another version wrote this checkpoint", where=str(path), hint="train the run again"
        )
    return content


def checkpoint_hash(path: Path) -> str:
    """SHA-256 of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
