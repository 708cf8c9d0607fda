"""The nervous system of C. elegans, written once for all tests and processes of a session."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def c302_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """What the program c302 writes."""
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "c302"
    if not shared.exists():
        made = tmp_path_factory.mktemp("made")
        (made / "cells").mkdir()
        program = Path(sys.executable).with_name("c302")
        subprocess.run(
            [program, "c302_D_Full", "parameters_D", "-duration", "100"],
            cwd=made, check=True, capture_output=True,
        )  # fmt: skip
        with contextlib.suppress(OSError):  # another process was first, with the same
            made.rename(shared)
    return shared
