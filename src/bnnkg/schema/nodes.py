"""The node types of the graph."""

from __future__ import annotations

from bnnkg.schema.declaration import NodeType, Property

UID = Property("uid", "string", "Identity of the node; see the type's note", required=True)
MODEL_UID = Property("model_uid", "string", "uid of the Model that owns it", required=True)
NAME = Property(
    "name", "string", "Name to show: for shared nodes the smallest of their ids", term="id"
)
PATH = Property("path", "string", "Path of the element, relative to the source", required=True)
PARAMETERS = (
    Property(
        "parameter_names", "strings", "Names of its parameters, dotted by element", term="parameter"
    ),
    Property("parameter_values", "floats", "Their values in canonical units, in the same order"),
    Property("parameter_units", "strings", "Their canonical units, in the same order"),
)
PARTS = (
    Property("part_names", "strings", "Elements within it, dotted as the parameters are"),
    Property("part_classes", "strings", "Their NeuroML classes, in the same order"),
)
EXPRESSIONS = (
    Property(
        "expression_names",
        "strings",
        "Attributes that hold text rather than a quantity, and formulas of the source's own types, "
        "dotted",
    ),
    Property("expression_texts", "strings", "That text, in the same order"),
    Property(
        "state_names",
        "strings",
        "Its state variables, as NMODL or the source's own type declares them",
        "",
        "StateVariable",
    ),
    Property(
        "exposure_names", "strings", "What the source's own type of it exposes", "", "Exposure"
    ),
)
NMODL = (
    Property(
        "range_names", "strings", "Quantities that may differ from segment to segment", "", "RANGE"
    ),
    Property("global_names", "strings", "Quantities that all its instances share", "", "GLOBAL"),
    Property("pointer_names", "strings", "Quantities that it reads from elsewhere", "", "POINTER"),
    Property("ions_read", "strings", "Ions whose state it reads", "", "USEION"),
    Property(
        "ions_written", "strings", "Ions whose current or concentration it sets", "", "USEION"
    ),
    Property(
        "is_conductance_based",
        "boolean",
        "Whether its current is a conductance times a driving force",
    ),
    Property("has_verbatim", "boolean", "Whether it contains code in C", "", "VERBATIM"),
    Property("statement_hashes", "integers", "A hash of each of its normalised statements, sorted"),
)
KINETICS = (
    Property(
        "gate_v_half_mV",
        "floats",
        "Per gate: where its steady state is half way; not a number where it has none",
        "mV",
    ),
    Property(
        "gate_slope_mV",
        "floats",
        "Per gate: Boltzmann slope there, positive where it opens on depolarisation",
        "mV",
    ),
    Property("gate_tau_max_ms", "floats", "Per gate: the longest time constant", "ms"),
    Property("gate_tau_max_at_mV", "floats", "Per gate: where that is", "mV"),
    Property(
        "gate_steady_states",
        "floats",
        "Per gate: steady state at -120 to 60 mV by 5 mV, gate after gate",
    ),
    Property(
        "gate_taus_ms",
        "floats",
        "Per gate: time constant at -120 to 60 mV by 5 mV, gate after gate",
        "ms",
    ),
    Property(
        "kinetics_temperature_degC",
        "float",
        "Temperature of these numbers: the one that the rates name; on DEFINES that of the networks, "
        "where it is another",
        "degC",
        "celsius",
    ),
    Property("kinetics_note", "string", "Why some of these numbers are absent"),
)
SAID = (
    Property("notes", "string", "Notes of the author, those of parts after their names", "", "notes"),
    Property("property_names", "strings", "Tags of its property elements, those of parts after their names", "", "property"),
    Property("property_values", "strings", "Their values, in the same order", "", "property"),
    Property("annotation_qualifiers", "strings", "How each annotation is meant, such as bqbiol:isVersionOf or neuroLexId", "", "annotation"),
    Property("annotation_values", "strings", "What each names: an address, an identifier or a text", "", "annotation"),
)  # fmt: skip
RECEIVER = Property(
    "receiver", "string", "Point process of NEURON that it acts by; those of one share its state"
)
LEASE = (
    Property("lease_owner", "string", "Process that writes it: host, process and start time"),
    Property(
        "lease_until_ms",
        "integer",
        "When that process's claim ends unless renewed",
        unit="ms since 1970",
    ),
)


