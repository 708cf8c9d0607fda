"""One model as a NeuroML document, and a LEMS file beside it for what NeuroML has no class for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from bnnkg.errors import UsageError
from bnnkg.neuroml.definitions import Definitions
from bnnkg.neuroml.grammar import (
    ROOT,
    element,
    element_type,
    is_valid,
    name_of,
    put_in_order,
    type_at_top,
)
from bnnkg.neuroml.graph import Graph
from bnnkg.neuroml.networks import NetworkWriter
from bnnkg.neuroml.places import Places
from bnnkg.neuroml.values import valid_id
from bnnkg.schema import GraphTables
from bnnkg.schema.xsd import NEUROML2, VERSION

_LOCATION = (
    f"https://raw.github.com/NeuroML/NeuroML2/development/Schemas/NeuroML2/NeuroML_v{VERSION}.xsd"
)


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        paths: The document; beside it, where it is needed, a LEMS file that the document includes.
        not_written: What is not in them, and why; empty where all of the model is.
        renamed: Ids that could not stay, and what they are now.
    """

    paths: tuple[Path, ...]
    not_written: tuple[str, ...]
    renamed: dict[str, str]


def write_neuroml(tables: GraphTables, out: Path) -> Written:
    """Writes a model as a NeuroML document, networks row by row.

    Args:
        tables: One model, as the store gives it.
        out: File to write.

    Raises:
        UsageError: NeuroML can express nothing of the model.
        OSError: The file cannot be written.
    """
    graph = Graph(tables)
    [model] = graph.nodes("Model")
    definitions = Definitions(graph)
    elements = definitions.elements()
    places = Places(graph, definitions)
    networks = NetworkWriter(graph, definitions, places)
    if not elements and not places.by_network:
        raise UsageError(
            "NeuroML can express nothing of this model",
            where=model["key"],
            expected="cells, mechanisms or synapses that are not in NMODL",
            found=f"format {model['format']}",
        )
    fitting, others = _sorted_out(elements, definitions)
    beside = out.with_name(f"{out.stem}.lems.xml") if others else None
    if beside is not None:
        _write_lems(beside, others)
    _write_document(out, valid_id(model["key"]), fitting, networks, beside)
    told = [
        *definitions.not_written, *places.not_written, *networks.not_written,
        *(f"{text}: outside all definitions" for text in model.get("kept_elements", ())),
    ]  # fmt: skip
    paths = (out,) if beside is None else (out, beside)
    return Written(paths, tuple(dict.fromkeys(told)), definitions.renamed)


def _sorted_out(
    elements: list[etree._Element], definitions: Definitions
) -> tuple[list[etree._Element], list[etree._Element]]:
    """What fits NeuroML's schema, in its order, and what only LEMS can hold."""
    fitting: list[etree._Element] = []
    others: list[etree._Element] = []
    for one in elements:
        put_in_order(one, type_at_top(name_of(one)))
        (fitting if is_valid(one) else others).append(one)
    order = element_type(ROOT)
    fitting.sort(key=lambda one: order.place(name_of(one)))
    return fitting, [*definitions.types.values(), *others]


def _write_document(
    out: Path,
    id_: str,
    elements: list[etree._Element],
    networks: NetworkWriter,
    beside: Path | None,
) -> None:
    attributes = {
        "id": id_,
        "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation": f"{NEUROML2} {_LOCATION}",
    }
    prefixes: Any = {None: NEUROML2, "xsi": "http://www.w3.org/2001/XMLSchema-instance"}
    place = element_type(ROOT).place
    with (
        etree.xmlfile(str(out), encoding="utf-8") as file,
        file.element(f"{{{NEUROML2}}}neuroml", attributes, nsmap=prefixes),
    ):
        if beside is not None:
            file.write(element("include", {"href": beside.name}), pretty_print=True)
        before = [e for e in elements if place(name_of(e)) < place("network")]
        for one in before:
            file.write(one, pretty_print=True)
        networks.write(file)
        for one in elements[len(before) :]:
            file.write(one, pretty_print=True)


def _write_lems(path: Path, elements: list[etree._Element]) -> None:
    with etree.xmlfile(str(path), encoding="utf-8") as file, file.element("Lems"):
        for one in elements:
            file.write(one, pretty_print=True)
