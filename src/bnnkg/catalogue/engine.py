"""Databases for a catalogue: SQLite for one machine, any other by its URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc, orm

from bnnkg.catalogue.tables import CATALOGUE_VERSION, Base, VersionRow
from bnnkg.errors import CatalogueError
from bnnkg.jsontext import json_text

_PATIENCE_S = 60
"""How long one process waits while another writes; a write takes milliseconds."""
_LOCK_KEY = 0x626E6E6B67
"""Names the lock of those who make tables or choose ids on PostgreSQL; any number of our own."""


def make_engine(url: str, create: bool) -> sa.Engine:
    """An engine for the URL; see ``Catalogue.open``."""
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        is_sqlite = parsed.get_backend_name() == "sqlite"
        if is_sqlite and create and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        elif is_sqlite and not Path(parsed.database or "").is_file():
            parsed = sa.make_url("sqlite://")
        engine = sa.create_engine(
            parsed,
            connect_args={"timeout": _PATIENCE_S} if is_sqlite else {},
            json_serializer=json_text,
        )
    except exc.ArgumentError as error:
        raise CatalogueError(
            "this is no URL of a catalogue",
            expected="such as sqlite:////data/catalogue.sqlite or postgresql://user@host/name",
            hint="see BNNKG_CATALOGUE",
        ) from error
    except ImportError as error:
        raise CatalogueError(
            "the driver of the catalogue's database is not installed",
            found=str(error),
            hint='for PostgreSQL: pip install "bnnkg[postgresql]"',
        ) from error
    except OSError as error:
        raise CatalogueError(
            "the folder of the catalogue cannot be made",
            where=str(error.filename),
            found=error.strerror,
            hint="give another place in BNNKG_CATALOGUE",
        ) from error
    if is_sqlite:
        _take_locks_early(engine)
    return engine


def _take_locks_early(engine: sa.Engine) -> None:
    """Lets every transaction on SQLite begin as a writer.

    One that began as a reader cannot wait for its turn to write: SQLite refuses it at once. All of
    ours are short, so that nothing is lost by waiting for each other.
    """

    @sa.event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def wait_for_turn(session: orm.Session) -> None:
    """Holds off others who would do the same until the transaction ends; SQLite does so anyway."""
    if session.connection().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))


def prepare(session: orm.Session) -> None:
    """Makes the tables that there are not; every version has only added some.

    Raises:
        CatalogueError: A newer bnnkg made them.
    """
    wait_for_turn(session)
    connection = session.connection()
    version = 0
    if sa.inspect(connection).has_table(VersionRow.__tablename__):
        version = session.scalars(sa.select(sa.func.max(VersionRow.version))).one()
    if version < CATALOGUE_VERSION:
        Base.metadata.create_all(connection)
        session.add(VersionRow(version=CATALOGUE_VERSION))
    if version > CATALOGUE_VERSION:
        raise CatalogueError(
            "a newer bnnkg made this catalogue",
            where=connection.engine.url.render_as_string(hide_password=True),
            expected=f"version {CATALOGUE_VERSION} or older",
            found=f"version {version}",
            hint="upgrade bnnkg, or set BNNKG_CATALOGUE to another catalogue",
        )
