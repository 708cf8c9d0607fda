"""Which versions of Neo4j bnnkg runs, and which of them can open a database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bnnkg.errors import StoreVersionError

if TYPE_CHECKING:
    from bnnkg.store.server.home import HomeFolder

DEFAULT_VERSION = "5.26.30"
SUPPORTED_VERSIONS = (DEFAULT_VERSION, "2026.08.1")


def last_opened_by(home: HomeFolder) -> str | None:
    """Reads which version of Neo4j opened the folder last; absent in a new or foreign one."""
    try:
        return home.version.read_text().strip() or None
    except FileNotFoundError:
        return None


def choose_version(home: HomeFolder, wanted: str | None, installed: str | None) -> str:
    """Chooses the version that a folder is opened with.

    A database that one version has opened cannot be opened by an older one, and a newer one
    would convert it. So, unless told otherwise, it is opened with what opened it last.

    Args:
        home: The folder.
        wanted: The version that was asked for, if any.
        installed: The version that `BNNKG_NEO4J_HOME` holds, if it is set.

    Raises:
        StoreVersionError: The database was made by a newer version than this.
    """
    maker = last_opened_by(home)
    kept = maker if maker in SUPPORTED_VERSIONS else None
    chosen = installed or wanted or kept or DEFAULT_VERSION
    if maker is not None and _order(chosen) < _order(maker):
        raise newer_database(home, maker, chosen)
    return chosen


def newer_database(home: HomeFolder, maker: str | None, version: str) -> StoreVersionError:
    """Says that a database cannot be opened because a newer Neo4j made it."""
    return StoreVersionError(
        "this database was made by a newer version of Neo4j",
        where=str(home.root),
        expected=f"Neo4j {version} or older",
        found=f"Neo4j {maker}" if maker else None,
        hint="open it with that version (set BNNKG_NEO4J_HOME to an installed one, or install a "
        "newer bnnkg), or name another folder with --db; nothing in this one was changed",
    )


def _order(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
