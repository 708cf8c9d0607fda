"""Mechanisms of NEURON models, written by hand: who shares, changes and places which channel.

Models ``1001`` and ``1002`` were executed and share the cell ``ca1``; of ``1003`` and ``1004`` only
the files were read. Model ``0999`` is superseded: nothing of it may be seen.
"""

from __future__ import annotations

from typing import Any

from hand_graph import Graph, Row

NAN = float("nan")

TERMS = {
    "1001": [("region", "Hippocampus"), ("species", "Mouse"), ("current", "I h")],
    "1002": [("region", "Hippocampus"), ("region", "Neocortex"), ("species", "Rat")],
    "1003": [("region", "Neocortex"), ("species", "Mouse"), ("current", "I h")],
    "1004": [("region", "Hippocampus")],
    "0999": [("region", "Hippocampus"), ("current", "I h")],
}
MISSING = {"1002": ["RxD", "2 pointers unresolved"]}
# model: {mechanism or synapse type: the ids that its files give it}
DEFINED: dict[str, dict[str, list[str]]] = {
    "1001": {"na": ["na"], "hd": ["hd"], "hcn": ["HCN4"], "leak": ["leak", "Leak"],
             "vec": ["vecevent"], "syn": ["AMPA"]},
    "1002": {"na": ["naf"], "nax": ["nax"], "cold": ["na"], "hd": ["Ih"], "kir": ["kir"],
             "leak": ["pas2"], "stp": ["stp"]},
    "1003": {"na": ["na", "Na"], "other": ["NA"], "cat": ["cat"]},
    "1004": {"cold": ["na"], "mixed": ["iqq"], "leak": ["leak"]},
    "0999": {"old": ["na"], "hd": ["h"]},
}  # fmt: skip
PARAMETERS: dict[str, dict[str, float]] = {
    "na": {"gbar": 0.12, "shift": 0.0, "tha": -35.0},
    "nax": {"gbar": 0.12, "shift": -5.0, "tha": -35.0},
    "cold": {"gbar": 0.1, "q10": 3.0, "tha": -35.0},
    "other": {"gmax": 0.001},
}
STATEMENTS = {
    "na": range(0, 20), "nax": range(1, 21), "cold": range(0, 17), "other": range(90, 95),
    "old": range(0, 19),
}  # fmt: skip
SIMILAR = {("na", "nax"): 19 / 21, ("cold", "na"): 17 / 20, ("na", "old"): 19 / 20,
           ("cold", "nax"): 16 / 21}  # fmt: skip
# mechanism: gate: (half, slope, exponent, longest time constant, where)
GATES: dict[str, dict[str, tuple[float, float, int, float, float]]] = {
    "na": {"h": (-62.0, -7.0, 1, 8.0, -60.0), "m": (-40.0, 7.0, 3, 0.5, -38.0)},
    "nax": {"h": (-67.0, -7.5, 1, 8.5, -65.0), "m": (-45.0, 6.0, 3, NAN, NAN)},
    "cold": {"h": (NAN, NAN, 0, 20.0, -58.0), "m": (-38.0, 7.5, 3, 1.5, -36.0)},
    "other": {"n": (-20.0, 9.0, 4, 5.0, -25.0)},
    "hd": {"l": (-82.0, -8.0, 1, 120.0, -75.0)},
    "hcn": {"o": (NAN, NAN, 1, NAN, NAN)},
    "kir": {"n": (-90.0, -10.0, 1, NAN, NAN)},
    "cat": {"h": (-80.0, -6.0, 1, 30.0, -75.0), "m": (-61.0, 5.0, 2, 3.0, -60.0)},
    "mixed": {"fast": (-75.0, -9.0, 1, 40.0, -70.0), "slow": (-91.0, -9.5, 1, 400.0, -85.0)},
    "old": {"m": (-10.0, 1.0, 3, 1.0, -10.0)},
}
IONS = {"na": ["na"], "nax": ["na"], "cold": ["na"], "other": ["k"], "kir": ["k"],
        "cat": ["ca", "k"], "mixed": ["k", "na"], "old": ["na"]}  # fmt: skip
