"""Records to tensors: row by row, as a script with dictionaries does it, beside ``build``.

    python benchmarks/export_tensors.py [neurons]

Both make the same rows and edges, each in a process of its own; CPU seconds and peak memory are
what the export adds to the records. Both give edge features and origins; ``build`` also gives
masks, about 40 columns of features instead of 2 to 5, and checks: the ratio understates it.
"""

from __future__ import annotations

import json
import math
import random
import resource
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)
    import torch
    from torch_geometric.data import HeteroData

from bnnkg.gnn.batching import collate
from bnnkg.gnn.graph import build
from bnnkg.gnn.hiding import hide_pairs
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.schema.records import EdgeTable, GraphTables, NodeTable

N_CELLS, N_SECTIONS, N_MECHANISMS, SYNAPSES_PER_NEURON = 20, 7, 4, 11
VALUES = {
    "Neuron": ("x_um", "y_um", "z_um"),
    "Compartment": ("length_um", "diameter_um", "area_um2", "path_distance_um"),
    "Synapse": ("weight", "delay_ms"),
    "Mechanism": ("conductance_pS",),
}


def main() -> None:
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
        return
    n_neurons = int(sys.argv[1]) if len(sys.argv) == 2 else 3000
    rows = {way: run(way, n_neurons) for way in ("row by row", "build")}
    plain, ours = rows["row by row"], rows["build"]
    if plain["edges"] != ours["edges"]:
        raise SystemExit(f"the two differ: {plain['edges']} and {ours['edges']} edges")
    print(f"{n_neurons} neurons, {ours['rows']} rows, {ours['edges']} edges")
    print(f"{'':12}{'CPU s':>8}{'peak MB':>9}")
    for way, row in rows.items():
        print(f"{way:12}{row['cpu']:8.2f}{row['peak']:9.0f}")
    print(f"{'ratio':12}{plain['cpu'] / ours['cpu']:8.1f}{plain['peak'] / ours['peak']:9.1f}")
    print(
        f"hide 500 pairs: {ours['hide'] * 1e3:.1f} ms, building again: {ours['cpu'] * 1e3:.0f} ms"
    )


def run(way: str, n_neurons: int) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__)), way, str(n_neurons)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure(way: str, n_neurons: int) -> dict[str, float]:
    torch.set_num_threads(1)
    tables = make_tables(n_neurons)
    export = row_by_row if way == "row by row" else lambda t: build(t).data
    export(make_tables(20))
    before, start = peak_MB(), time.process_time()
    data = export(tables)
    cpu, peak = time.process_time() - start, peak_MB() - before
    keys = [*data.node_types, *data.edge_types] if isinstance(data, HeteroData) else [*data]
    sizes = {
        "rows": sum(len(data[key].x) for key in keys if isinstance(key, str)),
        "edges": sum(data[key].edge_index.shape[1] for key in keys if not isinstance(key, str)),
    }
    hide = 0.0 if way == "row by row" else time_hiding(tables)
    return {"cpu": cpu, "peak": max(peak, 1.0), "hide": hide, **sizes}


def time_hiding(tables: GraphTables) -> float:
    graph = build(tables)
    batch = collate([graph], fit_scaling([graph]))
    chosen = torch.randperm(batch.up_index.shape[1])[:500]
    start = time.process_time()
    for _ in range(5):
        hide_pairs(batch, batch.up_index[:, chosen])
    return (time.process_time() - start) / 5


def peak_MB() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Edge = tuple[int, int, tuple[float, ...], tuple[str, str]]
"""Rows of the ends, features, and uids of the stored edge's ends."""
NO_FEATURES = (0.0,) * 5


