"""Fixtures for the whole suite; the servers are in servers.py, the command in commands.py."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from commands import warm_folder
from servers import neo4j_home, neo4j_home_lts, server_home
from worm import c302_folder

# Time says nothing on a machine that others use too.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

__all__ = ["c302_folder", "neo4j_home", "neo4j_home_lts", "server_home", "warm_folder"]

LONGEST_FIRST = (
    "docs/test_examples.py", "store/server/test_life.py", "workflows/test_annotation.py",
    "workflows/test_corpus.py", "queries/test_library_files.py", "gnn/test_training.py",
    "queries/test_library_mechanisms.py", "store/test_store_models.py",
    "workflows/test_demonstration.py", "workflows/test_ingestion.py",
)  # fmt: skip
"""Files of tests that take longest: begun last, one would go on alone when all others are done."""


@pytest.hookimpl(trylast=True)  # after pytest has put tests of one server version together
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest files first; each stays whole, and keeps its order."""
    folder = Path(__file__).parent
    places = {folder / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
