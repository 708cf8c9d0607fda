"""Reading many sources at once: a process for each, so that one cannot take the others with it."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.ingest import Source, SourceReport
    from bnnkg.schema import GraphTables

WALL_S = 3 * 3600.0
"""How long one source may take; the sandbox has tighter limits of its own."""
_SHARE_OF_MEMORY = 0.8
_LEAST_BYTES = 2 * 2**30
_ALLOCATIONS = 100_000
"""Objects until garbage is looked for: a process that reads one source leaves little."""
_DEATH = "the process that read it ended"


@dataclass(frozen=True)
class Reading:
    """How sources are to be read.

    Attributes:
        execute: Whether NEURON code is run, in the sandbox.
        cache: Folder for what can be computed again, such as compiled mechanisms.
        strict: Whether nothing is made of a source with any flaw.
        compare: Whether documents are compared with NeuroML's schema, for the report.
    """

    execute: bool = False
    cache: Path | None = None
    strict: bool = False
    compare: bool = False


@dataclass(frozen=True)
class ReadResult:
    """What reading a source gave.

    Attributes:
        report: What became of it.
        tables: Its records; absent where there are none, or it is flawed and that is not allowed.
    """

    report: SourceReport
    tables: GraphTables | None


def read_one(source: Source, reading: Reading, progress: Progress = silent) -> ReadResult:
    """Reads one source in this process."""
    from bnnkg.ingest import read_source, records_of

    parsed = read_source(source, execute=reading.execute, cache=reading.cache, progress=progress)
    report = parsed.report
    if reading.compare:
        from bnnkg.ingest.findings import with_findings

        report = with_findings(source, report)
    if report.model is None or (reading.strict and is_flawed(report)):
        return ReadResult(report, None)
    return ReadResult(report, records_of(parsed))


def is_flawed(report: SourceReport) -> bool:
    """Whether anything of a source could not be loaded as it is."""
    return report.status != "loaded" or any(f.status in {"failed", "skipped"} for f in report.files)


def read_many(
    sources: Iterable[tuple[int, Source]], reading: Reading, jobs: int
) -> Iterator[tuple[int, Source, ReadResult]]:
    """Reads sources in processes of their own, and gives each as it is done.

    Args:
        sources: Each with its place; taken one by one, as processes come free.
        reading: How.
        jobs: How many processes at once.
    """
    # A process is forked from one that holds nothing but the readers: cheap, and without the
    # parent's threads and connections.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bnnkg.ingest.reading", "bnnkg.ingest.records", "neuroml"])
    waiting = iter(sources)
    running: dict[Connection, _Running] = {}
    try:
        while True:
            for place, source in _up_to(waiting, jobs - len(running)):
                one = _start(context, place, source, reading, _memory_each(jobs))
                running[one.answer] = one
            if not running:
                return
            for connection in _ready(running):
                one = running.pop(connection)
                yield one.place, one.source, one.result()
            for one in [r for r in running.values() if time.monotonic() > r.deadline]:
                del running[one.answer]
                yield (
                    one.place,
                    one.source,
                    one.stop(f"it took more than {WALL_S / 3600:.0f} hours"),
                )
    finally:
        for one in running.values():
            one.stop("")


def _up_to(waiting: Iterator[tuple[int, Source]], n: int) -> Iterator[tuple[int, Source]]:
    for _ in range(n):
        found = next(waiting, None)
        if found is None:
            return
        yield found


def _ready(running: dict[Connection, _Running]) -> list[Connection]:
    return [one for one in wait(list(running), timeout=1.0) if isinstance(one, Connection)]


@dataclass(frozen=True)
class _Running:
    place: int
    source: Source
    process: BaseProcess
    answer: Connection
    deadline: float

    def result(self) -> ReadResult:
        """What the process sent, or why it sent nothing."""
        try:
            found = self.answer.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            why = f"by signal {-code}" if code < 0 else f"with status {code}"
            return self.stop(f"{_DEATH} {why}")
        self._end()
        return found if isinstance(found, ReadResult) else self._failed(str(found))

    def stop(self, reason: str) -> ReadResult:
        """Ends the process; the source has failed for that reason."""
        self.process.kill()
        self._end()
        return self._failed(reason)

    def _end(self) -> None:
        self.process.join()
        self.answer.close()

    def _failed(self, reason: str) -> ReadResult:
        from bnnkg.ingest import SourceReport

        source = self.source
        given = source.given or str(source.path)
        cause = "the process that read it ended" if reason.startswith(_DEATH) else reason
        report = SourceReport(given, None, "static", "failed", reason, [], [], cause=cause)
        return ReadResult(report, None)


def _start(
    context: multiprocessing.context.ForkServerContext,
    place: int,
    source: Source,
    reading: Reading,
    memory_bytes: int,
) -> _Running:
    here, there = context.Pipe(duplex=False)
    process = context.Process(
        target=_work, args=(there, source, reading, memory_bytes), daemon=True
    )
    process.start()
    there.close()
    return _Running(place, source, process, here, time.monotonic() + WALL_S)


def _work(answer: Connection, source: Source, reading: Reading, memory_bytes: int) -> None:
    """What a worker does: reads one source, and sends what came of it."""
    import gc
    import resource

    gc.freeze()  # what the fork server imported is no garbage, and stays shared with it
    gc.set_threshold(_ALLOCATIONS)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        answer.send(read_one(source, reading))
    except MemoryError:
        answer.send(f"it needs more than {memory_bytes // 2**20} MiB of memory")
    answer.close()


def _memory_each(jobs: int) -> int:
    import psutil

    return max(_LEAST_BYTES, int(psutil.virtual_memory().total * _SHARE_OF_MEMORY / jobs))


def default_jobs(n_sources: int) -> int:
    """Processes for that many sources: none apart for a few, else as many as there are cores."""
    return 1 if n_sources < _MANY else min(n_sources, os.cpu_count() or 1)


_MANY = 4


def fingerprint(source: Source, reading: Reading) -> str:
    """Hash of a source's content and of how it is read, cheap: files by size and time."""
    from bnnkg import __version__

    whole = hashlib.sha256(f"{__version__} {reading.execute}".encode())
    for line in [source.archive_sha256] if source.archive_sha256 else _stamps(source.path):
        whole.update(line.encode("utf-8", "surrogatepass") + b"\0")
    return whole.hexdigest()


def _stamps(path: Path) -> Iterator[str]:
    if path.is_file():
        found = path.stat()
        yield f"{found.st_size} {found.st_mtime_ns}"
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(files):
            full = Path(folder) / name
            found = full.lstat()
            yield f"{full.relative_to(path)} {found.st_size} {found.st_mtime_ns}"
