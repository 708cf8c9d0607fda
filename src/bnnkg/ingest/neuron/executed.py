"""What runs of NEURON code built, as parts of a model.

Every number of the graph must be the run's: each section, segment, density, point process, NetCon
and artificial cell is either in the parts or counted among what is missing, and this is checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bnnkg.errors import SourceError
from bnnkg.ingest.identity import digest
from bnnkg.ingest.neuron.capture import Capture
from bnnkg.ingest.neuron.connectivity import Wiring, read_projections, receivers
from bnnkg.ingest.neuron.densities import density_tables
from bnnkg.ingest.neuron.forest import plant
from bnnkg.ingest.neuron.inputs import EVENTS, read_inputs
from bnnkg.ingest.neuron.neurons import Sites, read_neurons
from bnnkg.ingest.neuron.resolved import Mechanisms, Resolved
from bnnkg.ingest.neuron.trees import read_trees
from bnnkg.ingest.parsed import (
    Cell,
    Definition,
    InputModel,
    InputTable,
    Mechanism,
    NetworkHead,
    ParsedModel,
    Population,
    Projection,
    SynapseModel,
)

if TYPE_CHECKING:
    from bnnkg.ingest.neuron.mods import ModReading
    from bnnkg.ingest.sources import Source


@dataclass(frozen=True)
class ExecutedParts:
    """Parts of a ParsedModel, under the same names.

    Places that they refer to (of networks, populations and input models) count from the numbers
    that :func:`executed_parts` was given.
    """

    mechanisms: tuple[Mechanism, ...] = ()
    synapses: tuple[SynapseModel, ...] = ()
    cells: tuple[Cell, ...] = ()
    definitions: tuple[Definition, ...] = ()
    inputs: tuple[InputModel, ...] = ()
    networks: tuple[NetworkHead, ...] = ()
    populations: tuple[Population, ...] = ()
    projections: tuple[Projection, ...] = ()
    input_tables: tuple[InputTable, ...] = ()
    known_missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Numbers of what NEURON has, as the parts of one network have them."""

    sections: int
    segments: int
    densities: dict[str, int]
    point_processes: int
    netcons: int
    artificial_cells: int


@dataclass
class _Gathered:
    """Parts on their way."""

    mechanisms: Mechanisms
    first: tuple[int, int, int]
    cells: dict[str, Cell] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    inputs: list[InputModel] = field(default_factory=list)
    networks: list[NetworkHead] = field(default_factory=list)
    populations: list[Population] = field(default_factory=list)
    projections: list[Projection] = field(default_factory=list)
    input_tables: list[InputTable] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, capture: Capture, path: str, prefix: str) -> None:
        """Adds one run."""
        resolved = self.mechanisms.resolve(capture.header)
        network = self.first[0] + len(self.networks)
        forest = plant(capture)
        tables = density_tables(capture, forest, resolved, self.mechanisms)
        trees = read_trees(capture, forest, tables)
        neurons = read_neurons(
            capture, trees, self.mechanisms, resolved, network, path,
            self.first[1] + len(self.populations),
        )  # fmt: skip
        sites = Sites.of(capture, trees, neurons)
        wiring = Wiring(capture, sites, self.mechanisms, resolved, network, path)
        projections = read_projections(wiring)
        inputs = read_inputs(wiring, self.first[2] + len(self.inputs))
        self.networks.append(_head(capture, path))
        self.cells.update((cell.uid, cell) for cell in neurons.cells)
        self.definitions += neurons.definitions
        self.populations += neurons.populations
        self.projections += projections
        self.inputs += (model for model, _ in inputs)
        self.input_tables += (table for _, table in inputs)
        missing = [f"{n} {what}" for what, n in sorted(wiring.missing.items()) if n]
        unknown = sorted(name for name, one in resolved.items() if one.read is None)
        missing += [f"what {name} is: its file could not be read" for name in unknown]
        missing += [*capture.header.missing, *capture.notes]
        self.missing += (f"{prefix}{text}" for text in missing)
        counted = _counts(
            self.cells, neurons.populations, projections, [t for _, t in inputs],
            [m for m, _ in inputs], self.first[2] + len(self.inputs) - len(inputs),
        )  # fmt: skip
        _check(capture, resolved, counted, wiring.missing, path)

    def parts(self) -> ExecutedParts:
        """All of them."""
        own = self.mechanisms
        return ExecutedParts(
            tuple(own.mechanisms.values()), tuple(own.synapses.values()),
            tuple(self.cells.values()), (*own.definitions.values(), *self.definitions),
            tuple(self.inputs), tuple(self.networks), tuple(self.populations),
            tuple(self.projections), tuple(self.input_tables),
            tuple(dict.fromkeys(self.missing)),
        )  # fmt: skip


