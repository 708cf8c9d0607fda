"""Components as libNeuroML reads them: its generated classes are the schema and the reader.

Only its classes are used, never its loaders: those end the process at a missing include, stumble
over LEMS roots and lose what they do not know. Each object that a class builds keeps the element it
came from, so every element that it did not take shows.
"""

from __future__ import annotations

import functools
import importlib
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from types import ModuleType
from typing import Any

from lxml import etree

from bnnkg.errors import QuantityError
from bnnkg.ingest.markup import Account, local_name, quiet_warnings
from bnnkg.ingest.quantities import finite_quantity

_QUANTITY = "Nml2Quantity_"
_NUMBERS = frozenset({
    "xs:float", "xs:double", "xs:integer", "xs:nonNegativeInteger", "NonNegativeInteger",
    "PositiveInteger", "ZeroToOne", "ZeroOrOne",
})  # fmt: skip
_DIMENSIONS = {
    "pertime": "per_time", "conductanceDensity": "conductance_density",
    "conductancePerVoltage": "conductance_per_voltage", "currentDensity": "current_density",
    "specificCapacitance": "specific_capacitance", "rhoFactor": "rho_factor",
}  # fmt: skip
_FREE_TEXT = frozenset({"notes", "annotation", "property"})
_LEMS_PARTS = frozenset({
    "voltageConcDepBlockMechanism", "tsodyksMarkramDepMechanism", "tsodyksMarkramDepFacMechanism",
    "rate", "vHalfTransition",
})  # fmt: skip
"""NeuroML's own classes that its LEMS definitions have and its XML schema has not."""
_NAMING = frozenset({"id", "metaid", "neuroLexId"})


IsType = Callable[[str], bool]