def _morphometrics(kind: str) -> tuple[Property, ...]:
    """Measures of a cell's sections of one kind, as NeuroM defines them."""
    size = (
        Property(f"{kind}_length_um", "float", f"Length of all {kind} sections", "um"),
        Property(
            f"{kind}_area_um2", "float", f"Lateral membrane area of all {kind} sections", "um2"
        ),
        Property(f"{kind}_volume_um3", "float", f"Volume of all {kind} sections", "um3"),
    )
    if kind == "soma":
        return size
    return (
        *size,
        Property(f"n_{kind}_stems", "integer", f"Sections of this kind, {kind}, that no other of it precedes"),
        Property(f"n_{kind}_tips", "integer", f"Sections of this kind, {kind}, that no other of it follows"),
        Property(f"{kind}_max_path_distance_um", "float", f"Longest path from the root to the far end of a section of {kind}", "um"),
        Property(f"{kind}_max_euclidean_distance_um", "float", f"Longest straight distance from the root to the far end of a section of {kind}", "um"),
        Property(f"{kind}_max_branch_order", "integer", f"Most branch points between the root and a section of {kind}"),
        Property(f"{kind}_tortuosity", "float", f"Mean over {kind} sections of length over straight distance between their ends"),
        Property(f"{kind}_asymmetry", "float", f"Mean partition asymmetry of {kind} bifurcations: |r - s| / (r + s - 2) for the tips r and s of both sides"),
    )  # fmt: skip


