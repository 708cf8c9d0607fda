"""One model as a NeuroML document, and a LEMS file beside it for what NeuroML has no class for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from bnnkg.errors import UsageError
from bnnkg.neuroml.components import with_plain_gates
from bnnkg.neuroml.definitions import Defined, Definitions
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
        paths: The document; beside it, where they are needed, LEMS files that it includes.
        not_written: What is not in them, and why; empty where all of the model is.
        renamed: Ids that are new, and what they were.
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
    fitting, others = _sorted_out(elements)
    beside = [
        _write_lems(out.with_name(f"{out.stem}{f'.{place}' if place else ''}.lems.xml"), some)
        for place, some in enumerate(_by_types(others))
    ]
    _write_document(out, valid_id(model["key"]), fitting, networks, beside)
    told = [
        *definitions.not_written, *places.not_written, *networks.not_written,
        *(f"{text}: outside all definitions" for text in model.get("kept_elements", ())),
    ]  # fmt: skip
    return Written((out, *beside), tuple(dict.fromkeys(told)), definitions.renamed | places.renamed)


def _sorted_out(
    elements: list[Defined],
) -> tuple[list[etree._Element], list[Defined]]:
    """What fits NeuroML's schema, in its order, and what only LEMS can hold."""
    fitting: list[etree._Element] = []
    others: list[Defined] = []
    for defined in elements:
        one = defined.element
        put_in_order(one, type_at_top(name_of(one)))
        if not defined.types and (is_valid(one) or with_plain_gates(one)):
            fitting.append(one)
        else:
            others.append(defined)
    order = element_type(ROOT)
    fitting.sort(key=lambda one: order.place(name_of(one)))
    return fitting, others


def _by_types(others: list[Defined]) -> list[list[etree._Element]]:
    """Elements file by file: in each, types of one name are one type."""
    files: list[tuple[dict[str, bytes], list[etree._Element]]] = []
    for defined in others:
        texts = {name: etree.tostring(type_) for name, type_ in defined.types.items()}
        fitting = (file for file in files if _agree(file[0], texts))
        types, elements = next(fitting, None) or ({}, [])
        if not types and not elements:
            files.append((types, elements))
        elements += [type_ for name, type_ in defined.types.items() if name not in types]
        types.update(texts)
        elements.append(defined.element)
    return [elements for _, elements in files]


def _agree(types: dict[str, bytes], others: dict[str, bytes]) -> bool:
    return all(types.get(name, text) == text for name, text in others.items())


def _write_document(
    out: Path,
    id_: str,
    elements: list[etree._Element],
    networks: NetworkWriter,
    beside: list[Path],
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
        for path in beside:
            file.write(element("include", {"href": path.name}), pretty_print=True)
        before = [e for e in elements if place(name_of(e)) < place("network")]
        for one in before:
            file.write(one, pretty_print=True)
        networks.write(file)
        for one in elements[len(before) :]:
            file.write(one, pretty_print=True)


def _write_lems(path: Path, elements: list[etree._Element]) -> Path:
    with etree.xmlfile(str(path), encoding="utf-8") as file, file.element("Lems"):
        for one in elements:
            file.write(one, pretty_print=True)
    return path
