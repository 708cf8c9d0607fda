"""Whether two graphs or batches say the same."""

from __future__ import annotations

from dataclasses import fields

import torch

from bnnkg.gnn.tensors import Batch, GraphTensors

ROWS_OF_ORIGIN = {"edge_row", "up_row"}


def differences(one: Batch, other: Batch, *, skip: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Names of the fields in which two batches differ."""
    return [
        field.name
        for field in fields(Batch)
        if field.name not in skip and not same(getattr(one, field.name), getattr(other, field.name))
    ]


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(-7), other.nan_to_num(-7))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if hasattr(one, "kind") and hasattr(one, "share"):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))  # type: ignore[arg-type]
    return one == other


def same_graph(one: GraphTensors, other: GraphTensors) -> bool:
    alike = (
        one.keys == other.keys and one.origins == other.origins and same(one.ledger, other.ledger)
    )
    return (
        alike
        and set(one.data) == set(other.data)
        and all(same(vars(one.data[key]), vars(other.data[key])) for key in one.data)
    )
