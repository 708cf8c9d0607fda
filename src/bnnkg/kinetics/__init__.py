"""Kinetics of ion channels: NMODL or LEMS -> what it says -> steady states and time constants."""

from bnnkg.kinetics.channels import Channel, evaluate_channel
from bnnkg.kinetics.curves import evaluate_kinetics
from bnnkg.kinetics.gates import Gate, Kinetics
from bnnkg.kinetics.lems_scopes import evaluate_expression
from bnnkg.kinetics.lems_types import Component, Derived, DynamicsType
from bnnkg.kinetics.measures import GRID_mV
from bnnkg.kinetics.nmodl import parse_mod
from bnnkg.kinetics.syntax import Block, Declared, Ion, ModFile

__all__ = [
    "Block",
    "Channel",
    "Component",
    "Declared",
    "Derived",
    "DynamicsType",
    "GRID_mV",
    "Gate",
    "Ion",
    "Kinetics",
    "ModFile",
    "evaluate_channel",
    "evaluate_expression",
    "evaluate_kinetics",
    "parse_mod",
]
