"""Learned scores back into the graph: a statement each, beside ours.

    python benchmarks/write_attention.py [synapses]

One network on one local server; both ways set four numbers on every synapse and on its SENDS and
TARGETS. The statement-each way writes one row in 50, finds edges by the uids of their two ends,
and its CPU is multiplied by 50. CPU seconds of the client and of the server.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import psutil

from bnnkg.schema import EdgeTable, GraphTables, NodeTable
from bnnkg.schema.scores import AttentionScores
from bnnkg.store import Store
from bnnkg.store.server import start, status, stop
from write_graph import SAMPLE, cpu, drive, network

ON_NODES = ("cls_attention", "cls_attention_sd", "cls_lift", "cls_lift_sd")
ON_EDGES = ("attention", "attention_sd", "attention_lift", "attention_lift_sd")
RUN = NodeTable("AttentionRun", {"uid": ["r"], "run": ["r"], "name": [""], "status": ["writing"]})


def main() -> None:
    n_synapses = int(sys.argv[1]) if len(sys.argv) == 2 else 45_000
    tables = network(n_synapses * 10 // 9)
    scores = some_scores(tables)
    n_rows = sum(len(t) for t in scores.nodes) + sum(len(t) for t in scores.edges)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "db"
        start(home)
        try:
            with Store.open(home) as store:
                store.load_model(tables)
                each = measure(home, SAMPLE, lambda: write_each(scores, home))
                ours = measure(home, 1, lambda: store.write_attention(RUN, scores, name="x"))
        finally:
            stop(home, wait=True)
    print(f"{n_rows} nodes and edges, four numbers on each")
    print(f"{'':18}{'client s':>9}{'server s':>9}{'sum':>8}{'ratio':>7}{'s per 100k':>12}")
    for way, (client, server) in {"a statement each": each, "ours": ours}.items():
        total = client + server
        print(
            f"{way:18}{client:9.1f}{server:9.1f}{total:8.1f}{total / sum(ours):7.1f}"
            f"{total * 1e5 / n_rows:12.2f}"
        )


def measure(home: Path, factor: int, write: Callable[[], object]) -> tuple[float, float]:
    server = psutil.Process(status(home).pid)
    before, client = cpu(server), time.process_time()
    write()
    return (time.process_time() - client) * factor, (cpu(server) - before) * factor


def some_scores(tables: GraphTables) -> AttentionScores:
    synapses = tables.nodes["Synapse"]
    nodes = NodeTable("Synapse", {"uid": synapses.uid} | numbers(ON_NODES, len(synapses)))
    edges = [
        EdgeTable(t.type, t.src_label, t.dst_label, t.src, t.dst, numbers(ON_EDGES, len(t)))
        for key, t in tables.edges.items()
        if key[0] in ("SENDS", "TARGETS")
    ]
    return AttentionScores((nodes,), tuple(edges), tuple(tables.nodes["Model"].uid))


def numbers(names: tuple[str, ...], n: int) -> dict[str, list[float]]:
    return {name: [(i + k) / 64 for i in range(n)] for k, name in enumerate(names)}


def write_each(scores: AttentionScores, home: Path) -> None:
    with drive(home) as driver, driver.session() as session:
        for nodes in scores.nodes:
            columns = (nodes.columns[name] for name in ON_NODES)
            for uid, *values in islice(zip(nodes.uid, *columns, strict=True), 0, None, SAMPLE):
                row = dict(zip(ON_NODES, values, strict=True))
                statement = f"MATCH (n:{nodes.label} {{uid: $uid}}) SET n += $row"
                session.run(statement, uid=uid, row=row).consume()
        for edges in scores.edges:
            statement = (
                f"MATCH (:{edges.src_label} {{uid: $src}})-[e:{edges.type}]->"
                f"(:{edges.dst_label} {{uid: $dst}}) SET e += $row"
            )
            columns = (edges.columns[name] for name in ON_EDGES)
            rows = zip(edges.src, edges.dst, *columns, strict=True)
            for src, dst, *values in islice(rows, 0, None, SAMPLE):
                row = dict(zip(ON_EDGES, values, strict=True))
                session.run(statement, src=src, dst=dst, row=row).consume()


if __name__ == "__main__":
    main()
