"""Reactions and diffusion (RxD): counted, so that a report says what the capture lacks."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

REGISTERS = (
    ("neuron.rxd.species", "_all_species"),
    ("neuron.rxd.region", "_all_regions"),
    ("neuron.rxd.rxd", "_all_reactions"),
)
SPECIES = "Species"
MAX_NAMED = 20


class Reactions:
    """What a model has made of RxD by now; nothing where it does not use it.

    Attributes:
        counts: Numbers of its objects by their class, such as Species, Region and Rate.
        species: Names of the species that have one.
    """

    def __init__(self) -> None:
        found = [one for module, name in REGISTERS for one in _alive(module, name)]
        self.counts = Counter(type(one).__name__ for one in found)
        named = (getattr(one, "name", None) for one in found if type(one).__name__ == SPECIES)
        self.species = sorted({str(name) for name in named if name})

    def told(self) -> list[str]:
        """What a capture lacks of it, in words; empty where there is none."""
        if not self.counts:
            return []
        names = f" ({', '.join(self.species[:MAX_NAMED])})" if self.species else ""
        counted = (
            f"{n} {kind}{names if kind == SPECIES else ''}"
            for kind, n in sorted(self.counts.items())
        )
        return [f"RxD (reactions and diffusion), which is not captured: {', '.join(counted)}"]


def _alive(module: str, name: str) -> Iterator[Any]:
    """Objects that one of RxD's lists of weak references leads to."""
    references = getattr(sys.modules.get(module), name, ())
    return (one for reference in references if (one := reference()) is not None)
