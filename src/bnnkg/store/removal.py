"""Removing one version of a model, and the shared nodes that nothing else defines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bnnkg.progress import Progress, silent
from bnnkg.schema.graph import EDGES, NODES, owned_labels
from bnnkg.store.attention import drop_shares
from bnnkg.store.batches import cut
from bnnkg.store.connection import Connection, run
from bnnkg.store.lease import Claim
from bnnkg.store.shared import HOLDS, LABELS, PARTS, renew_names
from bnnkg.store.statements import find

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

NODES_AT_ONCE = 5_000
EDGES_AT_ONCE = 20_000


@dataclass
class Removed:
    """What went.

    Attributes:
        nodes: Nodes by label.
        n_shared_kept: Shared nodes that other models define too.
        stale_runs: Names of annotations that stay and lost their means over instances.
    """

    nodes: dict[str, int] = field(default_factory=dict)
    n_shared_kept: int = 0
    stale_runs: set[str] = field(default_factory=set)


def remove_version(connection: Connection, claim: Claim, progress: Progress = silent) -> Removed:
    """Removes a claimed Model with all that it owns, in batches; the Model goes last.

    Args:
        connection: Where.
        claim: What this process holds of it.
        progress: Told of the nodes removed.
    """
    removed = Removed(stale_runs=drop_shares(connection, claim))
    for label in reversed(owned_labels()):
        for type_ in _among(label):
            _repeat(connection, claim, _edges_of(label, type_), EDGES_AT_ONCE)
        count = _repeat(connection, claim, _nodes_of(label), NODES_AT_ONCE)
        removed.nodes[label] = count
        progress(f"removing {claim.uid}", sum(removed.nodes.values()))
    for label in reversed(LABELS):
        _release(connection, claim, label, removed)
        progress(f"removing {claim.uid}", sum(removed.nodes.values()))
    connection.transact(lambda tx: run(tx, _LAST, {"uid": claim.uid, "owner": claim.owner}))
    removed.nodes = {"Model": 1} | {k: n for k, n in removed.nodes.items() if n}
    return removed


_LAST = "MATCH (m:Model {uid: $uid}) WHERE m.lease_owner = $owner DETACH DELETE m"


def _among(label: str) -> list[str]:
    """Edge types that join two nodes of the label: there may be many at one node."""
    return [edge.type for edge in EDGES.values() if (label, label) in edge.ends]


def _edges_of(label: str, type_: str) -> str:
    return (
        f"MATCH (n:{label} {{model_uid: $uid}})-[e:{type_}]->() "
        f"WITH e LIMIT {EDGES_AT_ONCE} DELETE e RETURN count(*)"
    )


def _nodes_of(label: str) -> str:
    return (
        f"MATCH (n:{label} {{model_uid: $uid}}) "
        f"WITH n LIMIT {NODES_AT_ONCE} DETACH DELETE n RETURN count(*)"
    )


def _repeat(connection: Connection, claim: Claim, statement: str, at_once: int) -> int:
    """Runs a deletion until it finds less than a batch; returns how many it found."""
    total = 0
    while True:
        count = claim.write(
            connection, lambda tx: int(run(tx, statement, {"uid": claim.uid})[0][0])
        )
        total += count
        if count < at_once:
            return total


def _release(connection: Connection, claim: Claim, label: str, removed: Removed) -> None:
    """Takes away the Model's edges to shared nodes, and the nodes that nothing else holds."""
    size = "coalesce(n.n_compartments, 0)" if label == "Cell" else "0"
    held = connection.read(
        f"MATCH (:Model {{uid: $uid}})-[:{HOLDS[label]}]->(n:{label}) "
        f"RETURN DISTINCT n.uid AS uid, {size} AS size",
        {"uid": claim.uid},
    ).columns
    for part in cut([1 + size for size in held["size"]], NODES_AT_ONCE):
        uids = held["uid"][part]
        gone = _release_batch(connection, claim, label, uids)
        for of, count in gone.items():
            removed.nodes[of] = removed.nodes.get(of, 0) + count
        removed.n_shared_kept += len(uids) - gone.get(label, 0)


def _release_batch(
    connection: Connection, claim: Claim, label: str, uids: Sequence[str]
) -> dict[str, int]:
    def work(tx: ManagedTransaction) -> dict[str, int]:
        run(
            tx,
            f"UNWIND $uids AS u {find('n', label, 'u')} "
            f"MATCH (n)<-[d:{HOLDS[label]}]-(:Model {{uid: $uid}}) DELETE d",
            {"uids": list(uids), "uid": claim.uid},
        )
        gone = _delete_unheld(tx, label, uids)
        renew_names(tx, label, uids)
        return gone

    return claim.write(connection, work)


def _delete_unheld(tx: ManagedTransaction, label: str, uids: Sequence[str]) -> dict[str, int]:
    unheld = (
        f"UNWIND $uids AS u {find('n', label, 'u')} "
        f"WHERE NOT EXISTS {{ (n)<-[:{HOLDS[label]}]-(:Model) }} "
    )
    gone = {}
    for part, type_ in PARTS.items():
        if (label, part) in EDGES[type_].ends:
            statement = f"{unheld} MATCH (n)-[:{type_}]->(p) DETACH DELETE p RETURN count(*)"
            gone[part] = int(run(tx, statement, {"uids": list(uids)})[0][0])
    gone[label] = int(
        run(tx, f"{unheld} DETACH DELETE n RETURN count(*)", {"uids": list(uids)})[0][0]
    )
    return gone


def count_version(connection: Connection, uids: Sequence[str]) -> tuple[dict[str, int], int]:
    """Nodes that would go with these Models, by label, and shared nodes that would stay."""
    nodes = {"Model": len(uids)}
    for label in owned_labels():
        statement = f"MATCH (n:{label}) WHERE n.model_uid IN $uids RETURN count(*) AS n"
        nodes[label] = connection.read(statement, {"uids": list(uids)}).columns["n"][0]
    kept = 0
    for label, type_ in HOLDS.items():
        size = "sum(n.n_compartments)" if label == "Cell" else "0"
        found = connection.read(
            f"MATCH (m:Model)-[:{type_}]->(n:{label}) WHERE m.uid IN $uids WITH DISTINCT n "
            f"WITH n, EXISTS {{ MATCH (o:Model)-[:{type_}]->(n) "
            "WHERE NOT o.uid IN $uids } AS stays "
            f"RETURN stays, count(*) AS n, {size} AS parts",
            {"uids": list(uids)},
        )
        for row in found.rows():
            if row["stays"]:
                kept += row["n"]
                continue
            nodes[label] = nodes.get(label, 0) + row["n"]
            if row["parts"]:
                nodes["Compartment"] = row["parts"]
    return {label: n for label, n in nodes.items() if n and label in NODES}, kept
