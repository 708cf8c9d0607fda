"""NEURON in a process of its own, as the oracle of what files of morphologies mean."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

needs_neuron = pytest.mark.skipif(
    importlib.util.find_spec("neuron") is None, reason="NEURON is not installed"
)
_PROGRAM = """
import json, sys
from neuron import h
h.load_file("stdlib.hoc"); h.load_file("import3d.hoc")
found = {}
for path in sys.argv[1:]:
    for s in list(h.allsec()):
        h.delete_section(sec=s)
    if path.endswith(".hoc"):
        h.load_file(1, path)
    else:
        reader = h.Import3d_SWC_read() if path.endswith(".swc") else h.Import3d_Neurolucida3()
        reader.quiet = 1
        reader.input(path)
        h.Import3d_GUI(reader, 0).instantiate(None)
    secs = list(h.allsec())
    found[path] = {
        "sections": len(secs),
        "length": sum(s.L for s in secs),
        "area": sum(seg.area() for s in secs for seg in s),
        "lengths": {s.name(): s.L for s in secs},
        "cm": {s.name(): s.cm for s in secs},
        "Ra": {s.name(): s.Ra for s in secs},
    }
print("FOUND" + json.dumps(found))
"""


def neuron_shapes(*paths: Path) -> list[dict[str, Any]]:
    """What NEURON makes of files: numbers of sections, lengths and areas."""
    names = [str(path) for path in paths]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *names],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    [line] = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    found = json.loads(line.removeprefix("FOUND"))
    return [found[name] for name in names]
