"""What a database must have before anything is written, and who it is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from bnnkg.errors import StoreVersionError
from bnnkg.schema.graph import SCHEMA_VERSION, constraint_statements
from bnnkg.store.connection import Connection, run

_HEADER = (
    "OPTIONAL MATCH (s:Store {uid: 'store'}) "
    "RETURN s.store_id AS store_id, s.schema_version AS version, "
    "COUNT { MATCH (m:Model) WHERE m.status <> 'current' } + "
    "COUNT { MATCH (r:AttentionRun) WHERE r.status <> 'current' } AS unfinished"
)


@dataclass(frozen=True)
class Header:
    """What one question tells of a database.

    Attributes:
        store_id: Its identity; empty where nothing was ever written.
        unfinished: Models and annotations that are not current.
    """

    store_id: str
    unfinished: int


def read_header(connection: Connection) -> Header:
    """Asks a database who it is.

    Raises:
        StoreVersionError: A newer version of this package wrote its graph.
    """
    columns = connection.read(_HEADER).columns
    version = columns["version"][0]
    if version is not None and version > SCHEMA_VERSION:
        raise StoreVersionError(
            "a newer version of bnnkg wrote this graph",
            where=connection.uri,
            expected=f"schema version {SCHEMA_VERSION} or older",
            found=f"schema version {version}",
            hint="upgrade bnnkg (pip install --upgrade bnnkg), or choose another --db",
        )
    return Header(columns["store_id"][0] or "", columns["unfinished"][0])


def prepare(connection: Connection, store_id: str = "") -> str:
    """Makes the constraints, the indexes and the Store node, and returns the store's id.

    A new Store node gets the id that is given, or one of its own.

    Two processes may do so at once: the database takes a lock on its schema, and the Store node
    is merged once its uid is unique.
    """
    connection.transact(lambda tx: [run(tx, statement) for statement in constraint_statements()])
    connection.write("CALL db.awaitIndexes(300)")
    rows = connection.transact(
        lambda tx: run(
            tx,
            "MERGE (s:Store {uid: 'store'}) "
            "ON CREATE SET s.store_id = $id, s.schema_version = $version RETURN s.store_id",
            {"id": store_id or uuid.uuid4().hex, "version": SCHEMA_VERSION},
        )
    )
    return str(rows[0][0])
