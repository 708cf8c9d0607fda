"""What is kept as written says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from neuroml_texts import POINTS, document, read_folder

SHOWN = '<Display id="d"><Line id="l" quantity="p[0]/v"/><Line id="m" quantity="p[1]/v"/></Display>'


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ('<Unit symbol="mS" dimension="conductance"/>',
         "kept 1 Unit: units and dimensions are NeuroML's own"),
        (f'<Component type="Simulation" id="s" length="1s" step="1ms" target="net">{SHOWN}'
         "</Component>",
         "kept 1 Display, 2 Line: what a simulation shows and writes is no part of a model"),
        ('<Target component="s"/><Simulation id="s" length="1s" step="1ms" target="iaf"/>',
         "kept 1 Simulation, 1 Target: it runs no network of the source"),
        ('<Include file="absent.nml"/><ComponentType name="unused"/>',
         "kept 1 ComponentType: nothing of the source is of these types; "
         "kept 1 Include: what it includes gave nothing"),
        ("<nonsense/>",
         "kept 1 nonsense: not loaded as the notes tell, or without a meaning in NeuroML"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_loaded_file_tells_what_of_it_is_kept(inside: str, reason: str, tmp_path: Path) -> None:
    network = '<network id="net"><population id="p" component="iaf" size="2"/></network>'
    lems = f'<Lems><Include file="net.nml"/>{inside}</Lems>'
    report = read_folder(tmp_path, {"a.xml": lems, "net.nml": document(POINTS, network)}).report
    told = {file.path: (file.status, file.reason) for file in report.files}
    assert told == {"a.xml": ("loaded", reason), "net.nml": ("loaded", "")}
