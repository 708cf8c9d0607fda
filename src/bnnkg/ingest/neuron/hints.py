"""Which files of a NEURON model to run, in which folder and with which commands, best first.

Nothing is run to find out: names that ModelDB's auto-launch and authors use, what the README and
scripts tell, buttons of menus, and which file loads which.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.hoc_programs import Button, Program, Reach, decode
from bnnkg.ingest.neuron.python_programs import Scripts
from bnnkg.ingest.neuron.readme import (
    Named,
    compiled_folders,
    named_files,
    read_readme,
    readme_paths,
    text_of,
)
from bnnkg.ingest.sources import FileTree

__all__ = ["Button", "Configuration", "buttons", "configurations", "read_readme"]

MAX_CONFIGURATIONS = 64
MAX_BUTTONS = 24
_MAX_SCRIPT_BYTES = 2**18
_FIRST = re.compile(r"^(?:mosinit|mosinit_.*|init_mos)$", re.IGNORECASE)
_SECOND = re.compile(r"^(?:init|main|start|master|demo|run)$", re.IGNORECASE)
_THIRD = re.compile(
    r"^(?:init|main|run|demo|start|sim|fig|batch)[\w.+-]*$|^.*[_-](?:init|main|run|demo|sim)$",
    re.IGNORECASE,
)
_MOD_FOLDER = re.compile(
    r"^(?:x86_64|nmodl|mods?|mod[_ -]?files?|.*mech.*|.*channels?.*|mod.*)$", re.IGNORECASE
)
_SCRIPT = re.compile(r"\.(?:sh|bat|bash|csh|cmd)$", re.IGNORECASE)
_IDLE = re.compile(
    r"^\s*(?:\{?\s*)?(?:quit|exit|stop\w*|init|run|stdinit|continuerun|steprun|fadvance|"
    r"pqp|system|print\w*|doNotify|\w+\.(?:map|unmap|erase\w*|flush|exec_menu)|graph\w*|help\w*|about)\b",
    re.IGNORECASE,
)
_LOADED_BY_OTHERS = 25
_TESTS = "tests/"
_QUIT = re.compile(r"^\W*(?:quit|exit|system)\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class Configuration:
    """One way to run a model.

    Attributes:
        entry: Path of the file to load, relative to the source.
        commands: Hoc statements to run after it.
        folder: Folder to run in; empty for the top of the source.
        mod_folders: Folders of the mechanisms that it needs; empty where it needs none.
        why: What speaks for it.
    """

    entry: str
    commands: tuple[str, ...]
    folder: str
    mod_folders: tuple[str, ...]
    why: str


def configurations(tree: FileTree) -> tuple[Configuration, ...]:
    """Ways to run the model of a source, best first, found by reading only.

    Args:
        tree: The source.

    Returns:
        At most 64; none for a source that holds nothing to run in NEURON.
    """
    return _Search(tree).run()


def buttons(tree: FileTree) -> tuple[Button, ...]:
    """The buttons that hoc files of a source show, in the order of paths and lines."""
    program = Program(tree)
    return tuple(button for path in sorted(program.files) for button in program.files[path].buttons)


@dataclass(frozen=True)
class _Candidate:
    rank: tuple[int, ...]
    entry: str
    folder: str
    commands: tuple[str, ...]
    why: str


class _Search:
    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._program = Program(tree)
        self._scripts = Scripts(tree, self._program)
        self._paths = tree.paths()
        self._mods = ModFolders(self._paths)
        self._texts = [(path, text_of(tree, path) or "") for path in readme_paths(tree)[:20]]
        self._reached: dict[str, Reach] = {}

    def run(self) -> tuple[Configuration, ...]:
        if not self._program.files and not self._scripts.imports:
            return ()
        best: dict[tuple[str, tuple[str, ...]], _Candidate] = {}
        for one in self._candidates():
            key = (one.entry, one.commands)
            if key not in best or one.rank < best[key].rank:
                best[key] = one
        own = [one for one in best.values() if not _is_test(one.entry)]
        ordered = sorted(own, key=lambda c: (c.rank, c.entry, c.commands))
        chosen = self._without_wrapped(ordered)
        return tuple(self._configuration(one) for one in chosen[:MAX_CONFIGURATIONS])

    def _without_wrapped(self, ordered: list[_Candidate]) -> list[_Candidate]:
        """Leaves out what an earlier entry does that only loads it, as most a mosinit.hoc does."""
        wrapped: set[tuple[str, str]] = set()
        kept = []
        for one in ordered:
            if (one.entry, one.folder) not in wrapped:
                kept.append(one)
                inner = self._program.only_loads(one.entry)
                if inner is not None:
                    wrapped.add((inner, one.folder))
        return kept

    def _candidates(self) -> Iterator[_Candidate]:
        named = list(self._named())
        for one in (*self._by_name(), *named):
            yield one
            yield from self._with_buttons(one)
        yield from self._templates()

    # ------------------------------------------------------------------ files by their names

    def _by_name(self) -> Iterator[_Candidate]:
        for path in self._program.files:
            if not self._is_library(path):
                yield self._ranked(path, self._makes(path))
        for path in self._scripts.entries():
            yield self._ranked(path, makes=True)

    def _ranked(self, path: str, makes: bool) -> _Candidate:
        stem, ending = posixpath.splitext(posixpath.basename(path))
        depth = path.count("/")
        loaded = path in self._program.loaded or path in self._scripts.imported
        if _FIRST.match(stem) and ending in (".hoc", ".py", ".oc", ""):
            rank, why = (0 if depth == 0 else 20), "ModelDB's name for the file to start"
        elif ending.lower() == ".ses":
            rank, why = 80, "a session"
        elif _SECOND.match(stem):
            rank, why = (30 if depth == 0 else 40), "a usual name for the file to start"
        elif loaded:
            rank, why = 70, "makes cells; other files load it"
        elif _THIRD.match(stem):
            rank, why = (45 if depth == 0 else 50), "its name is that of a file to start"
        else:
            rank, why = (55 if depth == 0 else 60), "makes cells, and no file loads it"
        if loaded and 30 <= rank < 70:
            rank += _LOADED_BY_OTHERS
        if not makes:
            rank += 75
        return _Candidate((rank, depth), path, posixpath.dirname(path), (), why)

    def _reach(self, path: str) -> Reach:
        if path not in self._reached:
            self._reached[path] = self._program.reach(path)
        return self._reached[path]

    def _makes(self, path: str) -> bool:
        reach = self._reach(path)
        return reach.creates or (reach.unknown and (_is_first(path) or bool(reach.inserts)))

    def _is_library(self, path: str) -> bool:
        """Whether a file by itself is no more than definitions or geometry."""
        reach = self._reach(path)
        if _is_first(path):
            return False
        if reach.creates:
            return not (reach.inserts or reach.buttons or len(reach.files) > 1)
        return not any(self._leads(path, button) for button in reach.buttons)

    # ------------------------------------------------------------------ menus

    def _leads(self, path: str, button: Button) -> bool:
        """Whether a button makes cells that are not there without it."""
        return self._program.reach(path, (button.command,)).creates

    def _with_buttons(self, one: _Candidate) -> Iterator[_Candidate]:
        if one.commands or one.entry not in self._program.files or one.rank[0] >= 150:
            return
        reach = self._reach(one.entry)
        for place, button in enumerate(_distinct(reach.buttons)[:MAX_BUTTONS]):
            why = f"{one.why}; its button {button.label!r}"
            more = self._program.reach(one.entry, (button.command,))
            first = not reach.creates and more.creates
            same = len(more.files) <= len(reach.files)
            if same and not first and (_IDLE.match(button.command) or button.path.endswith(".ses")):
                continue
            later = -1 if first else 1 + same
            base = one.rank[0] - 75 * (first and one.rank[0] >= 75) + 65 * (same and not first)
            rank = (base, *one.rank[1:], later, place)
            yield _Candidate(rank, one.entry, one.folder, (button.command,), why)
            if not reach.creates and not more.creates:
                yield from self._second_menu(one, rank, button, more)

    def _second_menu(
        self, one: _Candidate, rank: tuple[int, ...], first: Button, reach: Reach
    ) -> Iterator[_Candidate]:
        shown = self._reach(one.entry).buttons
        for place, button in enumerate(_distinct(reach.buttons)[:MAX_BUTTONS]):
            commands = (first.command, button.command)
            if button not in shown and self._program.reach(one.entry, commands).creates:
                why = f"{one.why}; its button {first.label!r}, then {button.label!r}"
                place_rank = (max(0, rank[0] - 75), *rank[1:], place)
                yield _Candidate(place_rank, one.entry, one.folder, commands, why)

    # ------------------------------------------------------------------ files that texts name

    def _named(self) -> Iterator[_Candidate]:
        for path, text in self._texts:
            base = 5 if "/" not in path else 25
            yield from self._from_names(named_files(text, path), base, "the README says to run it")
        for path in self._paths:
            if _SCRIPT.search(path) or posixpath.basename(path).lower().startswith("run"):
                names = [one for one in self._script(path) if one.command]
                yield from self._from_names(names, 35, "a script runs it")

    def _script(self, path: str) -> list[Named]:
        try:
            content = self._tree.read(path)[:_MAX_SCRIPT_BYTES]
        except SourceError:
            return []
        binary = b"\0" in content[:4096]
        file = self._program.files.get(path)
        if binary or path.endswith((".py", ".m")) or (file and (file.top.calls or file.top.loads)):
            return []
        return named_files(decode(content), path)

    def _from_names(self, names: Iterable[Named], base: int, why: str) -> Iterator[_Candidate]:
        for place, one in enumerate(names):
            found = self._resolve(one)
            if found is None:
                continue
            path, folder = found
            if self._scripts.uses_neuron(path) or (
                path in self._program.files and (one.command or not self._is_library(path))
            ):
                weak = 0 if one.command else 1 if one.verb else 30
                if not one.command and path in self._program.loaded:
                    weak += _LOADED_BY_OTHERS  # a list of the files of a model, parts and all
                idle = 0 if self._scripts.uses_neuron(path) or self._shows(path) else 75
                yield _Candidate(
                    (base + weak + idle, 0, place), path, folder, (), f"{why} ({one.where})"
                )
            elif one.verb and path not in self._program.files:
                inner = [name for name in self._script(path) if name.command]
                yield from self._from_names(inner, base + 2, f"{path} runs it, and {why}")

    def _shows(self, path: str) -> bool:
        """Whether a file makes cells by itself, as far as reading tells."""
        reach = self._reach(path)
        return reach.creates or reach.unknown

    def _resolve(self, one: Named) -> tuple[str, str] | None:
        """The file that a text names, and the folder to run it in."""
        here = posixpath.dirname(one.where)
        for folder in one.folders:
            at = posixpath.normpath(posixpath.join(here, folder))
            path = posixpath.normpath(posixpath.join(at, one.name))
            if self._runs(path):
                return path, "" if at == "." or at.startswith("..") else at
        for name in (one.name, f"{one.name}.hoc"):
            path = self._program.find(name, one.where) or ""
            if self._runs(path) or (path and _is_script(path)):
                return path, posixpath.dirname(path)
        return None

    def _runs(self, path: str) -> bool:
        return path in self._program.files or self._scripts.uses_neuron(path)

    # ------------------------------------------------------------------ templates

    def _templates(self) -> Iterator[_Candidate]:
        """A template that takes no arguments, instantiated once: for sources with nothing else."""
        for path, file in self._program.files.items():
            for name, creates in file.templates.items():
                start = file.procedures.get(f"{name}.init")
                if creates and (start is None or not start.arguments):
                    commands = (f"objref bnnkg_{name}", f"bnnkg_{name} = new {name}()")
                    why = f"its template {name} takes no arguments"
                    yield _Candidate(
                        (90, path.count("/")), path, posixpath.dirname(path), commands, why
                    )

    def _configuration(self, one: _Candidate) -> Configuration:
        named = (
            [(one.entry, folder) for folder in self._program.files[one.entry].mod_folders]
            if one.entry in self._program.files
            else []
        )
        for path, text in self._texts:
            named.extend((path, folder) for folder in compiled_folders(text))
        reached = self._reach(one.entry).files if one.entry in self._program.files else ()
        folders = self._mods.of(
            one.folder, one.entry, named, {posixpath.dirname(p) for p in reached}
        )
        return Configuration(one.entry, one.commands, one.folder, folders, one.why)


def _is_first(path: str) -> bool:
    return bool(_FIRST.match(posixpath.splitext(posixpath.basename(path))[0]))


def _is_test(path: str) -> bool:
    """Whether a file tests something, such as a toolbox that comes along, and is no model."""
    return path.startswith(_TESTS) or f"/{_TESTS}" in path


def _is_script(path: str) -> bool:
    return bool(_SCRIPT.search(path)) or "." not in posixpath.basename(path)


def _distinct(shown: list[Button]) -> list[Button]:
    """Buttons without repeats and without those that only quit or call the system."""
    first: dict[str, Button] = {}
    for button in shown:
        if button.command and not _QUIT.match(button.command):
            first.setdefault(button.command, button)
    return list(first.values())


class ModFolders:
    """Which folders of mechanisms belong to which entry.

    Args:
        paths: All paths of the source.
    """

    def __init__(self, paths: list[str]) -> None:
        self._names: dict[str, set[str]] = {}
        for path in paths:
            if path.lower().endswith(".mod"):
                folder, name = posixpath.split(path)
                self._names.setdefault(folder, set()).add(name.lower())

    def of(
        self, folder: str, entry: str, named: list[tuple[str, str]], reached: set[str]
    ) -> tuple[str, ...]:
        """Folders of mechanisms for one entry.

        The folder that the entry itself names comes first, then those that the README tells to
        compile, the entry's own, its subfolders, those above it, and all.

        Args:
            folder: Where the entry is run.
            entry: Its path.
            named: Folders that texts name, each with the path of the text.
            reached: Folders of the files that the entry loads.
        """
        told = [self._told(text, name) for text, name in named]
        by_entry = [
            f for (text, _), f in zip(named, told, strict=True) if f is not None and text == entry
        ]
        if by_entry:
            return tuple(dict.fromkeys(by_entry))
        homes = dict.fromkeys((folder, posixpath.dirname(entry)))
        if not homes.keys() & self._names.keys() and reached & self._names.keys():
            return self._without_repeats(sorted(reached & self._names.keys()))
        by_text = list(dict.fromkeys(f for f in told if f is not None))
        near = [f for f in by_text if any(_inside(f, home) for home in homes)]
        if near and not any(home in self._names for home in homes):
            return tuple(near)
        for home in homes:
            while True:
                found = self._at(home)
                if found:
                    return found
                if not home:
                    break
                home = posixpath.dirname(home)
        return ()

    def _told(self, text: str, name: str) -> str | None:
        for base in (posixpath.dirname(text), ""):
            path = posixpath.normpath(posixpath.join(base, name or "."))
            path = "" if path == "." else path
            if path in self._names:
                return path
        return None

    def _at(self, home: str) -> tuple[str, ...]:
        """The folder itself, else those below it with a usual name, else all below it."""
        if home in self._names:
            return (home,)
        below = sorted(
            (f for f in self._names if _inside(f, home)), key=lambda f: (f.count("/"), f)
        )
        usual = [f for f in below if _MOD_FOLDER.match(posixpath.basename(f))]
        return self._without_repeats(usual or below)

    def _without_repeats(self, folders: list[str]) -> tuple[str, ...]:
        """Folders that bring something which no folder before them has."""
        seen: set[str] = set()
        kept = []
        for folder in folders:
            if not self._names[folder] <= seen:
                kept.append(folder)
                seen |= self._names[folder]
        return tuple(kept)


def _inside(folder: str, home: str) -> bool:
    return not home or folder == home or folder.startswith(f"{home}/")