TEMPERATURES = {"na": 24.0, "nax": 35.0, "cold": 6.3, "hd": 34.0, "mixed": 34.0, "other": 23.0}
# cell: its models, and its sections: (kind, area, path to the middle)
CELLS = {
    "ca1": (["1001", "1002", "0999"], [("soma", 1000.0, 0.0), ("dendrite", 100.0, 50.0),
            ("dendrite", 300.0, 150.0), ("dendrite", 200.0, 350.0), ("axon", 80.0, 60.0)]),
    "int": (["1002"], [("soma", 400.0, 5.0), ("dendrite", 100.0, 30.0)]),
    "vec": (["1001"], []),
}  # fmt: skip
# cell, section (absent for a point cell), mechanism, density, reversal potential
PLACED: list[tuple[str, int | None, str, float | None, float | None]] = [
    ("ca1", 0, "na", 0.1, 50.0), ("ca1", 1, "na", 0.02, 50.0), ("ca1", 2, "na", 0.02, 50.0),
    ("ca1", 3, "na", 0.01, 50.0), ("ca1", 4, "na", 0.5, 60.0),
    ("ca1", 0, "hd", 1e-5, -30.0), ("ca1", 1, "hd", 2e-5, -30.0), ("ca1", 2, "hd", 4e-5, -30.0),
    ("ca1", 3, "hd", 6e-5, -30.0), ("ca1", 3, "hd", 3e-5, -20.0),
    ("ca1", 0, "leak", 1e-4, -70.0), ("ca1", 1, "leak", 2e-4, -70.0),
    ("int", 0, "na", 0.2, 55.0), ("int", 0, "nax", 0.05, 55.0), ("int", 0, "cold", 0.3, 50.0),
    ("int", 0, "leak", 3e-4, -65.0),
    ("int", 1, "kir", 1e-3, -90.0), ("int", 1, "hd", None, -40.0),
    ("vec", None, "vec", None, None),
]  # fmt: skip
# model: network: properties, and its populations: (cell, neurons)
NETWORKS: dict[str, dict[str, tuple[Row, list[tuple[str, int]]]]] = {
    "1001": {"init": ({"entry": "init.hoc", "commands": ["run_a()"], "fallbacks": ["stubs"],
                       "stub_mechanisms": True, "temperature_degC": 34.0, "v_init_mV": -65.0},
                      [("ca1", 2), ("vec", 1)])},
    "1002": {"b": ({"entry": "b.hoc"}, [("int", 1)]),
             "a": ({"entry": "a.hoc"}, [("ca1", 1), ("int", 2)])},
    "1003": {"left": ({}, [])},
    "0999": {"init": ({"entry": "init.hoc"}, [("ca1", 7)])},
}  # fmt: skip
# model, network, synapse type, sender, receiver: (population's cell, index)
SYNAPSES = [
    ("1001", "init", "syn", ("vec", 0), ("ca1", 0)),
    ("1001", "init", "syn", ("vec", 0), ("ca1", 1)),
    ("1002", "a", "stp", ("int", 1), ("ca1", 0)),
]
STIMULATED = ("1002", "a", ("int", 0))


def build_channel_graph() -> Graph:
    graph = Graph("channel graph")
    _add_mechanisms(graph)
    _add_synapse_types(graph)
    for model in DEFINED:
        _add_model(graph, model)
    _add_cells(graph)
    for model, networks in NETWORKS.items():
        for name, (properties, populations) in networks.items():
            _add_network(graph, model, name, properties, populations)
    _connect(graph)
    return graph


def label_of(name: str) -> str:
    return "SynapseType" if name in ("syn", "stp") else "Mechanism"


def names_of(mechanism: str, *, current: bool = True) -> list[str]:
    """All ids that models give it, sorted; the first is its name, if old models count too."""
    models = [model for model in DEFINED if model != "0999" or not current]
    return sorted({id_ for model in models for id_ in DEFINED[model].get(mechanism, [])})


def holders(mechanism: str) -> list[str]:
    """Keys of the current models that define it."""
    return [model for model in sorted(DEFINED) if mechanism in DEFINED[model] and model != "0999"]


def _add_mechanisms(graph: Graph) -> None:
    for name in {m: None for defined in DEFINED.values() for m in defined}:
        if label_of(name) != "Mechanism":
            continue
        gates = GATES.get(name, {})
        columns: list[Any] = [list(column) for column in zip(*gates.values(), strict=True)]
        v_half, slope, exponent, tau, tau_at = columns or [None] * 5
        ions = IONS.get(name)
        parameters = PARAMETERS.get(name)
        graph.node(
            "Mechanism", f"M-{name}", name=names_of(name, current=False)[0],
            kind="point" if name == "vec" else "channel",
            mechanism_class="ARTIFICIAL_CELL" if name == "vec" else "SUFFIX",
            ion=ions[0] if ions and len(ions) == 1 else None, ions_written=ions, ions_read=ions,
            is_conductance_based=name != "vec", has_verbatim=name in ("vec", "cat"),
            gate_names=list(gates) or None, gate_instances=exponent, gate_v_half_mV=v_half,
            gate_slope_mV=slope, gate_tau_max_ms=tau, gate_tau_max_at_mV=tau_at,
            state_names=list(gates) or None, kinetics_temperature_degC=TEMPERATURES.get(name),
            kinetics_note="no half way" if name == "hcn" else None,
            statement_hashes=list(STATEMENTS.get(name, ())) or None,
            parameter_names=list(parameters) if parameters else None,
            parameter_values=list(parameters.values()) if parameters else None,
            parameter_units=["S_per_cm2" if p[0] == "g" else "mV" for p in parameters]
            if parameters else None,
        )  # fmt: skip
    for (one, other), similarity in SIMILAR.items():
        graph.edge("SIMILAR_TO", ("Mechanism", f"M-{one}"), ("Mechanism", f"M-{other}"),
                   similarity=similarity)  # fmt: skip


