"""Declarations are those that another parser of NMODL finds, on these files and on NEURON's own."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

import pytest
from written_channels import CHANNELS

from bnnkg.kinetics import ModFile, parse_mod

pytest.importorskip("nmodl", reason="nmodl has no wheel for this Python")
nmodl = importlib.import_module("nmodl._nmodl")  # nmodl.dsl needs a setuptools of long ago


def _shipped() -> dict[str, str]:
    """The mods that come with NEURON and with nmodl, where they are installed."""
    found = {}
    for package in ("neuron", "nmodl"):
        try:
            files = importlib.metadata.files(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        paths = [Path(str(file.locate())) for file in files if file.suffix == ".mod"]
        found |= {f"{path.parent.name}/{path.name}": path.read_text("latin-1") for path in paths}
    return found


SOURCES = CHANNELS | _shipped()


@pytest.mark.parametrize("source", SOURCES)
def test_declarations_are_those_of_nmodl(source: str) -> None:
    mod = parse_mod(SOURCES[source], where=source)
    oracle = _Oracle(SOURCES[source])
    assert {name: sorted(found) for name, found in _declared(mod).items()} == oracle.declared()


def _declared(mod: ModFile) -> dict[str, list[Any]]:
    kinds = ("PROCEDURE", "FUNCTION", "DERIVATIVE", "KINETIC")
    return {
        "range": list(mod.range_names),
        "global": list(mod.global_names),
        "pointers": list(mod.pointers),
        "currents": list(mod.nonspecific_currents),
        "ions": [(i.name, sorted(i.reads), sorted(i.writes), i.valence or 0.0) for i in mod.ions],
        "parameters": [(p.name, p.value if p.value is not None else 0.0) for p in mod.parameters],
        "states": [state.name for state in mod.states],
        "assigned": [assigned.name for assigned in mod.assigned],
        "blocks": [(block.kind, block.name) for block in mod.blocks if block.kind in kinds],
        "verbatim": ["".join(code.split()) for code in mod.verbatim],
    }


class _Oracle:
    def __init__(self, text: str) -> None:
        self._driver = nmodl.NmodlDriver()
        self._tree = self._driver.parse_string(text)
        self._types = nmodl.ast.AstNodeType
        self._find = nmodl.visitor.AstLookupVisitor()

    def _nodes(self, kind: str, within: Any = None) -> list[Any]:
        found = self._find.lookup(within or self._tree, getattr(self._types, kind))
        return list(found)

    def _names(self, *kinds: str) -> list[str]:
        return sorted(node.name.get_node_name() for kind in kinds for node in self._nodes(kind))

    def _variables(self, block: str) -> list[str]:
        definitions = (self._nodes("ASSIGNED_DEFINITION", each) for each in self._nodes(block))
        return sorted(node.name.get_node_name() for nodes in definitions for node in nodes)

    def declared(self) -> dict[str, list[Any]]:
        kinds = ("PROCEDURE", "FUNCTION", "DERIVATIVE", "KINETIC")
        blocks = [(k, n.name.get_node_name()) for k in kinds for n in self._nodes(f"{k}_BLOCK")]
        return {
            "range": self._names("RANGE_VAR"),
            "global": self._names("GLOBAL_VAR"),
            "pointers": self._names("POINTER_VAR", "BBCORE_POINTER_VAR"),
            "currents": self._names("NONSPECIFIC_CUR_VAR"),
            "ions": sorted(_ion(node) for node in self._nodes("USEION")),
            "parameters": sorted(_parameter(node) for node in self._nodes("PARAM_ASSIGN")),
            "states": self._variables("STATE_BLOCK"),
            "assigned": self._variables("ASSIGNED_BLOCK"),
            "blocks": sorted(blocks),
            "verbatim": sorted(_code(node) for node in self._nodes("VERBATIM")),
        }


def _ion(node: Any) -> tuple[str, list[str], list[str], float]:
    reads = sorted(each.name.get_node_name() for each in node.readlist)
    writes = sorted(each.name.get_node_name() for each in node.writelist)
    valence = float(nmodl.to_nmodl(node.valence).split()[-1]) if node.valence else 0.0
    return node.name.get_node_name(), reads, writes, valence


def _parameter(node: Any) -> tuple[str, float]:
    value = 0.0 if node.value is None else float(nmodl.to_nmodl(node.value))
    return node.name.get_node_name(), value


def _code(node: Any) -> str:
    return (
        "".join(nmodl.to_nmodl(node).split()).removeprefix("VERBATIM").removesuffix("ENDVERBATIM")
    )
