"""Tensors on disk, by the model's version and the rules that made them."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from bnnkg.errors import TrainingError
from bnnkg.gnn.features import COLUMNS, tensor_fingerprint
from bnnkg.gnn.tensors import (
    NOTHING,
    EdgeOrigin,
    EdgeTriple,
    GraphTensors,
    Hidden,
    Ledger,
    Stores,
)
from bnnkg.schema.computation import EDGE_FEATURES, KINDS, Kind, edge_types


def save(folder: Path, tensors: GraphTensors) -> Path:
    """Writes tensors so that :func:`load` finds them; a reader never sees half a file.

    Args:
        folder: The cache; made where it is not there.
        tensors: A model.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, tensors.model_uid, tensors.hidden)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        try:
            torch.save(_plain(tensors), file)
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)
    return path


def load(folder: Path, model_uid: str, *, hidden: Hidden = NOTHING) -> GraphTensors | None:
    """Reads a model's tensors; nothing where there are none of this version and these rules.

    The file is read as data: code in it does not run. Numbers stay on disk until they are used
    (the file is mapped, not read), and the system may forget them again.

    Raises:
        TrainingError: The file is damaged.
    """
    path = _path(folder, model_uid, hidden)
    if not path.exists():
        return None
    try:
        _must(zipfile.is_zipfile(path), "the container")  # torch.load also takes bare pickles
        tensors = _restore(torch.load(path, weights_only=True, mmap=True))
        _check(tensors)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise TrainingError(
            "these tensors are damaged",
            where=str(path),
            found=str(error)[:200],
            hint="delete the file; it is made again",
        ) from error
    return tensors


def _path(folder: Path, model_uid: str, hidden: Hidden) -> Path:
    pairs = sorted(sorted(pair) for pair in hidden.pairs)
    text = repr((model_uid, tensor_fingerprint(), pairs, hidden.contacts))
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.pt"


def _plain(tensors: GraphTensors) -> dict[str, Any]:
    data = tensors.data
    return {
        "model": (tensors.model_uid, tensors.model_key, tensors.fingerprint),
        "nodes": {kind: dict(vars(data[kind])) for kind in KINDS},
        "edges": [dict(vars(data[triple])) for triple in edge_types()],
        "origins": [vars(tensors.origins[triple]) for triple in edge_types()],
        "keys": dict(tensors.keys),
        "ledger": {f.name: getattr(tensors.ledger, f.name) for f in fields(Ledger)},
        "hidden": (sorted(sorted(pair) for pair in tensors.hidden.pairs), tensors.hidden.contacts),
    }


def _restore(plain: Mapping[str, Any]) -> GraphTensors:
    data = Stores()
    for kind in KINDS:
        vars(data[kind]).update(plain["nodes"][kind])
    for triple, store in zip(edge_types(), plain["edges"], strict=True):
        vars(data[triple]).update(store)
    origins: dict[EdgeTriple, EdgeOrigin] = {
        triple: EdgeOrigin(**origin)
        for triple, origin in zip(edge_types(), plain["origins"], strict=True)
    }
    pairs, contacts = plain["hidden"]
    hidden = Hidden(frozenset(frozenset(pair) for pair in pairs), contacts)
    keys: dict[Kind, tuple[tuple[str, str], ...]] = {kind: plain["keys"][kind] for kind in KINDS}
    uid, key, fingerprint = plain["model"]
    return GraphTensors(
        uid, key, data, keys, origins, COLUMNS, fingerprint, Ledger(**plain["ledger"]), hidden
    )


def _check(tensors: GraphTensors) -> None:
    """Shapes and row numbers, so that a damaged file is told and not trained on."""
    sizes = {kind: len(tensors.keys[kind]) for kind in KINDS}
    for kind in KINDS:
        store = tensors.data[kind]
        shape = (sizes[kind], len(COLUMNS[kind]))
        _must(store.x.shape == shape and store.mask.shape == shape, kind)
        _must(_within(store.neuron, sizes["neuron"], sizes[kind]), kind)
    for src, relation, dst in edge_types():
        store, origin = tensors.data[src, relation, dst], tensors.origins[src, relation, dst]
        n = len(origin.src_uid)
        _must(
            len(origin.dst_uid) == n and store.edge_attr.shape == (n, len(EDGE_FEATURES)), relation
        )
        _must(_within(store.edge_index[0], sizes[src], n), relation)
        _must(_within(store.edge_index[1], sizes[dst], n), relation)
    _must(tensors.fingerprint == tensor_fingerprint(), "fingerprint")


def _within(rows: torch.Tensor, size: int, n: int) -> bool:
    return len(rows) == n and bool(((rows >= 0) & (rows < size)).all())


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what} does not fit")
