"""Batches whose numbers are on disk: memory holds what is being read of them, and no more."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bnnkg.gnn.scaling import Scaling
from bnnkg.gnn.tensors import Batch


def map_to_disk(batch: Batch, folder: Path | None = None) -> Batch:
    """The same batch, read from a file as it is used; the system may forget it again.

    The file has no name any more when this returns, and is gone with the batch, be it by a kill.

    Args:
        batch: From ``collate``.
        folder: Where there is room for it; that of temporary files where absent.
    """
    named = dict(_tensors("", batch))
    with tempfile.NamedTemporaryFile(dir=folder, prefix="bnnkg-batch-", suffix=".pt") as file:
        torch.save(named, file)
        file.flush()
        mapped = torch.load(file.name, weights_only=True, mmap=True)
    restored: Batch = _replaced("", batch, mapped)
    return restored


def _tensors(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """All tensors of a batch, by the way to them."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, own in value.items():
            yield from _tensors(f"{name}/{key}", own)
    elif is_dataclass(value) and not isinstance(value, Scaling):
        for field in fields(value):
            yield from _tensors(f"{name}/{field.name}", getattr(value, field.name))


def _replaced(name: str, value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        return tensors[name]
    if isinstance(value, Mapping):
        return {key: _replaced(f"{name}/{key}", own, tensors) for key, own in value.items()}
    if is_dataclass(value) and not isinstance(value, (Scaling, type)):
        return replace(
            value,
            **{
                field.name: _replaced(f"{name}/{field.name}", getattr(value, field.name), tensors)
                for field in fields(value)
            },
        )
    return value
