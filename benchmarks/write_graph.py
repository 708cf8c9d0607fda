"""A network into Neo4j, four ways: a statement each, maps, ours, and ``neo4j-admin``'s import.

    python benchmarks/write_graph.py [nodes]

Each way starts from an empty local server of its own, in a process of its own, with the same
constraints and indexes. CPU seconds are those of the client, and of the server from the moment
that it answers (for the import, which needs the server stopped, of the whole ``neo4j-admin``).
The statement-each way writes one row in 50, and its CPU is multiplied by 50.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import neo4j
import psutil

from bnnkg.schema import GraphTables
from bnnkg.schema.records import EdgeTable, NodeTable
from bnnkg.store import Store
from bnnkg.store.server import read_password, start, status, stop
from bnnkg.store.server.configuration import admin_command, java_environment
from bnnkg.store.server.home import HomeFolder
from bnnkg.store.server.jars import locate

M = "0123456789ab"
SAMPLE = 50
BATCH = 10_000
WAYS = ("a statement each", "maps, SET n += r", "ours", "neo4j-admin import")


def main() -> None:
    if len(sys.argv) == 4:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
        return
    n_nodes = int(sys.argv[1]) if len(sys.argv) == 2 else 100_000
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows = {way: run(way, n_nodes, Path(folder) / str(k)) for k, way in enumerate(WAYS)}
    ours = rows["ours"]
    print(f"{ours['nodes']} nodes, {ours['edges']} edges")
    titles = {"client s": 9, "server s": 9, "sum": 8, "ratio": 7, "client MB": 10, "server MB": 10}
    print(f"{'':20}" + "".join(f"{title:>{width}}" for title, width in titles.items()))
    for way, row in rows.items():
        total = row["client"] + row["server"]
        ratio = total / (ours["client"] + ours["server"])
        print(
            f"{way:20}{row['client']:9.1f}{row['server']:9.1f}{total:8.1f}{ratio:7.2f}"
            f"{row['client_mb']:10.0f}{row['server_mb']:10.0f}"
        )


def run(way: str, n_nodes: int, home: Path) -> dict[str, float]:
    command = [sys.executable, __file__, way, str(n_nodes), str(home)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    row: dict[str, float] = json.loads(answer.splitlines()[-1])
    return row


def measure(way: str, n_nodes: int, home: Path) -> dict[str, float]:
    tables = network(n_nodes)
    start(home)
    try:
        with Store.open(home):
            pass
        if way == "neo4j-admin import":
            stop(home, wait=True)
            row = import_files(tables, home)
        else:
            row = write(WRITERS[way], tables, home, SAMPLE if way == "a statement each" else 1)
    finally:
        stop(home, wait=True)
    nodes, edges = tables.counts()
    return row | {"nodes": sum(nodes.values()), "edges": sum(edges.values())}


def write(
    writer: Callable[[GraphTables, Path], None], tables: GraphTables, home: Path, factor: int
) -> dict[str, float]:
    pid = status(home).pid
    server = psutil.Process(pid)
    before, client = cpu(server), time.process_time()
    writer(tables, home)
    client = time.process_time() - client
    return {
        "client": client * factor,
        "server": (cpu(server) - before) * factor,
        "client_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "server_mb": server.memory_info().rss / 2**20,
    }


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def network(n_nodes: int) -> GraphTables:
    """Neurons, and nine times as many synapses; two edges to each node."""
    n = n_nodes // 10
    neurons = [f"{M}/net/pop/{i}" for i in range(n)]
    synapses = [f"{M}/net/projection{i // 100}/{i % 100}" for i in range(9 * n)]
    pre = [neurons[i % n] for i in range(9 * n)]
    post = [neurons[(i * 7 + 1) % n] for i in range(9 * n)]
    nodes = [
        NodeTable(
            "Model",
            {
                "uid": [M],
                "key": ["net"],
                "version": ["1"],
                "status": ["current"],
                "tier": ["static"],
                "format": ["neuroml2"],
            },
        ),
        NodeTable(
            "Network",
            {"uid": [f"{M}/net"], "model_uid": [M], "path": ["#net"], "implicit": [False]},
        ),
        NodeTable(
            "Population",
            {
                "uid": [f"{M}/net/pop"],
                "model_uid": [M],
                "name": ["pop"],
                "path": ["#pop"],
                "size": [n],
            },
        ),
        NodeTable(
            "Neuron",
            {
                "uid": neurons,
                "model_uid": [M] * n,
                "name": [f"n{i}" for i in range(n)],
                "index": list(range(n)),
                "x_um": [i * 0.5 for i in range(n)],
                "implicit": [False] * n,
            },
        ),
        NodeTable(
            "Synapse",
            {
                "uid": synapses,
                "model_uid": [M] * 9 * n,
                "kind": ["chemical"] * 9 * n,
                "projection": [f"projection{i // 100}" for i in range(9 * n)],
                "index": [i % 100 for i in range(9 * n)],
                "weight": [i * 0.25 for i in range(9 * n)],
                "delay_ms": [0.5] * 9 * n,
            },
        ),
    ]
    edges = [
        EdgeTable(
            "DEFINES", "Model", "Network", [M], [f"{M}/net"], {"uid": [f"{M}/d"], "path": ["#net"]}
        ),
        EdgeTable("HAS_POPULATION", "Network", "Population", [f"{M}/net"], [f"{M}/net/pop"]),
        EdgeTable("HAS_NEURON", "Population", "Neuron", [f"{M}/net/pop"] * n, neurons),
        EdgeTable("SENDS", "Neuron", "Synapse", pre, synapses),
        EdgeTable("TARGETS", "Synapse", "Neuron", synapses, post),
        EdgeTable(
            "CONNECTS_TO",
            "Neuron",
            "Neuron",
            neurons,
            neurons[1:] + neurons[:1],
            {"uid": [f"{u}/c" for u in neurons], "kind": ["chemical"] * n, "n_synapses": [1] * n},
        ),
    ]
    return GraphTables.of(nodes, edges)


def node_maps(tables: GraphTables) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for label, table in tables.nodes.items():
        rows = zip(*table.columns.values(), strict=True)
        yield label, [dict(zip(table.columns, row, strict=True)) for row in rows]


def edge_maps(tables: GraphTables) -> Iterator[tuple[tuple[str, str, str], list[dict[str, Any]]]]:
    for key, table in tables.edges.items():
        rows = zip(table.src, table.dst, *table.columns.values(), strict=True)
        names = list(table.columns)
        yield (
            key,
            [{"src": a, "dst": b, "p": dict(zip(names, p, strict=True))} for a, b, *p in rows],
        )


def write_each(tables: GraphTables, home: Path) -> None:
    with drive(home) as driver, driver.session() as session:
        for label, rows in node_maps(tables):
            for row in islice(rows, 0, None, SAMPLE if len(rows) > 1 else 1):
                statement = f"MERGE (n:{label} {{uid: $uid}}) SET n += $row"
                session.run(statement, uid=row["uid"], row=row).consume()
        for (type_, src, dst), rows in edge_maps(tables):
            statement = (
                f"MATCH (a:{src} {{uid: $src}}) MATCH (b:{dst} {{uid: $dst}}) "
                f"MERGE (a)-[e:{type_}]->(b) SET e += $p"
            )
            for row in islice(rows, 0, None, SAMPLE if len(rows) > 1 else 1):
                session.run(statement, **row).consume()


def write_maps(tables: GraphTables, home: Path) -> None:
    with drive(home) as driver, driver.session() as session:
        for label, rows in node_maps(tables):
            statement = f"UNWIND $rows AS r MERGE (n:{label} {{uid: r.uid}}) SET n += r"
            batches(session, statement, rows)
        for (type_, src, dst), rows in edge_maps(tables):
            statement = (
                f"UNWIND $rows AS r MATCH (a:{src} {{uid: r.src}}) MATCH (b:{dst} {{uid: r.dst}}) "
                f"MERGE (a)-[e:{type_}]->(b) SET e += r.p"
            )
            batches(session, statement, rows)


def batches(session: neo4j.Session, statement: str, rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), BATCH):
        session.run(statement, rows=rows[begin : begin + BATCH]).consume()


def write_ours(tables: GraphTables, home: Path) -> None:
    with Store.open(home) as store:
        store.load_model(tables)


WRITERS = {"a statement each": write_each, "maps, SET n += r": write_maps, "ours": write_ours}


def drive(home: Path) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(str(status(home).uri), auth=("neo4j", read_password(home)))


def import_files(tables: GraphTables, home: Path) -> dict[str, float]:
    """Writes the files that ``neo4j-admin`` reads, and lets it read them."""
    client = time.process_time()
    files = home.parent / "files"
    files.mkdir(exist_ok=True)
    options = []
    for label, table in tables.nodes.items():
        path = files / f"{label}.csv"
        names = [f"uid:ID({label})" if n == "uid" else n for n in table.columns]
        write_rows(path, names, zip(*table.columns.values(), strict=True))
        options.append(f"--nodes={label}={path}")
    for (type_, src, dst), edges in tables.edges.items():
        path = files / f"{src}-{type_}-{dst}.csv"
        names = [f":START_ID({src})", f":END_ID({dst})", *edges.columns]
        rows = zip(edges.src, edges.dst, *edges.columns.values(), strict=True)
        write_rows(path, names, rows)
        options.append(f"--relationships={type_}={path}")
    client = time.process_time() - client
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    folder = HomeFolder(home)
    arguments = ("database", "import", "full", "neo4j", "--overwrite-destination", *options)
    command = admin_command(folder, locate(str(status(home).version or "5.26.30")), *arguments)
    subprocess.run(command, env=java_environment(folder), stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "client": client,
        "server": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "client_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "server_mb": after.ru_maxrss / 1024,
    }


def write_rows(path: Path, names: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
