"""What an entry of ModelDB says of its model, read from the forms of its API.

The forms are those of ``/api/v1/models/ID``, ``papers/ID`` and ``regions/ID``: an object whose
attributes are ``{"attr_id": 25, "value": [{"object_id": 1, "object_name": "..."}]}``, or hold a
text as their value, or are a text themselves. Only what is named here is taken over: who submitted
or implemented the model, and how to reach them, is left behind.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bnnkg.errors import SourceError
from bnnkg.ingest.modeldb.personal import without_addresses, without_names
from bnnkg.ingest.sources import TermRef

TERM_KINDS = {
    "region": "region",
    "neurons": "celltype",
    "more_cells": "celltype",
    "currents": "current",
    "receptors": "receptor",
    "gene": "gene",
    "neurotransmitters": "transmitter",
    "model_concept": "concept",
    "model_type": "modeltype",
    "modeling_application": "simenvironment",
}
"""Kind of term by the attribute of a model that lists it."""
SPECIES = "Species"
"""Parent, in ModelDB's list of regions, of those that are species."""
MAX_TEXT_CHARACTERS = 200_000
MAX_NAME_CHARACTERS = 1_000
MAX_OBJECTS = 1_000
_log = logging.getLogger(__name__)
_PEOPLE = ("implemented_by",)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_MORE = "see what the address answers in a browser; if it is right there, report this"


@dataclass(frozen=True)
class ModelEntry:
    """What ModelDB says of a model, without anything about those who submitted it.

    Attributes:
        accession: Its accession.
        name: Its title.
        version: Number and date of the entry's version; absent where it has none.
        licence: As its authors gave it; most entries have none.
        doi: Of the first of its papers that has one, without ``https://doi.org/``.
        citation: Its papers, one on each line.
        terms: Each once. Their kinds are region, species, celltype, current, receptor, gene,
            transmitter, concept, modeltype and simenvironment.
        notes: Its abstract, e-mail addresses and implementers' names taken out.
    """

    accession: str
    name: str
    version: str | None = None
    licence: str | None = None
    doi: str | None = None
    citation: str | None = None
    terms: tuple[TermRef, ...] = ()
    notes: str | None = None


@dataclass(frozen=True)
class Download:
    """An archive in the cache.

    Attributes:
        entry: What ModelDB says of it.
        archive: The zip.
        sha256: Of the zip, in hexadecimal; just checked.
        from_cache: Whether no byte of it had to be fetched.
    """

    entry: ModelEntry
    archive: Path
    sha256: str
    from_cache: bool


@dataclass(frozen=True)
class Paper:
    """A publication of a model: its citation on one line, and its DOI."""

    citation: str
    doi: str | None = None


def read_accessions(answer: object, where: str) -> list[str]:
    """Accessions of all public models, in numeric order.

    Raises:
        SourceError: The answer is no list of numbers.
    """
    if not isinstance(answer, list):
        raise _unlike("the list of models", where, "a list of numbers", answer)
    return sorted({_id(item, "accession", where) for item in answer}, key=int)


def read_model(
    answer: object, where: str, accession: str
) -> tuple[ModelEntry, tuple[TermRef, ...]]:
    """An entry, and its papers, which have forms of their own.

    Args:
        answer: What ``models/ID`` answers.
        where: The address, for errors.
        accession: The accession that was asked for. An alternative version of a model is
            answered with the entry of the model itself.

    Returns:
        The entry without citation and DOI, its species still of kind region, and a reference to
        each paper (kind ``paper``).

    Raises:
        SourceError: The answer is of another form, or is about another model.
    """
    form = _object(answer, "the entry", where)
    _check_accession(form, accession, where)
    names = [item.name for attribute in _PEOPLE for item in _refs(form, attribute, "", where)]
    notes = _text(form, "notes", where)
    entry = ModelEntry(
        accession,
        _name(form, where),
        version=_version(form, where),
        licence=_text(form, "license", where) or _text(form, "licence", where),
        citation=_line(_text(form, "_citation_text", where)),
        terms=_terms(form, where),
        notes=notes and without_names(notes, names),
    )
    return entry, _refs(form, "model_paper", "paper", where)


def _check_accession(form: dict[str, object], accession: str, where: str) -> None:
    found = _id(form.get("id"), "id", where)
    others = {ref.id for ref in _refs(form, "alternative_version", "", where)}
    if accession != found and accession not in others:
        raise SourceError(
            "the answer is about another model",
            where=where,
            expected=f"id {accession}",
            found=f"id {found}",
            hint=_MORE,
        )


def _name(form: dict[str, object], where: str) -> str:
    name = _line(_text(form, "name", where))
    if not name or len(name) > MAX_NAME_CHARACTERS:
        expected = f"a text of at most {MAX_NAME_CHARACTERS} characters"
        raise _unlike("name", where, expected, form.get("name"))
    return name


def _version(form: dict[str, object], where: str) -> str | None:
    parts = [_text(form, "ver_number", where), _text(form, "ver_date", where)]
    return _line(" of ".join(part for part in parts if part) or None)


