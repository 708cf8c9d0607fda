"""Runs the NEURON code of a source in the sandbox, with fallbacks, until its structure is there.

Each configuration is loaded by a process of its own, in a fresh copy of the source, and stopped
at the first time step; what NEURON then holds is left as a capture (see ``inside/``).
"""

from __future__ import annotations

import json
import logging
import posixpath
import re
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from bnnkg.errors import BnnkgError, SandboxError
from bnnkg.ingest.neuron.attempts import (
    Attempt,
    Plan,
    Told,
    better,
    follow_ups,
    judge,
    read_told,
)
from bnnkg.ingest.neuron.compiling import (
    INSIDE,
    Compiled,
    Toolchain,
    compile_mods,
    find_toolchain,
    is_header,
    support_library,
)
from bnnkg.ingest.neuron.hints import Configuration
from bnnkg.ingest.neuron.inside.job import Job
from bnnkg.ingest.neuron.stubs import mechanism_name, stub_table
from bnnkg.ingest.neuron.unpacking import refusal, unpack
from bnnkg.ingest.sources import FileTree
from bnnkg.kinetics import ModFile, parse_mod
from bnnkg.progress import Progress, silent
from bnnkg.sandbox import Limits, interpreter_paths, read_file, remove_folder, run

LOG = logging.getLogger(__name__)
MAX_RESULT_BYTES = 2**20
MAX_HEAD_BYTES = 2**26
MAX_COLUMNS_BYTES = 2**29
MAX_HOC_BYTES = 2**22
MAX_SESSION_FILES = 4
CURRENTS = re.compile(
    r"^(?!\s*//)[^\"\n/]*=[^\"\n=]*\b(?:ina|ik|ica|i_\w+)\s*(?:\(|[-+*/)])", re.MULTILINE
)
HOC_ENDINGS = (".hoc", ".oc", ".ses", ".tem", ".inc", ".nrn")


@dataclass(frozen=True)
class Execution:
    """What running a source gave.

    Attributes:
        captures: Folders of the captures, the best first.
        attempts: Every try, in order.
        mods: File of each mechanism, relative to the source.
        compile_notes: What of the source was not unpacked, read or compiled, and why.
        reason: Why nothing was loaded; empty where something was.
    """

    captures: tuple[Path, ...]
    attempts: tuple[Attempt, ...]
    mods: dict[str, str]
    compile_notes: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Budget:
    """What all attempts on one source may use together.

    Attributes:
        n_attempts: Number of attempts.
        cpu_s: CPU time, compiling included.
    """

    n_attempts: int = 16
    cpu_s: float = 1200


def execute_source(
    tree: FileTree,
    *,
    work: Path,
    configurations: Sequence[Configuration],
    cache: Path | None = None,
    limits: Limits | None = None,
    budget: Budget | None = None,
    stubs: bool = True,
    native: bool = True,
    progress: Progress = silent,
) -> Execution:
    """Loads a source in the sandbox and captures its structure.

    Args:
        tree: The source.
        work: Folder to work in; captures are left in its ``captures``.
        configurations: What to load, best first.
        cache: Folder of compiled libraries; beside ``work`` unless told.
        limits: What one attempt may use.
        budget: What all attempts may use.
        stubs: Whether mechanisms are stubs at first, so that no native code of the author runs.
        native: Whether the author's mods may be compiled and run, in the sandbox, where stubs
            do not do.
        progress: Told of every attempt.

    Returns:
        The captures and how they came about; a load that fails is told there, not raised.

    Raises:
        SandboxError: No sandbox can be had.
        SourceError: NEURON or a C compiler is absent, or the source is too large.
    """
    work.mkdir(parents=True, exist_ok=True)
    (work / "captures").mkdir(exist_ok=True)
    compiled = cache or work.parent / "compiled"
    compiled.mkdir(parents=True, exist_ok=True)
    compiled.chmod(0o755)  # whatever the umask: root's sandbox is run by somebody else
    runs = _Runs(tree, work, compiled, limits or Limits())
    return runs.all(configurations, budget or Budget(), stubs, native, progress)


@dataclass
class _Mods:
    """The .mod files of a source."""

    texts: dict[str, bytes] = field(default_factory=dict)
    parsed: dict[str, ModFile] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_mods(tree: FileTree) -> _Mods:
    """Reads the mods of a source; those that are no NMODL are told."""
    mods, present = _Mods(), set(tree.paths())

    def include_from(folder: str, name: str) -> str | None:
        path = posixpath.normpath(posixpath.join(folder, name))
        return tree.read(path).decode("latin-1") if path in present else None

    for path in sorted(present):
        if path.lower().endswith(".mod") and refusal(path) is None:
            folder = posixpath.dirname(path)
            try:
                mods.texts[path] = tree.read(path)
                mods.parsed[path] = parse_mod(
                    mods.texts[path].decode("latin-1"),
                    where=path,
                    include=partial(include_from, folder),
                )
            except BnnkgError as error:
                mods.notes.append(f"{path} is not understood: {error.what}")
    return mods


