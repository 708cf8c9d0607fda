"""Runs in a process of its own: gates of compiled channels, measured in NEURON by voltage clamp.

Called as ``python in_neuron.py LIBRARY QUESTIONS ANSWERS``. A question is a channel, its gates, its
temperature and voltages; ``stepped`` says that its gates relax exactly in one step of NEURON.
The membrane is given so much capacitance that its voltage stays: a step from 0 and one from 1 then
give both the steady state and the time constant.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from neuron import h


def measure(question: dict[str, Any]) -> dict[str, list[list[float]]]:
    h.celsius = question["celsius"]
    h.dt = 0.025
    channel = question["channel"]
    section = h.Section()
    section.insert(channel)
    section.cm = 1e12
    if hasattr(h, f"usetable_{channel}"):
        setattr(h, f"usetable_{channel}", 0)
    ask = stepped if question["stepped"] else initial
    segment = section(0.5)
    return {
        gate: [ask(segment, channel, gate, v) for v in question["voltages"]]
        for gate in question["gates"]
    }


def stepped(segment: Any, channel: str, gate: str, v: float) -> list[float]:
    after = []
    for start in (0.0, 1.0):
        h.finitialize(v)
        setattr(segment, f"{gate}_{channel}", start)
        h.fadvance()
        after.append(getattr(segment, f"{gate}_{channel}"))
    kept = after[1] - after[0]
    tau = -h.dt / math.log(kept) if kept > 0 else math.nan
    return [after[0] / (1 - kept), tau]


def initial(segment: Any, channel: str, gate: str, v: float) -> list[float]:
    h.finitialize(v)
    name, _, index = gate.rstrip("]").partition("[")
    value = getattr(segment, f"{name}_{channel}")
    return [value[int(index)] if index else value, math.nan]


def main(library: str, questions: str, answers: str) -> None:
    if not h.nrn_load_dll(library):
        raise SystemExit(f"{library} does not load")
    asked = json.loads(Path(questions).read_text())
    Path(answers).write_text(json.dumps({each["channel"]: measure(each) for each in asked}))


if __name__ == "__main__":
    main(*sys.argv[1:])
