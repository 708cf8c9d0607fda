"""Batches whose numbers are on disk: memory holds what is being read of them, and no more."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bnnkg.gnn.tensors import Batch, Ledger


def map_to_disk(batch: Batch, folder: Path | None = None) -> Batch:
    """The same batch, read from a file as it is used; the system may forget it again.

    The file has no name any more when this returns, and is gone with the batch, be it by a kill.

    Args:
        batch: From ``collate``.
        folder: Where there is room for it, made on first use; that of temporary files where absent.
    """
    tensors: dict[str, Tensor] = {}
    _changed(batch, tensors.setdefault)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="bnnkg-batch-", suffix=".pt") as file:
        torch.save(tensors, file)
        file.flush()
        mapped = torch.load(file.name, weights_only=True, mmap=True)
    restored: Batch = _changed(batch, lambda name, _: mapped[name])
    return restored


def _changed(value: Any, change: Callable[[str, Tensor], Tensor], name: str = "") -> Any:
    """A batch with each of its tensors changed, which are named by the way to them."""
    if isinstance(value, Tensor):
        return change(name, value)
    if isinstance(value, Mapping):
        return {key: _changed(own, change, f"{name}/{key}") for key, own in value.items()}
    if isinstance(value, (Batch, Ledger)):
        own = {f.name: _changed(getattr(value, f.name), change, f"{name}/{f.name}")
               for f in fields(value)}  # fmt: skip
        return replace(value, **own)
    return value