def reads_currents(tree: FileTree) -> bool:
    """Whether hoc code computes with ionic currents, as models do that balance a resting state."""
    for path in tree.paths():
        if path.lower().endswith(HOC_ENDINGS):
            text = tree.read(path)
            if len(text) <= MAX_HOC_BYTES and CURRENTS.search(text.decode("latin-1")):
                return True
    return False


def session_files(tree: FileTree) -> list[Configuration]:
    """Session files, which NEURON's own tools leave: what a source without programs holds."""
    paths = [path for path in tree.paths() if refusal(path) is None]
    mod_folders = sorted({posixpath.dirname(p) for p in paths if p.lower().endswith(".mod")})
    return [
        Configuration(path, (), posixpath.dirname(path), tuple(mod_folders), "a session file")
        for path in paths
        if path.lower().endswith(".ses")
    ][:MAX_SESSION_FILES]


class _Runs:
    """All attempts on one source."""

    def __init__(self, tree: FileTree, work: Path, cache: Path, limits: Limits) -> None:
        self._tree = tree
        self._work = work
        self._cache = cache
        self._limits = limits
        self._toolchain: Toolchain = find_toolchain()
        self._support = support_library(self._toolchain, cache)
        self._mods = read_mods(tree)
        self._reads_currents = reads_currents(tree)
        self._notes = list(self._mods.notes)
        self._compiled: dict[tuple[str, ...], Compiled] = {}
        self._names: dict[str, str] = {}
        self._cpu_s = 0.0

    def all(
        self,
        configurations: Sequence[Configuration],
        budget: Budget,
        stubs: bool,
        native: bool,
        progress: Progress,
    ) -> Execution:
        """Tries configurations, each with its fallbacks, until one loads; the best is kept."""
        attempts: list[Attempt] = []
        best: Attempt | None = None
        tried: set[Plan] = set()
        broken: set[tuple[str, str]] = set()  # entries that end in an error: no command is reached
        for configuration in (*configurations, *session_files(self._tree)):
            entry = (configuration.entry, configuration.folder)
            if configuration.commands and entry in broken:
                continue
            statuses = set()
            queue = deque([Plan(configuration, stubs=stubs)])
            while queue and len(attempts) < budget.n_attempts and self._cpu_s < budget.cpu_s:
                plan = queue.popleft()
                if plan.key in tried:
                    continue
                tried.add(plan.key)
                progress("loading in the sandbox", len(attempts), note=plan.configuration.entry)
                attempt, told = self._attempt(plan, len(attempts))
                attempts.append(attempt)
                statuses.add(attempt.status)
                best = attempt if better(attempt, best) else best
                if attempt.is_good:
                    break
                queue.extendleft(reversed([*self._follow_ups(plan, attempt, told, native)]))
            if statuses <= {"partial", "failed"}:
                broken.add(entry)
            if best is not None and best.status == "loaded":
                break
        return self._execution(attempts, best)

    def _follow_ups(
        self, plan: Plan, attempt: Attempt, told: Told | None, native: bool
    ) -> Iterator[Plan]:
        has_native = native and bool(self._mod_set(plan))
        more = self._more_mods(plan.configuration)
        return follow_ups(plan, attempt, told, has_native=has_native, has_more_mods=more)

    def _execution(self, attempts: list[Attempt], best: Attempt | None) -> Execution:
        captures: tuple[Path, ...] = ()
        for number, attempt in enumerate(attempts):
            folder = self._work / "captures" / str(number)
            if attempt is best and attempt.status in ("loaded", "partial", "inert"):
                captures = (folder,)
            elif folder.exists():
                remove_folder(folder)
        reason = "" if captures else (best.reason if best else "it holds nothing to run in NEURON")
        return Execution(
            captures, tuple(attempts), self._names, tuple(dict.fromkeys(self._notes)), reason
        )

    # ------------------------------------------------------------------ one attempt

    def _attempt(self, plan: Plan, number: int) -> tuple[Attempt, Told | None]:
        started = time.monotonic()
        folder = self._work / f"attempt_{number}"
        if folder.exists():
            remove_folder(folder)
        unpacked = unpack(self._tree, folder / "source")
        self._notes += unpacked.notes
        (folder / "out").mkdir()
        job = self._job(plan, folder)
        (folder / "job.json").write_text(json.dumps(asdict(job)), encoding="utf-8")
        try:
            outcome = run(
                [sys.executable, "-s", str(INSIDE / "start.py"), str(folder / "job.json")],
                writable=folder,
                read_only=(*interpreter_paths(), INSIDE, self._cache),
                environment=self._environment(folder, unpacked.paths),
                working_folder=Path(job.folder),
                limits=self._limits,
            )
            told = self._collect(folder, number)
        finally:
            remove_folder(folder)
        self._cpu_s += outcome.cpu_s
        attempt = judge(plan, told, outcome, time.monotonic() - started)
        LOG.info("%s: %s %s", attempt.entry, attempt.status, attempt.reason)
        return attempt, told

    def _collect(self, folder: Path, number: int) -> Told | None:
        """What a session told, its capture moved to where it stays; None for nothing."""
        try:
            told = read_told(read_file(folder, "out/result.json", max_bytes=MAX_RESULT_BYTES))
            if told.captured:
                target = self._work / "captures" / str(number)
                target.mkdir(exist_ok=True)
                for name, most in (
                    ("capture.json", MAX_HEAD_BYTES),
                    ("capture.npz", MAX_COLUMNS_BYTES),
                ):
                    content = read_file(folder, f"out/{name}", max_bytes=most)
                    (target / name).write_bytes(content)
        except SandboxError as error:
            LOG.info("no capture: %s", error.what)
            return None
        return told

    def _environment(self, folder: Path, paths: Sequence[str]) -> dict[str, str]:
        """Variables of the session: NEURON also looks for hoc files in every folder of them."""
        folders = {posixpath.dirname(path) for path in paths if path.lower().endswith(HOC_ENDINGS)}
        libraries = [str(folder / "source" / name) for name in sorted(folders)]
        return {
            "HOC_LIBRARY_PATH": ":".join(path for path in libraries if " " not in path),
            "NEURON_MODULE_OPTIONS": "-nogui",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }

    def _job(self, plan: Plan, folder: Path) -> Job:
        configuration = plan.configuration
        paths = self._mod_set(plan)
        table: Path | None = None
        native: Path | None = None
        if plan.stubs:
            table = folder / "mechanisms.txt"
            found = ((path, self._mods.parsed[path]) for path in paths)
            table.write_text(stub_table(found), encoding="utf-8")
        elif paths:
            native = self._native(paths)
        names = {mechanism_name(path, self._mods.parsed[path]): path for path in reversed(paths)}
        self._names |= names
        pointers = {name: list(self._mods.parsed[path].pointers) for name, path in names.items()}
        return Job(
            root=str(folder / "source"),
            folder=str(folder / "source" / configuration.folder),
            entry=configuration.entry,
            commands=list(configuration.commands),
            out=str(folder / "out"),
            support=str(self._support),
            table=None if table is None else str(table),
            native=None if native is None else str(native),
            mods=names,
            pointers={name: list(found) for name, found in pointers.items() if found},
            absent=list(plan.absent),
            cpu_s=0.9 * self._limits.cpu_s,
            wall_s=0.9 * self._limits.wall_s,
            fallbacks=[plan.why] if plan.why else [],
            reads_currents=self._reads_currents,
        )

    # ------------------------------------------------------------------ mods

    def _mod_set(self, plan: Plan) -> tuple[str, ...]:
        """Mods of a plan, one per mechanism, those beside the entry first."""
        folders = plan.configuration.mod_folders
        inside = [p for f in folders for p in self._mods.parsed if posixpath.dirname(p) == f]
        if plan.all_mods:
            others = sorted(set(self._mods.parsed) - set(inside), key=lambda p: (p.count("/"), p))
            inside += others
        chosen: dict[str, str] = {}
        for path in inside:
            chosen.setdefault(mechanism_name(path, self._mods.parsed[path]), path)
        return tuple(chosen.values())

    def _more_mods(self, configuration: Configuration) -> bool:
        near = self._mod_set(Plan(configuration))
        return len(self._mod_set(Plan(configuration, all_mods=True))) > len(near)

    def _native(self, paths: tuple[str, ...]) -> Path | None:
        if paths not in self._compiled:
            folders = {posixpath.dirname(path) for path in paths}
            headers = {
                path: self._tree.read(path)
                for path in self._tree.paths()
                if posixpath.dirname(path) in folders and is_header(path) and refusal(path) is None
            }
            compiled = compile_mods(
                self._toolchain,
                {path: self._mods.texts[path] for path in paths},
                {path: content for path, content in headers.items() if path not in paths},
                cache=self._cache,
                work=self._work / "compile",
                limits=self._limits,
            )
            self._compiled[paths] = compiled
            self._notes += compiled.notes
            self._cpu_s += compiled.cpu_s
        return self._compiled[paths].library
