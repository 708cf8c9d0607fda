"""The store: one object over one database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bnnkg.errors import ServerError, StoreUnavailableError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.store.connection import Connection
from bnnkg.store.results import LoadResult, RemoveResult
from bnnkg.store.table import Table

if TYPE_CHECKING:
    from py2neo import Graph

    from bnnkg.schema import GraphTables, NodeTable
    from bnnkg.schema.scores import AttentionScores

_NOTHING: Mapping[str, Any] = {}
_TRIES = 3
_PAUSE_S = 0.5


class Store:
    """A graph database, open. Use it as a context, or call ``close``.

    Attributes:
        store_id: Identity that a catalogue refers to; empty where nothing was ever written.
        uri: Address, without credentials.
    """

    def __init__(self, connection: Connection, store_id: str, home: Path | None = None) -> None:
        self._connection = connection
        self._home = home
        self.store_id = store_id
        self.uri = connection.uri

    @classmethod
    def open(
        cls,
        db: str | Path,
        *,
        user: str | None = None,
        password: str | None = None,
        write: bool = True,
        progress: Progress = silent,
    ) -> Self:
        """Opens a database.

        Args:
            db: A folder, whose local server is started if it does not run, or the address of a
                server: ``bolt://``, ``neo4j://``, or their ``+s`` forms.
            user: Name of the user at an address.
            password: Its password.
            write: Whether anything will be written: constraints are then made on first use, and
                what a killed process left is removed.
            progress: Told of the server's download and start.

        Raises:
            StoreUnavailableError: Nothing answers.
            StoreAuthError: It answers, but not to these credentials.
            StoreVersionError: A newer version of this package wrote the graph.
            ServerError: The local server cannot be started.
        """
        if isinstance(db, str) and "://" in db:
            return cls._over(Connection(db, user, password), None, write, progress)
        home = Path(db)
        for _ in range(_TRIES - 1):
            try:
                return cls._over(_connect(home, progress), home, write, progress)
            except StoreUnavailableError:
                time.sleep(_PAUSE_S)  # it ended just after it was found running: start it again
        return cls._over(_connect(home, progress), home, write, progress)

    @classmethod
    def _over(
        cls, connection: Connection, home: Path | None, write: bool, progress: Progress
    ) -> Self:
        try:
            return cls(connection, _prepare(connection, write, progress), home)
        except BaseException:
            connection.close()
            raise

    @property
    def server_version(self) -> str:
        """Version of Neo4j, such as 5.26.30."""
        return self._connection.server_agent.rpartition("/")[2]

    def read(self, cypher: str, parameters: Mapping[str, Any] = _NOTHING) -> Table:
        """Runs a query of this package, read-only.

        Raises:
            QueryError: It does not parse, misses a parameter, or fails.
        """
        return self._connection.read(cypher, parameters)

    def read_untrusted(self, cypher: str, parameters: Mapping[str, Any] = _NOTHING) -> Table:
        """Runs a user's query, judged before it is run.

        Raises:
            WriteRefusedError: It would change the database or reach outside it.
            QueryError: It does not parse, misses a parameter, or fails.
        """
        from bnnkg.store.readonly import judge

        judge(self._connection, cypher, parameters)
        return self._connection.read(cypher, parameters)

    def write(self, cypher: str, parameters: Mapping[str, Any] = _NOTHING) -> Table:
        """Runs a user's query that may change the graph.

        Raises:
            QueryError: It does not parse, misses a parameter, or fails.
        """
        return self._connection.write(cypher, parameters)

    def load_model(self, tables: GraphTables, *, progress: Progress = silent) -> LoadResult:
        """Loads a model, whole or not at all, in place of another version of its key.

        Args:
            tables: One Model, all that it owns, and the shared nodes that it defines.
            progress: Told of the rows written.

        Raises:
            SchemaError: The tables do not fit the declaration, or are not one whole model.
            StoreError: The database refuses; nothing of the model stays.
        """
        from bnnkg.store.loading import load_model

        return load_model(self._connection, tables, progress)

    def prefers_import(self, tables: GraphTables) -> bool:
        """Whether a model takes less through :meth:`import_models` than through `load_model`."""
        from bnnkg.store.bulk import WORTH_ROWS, is_empty

        n_rows = sum(sum(counts.values()) for counts in tables.counts())
        return n_rows > WORTH_ROWS and self._home is not None and is_empty(self._connection)

    def import_models(
        self, models: Iterable[GraphTables], *, progress: Progress = silent
    ) -> list[LoadResult]:
        """Loads models into an empty local database through ``neo4j-admin``, all or none.

        Its server is stopped for that, and then started again: other clients lose it meanwhile.

        Args:
            models: Each as for :meth:`load_model`.
            progress: Told of the seconds that it takes.

        Raises:
            UsageError: The database is not local, or not empty.
            SchemaError: The tables of one do not fit; the database stays empty.
            ServerError: The import fails; the database stays empty.
        """
        from bnnkg.store.bulk import complete, import_models, is_empty

        if self._home is None or not is_empty(self._connection):
            raise UsageError(
                "a bulk load needs a local database with nothing in it",
                where=self.uri,
                found="a server" if self._home is None else "a graph",
                hint="leave out --bulk, or name a new folder with --db; for a server, "
                "bnnkg export --format neo4j-admin writes the files",
            )
        self._connection.close()
        try:
            files, results = import_models(self._home, models, progress)
        finally:
            self._connection = _connect(self._home, progress)
            self.uri = self._connection.uri
        if results:
            complete(self._connection, files, self.store_id)
        return results

    def remove_models(
        self, keys: Sequence[str], *, dry_run: bool = False, progress: Progress = silent
    ) -> RemoveResult:
        """Removes models, and the shared nodes that nothing else defines.

        Args:
            keys: Keys or uids.
            dry_run: Counts what would go.
            progress: Told of the nodes removed.

        Raises:
            UnknownModelError: One is not in the graph; then nothing is removed.
        """
        from bnnkg.store.models import remove_models

        return remove_models(self._connection, keys, dry_run=dry_run, progress=progress)

    def models(self) -> Table:
        """The models, those in progress included: who they are and how much each has."""
        from bnnkg.store.reading import list_models

        return Table(list_models(self._connection))

    def model_uid(self, key_or_uid: str) -> str:
        """The uid of the current model of that key or uid.

        Raises:
            UnknownModelError: There is none.
        """
        from bnnkg.store.reading import find_model

        return find_model(self._connection, key_or_uid)

    def read_model(self, key_or_uid: str, *, progress: Progress = silent) -> GraphTables:
        """A model as it was loaded, rows in order of uid, without learned properties.

        Raises:
            UnknownModelError: There is none of that key or uid.
        """
        from bnnkg.store.reading import read_model

        return read_model(self._connection, self.model_uid(key_or_uid), progress)

    def read_nodes(self, key_or_uid: str, labels: Sequence[str]) -> GraphTables:
        """Only a model's nodes of these labels: a fraction of the cost of all of it.

        Raises:
            UnknownModelError: There is none of that key or uid.
        """
        from bnnkg.store.reading import read_nodes

        return read_nodes(self._connection, self.model_uid(key_or_uid), labels)

    def statement_hashes(self) -> Mapping[str, list[Any]]:
        """Columns ``uid`` and ``statement_hashes`` of the mechanisms that came as NMODL."""
        from bnnkg.store.similar import statement_hashes

        return statement_hashes(self._connection)

    def write_similar(
        self,
        src: Sequence[str],
        dst: Sequence[str],
        similarity: Sequence[float],
        *,
        progress: Progress = silent,
    ) -> None:
        """Joins mechanisms that are near copies, each pair once however often it is written.

        Args:
            src: Uids of Mechanisms.
            dst: Uids of the other of each pair.
            similarity: Share of statements that the two have in common, 0 to 1.
            progress: Told of the pairs written.
        """
        from bnnkg.store.similar import write_similar

        write_similar(self._connection, src, dst, similarity, progress)

    def write_attention(
        self,
        run: NodeTable,
        scores: AttentionScores,
        *,
        name: str,
        dry_run: bool = False,
        progress: Progress = silent,
    ) -> dict[str, int]:
        """Writes a run's scores on the graph, in place of those of an earlier run of that name.

        Args:
            run: One AttentionRun; its name and status are set here.
            scores: What the network learned.
            name: Name that ends the properties; empty for the unnamed run.
            dry_run: Counts, and checks the models, but writes nothing.
            progress: Told of the rows written.

        Returns:
            Nodes by label and edges by type that carry scores.

        Raises:
            UsageError: The name cannot end a property.
            ModelChangedError: A model is no longer the version that the scores are about.
        """
        from bnnkg.store.attention import write_attention

        return write_attention(
            self._connection, run, scores, name, dry_run=dry_run, progress=progress
        )

    def remove_attention(self, name: str, *, progress: Progress = silent) -> dict[str, int]:
        """Takes back the annotation of a name; returns, per AttentionRun, how many models had it.

        Raises:
            UnknownRunError: There is none.
        """
        from bnnkg.store.attention import remove_named

        return remove_named(self._connection, name, progress=progress)

    def attention_runs(self) -> Table:
        """The annotations, with their provenance and the keys of the models that carry them."""
        from bnnkg.store.models import list_runs

        return list_runs(self._connection)

    def py2neo(self) -> Graph:
        """A ``py2neo.Graph`` on the same database.

        Raises:
            UsageError: The extra ``py2neo`` is not installed.
        """
        from bnnkg.store.models import open_py2neo

        return open_py2neo(self._connection)

    def close(self) -> None:
        """Lets go of the database; a local server goes on running."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _connect(home: Path, progress: Progress) -> Connection:
    from bnnkg.store.server import read_password, start

    uri = start(home, progress=progress).uri
    if uri is None:
        raise ServerError("the local server runs, but tells no address", where=str(home))
    return Connection(uri, "neo4j", read_password(home))


def _prepare(connection: Connection, write: bool, progress: Progress) -> str:
    from bnnkg.store.opening import prepare, read_header

    header = read_header(connection)
    if not write:
        return header.store_id
    store_id = header.store_id or prepare(connection)
    if header.unfinished:
        from bnnkg.store.sweep import sweep

        sweep(connection, progress=progress)
    return store_id
