"""Python files of a NEURON model: which import which, and which are there to be run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.hoc_programs import MAX_SCANNED_BYTES, Program, decode
from bnnkg.ingest.sources import FileTree

_MAX_FILES = 2000
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*[\w.]+)[ \t]+import[ \t]+([\w, \t*]*)|import[ \t]+([\w., \t]+))",
    re.MULTILINE,
)
_NEURON = re.compile(r"\b(?:neuron|netpyne|hoc|neuronpy|bluepyopt)\b")
_LOAD = re.compile(r"\b(?:load_file|xopen)\s*\(\s*(?:\d\s*,\s*)?[\"']([^\"'\n]{1,300})[\"']")
_EXECUTED = re.compile(r"\bexecfile\s*\(\s*[\"']([^\"'\n]{1,300})[\"']")
_MAIN = re.compile(r"^if[ \t]+__name__[ \t]*==", re.MULTILINE)
_NOT_RUN = re.compile(
    r"^(?:setup|conf|conftest|__init__|__main__|test_.*|.*_test|plot.*|analy[sz].*|make_?fig.*)$",
    re.IGNORECASE,
)


class Scripts:
    """The Python files of a source.

    Args:
        tree: The source.
        program: Its hoc files, some of which Python loads.

    Attributes:
        imports: For each file, the files of the source that it imports.
        imported: Files that some file imports.
    """

    def __init__(self, tree: FileTree, program: Program) -> None:
        self.imports: dict[str, list[str]] = {}
        self.imported: set[str] = set()
        self._own: set[str] = set()
        self._main: set[str] = set()
        texts = {path: _read(tree, path) for path in _python_paths(tree)}
        for path, text in texts.items():
            self.imports[path] = _imported(path, text, texts.keys())
            self.imported.update(self.imports[path])
            if _MAIN.search(text):
                self._main.add(path)
            if any(_NEURON.search(" ".join(found)) for found in _IMPORT.findall(text)):
                self._own.add(path)
            for name in _LOAD.findall(text):
                found = program.find(name, path)
                if found is not None:
                    program.loaded.add(found)

    def entries(self) -> list[str]:
        """Files that use NEURON, themselves or by what they import, and are there to be run."""
        return [
            path
            for path in self.imports
            if (path not in self.imported or path in self._main)
            and not _NOT_RUN.match(posixpath.splitext(posixpath.basename(path))[0])
            and self.uses_neuron(path)
        ]

    def uses_neuron(self, path: str) -> bool:
        """Whether a file imports NEURON, or imports what does."""
        if path not in self.imports:
            return False
        waiting, seen = [path], {path}
        while waiting:
            one = waiting.pop()
            if one in self._own:
                return True
            waiting.extend(p for p in self.imports[one] if p not in seen)
            seen.update(self.imports[one])
        return False


def _python_paths(tree: FileTree) -> list[str]:
    return [path for path in tree.paths() if path.lower().endswith(".py")][:_MAX_FILES]


def _read(tree: FileTree, path: str) -> str:
    try:
        content = tree.read(path)
    except SourceError:  # the report of the files tells it
        return ""
    return decode(content[: MAX_SCANNED_BYTES // 4])


def _imported(path: str, text: str, known: Container[str]) -> list[str]:
    found: dict[str, None] = {}
    folder = posixpath.dirname(path)
    for module, names, plain in _IMPORT.findall(text):
        modules = [m.split()[0] for m in plain.split(",") if m.split()]
        if module:
            inner = [name.strip().split(" ")[0] for name in names.split(",")]
            modules = [module, *(f"{module}.{name}" for name in inner if name.isidentifier())]
        for name in modules:
            tail = name.lstrip(".").replace(".", "/")
            for base in (folder, ""):
                for ending in (".py", "/__init__.py"):
                    target = posixpath.join(base, tail + ending)
                    if target in known and target != path:
                        found[target] = None
    for name in _EXECUTED.findall(text):
        for base in (folder, ""):
            target = posixpath.normpath(posixpath.join(base, name))
            if target in known and target != path:
                found[target] = None
    return list(found)
