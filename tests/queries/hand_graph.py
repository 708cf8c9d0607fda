"""A graph written by hand: two current models that share a cell, and one that is still loading.

Model ``cortex``: three pyramidal cells of six sections, two point interneurons, chemical synapses
onto sections, gap junctions (one listed from both sides, one with itself).
Model ``copy`` (accession 4242): two of the same pyramidal cells, three point cells, no positions
for one of them. Model ``half`` is loading: nothing of it may be seen.

``Graph`` keeps plain rows, so that tests compute what they expect by loops over them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import neo4j

from bnnkg.schema import EdgeTable, GraphTables, NodeTable, validate
from bnnkg.schema.graph import constraint_statements

Row = dict[str, Any]
Ask = Callable[..., list[Row]]
"""Runs a query of the library on the store that holds the graph: name and parameters to rows."""


@dataclass(frozen=True)
class Server:
    """A server that holds the graph, for what a Store does not show: keys and plans."""

    driver: neo4j.Driver

    def run(
        self, cypher: str, parameters: Row | None = None
    ) -> tuple[list[str], list[list[Any]], neo4j.ResultSummary]:
        result = self.driver.execute_query(cypher, parameters or {}, routing_="r")  # type: ignore[arg-type]
        return result.keys, [record.values() for record in result.records], result.summary

    def knows_cypher_25(self) -> bool:
        _, [[version]], _ = self.run(
            "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' "
            "RETURN versions[0]"
        )
        return not str(version).startswith("5.")

    def holds(self, graph: Graph) -> bool:
        """Whether the graph is still there since an earlier module, and nothing else is."""
        _, [[n_nodes, marks]], _ = self.run(
            "RETURN COUNT { (n) } AS n_nodes, "
            "COLLECT { MATCH (m:Mark) RETURN [m.of, m.n_nodes] } AS marks"
        )
        return bool(marks == [[graph.title, n_nodes - 1]])

    def load(self, graph: Graph) -> None:
        """Loads it by itself, so that the store's own writing is not under test here."""
        self._write("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")
        for statement in constraint_statements():
            self._write(statement)
        for label, nodes in graph.nodes.items():
            rows = [graph.row(uid) for uid in nodes]
            self._write(f"UNWIND $rows AS row CREATE (n:{label}) SET n = row", rows=rows)
        for (type_, src, dst), edges in graph.by_key().items():
            self._write(
                f"UNWIND $rows AS row MATCH (a:{src} {{uid: row.a}}) "
                f"MATCH (b:{dst} {{uid: row.b}}) "
                f"CREATE (a)-[e:{type_}]->(b) SET e = row.properties",
                rows=[
                    {"a": e.src, "b": e.dst, "properties": {**e.properties, **e.learned}}
                    for e in edges
                ],
            )
        self._write(SUPERSEDED)
        self._write("CREATE (:Mark {of: $title, n_nodes: COUNT { (n) }})", title=graph.title)
        # Plans follow the statistics of the indexes, which are else renewed in the background.
        self._write("CALL db.awaitIndexes(60)")
        self._write("CALL db.prepareForReplanning(60)")

    def _write(self, cypher: str, **parameters: Any) -> None:
        with self.driver.session() as session:
            session.run(cypher, parameters).consume()  # type: ignore[arg-type]