def _terms(form: dict[str, object], where: str) -> tuple[TermRef, ...]:
    found = (
        ref for attribute, kind in TERM_KINDS.items() for ref in _refs(form, attribute, kind, where)
    )
    return tuple({(ref.kind, ref.name): ref for ref in found}.values())


def read_parent(answer: object, where: str) -> str | None:
    """Name of what a region belongs to, such as Species; absent where it belongs to nothing.

    Raises:
        SourceError: The answer is of another form.
    """
    parent = _object(answer, "the region", where).get("parent")
    if parent is None or isinstance(parent, str | int):
        return None  # an id of another region, by which it is no species
    return _text(_object(parent, "parent", where), "object_name", where)


def read_paper(answer: object, where: str) -> Paper:
    """A publication.

    Args:
        answer: What ``papers/ID`` answers.
        where: The address, for errors.

    Raises:
        SourceError: The answer is of another form.
    """
    form = _object(answer, "the paper", where)
    authors = ", ".join(author.name for author in _refs(form, "authors", "", where))
    year = _text(form, "year", where)
    parts = [
        f"{authors} ({year})." if authors and year else authors or year,
        _text(form, "title", where),
        _text(form, "journal", where),
        _text(form, "volume", where),
    ]
    whole = " ".join(part if part.endswith(".") else f"{part}." for part in parts[:3] if part)
    citation = _line(f"{whole} {parts[3] or ''}".strip() or _text(form, "name", where))
    doi = _DOI.search(_text(form, "doi", where) or "")
    return Paper(citation or "", doi[0].rstrip(".,;") if doi else None)


def entry_of(stored: object) -> ModelEntry:
    """An entry as it was stored.

    Raises:
        TypeError: What was stored has another form.
        KeyError: It has no terms.
    """
    if not isinstance(stored, dict) or not isinstance(stored["terms"], list):
        raise TypeError("an entry is an object with terms")
    terms = tuple(TermRef(**term) for term in stored["terms"])
    entry = ModelEntry(**{**stored, "terms": terms})
    texts = (entry.version, entry.licence, entry.doi, entry.citation, entry.notes)
    must = (entry.accession, entry.name, *(text for t in terms for text in (t.kind, t.name)))
    if not all(isinstance(maybe_text(text), str) for text in must):
        raise TypeError("a text was expected")
    for text in (*texts, *(term.id for term in terms)):
        maybe_text(text)
    return entry


def maybe_text(stored: object) -> str | None:
    """A text or nothing, as it was stored; TypeError where it is something else."""
    if stored is None or isinstance(stored, str):
        return stored
    raise TypeError("a text was expected")


def _object(value: object, what: str, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _unlike(what, where, "an object with named attributes", value)
    return value


def _refs(form: dict[str, object], attribute: str, kind: str, where: str) -> tuple[TermRef, ...]:
    found = (_ref(item, attribute, kind, where) for item in _values(form, attribute, where))
    return tuple(ref for ref in found if ref is not None)


def _values(form: dict[str, object], attribute: str, where: str) -> Iterator[object]:
    wrapped = form.get(attribute)
    if wrapped is None:
        return
    value = _object(wrapped, attribute, where).get("value")
    listed = [] if value is None else [value] if isinstance(value, dict) else value
    if not isinstance(listed, list) or len(listed) > MAX_OBJECTS:
        expected = f"at most {MAX_OBJECTS} of object_id and object_name"
        raise _unlike(f"{attribute}.value", where, expected, value)
    yield from listed


def _ref(item: object, attribute: str, kind: str, where: str) -> TermRef | None:
    form = _object(item, f"an item of {attribute}", where)
    id_, name = form.get("object_id"), _line(_text(form, "object_name", where))
    if not name:
        _log.warning("%s: an item of %s has no name and is left out", where, attribute)
        return None
    if len(name) > MAX_NAME_CHARACTERS:
        expected = f"a text of at most {MAX_NAME_CHARACTERS} characters"
        raise _unlike(f"object_name in {attribute}", where, expected, name)
    what = f"object_id in {attribute}"
    return TermRef(kind, name, None if id_ is None else _id(id_, what, where))


def _id(value: object, what: str, where: str) -> str:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise _unlike(what, where, "a whole number", value)
    return str(int(text))


def _text(form: dict[str, object], attribute: str, where: str) -> str | None:
    """A text, wrapped or not, clean and without addresses; absent where there is none in it."""
    value = form.get(attribute)
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        value = f"{value:.15g}"
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARACTERS:
        expected = f"a text of at most {MAX_TEXT_CHARACTERS} characters"
        raise _unlike(attribute, where, expected, value)
    plain = _CONTROLS.sub(" ", "\n".join(html.unescape(value).splitlines()))
    return without_addresses(plain).strip() or None


def _line(text: str | None) -> str | None:
    return text and " ".join(text.split())


def _unlike(what: str, where: str, expected: str, found: object) -> SourceError:
    """The error for a form that is not as it should be; it never repeats what was sent."""
    size = f" of {len(found)}" if isinstance(found, str | list | dict) else ""
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "nothing"}
    kind = kinds.get(type(found), f"a {type(found).__name__}")
    return SourceError(
        f"ModelDB's answer has another form: {what}",
        where=where,
        expected=expected,
        found=kind + size,
        hint=_MORE,
    )
