"""Sources of models to the graph: read, check, load, report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import BnnkgError, SandboxError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.settings import Settings
from bnnkg.workflows.reading import open_catalogue, open_store
from bnnkg.workflows.similarity import link_similar
from bnnkg.workflows.sources import Finder, Lost, Wanted
from bnnkg.workflows.workers import (
    Reading,
    ReadResult,
    default_jobs,
    fingerprint,
    is_flawed,
    read_many,
    read_one,
)

if TYPE_CHECKING:
    from bnnkg.catalogue import Catalogue, SourceEntry
    from bnnkg.ingest import Source, SourceReport
    from bnnkg.schema import GraphTables
    from bnnkg.store import LoadResult, Store


@dataclass(frozen=True)
class IngestOutcome:
    """What became of the sources.

    Attributes:
        reports: One per source, with every file of it.
        loads: What the store did with each source's model, by the source as given.
        nodes: Nodes by label that the sources bring; a shared one counts once.
        edges: Edges by type, likewise.
        exit_code: 0 all loaded, 1 nothing loaded (or refused by ``strict``), 3 some failed.
    """

    reports: tuple[SourceReport, ...]
    loads: Mapping[str, LoadResult]
    nodes: Mapping[str, int]
    edges: Mapping[str, int]
    exit_code: int

    def to_json(self) -> dict[str, Any]:
        """The object that ``bnnkg ingest --json`` prints."""
        reports = [(report.source, report.to_json()) for report in self.reports]
        return {
            "files": [file for _, report in reports for file in report["files"]],
            "models": [
                model | {"change": self.change(source), "remarks": self.remarks(source)}
                for source, report in reports
                for model in report["models"]
            ],
            "totals": {"nodes": dict(self.nodes), "edges": dict(self.edges)},
        }

    def to_markdown(self) -> str:
        """The whole report, a section for each source."""
        return "\n\n".join(
            "\n".join([report.to_markdown(), *(f"- {t}" for t in self.remarks(report.source))])
            for report in self.reports
        )

    @property
    def _tiers(self) -> dict[str, str]:
        return {report.source: report.tier for report in self.reports}

    def change(self, source: str) -> str | None:
        """What the graph did with the source's model: new, replaced or unchanged, if anything."""
        load = self.loads.get(source)
        return None if load is None else "new" if load.status == "loaded" else load.status

    def remarks(self, source: str) -> list[str]:
        """What the user should know of what a source's model did to the rest of the graph."""
        load = self.loads.get(source)
        if load is None:
            return []
        found = [_annotate_again(load.stale_runs)] if load.stale_runs else []
        if load.replaced_tier == "executed" and self._tiers[source] == "static":
            found.insert(
                0,
                f"{load.key}: a version of files that were only read replaced one of code that was"
                " run, with its sections, densities and connections; bnnkg ingest --execute"
                f" {source} brings them back",
            )
        if load.replaced_shares_nothing:
            found.insert(
                0,
                f"{load.key}: this version replaced one that it has nothing in common with; if it"
                " is another model, load both again, each with a --name of its own",
            )
        return found


@dataclass
class _Totals:
    """Counts over several models in which shared nodes and edges count once."""

    nodes: dict[str, int] = field(default_factory=dict)
    edges: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def add(self, tables: GraphTables) -> None:
        from bnnkg.schema import NODES

        fresh: set[str] = set()
        for label, nodes in tables.nodes.items():
            new = self._unseen(nodes.uid) if NODES[label].scope == "shared" else nodes.uid
            fresh.update(new if NODES[label].scope == "shared" else ())
            self.nodes[label] = self.nodes.get(label, 0) + len(new)
        for (type_, src_label, _), edges in tables.edges.items():
            shared = NODES[src_label].scope == "shared"
            count = sum(src in fresh for src in edges.src) if shared else len(edges)
            self.edges[type_] = self.edges.get(type_, 0) + count

    def _unseen(self, uids: Iterable[str]) -> list[str]:
        new = [uid for uid in uids if uid not in self.seen]
        self.seen.update(new)
        return new


