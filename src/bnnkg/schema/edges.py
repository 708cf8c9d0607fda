"""The edge types of the graph."""

from __future__ import annotations

from bnnkg.schema.declaration import EdgeType, Property
from bnnkg.schema.nodes import KINETICS, SAID

UID = Property(
    "uid", "string", "Tells it from other such edges between the same two nodes", required=True
)
FRACTION = Property(
    "fraction_along",
    "float",
    "Where on the section, 0 near the root, 1 far from it",
    "",
    "fractionAlong",
)
SEGMENT = Property(
    "segment", "integer", "Place of the segment in the section", "", "segmentId", default=0
)

EDGE_TYPES: tuple[EdgeType, ...] = (
    EdgeType(
        "DEFINES", "An element of the source defines this",
        (("Model", "Cell"), ("Model", "Mechanism"), ("Model", "SynapseType"), ("Model", "Network"), ("Model", "Stimulus")),
        properties=(
            UID,
            Property("id", "string", "Id of the element", "", "id"),
            Property("path", "string", "File and element, relative to the source", required=True),
            Property("raw", "string", "What of the element has no place in the graph, as written"),
            *SAID,
            Property("segment_ids", "integers", "Ids of a Cell's segments, in the order of its sections", "", "segment"),
            Property("segment_names", "strings", "Names of a Cell's segments, in the same order", "", "segment"),
            Property("kinds_from", "string", "What told a Cell's soma, dendrite and axon apart: groups, names or topology"),
            Property("group_names", "strings", "Names of a Cell's segment groups", "", "segmentGroup"),
            Property("group_segments", "strings", "Places in segment_ids of the segments of each group, such as 0-3,5", "", "segmentGroup"),
            Property("group_sections", "strings", "Indexes of the sections that each group touches, such as 0-3,5", "", "segmentGroup"),
            Property("inhomogeneous_parameters", "strings", "Measures of a Cell that its densities may vary with", "", "inhomogeneousParameter"),
            Property("offset_um", "floats", "What was subtracted from a Cell's coordinates to bring its root to the origin", "um"),
            *KINETICS,
        ),
    ),
    EdgeType("ABOUT", "The Model's metadata name this", (("Model", "Term"),)),
    EdgeType("HAS_POPULATION", "The network contains it", (("Network", "Population"),), per_dst="1"),
    EdgeType("HAS_NEURON", "The population contains it", (("Population", "Neuron"),), per_dst="1"),
    EdgeType(
        "INSTANCE_OF", "The neuron is a copy of the cell", (("Neuron", "Cell"),), per_src="1",
    ),
    EdgeType("HAS_COMPARTMENT", "The section belongs to the cell", (("Cell", "Compartment"),), per_dst="1"),
    EdgeType("CHILD_OF", "The section starts on its parent", (("Compartment", "Compartment"),), per_src="0..1",
             properties=(Property("fraction_along", "float", "Where on the parent section, 0 to 1", "", "fractionAlong"),)),
    EdgeType(
        "HAS_MECHANISM", "The mechanism is in the section, or makes the point cell",
        (("Compartment", "Mechanism"), ("Cell", "Mechanism")),
        properties=(
            UID,
            Property("density_class", "string", "NeuroML class of the density", "", "channelDensity"),
            Property("segments", "integers", "Places of the segments that carry it, where not the whole section does"),
            Property("gbar_S_per_cm2", "float", "Density of maximal conductance, area-weighted", "S_per_cm2", "condDensity"),
            Property("erev_mV", "float", "Reversal potential", "mV", "erev"),
            Property("permeability_cm_per_s", "float", "Permeability", "cm_per_s", "permeability"),
            Property("n_channels", "float", "Number of channels in the section", "", "number"),
            Property("v_shift_mV", "float", "Shift of the voltage dependence", "mV", "vShift"),
            Property("ion", "string", "Ion of the density", "", "ion"),
            Property("c_init_mM", "float", "Initial internal concentration", "mM", "initialConcentration"),
            Property("c_ext_mM", "float", "Initial external concentration", "mM", "initialExtConcentration"),
            Property("variable_parameter", "string", "How the density varies over the cell, as written", "", "variableParameter"),
            Property("segment_gbar_S_per_cm2", "floats", "Per segment of the section, where it varies", "S_per_cm2", "condDensity"),
            Property("parameter_names", "strings", "Names of its range quantities here", "", "RANGE"),
            Property("parameter_values", "floats", "Their area-weighted means in the units of the mechanism, in the same order"),
            Property("varying_names", "strings", "Those that vary within the section", "", "RANGE"),
            Property("segment_values", "floats", "Their values per segment of the section, name after name"),
        ),
    ),
    EdgeType("SENDS", "The presynaptic neuron of the connection", (("Neuron", "Synapse"),), per_dst="1"),
    EdgeType("TARGETS", "The postsynaptic neuron of the connection", (("Synapse", "Neuron"),), per_src="1"),
    EdgeType("LEAVES_FROM", "The presynaptic section", (("Synapse", "Compartment"),), per_src="0..1", properties=(FRACTION, SEGMENT)),
    EdgeType("ARRIVES_AT", "The postsynaptic section", (("Synapse", "Compartment"),), per_src="0..1", properties=(FRACTION, SEGMENT)),
    EdgeType("OF_TYPE", "The model of the synapse", (("Synapse", "SynapseType"),),
             properties=(Property("side", "string", "pre, post or both", required=True),)),
    EdgeType("STIMULATES", "The neuron that the input reaches", (("Stimulus", "Neuron"),),
             properties=(Property("compartment", "integer", "Index of the section"), FRACTION, SEGMENT)),
    EdgeType("MEASURED_AS", "What was measured of it", (("Neuron", "Activity"), ("Cell", "Activity"), ("Network", "Activity"))),
    EdgeType("CONNECTS_TO", "Derived: the neurons are joined by synapses of this kind", (("Neuron", "Neuron"),),
             properties=(
                 UID,
                 Property("kind", "string", "chemical, electrical or continuous", required=True),
                 Property("n_synapses", "integer", "Synapses; a gap junction listed from both sides counts once", required=True),
                 Property("weight", "float", "Sum of their weights", "", "weight"),
             )),
    EdgeType("SIMILAR_TO", "Near copies", (("Mechanism", "Mechanism"),),
             properties=(Property("similarity", "float", "Share of statements in common", required=True),)),
    EdgeType("ATTENDS_TO", "Learned: the neuron attends to the other more than to most", (("Neuron", "Neuron"),),
             properties=(UID, Property("run", "string", "The AttentionRun's uid", required=True))),
    EdgeType("ANNOTATES", "The run wrote its scores on the model", (("AttentionRun", "Model"),)),
)  # fmt: skip
