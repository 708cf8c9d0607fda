"""What the author says of an element beside its values: notes, properties, annotations, terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from lxml import etree

from bnnkg.ingest.markup import UNCOUNTED_BELOW, Account, local_name, without_addresses
from bnnkg.ingest.parsed import Annotations
from bnnkg.ingest.sources import TermRef

PERSONAL_PROPERTIES = frozenset({"OpenWormBackerAssignedName"})
"""Tags of properties that name living people and say nothing about the model."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PEOPLE = frozenset({"creator", "contributor"})
_PREFIXES = {
    "http://biomodels.net/biology-qualifiers/": "bqbiol",
    "http://biomodels.net/model-qualifiers/": "bqmodel",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
}
LEX_ID = "neuroLexId"
_SPECIAL = frozenset({"notes", "property", "annotation", "segment", "instance"})
_LISTS = frozenset({
    "population", "projection", "electricalProjection", "continuousProjection", "inputList",
})  # fmt: skip
"""Elements that may hold hundreds of thousands of rows, which are not looked at."""
_SAID = ("{*}notes", "{*}property", "{*}annotation")


def drop_if_personal(element: etree._Element, account: Account) -> bool:
    """Whether a property names a living person; it is then left out of the graph."""
    if element.get("tag") in PERSONAL_PROPERTIES:
        account.skip(element)
        return True
    return False


def annotations_of(element: etree._Element, account: Account) -> Annotations:
    """Notes, properties and annotations of an element and of what stands in it.

    Those of an inner element have it in front: ``segmentGroup soma_group``. Addresses are removed,
    and so are the names of people.
    """
    found = _Found(account)
    found.read(element, "")
    return found.collected()


def document_annotations(path: str, root: etree._Element, account: Account) -> Annotations:
    """What a document says of itself, after its path."""
    found = _Found(account)
    found.read_own(root, path)
    return found.collected()


def joined(several: Iterable[Annotations]) -> Annotations:
    """Annotations of several elements as those of one."""
    parts = list(several)
    return Annotations(
        "\n".join(one.notes for one in parts if one.notes) or None,
        tuple(name for one in parts for name in one.property_names),
        tuple(value for one in parts for value in one.property_values),
        tuple(qualifier for one in parts for qualifier in one.qualifiers),
        tuple(value for one in parts for value in one.values),
    )


def said(annotations: Annotations) -> dict[str, object]:
    """What the author says of an element, as properties of ``DEFINES``."""
    return {
        "notes": annotations.notes,
        "property_names": list(annotations.property_names) or None,
        "property_values": list(annotations.property_values) or None,
        "annotation_qualifiers": list(annotations.qualifiers) or None,
        "annotation_values": list(annotations.values) or None,
    }


class _Found:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._notes: list[str] = []
        self._properties: list[tuple[str, str]] = []
        self._annotations: dict[tuple[str, str], None] = {}

    def collected(self) -> Annotations:
        return Annotations(
            notes=without_addresses("\n".join(self._notes)) or None,
            property_names=tuple(name for name, _ in self._properties),
            property_values=tuple(without_addresses(value) for _, value in self._properties),
            qualifiers=tuple(qualifier for qualifier, _ in self._annotations),
            values=tuple(without_addresses(value) for _, value in self._annotations),
        )

    def read(self, element: etree._Element, owner: str) -> None:
        """Reads what is said of an element and of what stands in it."""
        lex_id = element.get(LEX_ID)
        if lex_id:
            self._annotations[LEX_ID, lex_id.strip()] = None
        self.read_own(element, owner)
        if local_name(element) in _LISTS:
            return
        for child in element:
            name = local_name(child)
            if name not in _SPECIAL and (len(child) or child.get(LEX_ID)):
                self.read(child, f"{name} {child.get('id') or ''}".strip())

    def read_own(self, element: etree._Element, owner: str) -> None:
        """Reads what is said of an element itself; free text says nothing of itself."""
        if local_name(element) in UNCOUNTED_BELOW:
            return
        for child in element.iterchildren(*_SAID):
            name = local_name(child)
            if name == "notes":
                self._note(child, owner)
            elif name == "annotation":
                self._annotation(child, owner)
            elif local_name(element) != "population":  # those are the Population's own
                self._property(child, owner)

    def _note(self, element: etree._Element, owner: str) -> None:
        self._account.take(element)
        text = " ".join("".join(map(str, element.itertext())).split())
        if text:
            self._notes.append(f"{owner}: {text}" if owner else text)

    def _property(self, element: etree._Element, owner: str) -> None:
        if not drop_if_personal(element, self._account):
            self._account.take(element)
            self._add_property(element, owner)

    def _add_property(self, element: etree._Element, owner: str) -> None:
        name = f"{owner}.{element.get('tag', '')}" if owner else element.get("tag", "")
        self._properties.append((name, element.get("value", "")))

    def _annotation(self, element: etree._Element, owner: str) -> None:
        """Takes an annotation that is of RDF and properties; any other is kept as written."""
        inner = list(element)
        if any(not _is_rdf(one) and local_name(one) != "property" for one in inner):
            return
        self._account.take(element)
        for one in inner:
            if _is_rdf(one):
                self._annotations.update(dict.fromkeys(_statements(one)))
            elif one.get("tag") not in PERSONAL_PROPERTIES:
                self._add_property(one, owner)


