"""Content identity: equal content gets equal uids, whoever wrote it and however.

Shared nodes are keyed by a Merkle hash of canonical values and of the hashes of what they refer
to. A component's id, notes, annotations and the text as written are not part of it. Names local to
a component are: gates and states are referred to by the names of parameters, and two channels with
other gate names keep other parameter names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from lxml import etree

from bnnkg.ingest.markup import local_name

PREFIXES = {"Cell": "c", "Mechanism": "m", "SynapseType": "s"}
NOT_CONTENT = frozenset({"notes", "annotation", "property"})
NOT_CONTENT_ATTRIBUTES = frozenset({"id", "metaid", "neuroLexId"})


def digest(value: Any) -> str:
    """Twenty hex digits of a nested structure of texts, numbers as texts, and None."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def shared_uid(label: str, value: Any) -> str:
    """Uid of a shared node: a letter for its label, then the digest of its content."""
    return PREFIXES[label] + digest([label, value])


def unresolved_uid(label: str, model_key: str, id_: str) -> str:
    """Uid of what a model refers to and does not define: it is itself within that model only."""
    return shared_uid(label, ["unresolved", model_key, id_])


def model_uid(key: str, version: str) -> str:
    """Uid of a Model: twelve hex digits of key@version."""
    return hashlib.sha256(f"{key}@{version}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


def content_version(files: Iterable[tuple[str, bytes]]) -> str:
    """Version of a source: twelve hex digits over the paths and hashes of its files, in order."""
    whole = hashlib.sha256()
    for path, file_hash in sorted(files):
        whole.update(path.encode("utf-8", "surrogatepass") + b"\0" + file_hash)
    return whole.hexdigest()[:12]


def canonical_element(element: etree._Element, *, keep_id: bool = False) -> Any:
    """An element that the schema does not know, as content: names, attributes, text, children.

    Layout, comments, notes and annotations are left out, and the order of children does not count.
    """
    attributes = sorted(
        (str(name), " ".join(str(value).split()))
        for name, value in element.attrib.items()
        if keep_id or name not in NOT_CONTENT_ATTRIBUTES
    )
    children = [
        canonical_element(child, keep_id=True)
        for child in element
        if isinstance(child.tag, str) and local_name(child) not in NOT_CONTENT
    ]
    text = " ".join((element.text or "").split())
    return [local_name(element), attributes, text, sorted(children, key=json.dumps)]


class PathNames:
    """Hands out element paths that stay apart: the second of a name ends in ``~2``."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._given: set[str] = set()

    def unique(self, path: str) -> str:
        """The path itself, or with ``~2``, ``~3`` where it was handed out before."""
        name, times = path, self._times.get(path, 0) + 1
        if times > 1:
            name = f"{path}~{times}"
        while name in self._given:  # where an id itself ends so
            times += 1
            name = f"{path}~{times}"
        self._times[path] = times
        self._given.add(name)
        return name


def path_part(id_: str) -> str:
    """An id as one part of a path: what separates parts is written as a percent code."""
    return id_.replace("%", "%25").replace("/", "%2F").replace("~", "%7E")
