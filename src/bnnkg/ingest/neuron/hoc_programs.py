"""Hoc files as a program: what each loads, creates and offers as buttons, read and never run.

The reading is shallow on purpose: words and braces, no expressions. It tells which file to start
from, and that is all that it is for.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bnnkg.errors import SourceError
from bnnkg.ingest.sources import FileTree

MAX_SCANNED_BYTES = 4 * 2**20
MAX_SCANNED_TOTAL = 64 * 2**20
_HOC_ENDINGS = (".hoc", ".oc", ".ses")
_NOT_HOC = """
    mod swc asc txt md html htm rst pdf doc docx py ipynb m c cpp cc h hpp java g p par dat
    csv tsv json xml nml yaml yml png jpg jpeg gif eps ps svg tif bmp zip gz tar tgz rar 7z
    dll so o a exe sh bat ode set mat npy npz pkl h5 hdf5 r f f90 tex bib log css js cfg ini
    toml wav mp4 avi mov fig xls xlsx ppt pptx tmpl gitignore
"""
_OTHER_ENDINGS = frozenset(_NOT_HOC.split())
_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*"|[{}]
    |\b(?:proc|func|obfunc|iterator|begintemplate|endtemplate|create|new|objref|objectvar)\b
    |\binsert\b
    |\b(?!pt3dadd\b)[A-Za-z_]\w*(?=[ \t]*\()""",
    re.VERBOSE | re.DOTALL,
)
_TEXT_ARGUMENT = re.compile(r'[ \t]*\(\s*(?:[^"()\n]{0,80},\s*)?"((?:[^"\\\n]|\\.)*)"')
_QUOTED = r'"((?:[^"\\\n]|\\.)*)"'
_TEXTS = re.compile(rf'[ \t]*\(\s*{_QUOTED}\s*(?:,(?:[^",\n]{{0,80}},)?\s*{_QUOTED})?')
_NAME = re.compile(r"\s*([A-Za-z_]\w*)")
_LOADERS = frozenset({"load_file", "xopen", "load_proc", "load_func", "load_template"})
_BUTTONS = frozenset({"xbutton", "xradiobutton", "xcheckbox", "xstatebutton"})
_RUNS_TEXT = frozenset({"execute", "execute1", "nrnpython"})
_OPENS = re.compile(r"open|load|file", re.IGNORECASE)
_SESSION_CREATES = "cexport"
"""What a session calls of NEURON's CellBuild, to make its sections with all that is in them."""
_DEFINERS = frozenset({"proc", "func", "obfunc", "iterator"})
_FOLDER_HINT = re.compile(r"^[ \t]*/{2,}[ \t]*(?:moddir|mosdir)[ \t]([^\n]+)", re.MULTILINE)
_ARGUMENT = re.compile(r"\$[so&]?\d|\bnumarg\b")
_LIBRARY = re.compile(r'nrn_load_dll\s*\(\s*"([^"\n]+)"')


class Button(NamedTuple):
    """A button of a menu: what it is labelled, what it runs, and the file that shows it."""

    label: str
    command: str
    path: str


@dataclass
class Scope:
    """What one procedure, or the top of one file, does.

    Attributes:
        loads: Names of files that it loads, as written.
        calls: Names that it calls, in order of first use.
        texts: Text arguments of its calls.
        folders: Folders that it changes to.
        makes: Templates that it instantiates.
        creates: Whether it creates sections.
        inserts: Whether it inserts mechanisms, or does else what geometry alone does not need.
        arguments: Whether it uses arguments (``$1``, ``$o1``).
        unknown: Whether it runs text, or loads files, that only a run would tell.
    """

    loads: list[str] = field(default_factory=list)
    calls: dict[str, None] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    makes: dict[str, None] = field(default_factory=dict)
    creates: bool = False
    inserts: bool = False
    arguments: bool = False
    unknown: bool = False


