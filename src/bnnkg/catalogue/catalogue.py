"""The catalogue: ingests with their reports, runs with what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import exc, orm

from bnnkg.catalogue.engine import make_engine, prepare, wait_for_turn
from bnnkg.catalogue.entries import Artefact, Ingest, Run, RunStatus, SourceEntry
from bnnkg.catalogue.tables import (
    MODEL_COLUMNS,
    ArtefactRow,
    IngestRow,
    ModelRow,
    RunRow,
    SourceRow,
    to_ingest,
    to_run,
    to_source,
)
from bnnkg.errors import CatalogueError, UnknownRunError

_TICK = timedelta(milliseconds=52)  # four digits of base 36 last for a day
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Catalogue:
    """The catalogue behind one URL; several processes may use it at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Opens a catalogue, and makes its tables where there are none.

        Args:
            url: Any URL of SQLAlchemy, such as ``sqlite:///catalogue.sqlite`` or
                ``postgresql://user@host/name``.
            create: Whether to make the file of SQLite; else an absent one reads as empty.

        Raises:
            CatalogueError: The URL is none, its driver is not installed, no database answers, or a
                newer bnnkg made the catalogue.
        """
        catalogue = cls(make_engine(url, create))
        with catalogue._session() as session:
            prepare(session)
        return catalogue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the connections."""
        self._engine.dispose()

    def record_ingest(
        self, *, store_id: str, sources: Sequence[str], report: Mapping[str, Any]
    ) -> int:
        """Keeps the report of an ingest.

        Args:
            store_id: The graph that it wrote to.
            sources: As they were given.
            report: The object that ``bnnkg ingest --json`` prints.

        Returns:
            The ingest's id.
        """
        row = IngestRow(
            store_id=store_id, created=_now(), sources=list(sources), report=dict(report)
        )
        row.models = [
            ModelRow(place=place, **{name: model.get(name) for name in MODEL_COLUMNS})
            for place, model in enumerate(report["models"])
        ]
        with self._session() as session:
            session.add(row)
            session.flush()
            return row.id

    def ingests(self, store_id: str | None = None) -> tuple[Ingest, ...]:
        """Ingests, oldest first; those into one graph where it is given."""
        query = sa.select(IngestRow).order_by(IngestRow.id)
        if store_id is not None:
            query = query.where(IngestRow.store_id == store_id)
        with self._session() as session:
            return tuple(to_ingest(row) for row in session.scalars(query))

    def tell_source(self, entry: SourceEntry) -> None:
        """Keeps the last word on a source, in place of what was said before."""
        with self._session() as session:
            session.merge(SourceRow(updated=_now(), **asdict(entry)))

    def sources(self, store_id: str) -> tuple[SourceEntry, ...]:
        """The last word on each source of a graph, by key."""
        query = sa.select(SourceRow).where(SourceRow.store_id == store_id).order_by(SourceRow.key)
        with self._session() as session:
            return tuple(to_source(row) for row in session.scalars(query))

    def start_run(
        self,
        *,
        store_id: str,
        config: Mapping[str, Any],
        seed: int,
        seeds: int,
        models: Sequence[Mapping[str, str]],
    ) -> str:
        """Enters a run that begins now.

        Args:
            store_id: The graph that it learns from.
            config: What was asked for.
            seed: The base seed.
            seeds: How many seeds are to be trained.
            models: ``{"uid", "key"}`` of each Model.

        Returns:
            Its id, which no other run of this catalogue has.
        """
        now = _now()
        with self._session() as session:
            wait_for_turn(session)
            row = RunRow(
                id=_free_id(session, now), store_id=store_id, created=now, updated=now,
                status="running", config=dict(config), seed=seed, seeds=seeds,
                models=[dict(model) for model in models], metrics={},
            )  # fmt: skip
            session.add(row)
            return row.id

    def update_run(
        self,
        run_id: str,
        *,
        status: RunStatus | None = None,
        split: str | None = None,
        metrics: Mapping[str, Any] | None = None,
        artefacts: Sequence[Artefact] = (),
    ) -> None:
        """Adds to what is known of a run; what is not given stays as it is.

        Args:
            run_id: The run.
            status: Where it stands now.
            split: How held-out data were chosen.
            metrics: Replace those of the same name.
            artefacts: Replace those of the same path.

        Raises:
            UnknownRunError: There is no such run.
        """
        with self._session() as session:
            row = _run_row(session, run_id)
            row.updated = _now()
            row.status = status or row.status
            row.split = split or row.split
            row.metrics = {**row.metrics, **(metrics or {})}
            for artefact in artefacts:
                session.merge(
                    ArtefactRow(run_id=run_id, path=artefact.path, sha256=artefact.sha256)
                )

    def run(self, run_id: str) -> Run:
        """The run of that id.

        Raises:
            UnknownRunError: There is none; the message names the latest.
        """
        with self._session() as session:
            return to_run(_run_row(session, run_id))

    def runs(self, store_id: str | None = None) -> tuple[Run, ...]:
        """Runs, oldest first; those on one graph where it is given."""
        query = sa.select(RunRow).order_by(RunRow.id)
        if store_id is not None:
            query = query.where(RunRow.store_id == store_id)
        with self._session() as session:
            return tuple(to_run(row) for row in session.scalars(query))

    @contextmanager
    def _session(self) -> Iterator[orm.Session]:
        """One transaction; what the database says against it is told as ours."""
        try:
            with orm.Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
        except exc.SQLAlchemyError as error:
            raise CatalogueError(
                "the catalogue cannot be used",
                where=self._engine.url.render_as_string(hide_password=True),
                found=str(getattr(error, "orig", None) or error).strip(),
                hint="see BNNKG_CATALOGUE, and whether its database runs and may be written",
            ) from error


def _now() -> datetime:
    return datetime.now(UTC)


def _free_id(session: orm.Session, now: datetime) -> str:
    """The first id from now on that is not taken."""
    while session.get(RunRow, run_id := name_after(now)) is not None:
        now += _TICK
    return run_id


def name_after(moment: datetime) -> str:
    """The day, and the time of day in base 36: ids that are short and sort by time."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    tick = (moment - midnight) // _TICK
    digits = "".join(_DIGITS[tick // 36**place % 36] for place in (3, 2, 1, 0))
    return f"{moment:%Y%m%d}-{digits}"


def _run_row(session: orm.Session, run_id: str) -> RunRow:
    row = session.get(RunRow, run_id, with_for_update=True)
    if row is None:
        latest = sa.select(RunRow.id).order_by(RunRow.id.desc()).limit(5)
        known = ", ".join(session.scalars(latest))
        raise UnknownRunError(
            f"there is no run {run_id!r}",
            expected=f"one of the latest: {known}" if known else None,
            hint="bnnkg runs lists them" if known else "bnnkg train makes one",
        )
    return row
