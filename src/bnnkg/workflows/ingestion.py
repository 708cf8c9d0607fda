"""Sources of models to the graph: read, check, load, report."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import BnnkgError, SourceError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.workflows.reading import open_catalogue, open_store

if TYPE_CHECKING:
    from bnnkg.ingest import Source, SourceReport
    from bnnkg.schema import GraphTables
    from bnnkg.settings import Settings
    from bnnkg.store import LoadResult, Store

MANIFEST_COLUMNS = ("source", "name", "accession", "licence", "doi")


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
        reports = [report.to_json() for report in self.reports]
        return {
            "files": [file for report in reports for file in report["files"]],
            "models": [model for report in reports for model in report["models"]],
            "totals": {"nodes": dict(self.nodes), "edges": dict(self.edges)},
        }

    def to_markdown(self) -> str:
        """The whole report, a section for each source."""
        return "\n\n".join(report.to_markdown() for report in self.reports)


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
    manifest: Path | None = None,
    strict: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> IngestOutcome:
    """Loads every source as one Model, and reports on every file.

    Args:
        sources: Files, folders or archives.
        settings: Which database and catalogue.
        name: Key of the model, where one source is given.
        manifest: CSV file of more sources, with the columns of ``MANIFEST_COLUMNS``.
        strict: A source with a file that failed or is unsupported is not loaded.
        dry_run: Reads and checks, writes nothing.
        progress: Told of each source and batch.

    Raises:
        UsageError: No source, two sources of one key, or a manifest of another form.
        StoreError: The database cannot be used; what was loaded before stays whole.
    """
    found = list(_find_sources(sources, name, manifest))
    batch = _Batch(strict, progress)
    if dry_run:
        return batch.load_all(found, None)
    with open_store(settings, write=True, progress=progress) as store:
        try:
            return batch.load_all(found, store)
        finally:  # what was loaded before a failure stays, and so does its report
            with open_catalogue(settings) as catalogue:
                catalogue.record_ingest(
                    store_id=store.store_id,
                    sources=[source.given for source in found],
                    report=batch.outcome().to_json(),
                )


def validate(
    sources: Sequence[str],
    *,
    name: str | None = None,
    manifest: Path | None = None,
    strict: bool = False,
    progress: Progress = silent,
) -> IngestOutcome:
    """The report of ``ingest`` without a database."""
    found = list(_find_sources(sources, name, manifest))
    return _Batch(strict, progress).load_all(found, None)


def remove(
    keys: Sequence[str], *, settings: Settings, dry_run: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Removes models, and the shared nodes that nothing else defines.

    Returns:
        ``models``, ``nodes`` and ``dry_run``, as the command prints them.

    Raises:
        UnknownModelError: A key is not in the graph; then nothing is removed.
    """
    with open_store(settings, write=True, progress=progress) as store:
        result = store.remove_models(keys, dry_run=dry_run, progress=progress)
    return {"models": list(keys), "nodes": result.n_nodes, "dry_run": dry_run}


@dataclass(frozen=True)
class _Lost:
    """A source that cannot be opened, kept so that the report names it."""

    given: str
    key: str
    error: SourceError


def _find_sources(
    texts: Sequence[str], name: str | None, manifest: Path | None
) -> Iterator[Source | _Lost]:
    wanted = [{"source": text, "name": name} for text in texts]
    if name is not None and len(texts) != 1:
        raise UsageError(
            "--name names one source", found=f"{len(texts)} sources", hint="use --manifest"
        )
    wanted += _read_manifest(manifest) if manifest else []
    if not wanted:
        raise UsageError("there is nothing to ingest", hint="name a file, a folder or an archive")
    keys: dict[str, str] = {}
    for row in wanted:
        source = _find(row)
        if source.key in keys:
            raise UsageError(
                f"two sources would both be the model {source.key!r}",
                found=f"{keys[source.key]} and {source.given}",
                hint="give them different names in a --manifest, or ingest them singly with --name",
            )
        keys[source.key] = source.given
        yield source


def _find(row: Mapping[str, str | None]) -> Source | _Lost:
    from bnnkg.ingest import find_source

    text = row["source"] or ""
    try:
        return find_source(text, **{k: v for k, v in row.items() if k != "source" and v})
    except SourceError as error:
        return _Lost(text, text, error)


def _read_manifest(path: Path) -> list[dict[str, str | None]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "the manifest cannot be read", where=str(path), found=str(error)
        ) from error
    columns = set(rows[0]) if rows else set()
    if "source" not in columns or columns - set(MANIFEST_COLUMNS):
        raise UsageError(
            "the manifest has other columns", where=str(path),
            expected=", ".join(MANIFEST_COLUMNS),
            found=", ".join(sorted(map(str, columns))) or "no rows",
        )  # fmt: skip
    return [dict(row) for row in rows]


@dataclass
class _Batch:
    """Sources on their way to the graph, and what became of those that are done."""

    strict: bool
    progress: Progress
    reports: list[SourceReport] = field(default_factory=list)
    loads: dict[str, LoadResult] = field(default_factory=dict)
    totals: _Totals = field(default_factory=_Totals)

    def load_all(self, sources: Sequence[Source | _Lost], store: Store | None) -> IngestOutcome:
        """Goes through all sources; one that cannot be read does not stop the others."""
        for place, source in enumerate(sources):
            self.progress("ingest", place, len(sources), source.given)
            self._load(source, store)
        self.progress("ingest", len(sources), len(sources))
        return self.outcome()

    def outcome(self) -> IngestOutcome:
        """What became of the sources so far."""
        code = _exit_code(self.reports, self.strict)
        totals = self.totals
        return IngestOutcome(tuple(self.reports), self.loads, totals.nodes, totals.edges, code)

    def _load(self, source: Source | _Lost, store: Store | None) -> None:
        from bnnkg.ingest import SourceReport, read_source, records_of
        from bnnkg.schema import validate as check_records

        if isinstance(source, _Lost):
            error = str(source.error)
            self.reports.append(SourceReport(source.given, None, "static", "failed", error, [], []))
            return
        parsed = read_source(source, progress=self.progress)
        report = parsed.report
        if report.model is not None and not (self.strict and _is_flawed(report)):
            tables = records_of(parsed)
            if store is None:
                check_records(tables)
            else:
                self.loads[source.given] = store.load_model(tables, progress=self.progress)
            self.totals.add(tables)
        self.reports.append(report)


def _is_flawed(report: SourceReport) -> bool:
    return report.status != "loaded" or any(f.status in {"failed", "skipped"} for f in report.files)


def _exit_code(reports: Sequence[SourceReport], strict: bool) -> int:
    if strict and any(map(_is_flawed, reports)):
        return BnnkgError.exit_code
    empty = [r for r in reports if r.model is None]
    if len(empty) == len(reports):
        return BnnkgError.exit_code
    failed = any(f.status == "failed" for r in reports for f in r.files)
    return 3 if empty or failed else 0