STORE = NodeType(
    "Store",
    "The database itself: one node",
    "the word store",
    "store",
    (
        UID,
        Property("store_id", "string", "Identity that a catalogue refers to", required=True),
        Property("schema_version", "integer", "Version of this declaration", required=True),
        Property(
            "lock", "integer", "Set by writers of shared nodes, so that one waits for the other"
        ),
    ),
)
MODEL = NodeType(
    "Model", "One source of models: a file, folder, archive or accession", "12 hex digits of key@version", "store",
    (
        UID,
        Property("key", "string", "Accession, given name, or name of the source", required=True),
        Property("version", "string", "Hash of the source's content", required=True),
        Property("status", "string", "loading, current or superseded", required=True),
        Property("tier", "string", "static (read) or executed (run)", required=True),
        Property("format", "string", "neuroml2, lems, both of these, neuron, or mixed: neuron beside another", required=True),
        Property("source", "string", "Where it was read from"),
        Property("accession", "string", "Accession in ModelDB"),
        Property("licence", "string", "Licence of the source"),
        Property("doi", "string", "DOI of the publication"),
        Property("n_files", "integer", "Files that gave it something"),
        Property("title", "string", "Title in ModelDB"),
        Property("citation", "string", "Publication that describes it"),
        Property("release", "string", "Version that its publisher gives it"),
        Property("archive_sha256", "string", "Hash of the archive that it was read from"),
        Property("readme", "string", "Its README, without addresses"),
        Property("run_hints", "strings", "Ways to run its NEURON code, best first: file, statements, and what speaks for it"),
        Property("kept_elements", "strings", "Elements outside its definitions that the graph has no place for: file, class, number"),
        Property("known_missing", "strings", "What the source has and the graph is known to lack"),
        *SAID, *LEASE,
    ),
    indexed=("key",),
)  # fmt: skip
TERM = NodeType(
    "Term", "A word of the field: species, region, cell type, current, ontology id", "kind and name", "shared",
    (UID, Property("kind", "string", "Which list, ontology or registry the word is from: region, celltype, go, pubmed, taxonomy ...", required=True),
     Property("name", "string", "The word", required=True),
     Property("modeldb_id", "string", "Its id in ModelDB"),
     Property("ontology_id", "string", "Its id in an ontology or registry, such as GO:0043025", "", "neuroLexId")),
    indexed=("name",),
)  # fmt: skip
NETWORK = NodeType(
    "Network", "A network as a file gives it", "Model and path", "model",
    (
        UID, MODEL_UID, NAME, PATH,
        Property("temperature_degC", "float", "Temperature of the network", "degC", "temperature"),
        Property("implicit", "boolean", "Made for cells of a source without any network", required=True),
        Property("entry", "string", "File that was run, where the network is a configuration of NEURON code"),
        Property("commands", "strings", "Statements that were run after it"),
        Property("fallbacks", "strings", "What it took to make it load"),
        Property("stub_mechanisms", "boolean", "Whether its mechanisms stood in as declarations only"),
        Property("v_init_mV", "float", "Potential at the start", "mV", "v_init"),
        Property("simulation_names", "strings", "Simulations of LEMS documents that run it", "", "Simulation"),
        Property("simulation_lengths_ms", "floats", "How long each runs it, in the same order", "ms", "length"),
        Property("simulation_steps_ms", "floats", "Time steps of each", "ms", "step"),
        *PARAMETERS, *EXPRESSIONS, *PARTS,
    ),
    indexed=("model_uid",),
)  # fmt: skip
POPULATION = NodeType(
    "Population", "A group of neurons of one cell", "Model and path", "model",
    (
        UID, MODEL_UID, NAME, PATH,
        Property("size", "integer", "How many neurons it has", "", "size", required=True),
        Property("property_names", "strings", "Tags of its property elements", "", "property"),
        Property("property_values", "strings", "Their values, in the same order", "", "property"),
        Property("layout", "string", "How its neurons are laid out, where it lists none: grid, random or unstructured", "", "layout"),
        Property("space", "string", "Space of that layout", "", "space"),
        Property("region", "string", "Region of that layout", "", "region"),
    ),
    indexed=("model_uid", "name"),
)  # fmt: skip
CELL = NodeType(
    "Cell", "A cell definition, of many compartments or a point", "content", "shared",
    (
        UID, NAME,
        Property("cell_class", "string", "NeuroML class, such as cell or izhikevichCell", required=True),
        Property("is_point", "boolean", "Whether it has no morphology", required=True),
        Property("n_segments", "integer", "Segments of its morphology", "", "segment"),
        Property("n_compartments", "integer", "Unbranched sections of its morphology"),
        Property("n_branch_points", "integer", "Sections with two children or more"),
        Property("n_tips", "integer", "Sections without children"),
        Property("length_um", "float", "Length of all sections", "um"),
        Property("area_um2", "float", "Lateral membrane area of all sections", "um2"),
        Property("volume_um3", "float", "Volume of all sections", "um3"),
        Property("max_path_distance_um", "float", "Longest path from the root to a tip", "um"),
        *_morphometrics("soma"), *_morphometrics("dendrite"), *_morphometrics("axon"),
        Property("v_init_mV", "float", "Potential at the start", "mV", "initMembPotential"),
        Property("v_threshold_mV", "float", "Potential that counts as a spike", "mV", "spikeThresh"),
    ),
    indexed=("name", "cell_class"),
)  # fmt: skip
COMPARTMENT = NodeType(
    "Compartment", "An unbranched section of a Cell", "Cell and place of the section", "shared",
    (
        UID,
        Property("kind", "string", "soma, dendrite, axon or other", required=True),
        Property("index", "integer", "Place in the Cell, parents first", required=True),
        Property("n_segments", "integer", "Segments in it", "", "segment", required=True),
        Property("length_um", "float", "Length along its segments", "um", derived_from=("segment_points_um",)),
        Property("diameter_um", "float", "Mean diameter, weighted by length", "um", "diameter", ("segment_points_um",)),
        Property("area_um2", "float", "Lateral membrane area", "um2", derived_from=("length_um", "diameter_um")),
        Property("volume_um3", "float", "Volume", "um3", derived_from=("length_um", "diameter_um")),
        Property("path_distance_um", "float", "Path from the root to its middle", "um"),
        Property("euclidean_distance_um", "float", "Straight distance from the root to its far end", "um", derived_from=("segment_points_um",)),
        Property("branch_order", "integer", "Branch points between the root and it; the soma is none"),
        Property("tortuosity", "float", "Length over straight distance between both ends", "", derived_from=("length_um", "segment_points_um")),
        Property("asymmetry", "float", "Where it ends in two of its kind: |r - s| / (r + s - 2) for the tips r and s of both sides"),
        Property("cm_uF_per_cm2", "float", "Specific capacitance, area-weighted", "uF_per_cm2", "specificCapacitance"),
        Property("ra_ohm_cm", "float", "Axial resistivity, area-weighted", "ohm_cm", "resistivity"),
        Property("segment_points_um", "floats", "Per segment: proximal x, y, z, diameter, then distal", "um", "segment"),
        Property("points_um", "floats", "3-D points as the author gave them: x, y, z, diameter", "um", "pt3dadd"),
        Property("segment_parents", "integers", "Per segment: place of its parent among the Cell's, -1 for the root"),
        Property("segment_fractions", "floats", "Per segment: where on its parent it starts", "", "fractionAlong"),
        Property("segment_cm_uF_per_cm2", "floats", "Per segment, where it varies; not a number where none is given", "uF_per_cm2", "specificCapacitance"),
        Property("segment_ra_ohm_cm", "floats", "Per segment, where it varies; not a number where none is given", "ohm_cm", "resistivity"),
    ),
)  # fmt: skip
MECHANISM = NodeType(
    "Mechanism", "An ion channel, concentration model or point dynamics", "content", "shared",
    (
        UID, NAME,
        Property("mechanism_class", "string", "NeuroML class, SUFFIX, POINT_PROCESS, ARTIFICIAL_CELL, or unresolved", required=True),
        Property("kind", "string", "channel, concentration, point, other or unresolved", required=True),
        Property("base_class", "string", "What a custom component type extends", "", "extends"),
        Property("ion", "string", "Ion that it carries or counts", "", "species"),
        Property("is_passive", "boolean", "A channel without gates"),
        Property("conductance_pS", "float", "Conductance of one channel", "pS", "conductance"),
        Property("gate_names", "strings", "Its gates", "", "gate"),
        Property("gate_instances", "integers", "Their exponents, in the same order", "", "instances"),
        *KINETICS, *PARAMETERS, *EXPRESSIONS, *NMODL, *PARTS,
    ),
    indexed=("name", "ion"),
)  # fmt: skip
SYNAPSE_TYPE = NodeType(
    "SynapseType", "A model of a synapse", "content", "shared",
    (
        UID, NAME,
        Property("synapse_class", "string", "NeuroML class, POINT_PROCESS, or unresolved", required=True),
        Property("base_class", "string", "What a custom component type extends", "", "extends"),
        Property("gbase_nS", "float", "Maximal conductance", "nS", "gbase"),
        Property("erev_mV", "float", "Reversal potential", "mV", "erev"),
        Property("tau_rise_ms", "float", "Rise time constant", "ms", "tauRise"),
        Property("tau_decay_ms", "float", "Decay time constant", "ms", "tauDecay"),
        Property("time_to_peak_ms", "float", "Time from the arrival of a spike to the greatest conductance", "ms", "", ("tau_rise_ms", "tau_decay_ms")),
        Property("sign", "integer", "1 excites, -1 inhibits, by reversal against -55 mV", "", derived_from=("erev_mV",)),
        Property("short_term_plasticity", "string", "Class of its plasticity mechanism", "", "plasticityMechanism"),
        Property("block", "string", "Class of its block mechanism", "", "blockMechanism"),
        *PARAMETERS, *EXPRESSIONS, *NMODL, *PARTS,
    ),
    indexed=("name",),
)  # fmt: skip
NEURON = NodeType(
    "Neuron", "An instance of a Cell in a Population", "Population and the file's instance id", "model",
    (
        UID, MODEL_UID, NAME,
        Property("index", "integer", "Zero-based place in its Population", required=True),
        Property("instance_id", "string", "Id in the file; the index where only a size is given", "", "instance"),
        Property("x_um", "float", "Position of the root of its morphology", "um", "location"),
        Property("y_um", "float", "Position of the root of its morphology", "um", "location"),
        Property("z_um", "float", "Position of the root of its morphology", "um", "location"),
        Property("implicit", "boolean", "Made because the source has no network", required=True),
    ),
    indexed=("model_uid", "name"),
)  # fmt: skip
SYNAPSE = NodeType(
    "Synapse", "One connection", "projection and zero-based place in the file", "model",
    (
        UID, MODEL_UID,
        Property("kind", "string", "chemical, electrical or continuous", required=True),
        Property("projection", "string", "Id of its projection", "", "projection"),
        Property("index", "integer", "Zero-based place in its projection", required=True),
        Property("weight", "float", "Factor on its strength", "", "weight", default=1.0),
        Property("delay_ms", "float", "Time from spike to response", "ms", "delay", default=0.0),
        Property("threshold_mV", "float", "Potential at which the presynaptic site sends", "mV", "threshold"),
        Property("mirrored", "boolean", "A gap junction that the file also lists from the other side"),
        RECEIVER,
    ),
    indexed=("model_uid", "kind"),
)  # fmt: skip
STIMULUS = NodeType(
    "Stimulus", "An input and its target", "Network and path", "model",
    (
        UID, MODEL_UID, NAME, PATH,
        Property("stimulus_class", "string", "NeuroML class, or unresolved", required=True),
        Property("amplitude_pA", "float", "Current of a pulse, step or ramp", "pA", "amplitude"),
        Property("delay_ms", "float", "When it starts", "ms", "delay"),
        Property("duration_ms", "float", "How long it lasts", "ms", "duration"),
        Property("weight", "float", "Factor on its strength", "", "weight", default=1.0),
        RECEIVER, *PARAMETERS, *EXPRESSIONS, *PARTS,
    ),
    indexed=("model_uid",),
)  # fmt: skip
ACTIVITY = NodeType(
    "Activity", "Measured behaviour of a simulated or recorded response",
    "subject, protocol, engine, time step and temperature", "model",
    (
        UID, MODEL_UID,
        Property("protocol", "string", "What was done to it", required=True),
        Property("engine", "string", "What computed it", required=True),
        Property("dt_ms", "float", "Time step", "ms"),
        Property("temperature_degC", "float", "Temperature", "degC"),
        Property("feature_names", "strings", "Names of the measured features"),
        Property("feature_values", "floats", "Their values, in the same order"),
    ),
    indexed=("model_uid",),
)  # fmt: skip
ATTENTION_RUN = NodeType(
    "AttentionRun", "One annotation of the graph by a trained network", "run and name", "store",
    (
        UID,
        Property("run", "string", "Run in the catalogue", required=True),
        Property("name", "string", "Name that ends its properties; empty for the unnamed run", required=True),
        Property("status", "string", "writing or current", required=True),
        Property("checkpoint_sha256", "string", "Hash of the checkpoint"),
        Property("config", "string", "Configuration of the run, as JSON"),
        Property("seeds", "integers", "Seeds whose scores were averaged"),
        Property("split", "string", "How held-out data were chosen"),
        Property("metric", "string", "What the held-out score measures"),
        Property("held_out", "float", "Held-out score, mean over seeds"),
        Property("held_out_sd", "float", "Its spread over seeds"),
        Property("chance", "float", "Upper 95% of the permutation null"),
        Property("passed", "boolean", "Whether the score is above chance"),
        Property("forced", "boolean", "Written although it is not"),
        Property("agreement", "float", "Rank correlation of the lift between seeds, mean over pairs"),
        Property("saw", "strings", "What the run had as inputs: no correlation with these is a finding"),
        Property("score_method", "string", "How attention_score was computed"),
        Property("schema_fingerprint", "string", "Hash of the declaration that the tensors came from"),
        *LEASE,
    ),
)  # fmt: skip

NODE_TYPES: tuple[NodeType, ...] = (
    STORE, MODEL, TERM, NETWORK, POPULATION, CELL, COMPARTMENT, MECHANISM, SYNAPSE_TYPE,
    NEURON, SYNAPSE, STIMULUS, ACTIVITY, ATTENTION_RUN,
)  # fmt: skip
