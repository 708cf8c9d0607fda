"""Who attends to whom: the attention sites of BGAN on one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from bnnkg.gnn.plans import Plan, plan_edges
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import EDGE_FEATURES, KINDS, PLACE

SiteName = Literal["low", "up", "down", "back", "forward", "backward", "cls"]
Arc = tuple[str, bool]
"""A relation, and whether attention reads it against its direction."""

N_EDGE_INPUTS = 2 * len(EDGE_FEATURES)
LOW: tuple[Arc, ...] = (
    ("self", False), ("conducts", False), ("conducts", True), ("part_of", False),
    ("acts_on", False),
)  # fmt: skip
UP: tuple[Arc, ...] = (("self", False), ("presynaptic_to", False))
DOWN: tuple[Arc, ...] = (("self", False), ("presynaptic_to", True))
BACK: tuple[Arc, ...] = (("self", False), ("part_of", True))
_FLOW = ("conducts", "part_of", "acts_on", "sends", "leaves", "arrives", "targets", "hop")
FORWARD: tuple[Arc, ...] = (("self", False), *((name, False) for name in _FLOW))
BACKWARD: tuple[Arc, ...] = (("self", False), *((name, True) for name in _FLOW))
CLS: tuple[Arc, ...] = (("cls", False),)


@dataclass(frozen=True)
class Site:
    """One attention site; it depends on a batch's edges alone, not on any feature.

    P edges, in the plan's order.

    Attributes:
        name: Which site.
        arcs: The kinds of edges that it reads.
        plan: The edges, between the site's own source and target rows.
        src: [P] row of the batch that is attended to.
        dst: [P] row of the batch that attends; for ``cls`` the number of the graph.
        arc: [P] place of each edge's kind in ``arcs``.
        edge: [P] the batch's edge (for ``up`` and ``down``, its place in ``up_index``); -1 for
            virtual ones.
        flags: [P, arcs] the kind, as 0 or 1.
    """

    name: SiteName
    arcs: tuple[Arc, ...]
    plan: Plan
    src: Tensor
    dst: Tensor
    arc: Tensor
    edge: Tensor
    flags: Tensor


@dataclass(frozen=True)
class Sites:
    """All sites of one batch.

    Attributes:
        low: GAN_low; its targets are neurons and sections, its sources these and mechanisms.
        up: GAN_up, from presynaptic neurons.
        down: Its transpose, from postsynaptic neurons.
        back: From each neuron back to its components: its position 2 i is the neuron, 2 i + 1 the
            component itself.
        forward: Mask A.
        backward: Mask B, its transpose.
        cls: Every row to the token of its graph.
        low_rows: Rows of the batch that are sources in ``low``, targets first.
    """

    low: Site
    up: Site
    down: Site
    back: Site
    forward: Site
    backward: Site
    cls: Site
    low_rows: Tensor


@dataclass(frozen=True)
class _Arcs:
    """Edges of one kind, before they are sorted into a plan."""

    arc: Arc
    src: Tensor
    dst: Tensor
    edge: Tensor


def build_sites(batch: Batch, *, heads: int, hops: int) -> Sites:
    """Plans every site of a batch.

    Args:
        batch: What the network will read.
        heads: Number of attention heads; the two directions of ``up`` and ``down``, and of
            ``forward`` and ``backward``, get half of them each.
        hops: How far up the flow inside its neuron a row sees.
    """
    n_rows, n_neurons = len(batch.kind), len(batch.x["neuron"])
    first_synapse, first_mechanism = batch.first_row("synapse"), batch.first_row("mechanism")
    rows = torch.arange(n_rows, device=batch.kind.device)
    parts = rows[n_neurons:]
    flow = _flow_arcs(batch, hops)
    up = _up_arcs(batch, rows[:n_neurons])
    return Sites(
        low=_site("low", LOW, _low_arcs(batch, rows[:first_synapse]), batch, heads,
                  first_synapse, gap=(first_synapse, first_mechanism)),
        up=_site("up", UP, up, batch, heads // 2, n_neurons),
        down=_site("down", DOWN, _reversed(up), batch, heads - heads // 2, n_neurons),
        back=_site("back", BACK, [
            _virtual(("self", False), parts, parts),
            _virtual(("part_of", True), batch.neuron_of[n_neurons:], parts),
        ], batch, heads, n_rows),
        forward=_site("forward", FORWARD, flow, batch, heads // 2, n_rows),
        backward=_site("backward", BACKWARD, _reversed(flow), batch, heads - heads // 2, n_rows),
        cls=_site("cls", CLS, [_virtual(("cls", False), rows, batch.graph)], batch, heads,
                  batch.n_graphs),
        low_rows=torch.cat([rows[:first_synapse], rows[first_mechanism:]]),
    )  # fmt: skip


def edge_inputs(site: Site, batch: Batch) -> Tensor:
    """[P, arcs + 10] the kind of each edge as flags, then its features; a virtual one has none."""
    features = batch.up_attr if site.name in ("up", "down") else batch.edge_attr
    if features is None or not len(features):
        rest = torch.zeros(len(site.edge), N_EDGE_INPUTS, device=site.edge.device)
    else:
        rest = features.index_select(0, site.edge.clamp_min(0)) * (site.edge >= 0)[:, None]
    return torch.cat([site.flags, rest], dim=1)


def _site(
    name: SiteName, arcs: tuple[Arc, ...], parts: Sequence[_Arcs], batch: Batch, heads: int,
    n_dst: int, gap: tuple[int, int] | None = None,
) -> Site:  # fmt: skip
    src, dst = torch.cat([p.src for p in parts]), torch.cat([p.dst for p in parts])
    kinds = torch.cat([torch.full_like(p.src, arcs.index(p.arc)) for p in parts])
    n_src = n_dst if name in ("low", "up", "down") else len(batch.kind)
    local = src
    if gap is not None:
        local = torch.where(src >= gap[1], src - (gap[1] - gap[0]), src)
        n_src += len(batch.kind) - gap[1]
    plan = plan_edges(local, dst, n_src, n_dst, heads)
    arc = kinds.index_select(0, plan.order)
    edge = torch.cat([p.edge for p in parts]).index_select(0, plan.order)
    flags = torch.zeros(len(arc), len(arcs), device=arc.device).scatter_(1, arc[:, None], 1.0)
    return Site(name, arcs, plan, src.index_select(0, plan.order), plan.dst, arc, edge, flags)


def _virtual(arc: Arc, src: Tensor, dst: Tensor) -> _Arcs:
    return _Arcs(arc, src, dst, torch.full_like(src, -1))


def _reversed(arcs: Sequence[_Arcs]) -> list[_Arcs]:
    return [_Arcs((a.arc[0], a.arc[0] != "self"), a.dst, a.src, a.edge) for a in arcs]


def _edges(batch: Batch, name: str, chosen: Tensor | None = None) -> _Arcs:
    wanted = batch.relation == PLACE[name]
    if chosen is not None:
        wanted = wanted & chosen
    edge = wanted.nonzero().squeeze(1)
    src, dst = batch.edge_index.index_select(1, edge)
    return _Arcs((name, False), src, dst, edge)


def _low_arcs(batch: Batch, targets: Tensor) -> list[_Arcs]:
    """Tree edges both ways, mechanisms, and what each neuron consists of."""
    tree = _edges(batch, "conducts")
    return [
        _virtual(("self", False), targets, targets),
        tree,
        _Arcs(("conducts", True), tree.dst, tree.src, tree.edge),
        _edges(batch, "part_of"),
        _edges(batch, "acts_on"),
    ]


def _up_arcs(batch: Batch, neurons: Tensor) -> list[_Arcs]:
    pre, post = batch.up_index
    edge = torch.arange(len(pre), device=pre.device)
    return [
        _virtual(("self", False), neurons, neurons),
        _Arcs(("presynaptic_to", False), pre, post, edge),
    ]


def _flow_arcs(batch: Batch, hops: int) -> list[_Arcs]:
    """Self, flow predecessors, and ancestors inside the neuron: what Mask A lets a row see."""
    rows = torch.arange(len(batch.kind), device=batch.kind.device)
    direct = [_edges(batch, name, batch.flow) for name in _FLOW[:-1]]
    src, dst = _ancestors(batch, hops)
    return [
        _virtual(("self", False), rows, rows),
        *direct,
        _virtual(("hop", False), src.to(rows.device), dst.to(rows.device)),
    ]


def _ancestors(batch: Batch, hops: int) -> tuple[Tensor, Tensor]:
    """Pairs of rows joined by a path of 2 to ``hops`` flow edges inside a neuron, none shorter.

    A synapse is between neurons: no such path goes through one.
    """
    n_rows = len(batch.kind)
    src, dst = (ends.cpu().numpy() for ends in batch.edge_index[:, batch.flow])
    synapse = (batch.kind == KINDS.index("synapse")).cpu().numpy()
    inside = ~(synapse[src] | synapse[dst])
    ones = np.ones(int(inside.sum()), dtype=bool)
    step = sparse.csr_array((ones, (src[inside], dst[inside])), shape=(n_rows, n_rows))
    near, reach = step + sparse.eye_array(n_rows, dtype=bool, format="csr"), step
    for _ in range(hops - 1):
        reach = reach @ step
        near = near + reach
    found = (near.astype(np.int8) - step.astype(np.int8)).tocoo()
    far = (found.data > 0) & (found.row != found.col)
    pairs = np.stack([found.row[far], found.col[far]]).astype(np.int64)
    return torch.from_numpy(pairs[0]), torch.from_numpy(pairs[1])
