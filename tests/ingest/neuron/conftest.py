"""Runs of models that are written for the tests: in the sandbox, and plainly in NEURON."""

from __future__ import annotations

from pathlib import Path

import pytest
from written_runs import Runner


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of libraries, so that each is compiled once for all tests."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def run_model(tmp_path_factory: pytest.TempPathFactory, compiled: Path) -> Runner:
    """Writes a model and runs it in the sandbox."""
    return Runner(tmp_path_factory, compiled)
