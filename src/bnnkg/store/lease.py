"""Who is writing a model or an annotation, and whether that process still lives.

A writer puts its claim on the node that it fills: its host, process and start time, and until
when the claim holds. Every batch renews it. The renewal also makes batches exact: it moves the end
of the claim strictly forward, so a batch that is sent again after a lost acknowledgement finds
its own end already there and does nothing.
"""

from __future__ import annotations

import itertools
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bnnkg.errors import StoreError, StoreUnavailableError
from bnnkg.store.connection import Connection, run
from bnnkg.store.server.processes import created
from bnnkg.store.statements import LOCK

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

T = TypeVar("T")
log = logging.getLogger(__name__)

LEASE_MS = 300_000
_live: set[str] = set()
_serial = itertools.count()
_guard = threading.Lock()


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@contextmanager
def signed() -> Iterator[str]:
    """A signature for claims: host, process, its start time, a number; good inside the context."""
    with _guard:
        owner = f"{_process()}|{next(_serial)}"
        _live.add(owner)
    try:
        yield owner
    finally:
        with _guard:
            _live.discard(owner)


def is_dead(owner: str | None, until_ms: int | None) -> bool:
    """Whether nobody holds a claim any more.

    Args:
        owner: Who claimed it.
        until_ms: When the claim ends.

    Returns:
        For a process of this host, whether it is gone; for another host, whether the claim ended.
    """
    if not owner or until_ms is None:
        return True
    if owner.startswith(f"{_process()}|"):
        return owner not in _live
    host, pid, started, _ = owner.split("|")
    if host == _host():
        return str(created(int(pid))) != started
    return until_ms < now_ms()


@contextmanager
def undone_on_failure(undo: Callable[[], object]) -> Iterator[None]:
    """Takes back what is half written when the work inside fails, and lets the failure pass.

    Where the database is away, or will not, whoever opens the store next takes it back.
    """
    try:
        yield
    except StoreUnavailableError:
        raise
    except BaseException:
        try:
            undo()
        except StoreError as error:
            log.warning("what is half written stays until the store is next opened: %s", error)
        raise


def _process() -> str:
    return f"{_host()}|{os.getpid()}|{created(os.getpid())}"


def _host() -> str:
    """This host; containers of one name differ in their process namespace."""
    namespace = Path("/proc/self/ns/pid")
    return f"{platform.node()}:{namespace.readlink() if namespace.is_symlink() else ''}"


@dataclass
class Claim:
    """A process's claim on a node.

    Attributes:
        label: ``Model`` or ``AttentionRun``.
        uid: The node.
        owner: Signature of the process.
        until_ms: When the claim ends unless renewed.
    """

    label: str
    uid: str
    owner: str
    until_ms: int = field(default_factory=lambda: now_ms() + LEASE_MS)

    def write(
        self, connection: Connection, work: Callable[[ManagedTransaction], T], *, lock: bool = True
    ) -> T:
        """Runs work in one transaction under the claim, exactly once, and returns its result.

        Args:
            connection: Where.
            work: What to do in the transaction.
            lock: Whether it touches shared nodes: then the lock on the Store node is taken first.
        """
        until_ms = self.next_end()
        results: list[T] = []

        def attempt(tx: ManagedTransaction) -> T:
            if lock:
                run(tx, LOCK, {"now": now_ms()})
            if self.renew(tx, until_ms):
                results[:] = [work(tx)]
            return results[0]  # of the attempt whose acknowledgement was lost, else of this one

        return connection.transact(attempt)

    def next_end(self) -> int:
        """Moves the end of the claim forward, once for each batch, and returns it."""
        self.until_ms = max(now_ms() + LEASE_MS, self.until_ms + 1)
        return self.until_ms

    def renew(self, tx: ManagedTransaction, until_ms: int) -> bool:
        """Renews the claim inside a batch's transaction.

        Returns:
            False where this very batch has been committed before.

        Raises:
            StoreError: The node is gone or another process took it over.
        """
        rows = run(
            tx,
            f"MATCH (n:{self.label} {{uid: $uid}}) WHERE n.lease_owner = $owner "
            "WITH n, n.lease_until_ms AS before SET n.lease_until_ms = $until RETURN before",
            {"uid": self.uid, "owner": self.owner, "until": until_ms},
        )
        if not rows:
            raise StoreError(
                "another process took over what this one was writing",
                where=f"{self.label} {self.uid}",
                hint="run the command again",
            )
        return bool(rows[0][0] < until_ms)
