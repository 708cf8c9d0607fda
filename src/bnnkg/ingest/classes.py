"""The classes of NeuroML 2.3 and of LEMS, and where each goes in the graph.

What kind of definition a class is (:mod:`bnnkg.ingest.kinds`) and the table of the documentation
both follow from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["cell", "channel", "concentration", "synapse", "input"]


@dataclass(frozen=True)
class ClassGroup:
    """Classes that become the same.

    Attributes:
        names: Names of their elements; of abstract bases and of rates, of their LEMS types.
        becomes: What an element of them becomes, in a sentence.
        where: Labels and edge types, and properties of these as ``Label.property``.
        kind: What they define at the top of a document, if anything.
    """

    names: tuple[str, ...]
    becomes: str
    where: tuple[str, ...]
    kind: Kind | None = None


def _group(names: str, becomes: str, where: str, kind: Kind | None = None) -> ClassGroup:
    return ClassGroup(tuple(names.split()), becomes, tuple(where.split()), kind)


CLASSES: dict[str, tuple[ClassGroup, ...]] = {
    "Cells": (
        _group("cell cell2CaPools", "A cell of many compartments; its morphology and its biophysical properties may stand elsewhere",
               "Cell Cell.cell_class DEFINES.segment_ids", "cell"),
        _group("iafTauCell iafTauRefCell iafCell iafRefCell izhikevichCell izhikevich2007Cell adExIaFCell fitzHughNagumoCell"
               " fitzHughNagumo1969Cell pinskyRinzelCA3Cell hindmarshRose1984Cell",
               "A point cell, and the mechanism that makes it",
               "Cell.is_point Mechanism.kind Mechanism.parameter_values HAS_MECHANISM", "cell"),
        _group("IF_curr_alpha IF_curr_exp IF_cond_alpha IF_cond_exp EIF_cond_exp_isfa_ista EIF_cond_alpha_isfa_ista HH_cond_exp",
               "A point cell of PyNN, its values in PyNN's units", "Cell.is_point Mechanism.parameter_values", "cell"),
        _group("pointCellCondBased pointCellCondBasedCa", "A point cell with channels", "Cell.is_point HAS_MECHANISM.n_channels", "cell"),
        _group("baseCell baseSpikingCell baseCellMembPot baseCellMembPotDL baseCellMembPotCap baseIaf baseIafCapCell basePyNNCell"
               " basePyNNIaFCell basePyNNIaFCondCell", "What own types of cells extend", "Mechanism.base_class", "cell"),
    ),
    "Morphology": (
        _group("morphology", "The sections of its cell", "Compartment HAS_COMPARTMENT"),
        _group("segment proximal distal", "Points of a section", "Compartment.segment_points_um DEFINES.segment_names"),
        _group("parent", "Where a segment starts", "Compartment.segment_parents Compartment.segment_fractions CHILD_OF"),
        _group("segmentGroup member include path subTree from to", "A named set of segments, and what is soma, dendrite or axon",
               "DEFINES.group_names DEFINES.group_sections Compartment.kind"),
        _group("inhomogeneousParameter", "A measure along the cell, evaluated where a density varies with it", "DEFINES.inhomogeneous_parameters"),
    ),
    "Biophysical properties": (
        _group("biophysicalProperties biophysicalProperties2CaPools membraneProperties membraneProperties2CaPools"
               " intracellularProperties intracellularProperties2CaPools extracellularProperties",
               "What they hold, on the sections; outside a network's cells, on the network", "Cell Network.parameter_values"),
        _group("channelDensity channelDensityNernst channelDensityNernstCa2 channelDensityGHK channelDensityGHK2 channelDensityVShift",
               "A density, an edge from each section to the channel",
               "HAS_MECHANISM.density_class HAS_MECHANISM.gbar_S_per_cm2 HAS_MECHANISM.erev_mV HAS_MECHANISM.permeability_cm_per_s HAS_MECHANISM.v_shift_mV HAS_MECHANISM.ion"),
        _group("channelDensityNonUniform channelDensityNonUniformNernst channelDensityNonUniformGHK variableParameter inhomogeneousValue",
               "Likewise, its formula evaluated in the middle of each segment",
               "HAS_MECHANISM.variable_parameter HAS_MECHANISM.gbar_S_per_cm2 HAS_MECHANISM.segment_gbar_S_per_cm2 HAS_MECHANISM.segment_values"),
        _group("channelPopulation", "A number of channels, shared out by area", "HAS_MECHANISM.n_channels"),
        _group("species", "An edge to its concentration model", "HAS_MECHANISM.c_init_mM HAS_MECHANISM.c_ext_mM"),
        _group("specificCapacitance resistivity", "A value of each section", "Compartment.cm_uF_per_cm2 Compartment.ra_ohm_cm"),
        _group("initMembPotential spikeThresh", "A value of the cell", "Cell.v_init_mV Cell.v_threshold_mV"),
    ),
    "Channels": (
        _group("ionChannel ionChannelHH ionChannelKS ionChannelPassive ionChannelVShift",
               "A mechanism, its gates measured", "Mechanism.mechanism_class Mechanism.ion Mechanism.conductance_pS Mechanism.is_passive", "channel"),
        _group("baseIonChannel", "What own types of channels extend", "Mechanism.base_class", "channel"),
        _group("gate gateHHrates gateHHratesTau gateHHratesInf gateHHratesTauInf gateHHtauInf gateHHInstantaneous gateFractional gateKS",
               "A gate: half activation, slope, longest time constant, and both curves",
               "Mechanism.gate_names Mechanism.gate_instances Mechanism.gate_v_half_mV Mechanism.gate_slope_mV Mechanism.gate_tau_max_ms"
               " Mechanism.gate_steady_states Mechanism.gate_taus_ms"),
        _group("subGate", "A part of its gate's curves and parameters", "Mechanism.gate_steady_states Mechanism.parameter_values"),
        _group("closedState openState forwardTransition reverseTransition tauInfTransition vHalfTransition rate",
               "A part of its scheme: the gate's curves are its open fraction and slowest time constant", "Mechanism.gate_steady_states Mechanism.parameter_values"),
        _group("forwardRate reverseRate steadyState timeCourse", "A part of its gate's curves and parameters",
               "Mechanism.gate_steady_states Mechanism.gate_taus_ms Mechanism.parameter_values"),
        _group("HHExpRate HHSigmoidRate HHExpLinearRate HHExpVariable HHSigmoidVariable HHExpLinearVariable fixedTimeCourse",
               "The formula of a rate, evaluated", "Mechanism.expression_texts"),
        _group("baseVoltageDepRate baseVoltageConcDepRate baseHHRate baseVoltageDepVariable baseVoltageConcDepVariable baseHHVariable"
               " baseVoltageDepTime baseVoltageConcDepTime baseGate baseQ10Settings baseConductanceScaling"
               " baseConductanceScalingCaDependent KSState KSTransition", "What own rates, gates and scalings extend; these are evaluated",
               "Mechanism.expression_texts"),
        _group("q10Settings q10Fixed q10ExpTemp", "The temperature of its gate's curves, and their scale",
               "Mechanism.kinetics_temperature_degC DEFINES.kinetics_temperature_degC Mechanism.parameter_values"),
        _group("q10ConductanceScaling", "Parameters of its channel", "Mechanism.parameter_values"),
    ),
    "Concentration models": (
        _group("concentrationModel decayingPoolConcentrationModel fixedFactorConcentrationModel fixedFactorConcentrationModelTraub",
               "A mechanism of the kind concentration", "Mechanism.kind Mechanism.ion Mechanism.parameter_values", "concentration"),
    ),
    "Synapses": (
        _group("alphaCurrentSynapse alphaSynapse expOneSynapse expTwoSynapse expThreeSynapse blockingPlasticSynapse stdpSynapse",
               "A type of synapses", "SynapseType.synapse_class SynapseType.gbase_nS SynapseType.erev_mV SynapseType.tau_rise_ms"
               " SynapseType.tau_decay_ms SynapseType.time_to_peak_ms SynapseType.sign", "synapse"),
        _group("plasticityMechanism tsodyksMarkramDepMechanism tsodyksMarkramDepFacMechanism", "Its short-term plasticity",
               "SynapseType.short_term_plasticity SynapseType.parameter_values"),
        _group("blockMechanism voltageConcDepBlockMechanism", "Its block", "SynapseType.block SynapseType.parameter_values"),
        _group("doubleSynapse", "A type made of two others, which its expressions name by uid", "SynapseType.expression_texts", "synapse"),
        _group("gapJunction linearGradedSynapse gradedSynapse silentSynapse", "A type of electrical or continuous synapses",
               "SynapseType.gbase_nS SynapseType.erev_mV SynapseType.parameter_values", "synapse"),
        _group("expCondSynapse alphaCondSynapse expCurrSynapse alphaCurrSynapse", "A type of PyNN's synapses",
               "SynapseType.erev_mV SynapseType.tau_decay_ms", "synapse"),
        _group("baseSynapse baseSynapseDL baseVoltageDepSynapse baseCurrentBasedSynapse baseConductanceBasedSynapse"
               " baseConductanceBasedSynapseTwo baseGradedSynapse basePynnSynapse", "What own types of synapses extend", "SynapseType.base_class", "synapse"),
    ),
    "Inputs": (
        _group("pulseGenerator pulseGeneratorDL sineGenerator sineGeneratorDL rampGenerator rampGeneratorDL compoundInput compoundInputDL"
               " voltageClamp voltageClampTriple", "A stimulus for each input of it",
               "Stimulus.stimulus_class Stimulus.amplitude_pA Stimulus.delay_ms Stimulus.duration_ms Stimulus.parameter_values", "input"),
        _group("spikeArray spikeGenerator spikeGeneratorRandom spikeGeneratorPoisson spikeGeneratorRefPoisson SpikeSourcePoisson",
               "A source of spikes: a stimulus, or the cell of a population of sources", "Stimulus Cell", "input"),
        _group("timedSynapticInput poissonFiringSynapse transientPoissonFiringSynapse", "A stimulus through a synapse, which its expressions name by uid",
               "Stimulus.expression_texts", "input"),
        _group("spike", "Its time", "Stimulus.parameter_values"),
        _group("basePointCurrent basePointCurrentDL baseVoltageDepPointCurrent baseVoltageDepPointCurrentDL baseVoltageDepPointCurrentSpiking"
               " baseSpikeSource", "What own types of inputs extend", "Stimulus.stimulus_class", "input"),
    ),
    "Networks": (
        _group("network", "A network", "Network Network.temperature_degC"),
        _group("space structure region cellSet", "Parameters of the network, named by element and id", "Network.parameter_values Network.expression_texts"),
        _group("population instance location", "A population and its neurons", "Population Population.size Neuron Neuron.instance_id Neuron.x_um INSTANCE_OF"),
        _group("layout grid random unstructured", "The size of its population, and places on a grid",
               "Population.layout Population.space Population.region Neuron.x_um"),
        _group("projection electricalProjection continuousProjection", "What its connections have in common", "Synapse.projection Synapse.kind"),
        _group("connection connectionWD synapticConnection synapticConnectionWD electricalConnection electricalConnectionInstance"
               " electricalConnectionInstanceW continuousConnection continuousConnectionInstance continuousConnectionInstanceW",
               "A synapse with its two ends", "Synapse.weight Synapse.delay_ms SENDS TARGETS LEAVES_FROM ARRIVES_AT OF_TYPE"),
        _group("inputList input inputW explicitInput", "A stimulus and its target", "Stimulus.weight STIMULATES"),
    ),
    "Of any element": (
        _group("notes", "Text on the edge that defines it; of a document, on the model", "DEFINES.notes Model.notes"),
        _group("property", "Tag and value on the edge that defines it, on the population, or for a document on the model", "DEFINES.property_names DEFINES.property_values Population.property_names Model.property_names"),
        _group("annotation", "Statements of RDF on the edge that defines it, and terms of the model; anything else in it is kept as written",
               "DEFINES.annotation_qualifiers DEFINES.annotation_values Term ABOUT"),
    ),
    "Documents of LEMS": (
        _group("Include", "What the document reaches", "Model.n_files"),
        _group("ComponentType", "What is of it: states, exposures and formulas, and the kind by what it extends; kept as written where nothing is of it",
               "Mechanism.base_class Mechanism.state_names Mechanism.exposure_names Mechanism.expression_texts DEFINES.raw"),
        _group("Component", "What its type is", "Mechanism Cell SynapseType Stimulus"),
        _group("Simulation Target", "How the network is to be run", "Network.simulation_names Network.simulation_lengths_ms Network.simulation_steps_ms"),
    ),
}  # fmt: skip
"""By subject. Not in it: what shows and writes results, and units, which are kept as written."""

KIND_OF: dict[str, Kind] = {
    name: group.kind
    for groups in CLASSES.values()
    for group in groups
    if group.kind is not None
    for name in group.names
}
"""Kinds of the classes that define something, abstract ones included."""

NEUROML_NAMES = frozenset(
    name for groups in CLASSES.values() for group in groups for name in group.names
)
"""Names that NeuroML has given a meaning: a type of that name is no type of the source's own."""


def classes_markdown() -> str:
    """The table of classes, a page of the documentation."""
    parts = [
        "# Classes of NeuroML",
        "Generated from `bnnkg.ingest.classes` by `make docs`; do not edit.",
        "Where every class of NeuroML 2.3 goes in the [graph](../schema.md). A component of a type "
        "that a source itself defines goes where the class goes that the type extends. What is not "
        "here (displays, output files, units and dimensions of LEMS; annotations that are no RDF) "
        "is kept as written, in `DEFINES.raw` or in the report: see "
        "[accounting](../explanation/accounting.md).",
    ]
    for subject, groups in CLASSES.items():
        rows = ["| class | becomes | in the graph |", "| --- | --- | --- |"]
        rows += [
            f"| {_coded(group.names)} | {group.becomes} | {_coded(group.where)} |"
            for group in groups
        ]
        parts += [f"## {subject}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _coded(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
