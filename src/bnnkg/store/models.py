"""What is in the store: models and annotations told, models removed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bnnkg.errors import UsageError
from bnnkg.progress import Progress, silent
from bnnkg.schema.graph import node_type
from bnnkg.store.connection import Connection, run
from bnnkg.store.lease import Claim, now_ms, signed
from bnnkg.store.reading import find_model
from bnnkg.store.removal import count_version, remove_version
from bnnkg.store.results import RemoveResult
from bnnkg.store.statements import LOCK
from bnnkg.store.table import Table

if TYPE_CHECKING:
    from neo4j import ManagedTransaction
    from py2neo import Graph


def remove_models(
    connection: Connection,
    keys: Sequence[str],
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> RemoveResult:
    """Removes models, and the shared nodes that nothing else defines.

    Raises:
        UnknownModelError: One is not in the graph; then nothing is removed.
    """
    uids = list(dict.fromkeys(find_model(connection, key) for key in keys))
    stale = _stale_runs(connection, uids)
    if dry_run:
        nodes, kept = count_version(connection, uids)
        return RemoveResult(tuple(keys), nodes, kept, stale, dry_run=True)
    nodes, kept = {}, 0
    with signed() as owner:
        for claim in _supersede(connection, uids, owner):
            removed = remove_version(connection, claim, progress)
            kept = removed.n_shared_kept
            for label, count in removed.nodes.items():
                nodes[label] = nodes.get(label, 0) + count
    return RemoveResult(tuple(keys), nodes, kept, stale)


def _supersede(connection: Connection, uids: Sequence[str], owner: str) -> list[Claim]:
    claims = [Claim("Model", uid, owner) for uid in uids]

    def work(tx: ManagedTransaction) -> None:
        run(tx, LOCK, {"now": now_ms()})
        for claim in claims:
            run(
                tx,
                "MATCH (m:Model {uid: $uid}) SET m.status = 'superseded', "
                "m.lease_owner = $owner, m.lease_until_ms = $until_ms",
                vars(claim),
            )

    connection.transact(work)
    return claims


def _stale_runs(connection: Connection, uids: Sequence[str]) -> tuple[str, ...]:
    """Names of annotations on these models that stay on others."""
    found = connection.read(
        "MATCH (r:AttentionRun)-[:ANNOTATES]->(m:Model) WHERE m.uid IN $uids "
        "AND EXISTS { MATCH (r)-[:ANNOTATES]->(o:Model) WHERE NOT o.uid IN $uids } "
        "RETURN DISTINCT r.name AS name ORDER BY name",
        {"uids": list(uids)},
    )
    return tuple(found.columns["name"])


def list_runs(connection: Connection) -> Table:
    """The annotations, with their provenance and the keys of the models that carry them."""
    names = [p.name for p in node_type("AttentionRun").properties if "lease" not in p.name]
    returned = ", ".join(f"r.{name} AS {name}" for name in names)
    return connection.read(
        f"MATCH (r:AttentionRun) RETURN {returned}, "
        "COLLECT { MATCH (r)-[:ANNOTATES]->(m:Model) RETURN m.key ORDER BY m.key } AS models "
        "ORDER BY name, uid"
    )


def open_py2neo(connection: Connection) -> Graph:
    """A ``py2neo.Graph`` on the same database.

    Raises:
        UsageError: The extra ``py2neo`` is not installed.
    """
    try:
        from py2neo import Graph
    except ImportError as error:
        raise UsageError("py2neo is not installed", hint='pip install "bnnkg[py2neo]"') from error
    if connection.password is None:
        return Graph(connection.uri)
    return Graph(connection.uri, auth=(connection.user or "neo4j", connection.password))
