"""Reading a model back, in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bnnkg.errors import UnknownModelError
from bnnkg.progress import Progress, silent
from bnnkg.schema.declaration import EdgeType, NodeType, Property
from bnnkg.schema.graph import EDGES, NODES
from bnnkg.schema.records import EdgeTable, GraphTables, NodeTable
from bnnkg.store.connection import Connection
from bnnkg.store.shared import HOLDS, NAMED, PARTS

_NOT_READ = {"ATTENDS_TO", "ANNOTATES"}
_NOT_KEPT = {"lease_owner", "lease_until_ms"}

Columns = dict[str, list[Any]]


def list_models(connection: Connection) -> dict[str, list[Any]]:
    """The models, those in progress included, with how much each has."""
    return connection.read(
        "MATCH (m:Model) "
        "RETURN m.key AS key, m.version AS version, m.uid AS uid, m.status AS status, "
        "m.format AS format, m.tier AS tier, m.source AS source, m.licence AS licence, "
        "m.doi AS doi, "
        "COUNT { MATCH (n:Network) WHERE n.model_uid = m.uid } AS networks, "
        "COUNT { MATCH (n:Population) WHERE n.model_uid = m.uid } AS populations, "
        "COUNT { MATCH (n:Neuron) WHERE n.model_uid = m.uid } AS neurons, "
        "COUNT { MATCH (n:Synapse) WHERE n.model_uid = m.uid } AS synapses, "
        "COUNT { MATCH (m)-[:DEFINES]->(c:Cell) RETURN DISTINCT c } AS cells, "
        "COUNT { MATCH (m)-[:DEFINES]->(c:Mechanism) RETURN DISTINCT c } AS mechanisms, "
        "COUNT { MATCH (m)-[:DEFINES]->(c:SynapseType) RETURN DISTINCT c } AS synapse_types "
        "ORDER BY key, status, uid"
    ).columns


def find_model(connection: Connection, key_or_uid: str) -> str:
    """The uid of the current model of that key or uid.

    Raises:
        UnknownModelError: There is none; the message names those there are.
    """
    found = connection.read(
        "MATCH (m:Model {status: 'current'}) WHERE m.key = $wanted OR m.uid = $wanted "
        "RETURN m.uid AS uid",
        {"wanted": key_or_uid},
    ).columns["uid"]
    if found:
        return str(found[0])
    keys = connection.read("MATCH (m:Model {status: 'current'}) RETURN m.key AS key ORDER BY key")
    raise UnknownModelError(
        "no model of this key is in the graph",
        where=key_or_uid,
        found=", ".join(keys.columns["key"][:20]) or "an empty graph",
        hint="bnnkg models lists them",
    )


def read_model(connection: Connection, model_uid: str, progress: Progress = silent) -> GraphTables:
    """A model as it was loaded: what it owns, the shared nodes that it uses, the edges among them.

    Rows come in order of uid (edges: of source, target, uid). Names of shared nodes are the
    smallest ids under which this model defines them. Learned properties stay behind.
    """
    nodes = [_read_nodes(connection, node, model_uid) for node in _kinds()]
    ends = [
        (edge, src, dst)
        for edge in EDGES.values()
        if edge.type not in _NOT_READ
        for src, dst in edge.ends
    ]
    labels = {table.label for table in nodes if len(table)}
    edges = []
    for done, (edge, src, dst) in enumerate(ends):
        if src in labels and dst in labels:
            edges.append(_read_edges(connection, edge, src, dst, model_uid))
        progress("reading", done + 1, len(ends))
    return GraphTables.of(nodes, edges)


def read_nodes(connection: Connection, model_uid: str, labels: Sequence[str]) -> GraphTables:
    """A model's nodes of these labels, as ``read_model`` gives them, without any edges."""
    nodes = [_read_nodes(connection, NODES[label], model_uid) for label in labels]
    return GraphTables.of(nodes, [])


def _kinds() -> Iterator[NodeType]:
    return (node for node in NODES.values() if node.label not in ("Store", "AttentionRun"))


def _from_model(variable: str, label: str) -> str:
    """A pattern that finds the nodes of a label that a Model owns, defines or is."""
    if label == "Model":
        return f"({variable}:Model {{uid: $model}})"
    if NODES[label].scope == "model":
        return f"({variable}:{label} {{model_uid: $model}})"
    if label in PARTS:
        return (
            f"(:Model {{uid: $model}})-[:DEFINES]->(:Cell)-[:{PARTS[label]}]->({variable}:{label})"
        )
    return f"(:Model {{uid: $model}})-[:{HOLDS[label]}]->({variable}:{label})"


def _read_nodes(connection: Connection, node: NodeType, model_uid: str) -> NodeTable:
    names = [prop.name for prop in node.properties if prop.name not in _NOT_KEPT]
    shared = node.scope == "shared"
    returned = ", ".join(f"n.{name} AS {name}" for name in names)
    if node.label in NAMED:
        named = "MATCH (:Model {uid: $model})-[d:DEFINES]->(n:%s) WITH n, min(d.id) AS own "
        statement = named % node.label + f"RETURN {returned.replace('n.name AS', 'own AS')}"
    else:
        distinct = "WITH DISTINCT n " if shared else ""
        statement = f"MATCH {_from_model('n', node.label)} {distinct}RETURN {returned}"
    columns = connection.read(statement, {"model": model_uid}).columns
    columns = _sorted(columns, columns["uid"])
    return NodeTable(node.label, _present(columns, node.properties))


def _read_edges(
    connection: Connection, edge: EdgeType, src: str, dst: str, model_uid: str
) -> EdgeTable:
    returned = ["a.uid AS src", "b.uid AS dst"]
    returned += [f"e.{prop.name} AS {prop.name}" for prop in edge.properties]
    statement = f"{_edge_pattern(edge, src, dst)} RETURN {', '.join(returned)}"
    columns = connection.read(statement, {"model": model_uid}).columns
    keys = list(
        zip(columns["src"], columns["dst"], columns.get("uid", columns["src"]), strict=True)
    )
    columns = _sorted(columns, keys)
    ends = columns.pop("src"), columns.pop("dst")
    return EdgeTable(edge.type, src, dst, *ends, _present(columns, edge.properties))


def _edge_pattern(edge: EdgeType, src: str, dst: str) -> str:
    """Starts at the end that the Model owns, else at the shared nodes that it defines."""
    arrow = f"-[e:{edge.type}]->"
    if NODES[dst].scope == "model" and src != "Model":
        return f"MATCH {_from_model('b', dst)} MATCH (a:{src}){arrow}(b)"
    if src == "Model":
        return f"MATCH (a:Model {{uid: $model}}){arrow}(b:{dst})"
    distinct = "WITH DISTINCT a " if NODES[src].scope == "shared" else ""
    return f"MATCH {_from_model('a', src)} {distinct}MATCH (a){arrow}(b:{dst})"


def _sorted(columns: Columns, keys: Sequence[Any]) -> Columns:
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return {name: [column[row] for row in order] for name, column in columns.items()}


def _present(columns: Columns, declared: Sequence[Property]) -> Columns:
    """Columns that have a value, and those that every record must have."""
    required = {prop.name for prop in declared if prop.required}
    return {
        name: column
        for name, column in columns.items()
        if name in required or any(value is not None for value in column)
    }
