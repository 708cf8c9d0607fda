"""NEURON's interpreter, with what a model can hide by a variable of the same name."""

from __future__ import annotations

from typing import Any


class Interpreter:
    """NEURON as it was before a model was loaded.

    Args:
        h: NEURON's interpreter. A model's hoc variables become attributes of it and hide those
            that only Python knows, such as ``ref``; classes and functions of hoc stay.
    """

    def __init__(self, h: Any) -> None:
        self.h = h
        self.all_sections = h.allsec
        self.text = h.ref("")

    def selected(self, types: Any) -> str:
        """Name of the mechanism that a MechanismType has selected."""
        types.selected(self.text)
        return str(self.text[0])

    def variable(self, standard: Any, i: int) -> tuple[str, int]:
        """Name and size of a variable of a MechanismStandard."""
        size = int(standard.name(self.text, i))
        return str(self.text[0]), size