def _is_rdf(element: etree._Element) -> bool:
    return str(element.tag) == f"{{{_RDF}}}RDF"


def _statements(rdf: etree._Element) -> Iterator[tuple[str, str]]:
    """What RDF says: qualifier, and resource or text."""
    for description in rdf:
        for statement in description:
            name = local_name(statement)
            if name and name not in _PEOPLE:
                yield from ((_qualifier(statement), value) for value in _values(statement))


def _qualifier(statement: etree._Element) -> str:
    namespace = etree.QName(statement).namespace or ""
    prefix = _PREFIXES.get(namespace) or statement.prefix
    return f"{prefix}:{local_name(statement)}" if prefix else local_name(statement)


def _values(statement: etree._Element) -> Iterator[str]:
    """Resources and texts in a statement, in order, each once."""
    found: dict[str, None] = {}
    for element in statement.iter(etree.Element):
        for text in (element.get(f"{{{_RDF}}}resource"), element.text):
            value = " ".join((text or "").split())
            if value:
                found[value] = None
    yield from found


# ---------------------------------------------------------------------- terms

_CURIE = re.compile(r"(?P<kind>[A-Za-z][\w.-]*):(?P<id>[\w.-]+)\Z")
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"https?://(?:www\.)?identifiers\.org/(?P<kind>[\w.-]+)[/:](?P<id>[^/?#\s]+)\Z",
        r"urn:miriam:(?P<kind>[\w.-]+):(?P<id>\S+)\Z",
        r"https?://(?:www\.)?ncbi\.nlm\.nih\.gov/(?P<kind>pubmed)/(?P<id>\d+)/?\Z",
        r"https?://(?P<kind>pubmed)\.ncbi\.nlm\.nih\.gov/(?P<id>\d+)/?\Z",
        r"https?://(?:dx\.)?(?P<kind>doi)\.org/(?P<id>10\.\S+)\Z",
        r"https?://senselab\.med\.yale\.edu/(?P<kind>modeldb)/\S*[?&]model=(?P<id>\d+)\Z",
    )
)
_KINDS = {"biomodels.db": "biomodels", "ncbi.taxonomy": "taxonomy", "ncbitaxon": "taxonomy"}


def term_of(qualifier: str, value: str) -> TermRef | None:
    """The term that an annotation names; absent where it names none in a known form.

    Args:
        qualifier: Such as ``bqbiol:isVersionOf`` or ``neuroLexId``.
        value: Such as ``http://identifiers.org/pubmed/16293591`` or ``GO:0043025``.
    """
    text = unquote(value)
    if qualifier == LEX_ID:
        found = _CURIE.match(text)
        return _term(found["kind"], text) if found else _term("neurolex", text)
    match = next((m for m in (form.match(text) for form in _FORMS) if m), None)
    return None if match is None else _term(match["kind"], match["id"])


def _term(kind: str, id_: str) -> TermRef:
    kind = kind.lower().removeprefix("obo.")
    kind = _KINDS.get(kind, kind)
    curie = id_ if _CURIE.match(id_) else f"{kind}:{id_}"
    return TermRef(kind, id_, ontology_id=curie)
