"""Steady states and time constants are those that NEURON itself shows under voltage clamp."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_channels import CHANNELS

from bnnkg.kinetics import Gate, Kinetics, evaluate_kinetics, parse_mod

SCHEMES = {"squidks", "squidns"}
"""Relax by implicit steps in NEURON; its steady states are one step of 1e9 ms, so good to 1e-8."""

NO_NUMBER_IN_NEURON = {("drk", "n", 25.0)}
"""Where NEURON has 0/0, and the limit stands here."""


@pytest.fixture(scope="module")
def evaluated() -> dict[str, Kinetics]:
    found = {name: evaluate_kinetics(parse_mod(text)) for name, text in CHANNELS.items()}
    return {name: kinetics for name, kinetics in found.items() if kinetics.gates}


@pytest.fixture(scope="module")
def measured(
    evaluated: dict[str, Kinetics], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    library = _compiled(tmp_path_factory.mktemp("channels"))
    folder = tmp_path_factory.mktemp("clamp")  # NEURON loads by itself what is compiled beside it
    questions = [
        {
            "channel": name,
            "gates": [gate.name for gate in kinetics.gates],
            "celsius": kinetics.temperature_degC,
            "voltages": kinetics.voltages_mV.tolist(),
            "stepped": name not in SCHEMES,
        }
        for name, kinetics in evaluated.items()
    ]
    (folder / "questions.json").write_text(json.dumps(questions))
    script = Path(__file__).parent / "in_neuron.py"
    paths = [str(folder / "questions.json"), str(folder / "answers.json")]
    command = [sys.executable, str(script), str(library), *paths]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = json.loads((folder / "answers.json").read_text())
    return {
        channel: {gate: np.array(rows, float) for gate, rows in gates.items()}
        for channel, gates in answers.items()
    }


def _compiled(folder: Path) -> Path:
    beside = Path(sys.executable).parent
    compiler = shutil.which("nrnivmodl", path=os.pathsep.join([str(beside), os.defpath]))
    if importlib.util.find_spec("neuron") is None or compiler is None:
        pytest.skip("NEURON is not installed")
    if shutil.which("g++") is None or shutil.which("make") is None:
        pytest.skip("no C++ compiler and make, which nrnivmodl needs")
    for name, text in CHANNELS.items():
        (folder / f"{name}.mod").write_text(text)
    environment = {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [compiler, "."], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [library] = folder.glob("*/libnrnmech.*") or folder.glob("*/.libs/libnrnmech.so")
    return library


def test_every_gate_is_measured(
    evaluated: dict[str, Kinetics], measured: dict[str, dict[str, Any]]
) -> None:
    assert len(measured) == len(CHANNELS) - 1
    assert sum(len(gates) for gates in measured.values()) == 27
    assert "leaky" not in evaluated


@pytest.mark.parametrize("channel", [name for name in CHANNELS if name != "leaky"])
def test_curves_equal_those_of_neuron(
    channel: str, evaluated: dict[str, Kinetics], measured: dict[str, dict[str, Any]]
) -> None:
    kinetics = evaluated[channel]
    for gate in kinetics.gates:
        shown = measured[channel][gate.name]
        known = np.array(
            [(channel, gate.name, v) not in NO_NUMBER_IN_NEURON for v in kinetics.voltages_mV]
        )
        atol = 1e-8 if channel in SCHEMES else 1e-12
        np.testing.assert_allclose(
            gate.steady_state[known], shown[known, 0], rtol=1e-6, atol=atol, err_msg=gate.name
        )
        if channel not in SCHEMES:
            np.testing.assert_allclose(
                gate.tau_ms[known], shown[known, 1], rtol=1e-6, err_msg=gate.name
            )


def test_a_hole_of_neuron_is_filled_by_the_limit(
    evaluated: dict[str, Kinetics], measured: dict[str, dict[str, Any]]
) -> None:
    place = int(np.flatnonzero(evaluated["drk"].voltages_mV == 25.0)[0])
    [gate] = evaluated["drk"].gates
    assert np.isnan(measured["drk"]["n"][place, 0])
    # by hand: a = Ra qa, b = Rb qa where v = tha, and tadj = 2.3^1.3
    assert gate.steady_state[place] == pytest.approx(0.02 / 0.022, rel=1e-6)
    assert gate.tau_ms[place] == pytest.approx(1 / (0.022 * 9) / 2.3**1.3, rel=1e-6)


def test_the_page_tells_what_is_measured(
    evaluated: dict[str, Kinetics], measured: dict[str, dict[str, Any]]
) -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "kinetics.md"
    told = [line for line in page.read_text().splitlines() if line.startswith("| `")]
    assert told == [
        _told(channel, kinetics, gate, measured[channel][gate.name])
        for channel, kinetics in evaluated.items()
        for gate in kinetics.gates
    ]


def _told(channel: str, kinetics: Kinetics, gate: Gate, shown: np.ndarray[Any, Any]) -> str:
    """A row of the page: what we say of a gate, and how far NEURON's curve is from ours."""
    known = np.isfinite(shown[:, 0])
    off = float(np.abs(gate.steady_state - shown[:, 0])[known].max())
    numbers = (gate.v_half_mV, gate.slope_mV, gate.tau_max_ms, gate.tau_max_at_mV)
    cells = [
        f"`{channel}`",
        gate.name,
        f"{kinetics.temperature_degC:g}",
        *("" if np.isnan(number) else f"{number:.4g}" for number in numbers),
        "below 1e-8" if off < 1e-8 else f"{off:.0e}",
    ]
    return f"| {' | '.join(cells)} |"