@dataclass
class Part:
    """An element of a component, with its attributes read.

    Attributes:
        element: The element.
        tag: Its name, or its type where the element is a LEMS ``Component``.
        known: Whether libNeuroML has a class for it.
        numbers: Value (nine digits, canonical unit) and unit of each attribute that is a quantity.
        texts: The other attributes.
        parts: Its child elements that belong to the component.
        strange: Child elements that the class does not know.
    """

    element: etree._Element
    tag: str
    known: bool
    numbers: dict[str, tuple[Decimal, str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    strange: list[etree._Element] = field(default_factory=list)
    spoilt: bool = False

    @property
    def id(self) -> str:
        """Its id; empty where it has none."""
        return (self.element.get("id") or "").strip()

    def number(self, name: str) -> float | None:
        """A quantity in its canonical unit; absent where there is none."""
        found = self.numbers.get(name)
        return None if found is None else float(found[0])

    def find(self, tag: str) -> list[Part]:
        """Child parts of that name."""
        return [part for part in self.parts if part.tag == tag]


@functools.cache
def _schema() -> ModuleType:
    """LibNeuroML's classes; loading them takes longer than reading many a source without any."""
    logging.getLogger("neuroml").setLevel(logging.ERROR)
    return importlib.import_module("neuroml")


@functools.cache
def schema_class(tag: str) -> type | None:
    """LibNeuroML's class for an element that may stand at the top of a document."""
    schema = _schema()
    found = getattr(schema, tag, None) or getattr(schema, tag[:1].upper() + tag[1:], None)
    is_class = isinstance(found, type) and hasattr(found, "member_data_items_")
    return found if is_class else None


@functools.cache
def _members(cls: Any) -> tuple[dict[str, str], tuple[str, ...]]:
    """Types of a class's attributes, by name and folded name, and the members that hold children.

    libNeuroML calls ``tauRise`` ``tau_rise``, but tells ``C`` from ``c``.
    """
    attributes: dict[str, str] = {}
    children: list[str] = []
    for base in cls.__mro__:
        for spec in base.__dict__.get("member_data_items_", ()):
            type_ = spec.get_data_type()
            if isinstance(getattr(_schema(), type_, None), type):
                children.append(spec.get_name())
            else:
                attributes[spec.get_name()] = type_
                attributes.setdefault(_folded(spec.get_name()), type_)
    return attributes, tuple(children)


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def read_component(
    element: etree._Element,
    account: Account,
    where: str,
    tag: str | None = None,
    is_type: IsType = lambda _: False,
) -> Part:
    """Reads a component with all that stands in it.

    Args:
        element: The element that defines it.
        account: Told of values that do not fit the schema.
        where: File of the element, for messages.
        tag: Name of its class, where the element is a LEMS ``Component``.
        is_type: Whether the source has a component type of a name: elements of such names are parts
            of a component, although no class of the schema knows them.
    """
    tag = tag or local_name(element)
    cls = schema_class(tag)
    built = _build(cls, element, account, where) if cls is not None else None
    if built is None:
        return _plain_part(element, account, where, tag)
    return _part_of(built, element, account, where, tag, is_type)


class _Messages:
    """Collects what libNeuroML remarks, in its words.

    Its own collector reads the source code of all callers to learn who speaks, for each remark.
    """

    def __init__(self) -> None:
        self._found: list[str] = []

    def add_message(self, text: str) -> None:
        """Takes a remark of the object that calls."""
        speaker = sys._getframe(1).f_locals["self"]
        id_ = f" ({speaker.id})" if hasattr(speaker, "id") else ""
        self._found.append(f"{type(speaker).__name__}{id_}: {text}")

    def get_messages(self) -> list[str]:
        """All remarks so far."""
        return self._found


def _build(cls: Any, element: etree._Element, account: Account, where: str) -> Any:
    from neuroml.nml.nml import GDSParseError

    collector = _Messages()
    built = cls.factory()
    with quiet_warnings() as caught:
        try:
            built.build(element, gds_collector_=collector)
        except (GDSParseError, ValueError, TypeError) as error:
            account.problem(f"{where}:{element.sourceline}: not as the schema wants it: {error}")
            return None
    messages = [*collector.get_messages(), *(str(warning.message) for warning in caught)]
    account.notes.extend(
        f"line {element.sourceline}, {local_name(element)}: {' '.join(m.split())}"
        for m in dict.fromkeys(messages)
    )
    return built


def _part_of(
    built: Any, element: etree._Element, account: Account, where: str, tag: str, is_type: IsType
) -> Part:
    built_class: Any = type(built)
    attributes, members = _members(built_class)
    part = Part(element, tag, known=True)
    _read_attributes(part, attributes, account, where)
    objects = {}
    for member in members:
        held = getattr(built, member)
        for child in held if isinstance(held, list) else [held] if held is not None else []:
            objects[child.gds_elementtree_node_] = child
    for node in element:
        name = local_name(node)
        if name in _FREE_TEXT:
            continue
        if node in objects:
            part.parts.append(_part_of(objects[node], node, account, where, name, is_type))
        elif name in _LEMS_PARTS or is_type(name):
            part.parts.append(_plain_part(node, account, where, name))
        else:
            part.strange.append(node)
    return part


def _plain_part(element: etree._Element, account: Account, where: str, tag: str) -> Part:
    part = Part(element, tag, known=False)
    _read_attributes(part, {}, account, where)
    for node in element:
        name = local_name(node)
        if name and name not in _FREE_TEXT:
            part.parts.append(_plain_part(node, account, where, name))
    return part


def _read_attributes(part: Part, types: dict[str, str], account: Account, where: str) -> None:
    for raw_name, raw_text in part.element.attrib.items():
        name, text = str(raw_name), str(raw_text)
        if name in _NAMING or name.startswith("{"):
            continue
        folded = _folded(name)
        type_ = types.get(name) or types.get(folded) or types.get(folded + "s")
        dimension = _dimension(type_)
        if type_ is not None and dimension is None:
            part.texts[name] = " ".join(text.split())
            continue
        try:
            part.numbers[name] = finite_quantity(text, dimension or None)
        except QuantityError as error:
            part.texts[name] = " ".join(text.split())
            if type_ is not None:
                part.spoilt = True
                account.problem(
                    f"{where}:{part.element.sourceline}: {part.tag}.{name}: {error.what}; "
                    f"expected {error.expected}, found {error.found}"
                )


def _dimension(type_: str | None) -> str | None:
    """Dimension of a schema type: empty for any, absent where it is no quantity."""
    if type_ is None or type_ == "Nml2Quantity":
        return ""
    if type_.startswith(_QUANTITY):
        name = type_.removeprefix(_QUANTITY)
        return _DIMENSIONS.get(name, name)
    return "none" if type_ in _NUMBERS else None
