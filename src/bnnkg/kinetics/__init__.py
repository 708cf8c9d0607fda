"""Kinetics of ion channels: NMODL text -> what it says -> steady states and time constants."""

from bnnkg.kinetics.curves import Gate, Kinetics, evaluate_kinetics
from bnnkg.kinetics.measures import GRID_mV
from bnnkg.kinetics.nmodl import parse_mod
from bnnkg.kinetics.syntax import Block, Declared, Ion, ModFile

__all__ = [
    "Block",
    "Declared",
    "GRID_mV",
    "Gate",
    "Ion",
    "Kinetics",
    "ModFile",
    "evaluate_kinetics",
    "parse_mod",
]
