"""What became of every file and element of a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

FileStatus = Literal["loaded", "kept", "skipped", "failed"]
SourceStatus = Literal["loaded", "partial", "skipped", "failed"]


class ElementCounts(NamedTuple):
    """Elements of one name: in the graph, kept as written, left out on purpose."""

    loaded: int
    kept: int
    skipped: int


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        path: Relative to the source; as the including file leads there for one outside it.
        status: loaded (something of it is in the graph), kept (read, but nothing of it has a
            place there), skipped (not of a kind that is read), failed (broken).
        reason: Why, in one sentence; empty for loaded files.
        by_class: Counts by XML name.
        notes: What the user should know: missing includes, values against the schema, rows that
            refer to nothing.
    """

    path: str
    status: FileStatus
    reason: str
    by_class: dict[str, ElementCounts] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SourceReport:
    """What became of one source.

    Attributes:
        source: As the user gave it.
        model: key@version; absent where nothing was loaded.
        tier: static (read) or executed (run).
        status: loaded, partial (something could not be), skipped or failed.
        reason: Why, in one sentence; empty where all is well.
        missing: Includes that lead nowhere, as "file: include".
        files: A report for every file.
        single_file: Whether the source is one file, to whose folder the paths are relative.
    """

    source: str
    model: str | None
    tier: str
    status: SourceStatus
    reason: str
    missing: list[str]
    files: list[FileReport]
    single_file: bool = False

    def to_json(self) -> dict[str, Any]:
        """``files`` and ``models`` as ``bnnkg ingest --json`` prints them for one source."""
        return {
            "files": [self._file_json(file) for file in self.files],
            "models": [
                {
                    "source": self.source,
                    "model": self.model,
                    "tier": self.tier,
                    "status": self.status,
                    "reason": self.reason,
                    "missing": list(self.missing),
                }
            ],
        }

    def _file_json(self, file: FileReport) -> dict[str, Any]:
        return {
            "path": self.given_path(file.path),
            "status": file.status,
            "reason": file.reason,
            "elements": {"by_class": {n: c._asdict() for n, c in file.by_class.items()}},
            "notes": list(file.notes),
        }

    def given_path(self, path: str) -> str:
        """A file's path joined to the source as the user gave it."""
        if path.startswith("/"):
            return path
        given = PurePosixPath(self.source)
        return str((given.parent if self.single_file else given) / path)

    def to_markdown(self) -> str:
        """The report as a document: a line per source, a table of files, the notes."""
        lines = [
            f"## {self.source}: {self.status}",
            "",
            f"Model: {self.model or 'none'} ({self.tier}). {self.reason}".rstrip(),
            "",
            "| file | status | loaded | kept | skipped | reason |",
            "|---|---|---:|---:|---:|---|",
        ]
        for file in self.files:
            loaded, kept, skipped = (sum(c[i] for c in file.by_class.values()) for i in range(3))
            reason = file.reason.replace("|", "\\|").replace("\n", " ")
            lines.append(
                f"| {file.path} | {file.status} | {loaded} | {kept} | {skipped} | {reason} |"
            )
        notes = [f"- {file.path}: {note}" for file in self.files for note in file.notes]
        return "\n".join([*lines, *(["", "Notes:", "", *notes] if notes else []), ""])
