"""NEURON code in a source: what reading it gives and, where it is run, what running it builds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.causes import cause_of_error, cause_of_failure, cause_of_lack
from bnnkg.ingest.neuron.hints import Configuration, configurations
from bnnkg.ingest.neuron.mods import ModReading, read_mods
from bnnkg.ingest.neuron.readme import read_readme, readme_paths
from bnnkg.ingest.neuron.static_morphology import (
    MorphologyReading,
    is_morphology,
    read_morphologies,
)
from bnnkg.ingest.report import ConfigurationReport, FileReport
from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.ingest.neuron.attempts import Attempt
    from bnnkg.ingest.neuron.capture import Capture
    from bnnkg.ingest.neuron.executed import ExecutedParts
    from bnnkg.ingest.neuron.header import Header
    from bnnkg.ingest.sources import FileTree, Source

_MOD = ".mod"
_CODE = (".hoc", ".oc", ".ses", ".py")


@dataclass(frozen=True)
class NeuronReading:
    """What of a source is NEURON's.

    Attributes:
        mods: Its mechanisms.
        morphologies: Its cells as far as they were read; none where it was run.
        parts: What running it built; absent where it was not run, or nothing ran.
        hashes: Hash of every file of it, by path.
        reports: What became of each.
        configurations: What became of each way to run it.
        missing: What the graph is known to lack.
        cause: Why it is not whole, the same words for all sources that fail for it.
        reason: Likewise, in one sentence; empty where it is whole.
        readme: What its README says; absent where it has none.
        run_hints: Ways to run it, best first.
    """

    mods: ModReading
    morphologies: MorphologyReading
    parts: ExecutedParts | None
    hashes: dict[str, bytes]
    reports: dict[str, FileReport]
    configurations: tuple[ConfigurationReport, ...] = ()
    missing: tuple[str, ...] = ()
    cause: str = ""
    reason: str = ""
    readme: str | None = None
    run_hints: tuple[str, ...] = ()

    @property
    def has_content(self) -> bool:
        """Whether anything of it goes to the graph."""
        return bool(self.mods.definitions or self.morphologies.definitions or self.parts)


def read_neuron(
    tree: FileTree,
    source: Source,
    *,
    first: tuple[int, int, int] = (0, 0, 0),
    execute: bool = False,
    cache: Path | None = None,
    progress: Progress = silent,
) -> NeuronReading | None:
    """Reads the NEURON code of a source; absent where it has none.

    Args:
        tree: Its files.
        source: The source.
        first: Networks, populations and input models that the model has already.
        execute: Runs it too, in the sandbox.
        cache: Folder for compiled mechanisms.
        progress: Told of files and attempts.

    Raises:
        SandboxError: It is to be run, and there is no sandbox to run it in.
    """
    paths = [path for path in tree.paths() if _is_neurons(path)]
    ways = configurations(tree) if paths else ()
    can_run = bool(ways) or any(path.lower().endswith(".ses") for path in paths)
    if not ways and not any(is_morphology(p) or p.lower().endswith(_MOD) for p in paths):
        return None
    mods = read_mods(tree, paths, progress=progress)
    ran = _Ran()
    if execute and can_run:
        with TemporaryDirectory(prefix="bnnkg-") as work:
            ran = _run(tree, source, first, ways, mods, Path(work), cache, progress)
    shapes = read_morphologies(tree, paths if ran.parts is None else (), progress=progress)
    reports = {path: _code_report(path, ran.parts is not None, can_run) for path in paths}
    reports.update(shapes.reports)
    reports.update((report.path, report) for report in mods.reports)
    has_code = bool(ways or mods.files)
    if has_code:
        told = "the text of the one nearest the top stands on the Model"
        reports |= {path: FileReport(path, "kept", told) for path in readme_paths(tree)}
    cause, reason = _why_partial(ran, can_run, execute)
    return NeuronReading(
        mods, shapes, ran.parts, dict(_hashes(tree, paths)), reports, ran.told,
        tuple(dict.fromkeys((*mods.missing, *ran.missing))), cause=cause, reason=reason,
        readme=read_readme(tree) if has_code else None, run_hints=tuple(map(_hint, ways)),
    )  # fmt: skip


def _hint(way: Configuration) -> str:
    return f"{'; '.join([way.entry, *way.commands])} ({way.why})"


def _is_neurons(path: str) -> bool:
    return is_morphology(path) or path.lower().endswith((_MOD, *_CODE))


def _hashes(tree: FileTree, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        try:
            yield path, hashlib.sha256(tree.read(path)).digest()
        except SourceError:
            continue  # whoever reads it tells why it cannot be read


@dataclass(frozen=True)
class _Ran:
    """What came of running a source: nothing where it was not run.

    Attributes:
        parts: What it built.
        told: What became of each way to run it.
        reason: Why nothing was built.
        error: The error that ended the load of what was built; empty for none.
    """

    parts: ExecutedParts | None = None
    told: tuple[ConfigurationReport, ...] = ()
    reason: str = ""
    error: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        known = self.parts.known_missing if self.parts else ()
        return tuple(dict.fromkeys([*(text for one in self.told for text in one.missing), *known]))


def _run(
    tree: FileTree,
    source: Source,
    first: tuple[int, int, int],
    ways: Sequence[Configuration],
    mods: ModReading,
    work: Path,
    cache: Path | None,
    progress: Progress,
) -> _Ran:
    from bnnkg.ingest.neuron.capture import read_capture
    from bnnkg.ingest.neuron.execution import execute_source

    try:
        execution = execute_source(
            tree, work=work, configurations=ways, cache=(cache or work) / "compiled",
            progress=progress,
        )  # fmt: skip
        # The folder of a capture is named by the place of its attempt.
        captures = {int(folder.name): read_capture(folder) for folder in execution.captures}
        parts = _parts(tuple(captures.values()), mods, source, first) if captures else None
    except SourceError as error:
        return _Ran(reason=error.line())
    told = tuple(
        _told(attempt, captures.get(place)) for place, attempt in enumerate(execution.attempts)
    )
    errors = [one.header.error for one in captures.values() if one.header.error]
    return _Ran(parts, told, execution.reason, next(iter(errors), ""))


def _parts(
    captures: Sequence[Capture], mods: ModReading, source: Source, first: tuple[int, int, int]
) -> ExecutedParts:
    from bnnkg.ingest.neuron.executed import executed_parts

    networks, populations, inputs = first
    return executed_parts(
        captures, mods, source, first_network=networks, first_population=populations,
        first_input=inputs,
    )  # fmt: skip


def _told(attempt: Attempt, capture: Capture | None) -> ConfigurationReport:
    """What became of an attempt: its numbers, where it is the one that was taken."""
    told = ConfigurationReport(
        attempt.entry, attempt.commands, "failed", attempt.reason, _words(attempt.fallback),
        cpu_s=attempt.cpu_s,
    )  # fmt: skip
    if capture is None and attempt.status in ("loaded", "partial"):
        return replace(told, status="passed over", reason="another way built more")
    if capture is None:
        return told
    header = capture.header
    missing = (*header.missing, *capture.notes)
    if attempt.reason:
        what = "what the code does after an error: " if header.error else ""
        missing = (f"{what}{attempt.reason}", *missing)
    return replace(
        told, status="partial" if missing else "loaded", reason=f"stopped at the {header.stopped}",
        recovered=_recovered(header), missing=missing,
    )  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split("; ")))


_RECOVERED = {
    "sections": "sections",
    "segments": "segments",
    "pt3d": "3-D points",
    "density": "mechanisms in segments",
    "points": "point processes",
    "artificial": "artificial cells",
    "netcons": "NetCons",
}


def _recovered(header: Header) -> dict[str, int]:
    """What was counted inside, by words for people."""
    found = {name: header.counts.get(name, 0) for name in _RECOVERED}
    return {
        _RECOVERED[name]: count if isinstance(count, int) else sum(count.values())
        for name, count in found.items()
    }


def _code_report(path: str, ran: bool, can_run: bool) -> FileReport:
    if ran:
        return FileReport(path, "kept", "code of a model that was run")
    if can_run:
        return FileReport(path, "skipped", "NEURON code, which --execute runs")
    return FileReport(path, "skipped", "code, and nothing of NEURON's to run")


def _why_partial(ran: _Ran, can_run: bool, execute: bool) -> tuple[str, str]:
    """Cause and reason of a model that is not whole; empty for one that is."""
    if not can_run:
        return "", ""
    if not execute:
        return "its code was not run", "its code was read and not run; --execute runs it"
    if ran.parts is None:
        return cause_of_failure(ran.reason), ran.reason
    if not ran.missing:
        return "", ""
    cause = cause_of_error(ran.error) if ran.error else cause_of_lack(ran.missing[0])
    return cause, f"known to be missing: {'; '.join(ran.missing)}"
