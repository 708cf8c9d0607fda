"""Connections of a run: by events, and by pointers from one neuron to another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bnnkg.ingest.identity import PathNames, path_part
from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.mod_currents import Currents, current_names
from bnnkg.ingest.neuron.neurons import Sites, join_sites
from bnnkg.ingest.neuron.resolved import Mechanisms, Resolved
from bnnkg.ingest.neuron.rounding import distinct_rows
from bnnkg.ingest.parsed import Flags, Floats, Integers, Projection, SiteColumns
from bnnkg.ingest.sites import take_rows
from bnnkg.kinetics.syntax import Name

_POTENTIAL = re.compile(r"\bv\b")
Types = tuple[tuple[tuple[str, str], ...], ...]


@dataclass
class Wiring:
    """What of a run joins or drives neurons, while it goes into the model.

    Attributes:
        capture: The run.
        sites: Where its points and segments are.
        mechanisms: What its synapses are models of.
        resolved: Its mechanisms by name.
        network: Place of its network in the model.
        path: Path of that network.
        missing: What has no place in the graph, with how many there are.
        taken: Per row of the point table, whether it has a place in the graph.
    """

    capture: Capture
    sites: Sites
    mechanisms: Mechanisms
    resolved: dict[str, Resolved]
    network: int
    path: str
    missing: Counter[str] = field(default_factory=Counter)
    _paths: PathNames = field(default_factory=PathNames)

    def __post_init__(self) -> None:
        self.taken = np.zeros(len(self.capture.points), bool)

    def unique_path(self, name: str) -> str:
        """A path within the network that no other projection or input has."""
        return self._paths.unique(f"{self.path}/{name}")

    def placed(self, point: Integers) -> Flags:
        """Which rows of the point table have a neuron: artificial cells, and what is on one."""
        points, neurons = self.capture.points, self.sites.neurons
        found = (points.segment >= 0) | (neurons.point_population >= 0)
        return np.append(found, False)[point]

    def names(self, point: Integers) -> tuple[str, ...]:
        """Names of point processes in NEURON; empty for artificial cells, which are neurons."""
        points = self.capture.points
        return tuple(
            f"{points.kinds[kind]}[{index}]" if segment >= 0 else ""
            for kind, index, segment in zip(
                points.mechanism[point].tolist(), points.index[point].tolist(),
                points.segment[point].tolist(), strict=True,
            )
        )  # fmt: skip

    def synapse_types(self, point: Integers) -> tuple[list[str], Integers]:
        """Models of the synapses at some point processes of one mechanism, and which each is."""
        points = self.capture.points
        name = points.kinds[points.mechanism[point[0]]]
        own = points.values[name][np.searchsorted(points.row[name], point)]
        one = self.resolved[name]
        values, of_point = distinct_rows(own * one.factors())
        return [self.mechanisms.synapse(one, row.tolist()) for row in values], of_point


def read_projections(wiring: Wiring) -> list[Projection]:
    """All connections of a run; those of the rest that it cannot take are counted as missing."""
    chemical = _events(wiring)
    electrical = _pointers(wiring)
    return [*chemical, *electrical]


def is_connection(wiring: Wiring) -> Flags:
    """Which NetCons join two neurons."""
    netcons = wiring.capture.netcons
    sends = (netcons.pre_segment >= 0) | wiring.placed(netcons.pre_point)
    return sends & wiring.placed(netcons.post) & ~from_generator(wiring)


def from_generator(wiring: Wiring) -> Flags:
    """Which NetCons come from a point process that makes events of its own.

    It stands on a section, but for nothing that it does there: the neuron does not send.
    """
    points = wiring.capture.points
    is_generator = np.array([_generates(wiring.resolved[k]) for k in points.kinds], bool)
    of_point = is_generator[points.mechanism] & (points.segment >= 0)
    return np.append(of_point, False)[wiring.capture.netcons.pre_point]


def _generates(one: Resolved) -> bool:
    """Whether a mechanism neither passes a current nor looks at the potential."""
    if one.mod is None or not one.mod.statements or current_names(one.mod):
        return False
    return not any(_POTENTIAL.search(text.partition(": ")[2]) for text in one.mod.statements)


def _events(wiring: Wiring) -> list[Projection]:
    netcons, points = wiring.capture.netcons, wiring.capture.points
    rows = np.flatnonzero(is_connection(wiring))
    from_segment = netcons.pre_segment[rows] >= 0
    pre = join_sites(
        from_segment,
        wiring.sites.of_segments(netcons.pre_segment[rows][from_segment]),
        wiring.sites.of_points(netcons.pre_point[rows][~from_segment]),
    )
    post = netcons.post[rows]
    wiring.taken[post] = True
    threshold = np.where(points_artificial(wiring, rows), np.nan, netcons.threshold_mV[rows])
    columns = _Columns(
        rows, pre, wiring.sites.of_points(post), post,
        np.where(np.isnan(netcons.weight[rows]), 1.0, netcons.weight[rows]),
        netcons.delay_ms[rows], threshold,
    )  # fmt: skip
    return [
        _projection(wiring, "chemical", columns, chosen, points.kinds[kind])
        for chosen, kind in _groups(wiring, columns, points.mechanism[post])
    ]


def points_artificial(wiring: Wiring, rows: Integers) -> Flags:
    """Which NetCons come from an artificial cell, which has no potential to watch."""
    netcons, neurons = wiring.capture.netcons, wiring.sites.neurons
    return np.append(neurons.point_population, -1)[netcons.pre_point[rows]] >= 0


@dataclass(frozen=True)
class _Columns:
    """Connections before they are sorted into projections.

    Attributes:
        place: Number of the NetCon or pointer in NEURON's order.
        pre: Where they leave.
        post: Where they arrive.
        point: Row of the point table that receives.
        weight: As Projection has it, and so the others.
    """

    place: Integers
    pre: SiteColumns
    post: SiteColumns
    point: Integers
    weight: Floats
    delay_ms: Floats
    threshold_mV: Floats


def _groups(wiring: Wiring, columns: _Columns, kind: Integers) -> Iterator[tuple[Integers, int]]:
    """Rows that go from one name of population to another by one kind of receiver."""
    if not len(columns.place):
        return
    neurons = wiring.sites.neurons
    ids = {one.id: place for place, one in enumerate(neurons.populations)}
    name = np.array([ids[one.id] for one in neurons.populations], np.int64)
    first = neurons.first_population
    pre, post = name[columns.pre.population - first], name[columns.post.population - first]
    code = (pre * len(name) + post) * (kind.max() + 1) + kind
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        yield rows, int(kind[rows[0]])


def _projection(
    wiring: Wiring, kind: str, columns: _Columns, rows: Integers, mechanism: str
) -> Projection:
    neurons = wiring.sites.neurons
    pre, post = take_rows(columns.pre, rows), take_rows(columns.post, rows)
    ends = (neurons.id_of(int(site.population[0])) for site in (pre, post))
    id_ = ">".join([*ends, mechanism])
    types, type_of = _types(wiring, kind, columns.point[rows])
    return Projection(
        wiring.network, kind, id_, wiring.unique_path(path_part(id_)), columns.place[rows], pre,
        post, columns.weight[rows], columns.delay_ms[rows], types, type_of,
        columns.threshold_mV[rows], wiring.names(columns.point[rows]),
    )  # fmt: skip


def _types(wiring: Wiring, kind: str, point: Integers) -> tuple[Types, Integers]:
    """Models of the synapses; what arrives at an artificial cell has none."""
    if wiring.capture.points.segment[point[0]] < 0:
        return ((),), np.zeros(len(point), np.int64)
    uids, type_of = wiring.synapse_types(point)
    side = "both" if kind == "electrical" else "post"
    return tuple(((uid, side),) for uid in uids), type_of


# ---------------------------------------------------------------------- pointers


def _pointers(wiring: Wiring) -> list[Projection]:
    """Connections by pointers or transfers that lead from a point process to another neuron."""
    pointers, sites = wiring.capture.pointers, wiring.sites
    rows = _leading_elsewhere(wiring)
    if not len(rows):
        return []
    pre = _targets(wiring, rows)
    post = pointers.row[rows]
    wiring.taken[post] = True
    n = len(rows)
    columns = _Columns(
        rows, pre, sites.of_points(post), post, np.ones(n), np.full(n, np.nan), np.full(n, np.nan)
    )
    points = wiring.capture.points
    resistive = np.array([_is_resistive(wiring, row) for row in rows.tolist()], bool)
    kinds = points.mechanism[post] * 2 + resistive
    found = []
    for chosen, kind in _groups(wiring, columns, kinds):
        name = points.kinds[kind // 2]
        way = "electrical" if kind % 2 else "continuous"
        found.append(_projection(wiring, way, columns, chosen, name))
    return found


def _leading_elsewhere(wiring: Wiring) -> Integers:
    """Rows of pointers that make a connection: one for each point process and source neuron."""
    pointers, missing = wiring.capture.pointers, wiring.missing
    known = (pointers.segment >= 0) | wiring.placed(pointers.point)
    rows = np.flatnonzero(known)
    source, holder = _targets(wiring, rows), _holders(wiring, rows)
    elsewhere = (source.population != holder.population) | (source.neuron != holder.neuron)
    missing["POINTERs within one neuron"] += int((~elsewhere).sum())
    of_density = pointers.row[rows] < 0
    missing["POINTERs from density mechanisms to other neurons"] += int(
        (elsewhere & of_density).sum()
    )
    chosen = elsewhere & ~of_density
    rows = rows[chosen]
    # A mechanism with several pointers to one neuron is one connection: that to the potential.
    potential = pointers.target[rows] == "v"
    order = np.lexsort((rows, ~potential))
    key = np.stack([
        pointers.row[rows], source.population[chosen], source.neuron[chosen]
    ], axis=1)  # fmt: skip
    _, first = np.unique(key[order], axis=0, return_index=True)
    kept = np.sort(rows[order][first])
    missing["further POINTERs of a connection"] += len(rows) - len(kept)
    return kept


def _targets(wiring: Wiring, rows: Integers) -> SiteColumns:
    pointers, sites = wiring.capture.pointers, wiring.sites
    at_point = pointers.point[rows] >= 0
    return join_sites(
        at_point,
        sites.of_points(pointers.point[rows][at_point]),
        sites.of_segments(pointers.segment[rows][~at_point]),
    )


def _holders(wiring: Wiring, rows: Integers) -> SiteColumns:
    pointers, sites = wiring.capture.pointers, wiring.sites
    row = pointers.row[rows]
    at_point = row >= 0
    return join_sites(
        at_point, sites.of_points(row[at_point]), sites.of_segments(-1 - row[~at_point])
    )


def _is_resistive(wiring: Wiring, row: int) -> bool:
    """Whether a current is driven by the difference to what the pointer reads, a potential."""
    pointers, points = wiring.capture.pointers, wiring.capture.points
    one = wiring.resolved[points.kinds[points.mechanism[pointers.row[row]]]]
    if one.mod is None or one.mod.states or pointers.target[row] != "v":
        return False
    drives = Currents(one.mod).drives(current_names(one.mod)) or ()
    return Name(str(pointers.name[row])) in [drive.reversal for drive in drives]


def receivers(projections: Sequence[Projection]) -> set[str]:
    """Point processes that receive any of these connections."""
    return {name for one in projections for name in one.receivers if name}
