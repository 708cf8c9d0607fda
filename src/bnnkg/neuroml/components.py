"""Components as elements: channels, synapses, inputs and point cells, from their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

from bnnkg.neuroml.grammar import child, element, is_valid, name_of, put_in_order, type_at_top
from bnnkg.neuroml.graph import Row
from bnnkg.neuroml.values import quantity

UID = re.compile(r"[cms][0-9a-f]{20}\Z")
_TIMES = re.compile(r"~\d+\Z")

IdOf = Callable[[str], str]
"""Uid of a shared node to its id in the document."""


def component(
    tag: str, id_: str, node: Row, id_of: IdOf, formulas: frozenset[str] = frozenset()
) -> etree._Element:
    """A component with all elements in it.

    Args:
        tag: Its class.
        id_: Its id.
        node: A Mechanism, SynapseType or Stimulus.
        id_of: What references to other definitions are written as.
        formulas: Names of what its component types compute, which are no attributes of it.
    """
    top = element(tag, {"id": id_} if id_ else {})
    parts = {"": top}
    for name, class_ in zip(node.get("part_names", ()), node.get("part_classes", ()), strict=True):
        above = _above(name, parts)
        parts[name] = child(parts[above], class_, _own_id(name[len(above) :].lstrip("."), class_))
    values = node.get("parameter_names", ()), node.get("parameter_values", ())
    for name, value, unit in zip(*values, node.get("parameter_units", ()), strict=True):
        _set(parts, name, quantity(value, unit))
    texts = node.get("expression_names", ()), node.get("expression_texts", ())
    for name, text in zip(*texts, strict=True):
        if name.rpartition(".")[2] not in formulas:
            _set(parts, name, id_of(text) if UID.match(text) else text)
    return top


def _above(name: str, parts: dict[str, etree._Element]) -> str:
    """The longest name of an element that another's begins with; sorted names come after it."""
    head = name
    while head:
        head = head.rpartition(".")[0]
        if head in parts:
            return head
    return ""


def _own_id(tail: str, class_: str) -> dict[str, str]:
    """The id of an element, which is all of its name (a gate) or follows its class."""
    tail = _TIMES.sub("", tail)
    if tail == class_:
        return {}
    return {"id": tail.removeprefix(f"{class_}.")}


def _set(parts: dict[str, etree._Element], name: str, value: str) -> None:
    above = _above(name, parts)
    parts[above].set(name[len(above) :].lstrip("."), value)


def with_plain_gates(channel: etree._Element) -> bool:
    """Writes gates of several classes as ``gate`` with a type, where that makes a channel valid.

    The schema lets a channel have gates of one class only, or any as ``gate``.
    """
    gates = [one for one in channel if name_of(one).startswith("gate")]
    tags = [one.tag for one in gates]
    for gate in gates:
        gate.set("type", name_of(gate))
        gate.tag = str(gate.tag).replace(name_of(gate), "gate")
    put_in_order(channel, type_at_top(name_of(channel)))
    if is_valid(channel):
        return True
    for gate, tag in zip(gates, tags, strict=True):
        gate.tag = tag
        del gate.attrib["type"]
    return False
