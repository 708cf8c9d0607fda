"""Why elements are kept as written, in the words of the report."""

from __future__ import annotations

from collections.abc import Mapping

from bnnkg.ingest.report import ElementCounts

_RESULTS = "what a simulation shows and writes is no part of a model"
_UNITS = "units and dimensions are NeuroML's own"
_TYPES = "nothing of the source is of these types"
_RUNS = "it runs no network of the source"
_INCLUDES = "what it includes gave nothing"
_OTHER = "not loaded as the notes tell, or without a meaning in NeuroML"

_REASONS = {
    name: reason
    for reason, names in {
        _RESULTS: "Display Line OutputFile OutputColumn EventOutputFile EventSelection",
        _UNITS: "Unit Dimension",
        _TYPES: "ComponentType",
        _RUNS: "Simulation Target",
        _INCLUDES: "Include include",
    }.items()
    for name in names.split()
}


def kept_reason(by_class: Mapping[str, ElementCounts]) -> str:
    """What of a file is kept as written and why, in a sentence; empty where nothing is.

    Args:
        by_class: Its elements by XML name.
    """
    names: dict[str, list[str]] = {}
    for name, counts in by_class.items():
        if counts.kept:
            names.setdefault(_REASONS.get(name, _OTHER), []).append(f"{counts.kept} {name}")
    return "; ".join(f"kept {', '.join(some)}: {reason}" for reason, some in names.items())
