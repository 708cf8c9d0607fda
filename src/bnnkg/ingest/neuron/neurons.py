"""The neurons of a run: populations, where each section and artificial cell belongs, and sites."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnnkg.ingest.identity import PathNames, path_part, shared_uid
from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.forest import local_names
from bnnkg.ingest.neuron.resolved import Mechanisms, Resolved
from bnnkg.ingest.neuron.rounding import distinct_rows, texts
from bnnkg.ingest.neuron.trees import Tree, Trees
from bnnkg.ingest.parsed import (
    Cell,
    Definition,
    Floats,
    Integers,
    Placement,
    Population,
    SiteColumns,
)

_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Neurons:
    """The neurons of a run; populations are counted through all runs of the source.

    Attributes:
        cells: Their Cells.
        definitions: Which template defines which.
        populations: Their populations.
        first_population: Place of the first of these in the model.
        tree_population: (t,) population of each tree.
        tree_row: (t,) its place there.
        point_population: Population of each artificial cell, per row of the point table; -1 for
            point processes.
        point_row: Its place there.
    """

    cells: tuple[Cell, ...]
    definitions: tuple[Definition, ...]
    populations: tuple[Population, ...]
    first_population: int
    tree_population: Integers
    tree_row: Integers
    point_population: Integers
    point_row: Integers

    def id_of(self, population: int) -> str:
        """Id of a population."""
        return self.populations[population - self.first_population].id


class Gathering:
    """Neurons on their way into populations: one for each name and Cell, in NEURON's order.

    Args:
        network: Place of the network in the model.
        path: Path of the network.
        first: Place in the model of the first population.
    """

    def __init__(self, network: int, path: str, first: int) -> None:
        self._network = network
        self._path = path
        self._first = first
        self._places: dict[tuple[str, str], int] = {}
        self._cells: list[Cell] = []
        self._members: list[list[tuple[str, Floats | None]]] = []

    def add(self, name: str, cell: Cell, instance: str, xyz_um: Floats | None) -> tuple[int, int]:
        """Adds a neuron; returns its population and its place there."""
        key = (name, cell.uid)
        if key not in self._places:
            self._places[key] = len(self._places)
            self._cells.append(cell)
            self._members.append([])
        place = self._places[key]
        self._members[place].append((instance, xyz_um))
        return self._first + place, len(self._members[place]) - 1

    def populations(self) -> Iterable[Population]:
        """The populations, in the order of their first neurons."""
        paths = PathNames()
        for (name, uid), members in zip(self._places, self._members, strict=True):
            ids = PathNames()
            positions = [xyz for _, xyz in members if xyz is not None]
            yield Population(
                network=self._network,
                id=name,
                path=paths.unique(f"{self._path}/{path_part(name)}"),
                cell_uid=uid,
                offset_um=None,
                instance_ids=tuple(ids.unique(instance) for instance, _ in members),
                xyz_um=np.stack(positions) if len(positions) == len(members) else None,
            )

    def cells(self) -> list[Cell]:
        """The Cell of each population."""
        return self._cells


def read_neurons(
    capture: Capture,
    trees: Trees,
    mechanisms: Mechanisms,
    resolved: dict[str, Resolved],
    network: int,
    path: str,
    first_population: int,
) -> Neurons:
    """Puts the trees and artificial cells of a run into populations."""
    gathering = Gathering(network, path, first_population)
    own: dict[str, tuple[int, Tree]] = {}
    names = _names_of_trees(capture, trees)
    places = []
    for tree, (name, instance) in enumerate(names):
        origin = trees.clusters.origin_um[tree]
        cell = trees.cell(tree)
        xyz = None if np.isnan(origin[0]) else origin
        population, row = gathering.add(name, cell, instance, xyz)
        places.append((population, row))
        own.setdefault(f"{name}\0{cell.uid}", (tree, trees.models[trees.clusters.of_tree[tree]]))
    point_places = _add_artificial(capture, gathering, mechanisms, resolved)
    populations = tuple(gathering.populations())
    by_tree = np.array(places, np.int64).reshape(-1, 2)
    definitions = [
        _definition(capture, trees, population, own.get(f"{population.id}\0{population.cell_uid}"))
        for population in populations
    ]
    cells = {cell.uid: cell for cell in gathering.cells()}
    return Neurons(
        tuple(cells.values()), tuple(definitions), populations, first_population, by_tree[:, 0],
        by_tree[:, 1], point_places[:, 0], point_places[:, 1],
    )  # fmt: skip


def _names_of_trees(capture: Capture, trees: Trees) -> list[tuple[str, str]]:
    """Name of the population and of the neuron, per tree.

    The neuron is named after the object that owns its root, or after that section where there is
    no such object, or where it owns several trees.
    """
    sections, header = capture.sections, capture.header
    row = trees.forest.row[trees.forest.root]
    owners = sections.cell[row]
    n_trees = np.bincount(owners[owners >= 0], minlength=len(header.cells))
    names = []
    for owner, section in zip(owners.tolist(), sections.name[row].tolist(), strict=True):
        if owner < 0:
            names.append((_INDEX.sub("", section), section))
        else:
            template = header.templates[owner] or _INDEX.sub("", header.cells[owner])
            names.append((template, header.cells[owner] if n_trees[owner] == 1 else section))
    return names


def _definition(
    capture: Capture, trees: Trees, population: Population, own: tuple[int, Tree] | None
) -> Definition:
    if own is None:
        return Definition("Cell", population.cell_uid, population.id, population.path)
    number, tree = own
    forest = trees.forest
    places = [forest.first[number] + place for place in tree.order]
    x, y, z = origin = trees.clusters.origin_um[number]
    return Definition(
        "Cell", population.cell_uid, population.id, population.path,
        segment_ids=tree.order,
        segment_names=tuple(local_names(capture.sections.name[forest.row[places]])),
        offset_um=None if np.isnan(origin[0]) else (float(x), float(y), float(z)),
        kinds_from=forest.kinds_from[number],
    )  # fmt: skip


def _add_artificial(
    capture: Capture,
    gathering: Gathering,
    mechanisms: Mechanisms,
    resolved: dict[str, Resolved],
) -> Integers:
    """Adds artificial cells: a point Cell for each mechanism and set of parameters."""
    points = capture.points
    places = np.full((len(points), 2), -1, np.int64)
    for name in points.kinds:
        one = resolved[name]
        if one.captured.kind != "artificial":
            continue
        values, of_row = distinct_rows(points.values[name] * one.factors())
        cells = [_point_cell(one, mechanisms, row.tolist()) for row in values]
        for row, kind in zip(points.row[name].tolist(), of_row.tolist(), strict=True):
            instance = f"{name}[{points.index[row]}]"
            places[row] = gathering.add(name, cells[kind], instance, None)
    return places


def _point_cell(one: Resolved, mechanisms: Mechanisms, values: list[float]) -> Cell:
    own = one.parameters(values)
    mechanism = mechanisms.dynamics(one)
    content = ["artificial", mechanism, own.names, texts(own.values), own.units]
    return Cell(
        uid=shared_uid("Cell", content),
        cell_class=one.name if one.captured.mod is None else "ARTIFICIAL_CELL",
        is_point=True,
        placements=(
            Placement(-1, mechanism, 0, parameter_names=own.names, parameter_values=own.values),
        ),
    )


@dataclass(frozen=True)
class Sites:
    """Finds segments and points of a run in its neurons."""

    capture: Capture
    trees: Trees
    neurons: Neurons
    section_index: Integers

    @classmethod
    def of(cls, capture: Capture, trees: Trees, neurons: Neurons) -> Sites:
        """For one run."""
        return cls(capture, trees, neurons, trees.section_index())

    def of_segments(self, segment: Integers, x: Floats | None = None) -> SiteColumns:
        """Sites at segments: at their middles, or at x on their sections as NEURON counts it."""
        forest, capture = self.trees.forest, self.capture
        row = capture.segments.section[segment]
        place = forest.place[row]
        tree = forest.tree[place]
        within = forest.segment_place[segment]
        middle = (within + 0.5) / capture.sections.nseg[row]
        fraction = middle if x is None else np.where(forest.flipped[place], 1 - x, x)
        return SiteColumns(
            self.neurons.tree_population[tree], self.neurons.tree_row[tree],
            self.section_index[place], within, fraction,
        )  # fmt: skip

    def of_points(self, point: Integers) -> SiteColumns:
        """Sites of point processes that are somewhere, and of artificial cells."""
        segment, x = self.capture.points.segment[point], self.capture.points.x[point]
        placed = segment >= 0
        n = len(point)
        columns = [
            self.neurons.point_population[point], self.neurons.point_row[point],
            np.full(n, -1, np.int64), np.full(n, -1, np.int64),
        ]  # fmt: skip
        fraction = np.full(n, np.nan)
        there = self.of_segments(segment[placed], x[placed])
        for column, values in zip(
            columns, (there.population, there.neuron, there.section, there.segment), strict=True
        ):
            column[placed] = values
        fraction[placed] = there.fraction
        population, neuron, section, within = columns
        return SiteColumns(population, neuron, section, within, fraction)


def join_sites(mask: np.ndarray, one: SiteColumns, other: SiteColumns) -> SiteColumns:
    """Sites in one order: those of ``one`` where ``mask`` holds, in turn, else of ``other``."""

    def joined(name: str) -> Any:
        column = np.empty(len(mask), getattr(one, name).dtype)
        column[mask], column[~mask] = getattr(one, name), getattr(other, name)
        return column

    return SiteColumns(
        joined("population"), joined("neuron"), joined("section"), joined("segment"),
        joined("fraction"),
    )  # fmt: skip
