"""The capture: all that NEURON holds, read in one go and written as columns."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from .interpreter import Interpreter
from .job import Job, doubts
from .mechanisms import Mechanisms, read_globals, read_segments
from .pointers import Found, trace
from .points import Points, read_netcons, read_points
from .reactions import Reactions
from .sections import Columns, Sections, read_sections, read_shape
from .support import Support

FORM = 1


def capture(
    neuron: Interpreter, job: Job, support: Support, stopped: str, error: str | None
) -> dict[str, Any]:
    """Reads everything, writes ``capture.npz`` and ``capture.json``; returns the counts.

    What changes the model (tracing pointers, making up shapes) comes after all else.
    """
    sections = read_sections(neuron)
    known = Mechanisms(neuron)
    columns = dict(sections.columns)
    columns |= read_segments(sections, known)
    points = read_points(neuron, sections, known)
    columns |= points.columns
    columns |= read_netcons(neuron, sections, points)
    used = _used(columns)
    head = _head(neuron, job, sections, known, used)
    counts = _counts(sections, points, columns, known.kinds)
    found = trace(neuron, sections, points, known, job.pointers, support)
    columns |= found.columns()
    columns |= read_shape(neuron, sections)
    reactions = Reactions()
    missing = [*doubts(job, support), *_missing(neuron.h, columns, found), *reactions.told()]
    head |= {"stopped": stopped, "error": error, "missing": missing, "counts": counts}
    _write(Path(job.out), head, columns)
    return {"counts": counts, "missing": missing, "reactions": reactions.counts.total()}


def _used(columns: Columns) -> list[str]:
    density = [name.split("/")[1] for name in columns if name.startswith("density/")]
    return sorted({*density, *columns["point_mechanism"].tolist()})


def _head(
    neuron: Interpreter,
    job: Job,
    sections: Sections,
    known: Mechanisms,
    used: list[str],
) -> dict[str, Any]:
    h = neuron.h
    return {
        "form": FORM,
        "neuron": str(h.nrnversion(5)),
        "entry": job.entry,
        "commands": job.commands,
        "fallbacks": job.fallbacks,
        "stubs": job.native is None,
        "celsius": float(h.celsius),
        "dt": float(h.dt),
        "v_init": _number(h, "v_init"),
        "tstop": _number(h, "tstop"),
        "mechanisms": {
            name: {
                "kind": known.kinds[name],
                "builtin": name not in job.mods,
                "range": [list(pair) for pair in known.ranges(name)],
                "global": read_globals(neuron, name),
                "mod": job.mods.get(name),
            }
            for name in used
        },
        "ions": _ions(neuron),
        "cells": sections.cells,
        "templates": sections.templates,
    }


def _number(h: Any, name: str) -> float | None:
    """A number that stdrun or the model may have defined."""
    try:
        value = float(getattr(h, name))
    except (AttributeError, LookupError, TypeError, RuntimeError):
        return None
    return value if math.isfinite(value) else None


def _ions(neuron: Interpreter) -> dict[str, dict[str, float]]:
    types, found = neuron.h.MechanismType(0), {}
    for i in range(int(types.count())):
        types.select(i)
        name = neuron.selected(types)
        if name.endswith("_ion"):
            found[name] = {"charge": float(neuron.h.ion_charge(name))}
    return found


def _counts(
    sections: Sections, points: Points, columns: Columns, kinds: dict[str, str]
) -> dict[str, Any]:
    objects = Counter(points.mechanisms)
    return {
        "sections": len(sections.all),
        "segments": sections.n_segments,
        "pt3d": len(columns["pt3d"]),
        "density": {
            name.split("/")[1]: len(values)
            for name, values in columns.items()
            if name.startswith("density/") and name.endswith("/segment")
        },
        "points": {name: n for name, n in objects.items() if kinds[name] == "point"},
        "artificial": {name: n for name, n in objects.items() if kinds[name] == "artificial"},
        "netcons": len(columns["netcon_post"]),
    }


def _missing(h: Any, columns: Columns, found: Found) -> list[str]:
    unresolved = sum(place is None for place in found.places) - found.n_null
    sources = (columns["netcon_pre_segment"] < 0) & (columns["netcon_pre_point"] < 0)
    no_source = int((sources & (columns["netcon_pre_gid"] < 0)).sum())
    gid_only = int((sources & (columns["netcon_pre_gid"] >= 0)).sum())
    linear = int(h.List("LinearMechanism").count())
    told = [
        (unresolved, "POINTERs lead to something that could not be told"),
        (found.n_null, "POINTERs lead nowhere yet"),
        (no_source, "NetCons without a source"),
        (gid_only, "NetCons whose source is a gid that no cell here has"),
        (linear, "LinearMechanisms"),
    ]
    return [f"{n} {what}" for n, what in told if n]


def _write(folder: Path, head: dict[str, Any], columns: Columns) -> None:
    with (folder / "capture.npz").open("wb") as file:
        np.savez(file, **columns)
    (folder / "capture.json").write_text(json.dumps(head, allow_nan=True), encoding="utf-8")