SUPERSEDED = """
MATCH (type:SynapseType {uid: 'S-ampa'})
UNWIND range(1, 20) AS number
CREATE (m:Model {uid: 'old' + number, key: 'old' + number, status: 'superseded'})
WITH m, number, type
UNWIND range(1, 100) AS index
WITH m, type, number + '_' + index AS id
CREATE (m)-[:DEFINES]->(cell:Cell {uid: 'c' + id, name: 'cell' + id})
CREATE (cell)-[:HAS_COMPARTMENT]->(soma:Compartment {uid: 'c' + id + '/0', index: 0, kind: 'soma'})
CREATE (cell)-[:HAS_COMPARTMENT]->(axon:Compartment {uid: 'c' + id + '/1', index: 1, kind: 'axon'})
CREATE (axon)-[:CHILD_OF]->(soma)
CREATE (p:Population {uid: 'p' + id, model_uid: m.uid, name: 'pyr'})
CREATE (p)-[:HAS_NEURON]->(n:Neuron {uid: 'n' + id, model_uid: m.uid, name: 'neuron' + id})
CREATE (n)-[:INSTANCE_OF]->(cell)
CREATE (n)-[:SENDS]->(s:Synapse {uid: 's' + id, model_uid: m.uid, kind: 'chemical'})-[:TARGETS]->(n)
CREATE (s)-[:OF_TYPE {side: 'both'}]->(type)
CREATE (s)-[:ARRIVES_AT]->(soma)
CREATE (n)-[:CONNECTS_TO {uid: 'e' + id, kind: 'chemical', attention_lift: 1000.0}]->(n)
CREATE (n)-[:MEASURED_AS]->(:Activity {uid: 'a' + id, model_uid: m.uid})
"""
"""Twenty old models: nothing of them may be seen, and beside them a scan is dear, so that a plan
shows whether a query finds its way by an index."""


@dataclass(frozen=True)
class Edge:
    type: str
    src_label: str
    src: str
    dst_label: str
    dst: str
    properties: Row = field(default_factory=dict)
    learned: Row = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return {**self.properties, **self.learned}.get(name)


@dataclass
class Graph:
    title: str = "hand graph"
    nodes: dict[str, dict[str, Row]] = field(default_factory=dict)
    learned: dict[str, Row] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def node(self, label: str, uid: str, *, learned: Row | None = None, **properties: Any) -> str:
        self.nodes.setdefault(label, {})[uid] = {"uid": uid, **properties}
        if learned:
            self.learned[uid] = learned
        return uid

    def edge(
        self,
        type_: str,
        src: tuple[str, str],
        dst: tuple[str, str],
        *,
        learned: Row | None = None,
        **properties: Any,
    ) -> None:
        self.edges.append(Edge(type_, *src, *dst, properties, learned or {}))

    def of(self, type_: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.type == type_]

    def row(self, uid: str) -> Row:
        """Every property of a node, the learned ones included."""
        found = next(rows[uid] for rows in self.nodes.values() if uid in rows)
        return {**found, **self.learned.get(uid, {})}

    def name(self, uid: str) -> str:
        return str(self.row(uid)["name"])

    def current(self) -> dict[str, str]:
        """Keys of the current models by uid."""
        return {uid: m["key"] for uid, m in self.nodes["Model"].items() if m["status"] == "current"}

    def neurons(self) -> list[Row]:
        return [n for n in self.nodes["Neuron"].values() if n["model_uid"] in self.current()]

    def connections(self) -> list[Edge]:
        ours = {neuron["uid"] for neuron in self.neurons()}
        return [edge for edge in self.of("CONNECTS_TO") if edge.src in ours]

    def by_key(self) -> dict[tuple[str, str, str], list[Edge]]:
        groups: dict[tuple[str, str, str], list[Edge]] = {}
        for edge in self.edges:
            groups.setdefault((edge.type, edge.src_label, edge.dst_label), []).append(edge)
        return groups

    def tables(self) -> GraphTables:
        """The declared part, as the store takes it; validated."""
        nodes = [
            NodeTable(label, _columns(list(rows.values()))) for label, rows in self.nodes.items()
        ]
        edges = [
            EdgeTable(
                *key,
                [edge.src for edge in group],
                [edge.dst for edge in group],
                _columns([edge.properties for edge in group]),
            )
            for key, group in self.by_key().items()
        ]
        tables = GraphTables.of(nodes, edges)
        validate(tables)
        return tables


