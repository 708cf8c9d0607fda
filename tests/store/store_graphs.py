"""Small models for the tests of the store, and the whole graph as an independent query sees it."""

from __future__ import annotations

import hashlib
from typing import Any

import neo4j

from bnnkg.schema import EdgeTable, GraphTables, NodeTable
from bnnkg.schema.scores import AttentionScores

Columns = dict[str, list[Any]]


def model_uid(key: str, version: str) -> str:
    return hashlib.sha256(f"{key}@{version}".encode()).hexdigest()[:12]


def small_model(
    key: str,
    version: str = "v1",
    *,
    cells: tuple[str, ...] = ("c1",),
    n_neurons: int = 4,
    n_synapses: int = 6,
) -> GraphTables:
    """A network of copies of cells; models that name the same cells share them.

    Every cell has two sections (soma, axon) with one mechanism ``k-<cell>``, the soma with two
    densities of it. Ids differ between models, so display names are put to the test.
    """
    m = model_uid(key, version)
    neurons = [f"{m}/net/pop/{i}" for i in range(n_neurons)]
    synapses = [f"{m}/net/proj/{i}" for i in range(n_synapses)]
    pre = [neurons[i % n_neurons] for i in range(n_synapses)]
    post = [neurons[(i + 1) % n_neurons] for i in range(n_synapses)]
    home = [cells[i % len(cells)] for i in range(n_neurons)]
    pre_cell = [home[i % n_neurons] for i in range(n_synapses)]
    half = n_synapses // 2
    nodes = [
        NodeTable(
            "Model",
            {
                "uid": [m],
                "key": [key],
                "version": [version],
                "status": ["current"],
                "tier": ["static"],
                "format": ["neuroml2"],
            },
        ),
        NodeTable("Term", {"uid": ["species/worm"], "kind": ["species"], "name": ["worm"]}),
        NodeTable(
            "Network",
            {
                "uid": [f"{m}/net"],
                "model_uid": [m],
                "name": ["net"],
                "path": [f"{version}#net"],
                "implicit": [False],
            },
        ),
        NodeTable(
            "Population",
            {
                "uid": [f"{m}/net/pop"],
                "model_uid": [m],
                "name": ["pop"],
                "path": ["#pop"],
                "size": [n_neurons],
            },
        ),
        NodeTable(
            "Cell",
            {
                "uid": list(cells),
                "name": [f"{key}-{c}" for c in cells],
                "cell_class": ["cell"] * len(cells),
                "is_point": [False] * len(cells),
                "n_compartments": [2] * len(cells),
            },
        ),
        NodeTable("Compartment", _sections(cells)),
        NodeTable(
            "Mechanism",
            {
                "uid": [f"k-{c}" for c in cells],
                "name": [f"{key}-k-{c}" for c in cells],
                "mechanism_class": ["ionChannelHH"] * len(cells),
                "kind": ["channel"] * len(cells),
            },
        ),
        NodeTable(
            "SynapseType",
            {"uid": ["s1"], "name": [f"{key}-s1"], "synapse_class": ["expOneSynapse"]},
        ),
        NodeTable(
            "Neuron",
            {
                "uid": neurons,
                "model_uid": [m] * n_neurons,
                "name": [f"n{i}" for i in range(n_neurons)],
                "index": list(range(n_neurons)),
                "implicit": [False] * n_neurons,
                "x_um": [None if i % 2 else i + 0.5 for i in range(n_neurons)],
            },
        ),
        NodeTable(
            "Synapse",
            {
                "uid": synapses,
                "model_uid": [m] * n_synapses,
                "kind": ["chemical"] * n_synapses,
                "index": list(range(n_synapses)),
                "weight": [0.5 * i for i in range(n_synapses)],
            },
        ),
    ]
    edges = [
        _defines(m, "Cell", list(cells), [f"{key}-{c}" for c in cells]),
        _defines(m, "Mechanism", [f"k-{c}" for c in cells], [f"{key}-k-{c}" for c in cells]),
        _defines(m, "SynapseType", ["s1"], [f"{key}-s1"]),
        _defines(m, "Network", [f"{m}/net"], ["net"]),
        EdgeTable("ABOUT", "Model", "Term", [m], ["species/worm"]),
        EdgeTable("HAS_POPULATION", "Network", "Population", [f"{m}/net"], [f"{m}/net/pop"]),
        EdgeTable("HAS_NEURON", "Population", "Neuron", [f"{m}/net/pop"] * n_neurons, neurons),
        EdgeTable("INSTANCE_OF", "Neuron", "Cell", neurons, home),
        EdgeTable(
            "HAS_COMPARTMENT",
            "Cell",
            "Compartment",
            [c for c in cells for _ in "sa"],
            [f"{c}/{i}" for c in cells for i in (0, 1)],
        ),
        EdgeTable(
            "CHILD_OF",
            "Compartment",
            "Compartment",
            [f"{c}/1" for c in cells],
            [f"{c}/0" for c in cells],
            {"fraction_along": [0.5] * len(cells)},
        ),
        EdgeTable(
            "HAS_MECHANISM",
            "Compartment",
            "Mechanism",
            [f"{c}/{i}" for c in cells for i in (0, 0, 1)],
            [f"k-{c}" for c in cells for _ in "abc"],
            {
                "uid": [f"{c}/h{i}" for c in cells for i in range(3)],
                "gbar_S_per_cm2": [0.1, None, 0.3] * len(cells),
            },
        ),
        EdgeTable("SENDS", "Neuron", "Synapse", pre, synapses),
        EdgeTable("TARGETS", "Synapse", "Neuron", synapses, post),
        EdgeTable(
            "LEAVES_FROM",
            "Synapse",
            "Compartment",
            synapses[:half],
            [f"{c}/1" for c in pre_cell[:half]],
            {"fraction_along": [0.25] * half, "segment": [1] * half},
        ),
        EdgeTable(
            "OF_TYPE",
            "Synapse",
            "SynapseType",
            synapses,
            ["s1"] * n_synapses,
            {"side": ["both"] * n_synapses},
        ),
        EdgeTable(
            "CONNECTS_TO",
            "Neuron",
            "Neuron",
            neurons,
            neurons[1:] + neurons[:1],
            {
                "uid": [f"{n}/c" for n in neurons],
                "kind": ["chemical"] * n_neurons,
                "n_synapses": [1] * n_neurons,
            },
        ),
    ]
    return GraphTables.of(nodes, edges)


