"""Removing what nobody finishes: half-loaded, replaced, half-annotated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnnkg.progress import Progress, silent
from bnnkg.store.attention import remove_run
from bnnkg.store.connection import Connection, run
from bnnkg.store.lease import Claim, is_dead, now_ms, signed
from bnnkg.store.removal import remove_version
from bnnkg.store.statements import LOCK

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

_UNFINISHED = (
    "MATCH (n:Model) WHERE n.status <> 'current' "
    "RETURN 'Model' AS label, n.uid AS uid, n.lease_owner, n.lease_until_ms, n.key AS key "
    "UNION ALL MATCH (n:AttentionRun) WHERE n.status <> 'current' "
    "RETURN 'AttentionRun' AS label, n.uid AS uid, n.lease_owner, n.lease_until_ms, '' AS key"
)


def sweep(
    connection: Connection,
    *,
    only: str | None = None,
    key: str | None = None,
    progress: Progress = silent,
) -> tuple[str, ...]:
    """Removes models and annotations that are not current and that nobody is writing.

    Args:
        connection: Where.
        only: uid of the one that it is about; all where absent.
        key: Key of the models that it is about; all where absent.
        progress: Told of the nodes removed.

    Returns:
        Names of annotations that lost their means over instances.
    """
    stale: set[str] = set()
    with signed() as owner:
        for claim in _take_over(connection, owner, only, key):
            if claim.label == "Model":
                stale |= remove_version(connection, claim, progress).stale_runs
            else:
                remove_run(connection, claim, progress)
    return tuple(sorted(stale))


def _take_over(
    connection: Connection, owner: str, only: str | None, key: str | None
) -> list[Claim]:
    """Claims what is unfinished and dead, so that another process leaves it alone."""

    def work(tx: ManagedTransaction) -> list[Claim]:
        run(tx, LOCK, {"now": now_ms()})
        claims = [
            Claim(label, uid, owner)
            for label, uid, other, until_ms, of_key in run(tx, _UNFINISHED)
            if only in (None, uid)
            and key in (None, of_key)
            and (other == owner or is_dead(other, until_ms))
        ]
        for claim in claims:
            run(tx, _take(claim.label), vars(claim))
        return claims

    return connection.transact(work)


def _take(label: str) -> str:
    superseded = ", n.status = 'superseded'" if label == "Model" else ""
    return (
        f"MATCH (n:{label} {{uid: $uid}}) "
        f"SET n.lease_owner = $owner, n.lease_until_ms = $until_ms{superseded}"
    )
