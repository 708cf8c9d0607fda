"""Models of NEURON code written for the tests: run in the sandbox, and plainly to compare."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bnnkg import sandbox
from bnnkg.ingest.neuron.capture import Capture, read_capture
from bnnkg.ingest.neuron.executed import ExecutedParts, executed_parts
from bnnkg.ingest.neuron.execution import Execution, execute_source
from bnnkg.ingest.neuron.hints import configurations
from bnnkg.ingest.neuron.mods import read_mods
from bnnkg.ingest.sources import LocalTree, Source

LACKING = sandbox.check() or (None if shutil.which("gcc") else "no C compiler is installed")
LACKING = LACKING or (None if find_spec("neuron") else "NEURON is not installed")
runs_code = pytest.mark.skipif(LACKING is not None, reason=str(LACKING).splitlines()[0])
Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Ran:
    """A model that was run in the sandbox.

    Attributes:
        folder: Its source.
        execution: What became of it.
    """

    folder: Path
    execution: Execution

    @property
    def capture(self) -> Capture:
        """What its best run left."""
        [folder] = self.execution.captures
        return read_capture(folder)

    @property
    def parts(self) -> ExecutedParts:
        """That as parts of a model."""
        tree = LocalTree(self.folder)
        mods = read_mods(tree, tree.paths())
        return executed_parts([self.capture], mods, Source(self.folder, "model"))

    @property
    def counts(self) -> dict[str, Any]:
        """What was counted, as plain_counts counts."""
        return {name: count for name, count in self.capture.header.counts.items() if count}


def write_model(folder: Path, files: Files) -> Path:
    """Writes the files of a model."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


class Runner:
    """Writes models and runs them in the sandbox."""

    def __init__(self, folders: pytest.TempPathFactory, compiled: Path) -> None:
        self._folders = folders
        self._compiled = compiled

    def __call__(self, files: Files, **options: Any) -> Ran:
        """Runs a model by the configurations that are found in it."""
        folder = write_model(self._folders.mktemp("model"), files)
        tree = LocalTree(folder)
        execution = execute_source(
            tree, work=self._folders.mktemp("work"), configurations=configurations(tree),
            **{"cache": self._compiled, **options},
        )  # fmt: skip
        return Ran(folder, execution)


_PLAIN = """
import collections, json, sys
from neuron import h
job = json.loads(sys.argv[1])
h.load_file("nrngui.hoc")
if job["entry"].endswith(".py"):
    import runpy
    runpy.run_path(job["entry"], run_name="__main__")
else:
    assert h.load_file(1, job["entry"])
for command in job["commands"]:
    assert h("{" + command + "}")
density, objects, kinds = collections.Counter(), collections.Counter(), {}
sections = list(h.allsec())
for section in sections:
    for segment in section:
        for one in segment:
            name = one.name()
            if not name.endswith("_ion") and name not in ("capacitance", "morphology"):
                density[name] += 1
types = h.MechanismType(1)
for i in range(int(types.count())):
    name = h.ref("")
    types.select(i)
    types.selected(name)
    kinds[name[0]] = "artificial" if types.is_artificial(i) else "points"
    objects[name[0]] = int(h.List(name[0]).count())
print("FOUND" + json.dumps({
    "sections": len(sections),
    "segments": sum(section.nseg for section in sections),
    "pt3d": sum(section.n3d() for section in sections),
    "density": density,
    "points": {n: k for n, k in objects.items() if k and kinds[n] == "points"},
    "artificial": {n: k for n, k in objects.items() if k and kinds[n] == "artificial"},
    "netcons": int(h.List("NetCon").count()),
}))
"""


def compile_plainly(folder: Path) -> None:
    """Has NEURON's own compiler make a library of the mods of a folder, where NEURON finds it."""
    command = [str(Path(sys.executable).parent / "nrnivmodl")]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=True)


def plain_counts(folder: Path, entry: str, *commands: str) -> dict[str, Any]:
    """What NEURON itself has after running a model, its mods compiled as users do."""
    if list(folder.glob("*.mod")):
        compile_plainly(folder)
    job = json.dumps({"entry": entry, "commands": commands})
    done = subprocess.run(
        [sys.executable, "-c", _PLAIN, job],
        cwd=folder, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    [line] = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    return {name: n for name, n in json.loads(line.removeprefix("FOUND")).items() if n}