def _columns(rows: list[Row]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


# index: (kind, parent, length, diameter, path to the middle, branch order)
SECTIONS = {
    0: ("soma", None, 20.0, 20.0, 10.0, 0),
    1: ("dendrite", 0, 100.0, 2.0, 70.0, 1),
    2: ("dendrite", 1, 60.0, 1.0, 150.0, 2),
    3: ("dendrite", 1, 80.0, 1.0, 160.0, 2),
    4: ("axon", 0, 40.0, 1.0, 40.0, 1),
    5: ("axon", 4, 200.0, 0.5, 160.0, 1),
}
# mechanism: {section: density}
DENSITIES = {
    "na": {0: 0.12, 4: 0.4, 5: 0.3},
    "ih": {0: 1e-5, 1: 2e-5, 2: 8e-5, 3: 6e-5, 5: 3e-5},
    "leak": dict.fromkeys(SECTIONS, 3e-5),
}
# What NMODL would say of them; two thirds of the statements of na and leak are the same.
OF_MECHANISM: dict[str, Row] = {
    "na": {
        "gate_v_half_mV": [-40.0, float("nan")], "gate_slope_mV": [7.0, float("nan")],
        "gate_tau_max_ms": [0.5, 8.0], "gate_tau_max_at_mV": [-38.0, -60.0],
        "gate_instances": [3, 0], "kinetics_temperature_degC": 6.3, "ions_written": ["na"],
        "state_names": ["h", "m"], "statement_hashes": [1, 2, 3, 4, 5],
        "parameter_names": ["gbar"], "parameter_values": [0.12], "parameter_units": ["S_per_cm2"],
    },
    "ih": {
        "gate_v_half_mV": [-82.0, -90.0], "gate_slope_mV": [-8.0, -10.0],
        "gate_instances": [1, 1], "kinetics_temperature_degC": 34.0,
    },
    "leak": {
        "statement_hashes": [1, 2, 3, 4, 6], "has_verbatim": True,
        "parameter_names": ["gbar"], "parameter_values": [1e-4], "parameter_units": ["S_per_cm2"],
    },
}  # fmt: skip
LIFTS = {
    "na": {0: 1.4, 4: 0.9, 5: 1.1},
    "ih": {0: 0.8, 1: 1.0, 2: 1.9, 3: 1.6, 5: 1.7},
    "leak": {0: 0.7, 1: 1.2, 2: 0.4, 3: 0.6, 4: 1.0, 5: 0.5},
}
# sender, receiver, type, weight, section and place on it (for pyramidal receivers)
CORTEX = [
    ("p0", "p1", "ampa", 3.0, 2, 0.5),
    ("p0", "p1", "ampa", 1.0, 3, 0.25),
    ("p1", "p0", "ampa", 2.0, 1, 0.9),
    ("p0", "p2", "ampa", 5.0, 2, 1.0),
    ("p1", "p2", "ampa", 1.0, 0, 0.5),
    ("i0", "p1", "gaba", 4.0, 0, 0.5),
    ("i0", "p0", "gaba", 1.0, 1, 0.1),
    ("i1", "p1", "gaba", 2.0, 1, 0.5),
    ("p2", "i0", "ampa", 6.0, None, None),
    ("p1", "i0", "ampa", 1.0, None, None),
    ("p2", "p1", "custom", 2.0, 2, 0.0),
]
CORTEX_GAPS = [("i0", "i1", 2.0, None), ("i1", "i0", 2.0, True), ("i1", "i1", 1.0, None)]
COPY = [
    ("q0", "q1", "ampa", 1.0, 1, 0.5),
    ("q1", "q0", "ampa", 2.0, 2, 0.5),
    ("c0", "q0", "gaba", 3.0, 0, 0.5),
    ("c1", "q0", "gaba", 4.0, 0, 0.5),
    ("c2", "q0", "ampa", 5.0, 3, 0.5),
    ("c2", "q1", "ampa", 1.0, 3, 0.5),
]
CORTEX_LIFTS = [2.5, 0.5, 1.25, 0.75, 1.5, 0.25, 1.0, 0.8, 3.5, 0.9, 1.1, 0.6, 1.7]
COPY_LIFTS = [1.2, 0.7, 1.3, 0.4, 2.1, 0.9]
AT = {
    "p0": (0.0, 0.0, 0.0), "p1": (30.0, 40.0, 0.0), "p2": (0.0, 0.0, 100.0),
    "i0": (10.0, 10.0, 5.0), "i1": (200.0, 0.0, 0.0),
    "q0": (0.0, 0.0, 0.0), "q1": (1.0, 2.0, 2.0), "c0": (3.0, 4.0, 0.0), "c1": (0.0, 5.0, 12.0),
    "c2": None,
}  # fmt: skip
PYRAMIDAL = {"p0", "p1", "p2", "q0", "q1", "h0", "h1"}


def build_graph() -> Graph:
    graph = Graph()
    _add_shared(graph)
    _add_model(graph, "cortex", "current", ["p0", "p1", "p2", "i0", "i1"], None)
    _add_model(graph, "copy", "current", ["q0", "q1", "c0", "c1", "c2"], "4242")
    _add_model(graph, "half", "loading", ["h0", "h1"], None)
    _connect(graph, "cortex", CORTEX, CORTEX_GAPS, CORTEX_LIFTS)
    _connect(graph, "copy", COPY, [], COPY_LIFTS)
    _connect(graph, "half", [("h0", "h1", "ampa", 99.0, 2, 0.5)], [], [99.0])
    _add_extras(graph)
    return graph


def _add_shared(graph: Graph) -> None:
    for name, ion in (("na", "na"), ("ih", "h"), ("leak", None)):
        graph.node(
            "Mechanism",
            f"M-{name}",
            name=name,
            kind="channel",
            ion=ion,
            mechanism_class="ionChannelHH",
            gate_names=[] if name == "leak" else ["m", "h"],
            **OF_MECHANISM[name],
        )
    graph.edge("SIMILAR_TO", ("Mechanism", "M-leak"), ("Mechanism", "M-na"), similarity=2 / 3)
    graph.node("Mechanism", "M-lif", name="lif", kind="point", mechanism_class="iafCell")
    graph.node("Cell", "C-lif", name="lif", cell_class="iafCell", is_point=True)
    graph.edge("HAS_MECHANISM", ("Cell", "C-lif"), ("Mechanism", "M-lif"), uid="C-lif/M-lif",
               learned={"attention_lift": 1.3, "attention_n": 5})  # fmt: skip
    graph.node(
        "Cell", "C-pyr", name="pyramidal", cell_class="cell", is_point=False, n_segments=12,
        n_compartments=6, n_branch_points=2, n_tips=3, length_um=500.0, area_um2=3000.0,
        volume_um3=9000.0, max_path_distance_um=260.0,
    )  # fmt: skip
    for index, (kind, parent, length, diameter, path, order) in SECTIONS.items():
        uid = graph.node(
            "Compartment", f"C-pyr/{index}", kind=kind, index=index, n_segments=2,
            length_um=length, diameter_um=diameter, area_um2=3.0 * length * diameter,
            path_distance_um=path, branch_order=order,
            learned={"cls_lift": 1 + index / 10, "cls_lift_sd": 0.1, "attention_n": 5,
                     "received_lift": 2 - index / 10},
        )  # fmt: skip
        graph.edge("HAS_COMPARTMENT", ("Cell", "C-pyr"), ("Compartment", uid))
        if parent is not None:
            graph.edge("CHILD_OF", ("Compartment", uid), ("Compartment", f"C-pyr/{parent}"))
    for name, densities in DENSITIES.items():
        for index, gbar in densities.items():
            graph.edge(
                "HAS_MECHANISM", ("Compartment", f"C-pyr/{index}"), ("Mechanism", f"M-{name}"),
                uid=f"C-pyr/{index}/{name}", gbar_S_per_cm2=gbar, erev_mV=-45.0 + 10 * index,
                learned={"attention_lift": LIFTS[name][index], "attention_n": 5},
            )  # fmt: skip
    for name, sign, gbase, erev in (
        ("ampa", 1, 0.5, 0.0), ("gaba", -1, 2.0, -80.0), ("gap", None, 0.1, None),
        ("custom", None, None, None),
    ):  # fmt: skip
        graph.node("SynapseType", f"S-{name}", name=name, sign=sign, gbase_nS=gbase, erev_mV=erev,
                   synapse_class="gapJunction" if name == "gap" else "expTwoSynapse",
                   tau_rise_ms=0.5, tau_decay_ms=5.0)  # fmt: skip


def _add_model(
    graph: Graph, key: str, status: str, neurons: list[str], accession: str | None
) -> None:
    graph.node(
        "Model",
        key,
        key=key,
        version=f"{key}-0123456789abcdef",
        status=status,
        tier="static",
        format="neuroml2",
        accession=accession,
        licence="CC0-1.0",
    )
    defined = [("Cell", "C-pyr"), ("SynapseType", "S-ampa"), ("SynapseType", "S-gaba")]
    defined += [("Mechanism", f"M-{name}") for name in DENSITIES]
    if key != "half":
        defined += [("Cell", "C-lif"), ("Mechanism", "M-lif")]
    if key == "cortex":
        defined += [("SynapseType", "S-gap"), ("SynapseType", "S-custom")]
    for label, uid in defined:
        id_ = f"{graph.name(uid)}_{key}" if uid == "M-ih" else graph.name(uid)
        graph.edge("DEFINES", ("Model", key), (label, uid), uid=f"{key}>{uid}", path="x", id=id_)
    graph.node("Network", f"{key}/net", model_uid=key, name="net", path="net", implicit=False,
               entry="init.hoc" if key == "cortex" else None)  # fmt: skip
    for population in ("pyr", "point"):
        members = [n for n in neurons if (n in PYRAMIDAL) == (population == "pyr")]
        uid = graph.node("Population", f"{key}/{population}", model_uid=key, name=population,
                         path=population, size=len(members))  # fmt: skip
        graph.edge("HAS_POPULATION", ("Network", f"{key}/net"), ("Population", uid))
        for index, name in enumerate(members):
            _add_neuron(graph, key, uid, index, name)


def _add_neuron(graph: Graph, key: str, population: str, index: int, name: str) -> None:
    at = AT.get(name) or (None, None, None)
    lift = 1 + len(graph.nodes.get("Neuron", {})) / 4
    uid = graph.node(
        "Neuron", f"{key}/{name}", model_uid=key, name=name, index=index, implicit=False,
        x_um=at[0], y_um=at[1], z_um=at[2],
        learned={"cls_lift": lift, "cls_lift_sd": 0.2, "received_lift": 3 - lift,
                 "received_lift_sd": 0.3},
    )  # fmt: skip
    graph.edge("HAS_NEURON", ("Population", population), ("Neuron", uid))
    pyramidal = name in PYRAMIDAL
    own = [lift + index / 100 for index in SECTIONS]
    graph.edge(
        "INSTANCE_OF", ("Neuron", uid), ("Cell", "C-pyr" if pyramidal else "C-lif"),
        learned={"compartment_cls_lift": own, "compartment_received_lift": [2 * v for v in own]}
        if pyramidal else {},
    )  # fmt: skip


def _connect(
    graph: Graph, key: str, chemical: list[Any], gaps: list[Any], lifts: list[float]
) -> None:
    pairs: dict[tuple[str, str, str], list[tuple[float, bool]]] = {}
    for index, (pre, post, type_, weight, section, fraction) in enumerate(chemical):
        synapse = _add_synapse(graph, key, index, "chemical", pre, post, type_, weight, None)
        pairs.setdefault((pre, post, "chemical"), []).append((weight, True))
        if pre in PYRAMIDAL:
            graph.edge("LEAVES_FROM", ("Synapse", synapse), ("Compartment", "C-pyr/5"),
                       fraction_along=0.5, segment=0)  # fmt: skip
        if section is not None:
            graph.edge("ARRIVES_AT", ("Synapse", synapse), ("Compartment", f"C-pyr/{section}"),
                       fraction_along=fraction, segment=0,
                       learned={"attention_lift": 0.5 + index / 10})  # fmt: skip
    for index, (pre, post, weight, mirrored) in enumerate(gaps):
        _add_synapse(graph, key, index, "electrical", pre, post, "gap", weight, mirrored)
        pairs.setdefault((pre, post, "electrical"), []).append((weight, not mirrored))
    for number, ((pre, post, kind), synapses) in enumerate(pairs.items()):
        counted = [weight for weight, counts in synapses if counts]
        if counted:
            _add_connection(graph, key, pre, post, kind, counted, lifts[number])


def _add_synapse(
    graph: Graph, key: str, index: int, kind: str, pre: str, post: str, type_: str,
    weight: float, mirrored: bool | None,
) -> str:  # fmt: skip
    uid = graph.node("Synapse", f"{key}/{kind}{index}", model_uid=key, kind=kind, index=index,
                     projection=kind, weight=weight, delay_ms=1.5, mirrored=mirrored)  # fmt: skip
    graph.edge("SENDS", ("Neuron", f"{key}/{pre}"), ("Synapse", uid))
    graph.edge("TARGETS", ("Synapse", uid), ("Neuron", f"{key}/{post}"),
               learned={"attention_lift": 1.5 + index / 10})  # fmt: skip
    graph.edge("OF_TYPE", ("Synapse", uid), ("SynapseType", f"S-{type_}"), side="both")
    return uid


def _add_connection(
    graph: Graph, key: str, pre: str, post: str, kind: str, weights: list[float], lift: float
) -> None:
    forward, backward = lift + 0.125, 2.0 - lift / 2
    learned = {
        "attention": lift / 8, "attention_lift": lift, "attention_lift_sd": 0.25,
        "attention_score": lift / 16, "attention_up": lift / 10,
        "attention_down": lift / 12,
        "attention_forward": forward / 8, "attention_backward": backward / 8,
        "attention_forward_lift": forward, "attention_forward_lift_sd": 0.3,
        "attention_backward_lift": backward, "attention_backward_lift_sd": 0.4,
        "attention_lift__other": (lift * 7) % 3, "attention_lift_sd__other": 0.5,
    }  # fmt: skip
    graph.edge(
        "CONNECTS_TO", ("Neuron", f"{key}/{pre}"), ("Neuron", f"{key}/{post}"),
        uid=f"{key}/{pre}>{post}/{kind}", kind=kind, n_synapses=len(weights), weight=sum(weights),
        learned=learned,
    )  # fmt: skip


def _add_extras(graph: Graph) -> None:
    graph.node("Term", "region:neocortex", kind="region", name="neocortex")
    graph.edge("ABOUT", ("Model", "cortex"), ("Term", "region:neocortex"))
    for number, (subject, label) in enumerate(
        (("C-pyr", "Cell"), ("copy/q0", "Neuron"), ("half/h0", "Neuron"))
    ):
        model = "half" if subject.startswith("half") else "copy" if "/" in subject else "cortex"
        uid = graph.node(
            "Activity",
            f"A{number}",
            model_uid=model,
            protocol="step",
            engine="test",
            feature_names=["rate_Hz", "width_ms"],
            feature_values=[10.0 + number, 1.0],
        )
        graph.edge("MEASURED_AS", (label, subject), ("Activity", uid))
    for name, saw in (("", ["synapse.weight", "neuron.area_um2"]), ("other", ["neuron.x_um"])):
        uid = graph.node(
            "AttentionRun", f"R-{name}", run=f"run{name}", name=name, status="current",
            metric="auroc", held_out=0.83, held_out_sd=0.01, chance=0.55, passed=True, forced=False,
            agreement=0.4,
            seeds=[0, 1, 2], split="families", saw=saw, score_method="mean",
        )  # fmt: skip
        for model in ("cortex", "copy"):
            graph.edge("ANNOTATES", ("AttentionRun", uid), ("Model", model))
    graph.node("AttentionRun", "R-late", run="run9", name="late", status="writing")
