"""Captures of runs, written by hand: a soma with a dendrite, synapse and electrode; balls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bnnkg.ingest.neuron.capture import Capture, read_capture

Columns = dict[str, Any]


def _mechanism(kind: str, *ranges: str) -> dict[str, Any]:
    return {
        "kind": kind, "builtin": True, "range": [[name, 1] for name in ranges], "global": [],
        "mod": None,
    }  # fmt: skip


def header() -> dict[str, Any]:
    """What is beside the columns."""
    return {
        "form": 1, "neuron": "8.2.7", "entry": "init.hoc", "commands": ["run()"], "fallbacks": [],
        "stubs": True, "stopped": "first step", "error": None, "celsius": 6.3, "dt": 0.025,
        "v_init": -65, "tstop": 5, "missing": [],
        "mechanisms": {
            "pas": _mechanism("density", "g_pas", "e_pas"),
            "ExpSyn": _mechanism("point", "tau", "e"),
            "IClamp": _mechanism("point", "del", "dur", "amp"),
            "NetStim": _mechanism("artificial", "interval", "number", "start", "noise"),
        },
        "ions": {"na_ion": {"charge": 1.0}},
        "cells": ["Cell[0]"], "templates": ["Cell"],
        "counts": {
            "sections": 2, "segments": 4, "pt3d": 2, "density": {"pas": 4},
            "points": {"ExpSyn": 1, "IClamp": 1}, "artificial": {"NetStim": 1}, "netcons": 2,
        },
    }  # fmt: skip


def columns() -> Columns:
    """Soma of one segment; dendrite of three, which joins it by 0 at 1."""
    return {
        "section_name": np.array(["Cell[0].soma", "Cell[0].dend"]),
        "section_cell": np.array([0, 0], np.int32),
        "section_nseg": np.array([1, 3], np.int32),
        "section_L": np.array([20.0, 90.0]),
        "section_Ra": np.array([35.4, 100.0]),
        "section_parent": np.array([-1, 0], np.int32),
        "section_parent_x": np.array([0.0, 1.0]),
        "section_child_end": np.array([0, 0], np.int32),
        "section_n3d": np.array([2, 0], np.int32),
        "pt3d": np.array([[0.0, 0, 0, 20], [20.0, 0, 0, 20]]),
        "segment_diam": np.array([20.0, 3, 2, 1]),
        "segment_area_um2": np.array([1256.6, 282.7, 188.5, 94.2]),
        "segment_volume_um3": np.array([6283.0, 212, 94.2, 23.6]),
        "segment_cm": np.array([1.0, 1, 1, 1]),
        "segment_v": np.full(4, -65.0),
        "density/pas/segment": np.arange(4, dtype=np.int32),
        "density/pas/values": np.array([[0.001, -70.0], [0.002, -70], [0.003, -70], [0.004, -70]]),
        "ion/na/segment": np.array([0], np.int32),
        "ion/na/values": np.array([[50.0, 10, 140]]),
        "point_mechanism": np.array(["ExpSyn", "IClamp", "NetStim"]),
        "point_index": np.array([0, 0, 0], np.int32),
        "point_segment": np.array([2, 0, -1], np.int32),
        "point_x": np.array([0.5, 0.5, np.nan]),
        "point/ExpSyn/row": np.array([0], np.int32),
        "point/ExpSyn/values": np.array([[2.0, 0.0]]),
        "point/IClamp/row": np.array([1], np.int32),
        "point/IClamp/values": np.array([[5.0, 1.0, 0.3]]),
        "point/NetStim/row": np.array([2], np.int32),
        "point/NetStim/values": np.array([[10.0, 3.0, 0.0, 0.0]]),
        "netcon_pre_segment": np.array([-1, 0], np.int32),
        "netcon_pre_point": np.array([2, -1], np.int32),
        "netcon_pre_gid": np.array([-1, -1]),
        "netcon_post": np.array([0, 0], np.int32),
        "netcon_n_weights": np.array([1, 1], np.int32),
        "netcon_active": np.array([1, 1], np.int8),
        "netcon_threshold": np.array([10.0, -20]),
        "netcon_delay": np.array([1.0, 2]),
        "netcon_weight": np.array([0.5, 0.25]),
        "pointer_row": np.zeros(0, np.int32),
        "pointer_name": np.zeros(0, "U1"),
        "pointer_segment": np.zeros(0, np.int32),
        "pointer_point": np.zeros(0, np.int32),
        "pointer_target": np.zeros(0, "U1"),
        "shape_n3d": np.zeros(2, np.int32),
        "shape": np.zeros((0, 4)),
    }


def write_capture(folder: Path, head: Any, values: Columns) -> Path:
    """Leaves a capture in a folder, as a run does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "capture.json").write_text(json.dumps(head))
    with (folder / "capture.npz").open("wb") as file:
        np.savez(file, **values)
    return folder


def capture_of(folder: Path, **changed: Any) -> Capture:
    """The capture, read, with some of its columns changed."""
    return read_capture(write_capture(folder, header(), columns() | changed))


def balls(folder: Path, places_um: Any, diameters_um: Any) -> Capture:
    """A capture of somata alone, each drawn by two points that are 20/3 um apart along x."""
    n = len(places_um)
    start = np.column_stack([np.asarray(places_um, float), diameters_um])
    points = np.stack([start, np.add(start, [20 / 3, 0, 0, 0])], axis=1).reshape(-1, 4)
    head = header() | {"cells": [f"Cell[{i}]" for i in range(n)], "templates": ["Cell"] * n}
    head["counts"] = head["counts"] | {
        "sections": n, "segments": n, "pt3d": 2 * n, "density": {}, "points": {}, "artificial": {},
        "netcons": 0,
    }  # fmt: skip
    kept = {name: value for name, value in columns().items() if "/" not in name}
    emptied = {
        name: value[:0] for name, value in kept.items() if name.startswith(("point_", "netcon_"))
    }
    own = {
        "section_name": np.array([f"Cell[{i}].soma" for i in range(n)]),
        "section_cell": np.arange(n, dtype=np.int32),
        "section_nseg": np.ones(n, np.int32), "section_L": np.full(n, 20 / 3),
        "section_Ra": np.full(n, 35.4), "section_parent": np.full(n, -1, np.int32),
        "section_parent_x": np.zeros(n), "section_child_end": np.zeros(n, np.int32),
        "section_n3d": np.full(n, 2, np.int32), "pt3d": points.astype(np.float32).astype(float),
        "segment_diam": np.asarray(diameters_um, float), "segment_area_um2": np.full(n, 1256.6),
        "segment_volume_um3": np.full(n, 6283.0), "segment_cm": np.ones(n),
        "segment_v": np.full(n, -65.0), "shape_n3d": np.zeros(n, np.int32),
    }  # fmt: skip
    return read_capture(write_capture(folder, head, kept | emptied | own))