@dataclass
class HocFile:
    """One file of hoc.

    Attributes:
        path: Where it is.
        top: What it does when it is loaded.
        procedures: What each of its procedures does; those of templates as ``Template.name``.
        templates: Names of its templates, each with whether it creates sections.
        buttons: The buttons that it shows.
        mod_folders: Folders of mechanisms that its comments or libraries name.
    """

    path: str
    top: Scope = field(default_factory=Scope)
    procedures: dict[str, Scope] = field(default_factory=dict)
    templates: dict[str, bool] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)
    mod_folders: list[str] = field(default_factory=list)


@dataclass
class Reach:
    """What follows from loading a file and running commands.

    Attributes:
        files: Files that get loaded.
        creates: Whether sections come of it.
        inserts: Whether it does more than geometry.
        unknown: Whether some of it only a run would tell.
        buttons: Buttons that it shows.
    """

    files: dict[str, None] = field(default_factory=dict)
    creates: bool = False
    inserts: bool = False
    unknown: bool = False
    buttons: list[Button] = field(default_factory=list)


def decode(content: bytes) -> str:
    """Text of a file of any age: UTF-8, UTF-16 with its mark, else Latin-1; newlines as Unix's."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def scan_hoc(text: str, path: str) -> HocFile:
    """Reads the words and braces of a hoc file, in time linear in its length."""
    file = HocFile(path)
    for folders in _FOLDER_HINT.findall(text):
        file.mod_folders.extend(folders.split())
    for library in _LIBRARY.findall(text):
        file.mod_folders.append(posixpath.dirname(re.sub(r"/(i[3-6]86|x86_64)/.*", "/", library)))
    _Scanner(text, file).run()
    return file


class _Scanner:
    def __init__(self, text: str, file: HocFile) -> None:
        self._text = text
        self._file = file
        self._scope = file.top
        self._depth = 0
        self._body_at = -1
        self._awaits_body = False
        self._template = ""
        self._said_until = 0

    def run(self) -> None:
        for match in _TOKEN.finditer(self._text):
            word = match.group()
            if word == "{":
                self._open()
            elif word == "}":
                self._close()
            elif word[0] == '"':
                if match.start() >= self._said_until:
                    self._scope.texts.append(unescaped(word[1:-1]))
            elif not word.startswith(("//", "/*")):
                self._word(word, match.end())

    def _open(self) -> None:
        if self._awaits_body:
            self._awaits_body, self._body_at = False, self._depth
        self._depth += 1

    def _close(self) -> None:
        self._depth = max(0, self._depth - 1)
        if self._body_at == self._depth:
            self._body_at, self._scope = -1, self._file.top

    def _word(self, word: str, end: int) -> None:
        if word in _DEFINERS:
            self._define(end)
        elif word in ("begintemplate", "endtemplate"):
            self._template = self._name(end) if word == "begintemplate" else ""
            if self._template:
                self._file.templates.setdefault(self._template, False)
        elif word == "create":
            self._create()
        elif word == "new":
            self._scope.makes[self._name(end)] = None
        elif word == "insert":
            self._scope.inserts = True
        elif word not in ("objref", "objectvar"):
            self._call(word, end)

    def _define(self, end: int) -> None:
        name = self._name(end)
        self._scope = Scope()
        key = f"{self._template}.{name}" if self._template else name
        self._file.procedures[key] = self._scope
        self._awaits_body = True
        body = self._text[end : end + 5000].partition("\n}")[0]
        self._scope.arguments = _ARGUMENT.search(body) is not None

    def _create(self) -> None:
        if self._template:
            self._file.templates[self._template] = True
        else:
            self._scope.creates = True

    def _call(self, word: str, end: int) -> None:
        if word in _LOADERS:
            found = _TEXT_ARGUMENT.match(self._text, end)
            if found:
                self._scope.loads.append(found.group(1))
                self._said_until = found.end()
            else:
                self._scope.unknown = True
        elif word in _RUNS_TEXT:
            self._scope.unknown = True
        elif word in _BUTTONS:
            self._button(word, end)
        elif word == "chdir":
            found = _TEXT_ARGUMENT.match(self._text, end)
            if found:
                self._scope.folders.append(found.group(1))
        else:
            self._scope.calls[word] = None
            if word == _SESSION_CREATES:
                self._scope.creates = self._scope.inserts = True
            found = _TEXT_ARGUMENT.match(self._text, end) if _OPENS.search(word) else None
            if found:
                self._scope.loads.append(found.group(1))

    def _button(self, word: str, end: int) -> None:
        found = _TEXTS.match(self._text, end)
        if found is None:
            return
        self._said_until = found.end()
        label, command = found.group(1), found.group(2)
        if command is None and word == "xbutton":  # its label is its command
            command = label
        if command:
            button = Button(unescaped(label), unescaped(command).strip(), self._file.path)
            self._file.buttons.append(button)

    def _name(self, end: int) -> str:
        found = _NAME.match(self._text, end)
        return found.group(1) if found else ""


def unescaped(text: str) -> str:
    """What a text of hoc says, without the backslashes before its quotes."""
    return re.sub(r"\\(.)", r"\1", text)


class Program:
    """All hoc of a source, and what leads where.

    Args:
        tree: The source.
    """

    def __init__(self, tree: FileTree) -> None:
        self._paths = dict.fromkeys(tree.paths())
        self.files: dict[str, HocFile] = {}
        self._by_name: dict[str, list[str]] = {}
        self._found: dict[tuple[str, str, tuple[str, ...]], str | None] = {}
        for path in self._paths:
            self._by_name.setdefault(posixpath.basename(path).lower(), []).append(path)
        self._read(tree)
        self._template_file = {
            name: file for file in self.files.values() for name in reversed(file.templates)
        }
        self.loaded = self._all_loaded()

    def _read(self, tree: FileTree) -> None:
        budget = MAX_SCANNED_TOTAL
        for path in self._paths:
            plain = "." not in posixpath.basename(path)
            ending = path.rpartition(".")[2].lower()
            hoc = path.lower().endswith(_HOC_ENDINGS)
            if budget <= 0 or not (hoc or plain or ending not in _OTHER_ENDINGS):
                continue
            try:
                content = tree.read(path)
            except SourceError:  # the readers of its own kind report it
                continue
            if len(content) > MAX_SCANNED_BYTES or b"\0" in content[:4096]:
                continue
            text = decode(content)
            if hoc or _looks_like_hoc(text):
                budget -= len(content)
                self.files[path] = scan_hoc(text, path)

    def _all_loaded(self) -> set[str]:
        """Files that some file loads at its top or in a procedure."""
        loaded = set()
        for file in self.files.values():
            for scope in (file.top, *file.procedures.values()):
                for name in (*scope.loads, *scope.texts):
                    found = self.find(name, file.path)
                    if found is not None and found != file.path:
                        loaded.add(found)
        return loaded

    def find(self, name: str, near: str, *folders: str) -> str | None:
        """The file that a name means: beside the file that names it, in folders, else by its end.

        Args:
            name: As written.
            near: Path of the file that names it, which cannot be meant.
            *folders: Where to look before that.
        """
        asked = (name, near, folders)
        if asked not in self._found:  # every walk through the files asks the same again
            self._found[asked] = self._find(name.strip().replace("\\", "/"), near, folders)
        return self._found[asked]

    def _find(self, name: str, near: str, folders: tuple[str, ...]) -> str | None:
        if not name or len(name) > 300:
            return None
        for folder in (*folders, posixpath.dirname(near), ""):
            path = posixpath.normpath(posixpath.join(folder, name))
            if path in self._paths and path != near:
                return path
        tail = "/" + re.sub(r"^(?:\.{0,2}/)+", "", name).lower()
        same = self._by_name.get(posixpath.basename(name).lower(), [])
        ending = [path for path in same if ("/" + path.lower()).endswith(tail)]
        return min(ending, key=lambda p: (p.count("/"), p)) if ending else None

    def reach(self, entry: str | None, commands: Iterable[str] = ()) -> Reach:
        """Follows loads, calls and instantiations from a file and from commands after it."""
        return _Walk(self, entry).follow(commands)

    def only_loads(self, path: str) -> str | None:
        """The file that a file loads, where it does nothing else."""
        file = self.files.get(path)
        if file is None or file.procedures or file.buttons or file.top.creates or file.top.inserts:
            return None
        found = {self.find(name, path) for name in file.top.loads} - {None}
        quiet = not (file.top.calls or file.top.makes or file.top.unknown)
        return found.pop() if len(found) == 1 and quiet else None

    def template_of(self, name: str) -> HocFile | None:
        """The file that defines a template."""
        return self._template_file.get(name)


class _Walk:
    def __init__(self, program: Program, entry: str | None) -> None:
        self._program = program
        self._entry = entry
        self._reach = Reach()
        self._procedures: dict[str, list[tuple[Scope, str]]] = {}
        self._called: set[str] = set()
        self._waiting: list[tuple[Scope, str]] = []

    def follow(self, commands: Iterable[str]) -> Reach:
        if self._entry is not None:
            self._load(self._entry)
        self._drain()
        for command in commands:
            scope = scan_hoc(command, "").top
            scope.loads.extend(f"{text}.hoc" for text in scope.texts)
            self._waiting.append((scope, self._entry or ""))
            self._drain()
        return self._reach

    def _load(self, path: str) -> None:
        file = self._program.files.get(path)
        if file is None or path in self._reach.files:
            return
        self._reach.files[path] = None
        self._reach.buttons.extend(file.buttons)
        for name, scope in file.procedures.items():
            method = name.rpartition(".")[2]
            for known_as in {name, method if method != "init" else name}:
                self._procedures.setdefault(known_as, []).append((scope, path))
                if known_as in self._called:
                    self._waiting.append((scope, path))
        self._waiting.append((file.top, path))

    def _drain(self) -> None:
        while self._waiting:
            scope, path = self._waiting.pop()
            self._reach.creates |= scope.creates
            self._reach.inserts |= scope.inserts
            self._reach.unknown |= scope.unknown
            self._load_named(scope, path)
            for template in scope.makes:
                self._make(template)
            for name in scope.calls:
                self._call(name)

    def _load_named(self, scope: Scope, path: str) -> None:
        start = posixpath.dirname(self._entry or path)
        folders = [posixpath.join(start, name) for name in scope.folders]
        for name in reversed(scope.loads):
            for spelled in (name, f"{name}.hoc"):
                found = self._program.find(spelled, path, *folders)
                found = found or self._program.find(spelled, path, start)
                if found is not None:
                    self._load(found)
                    break
        for name in scope.texts:  # handed to a procedure that loads its argument
            found = self._program.find(name, path, *folders) if len(name) < 100 else None
            if found in self._program.files:
                self._load(str(found))

    def _make(self, template: str) -> None:
        file = self._program.template_of(template)
        if file is not None and file.templates[template]:
            self._reach.creates = self._reach.inserts = True
        if file is not None:
            self._call(f"{template}.init")

    def _call(self, name: str) -> None:
        if name not in self._called:
            self._called.add(name)
            self._waiting.extend(self._procedures.get(name, ()))


def _looks_like_hoc(text: str) -> bool:
    head = text[:20_000]
    return bool(
        re.search(r"\b(?:load_file|xopen|load_proc|load_template)\s*\(", head)
        or re.search(
            r"^\s*(?:create\s+\w+|begintemplate\s+\w+|objectvar\s|objref\s)", head, re.MULTILINE
        )
    )