def row_by_row(tables: GraphTables) -> HeteroData:
    """What one writes first: a dictionary per node, a loop per edge."""
    nodes = {
        label: {
            uid: {name: table.columns[name][row] for name in table.columns}
            for row, uid in enumerate(table.uid)
        }
        for label, table in tables.nodes.items()
    }
    ends: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (type_, _, _), table in tables.edges.items():
        for row in range(len(table)):
            ends[type_].append((table.src[row], table.dst[row]))
    rows: dict[str, dict[Any, int]] = defaultdict(dict)
    features: dict[str, list[list[float]]] = defaultdict(list)
    edges: dict[tuple[str, str, str], list[Edge]] = defaultdict(list)
    degrees: dict[str, int] = defaultdict(int)
    for one, other in ends["SENDS"] + ends["TARGETS"]:
        degrees[one] += 1
        degrees[other] += 1

    def add(kind: str, key: Any, label: str, uid: str) -> int:
        if key not in rows[kind]:
            rows[kind][key] = len(rows[kind])
            values = [nodes[label][uid].get(name) for name in VALUES[label]]
            features[kind].append([0.0 if v is None else v for v in values] + [degrees[uid]])
        return rows[kind][key]

    kind_of = {uid: node["kind"] for uid, node in nodes["Compartment"].items()}
    sections, children, mechanisms = defaultdict(list), defaultdict(list), defaultdict(list)
    for cell, section in ends["HAS_COMPARTMENT"]:
        sections[cell].append(section)
    for child, parent in ends["CHILD_OF"]:
        children[parent].append(child)
    for section, mechanism in ends["HAS_MECHANISM"]:
        mechanisms[section].append(mechanism)
    for neuron, cell in ends["INSTANCE_OF"]:
        own = add("neuron", neuron, "Neuron", neuron)
        seen = set()
        for section in sections[cell]:
            kind = kind_of[section]
            row = add(kind, (neuron, section), "Compartment", section)
            edges[kind, "part_of", "neuron"].append((row, own, NO_FEATURES, (cell, section)))
            for child in children[section]:
                below = add(kind_of[child], (neuron, child), "Compartment", child)
                pair = (kind_of[child], below), (kind, row)
                (a, src), (b, dst) = pair[::-1] if kind_of[child] == "axon" else pair
                edges[a, "conducts", b].append((src, dst, NO_FEATURES, (child, section)))
            for mechanism in mechanisms[section]:
                channel = add("mechanism", (neuron, mechanism), "Mechanism", mechanism)
                edges["mechanism", "acts_on", kind].append(
                    (channel, row, NO_FEATURES, (section, mechanism))
                )
                if channel not in seen:
                    seen.add(channel)
                    edges["mechanism", "part_of", "neuron"].append(
                        (channel, own, NO_FEATURES, (mechanism, neuron))
                    )
    pre, post = {y: n for n, y in ends["SENDS"]}, dict(ends["TARGETS"])

    def features_of(synapse: str) -> tuple[float, ...]:
        node = nodes["Synapse"][synapse]
        one, other = (nodes["Neuron"][side[synapse]] for side in (pre, post))
        apart = math.dist(*([end[f"{axis}_um"] for axis in "xyz"] for end in (one, other)))
        return node["weight"], node["delay_ms"], 0.0, 0.0, apart

    for synapse in nodes["Synapse"]:
        known = features_of(synapse)
        row = add("synapse", synapse, "Synapse", synapse)
        one, other = rows["neuron"][pre[synapse]], rows["neuron"][post[synapse]]
        edges["neuron", "sends", "synapse"].append((one, row, known, (pre[synapse], synapse)))
        edges["synapse", "targets", "neuron"].append((row, other, known, (synapse, post[synapse])))
        edges["neuron", "presynaptic_to", "neuron"].append(
            (one, other, known, (pre[synapse], post[synapse]))
        )
    for synapse, section in ends["LEAVES_FROM"]:
        row = rows[kind_of[section]][pre[synapse], section]
        own = rows["synapse"][synapse]
        edge = (row, own, features_of(synapse), (synapse, section))
        edges[kind_of[section], "leaves", "synapse"].append(edge)
    for synapse, section in ends["ARRIVES_AT"]:
        row = rows[kind_of[section]][post[synapse], section]
        own = rows["synapse"][synapse]
        edge = (own, row, features_of(synapse), (synapse, section))
        edges["synapse", "arrives", kind_of[section]].append(edge)
    data = HeteroData()
    for kind, values in features.items():
        data[kind].x = torch.tensor(values)
    for triple, pairs in edges.items():
        data[triple].edge_index = torch.tensor([edge[:2] for edge in pairs]).T
        data[triple].edge_attr = torch.tensor([edge[2] for edge in pairs])
        data[triple].origin = [edge[3] for edge in pairs]
    return data


