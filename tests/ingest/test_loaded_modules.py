"""Reading a source loads what it needs and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from bnnkg.ingest import find_source, read_source, records_of
records_of(read_source(find_source(sys.argv[1])))
print("neuroml" in sys.modules)
"""
LEAK = """
NEURON { SUFFIX leaky  NONSPECIFIC_CURRENT i  RANGE g }
PARAMETER { g = 0.001 (siemens/cm2) }
ASSIGNED { v (millivolt)  i (milliamp/cm2) }
BREAKPOINT { i = g*(v + 65) }
"""
NEUROML = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="d">
<izhikevichCell id="one" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-50" d="2"/></neuroml>
"""


def _loads_neuroml(folder: Path) -> str:
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_neuron_code_is_read_without_libneuroml(tmp_path: Path) -> None:
    (tmp_path / "leak.mod").write_text(LEAK)
    assert _loads_neuroml(tmp_path) == "False"


def test_neuroml_is_read_with_it(tmp_path: Path) -> None:
    (tmp_path / "cell.nml").write_text(NEUROML)
    assert _loads_neuroml(tmp_path) == "True"
