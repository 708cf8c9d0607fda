"""Loading a model: it is in the graph whole, or not at all.

A Model is written with status ``loading`` under a claim, in many transactions; one small
transaction then makes it current and the version that it replaces superseded, and that one is
removed. Who finds a model that is not current, and whose writer is gone, removes it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bnnkg.progress import Progress, silent
from bnnkg.schema.records import GraphTables
from bnnkg.store.batches import Writer
from bnnkg.store.checks import check_model
from bnnkg.store.connection import Connection, run
from bnnkg.store.lease import Claim, is_dead, now_ms, signed, undone_on_failure
from bnnkg.store.owned import owned_steps
from bnnkg.store.removal import remove_version
from bnnkg.store.results import LoadResult
from bnnkg.store.shared import write_shared
from bnnkg.store.statements import LOCK
from bnnkg.store.sweep import sweep

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

WAIT_S = 0.2


@dataclass(frozen=True)
class _Found:
    status: str
    owner: str | None
    until_ms: int | None


@dataclass(frozen=True)
class _Old:
    """A version to be replaced, and whether it has nothing in common with the new one."""

    shares_nothing: bool
    tier: str


def load_model(
    connection: Connection, tables: GraphTables, progress: Progress = silent
) -> LoadResult:
    """Loads a model beside the version that it replaces, then takes its place.

    Args:
        connection: Where to.
        tables: One Model and all that it owns, uses and defines. Its status is set here.
        progress: Told of the rows written.

    Raises:
        SchemaError: The tables do not fit the declaration, or are not one whole model.
        StoreError: The database refuses; nothing of the model stays.
    """
    model = check_model(tables)
    uid, key = str(model["uid"]), str(model["key"])
    with signed() as owner:
        claim = Claim("Model", uid, owner)
        if not _begin(connection, claim, model, progress):
            return LoadResult("unchanged", uid, key, *tables.counts())
        with undone_on_failure(lambda: remove_version(connection, claim)):
            _write(connection, claim, tables, key, progress)
            old = _to_be_replaced(connection, uid, key)
            _make_current(connection, claim, key)
    stale = sweep(connection, key=key, progress=progress)
    if old is None:
        return LoadResult("loaded", uid, key, *tables.counts(), stale_runs=stale)
    return LoadResult("replaced", uid, key, *tables.counts(), old.shares_nothing, stale, old.tier)


def _begin(connection: Connection, claim: Claim, model: dict[str, Any], progress: Progress) -> bool:
    """Makes the Model with status loading; False where this version is current already.

    Waits for another process that is loading or removing the same version.
    """
    while True:
        found = _claim_or_find(connection, claim, model)
        if found is None:
            return True
        if found.status == "current":
            return False
        if not is_dead(found.owner, found.until_ms):
            progress(f"waiting for another process that has {model['key']}", 0)
            time.sleep(WAIT_S)
            continue
        sweep(connection, only=claim.uid)


def _claim_or_find(connection: Connection, claim: Claim, model: dict[str, Any]) -> _Found | None:
    lease = {"lease_owner": claim.owner, "lease_until_ms": claim.next_end()}
    properties = model | {"status": "loading"} | lease

    def work(tx: ManagedTransaction) -> _Found | None:
        run(tx, LOCK, {"now": now_ms()})
        rows = run(
            tx,
            "MATCH (m:Model {uid: $uid}) RETURN m.status, m.lease_owner, m.lease_until_ms",
            {"uid": claim.uid},
        )
        if not rows:
            run(tx, "CREATE (m:Model) SET m = $properties", {"properties": properties})
            return None
        found = _Found(*rows[0])
        mine = (found.owner, found.until_ms) == (claim.owner, lease["lease_until_ms"])
        return None if mine else found  # a commit whose acknowledgement was lost

    return connection.transact(work)


def _write(
    connection: Connection, claim: Claim, tables: GraphTables, key: str, progress: Progress
) -> None:
    nodes, edges = tables.counts()
    total = sum(nodes.values()) + sum(edges.values())
    writer = Writer(connection, claim, progress, f"loading {key}", total)
    write_shared(tables, writer)
    writer.write(owned_steps(tables, claim.uid))
    progress(writer.task, total, total)


def _to_be_replaced(connection: Connection, uid: str, key: str) -> _Old | None:
    """The version to be replaced; None where there is none."""
    rows = connection.read(
        "MATCH (o:Model {key: $key, status: 'current'}) WHERE o.uid <> $uid "
        "MATCH (m:Model {uid: $uid}) "
        "RETURN EXISTS { (o)-[:DEFINES]->(x)<-[:DEFINES]-(m) WHERE NOT x:Network } AS content, "
        "EXISTS { MATCH (o)-[a:DEFINES]->(x) WHERE NOT x:Stimulus "
        "MATCH (m)-[b:DEFINES]->(y) WHERE NOT y:Stimulus AND a.path = b.path } AS path, "
        "o.tier AS tier ORDER BY o.uid",
        {"uid": uid, "key": key},
    ).columns
    if not rows["tier"]:
        return None
    return _Old(not any(rows["content"]) and not any(rows["path"]), rows["tier"][0])


def _make_current(connection: Connection, claim: Claim, key: str) -> None:
    until_ms = claim.next_end()

    def work(tx: ManagedTransaction) -> None:
        run(tx, LOCK, {"now": now_ms()})
        if _status(tx, claim.uid) == "current":
            return  # a commit whose acknowledgement was lost
        claim.renew(tx, until_ms)
        run(
            tx,
            "MATCH (o:Model {key: $key, status: 'current'}) "
            "SET o.status = 'superseded', o.lease_owner = '', o.lease_until_ms = 0",
            {"key": key},
        )
        run(
            tx,
            "MATCH (m:Model {uid: $uid}) SET m.status = 'current' "
            "REMOVE m.lease_owner, m.lease_until_ms",
            {"uid": claim.uid},
        )

    connection.transact(work)


def _status(tx: ManagedTransaction, uid: str) -> str | None:
    rows = run(tx, "MATCH (m:Model {uid: $uid}) RETURN m.status", {"uid": uid})
    return rows[0][0] if rows else None