def executed_parts(
    captures: Sequence[Capture],
    mods: ModReading,
    source: Source,
    *,
    first_network: int = 0,
    first_population: int = 0,
    first_input: int = 0,
) -> ExecutedParts:
    """Turns what runs left into parts of a model: one Network for each.

    The mechanisms that the source's files define are not among the parts: they are ``mods``'s.

    Args:
        captures: The runs.
        mods: What the source's files define.
        source: The source.
        first_network: Networks that the model has already.
        first_population: Populations that the model has already.
        first_input: Input models that the model has already.

    Raises:
        SourceError: The parts do not add up to the runs, which is a defect of this program.
    """
    first = (first_network, first_population, first_input)
    gathered = _Gathered(Mechanisms(mods, source.key), first)
    paths: set[str] = set()
    for capture in captures:
        path = _network_path(capture, paths)
        gathered.add(capture, path, f"{path}: " if len(captures) > 1 else "")
    return gathered.parts()


def _network_path(capture: Capture, taken: set[str]) -> str:
    """The entry, and where there are commands a hash of them: paths do not depend on the order."""
    header = capture.header
    path = header.entry or "command"
    if header.commands:
        path += f"#{digest(header.commands)[:8]}"
    while path in taken:
        path += "'"
    taken.add(path)
    return path


def _head(capture: Capture, path: str) -> NetworkHead:
    header = capture.header
    return NetworkHead(
        id=header.entry,
        path=path,
        temperature_degC=header.celsius,
        entry=header.entry,
        commands=header.commands,
        fallbacks=header.fallbacks,
        stub_mechanisms=header.stubs,
        v_init_mV=header.v_init_mV,
    )


def accounted(parts: ExecutedParts | ParsedModel) -> dict[str, int]:
    """Numbers of sections, segments, densities, point processes, NetCons and artificial cells.

    They are what the graph of these parts has: compartments times instances, and so on.
    """
    cells = {cell.uid: cell for cell in parts.cells}
    total: Counter[str] = Counter()
    for network in sorted({population.network for population in parts.populations}):
        own = _counts(
            cells,
            [one for one in parts.populations if one.network == network],
            [one for one in parts.projections if one.network == network],
            [table for table in parts.input_tables if _network_of(parts, table) == network],
            parts.inputs,
            0,
        )
        total.update(
            sections=own.sections, segments=own.segments, densities=sum(own.densities.values()),
            point_processes=own.point_processes, netcons=own.netcons,
            artificial_cells=own.artificial_cells,
        )  # fmt: skip
    return dict(total)


def _network_of(parts: ExecutedParts | ParsedModel, table: InputTable) -> int:
    if table.target is None or not len(table.places):
        return -1
    return parts.populations[int(table.target.population[0])].network


def _counts(
    cells: dict[str, Cell],
    populations: Sequence[Population],
    projections: Sequence[Projection],
    tables: Sequence[InputTable],
    inputs: Sequence[InputModel],
    first_input: int,
) -> Counts:
    sections = segments = artificial = 0
    densities: Counter[str] = Counter()
    for population in populations:
        cell, n = cells[population.cell_uid], len(population.instance_ids)
        artificial += n * cell.is_point
        sections += n * len(cell.sections)
        segments += n * sum(section.n_segments for section in cell.sections)
        for one in cell.placements:
            if one.section >= 0:
                densities[one.mechanism_uid] += n * cell.sections[one.section].n_segments
    named = receivers(projections) | {name for table in tables for name in table.receivers if name}
    events = sum(
        len(table.places)
        for table in tables
        if inputs[table.model - first_input].stimulus_class == EVENTS
    )
    chemical = sum(len(one.places) for one in projections if one.kind == "chemical")
    return Counts(sections, segments, dict(densities), len(named), chemical + events, artificial)


def _check(
    capture: Capture,
    resolved: dict[str, Resolved],
    counted: Counts,
    missing: Counter[str],
    where: str,
) -> None:
    """Raises where the parts and what is missing do not add up to the run."""
    points = capture.points
    artificial = sum(
        len(rows) for n, rows in points.row.items() if resolved[n].captured.kind == "artificial"
    )
    densities: Counter[str] = Counter()
    for name, one in capture.densities.items():
        densities[resolved[name].uid] += len(one.segment)
    nowhere = missing["point processes that are nowhere"]
    lost = sum(n for what, n in missing.items() if what.startswith("NetCons"))
    expected = Counts(
        len(capture.sections), len(capture.segments), {k: n for k, n in densities.items() if n},
        int(np.count_nonzero(points.segment >= 0)), len(capture.netcons) - lost, artificial,
    )  # fmt: skip
    if counted != expected or nowhere != len(points) - expected.point_processes - artificial:
        raise SourceError(
            "the graph of a run does not add up to the run",
            where=where, expected=str(expected), found=str(counted),
            hint="this is a defect of bnnkg: please report it",
        )  # fmt: skip
