"""Definitions by id, and which of them a reference in a file means."""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from bnnkg.ingest.classes import NEUROML_NAMES
from bnnkg.ingest.documents import Document
from bnnkg.ingest.kinds import CORE_KINDS, Kind
from bnnkg.ingest.markup import UNCOUNTED_BELOW, local_name
from bnnkg.ingest.own_types import OwnType, own_type


@dataclass(frozen=True, eq=False)
class Entry:
    """An element that defines something at the top of a document.

    Attributes:
        document: Where it stands.
        element: The element.
        tag: Its class: its name, or the type of a LEMS ``Component``.
        kind: What it defines; also morphology, biophysics, network and type.
        base_class: NeuroML class that its custom type comes from; absent for NeuroML's own.
    """

    document: Document
    element: etree._Element
    tag: str
    kind: str
    base_class: str | None = None

    @property
    def id(self) -> str:
        """Its id; empty where it has none."""
        return (self.element.get("id") or self.element.get("name") or "").strip()


_OWN_KINDS = {
    "network": "network",
    "morphology": "morphology",
    "biophysicalProperties": "biophysics",
    "biophysicalProperties2CaPools": "biophysics",
    "ComponentType": "type",
}


class Library:
    """All definitions of a source.

    A reference means the definition of that id in its own file; else in what the file includes,
    nearest first; else in files that include it, and in what those include; else the only one of
    the source. Otherwise it stays unresolved.

    Args:
        documents: All documents, by path.
    """

    def __init__(self, documents: dict[str, Document]) -> None:
        self._documents = documents
        self._includers: dict[str, list[str]] = {path: [] for path in documents}
        for path in sorted(documents):
            for included in documents[path].includes:
                self._includers[included].append(path)
        self._scopes: dict[tuple[str, ...], list[str]] = {}
        self._types: dict[str, dict[str, etree._Element]] = {
            path: _types_of(document) for path, document in documents.items()
        }
        self._type_files: dict[str, list[str]] = {}
        for path in sorted(self._types):
            for name in self._types[path]:
                self._type_files.setdefault(name, []).append(path)
        self._own_types: dict[tuple[str, str], OwnType | None] = {}
        self._entries = {path: list(self._read(documents[path])) for path in sorted(documents)}
        self._by_id: dict[str, dict[tuple[str, str], Entry]] = {}
        self._everywhere: dict[tuple[str, str], list[Entry]] = {}
        for path, entries in self._entries.items():
            own = self._by_id.setdefault(path, {})
            for entry in entries:
                own.setdefault((entry.kind, entry.id), entry)
                self._everywhere.setdefault((entry.kind, entry.id), []).append(entry)
        self._found: dict[tuple[str, str, str], Entry | None] = {}

    def note(self, path: str, text: str) -> None:
        """Adds a note to the report of a file."""
        self._documents[path].account.notes.append(text)

    def entries(self) -> Iterator[Entry]:
        """All definitions, file by file in the order of their paths."""
        for entries in self._entries.values():
            yield from entries

    def find(self, path: str, kind: str, id_: str) -> Entry | None:
        """The definition that a reference in a file means; absent where there is none."""
        key = (path, kind, id_)
        if key not in self._found:
            self._found[key] = self._search(path, kind, id_)
        return self._found[key]

    def find_any(self, path: str, kinds: Some[str], id_: str) -> Entry | None:
        """Likewise for several kinds, the first that has one."""
        return next((e for e in (self.find(path, k, id_) for k in kinds) if e is not None), None)

    def _search(self, path: str, kind: str, id_: str) -> Entry | None:
        if not id_:
            return None
        for file in self.scope(path):
            found = self._by_id[file].get((kind, id_))
            if found is not None:
                return found
        everywhere = self._everywhere.get((kind, id_), [])
        return everywhere[0] if len(everywhere) == 1 else None

    def scope(self, path: str) -> Iterator[str]:
        """Files where a reference in a file is looked up, nearest first; some come twice."""
        yield from self._reach((path,))
        above = tuple(_above(path, self._includers))
        if above:
            yield from self._reach(above)

    def _reach(self, paths: tuple[str, ...]) -> list[str]:
        """Files and all that they include; shared by all files with the same includers."""
        if paths not in self._scopes:
            self._scopes[paths] = self._closure(paths)
        return self._scopes[paths]

    def _closure(self, paths: tuple[str, ...]) -> list[str]:
        seen = dict.fromkeys(paths)
        queue = list(paths)
        for path in queue:
            for included in self._documents[path].includes:
                if included not in seen:
                    seen[included] = None
                    queue.append(included)
        return list(seen)

    def _read(self, document: Document) -> Iterator[Entry]:
        for element in document.root:
            tag = self._class_of(document.path, element)
            if tag in _OWN_KINDS:
                yield Entry(document, element, tag, _OWN_KINDS[tag])
                continue
            kind, base = self.kind_of(document.path, tag)
            if kind is not None:
                yield Entry(document, element, tag, kind, base)
                continue
            if tag in UNCOUNTED_BELOW:
                continue
            for inner in element:  # a custom tissue around a network, for example
                if local_name(inner) == "network":
                    yield Entry(document, inner, "network", "network")

    def _class_of(self, path: str, element: etree._Element) -> str:
        """Class of an element: its name, unless its type names another component class."""
        tag, type_ = local_name(element), (element.get("type") or "").strip()
        if tag == "Component" or (tag != "ionChannel" and self._names_class(path, tag, type_)):
            return type_
        return tag

    def _names_class(self, path: str, tag: str, type_: str) -> bool:
        return tag not in _OWN_KINDS and bool(type_) and self.kind_of(path, type_)[0] is not None

    def kind_of(self, path: str, tag: str) -> tuple[Kind | None, str | None]:
        """Kind of a class, and NeuroML's class that it extends where it is a custom one."""
        base, seen = tag, set()
        while base not in CORE_KINDS:
            type_ = self.type_of(path, base)
            if type_ is None or base in seen:
                return None, None
            seen.add(base)
            base = type_.get("extends") or ""
        return CORE_KINDS[base], None if base == tag else base

    def type_of(self, path: str, name: str) -> etree._Element | None:
        """The source's own ComponentType that a name in a file means; absent where it has none."""
        file = self._type_file(path, name)
        return None if file is None else self._types[file][name]

    def _type_file(self, path: str, name: str) -> str | None:
        files = None if name in NEUROML_NAMES else self._type_files.get(name)
        if not files:
            return None
        if len(files) > 1:
            files = [f for f in self.scope(path) if f in files] or files
        return files[0]

    def own_type(self, path: str, name: str) -> OwnType | None:
        """What the source says of a type of its own, with what it extends: then it is loaded."""
        key = (path, name)
        if key not in self._own_types:
            chain = list(self._chain(path, name))
            for file, element in chain:
                self._documents[file].account.take(element)
            self._own_types[key] = own_type([element for _, element in chain]) if chain else None
        return self._own_types[key]

    def type_chain(self, path: str, name: str) -> Iterator[etree._Element]:
        """The ComponentType that a name in a file means, and those that it extends."""
        return (element for _, element in self._chain(path, name))

    def _chain(self, path: str, name: str) -> Iterator[tuple[str, etree._Element]]:
        seen: set[str] = set()
        while name not in seen and (file := self._type_file(path, name)) is not None:
            element = self._types[file][name]
            yield file, element
            seen.add(name)
            name = element.get("extends") or ""


def _above(path: str, includers: dict[str, list[str]]) -> list[str]:
    """Files that lead to a file by includes, nearest first."""
    seen = dict.fromkeys([path])
    queue = [path]
    for file in queue:
        for includer in includers[file]:
            if includer not in seen:
                seen[includer] = None
                queue.append(includer)
    return queue[1:]


def _types_of(document: Document) -> dict[str, etree._Element]:
    types: dict[str, etree._Element] = {}
    for element in document.root:
        if local_name(element) == "ComponentType" and element.get("name"):
            types.setdefault(element.get("name", ""), element)
    return types