def _sections(cells: tuple[str, ...]) -> Columns:
    both = [(c, i) for c in cells for i in (0, 1)]
    return {
        "uid": [f"{c}/{i}" for c, i in both],
        "kind": [("soma", "axon")[i] for _, i in both],
        "index": [i for _, i in both],
        "n_segments": [1 for _ in both],
        "segment_points_um": [[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 5.0 + i, 1.0] for _, i in both],
    }


def _defines(m: str, label: str, uids: list[str], ids: list[str]) -> EdgeTable:
    columns = {"uid": [f"{m}/{u}" for u in uids], "id": ids, "path": [f"{m}#{i}" for i in ids]}
    return EdgeTable("DEFINES", "Model", label, [m] * len(uids), uids, columns)


def some_scores(*models: GraphTables) -> AttentionScores:
    """A number for every node and edge that can carry one, none twice the same."""
    number = iter(range(1, 10**9))

    def fill(n: int) -> list[float]:
        return [next(number) / 64 for _ in range(n)]

    nodes, edges = [], []
    for label in ("Neuron", "Synapse", "Compartment", "Mechanism"):
        uids = list(dict.fromkeys(u for model in models for u in model.nodes[label].uid))
        nodes.append(NodeTable(label, {"uid": uids, "cls_lift": fill(len(uids))}))
    for type_ in (
        "SENDS",
        "TARGETS",
        "LEAVES_FROM",
        "CONNECTS_TO",
        "CHILD_OF",
        "HAS_COMPARTMENT",
        "HAS_MECHANISM",
    ):
        tables = [t for model in models for key, t in model.edges.items() if key[0] == type_]
        rows = list(dict.fromkeys((*ends, uid) for t in tables for ends, uid in _keys(t)))
        columns: Columns = {"attention": fill(len(rows))}
        if rows[0][2]:
            columns["uid"] = [row[2] for row in rows]
        first = tables[0]
        ends = [row[0] for row in rows], [row[1] for row in rows]
        edges.append(EdgeTable(type_, first.src_label, first.dst_label, *ends, columns))
    neurons = list(models[0].nodes["Neuron"].uid)
    edges.append(
        EdgeTable(
            "ATTENDS_TO", "Neuron", "Neuron", neurons[:2], neurons[1:3], {"attention": fill(2)}
        )
    )
    uids = tuple(model.nodes["Model"].uid[0] for model in models)
    return AttentionScores(tuple(nodes), tuple(edges), uids)


def _keys(table: EdgeTable) -> list[tuple[tuple[str, str], str]]:
    uids = table.columns.get("uid", [""] * len(table))
    return list(zip(zip(table.src, table.dst, strict=True), uids, strict=True))


def a_run(uid: str = "r1") -> NodeTable:
    columns = {"uid": [uid], "run": [uid], "name": [""], "status": ["writing"], "held_out": [0.8]}
    return NodeTable("AttentionRun", columns)


def dump(driver: neo4j.Driver) -> tuple[list[Any], list[Any]]:
    """Every node and edge with every property, in order, but for the Store node."""
    with driver.session() as session:
        nodes = session.run("MATCH (n) WHERE NOT n:Store RETURN labels(n), properties(n)").values()
        edges = session.run(
            "MATCH (a)-[e]->(b) RETURN labels(a), a.uid, type(e), labels(b), b.uid, properties(e)"
        ).values()
    return (
        sorted(([*row[:-1], sorted(row[-1].items())] for row in nodes), key=repr),
        sorted(([*row[:-1], sorted(row[-1].items())] for row in edges), key=repr),
    )


def plain(tables: GraphTables) -> dict[Any, list[Any]]:
    """Tables as sorted rows, without what is absent: equal for equal graphs."""
    rows: dict[Any, list[Any]] = {}
    for label, nodes in tables.nodes.items():
        rows[label] = _rows(dict(nodes.columns))
    for key, edges in tables.edges.items():
        rows[key] = _rows({"src": edges.src, "dst": edges.dst} | dict(edges.columns))
    return rows


def _rows(columns: dict[str, Any]) -> list[Any]:
    names = sorted(columns)
    return sorted(
        (
            [(n, v) for n, v in zip(names, row, strict=True) if v is not None and "lease" not in n]
            for row in zip(*(columns[name] for name in names), strict=True)
        ),
        key=repr,
    )
