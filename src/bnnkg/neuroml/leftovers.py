"""What the graph keeps of elements as written, and its way back to where it stood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from bnnkg.neuroml.grammar import element, name_of
from bnnkg.neuroml.graph import Row
from bnnkg.schema.xsd import NEUROML2

_PREFIXES = {
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "bqbiol": "http://biomodels.net/biology-qualifiers/",
    "bqmodel": "http://biomodels.net/model-qualifiers/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
}
_COMPUTED = tuple(
    f"{{*}}{name}"
    for name in ("Constant", "DerivedParameter", "DerivedVariable", "ConditionalDerivedVariable")
)


@dataclass(frozen=True)
class Leftover:
    """An element kept as written.

    Attributes:
        owner: Name and id of the element that it stood in; empty for a component type.
        element: The element.
    """

    owner: str
    element: etree._Element


def read_raw(raw: str | None) -> Iterator[Leftover]:
    """The elements of a DEFINES's ``raw``."""
    declared = "".join(f' xmlns:{p}="{uri}"' for p, uri in _PREFIXES.items())
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    text = f'<raw xmlns="{NEUROML2}"{declared}>{raw or ""}</raw>'
    root = etree.fromstring(text.encode(), parser)
    owner = ""
    for one in root:
        if not isinstance(one.tag, str):
            owner = (one.text or "").strip().removeprefix("in ").strip()
            continue
        yield Leftover(owner, one)
        owner = ""


def formula_names(raw: str | None) -> frozenset[str]:
    """Names of what the component types in a DEFINES's ``raw`` compute."""
    types = [one.element for one in read_raw(raw) if name_of(one.element) == "ComponentType"]
    named = {one.get("name", "") for type_ in types for one in type_.iter(*_COMPUTED)}
    rates = {
        f"{one.get('variable')}'" for type_ in types for one in type_.iter("{*}TimeDerivative")
    }
    return frozenset(named | rates)


def restore(raw: str | None, top: etree._Element) -> list[Leftover]:
    """Puts leftovers back into the elements that they stood in.

    Args:
        raw: Of the DEFINES that brought the element.
        top: The element as it is written again.

    Returns:
        Those whose owner is not there, component types among them.
    """
    owners = {_named(one): one for one in reversed(list(top.iter())) if name_of(one)}
    times = Counter(name_of(one) for one in top.iter())
    owners |= {name_of(one): one for one in top.iter() if times[name_of(one)] == 1}
    homeless = []
    for leftover in read_raw(raw):
        # Where there is one element of a name only, its id may be another than was written.
        owner = owners.get(leftover.owner, owners.get(leftover.owner.split(" ")[0]))
        if owner is None or not leftover.owner:
            homeless.append(leftover)
        else:
            owner.append(_copy(leftover.element))
    return homeless


def _named(one: etree._Element) -> str:
    return f"{name_of(one)} {one.get('id') or ''}".strip()


def _copy(one: etree._Element) -> etree._Element:
    """An element without the declarations of the text that it was read from."""
    made = element(name_of(one)) if one.tag.startswith(f"{{{NEUROML2}}}") else None
    if made is None:
        return etree.fromstring(etree.tostring(one, with_tail=False))
    for name, value in one.attrib.items():
        made.set(name, value)
    made.text = one.text
    for inner in one:
        if isinstance(inner.tag, str):
            made.append(_copy(inner))
    return made


def said(edge: Row) -> list[etree._Element]:
    """What the author says of an element, as elements that stand first in it.

    Args:
        edge: The DEFINES that brought it.
    """
    found = []
    if edge.get("notes"):
        found.append(element("notes"))
        found[0].text = edge["notes"]
    tags = edge.get("property_names", ()), edge.get("property_values", ())
    for tag, value in zip(*tags, strict=True):
        found.append(element("property", {"tag": tag, "value": value}))
    qualifiers = edge.get("annotation_qualifiers", ()), edge.get("annotation_values", ())
    statements = [(q, v) for q, v in zip(*qualifiers, strict=True) if ":" in q]
    if statements:
        found.append(_annotation(statements))
    return found


def lost_lex_ids(edge: Row, top: etree._Element) -> list[str]:
    """The neuroLexIds that a definition had and that its element, written again, has not."""
    written = {one.get("neuroLexId") for one in top.iter()}
    said_of_it = edge.get("annotation_qualifiers", ()), edge.get("annotation_values", ())
    pairs = zip(*said_of_it, strict=True)
    return [value for q, value in pairs if q == "neuroLexId" and value not in written]


def _annotation(statements: list[tuple[str, str]]) -> etree._Element:
    """Statements as RDF."""
    top = element("annotation")
    rdf = etree.SubElement(top, _rdf("RDF"), nsmap=dict(_PREFIXES))
    about = etree.SubElement(rdf, _rdf("Description"))
    for qualifier, value in statements:
        prefix, _, name = qualifier.partition(":")
        namespace = _PREFIXES.get(prefix, f"urn:{prefix}:")
        bag = etree.SubElement(
            etree.SubElement(about, f"{{{namespace}}}{name}"), _rdf("Bag")
        )  # fmt: skip
        etree.SubElement(bag, _rdf("li")).set(_rdf("resource"), value)
    return top


def _rdf(name: str) -> str:
    return f"{{{_PREFIXES['rdf']}}}{name}"
