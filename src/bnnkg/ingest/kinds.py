"""What kind of thing a NeuroML or LEMS class is."""

from __future__ import annotations

from bnnkg.ingest.classes import KIND_OF, Kind

__all__ = ["CORE_FILES", "CORE_KINDS", "DETAILED_CELLS", "Kind"]

DETAILED_CELLS = frozenset({"cell", "cell2CaPools"})

CORE_KINDS: dict[str, Kind] = KIND_OF
"""Kinds of the classes that NeuroML itself defines, its abstract ones included."""

CORE_FILES = frozenset({
    "Cells.xml", "Channels.xml", "Inputs.xml", "Networks.xml", "NeuroML2CoreTypes.xml",
    "NeuroMLCoreCompTypes.xml", "NeuroMLCoreDimensions.xml", "PyNN.xml", "Simulation.xml",
    "Synapses.xml",
})  # fmt: skip
"""Files of NeuroML's own LEMS definitions, which simulators bring along."""
