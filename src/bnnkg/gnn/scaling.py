"""Scaling of features, fitted on training models only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from bnnkg.errors import TrainingError
from bnnkg.gnn.features import COLUMNS
from bnnkg.gnn.tensors import GraphTensors
from bnnkg.schema.computation import BY_NAME, EDGE_FEATURES, KINDS, Kind, edge_types

LIMIT = 10.0
"""Scaled values are cut off here: a new model may hold values that training never saw."""
_NORMAL_IQR = 1.349
_HEAVY_EDGE = tuple(name != "erev_mV" for name in EDGE_FEATURES)


@dataclass(frozen=True)
class Column:
    """How one column is scaled: clip((asinh(x / unit) - centre) / spread).

    Attributes:
        unit: What the column is measured in before asinh; 0 leaves asinh away.
        centre: Median over training rows.
        spread: Interquartile range over 1.349, as if normal; the standard deviation where the
            quartiles meet, and 1 where all values are the same.
    """

    unit: float = 0.0
    centre: float = 0.0
    spread: float = 1.0


@dataclass(frozen=True)
class Scaling:
    """How every column is scaled.

    Attributes:
        kinds: Per kind, its columns in order.
        relations: Per relation (not those that mirror others), ``EDGE_FEATURES`` in order.
        fingerprint: Of the tensors that it was fitted on.
    """

    kinds: Mapping[Kind, tuple[Column, ...]]
    relations: Mapping[str, tuple[Column, ...]]
    fingerprint: str

    def nodes(self, kind: Kind, x: Tensor, mask: Tensor) -> Tensor:
        """Scaled features [n, F_kind], 0 where unknown."""
        return _apply(self.kinds[kind], x, mask)

    def some(self, kind: Kind, places: Sequence[int], x: Tensor, mask: Tensor) -> Tensor:
        """Scaled features of some columns only, [n, len(places)]."""
        return _apply([self.kinds[kind][place] for place in places], x, mask)

    def edges(self, relation: str, attr: Tensor, mask: Tensor) -> Tensor:
        """Scaled edge features and their masks as 0 or 1, [E, 10]."""
        columns = self.relations[BY_NAME[relation].mirrors or relation]
        return torch.cat([_apply(columns, attr, mask), mask.to(torch.float32)], dim=1)

    def to_json(self) -> str:
        """As text that :meth:`from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Scaling:
        """From the text of :meth:`to_json`.

        Raises:
            TrainingError: It is no such text.
        """
        try:
            read = json.loads(text)
            kinds = {kind: _columns(read["kinds"][kind]) for kind in KINDS}
            relations = {name: _columns(c) for name, c in read["relations"].items()}
            return cls(kinds, relations, str(read["fingerprint"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TrainingError(
                "this is no scaling", found=str(error), hint="train the run again"
            ) from error


def fit_scaling(models: Sequence[GraphTensors]) -> Scaling:
    """Fits medians and interquartile ranges of all rows of these models together.

    Args:
        models: Training models, built without what is held out.

    Raises:
        TrainingError: No model, or models that were not built by the same rules.
    """
    fingerprints = sorted({model.fingerprint for model in models})
    if len(fingerprints) != 1:
        raise TrainingError(
            "scaling is fitted on models that were built alike", found=", ".join(fingerprints)
        )
    kinds = {kind: _fit_kind(kind, models) for kind in KINDS}
    names = {BY_NAME[name].mirrors or name for _, name, _ in edge_types()}
    relations = {name: _fit_relation(name, models) for name in sorted(names)}
    return Scaling(kinds, relations, fingerprints[0])


def _columns(rows: Iterable[Mapping[str, float]]) -> tuple[Column, ...]:
    return tuple(Column(float(r["unit"]), float(r["centre"]), float(r["spread"])) for r in rows)


def _fit_kind(kind: Kind, models: Sequence[GraphTensors]) -> tuple[Column, ...]:
    x = torch.cat([model.data[kind].x for model in models])
    mask = torch.cat([model.data[kind].mask for model in models])
    return tuple(
        _fit(x[mask[:, place], place], heavy=column.heavy) if column.numeric else Column()
        for place, column in enumerate(COLUMNS[kind])
    )


def _fit_relation(relation: str, models: Sequence[GraphTensors]) -> tuple[Column, ...]:
    stores = [
        model.data[triple]
        for model in models
        for triple in edge_types()
        if relation in (triple[1], BY_NAME[triple[1]].mirrors)
    ]
    x = torch.cat([store.edge_attr for store in stores])
    mask = torch.cat([store.edge_mask for store in stores])
    return tuple(
        _fit(x[mask[:, place], place], heavy=heavy) for place, heavy in enumerate(_HEAVY_EDGE)
    )


def _fit(values: Tensor, *, heavy: bool) -> Column:
    if not len(values):
        return Column()
    values = values.to(torch.float64)
    unit = _unit(values) if heavy else 0.0
    values = _bend(values, torch.tensor(unit, dtype=torch.float64))
    low, centre, high = _quantiles(values)
    spread = (high - low) / _NORMAL_IQR or float(values.std(correction=0)) or 1.0
    return Column(unit, centre, spread)


def _unit(values: Tensor) -> float:
    sizes = values.abs()[values != 0]
    return _quantiles(sizes)[1] if len(sizes) else 1.0


def _quantiles(values: Tensor) -> tuple[float, float, float]:
    """Quartiles of values of any number (torch.quantile stops at 16 million)."""
    ordered = values.sort().values
    low, centre, high = (float(ordered[round(q * (len(ordered) - 1))]) for q in (0.25, 0.5, 0.75))
    return low, centre, high


def _bend(values: Tensor, unit: Tensor) -> Tensor:
    return torch.where(unit > 0, torch.asinh(values / torch.where(unit > 0, unit, 1.0)), values)


def _apply(columns: Sequence[Column], x: Tensor, mask: Tensor) -> Tensor:
    unit, centre, spread = (
        torch.tensor([getattr(c, name) for c in columns], dtype=torch.float64)
        for name in ("unit", "centre", "spread")
    )
    scaled = (_bend(x.to(torch.float64), unit) - centre) / spread
    return torch.where(mask, scaled.clamp(-LIMIT, LIMIT), 0.0).to(torch.float32)