def _add_synapse_types(graph: Graph) -> None:
    graph.node("SynapseType", "M-syn", name="AMPA", synapse_class="POINT_PROCESS", sign=1)
    graph.node("SynapseType", "M-stp", name="stp", synapse_class="POINT_PROCESS", sign=-1,
               short_term_plasticity="depression", has_verbatim=True, pointer_names=["donor"],
               state_names=["A", "B"])  # fmt: skip


def _add_model(graph: Graph, key: str) -> None:
    graph.node(
        "Model", key, key=key, accession=key, version=f"{key}-0123456789abcdef", format="neuron",
        status="superseded" if key == "0999" else "current",
        tier="executed" if key < "1003" else "static", known_missing=MISSING.get(key),
    )  # fmt: skip
    for kind, name in TERMS[key]:
        term = graph.node("Term", f"{kind}/{name}", kind=kind, name=name)
        graph.edge("ABOUT", ("Model", key), ("Term", term))
    for name, ids in DEFINED[key].items():
        for number, id_ in enumerate(ids):
            graph.edge("DEFINES", ("Model", key), (label_of(name), f"M-{name}"),
                       uid=f"{key}>{name}{number}", path=f"{number}/{id_}.mod", id=id_)  # fmt: skip


def _add_cells(graph: Graph) -> None:
    for name, (models, sections) in CELLS.items():
        cell = graph.node("Cell", f"C-{name}", name=name, cell_class="cell",
                          is_point=not sections, n_segments=3 * len(sections) or None,
                          n_compartments=len(sections) or None)  # fmt: skip
        for model in models:
            for number in range(2):  # two templates with one content
                graph.edge("DEFINES", ("Model", model), ("Cell", cell), id=name,
                           uid=f"{model}>{name}{number}", path=f"{name}{number}")  # fmt: skip
        for index, (kind, area, path) in enumerate(sections):
            section = graph.node("Compartment", f"{cell}/{index}", kind=kind, index=index,
                                 n_segments=3, area_um2=area, path_distance_um=path)  # fmt: skip
            graph.edge("HAS_COMPARTMENT", ("Cell", cell), ("Compartment", section))
    for number, (name, at, mechanism, gbar, erev) in enumerate(PLACED):
        place = ("Cell", f"C-{name}") if at is None else ("Compartment", f"C-{name}/{at}")
        graph.edge("HAS_MECHANISM", place, ("Mechanism", f"M-{mechanism}"),
                   uid=f"placed{number}", gbar_S_per_cm2=gbar, erev_mV=erev)  # fmt: skip


def _add_network(
    graph: Graph, model: str, name: str, properties: Row, populations: list[tuple[str, int]]
) -> None:
    network = graph.node("Network", f"{model}/{name}", model_uid=model, name=name, path=name,
                         implicit=False, **properties)  # fmt: skip
    graph.edge("DEFINES", ("Model", model), ("Network", network), uid=f"{model}>{name}", path=name)
    for cell, size in populations:
        population = graph.node("Population", f"{network}/{cell}", model_uid=model, name=cell,
                                path=f"{name}/{cell}", size=size)  # fmt: skip
        graph.edge("HAS_POPULATION", ("Network", network), ("Population", population))
        for index in range(size):
            neuron = graph.node("Neuron", f"{population}/{index}", model_uid=model,
                                name=f"{cell}[{index}]", index=index, implicit=False)  # fmt: skip
            graph.edge("HAS_NEURON", ("Population", population), ("Neuron", neuron))
            graph.edge("INSTANCE_OF", ("Neuron", neuron), ("Cell", f"C-{cell}"))


def _connect(graph: Graph) -> None:
    for index, (model, network, type_, pre, post) in enumerate(SYNAPSES):
        synapse = graph.node("Synapse", f"{model}/s{index}", model_uid=model, kind="chemical",
                             index=index)  # fmt: skip
        sender, receiver = (f"{model}/{network}/{cell}/{i}" for cell, i in (pre, post))
        graph.edge("SENDS", ("Neuron", sender), ("Synapse", synapse))
        graph.edge("TARGETS", ("Synapse", synapse), ("Neuron", receiver))
        graph.edge("OF_TYPE", ("Synapse", synapse), ("SynapseType", f"M-{type_}"), side="both")
    model, network, (cell, i) = STIMULATED
    stimulus = graph.node("Stimulus", f"{model}/IClamp", model_uid=model, name="IClamp",
                          path="IClamp", stimulus_class="IClamp")  # fmt: skip
    graph.edge("STIMULATES", ("Stimulus", stimulus), ("Neuron", f"{model}/{network}/{cell}/{i}"))
