"""The one Bolt path to the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from bnnkg.errors import UsageError
from bnnkg.store.driver import import_driver
from bnnkg.store.failures import translated
from bnnkg.store.table import Table, to_table

if TYPE_CHECKING:
    from neo4j import ManagedTransaction, ResultSummary, Session


T = TypeVar("T")

FETCH_ROWS = 20_000
CONNECT_S = 10.0
RETRY_S = 10.0


class Connection:
    """A driver, its sessions, and its errors in our words.

    Args:
        uri: Address, without credentials.
        user: Name of the user; none where the database asks for none.
        password: Its password.

    Raises:
        StoreUnavailableError: The address has another form.
        UsageError: The address carries credentials.
    """

    def __init__(self, uri: str, user: str | None, password: str | None) -> None:
        import_driver()
        from neo4j import GraphDatabase

        if "@" in urlsplit(uri).netloc:
            raise UsageError(
                "an address must not carry credentials",
                where=uri.rpartition("@")[2],
                hint="set BNNKG_USER and BNNKG_PASSWORD instead",
            )
        self.uri = uri
        self.user = user
        self.password = password
        self.server_agent = ""
        with translated(uri):
            self._driver = GraphDatabase.driver(
                uri,
                auth=(user or "neo4j", password) if password is not None else None,
                connection_timeout=CONNECT_S,
                max_transaction_retry_time=RETRY_S,
                notifications_min_severity="OFF",
                fetch_size=FETCH_ROWS,
            )

    def read(self, cypher: str, parameters: Mapping[str, Any] | None = None) -> Table:
        """Runs a query of this package in a session that cannot write."""
        with translated(self.uri, cypher), self._session("READ") as session:
            return self._table(session, cypher, parameters)

    def explain(self, cypher: str, parameters: Mapping[str, Any]) -> ResultSummary:
        """The plan of a query, which is not run."""
        prefix = "EXPLAIN "
        with translated(self.uri, cypher, added=len(prefix)), self._session("READ") as session:
            return session.run(prefix + cypher, dict(parameters)).consume()

    def write(self, cypher: str, parameters: Mapping[str, Any] | None = None) -> Table:
        """Runs a user's query that may write, in a transaction of its own."""
        with translated(self.uri, cypher), self._session("WRITE") as session:
            return self._table(session, cypher, parameters)

    def transact(self, work: Callable[[ManagedTransaction], T]) -> T:
        """Runs work in one transaction, again where a passing failure undid it.

        A commit whose acknowledgement was lost is run again too: the work must see by itself that
        it has been done.
        """
        with translated(self.uri), self._session("WRITE") as session:
            return session.execute_write(work)

    def close(self) -> None:
        """Lets go of the database."""
        self._driver.close()

    def _session(self, mode: str) -> Session:
        return self._driver.session(
            default_access_mode=mode,
            bookmark_manager=self._driver.execute_query_bookmark_manager,
        )

    def _table(self, session: Session, cypher: str, parameters: Mapping[str, Any] | None) -> Table:
        result = session.run(cypher, dict(parameters or {}))
        keys = result.keys()
        table = to_table(keys, (tuple(record.values()) for record in result))
        if not self.server_agent:
            self.server_agent = result.consume().server.agent
        return table


def run(
    tx: ManagedTransaction, cypher: str, parameters: Mapping[str, Any] | None = None
) -> list[list[Any]]:
    """Runs one statement of a transaction and returns its rows."""
    return tx.run(cypher, dict(parameters or {})).values()
