"""Writing many rows in transactions of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bnnkg.errors import StoreError
from bnnkg.progress import Progress, silent
from bnnkg.schema.columns import Same
from bnnkg.store.connection import Connection, run
from bnnkg.store.lease import Claim

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

MAX_WEIGHT = 150_000
"""Values in one transaction: some 20 MB of its state in the server's heap."""


@dataclass(frozen=True)
class Step:
    """One statement of a transaction.

    Attributes:
        statement: Cypher that returns how many rows it found or made.
        parameters: Its parameters.
        n_rows: How many rows it must find or make.
        weight: How many values it writes.
        locks: Whether it touches shared nodes.
    """

    statement: str
    parameters: Mapping[str, Any]
    n_rows: int
    weight: int
    locks: bool = False


def row_weights(columns: Iterable[Sequence[Any]], n_rows: int, base: int) -> Sequence[int]:
    """Values that each row writes: ``base``, and the lengths of its lists."""
    lists = [c for c in columns if any(isinstance(value, list) for value in c[:100])]
    if not lists:
        return Same(base, n_rows)
    weights = [base] * n_rows
    for column in lists:
        for row, value in enumerate(column):
            weights[row] += len(value) if value is not None else 0
    return weights


def cut(weights: Sequence[int], limit: int | None = None) -> Iterator[slice]:
    """Slices of rows that stay below a weight each (a single row may exceed it)."""
    limit = MAX_WEIGHT if limit is None else limit
    start = total = 0
    for row, weight in enumerate(weights):
        if total and total + weight > limit:
            yield slice(start, row)
            start, total = row, 0
        total += weight
    if start < len(weights):
        yield slice(start, len(weights))


@dataclass
class Writer:
    """Writes steps under a claim, exactly once each.

    Attributes:
        connection: Where to.
        claim: What it holds, and renews with each transaction.
        progress: Told of the rows written.
        task: Under which words.
        total: Rows that there are.
        done: Rows that are written.
    """

    connection: Connection
    claim: Claim
    progress: Progress = silent
    task: str = "writing"
    total: int = 0
    done: int = 0

    def write(self, steps: Iterable[Step]) -> None:
        """Writes all steps, several to a transaction where they are small."""
        pack: list[Step] = []
        weight = 0
        for step in steps:
            if pack and weight + step.weight > MAX_WEIGHT:
                self.commit(pack)
                pack, weight = [], 0
            pack.append(step)
            weight += step.weight
        if pack:
            self.commit(pack)

    def commit(self, pack: Sequence[Step]) -> None:
        """Writes steps in one transaction."""

        def work(tx: ManagedTransaction) -> None:
            for step in pack:
                _check(step, run(tx, step.statement, step.parameters))

        lock = any(step.locks for step in pack)
        self.claim.write(self.connection, work, lock=lock)
        self.done += sum(step.n_rows for step in pack)
        self.progress(self.task, self.done, max(self.total, self.done))


def _check(step: Step, rows: list[list[Any]]) -> None:
    found = int(rows[0][0]) if rows else 0
    if found != step.n_rows:
        raise StoreError(
            "the graph lacks nodes or edges that were to be written on",
            where=step.statement.splitlines()[1][:80],
            expected=f"{step.n_rows} rows",
            found=f"{found}",
            hint="a model may have been removed meanwhile: run the command again",
        )
