"""What a session is told to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .support import Support


@dataclass(frozen=True)
class Job:
    """One configuration to load.

    Attributes:
        root: The unpacked source.
        folder: Folder to run in.
        entry: File to load, relative to the source; empty where only commands run.
        commands: hoc statements after it.
        out: Folder that the capture is left in.
        support: Compiled support library.
        table: Declarations of the stub mechanisms; absent where the author's mods are compiled.
        native: Library of the author's compiled mods; absent where there are none, or stubs.
        mods: File of each mechanism, relative to the source.
        pointers: POINTER names of each mechanism.
        absent: Python modules to stand in for because they are not installed.
        cpu_s: CPU time after which the load is stopped and what there is captured.
        wall_s: Wall time likewise.
        fallbacks: What was done to the source before, to be told in the capture.
        reads_currents: Whether the source computes with currents of mechanisms.
    """

    root: str
    folder: str
    entry: str
    commands: list[str]
    out: str
    support: str
    table: str | None
    native: str | None
    mods: dict[str, str]
    pointers: dict[str, list[str]]
    absent: list[str]
    cpu_s: float
    wall_s: float
    fallbacks: list[str]
    reads_currents: bool


def read_job(path: Path) -> Job:
    """Reads a job."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Job(**{field.name: values[field.name] for field in fields(Job)})


def doubts(job: Job, support: Support) -> list[str]:
    """Why the author's mods could have given another structure than their stubs."""
    if not job.table or not job.mods:
        return []
    found = []
    if called := support.called():
        found.append(f"functions of stubbed mods were called: {', '.join(called[:20])}")
    if job.reads_currents or support.computed_currents():
        found.append("the model computes with currents of mechanisms, which are zero in stubs")
    return found
