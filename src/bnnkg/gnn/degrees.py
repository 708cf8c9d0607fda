"""Degrees and summed weights, from the ledger of synapses."""

from __future__ import annotations

import torch
from torch import Tensor

from bnnkg.gnn.features import SYNAPSE_KINDS
from bnnkg.gnn.tensors import Ledger

_CHEMICAL, _ELECTRICAL, _CONTINUOUS = range(len(SYNAPSE_KINDS))


def neuron_io(ledger: Ledger, n_neurons: int) -> Tensor:
    """Columns ``NEURON_IO``: distinct partners, synapses and summed weights of each neuron.

    A gap junction has no direction: it counts at both of its neurons, once at a neuron that it
    joins to itself.

    Args:
        ledger: The synapses that may be seen.
        n_neurons: M.

    Returns:
        [M, 15] float64; not a number where withheld or where a weight is unknown.
    """
    partners = _by_direction(*_distinct(ledger, n_neurons), n_neurons)
    return torch.cat([partners, _load(ledger, ledger.pre, ledger.post, n_neurons)], dim=1)


def section_io(ledger: Ledger, n_sections: int) -> Tensor:
    """Columns ``SECTION_IO``: synapses and summed weights that arrive at and leave each section.

    Returns:
        [n_sections, 10] float64, sections of the three kinds counted through.
    """
    return _load(ledger, ledger.pre_section, ledger.post_section, n_sections)


def _distinct(ledger: Ledger, n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    pre, post = ledger.pre, ledger.post
    electrical = ledger.kind == _ELECTRICAL
    low, high = torch.minimum(pre, post), torch.maximum(pre, post)
    code = (ledger.kind * n + torch.where(electrical, low, pre)) * n + torch.where(
        electrical, high, post
    )
    code = torch.unique(code)
    return code // (n * n), code // n % n, code % n, torch.ones(len(code), dtype=torch.float64)


def _load(ledger: Ledger, pre: Tensor, post: Tensor, n: int) -> Tensor:
    if ledger.contacts:
        return torch.full((n, 10), torch.nan, dtype=torch.float64)
    counts = _by_direction(ledger.kind, pre, post, ledger.share, n)
    weights = _by_direction(ledger.kind, pre, post, ledger.share * ledger.weight, n)
    return torch.cat([counts, weights], dim=1)


def _by_direction(kind: Tensor, pre: Tensor, post: Tensor, value: Tensor, n: int) -> Tensor:
    columns = [
        _sum(value, post, (kind == _CHEMICAL) & (post >= 0), n),
        _sum(value, pre, (kind == _CHEMICAL) & (pre >= 0), n),
        _sum(value, pre, (kind == _ELECTRICAL) & (pre >= 0), n)
        + _sum(value, post, (kind == _ELECTRICAL) & (post >= 0) & (post != pre), n),
        _sum(value, post, (kind == _CONTINUOUS) & (post >= 0), n),
        _sum(value, pre, (kind == _CONTINUOUS) & (pre >= 0), n),
    ]
    return torch.stack(columns, dim=1)


def _sum(value: Tensor, at: Tensor, chosen: Tensor, n: int) -> Tensor:
    return torch.bincount(at[chosen], weights=value[chosen], minlength=n).to(torch.float64)
