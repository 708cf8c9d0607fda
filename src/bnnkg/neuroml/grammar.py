"""What NeuroML's XML schema says of elements: their order, and whether one is valid."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from bnnkg.schema.xsd import NEUROML2, xml_schema, xsd_path

_XS = "{http://www.w3.org/2001/XMLSchema}"
ROOT = "NeuroMLDocument"


@dataclass(frozen=True)
class ElementType:
    """A complex type.

    Attributes:
        children: Type of each element that may stand in it, in the order of the schema.
    """

    children: dict[str, str] = field(default_factory=dict)

    def place(self, tag: str) -> int:
        """Place of an element among its siblings; last where the schema does not know it."""
        return list(self.children).index(tag) if tag in self.children else len(self.children)


@functools.cache
def element_type(name: str) -> ElementType:
    """The complex type of that name; one without children where there is none."""
    children: dict[str, str] = {}
    declared = _declared().get(name)
    if declared is None:
        return ElementType()
    base = declared.find(f".//{_XS}extension")
    if base is not None:
        children |= element_type(base.get("base", "")).children
    for particle in declared.iter(f"{_XS}element", f"{_XS}group"):
        if particle.get("ref"):
            children |= element_type(particle.get("ref", "")).children
        elif particle.tag == f"{_XS}element":
            children[particle.get("name", "")] = particle.get("type", "")
    return ElementType(children)


@functools.cache
def _declared() -> dict[str, etree._Element]:
    root = etree.parse(str(xsd_path())).getroot()
    return {e.get("name", ""): e for e in root if e.tag in (f"{_XS}complexType", f"{_XS}group")}


def element(tag: str, attributes: dict[str, str] | None = None) -> etree._Element:
    """A NeuroML element."""
    prefixes: Any = {None: NEUROML2}
    made = etree.Element(f"{{{NEUROML2}}}{tag}", nsmap=prefixes)
    for name, value in (attributes or {}).items():
        made.set(name, value)
    return made


def child(parent: etree._Element, tag: str, attributes: dict[str, str]) -> etree._Element:
    """A new element within another."""
    made = etree.SubElement(parent, f"{{{NEUROML2}}}{tag}")
    for name, value in attributes.items():
        made.set(name, value)
    return made


def name_of(one: etree._Element) -> str:
    """Name of an element without its namespace; empty for a comment."""
    return one.tag.rpartition("}")[2] if isinstance(one.tag, str) else ""


def put_in_order(one: etree._Element, type_name: str) -> None:
    """Sorts what stands in an element, at any depth, as the schema wants it."""
    type_ = element_type(type_name)
    one[:] = sorted(one, key=lambda inner: type_.place(name_of(inner)))
    for inner in one:
        put_in_order(inner, type_.children.get(name_of(inner), ""))


def type_at_top(tag: str) -> str:
    """Type of an element that may stand at the top of a document; empty where none does."""
    return element_type(ROOT).children.get(tag, "")


def is_valid(one: etree._Element, around: tuple[str, ...] = ()) -> bool:
    """Whether an element, at the top of a document or within others, fits the schema.

    Args:
        one: The element; it stays where it is.
        around: Documents' texts that surround it: what stands before, and after it.
    """
    before, after = around or ("", "")
    text = etree.tostring(one, encoding="unicode", with_tail=False)
    document = f'<neuroml xmlns="{NEUROML2}" id="d">{before}{text}{after}</neuroml>'
    return bool(xml_schema().validate(etree.fromstring(document)))
