"""The catalogue's tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from bnnkg.catalogue.entries import Artefact, Ingest, Run, SourceEntry

CATALOGUE_VERSION = 2


class _Utc(sa.TypeDecorator[datetime]):
    """Times in UTC: SQLite keeps no time zone."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Base(orm.DeclarativeBase):
    """What all tables share: how Python's types are kept."""

    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy's own interface)
        datetime: _Utc(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
    }


class VersionRow(Base):
    """The version of these tables: one row."""

    __tablename__ = "catalogue_version"
    version: orm.Mapped[int] = orm.mapped_column(primary_key=True)


class RunRow(Base):
    """A training."""

    __tablename__ = "runs"
    id: orm.Mapped[str] = orm.mapped_column(sa.String(32), primary_key=True)
    store_id: orm.Mapped[str] = orm.mapped_column(sa.String(64), index=True)
    created: orm.Mapped[datetime]
    updated: orm.Mapped[datetime]
    status: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    config: orm.Mapped[dict[str, Any]]
    seed: orm.Mapped[int]
    seeds: orm.Mapped[int]
    models: orm.Mapped[list[Any]]
    split: orm.Mapped[str | None] = orm.mapped_column(sa.Text())
    metrics: orm.Mapped[dict[str, Any]]
    artefacts: orm.Mapped[list[ArtefactRow]] = orm.relationship(
        cascade="all, delete-orphan", order_by="ArtefactRow.path", lazy="selectin"
    )


class ArtefactRow(Base):
    """A file that a run left."""

    __tablename__ = "artefacts"
    run_id: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("runs.id"), primary_key=True)
    path: orm.Mapped[str] = orm.mapped_column(sa.String(500), primary_key=True)
    sha256: orm.Mapped[str] = orm.mapped_column(sa.String(64))


class IngestRow(Base):
    """A call of ``bnnkg ingest``."""

    __tablename__ = "ingests"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=True)
    store_id: orm.Mapped[str] = orm.mapped_column(sa.String(64), index=True)
    created: orm.Mapped[datetime]
    sources: orm.Mapped[list[Any]]
    report: orm.Mapped[dict[str, Any]]
    models: orm.Mapped[list[ModelRow]] = orm.relationship(
        cascade="all, delete-orphan", order_by="ModelRow.place", lazy="selectin"
    )


class ModelRow(Base):
    """What became of one source of an ingest."""

    __tablename__ = "models"
    ingest_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("ingests.id"), primary_key=True)
    place: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    source: orm.Mapped[str] = orm.mapped_column(sa.Text())
    model: orm.Mapped[str | None] = orm.mapped_column(sa.String(500), index=True)
    tier: orm.Mapped[str | None] = orm.mapped_column(sa.String(16))
    status: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    reason: orm.Mapped[str | None] = orm.mapped_column(sa.Text())


class SourceRow(Base):
    """The last word on a source of a graph."""

    __tablename__ = "sources"
    store_id: orm.Mapped[str] = orm.mapped_column(sa.String(64), primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(500), primary_key=True)
    updated: orm.Mapped[datetime]
    source: orm.Mapped[str] = orm.mapped_column(sa.Text())
    fingerprint: orm.Mapped[str | None] = orm.mapped_column(sa.String(64))
    model: orm.Mapped[str | None] = orm.mapped_column(sa.String(600))
    tier: orm.Mapped[str | None] = orm.mapped_column(sa.String(16))
    status: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    cause: orm.Mapped[str | None] = orm.mapped_column(sa.Text())
    reason: orm.Mapped[str | None] = orm.mapped_column(sa.Text())


MODEL_COLUMNS = ("source", "model", "tier", "status", "reason")


def to_run(row: RunRow) -> Run:
    """The row as a value."""
    return Run(
        id=row.id, store_id=row.store_id, created=row.created, updated=row.updated,
        status=row.status, config=row.config, seed=row.seed, seeds=row.seeds, models=row.models,  # type: ignore[arg-type]
        split=row.split, metrics=row.metrics,
        artefacts=tuple(Artefact(a.path, a.sha256) for a in row.artefacts),
    )  # fmt: skip


def to_ingest(row: IngestRow) -> Ingest:
    """The row as a value."""
    return Ingest(
        id=row.id, store_id=row.store_id, created=row.created, sources=row.sources,
        models=[{name: getattr(m, name) for name in MODEL_COLUMNS} for m in row.models],
        report=row.report,
    )  # fmt: skip


def to_source(row: SourceRow) -> SourceEntry:
    """The row as a value."""
    return SourceEntry(
        store_id=row.store_id, key=row.key, source=row.source, fingerprint=row.fingerprint,
        model=row.model, tier=row.tier, status=row.status, cause=row.cause or "",
        reason=row.reason or "",
    )  # fmt: skip
