"""Loads the entry of a model, hoc or Python, and makes the commands after it."""

from __future__ import annotations

import os
import re
import runpy
import sys
from pathlib import Path
from typing import Any

from .absent import forgive_age, stand_in_for
from .job import Job
from .repairs import convert_python_2

DECLARATION = re.compile(r"\s*(?:objref|objectvar|create|strdef|proc|func|obfunc|iterator)\b|\s*\{")


class HocError(Exception):
    """hoc reported an error, which stands on stderr."""


def load(h: Any, job: Job) -> dict[str, Any]:
    """Loads the entry and runs the commands.

    Returns:
        What the entry's Python names: sections live no longer than what holds them.

    Raises:
        HocError: hoc said that something went wrong.
        Exception: Whatever the model's Python raised.
    """
    held: dict[str, Any] = {}
    if job.entry.endswith(".py"):
        held = _run_python(job)
    elif job.entry:
        _load_hoc(h, job)
    for command in job.commands:
        if not h(statement(command)):
            raise HocError(command)
    return held


def statement(command: str) -> str:
    """A command as NEURON's panels run it: in braces, where several may follow each other."""
    return command if DECLARATION.match(command) else f"{{{command}}}"


def _load_hoc(h: Any, job: Job) -> None:
    path = os.path.relpath(Path(job.root) / job.entry, job.folder)
    if not h.load_file(1, path):
        raise HocError(path)


def _run_python(job: Job) -> dict[str, Any]:
    root = Path(job.root)
    converted = convert_python_2(root)
    if converted:
        job.fallbacks.append(f"Python 2 converted: {', '.join(converted[:20])}")
    forgive_age(root)
    stand_in_for(job.absent, root)
    entry = root / job.entry
    sys.argv = [str(entry)]
    sys.path[:0] = [job.folder, str(entry.parent), str(root)]
    above, module = module_of(entry, root)
    if "." not in module:
        return runpy.run_path(str(entry), run_name="__main__")
    os.chdir(above)
    sys.path.insert(0, str(above))
    return runpy.run_module(module, run_name="__main__", alter_sys=True)


def module_of(entry: Path, root: Path) -> tuple[Path, str]:
    """The folder above the package that a file is part of, and its name for ``python -m``."""
    folder, names = entry.parent, [entry.stem.replace(".", "_")]
    while folder != root and (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(names)
