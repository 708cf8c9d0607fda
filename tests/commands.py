"""The command ``bnnkg`` for tests that run it often: see warm_command.py."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

WARM = Path(__file__).with_name("warm_command.py")


@pytest.fixture(scope="session")
def warm_folder() -> Iterator[Path]:
    """A folder for the front of PATH, whose ``bnnkg`` begins at once."""
    with tempfile.TemporaryDirectory() as name:  # short: an address of a socket has 100 letters
        folder, address = Path(name), f"{name}/socket"
        command = folder / "bnnkg"
        words = shlex.join([sys.executable, "-ES", str(WARM), "ask", address])
        command.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        command.chmod(0o755)
        serving = [sys.executable, str(WARM), "serve", address]
        with subprocess.Popen(serving, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield folder
            server.communicate()
