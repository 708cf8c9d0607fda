"""The command as it was installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

COMMAND = Path(sys.executable).with_name("bnnkg")
Command = Callable[..., "subprocess.CompletedProcess[str]"]
