"""The .mod files of a source: what they define, and where a name leads."""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from bnnkg.errors import SourceError
from bnnkg.ingest.identity import shared_uid
from bnnkg.ingest.markup import without_addresses
from bnnkg.ingest.neuron.hoc_programs import decode
from bnnkg.ingest.neuron.mod_models import content_uid, label_of, mechanism, synapse, with_values
from bnnkg.ingest.parsed import Annotations, DefinedLabel, Definition, Mechanism, SynapseModel
from bnnkg.ingest.report import FileReport
from bnnkg.ingest.sources import FileTree, include_path
from bnnkg.kinetics import ModFile, parse_mod
from bnnkg.progress import Progress, silent

_log = logging.getLogger(__name__)

MAX_NOTES = 2000
_PROSE = re.compile(
    r"[\s\ufeff]*(?:TITLE\b(?P<title>[^\n]*)|COMMENT\b(?P<comment>.*?)(?:ENDCOMMENT[^\n]*|\Z)"
    r"|[:?](?P<line>[^\n]*))",
    re.DOTALL,
)
_ORNAMENT = " \t\x00\x1a-=*_#:?!~+%/\\"


@dataclass(frozen=True)
class ReadMod:
    """A .mod file and the node that it defines.

    Attributes:
        path: Relative to the source; empty for what NEURON itself brings.
        label: Label of the node.
        uid: The node.
        mod: What the file says.
    """

    path: str
    label: DefinedLabel
    uid: str
    mod: ModFile

    @property
    def folder(self) -> str:
        """Where it lies in the source; empty at the top."""
        return posixpath.dirname(self.path)

    def mechanism(self) -> Mechanism:
        """The file as a Mechanism."""
        return mechanism(self.mod, self._uid("Mechanism"))

    def synapse(self, values: Mapping[str, float] | None = None) -> SynapseModel:
        """The file as the model of a synapse, also where it is no synapse by itself.

        Args:
            values: Those of an instance for the file's parameters, in the units of the file; they
                make another model where they differ from the file's.
        """
        uid = self._uid("SynapseType")
        return synapse(*with_values(self.mod, "SynapseType", uid, values or {}))

    def _uid(self, label: DefinedLabel) -> str:
        return self.uid if label == self.label else shared_uid(label, [self.uid])


@dataclass(frozen=True)
class ModReading:
    """What the .mod files of a source hold.

    Attributes:
        files: Those that could be read.
        mechanisms: The Mechanisms that they define, each once.
        synapses: The models of synapses, each once.
        definitions: Which file defines which.
        reports: What became of each file.
        missing: Includes that lead nowhere, as "file: include".
    """

    files: tuple[ReadMod, ...]
    mechanisms: tuple[Mechanism, ...]
    synapses: tuple[SynapseModel, ...]
    definitions: tuple[Definition, ...]
    reports: tuple[FileReport, ...]
    missing: tuple[str, ...]

    def find(self, folder: str, name: str) -> ReadMod | None:
        """The file that defines a mechanism; of several the nearest.

        Args:
            folder: Where in the source the name is used; empty at the top.
            name: Its SUFFIX, or the name of the point process or artificial cell.
        """
        there = self._by_name.get(name, [])
        return min(there, key=lambda one: (_steps(folder, one.folder), one.path), default=None)

    def at(self, path: str) -> ReadMod | None:
        """The file of that path; absent where it could not be read."""
        return self._by_path.get(path)

    @cached_property
    def _by_name(self) -> dict[str, list[ReadMod]]:
        found: dict[str, list[ReadMod]] = {}
        for one in self.files:
            found.setdefault(one.mod.name, []).append(one)
        return found

    @cached_property
    def _by_path(self) -> dict[str, ReadMod]:
        return {one.path: one for one in self.files}