def ingest(
    sources: Sequence[str],
    *,
    settings: Settings,
    name: str | None = None,
    accession: str | None = None,
    manifest: Path | None = None,
    execute: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    resume: bool = False,
    bulk: bool = False,
    jobs: int | None = 1,
    progress: Progress = silent,
) -> IngestOutcome:
    """Loads every source as one Model, and reports on every file.

    Args:
        sources: Files, folders, archives, URLs, ``modeldb:ACCESSION``, ``modeldb:all``.
        settings: Which database, catalogue and ModelDB.
        name: Key of the model, where one source is given.
        accession: Its accession in ModelDB, likewise; it is the key where no name is given.
        manifest: CSV file of more sources, with the columns of ``sources.MANIFEST_COLUMNS``.
        execute: Runs NEURON code, in the sandbox.
        strict: A source with a file that failed or is unsupported is not loaded.
        dry_run: Reads and checks, writes nothing.
        resume: Leaves out sources that an earlier ingest into this graph is done with, unchanged.
        bulk: Loads all at once through ``neo4j-admin``, into a local database that is empty. A
            first model of more than a million nodes and edges is loaded so unasked.
        jobs: Processes that read at once; None for as many as the sources and cores make
            sensible. With more than one, a script needs its ``if __name__ == "__main__"``.
        progress: Told of each source and batch.

    Raises:
        UsageError: No source, two sources of one key, a manifest of another form, or a bulk load
            into a database that is not local or not empty.
        SandboxError: Code is to be run, and there is no sandbox to run it in.
        StoreError: The database cannot be used; what was loaded before stays whole.
    """
    if execute:
        _check_sandbox()
    reading = Reading(execute, settings.cache_folder, strict, compare=dry_run)
    with Finder(settings, progress) as finder:
        wanted = finder.wanted(sources, name, manifest, accession=accession)
        batch = _Batch(finder, wanted, reading, settings, resume, bulk, jobs, progress)
        if dry_run:
            return batch.load_all(None)
        with open_store(settings, write=True, progress=progress) as store:
            try:
                return batch.load_all(store)
            finally:  # what was loaded before a failure stays, and so does its report
                with open_catalogue(settings) as catalogue:
                    catalogue.record_ingest(
                        store_id=store.store_id,
                        sources=[one.text for one in wanted],
                        report=batch.outcome().to_json(),
                    )


def validate(
    sources: Sequence[str],
    *,
    settings: Settings | None = None,
    name: str | None = None,
    accession: str | None = None,
    manifest: Path | None = None,
    execute: bool = False,
    strict: bool = False,
    jobs: int | None = 1,
    progress: Progress = silent,
) -> IngestOutcome:
    """The report of ``ingest`` without a database, and what NeuroML's schema says, by line."""
    return ingest(
        sources, settings=settings or Settings(), name=name, accession=accession,
        manifest=manifest, execute=execute, strict=strict, dry_run=True, jobs=jobs,
        progress=progress,
    )  # fmt: skip


def export_admin_files(
    sources: Sequence[str],
    *,
    out: Path,
    settings: Settings,
    jobs: int | None = 1,
    progress: Progress = silent,
) -> tuple[IngestOutcome, str]:
    """Writes sources as the files of ``neo4j-admin database import``, for a server's first load.

    Args:
        sources: As for :func:`ingest`.
        out: A new or empty folder.
        settings: Which ModelDB.
        jobs: As for :func:`ingest`.
        progress: Told of each source.

    Returns:
        What became of the sources, and the command that imports the files.

    Raises:
        UsageError: The folder holds something, or the sources are wrong as in :func:`ingest`.
    """
    from bnnkg.store.bulk import import_command, write_files

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            "files for an import go into a folder of their own",
            where=str(out), expected="a new or empty folder", found="something in it",
        )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    with Finder(settings, progress) as finder:
        wanted = finder.wanted(sources, None, None)
        reading = Reading(cache=settings.cache_folder)
        batch = _Batch(finder, wanted, reading, settings, False, False, jobs, progress)
        write_files(out, (tables for _, tables in batch.read_tables(None, None)))
    return batch.outcome(), import_command(out)


def _check_sandbox() -> None:
    """Refuses before anything is done, rather than at the first model."""
    from importlib.util import find_spec

    from bnnkg import sandbox

    reason = sandbox.check()
    if reason is not None:
        raise SandboxError(
            "there is no sandbox, and the code of models is run nowhere else", found=reason,
            hint="leave out --execute to read models without running them",
        )  # fmt: skip
    if find_spec("neuron") is None:
        raise UsageError(
            "--execute needs NEURON, which is not installed",
            hint='pip install "bnnkg[neuron]"',
        )


