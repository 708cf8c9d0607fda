"""Folders for servers that a test may stop, kill and starve."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bnnkg.store.server import stop


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for one server, which is gone after the test."""
    folder = tmp_path / "bnnkg.db"
    yield folder
    if folder.is_dir():
        stop(folder, wait=True)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that tests share, for a start takes seconds: each finds it running or stopped."""
    folder = tmp_path_factory.mktemp("used") / "bnnkg.db"
    yield folder
    stop(folder, wait=True)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """An empty disk of 20 MB; needs the right to mount one."""
    folder = Path(tempfile.mkdtemp())
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("mounting a small disk needs root")
    yield folder
    stop(folder / "bnnkg.db", wait=True)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()
