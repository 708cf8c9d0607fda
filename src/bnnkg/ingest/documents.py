"""The documents of a source: each file parsed once, its kind told, its includes followed."""

from __future__ import annotations

import hashlib
import posixpath
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

from bnnkg.errors import SourceError, UnsupportedSourceError
from bnnkg.ingest.hdf5 import embedded_document, is_hdf5
from bnnkg.ingest.kinds import CORE_FILES
from bnnkg.ingest.markup import NEUROML1, NEUROML2, Account, local_name, parse_xml
from bnnkg.ingest.report import FileReport
from bnnkg.ingest.sources import FileTree, include_path
from bnnkg.progress import Progress, silent

DocumentKind = Literal["neuroml2", "hdf5", "lems"]
_TEXT_SUFFIXES = (".nml", ".xml", ".lems")
_READ_SUFFIXES = (*_TEXT_SUFFIXES, ".h5", ".hdf5")


@dataclass
class Document:
    """A file that was read.

    Attributes:
        path: Relative to the source.
        kind: NeuroML 2, its HDF5 form, or LEMS.
        root: Its root element; of the embedded document for HDF5.
        account: What becomes of its elements.
        sha256: Hash of its bytes.
        content: The bytes of an HDF5 file.
        includes: Paths of the documents that it includes.
    """

    path: str
    kind: DocumentKind
    root: etree._Element
    account: Account
    sha256: bytes
    content: bytes | None = None
    includes: list[str] = field(default_factory=list)


@dataclass
class Collection:
    """All documents of a source, and what became of its other files."""

    documents: dict[str, Document] = field(default_factory=dict)
    reports: dict[str, FileReport] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def collect_documents(tree: FileTree, progress: Progress = silent) -> Collection:
    """Reads every file of a source, and what its documents include from outside it."""
    found = Collection()
    paths = tree.paths()
    canonical = {tree.identity(path): path for path in reversed(paths)}
    for done, path in enumerate(paths):
        progress("reading files", done, len(paths), path)
        _read_into(found, tree, path)
    for path, reason in tree.refused():
        found.reports[path] = FileReport(path, "skipped", reason)
    waiting = deque(sorted(found.documents))
    while waiting:
        document = found.documents[waiting.popleft()]
        for element, target in _includes(document):
            path = canonical.setdefault(tree.identity(target), target)
            if path not in found.documents and path not in found.reports and tree.exists(path):
                _read_into(found, tree, path)
                if path in found.documents:
                    waiting.append(path)
            _note_include(found, document, element, path)
    progress("reading files", len(paths), len(paths))
    return found


def _read_into(found: Collection, tree: FileTree, path: str) -> None:
    try:
        found.documents[path] = read_document(tree.read(path), path)
    except UnsupportedSourceError as error:
        found.reports[path] = FileReport(path, "skipped", error.what)
    except SourceError as error:
        found.reports[path] = FileReport(path, "failed", " ".join(error.message().split()))


def read_document(content: bytes, path: str) -> Document:
    """Reads one file.

    Raises:
        UnsupportedSourceError: The file is sound, but no NeuroML 2 or LEMS.
        SourceError: The file is broken.
    """
    sha256 = hashlib.sha256(content).digest()
    if is_hdf5(content):
        root = embedded_document(content, path)
        return Document(path, "hdf5", root, Account(root), sha256, content)
    lower = path.lower()
    if not lower.endswith(_READ_SUFFIXES):
        raise UnsupportedSourceError(f"no model file: {_named(lower)}", where=path)
    if lower.endswith((".h5", ".hdf5")):
        raise SourceError("this is no HDF5 file", where=path, hint="write it again")
    root = parse_xml(content, path)
    return Document(path, _kind_of(root, path), root, Account(root), sha256)


def _named(path: str) -> str:
    suffix = posixpath.splitext(path)[1]
    return f"{suffix} is not read" if suffix else "its name has no ending that is read"


def _kind_of(root: etree._Element, path: str) -> DocumentKind:
    name, namespace = local_name(root), etree.QName(root).namespace or ""
    if namespace.startswith(NEUROML1):
        raise UnsupportedSourceError("NeuroML version 1 is not supported", where=path)
    if name == "neuroml" and namespace in (NEUROML2, ""):
        return "neuroml2"
    if name == "Lems":
        return "lems"
    raise UnsupportedSourceError(f"not NeuroML 2 or LEMS: its root is <{name}>", where=path)


def include_elements(document: Document) -> Iterator[tuple[etree._Element, str]]:
    """Includes at the top of a document, each with what it names."""
    for element in document.root:
        if local_name(element) in ("include", "Include"):
            yield element, (element.get("href") or element.get("file") or "").strip()


def _includes(document: Document) -> Iterator[tuple[etree._Element, str]]:
    for element, href in include_elements(document):
        if href and "://" not in href.removeprefix("file://"):
            yield element, include_path(document.path, href)
        else:
            document.account.problem(f"line {element.sourceline}: the include {href!r} is no path")


def _note_include(
    found: Collection, document: Document, element: etree._Element, path: str
) -> None:
    href = element.get("href") or element.get("file")
    if path in found.documents:
        document.includes.append(path)
        document.account.take(element)
    elif path in found.reports:
        reason = found.reports[path].reason
        document.account.notes.append(f"includes {href}, which gave nothing: {reason}")
    elif posixpath.basename(path) in CORE_FILES:  # NeuroML's own are known, and in no source
        document.account.take(element)
    else:
        document.account.notes.append(f"includes {href}, which is missing")
        found.missing.append(f"{document.path}: {href}")
