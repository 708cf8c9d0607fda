"""Documents spoilt at random, in the ways that files and their writers are."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

from lxml import etree

_NUMBERS = ("nan", "inf", "-inf", "1e999", "-1e308", "1e-400", "9" * 40, "", "0x10", "1,5", "--1")
_UNITS = ("mV", "S", "parsec", "per_", "m V", "µm", "\u0000"[:0], "kg_per_", "%")
_TEXTS = ("", " ", "../", "[", "a" * 5000, "ω", "&lt;", "0", "-1", "None", "../p[99]", "all")

Spoil = Callable[[etree._Element, random.Random], None]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A document with one to three things wrong."""
    if chance.random() < 0.1:
        return _bytes(content, chance)
    root = etree.fromstring(content, etree.XMLParser(remove_comments=True, remove_pis=True))
    for _ in range(chance.randint(1, 3)):
        chance.choice(_SPOILS)(root, chance)
    return etree.tostring(root)


def _bytes(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    if chance.random() < 0.5:
        return content[:place]
    return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]


def _any(root: etree._Element, chance: random.Random) -> etree._Element:
    return chance.choice([one for one in root.iter() if isinstance(one.tag, str)])


def _attribute(root: etree._Element, chance: random.Random) -> tuple[etree._Element, str] | None:
    having = [one for one in root.iter() if one.attrib]
    if not having:
        return None
    one = chance.choice(having)
    return one, str(chance.choice(list(one.attrib)))


def _delete_attribute(root: etree._Element, chance: random.Random) -> None:
    found = _attribute(root, chance)
    if found:
        del found[0].attrib[found[1]]


def _garble_attribute(root: etree._Element, chance: random.Random) -> None:
    found = _attribute(root, chance)
    if found:
        found[0].set(found[1], chance.choice((*_NUMBERS, *_TEXTS)))


def _garble_unit(root: etree._Element, chance: random.Random) -> None:
    found = _attribute(root, chance)
    if found:
        text = found[0].get(found[1], "").rstrip("_abcdefghijklmnopqrstuvwxyzVSFAM2")
        found[0].set(found[1], text + chance.choice(_UNITS))


def _remove(root: etree._Element, chance: random.Random) -> None:
    one = _any(root, chance)
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


def _duplicate(root: etree._Element, chance: random.Random) -> None:
    one = _any(root, chance)
    parent = one.getparent()
    if parent is not None:
        parent.insert(chance.randint(0, len(parent)), copy.deepcopy(one))


def _move(root: etree._Element, chance: random.Random) -> None:
    one, there = _any(root, chance), _any(root, chance)
    if one is not root and one not in there.iterancestors() and one is not there:
        there.insert(chance.randint(0, len(there)), one)


def _rename(root: etree._Element, chance: random.Random) -> None:
    one, other = _any(root, chance), _any(root, chance)
    if one is not root and other is not root:
        one.tag = other.tag


def _nest(root: etree._Element, chance: random.Random) -> None:
    one = _any(root, chance)
    for _ in range(chance.choice((3, 50, 230, 400))):
        one = etree.SubElement(one, one.tag, dict(one.attrib))


_SPOILS: tuple[Spoil, ...] = (
    _delete_attribute, _garble_attribute, _garble_attribute, _garble_unit, _remove, _duplicate,
    _move, _rename, _nest,
)  # fmt: skip
