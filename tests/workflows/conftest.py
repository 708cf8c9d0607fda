"""The workflows on a real server whose graph is empty when a test begins."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest
from the_command import Command
from whole_graph import drive, wipe

from bnnkg.settings import Settings

DOWNLOADED = ("archives", "maven", "maven.lock")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for what the tests of a module leave; no setting of the machine reaches them."""
    folder = tmp_path_factory.mktemp("workflows")
    with pytest.MonkeyPatch.context() as patch:
        downloads = Settings.load(folder=folder).cache_folder
        for name in [name for name in os.environ if name.startswith("BNNKG_")]:
            if name != "BNNKG_NEO4J_HOME":
                patch.delenv(name)
        (folder / "cache").mkdir()
        for name in DOWNLOADED:
            (folder / "cache" / name).symlink_to(downloads / name)
        patch.setenv("BNNKG_CACHE", str(folder / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        (folder / "work").mkdir()
        patch.chdir(folder / "work")
        yield folder


@pytest.fixture(scope="module")
def settings(place: Path, neo4j_home_lts: Path) -> Settings:
    """The local database of the default version, with a catalogue of this module's own."""
    return Settings(
        db=str(neo4j_home_lts),
        cache=place / "cache",
        catalogue=f"sqlite:///{place}/catalogue.sqlite",
    )


@pytest.fixture(scope="module")
def driver(neo4j_home_lts: Path) -> Iterator[neo4j.Driver]:
    """A driver of the tests' own."""
    with drive(neo4j_home_lts) as driver:
        yield driver


@pytest.fixture(scope="module")
def emptied(driver: neo4j.Driver) -> None:
    """An empty graph when the module begins."""
    wipe(driver)


@pytest.fixture
def empty(driver: neo4j.Driver) -> None:
    """An empty graph."""
    wipe(driver)


@pytest.fixture
def bnnkg(settings: Settings, warm_folder: Path) -> Command:
    """Runs the command as a user does, on the same database and catalogue."""

    def run(*arguments: object, **changed: str) -> subprocess.CompletedProcess[str]:
        told = {"BNNKG_DB": settings.db, "BNNKG_CATALOGUE": str(settings.catalogue), **changed}
        return subprocess.run(
            [warm_folder / "bnnkg", *map(str, arguments)],
            env=os.environ | told, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    return run
