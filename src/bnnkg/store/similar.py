"""Near copies among mechanisms: edges between shared nodes that no model owns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bnnkg.progress import Progress, silent
from bnnkg.store.connection import Connection, run
from bnnkg.store.lease import now_ms
from bnnkg.store.statements import LOCK, find

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

AT_ONCE = 10_000


def statement_hashes(connection: Connection) -> dict[str, list[Any]]:
    """Columns ``uid`` and ``statement_hashes`` of the mechanisms that came as NMODL."""
    return connection.read(
        "MATCH (m:Mechanism) WHERE m.statement_hashes IS NOT NULL "
        "RETURN m.uid AS uid, m.statement_hashes AS statement_hashes"
    ).columns


def write_similar(
    connection: Connection,
    src: Sequence[str],
    dst: Sequence[str],
    similarity: Sequence[float],
    progress: Progress = silent,
) -> None:
    """Joins pairs of mechanisms; a pair that is joined already is joined once.

    A mechanism that was removed meanwhile is passed over: its near copies went with it.
    """
    statement = "\n".join(
        [
            "UNWIND range(0, size($src) - 1) AS i",
            find("a", "Mechanism", "$src[i]"),
            find("b", "Mechanism", "$dst[i]"),
            "MERGE (a)-[e:SIMILAR_TO]->(b) SET e.similarity = $similarity[i]",
        ]
    )
    for start in range(0, len(src), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        names = ("src", "dst", "similarity")
        columns = [list(column[part]) for column in (src, dst, similarity)]
        _write(connection, statement, dict(zip(names, columns, strict=True)))
        progress("joining near copies", min(start + AT_ONCE, len(src)), len(src))


def _write(connection: Connection, statement: str, columns: dict[str, list[Any]]) -> None:
    def work(tx: ManagedTransaction) -> None:
        run(tx, LOCK, {"now": now_ms()})
        run(tx, statement, columns)

    connection.transact(work)
