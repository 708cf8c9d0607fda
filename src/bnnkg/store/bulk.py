"""A first load through ``neo4j-admin``'s import: a fraction of the cost of transactions."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from bnnkg.errors import StoreError
from bnnkg.progress import Progress, silent
from bnnkg.schema.records import GraphTables
from bnnkg.store.admin_files import AFTER, ARGUMENTS, AdminFiles
from bnnkg.store.connection import Connection
from bnnkg.store.opening import prepare
from bnnkg.store.results import LoadResult
from bnnkg.store.server.importing import import_files

WORTH_ROWS = 1_000_000
"""From so many nodes and edges on, a first load takes less through the import."""


def is_empty(connection: Connection) -> bool:
    """Whether the graph holds nothing but the Store node."""
    rows = connection.read("RETURN EXISTS { MATCH (n) WHERE NOT n:Store } AS full")
    return not rows.columns["full"][0]


def write_files(folder: Path, models: Iterable[GraphTables]) -> tuple[AdminFiles, list[LoadResult]]:
    """Writes models as files for ``neo4j-admin database import``.

    Args:
        folder: An empty folder.
        models: Each the tables of one Model.

    Returns:
        What was written, and what will have become of each model.

    Raises:
        SchemaError: The tables of one do not fit the declaration, or cannot be written.
    """
    with AdminFiles(folder) as files:
        results = []
        for tables in models:
            model = files.add(tables)
            results.append(LoadResult("loaded", model["uid"], model["key"], *tables.counts()))
    return files, results


def import_command(folder: Path) -> str:
    """The commands that import the files of a folder, for whoever runs the server."""
    lines = [f"cd {shlex.quote(str(folder.absolute()))}"]
    lines.append(f"neo4j-admin database import full neo4j @{ARGUMENTS}  # the server stopped")
    if folder.joinpath(AFTER).exists():
        lines.append(f"cypher-shell -d neo4j -f {AFTER}  # the server started again")
    return "\n".join(lines)


def import_models(
    home: Path, models: Iterable[GraphTables], progress: Progress = silent
) -> tuple[AdminFiles, list[LoadResult]]:
    """Fills the empty database of a folder, whose server is stopped for that.

    Raises:
        SchemaError: As :func:`write_files`; the database is as it was.
        ServerError: The import fails; the database is empty.
    """
    with TemporaryDirectory(prefix="import-", dir=home) as folder:
        files, results = write_files(Path(folder), models)
        if results:
            import_files(home, Path(folder), ARGUMENTS, progress)
    return files, results


def complete(connection: Connection, files: AdminFiles, store_id: str) -> None:
    """Makes the constraints, and what the import cannot bring; counts what it brought.

    Raises:
        StoreError: The database does not hold what was written.
    """
    prepare(connection, store_id)
    for statement, uids in files.blank.items():
        connection.write(f"UNWIND $uids AS uid {statement}", {"uids": uids})
    for label, expected in files.nodes.items():
        _compare(connection, f"(x:{label})", label, expected)
    for type_, expected in files.edges.items():
        _compare(connection, f"()-[x:{type_}]->()", type_, expected)


def _compare(connection: Connection, pattern: str, what: str, expected: int) -> None:
    found = connection.read(f"MATCH {pattern} RETURN count(x) AS n").columns["n"][0]
    if found != expected:
        raise StoreError(
            "the import did not bring all that was written",
            where=what, expected=f"{expected:,}", found=f"{found:,}",
            hint="name another folder with --db, and load without --bulk",
        )  # fmt: skip
