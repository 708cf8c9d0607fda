"""What a catalogue tells: values without a database behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

RunStatus = Literal["running", "done", "failed", "interrupted"]


@dataclass(frozen=True)
class Artefact:
    """A file that a run left.

    Attributes:
        path: Relative to the folder of the runs.
        sha256: Hash of its content, 64 hex digits.
    """

    path: str
    sha256: str


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        id: Day and time of day, such as ``20261124-7k2f``; sorts by time.
        store_id: The graph that it learned from.
        created: When it began, UTC.
        updated: When it last told the catalogue something, UTC.
        status: Where it stands; a run whose process was killed stays ``running``.
        config: What was asked for.
        seed: The base seed.
        seeds: How many seeds were, or are to be, trained.
        models: ``{"uid", "key"}`` of each Model that it trained or tested on.
        split: How held-out data were chosen.
        metrics: ``held_out``, ``chance``, ``gate``, ``agreement``, ``curves`` ... as they come.
        artefacts: Files that it left.
    """

    id: str
    store_id: str
    created: datetime
    updated: datetime
    status: RunStatus
    config: Mapping[str, Any]
    seed: int
    seeds: int
    models: Sequence[Mapping[str, str]]
    split: str | None
    metrics: Mapping[str, Any]
    artefacts: Sequence[Artefact]


@dataclass(frozen=True)
class Ingest:
    """One call of ``bnnkg ingest``.

    Attributes:
        id: Counts up.
        store_id: The graph that it wrote to.
        created: When it ended, UTC.
        sources: As they were given.
        models: One per source: ``source``, ``model``, ``tier``, ``status``, ``reason``.
        report: The whole report, with ``totals``.
    """

    id: int
    store_id: str
    created: datetime
    sources: Sequence[str]
    models: Sequence[Mapping[str, Any]]
    report: Mapping[str, Any]


@dataclass(frozen=True)
class SourceEntry:
    """The last word on one source of a graph.

    Attributes:
        store_id: The graph.
        key: Key of its model, or what would be its key.
        source: As it was given.
        fingerprint: Hash of its content and of how it was read; absent where it was not reached.
        model: key@version; absent where nothing was loaded.
        tier: static or executed.
        status: loaded, partial, skipped or failed.
        cause: Kind of failure, the same words for all that fail for it.
        reason: Why, in one sentence.
    """

    store_id: str
    key: str
    source: str
    fingerprint: str | None
    model: str | None
    tier: str | None
    status: str
    cause: str
    reason: str