def _steps(one: str, other: str) -> int:
    """Folders to pass on the way from one to the other."""
    a, b = (list(filter(None, folder.split("/"))) for folder in (one, other))
    common = len(posixpath.commonprefix([a, b]))
    return len(a) + len(b) - 2 * common


def read_mods(tree: FileTree, paths: Sequence[str], *, progress: Progress = silent) -> ModReading:
    """Reads the .mod files of a source.

    One bad file never stops it: what could not be read is in its report.

    Args:
        tree: The files of the source.
        paths: Those to look among; what does not end in .mod, in letters of any case, is left.
        progress: Told of every file.
    """
    reader = _Reader(tree)
    chosen = sorted(path for path in paths if path.lower().endswith(".mod"))
    for done, path in enumerate(chosen):
        progress("reading mechanisms", done, len(chosen), path)
        reader.read(path)
    progress("reading mechanisms", len(chosen), len(chosen))
    return reader.reading()


class _Reader:
    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._inside = frozenset(tree.paths())
        self._files: list[ReadMod] = []
        self._mechanisms: dict[str, Mechanism] = {}
        self._synapses: dict[str, SynapseModel] = {}
        self._definitions: list[Definition] = []
        self._reports: list[FileReport] = []
        self._missing: list[str] = []

    def read(self, path: str) -> None:
        lost: list[str] = []
        try:
            text = decode(self._tree.read(path))
            mod = parse_mod(text, where=path, include=partial(self._included, path, lost))
        except SourceError as error:
            reason = " ".join(error.message().split())
            self._reports.append(FileReport(path, "failed", reason))
            return
        label = label_of(mod)
        uid = content_uid(mod, label)
        self._files.append(ReadMod(path, label, uid, mod))
        self._add_model(mod, label, uid)
        self._definitions.append(
            Definition(
                label, uid, mod.name, path, annotations=Annotations(notes_of(mod.title, text))
            )
        )
        self._missing += (f"{path}: {name}" for name in lost)
        self._reports.append(FileReport(path, "loaded", "", notes=[*_remarks(mod, lost)]))

    def _included(self, path: str, lost: list[str], name: str) -> str | None:
        """Text of a file that another includes; absent where it is not one of the source."""
        there = include_path(path, name)
        if there in self._inside:
            try:
                return decode(self._tree.read(there))
            except SourceError:
                _log.warning("%s includes %s, which cannot be read", path, there)
        lost.append(name)
        return None

    def _add_model(self, mod: ModFile, label: DefinedLabel, uid: str) -> None:
        if label == "SynapseType":
            if uid not in self._synapses:
                self._synapses[uid] = synapse(mod, uid)
        elif uid not in self._mechanisms:
            self._mechanisms[uid] = mechanism(mod, uid)

    def reading(self) -> ModReading:
        return ModReading(
            tuple(self._files),
            tuple(self._mechanisms.values()),
            tuple(self._synapses.values()),
            tuple(self._definitions),
            tuple(self._reports),
            tuple(self._missing),
        )


def _remarks(mod: ModFile, lost: Sequence[str]) -> Iterator[str]:
    """What the user should know of a file."""
    if mod.verbatim:
        yield f"contains code in C: {len(mod.verbatim)} VERBATIM block(s)"
    for name in lost:
        yield f"includes {name!r}, which the source does not have"


def notes_of(title: str, text: str) -> str | None:
    """The title and the comments before the first statement, without addresses.

    At most 2000 characters are kept.
    """
    lines = [title, *_leading_comments(text)]
    kept = [line.strip(_ORNAMENT) for line in lines]
    notes = without_addresses("\n".join(filter(None, kept)))
    return (notes if len(notes) <= MAX_NOTES else notes[: MAX_NOTES - 1] + "…") or None


def _leading_comments(text: str) -> Iterator[str]:
    at = 0
    while (found := _PROSE.match(text, at)) is not None:
        at = found.end()
        yield from (found["comment"] or found["line"] or "").split("\n")
