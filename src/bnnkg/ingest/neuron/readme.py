"""What a README says: its text without mark-up and addresses, and the files it tells to run."""

from __future__ import annotations

import html
import posixpath
import re
from typing import NamedTuple

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.hoc_programs import decode
from bnnkg.ingest.sources import FileTree

MAX_README_BYTES = 2**20
MAX_README_CHARACTERS = 40_000
_NAME = re.compile(r"^_*read[ _-]?me(?![a-z])", re.IGNORECASE)
_ENDINGS = ("", ".md", ".txt", ".rst", ".html", ".htm", ".adoc", ".1st", ".me", ".tmpl")
_ADDRESS = re.compile(
    r"[\w.+-]{1,64}[ ]?(?:@|\[at\]|\(at\)|<at>| at (?=[\w-]{1,63}\.))[ ]?"
    r"[\w-]{1,63}(?:(?:\.|\[dot\]|\(dot\)| dot )[\w-]{1,63}){1,6}"
)
_BLOCK_NAMES = "p br div li ul ol tr table h1 h2 h3 h4 h5 h6 pre hr dd dt dl body title center"
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_WHOLE = re.compile(r"<(?:!--|script|style)", re.IGNORECASE)
_CLOSINGS = {
    "<!--": re.compile("-->"),
    "<script": re.compile("</script", re.IGNORECASE),
    "<style": re.compile("</style", re.IGNORECASE),
}
_FILE = re.compile(r"[\w.+/\\-]{0,200}\w")
_VERB = re.compile(
    r"\b(?:nrngui|nrniv|neurongui|special|python[23]?|ipython|sh|bash|run|running|runs|execute|"
    r"executing|start|starting|launch|load|loading|open|type|click|clicking|drag)\b",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"\b(?:nrngui|nrniv|special|python[23]?|ipython|mpirun|mpiexec)\b", re.IGNORECASE
)
_CHANGE = re.compile(r"\bcd[ \t]+[\"']?([\w./\\-]+)")
_COMPILE = re.compile(r"\b(?:nrnivmodl|mknrndll)\b(?:[ \t]+([\w./\\-]+))?")
_FOLDER = re.compile(r"[\w./\\-]*\w")


class Named(NamedTuple):
    """A file that a text names.

    Attributes:
        name: As written, with ``/`` between folders.
        folders: Folders that the text changes to a few lines before, the nearest first.
        command: Whether it stands in a command line.
        verb: Whether the text says to run it.
        where: Which README, or script.
    """

    name: str
    folders: tuple[str, ...]
    command: bool
    verb: bool
    where: str


def readme_paths(tree: FileTree) -> list[str]:
    """Paths of the READMEs, those nearest the top first."""
    found = []
    for path in tree.paths():
        name, ending = posixpath.splitext(posixpath.basename(path))
        if _NAME.match(name) and ending.lower() in _ENDINGS:
            found.append((path.count("/"), _ENDINGS.index(ending.lower()), path))
    return [path for *_, path in sorted(found)]


def read_readme(tree: FileTree) -> str | None:
    """The text of the README nearest the top, without mark-up, e-mail addresses and its far end.

    Args:
        tree: The source.

    Returns:
        The text; absent where there is no README or none that can be read.
    """
    for path in readme_paths(tree):
        text = text_of(tree, path)
        if text:
            return text
    return None


def text_of(tree: FileTree, path: str) -> str | None:
    """The text of one README, cleaned and capped."""
    try:
        content = tree.read(path)
    except SourceError:
        return None
    text = decode(content[:MAX_README_BYTES])
    if path.lower().endswith((".html", ".htm")) or "<html" in text[:2000].lower():
        text = html.unescape(without_tags(text))
    text = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    lines = [line.rstrip() for line in text[:MAX_README_CHARACTERS].split("\n")]
    text = _ADDRESS.sub("(address removed)", "\n".join(lines))
    return re.sub(r"\n{3,}", "\n\n", text).strip() or None


def without_tags(text: str) -> str:
    """The text of a page, without tags, comments, scripts and styles; blocks on their own lines."""
    parts: list[str] = []
    place = 0
    while (start := text.find("<", place)) >= 0:
        parts.append(text[place:start])
        place = _end_of_tag(text, start)
        if place < 0:
            return "".join([*parts, text[start:]])
        name = re.match(r"</?([a-zA-Z0-9]{1,10})", text[start : start + 16])
        if name and name.group(1).lower() in _BLOCKS:
            parts.append("\n")
        elif not name and text[start + 1 : start + 2] not in ("!", "?"):
            parts.append(text[start])  # a smaller-than sign
            place = start + 1
    return "".join([*parts, text[place:]])


def _end_of_tag(text: str, start: int) -> int:
    """Where the text goes on; negative where nothing ends it."""
    opened = _WHOLE.match(text, start)
    if opened:
        closed = _CLOSINGS[opened.group().lower()].search(text, start)
        if closed is None:
            return -1
        start = closed.start()
    end = text.find(">", start)
    return end + 1 if end >= 0 else -1


def named_files(text: str, where: str) -> list[Named]:
    """Everything in a text that could be the name of a file, in order, with what is said of it."""
    found: list[Named] = []
    folders: list[tuple[int, str]] = []
    before = ""
    for number, line in enumerate(text.split("\n")):
        line = line.replace("\\", "/")
        folders.extend((number, folder) for folder in _CHANGE.findall(line))
        near = tuple(folder for at, folder in reversed(folders[-4:]) if number - at <= 8)
        command = _COMMAND.search(line)
        for match in _FILE.finditer(line):
            name = match.group()
            if "." in name or "/" in name or "_" in name or command:
                said = before[-80:] + " " + line[max(0, match.start() - 80) : match.start()]
                in_command = command is not None and command.start() < match.start()
                verb = in_command or _VERB.search(said) is not None
                found.append(Named(name, near, in_command, verb, where))
        before = line
    return found


def compiled_folders(text: str) -> list[str]:
    """Folders in which, or of which, a text says to compile mechanisms."""
    found: list[str] = []
    folder, at = "", -99
    for number, line in enumerate(text.split("\n")):
        line = line.replace("\\", "/")
        for match in re.finditer(rf"{_CHANGE.pattern}|{_COMPILE.pattern}", line):
            if match.group(1):
                folder, at = match.group(1), number
            else:
                if match.group(2):
                    found.append(match.group(2))
                if number - at <= 4:
                    found.append(folder)
        if re.search(r"\bmod\b|mechanism|compil", line, re.IGNORECASE):
            found.extend(_FOLDER.findall(line))
    return list(dict.fromkeys(found))
