"""Runs other people's code behind walls, and nothing else does."""

from bnnkg.sandbox.availability import check
from bnnkg.sandbox.interpreter import interpreter_paths
from bnnkg.sandbox.leftovers import read_file, remove_folder
from bnnkg.sandbox.limits import Limits, Outcome, Status
from bnnkg.sandbox.running import run

__all__ = [
    "Limits",
    "Outcome",
    "Status",
    "check",
    "interpreter_paths",
    "read_file",
    "remove_folder",
    "run",
]