def remove(
    keys: Sequence[str], *, settings: Settings, dry_run: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Removes models, and the shared nodes that nothing else defines.

    Returns:
        ``models``, ``nodes``, ``dry_run`` and, where there is one, a ``remark``, as the command
        prints them.

    Raises:
        UnknownModelError: A key is not in the graph; then nothing is removed.
    """
    with open_store(settings, write=True, progress=progress) as store:
        result = store.remove_models(keys, dry_run=dry_run, progress=progress)
    told: dict[str, Any] = {"models": list(keys), "nodes": result.n_nodes, "dry_run": dry_run}
    if result.stale_runs:
        told["remark"] = _annotate_again(result.stale_runs)
    return told


def _annotate_again(names: Iterable[str]) -> str:
    """Tells which annotations lost the means of which an instance has left the graph."""
    told = ", ".join(name or "the one without a name" for name in names)
    return f"annotate again, to renew means over instances that are gone: {told}"


@dataclass
class _Batch:
    """Sources on their way to the graph, and what became of those that are done."""

    finder: Finder
    wanted: Sequence[Wanted]
    reading: Reading
    settings: Settings
    resume: bool
    bulk: bool
    jobs: int | None
    progress: Progress
    reports: dict[int, SourceReport] = field(default_factory=dict)
    loads: dict[str, LoadResult] = field(default_factory=dict)
    totals: _Totals = field(default_factory=_Totals)
    _prints: dict[int, str] = field(default_factory=dict)
    _mechanisms: set[str] = field(default_factory=set)

    def load_all(self, store: Store | None) -> IngestOutcome:
        """Goes through all sources; one that cannot be read does not stop the others."""
        if store is None:
            return self._load_all(None, None)
        with open_catalogue(self.settings) as catalogue:
            return self._load_all(store, catalogue)

    def _load_all(self, store: Store | None, catalogue: Catalogue | None) -> IngestOutcome:
        if self.bulk and store is not None:
            self._import(store, self.read_tables(store, catalogue))
        else:
            for given, tables in self.read_tables(store, catalogue):
                self._load(given, tables, store)
        self.progress("ingest", len(self.wanted), len(self.wanted))
        if store is not None and self._mechanisms:
            link_similar(store, self._mechanisms, self.progress)
        return self.outcome()

    def read_tables(
        self, store: Store | None, catalogue: Catalogue | None
    ) -> Iterator[tuple[str, GraphTables]]:
        """The records of every source that has some, with the source as given; keeps reports."""
        executed = self._executed_before(store, catalogue)
        for place, source, result in self._read(store, catalogue):
            self.reports[place] = result.report
            before = executed.get(self.wanted[place].key)
            if before is not None and self._keeps(before, source, result):
                self._keep(before, place, result.report)
                continue
            if result.tables is not None and source is not None:
                yield source.given, result.tables
                self.totals.add(result.tables)
                if "Mechanism" in result.tables.nodes:
                    self._mechanisms.update(result.tables.nodes["Mechanism"].uid)
            if catalogue is not None and store is not None:
                catalogue.tell_source(self._entry(place, store))

    def _executed_before(
        self, store: Store | None, catalogue: Catalogue | None
    ) -> dict[str, SourceEntry]:
        """Wanted sources whose executed version is in the graph, where none is to be run now."""
        if self.reading.execute or store is None or catalogue is None:
            return {}
        keys = {wanted.key for wanted in self.wanted}
        told = catalogue.sources(store.store_id)
        # What is in the graph costs a count over all of it: most ingests need not know.
        if not any(entry.tier == "executed" and entry.key in keys for entry in told):
            return {}
        return {k: e for k, e in _known(store, catalogue).items() if e.tier == "executed"}

    def _keeps(self, before: SourceEntry, source: Source | None, result: ReadResult) -> bool:
        """Whether loading what was read would throw away what running the same files gave."""
        if source is None or result.tables is None:
            return False
        return before.fingerprint == fingerprint(source, replace(self.reading, execute=True))

    def _keep(self, before: SourceEntry, place: int, report: SourceReport) -> None:
        """Leaves the executed version in the graph; its entry in the catalogue stays, too."""
        from bnnkg.store import LoadResult

        key = self.wanted[place].key
        reason = f"the executed version of the same files is kept (bnnkg remove {key} lets it go)"
        self.reports[place] = replace(
            report, model=before.model, tier="executed", status=before.status, missing=[],  # type: ignore[arg-type]
            reason="; ".join(filter(None, [reason, before.reason])), cause=before.cause,
        )  # fmt: skip
        self.loads[report.source] = LoadResult("unchanged", str(before.model), key)

    def outcome(self) -> IngestOutcome:
        """What became of the sources so far."""
        reports = [self.reports[place] for place in sorted(self.reports)]
        code = _exit_code(reports, self.reading.strict)
        return IngestOutcome(tuple(reports), self.loads, self.totals.nodes, self.totals.edges, code)

    def _read(
        self, store: Store | None, catalogue: Catalogue | None
    ) -> Iterator[tuple[int, Source | None, ReadResult]]:
        """Every source as it is read; those that cannot be had or need not be are among them."""
        done = _known(store, catalogue) if self.resume else {}
        apart: list[tuple[int, Source | None, ReadResult]] = []
        jobs = self.jobs or default_jobs(len(self.wanted))
        sources = self._found(done, apart)
        if jobs == 1:
            for place, source in sources:
                yield place, source, read_one(source, self.reading, self.progress)
        else:
            yield from read_many(sources, self.reading, jobs)
        yield from apart

    def _found(
        self, done: Mapping[str, SourceEntry], apart: list[tuple[int, Source | None, ReadResult]]
    ) -> Iterator[tuple[int, Source]]:
        """The sources that are to be read; what becomes of the others goes to ``apart``."""
        for place, wanted in enumerate(self.wanted):
            self.progress("ingest", len(self.reports), len(self.wanted), wanted.text)
            found = self.finder.find(wanted)
            if isinstance(found, Lost):
                apart.append((place, None, ReadResult(_lost(found), None)))
                continue
            self._prints[place] = fingerprint(found, self.reading)
            before = done.get(wanted.key)
            if before is not None and before.fingerprint == self._prints[place]:
                apart.append((place, None, ReadResult(_as_before(wanted, before), None)))
            else:
                yield place, found

    def _load(self, given: str, tables: GraphTables, store: Store | None) -> None:
        from bnnkg.schema import validate as check_records

        if store is None:
            check_records(tables)
        elif store.prefers_import(tables):
            self._import(store, [(given, tables)])
        else:
            self.loads[given] = store.load_model(tables, progress=self.progress)

    def _import(self, store: Store, models: Iterable[tuple[str, GraphTables]]) -> None:
        sources = []

        def taken() -> Iterator[GraphTables]:
            for given, tables in models:
                sources.append(given)
                yield tables

        results = store.import_models(taken(), progress=self.progress)
        self.loads.update(zip(sources, results, strict=True))

    def _entry(self, place: int, store: Store) -> SourceEntry:
        from bnnkg.catalogue import SourceEntry

        report, wanted = self.reports[place], self.wanted[place]
        return SourceEntry(
            store_id=store.store_id, key=wanted.key, source=wanted.text,
            fingerprint=self._prints.get(place), model=report.model, tier=report.tier,
            status=report.status, cause=report.cause, reason=report.reason,
        )  # fmt: skip


def _known(store: Store | None, catalogue: Catalogue | None) -> dict[str, SourceEntry]:
    """Sources of earlier ingests whose model is in the graph still, or that gave none."""
    if store is None or catalogue is None:
        return {}
    models = store.models().columns
    here = {
        f"{key}@{version}" for key, version in zip(models["key"], models["version"], strict=True)
    }
    return {
        entry.key: entry
        for entry in catalogue.sources(store.store_id)
        if entry.fingerprint and (entry.model is None or entry.model in here)
    }


def _lost(lost: Lost) -> SourceReport:
    from bnnkg.ingest import SourceReport

    error = lost.error
    return SourceReport(
        lost.wanted.text, None, "static", "failed", str(error), [], [], cause=error.what
    )


def _as_before(wanted: Wanted, entry: SourceEntry) -> SourceReport:
    from bnnkg.ingest import SourceReport

    reason = "; ".join(filter(None, ["unchanged since an earlier ingest", entry.reason]))
    return SourceReport(
        wanted.text, entry.model, entry.tier or "static", entry.status, reason, [], [],  # type: ignore[arg-type]
        cause=entry.cause,
    )  # fmt: skip


def _exit_code(reports: Sequence[SourceReport], strict: bool) -> int:
    if strict and any(map(is_flawed, reports)):
        return BnnkgError.exit_code
    empty = [r for r in reports if r.model is None]
    if len(empty) == len(reports):
        return BnnkgError.exit_code
    failed = any(f.status == "failed" for r in reports for f in r.files)
    return 3 if empty or failed else 0
