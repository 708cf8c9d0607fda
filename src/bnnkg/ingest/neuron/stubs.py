"""Stub mechanisms: what NEURON registers of a .mod file, without a line of its code.

A model's structure needs the declarations of its mechanisms only: variables that vary in space,
globals, ions, pointers, the arguments of NET_RECEIVE. They go into a table that the support
library (``inside/support.c``) registers with NEURON, so a model loads without its mods being
translated or compiled, and none of their author's code runs. The rules by which a declared name
becomes a range variable, a global or nothing are those of NEURON's translator ``nocmodl``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import PurePosixPath

from bnnkg.kinetics import Block, Declared, Ion, ModFile

GIVEN = frozenset({"v", "t", "dt", "celsius", "area", "diam", "secondorder", "PI", "delta_t"})
CALLABLE = frozenset({"FUNCTION", "PROCEDURE", "FUNCTION_TABLE"})
NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
ION_UNKNOWN_CHARGE = -10000.0
READ, WRITTEN = 1, 3


def stub_table(mods: Iterable[tuple[str, ModFile]]) -> str:
    """The declarations of mods, as the support library reads them.

    Args:
        mods: Path and content of each; of two with one name the first is taken.
    """
    lines: list[str] = []
    seen: set[str] = set()
    for path, mod in mods:
        name = mechanism_name(path, mod)
        if name not in seen:
            seen.add(name)
            lines += [*stub_lines(name, mod), "end"]
    return "".join(f"{line}\n" for line in lines)


def mechanism_name(path: str, mod: ModFile) -> str:
    """Name that NEURON gives a mechanism: SUFFIX nothing gives the file's own."""
    return PurePosixPath(path).stem if mod.name == "nothing" else mod.name


def stub_lines(name: str, mod: ModFile) -> Iterator[str]:
    """The declarations of one mod."""
    suffix = f"_{mod.name}" if mod.kind == "density" and mod.name != "nothing" else ""
    global_suffix = "" if mod.name == "nothing" else f"_{mod.name}"
    yield f"{'nothing' if mod.name == 'nothing' else mod.kind} {name}"
    yield from _ranges(mod, suffix)
    for pointer in mod.pointers:
        yield f"pointer {pointer}{suffix}"
    for ion in mod.ions:
        yield _ion(ion)
    yield from _globals(mod, global_suffix)
    for block in mod.blocks:
        yield from _callable(block, suffix)
    if mod.kind != "density" and mod.net_receive is not None:
        yield f"receive {max(1, len(mod.net_receive))}"
        if any(_mentions(block, "net_event") for block in mod.blocks):
            yield "event"


def _ranges(mod: ModFile, suffix: str) -> Iterator[str]:
    hidden = GIVEN | _concentrations_and_reversals(mod) | set(mod.pointers)
    in_range = set(mod.range_names) | set(mod.nonspecific_currents) | set(mod.electrode_currents)
    states = {state.name for state in mod.states}
    parameters = {parameter.name for parameter in mod.parameters}
    for parameter in mod.parameters:
        if parameter.name in in_range - hidden - states:
            yield f"parameter {_sized(parameter, suffix)} {parameter.value or 0.0!r}"
    for assigned in mod.assigned:
        if assigned.name in in_range - hidden - states - parameters:
            yield f"assigned {_sized(assigned, suffix)}"
    for state in mod.states:
        if state.name not in hidden:
            yield f"state {_sized(state, suffix)}"


def _sized(declared: Declared, suffix: str) -> str:
    return f"{declared.name}{suffix} {declared.size or 1}"


def _concentrations_and_reversals(mod: ModFile) -> set[str]:
    """They are the ion's own; a current that is written is a variable of the mechanism too."""
    return {
        name for ion in mod.ions for name in (*ion.reads, *ion.writes) if name != f"i{ion.name}"
    }


def _of_ions(mod: ModFile) -> set[str]:
    return {name for ion in mod.ions for name in (*ion.reads, *ion.writes)}


def _ion(ion: Ion) -> str:
    """NEURON keeps of each ion whether its concentrations and reversal are read or written."""
    promoted = {"concentration": 0, "reversal": 0}
    for names, how in ((ion.reads, READ), (ion.writes, WRITTEN)):
        for name in names:
            if name in (f"{ion.name}i", f"{ion.name}o"):
                promoted["concentration"] |= how
            elif name == f"e{ion.name}":
                promoted["reversal"] |= how
    charge = ION_UNKNOWN_CHARGE if ion.valence is None else ion.valence
    return f"ion {ion.name} {charge!r} {promoted['concentration']} {promoted['reversal']}"


def _globals(mod: ModFile, suffix: str) -> Iterator[str]:
    local = GIVEN | _of_ions(mod) | set(mod.range_names) | set(mod.pointers)
    local |= {state.name for state in mod.states}
    declared = {parameter.name: parameter for parameter in mod.parameters}
    declared |= {a.name: a for a in mod.assigned if a.name in mod.global_names}
    for name, value in declared.items():
        if name in local:
            continue
        if value.size:
            yield f"vector {name}{suffix} {value.size} {value.value or 0.0!r}"
        else:
            yield f"global {name}{suffix} {value.value or 0.0!r}"
    for state in mod.states:
        if f"{state.name}0" in set(mod.global_names) - set(declared):
            yield f"global {state.name}0{suffix} 0.0"
    if any(_has_table(block) for block in mod.blocks):
        yield f"global usetable{suffix} 1.0"


def _callable(block: Block, suffix: str) -> Iterator[str]:
    if block.kind not in CALLABLE:
        return
    result = 1.0 if block.kind == "PROCEDURE" else 0.0
    yield f"function {block.name}{suffix} {result!r}"
    if block.kind == "FUNCTION_TABLE":
        yield f"function table_{block.name}{suffix} {result!r}"


def _mentions(node: object, name: str) -> bool:
    """Whether a call of a function stands anywhere below."""
    if isinstance(node, tuple):
        return any(_mentions(item, name) for item in node)
    if not is_dataclass(node) or isinstance(node, type):
        return False
    if getattr(node, "function", None) == name:
        return True
    return any(_mentions(getattr(node, field.name), name) for field in fields(node))


def _has_table(block: Block) -> bool:
    return any(type(statement).__name__ == "Table" for statement in block.body)
