"""The columns of every kind's features: their groups, sources, and what each gives away.

A source ``Label.property`` is read as it stands; any other source is the rule that computes the
column (:mod:`bnnkg.gnn.inputs`, :mod:`bnnkg.gnn.degrees`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from bnnkg.gnn.tensors import FeatureColumn
from bnnkg.schema.computation import COMPARTMENT_KINDS, RELATIONS, Kind
from bnnkg.schema.graph import NODES, fingerprint

SYNAPSE_KINDS: tuple[str, ...] = ("chemical", "electrical", "continuous")
MECHANISM_KINDS: tuple[str, ...] = ("channel", "concentration", "point", "unresolved")
IONS: tuple[str, ...] = ("na", "k", "ca", "cl", "h", "non_specific")
POINT_CELLS: dict[str, tuple[str, ...]] = {
    "integrate_and_fire": ("iaf", "IF_"),
    "izhikevich": ("izhikevich", "Izhikevich"),
    "adaptive_exponential": ("adEx", "EIF_"),
    "conductance_based": ("HH_cond", "pointCell", "pinskyRinzel", "fitzHughNagumo", "hindmarsh"),
    "generator": ("spikeGenerator", "SpikeSource", "spikeArray", "poisson"),
}
"""Families of point cells, by how the names of their NeuroML classes start."""

ACTIVITY: tuple[str, ...] = (
    "v_rest_mV",
    "input_resistance_Mohm",
    "rheobase_pA",
    "mean_frequency_Hz",
    "spike_count",
    "ap_amplitude_mV",
    "ap_half_width_ms",
    "adaptation_index",
)
"""Names among ``Activity.feature_names`` that become columns; means over protocols."""

PARAMETERS: tuple[str, ...] = (
    "midpoint", "scale", "rate", "instances", "fixedQ10", "restingConc", "decayConstant",
    "C", "a", "b", "c", "d", "k", "vr", "vt", "vpeak", "v0", "thresh", "reset", "refract", "tau",
    "leakConductance", "leakReversal", "VT", "EL", "gL", "delT", "tauw",
)  # fmt: skip
"""Last words of ``Mechanism.parameter_names`` that become columns; means over its gates."""

SHARED_BY: dict[Kind, tuple[str, ...]] = {
    "neuron": ("Cell",),
    "soma": ("Compartment",),
    "dendrite": ("Compartment",),
    "axon": ("Compartment",),
    "synapse": ("SynapseType", "Junction"),
    "mechanism": ("Mechanism", "Cell"),
}
"""What rows of a kind can be instances of. A mechanism's Cell is that pair; a Junction is what
a file lists as one gap junction from each side."""

_WITHIN = ("conducts", "part_of")
_AT_SYNAPSES = ("sends", "targets", "leaves", "arrives", "sends_back", "targets_back",
                "leaves_back", "arrives_back", "presynaptic_to")  # fmt: skip
_ON_SECTIONS = ("leaves", "arrives", "leaves_back", "arrives_back")
_BETWEEN_SOMATA = ("sends", "targets", "sends_back", "targets_back", "presynaptic_to")


def _edges(feature: str, relations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{relation}.{feature}" for relation in relations)


def _sections(*names: str) -> tuple[str, ...]:
    return tuple(f"{kind}.{name}" for kind in COMPARTMENT_KINDS for name in names)


def _flags(
    group: str, names: tuple[str, ...], rule: str, shared_by: str = ""
) -> Iterator[FeatureColumn]:
    for name in names:
        yield FeatureColumn(name, group, rule, numeric=False, shared_by=shared_by, target=False)


def _read(
    group: str, label: str, *names: str, heavy: bool = True, shared_by: str = "",
    hides: tuple[str, ...] = (), across: tuple[str, ...] = (), target: bool = True,
) -> Iterator[FeatureColumn]:  # fmt: skip
    for name in names:
        yield FeatureColumn(
            name, group, f"{label}.{name}", hides, True, across, shared_by, heavy, target=target
        )


def _counts(names: tuple[str, ...], *, contacts: bool) -> Iterator[FeatureColumn]:
    rule = "degrees over the synapses that are not hidden"
    for name in names:
        yield FeatureColumn(name, "io", rule, heavy=True, contacts=contacts, target=False)


def _by_direction(what: str) -> tuple[str, ...]:
    return (f"in_chemical_{what}", f"out_chemical_{what}", f"electrical_{what}",
            f"in_continuous_{what}", f"out_continuous_{what}")  # fmt: skip


PARTNERS, SYNAPSES, WEIGHTS = (_by_direction(w) for w in ("partners", "synapses", "weight"))
NEURON_IO = (*PARTNERS, *SYNAPSES, *WEIGHTS)
SECTION_IO = (*SYNAPSES, *WEIGHTS)

_SUMMED = ("length_um", "area_um2", "volume_um3", "n_segments")
_WEIGHT_SUMS = (*(f"neuron.{name}" for name in WEIGHTS), *_sections(*WEIGHTS))
_SECTION_GIVES = (
    *_sections("path_distance_um", "radial_distance_um", "length_um", "diameter_um", "area_um2", "volume_um3", "n_segments"),
    "synapse.pre_path_distance_um", "synapse.post_path_distance_um",
    *_edges("distance_um", (*_WITHIN, *_ON_SECTIONS)),
)  # fmt: skip
_LENGTH_GIVES = (
    *(f"neuron.{name}" for name in (*_SUMMED, "max_path_distance_um")),
    *_sections("path_distance_um", "radial_distance_um"),
    "synapse.pre_path_distance_um", "synapse.post_path_distance_um",
    *_edges("distance_um", (*_WITHIN, *_ON_SECTIONS)),
)  # fmt: skip


def _activity(names: tuple[str, ...], rule: str, shared_by: str = "") -> Iterator[FeatureColumn]:
    gives = tuple(f"{kind}.{name}" for kind, names in _INHERITED.items() for name in names)
    for name in names:
        own = rule == "activity of the neuron, its cell or its network"
        yield FeatureColumn(
            name, "activity", rule, hides_across=gives, heavy=True, shared_by=shared_by, target=own
        )


_RATES = ("neuron_mean_frequency_Hz", "neuron_v_rest_mV")
_ENDS = tuple(
    f"{side}_{name}" for side in ("pre", "post") for name in ("mean_frequency_Hz", "v_rest_mV")
)
_INHERITED: dict[str, tuple[str, ...]] = {
    "neuron": ACTIVITY, "soma": _RATES, "dendrite": _RATES, "axon": _RATES, "synapse": _ENDS, "mechanism": _RATES,
}  # fmt: skip

_NEURON = (
    *_flags("type", ("is_point", *POINT_CELLS), "class of the cell", "Cell"),
    FeatureColumn("relative_index", "index", "place in the population, 0 to 1", target=False),
    *_counts(PARTNERS, contacts=False),
    *_counts((*SYNAPSES, *WEIGHTS), contacts=True),
    FeatureColumn("n_stimuli", "io", "inputs that reach it", heavy=True, target=False),
    *_read("geometry", "Cell", *_SUMMED, "max_path_distance_um", shared_by="Cell", across=_SECTION_GIVES),
    *_read("geometry", "Cell", "n_compartments", "n_branch_points", "n_tips", shared_by="Cell", target=False),
    *_read("geometry", "Neuron", "x_um", "y_um", "z_um", heavy=False,
           across=("synapse.distance_um", *_edges("distance_um", _BETWEEN_SOMATA))),
    *_activity(ACTIVITY, "activity of the neuron, its cell or its network", "Cell"),
    *_read("function", "Cell", "v_init_mV", "v_threshold_mV", heavy=False, shared_by="Cell"),
    FeatureColumn("stimulus_pA", "function", "sum of the amplitudes of its stimuli", heavy=True),
)  # fmt: skip

_SECTION = (
    *_flags("type", ("is_other",), "neither soma, dendrite nor axon", "Compartment"),
    FeatureColumn("relative_index", "index", "place in the cell, 0 to 1", shared_by="Compartment", target=False),
    *_read("index", "Compartment", "branch_order", shared_by="Compartment", target=False),
    FeatureColumn("n_children", "index", "sections that start on it", shared_by="Compartment", heavy=True, target=False),
    *_counts((*SYNAPSES, *WEIGHTS), contacts=True),
    *_read("geometry", "Compartment", "length_um", "diameter_um", "area_um2", "volume_um3", "n_segments",
           shared_by="Compartment", across=_LENGTH_GIVES),
    *_read("geometry", "Compartment", "path_distance_um", shared_by="Compartment", target=False, across=_LENGTH_GIVES),
    FeatureColumn("radial_distance_um", "geometry", "from the root to the mean of its points", (), True,
                  _LENGTH_GIVES, "Compartment", heavy=True, target=False),
    *_activity(_RATES, "activity of its neuron"),
    *_read("function", "Compartment", "cm_uF_per_cm2", "ra_ohm_cm", heavy=False, shared_by="Compartment"),
    FeatureColumn("gbar_S_per_cm2", "function", "sum of its densities", _edges("conductance", ("acts_on",)), True,
                  ("mechanism.gbar_S_per_cm2",), "Compartment", heavy=True),
)  # fmt: skip

_SYNAPSE = (
    *_flags("type", tuple(f"is_{kind}" for kind in SYNAPSE_KINDS), "Synapse.kind as flags"),
    *_flags("type", ("has_short_term_plasticity", "has_block"), "whether the type has it", "SynapseType"),
    FeatureColumn("pre_relative_index", "index", "place in its cell of the section that it leaves from", target=False),
    FeatureColumn("post_relative_index", "index", "place in its cell of the section that it arrives at", target=False),
    FeatureColumn("n_parallel", "io", "synapses of its kind from the same neuron to the same", heavy=True, contacts=True, target=False),
    FeatureColumn("pre_fraction_along", "geometry", "LEAVES_FROM: fraction_along", target=False),
    FeatureColumn("post_fraction_along", "geometry", "ARRIVES_AT: fraction_along", target=False),
    FeatureColumn("pre_path_distance_um", "geometry", "path distance of the section that it leaves from", heavy=True, target=False),
    FeatureColumn("post_path_distance_um", "geometry", "path distance of the section that it arrives at", heavy=True, target=False),
    FeatureColumn("distance_um", "geometry", "between the two somata", _edges("distance_um", _BETWEEN_SOMATA), heavy=True, target=False),
    *_activity(_ENDS, "activity of its two neurons"),
    *_read("function", "SynapseType", "gbase_nS", shared_by="SynapseType", hides=_edges("conductance", _AT_SYNAPSES)),
    *_read("function", "SynapseType", "erev_mV", heavy=False, shared_by="SynapseType", hides=_edges("erev_mV", _AT_SYNAPSES)),
    *_read("function", "SynapseType", "tau_rise_ms", "tau_decay_ms", shared_by="SynapseType"),
    *_read("function", "SynapseType", "sign", heavy=False, shared_by="SynapseType", hides=_edges("erev_mV", _AT_SYNAPSES)),
    FeatureColumn("weight", "function", "Synapse.weight", _edges("weight", _AT_SYNAPSES), True, _WEIGHT_SUMS,
                  "Junction", heavy=True, contacts=True),
    *_read("function", "Synapse", "delay_ms", shared_by="Junction", hides=_edges("delay_ms", _AT_SYNAPSES)),
)  # fmt: skip

_MECHANISM = (
    *_flags("type", tuple(f"is_{kind}" for kind in MECHANISM_KINDS), "Mechanism.kind as flags", "Mechanism"),
    *_flags("type", ("is_passive",), "Mechanism.is_passive", "Mechanism"),
    *_flags("type", tuple(f"ion_{ion}" for ion in IONS), "Mechanism.ion as flags", "Mechanism"),
    FeatureColumn("first_relative_index", "index", "place in the cell of the first section with it", shared_by="Cell", target=False),
    FeatureColumn("n_sections", "io", "sections of the neuron with it", shared_by="Cell", heavy=True, target=False),
    FeatureColumn("share_of_sections", "geometry", "share of the neuron's sections with it", shared_by="Cell", target=False),
    *_activity(_RATES, "activity of its neuron"),
    FeatureColumn("gbar_S_per_cm2", "function", "HAS_MECHANISM.gbar_S_per_cm2: mean over its sections", _edges("conductance", ("acts_on",)), True,
                  _sections("gbar_S_per_cm2"), "Cell", heavy=True),
    FeatureColumn("erev_mV", "function", "HAS_MECHANISM.erev_mV: mean over its sections", _edges("erev_mV", ("acts_on",)), shared_by="Cell"),
    *(FeatureColumn(name, "function", f"HAS_MECHANISM.{name}: mean over its sections", shared_by="Cell", heavy=True)
      for name in ("permeability_cm_per_s", "n_channels", "v_shift_mV", "c_init_mM", "c_ext_mM")),
    *_read("function", "Mechanism", "conductance_pS", shared_by="Mechanism"),
    FeatureColumn("n_gates", "function", "length of Mechanism.gate_names", shared_by="Mechanism"),
    FeatureColumn("gate_order", "function", "sum of Mechanism.gate_instances", shared_by="Mechanism"),
    *(FeatureColumn(f"parameter_{name}", "function", f"mean of Mechanism.parameter_values named {name}", shared_by="Mechanism", heavy=True)
      for name in PARAMETERS),
)  # fmt: skip


def _declared_with(source: str) -> set[str]:
    """Properties of the same record that the declaration says determine it or follow from it."""
    label, _, name = source.partition(".")
    if label not in NODES or name not in NODES[label].by_name:
        return set()
    found, new = set(), {name}
    while new:
        found |= new
        new = {p.name for p in NODES[label].properties if found & {p.name, *p.derived_from}}
        new |= {d for p in NODES[label].properties if p.name in found for d in p.derived_from}
        new -= found
    return {f"{label}.{other}" for other in found - {name}}


def _with_declared(kind: Kind, columns: tuple[FeatureColumn, ...]) -> tuple[FeatureColumn, ...]:
    by_source = {column.source: column.name for column in columns}
    return tuple(
        replace(
            column,
            hides_with=(
                *column.hides_with,
                *(f"{kind}.{by_source[s]}" for s in sorted(_declared_with(column.source)) if s in by_source),
            ),
        )
        for column in columns
    )  # fmt: skip


COLUMNS: dict[Kind, tuple[FeatureColumn, ...]] = {
    "neuron": _with_declared("neuron", _NEURON),
    "soma": _with_declared("soma", _SECTION),
    "dendrite": _with_declared("dendrite", _SECTION),
    "axon": _with_declared("axon", _SECTION),
    "synapse": _with_declared("synapse", _SYNAPSE),
    "mechanism": _with_declared("mechanism", _MECHANISM),
}


def places(kind: Kind) -> dict[str, int]:
    """Place of each of the kind's columns, by name."""
    return {column.name: place for place, column in enumerate(COLUMNS[kind])}


def tensor_fingerprint() -> str:
    """Sixteen hex digits that change with anything that tensors are made by."""
    text = "\n".join([fingerprint(), repr(RELATIONS), repr(COLUMNS)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
