from __future__ import annotations

from pathlib import Path

import neo4j

from bnnkg.store.server import read_password, status


def drive(home: Path) -> neo4j.Driver:
    """A driver of the test's own."""
    uri = status(home).uri
    assert uri is not None
    return neo4j.GraphDatabase.driver(uri, auth=("neo4j", read_password(home)))
