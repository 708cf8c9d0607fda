"""What was read from a source: plain values in canonical units, networks as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from bnnkg.ingest.report import SourceReport
from bnnkg.ingest.sources import Source

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
DefinedLabel = Literal["Cell", "Mechanism", "SynapseType"]


@dataclass(frozen=True)
class Parameters:
    """Named values of a component, sorted by name.

    Attributes:
        names: Dotted from the component down, such as ``m.forwardRate.rate``.
        values: In canonical units.
        units: Canonical units; empty for pure numbers.
        expression_names: Attributes that hold text, dotted likewise.
        expression_texts: That text; a reference is the uid of what it refers to.
        state_names: State variables of its type, where that is the source's own, dotted likewise.
        exposure_names: What that type exposes.
        part_names: Elements within it, dotted likewise.
        part_classes: Their classes.
    """

    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    expression_names: tuple[str, ...] = ()
    expression_texts: tuple[str, ...] = ()
    state_names: tuple[str, ...] = ()
    exposure_names: tuple[str, ...] = ()
    part_names: tuple[str, ...] = ()
    part_classes: tuple[str, ...] = ()

    def value(self, name: str) -> float | None:
        """The value of that name; absent where there is none."""
        return self.values[self.names.index(name)] if name in self.names else None


@dataclass(frozen=True)
class GateKinetics:
    """Measures of the gates of a mechanism, a place each in the order of its gate names.

    Attributes:
        temperature_degC: Temperature of the numbers; absent where they hold at any.
        v_half_mV: Where each steady state is half way; NaN where it has no such place.
        slope_mV: Boltzmann slope there, positive where the gate opens on depolarisation.
        tau_max_ms: The longest time constant.
        tau_max_at_mV: Where that is.
        steady_states: On the grid of the schema, gate after gate.
        taus_ms: Likewise.
        note: Why some of it is absent; empty where nothing is.
    """

    temperature_degC: float | None
    v_half_mV: tuple[float, ...] = ()
    slope_mV: tuple[float, ...] = ()
    tau_max_ms: tuple[float, ...] = ()
    tau_max_at_mV: tuple[float, ...] = ()
    steady_states: tuple[float, ...] = ()
    taus_ms: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Nmodl:
    """What the text of a mechanism in NMODL declares (see the schema, same names)."""

    range_names: tuple[str, ...] = ()
    global_names: tuple[str, ...] = ()
    state_names: tuple[str, ...] = ()
    pointer_names: tuple[str, ...] = ()
    ions_read: tuple[str, ...] = ()
    ions_written: tuple[str, ...] = ()
    is_conductance_based: bool | None = None
    has_verbatim: bool = False
    statement_hashes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Mechanism:
    """An ion channel, concentration model or point dynamics (see the schema's Mechanism)."""

    uid: str
    mechanism_class: str
    kind: str
    base_class: str | None = None
    ion: str | None = None
    is_passive: bool | None = None
    conductance_pS: float | None = None
    gate_names: tuple[str, ...] = ()
    gate_instances: tuple[int, ...] = ()
    parameters: Parameters = field(default_factory=Parameters)
    kinetics: GateKinetics | None = None
    nmodl: Nmodl | None = None


@dataclass(frozen=True)
class SynapseModel:
    """A model of a synapse (see the schema's SynapseType)."""

    uid: str
    synapse_class: str
    base_class: str | None = None
    gbase_nS: float | None = None
    erev_mV: float | None = None
    tau_rise_ms: float | None = None
    tau_decay_ms: float | None = None
    time_to_peak_ms: float | None = None
    sign: int | None = None
    short_term_plasticity: str | None = None
    block: str | None = None
    parameters: Parameters = field(default_factory=Parameters)
    nmodl: Nmodl | None = None


@dataclass(frozen=True)
class Placement:
    """A mechanism in a section, or in a point cell.

    Attributes:
        section: Index of the section; -1 for a point cell as a whole.
        mechanism_uid: The Mechanism.
        place: Place of its density among the cell's, in canonical order.
        segments: Places in the section of the segments that carry it; absent where all do.
    """

    section: int
    mechanism_uid: str
    place: int
    density_class: str | None = None
    segments: tuple[int, ...] | None = None
    gbar_S_per_cm2: float | None = None
    erev_mV: float | None = None
    permeability_cm_per_s: float | None = None
    n_channels: float | None = None
    v_shift_mV: float | None = None
    ion: str | None = None
    c_init_mM: float | None = None
    c_ext_mM: float | None = None
    variable_parameter: str | None = None
    segment_gbar_S_per_cm2: tuple[float, ...] | None = None
    parameter_names: tuple[str, ...] = ()
    parameter_values: tuple[float, ...] = ()
    varying_names: tuple[str, ...] = ()
    segment_values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Section:
    """An unbranched run of segments (see the schema's Compartment)."""

    kind: str
    parent: int
    fraction_on_parent: float
    n_segments: int
    length_um: float
    diameter_um: float
    area_um2: float
    volume_um3: float
    path_distance_um: float
    segment_points_um: tuple[float, ...]
    segment_parents: tuple[int, ...]
    segment_fractions: tuple[float, ...]
    cm_uF_per_cm2: float | None = None
    ra_ohm_cm: float | None = None
    segment_cm_uF_per_cm2: tuple[float, ...] | None = None
    segment_ra_ohm_cm: tuple[float, ...] | None = None
    points_um: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Cell:
    """A cell definition (see the schema's Cell), its sections parents first."""

    uid: str
    cell_class: str
    is_point: bool
    sections: tuple[Section, ...] = ()
    placements: tuple[Placement, ...] = ()
    v_init_mV: float | None = None
    v_threshold_mV: float | None = None


@dataclass(frozen=True)
class SegmentMap:
    """Where the segments of one cell element are in its sections.

    Attributes:
        row_of: Segment id to row of the columns below.
        section: Index of the section.
        place: Place in the section.
        start: Where the segment starts on its section, 0 to 1.
        share: The part of the section's length that it makes up, 0 to 1.
    """

    row_of: dict[int, int]
    section: Integers
    place: Integers
    start: Floats
    share: Floats

    def rows_at(self, ids: Integers) -> Integers:
        """Rows of segments by their ids; -1 where there is none of that id."""
        known, rows = self._sorted
        if not len(known):
            return np.full(len(ids), -1)
        found = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return np.where(known[found] == ids, rows[found], -1)

    @cached_property
    def _sorted(self) -> tuple[Integers, Integers]:
        ids, rows = (np.array(list(v), dtype=np.int64) for v in (self.row_of, self.row_of.values()))
        order = np.argsort(ids)
        return ids[order], rows[order]


@dataclass(frozen=True)
class Annotations:
    """What the author says of an element beside its values.

    Attributes:
        notes: Its notes, those of elements in it after their names.
        property_names: Tags of its properties; those of elements in it start with their names.
        property_values: Their values, in the same order.
        qualifiers: How each annotation is meant, such as ``bqbiol:isVersionOf`` or ``neuroLexId``.
        values: What it names, in the same order: an address, an identifier or a text.
    """

    notes: str | None = None
    property_names: tuple[str, ...] = ()
    property_values: tuple[str, ...] = ()
    qualifiers: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Definition:
    """An element that defines a shared node, or a reference that nothing defines.

    Attributes:
        label: Label of the node.
        uid: The node.
        id: Id of the element; empty where it has none.
        path: File and element, relative to the source; unique within the label.
        raw: What of the element has no place in the graph.
        annotations: What else the author says of it.
        measures: Inhomogeneous parameters of a cell.
        kinetics: Those of its channel at the temperature of the model's networks, where that is
            another than that of the Mechanism.
    """

    label: DefinedLabel
    uid: str
    id: str
    path: str
    raw: str | None = None
    annotations: Annotations = field(default_factory=Annotations)
    segment_ids: tuple[int, ...] | None = None
    segment_names: tuple[str, ...] | None = None
    offset_um: tuple[float, float, float] | None = None
    group_names: tuple[str, ...] | None = None
    group_segments: tuple[str, ...] | None = None
    group_sections: tuple[str, ...] | None = None
    kinds_from: str | None = None
    measures: tuple[str, ...] = ()
    kinetics: GateKinetics | None = None


@dataclass(frozen=True)
class Layout:
    """How the neurons of a population are laid out.

    Attributes:
        kind: grid, random or unstructured; absent where the population gives its size.
        size: How many there are.
        xyz_um: Where they are, (n, 3); absent where nothing tells.
        space: Id of the space that they are in.
        region: Id of the region that they are in.
    """

    kind: str | None
    size: int
    xyz_um: Floats | None = None
    space: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Population:
    """Neurons of one cell, as columns.

    Attributes:
        network: Place of its network in the model.
        id: Its id.
        path: File and element, unique in the model.
        cell_uid: The Cell.
        offset_um: Where that cell's root is in its own coordinates.
        instance_ids: Id of each neuron, unique in the population.
        xyz_um: Location of each instance (n, 3); absent where only a size is given.
    """

    network: int
    id: str
    path: str
    cell_uid: str
    offset_um: tuple[float, float, float] | None
    instance_ids: tuple[str, ...]
    xyz_um: Floats | None
    property_names: tuple[str, ...] = ()
    property_values: tuple[str, ...] = ()
    implicit: bool = False
    layout: Layout | None = None


@dataclass(frozen=True)
class SiteColumns:
    """Places on neurons, a row each: the ends of connections or the targets of inputs.

    Attributes:
        population: Place of the population in the model.
        neuron: Place of the neuron in the population.
        section: Index of the section; -1 on a point cell.
        segment: Place of the segment in the section; -1 on a point cell.
        fraction: Along the section, 0 to 1.
    """

    population: Integers
    neuron: Integers
    section: Integers
    segment: Integers
    fraction: Floats


@dataclass(frozen=True)
class Projection:
    """Connections of one projection, as columns.

    Attributes:
        network: Place of its network in the model.
        kind: chemical, electrical or continuous.
        id: Id of the projection; absent for connections outside any.
        path: File and element, unique in the model.
        places: Zero-based place of each connection in the projection's element.
        pre: Where they leave.
        post: Where they arrive.
        weight: Factors; 1 where the file gives none.
        delay_ms: Delays; absent (NaN) where the class has none, 0 where one is not given.
        types: The synapse models in use: tuples of (uid, side).
        type_of: Row of ``types`` for each connection.
        threshold_mV: Potential at which the presynaptic site sends; absent where none is given.
        receivers: Point process that receives each, such as ``ExpSyn[3]``; empty where none does,
            and altogether where the source does not number them.
    """

    network: int
    kind: str
    id: str | None
    path: str
    places: Integers
    pre: SiteColumns
    post: SiteColumns
    weight: Floats
    delay_ms: Floats
    types: tuple[tuple[tuple[str, str], ...], ...]
    type_of: Integers
    threshold_mV: Floats | None = None
    receivers: tuple[str, ...] = ()


@dataclass(frozen=True)
class InputModel:
    """A component that stimulates."""

    id: str
    stimulus_class: str
    path: str
    parameters: Parameters
    raw: str | None = None
    annotations: Annotations = field(default_factory=Annotations)


@dataclass(frozen=True)
class InputTable:
    """Inputs of one list, as columns.

    Attributes:
        path: File and element, unique in the model.
        model: Place of the input model in the model.
        places: Zero-based place of each input in the list.
        target: Where they arrive; absent for an input that the source aims at nothing.
        weight: Factors; 1 where the file gives none.
        receivers: Point process that each is or acts on, as in :class:`Projection`.
    """

    path: str
    model: int
    places: Integers
    target: SiteColumns | None
    weight: Floats
    receivers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SimulationRun:
    """How a LEMS document runs a network."""

    id: str
    length_ms: float
    step_ms: float


@dataclass(frozen=True)
class NetworkHead:
    """A network without its contents.

    Attributes:
        entry: File that was run, where it is a configuration of NEURON code; absent elsewhere.
        commands: Statements that were run after it.
        fallbacks: What it took to make it load.
        stub_mechanisms: Whether its mechanisms stood in as declarations only.
    """

    id: str
    path: str
    temperature_degC: float | None = None
    implicit: bool = False
    raw: str | None = None
    parameters: Parameters = field(default_factory=Parameters)
    annotations: Annotations = field(default_factory=Annotations)
    simulations: tuple[SimulationRun, ...] = ()
    entry: str | None = None
    commands: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    stub_mechanisms: bool | None = None
    v_init_mV: float | None = None


@dataclass(frozen=True)
class ParsedModel:
    """Everything that one source brings.

    Attributes:
        source: Where it was read from.
        version: Hash of its content.
        format: neuroml2, lems, neuroml2+lems, neuron, or mixed.
        report: What became of every file and element.
        kept_elements: Elements outside its definitions that the graph has no place for.
        known_missing: What the source has and the graph is known to lack.
        annotations: What its documents say of themselves.
        readme: What its README says; absent for sources without NEURON code.
        run_hints: Ways to run its NEURON code, best first.
    """

    source: Source
    version: str
    format: str
    n_files: int
    report: SourceReport
    mechanisms: tuple[Mechanism, ...] = ()
    synapses: tuple[SynapseModel, ...] = ()
    cells: tuple[Cell, ...] = ()
    definitions: tuple[Definition, ...] = ()
    inputs: tuple[InputModel, ...] = ()
    networks: tuple[NetworkHead, ...] = ()
    populations: tuple[Population, ...] = ()
    projections: tuple[Projection, ...] = ()
    input_tables: tuple[InputTable, ...] = ()
    kept_elements: tuple[str, ...] = ()
    known_missing: tuple[str, ...] = ()
    annotations: Annotations = field(default_factory=Annotations)
    readme: str | None = None
    run_hints: tuple[str, ...] = ()

    @property
    def has_content(self) -> bool:
        """Whether anything in it goes to the graph."""
        return bool(self.definitions or self.networks or self.inputs)