def make_tables(n_neurons: int) -> GraphTables:
    """Random neurons of 20 cells with 7 sections and 4 mechanisms each, 11 synapses a neuron."""
    chance = random.Random(0)
    kinds = ("soma", "dendrite", "dendrite", "dendrite", "dendrite", "dendrite", "axon")
    cells = [f"cell{c:03}" for c in range(N_CELLS)]
    sections = [(cell, f"{cell}/{s}", s) for cell in cells for s in range(N_SECTIONS)]
    channels = [f"channel{m}" for m in range(N_MECHANISMS)]
    densities = [(section, channel) for _, section, _ in sections for channel in channels]
    neurons = [f"model/pop/{n:07}" for n in range(n_neurons)]
    cell_of = {neuron: chance.choice(cells) for neuron in neurons}
    n_synapses = n_neurons * SYNAPSES_PER_NEURON
    synapses = [f"model/projection/{y:08}" for y in range(n_synapses)]
    pre, post = (chance.choices(neurons, k=n_synapses) for _ in range(2))
    joined = sorted(set(zip(pre, post, strict=True)))

    def lengths() -> list[float]:
        return [chance.uniform(1, 100) for _ in sections]

    nodes = [
        NodeTable("Model", {"uid": ["model"], "key": ["model"]}),
        NodeTable(
            "Cell", {"uid": cells, "cell_class": ["cell"] * N_CELLS, "is_point": [False] * N_CELLS}
        ),
        NodeTable(
            "Compartment",
            {
                "uid": [s for _, s, _ in sections],
                "kind": [kinds[i] for _, _, i in sections],
                "index": [i for _, _, i in sections],
                "length_um": lengths(),
                "diameter_um": lengths(),
                "area_um2": lengths(),
                "path_distance_um": lengths(),
            },
        ),
        NodeTable(
            "Mechanism",
            {
                "uid": channels,
                "kind": ["channel"] * N_MECHANISMS,
                "conductance_pS": [10.0] * N_MECHANISMS,
            },
        ),
        NodeTable(
            "Neuron",
            {
                "uid": neurons,
                "index": list(range(n_neurons)),
                **{f"{axis}_um": [chance.gauss(0, 100) for _ in neurons] for axis in "xyz"},
            },
        ),
        NodeTable(
            "Synapse",
            {
                "uid": synapses,
                "kind": ["chemical"] * n_synapses,
                "weight": [chance.random() for _ in synapses],
                "delay_ms": [0.0] * n_synapses,
            },
        ),
    ]

    def table(type_: str, src: str, dst: str, pairs: Any, **columns: Any) -> EdgeTable:
        one, other = zip(*pairs, strict=True)
        return EdgeTable(type_, src, dst, one, other, columns)

    half = [0.5] * n_synapses
    return GraphTables.of(
        nodes,
        [
            table("INSTANCE_OF", "Neuron", "Cell", cell_of.items()),
            table("HAS_COMPARTMENT", "Cell", "Compartment", [(c, s) for c, s, _ in sections]),
            table(
                "CHILD_OF",
                "Compartment",
                "Compartment",
                [(s, f"{c}/0") for c, s, i in sections if i],
            ),
            table(
                "HAS_MECHANISM",
                "Compartment",
                "Mechanism",
                densities,
                uid=[f"density{i}" for i in range(len(densities))],
                gbar_S_per_cm2=[0.1] * len(densities),
            ),
            table("SENDS", "Neuron", "Synapse", zip(pre, synapses, strict=True)),
            table("TARGETS", "Synapse", "Neuron", zip(synapses, post, strict=True)),
            table(
                "LEAVES_FROM",
                "Synapse",
                "Compartment",
                [(y, f"{cell_of[n]}/6") for y, n in zip(synapses, pre, strict=True)],
                fraction_along=half,
            ),
            table(
                "ARRIVES_AT",
                "Synapse",
                "Compartment",
                [
                    (y, f"{cell_of[n]}/{chance.randint(0, 5)}")
                    for y, n in zip(synapses, post, strict=True)
                ],
                fraction_along=half,
            ),
            table(
                "CONNECTS_TO",
                "Neuron",
                "Neuron",
                joined,
                uid=[f"{a}>{b}" for a, b in joined],
                kind=["chemical"] * len(joined),
                n_synapses=[1] * len(joined),
            ),
        ],
    )


if __name__ == "__main__":
    main()
