"""What became of every file and element of a source."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

CODE_FAILED = "its code does not run"
"""How the cause begins where code was to be run and nothing came of it."""


def code_failed(cause: str) -> bool:
    """Whether code was to be run and nothing came of it; of the catalogue's causes, too."""
    return cause.startswith(CODE_FAILED)


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
        reason: Why, in one sentence; of loaded files, why some of their elements are kept.
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
class ConfigurationReport:
    """What became of one way to run NEURON code.

    Attributes:
        entry: File that was run.
        commands: Statements that were run after it.
        status: loaded (it is in the graph), partial (likewise, but something is known to be
            missing), passed over (it loads, and another way built more), or failed.
        reason: Why it failed; else where it was stopped.
        fallbacks: What it took to make it load.
        recovered: Numbers of sections, segments, point processes and so on.
        missing: What is known not to be recovered.
        cpu_s: Processor time that it took.
    """

    entry: str
    commands: tuple[str, ...]
    status: Literal["loaded", "partial", "passed over", "failed"]
    reason: str
    fallbacks: tuple[str, ...] = ()
    recovered: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    cpu_s: float = 0.0


@dataclass(frozen=True)
class SourceReport:
    """What became of one source.

    Attributes:
        source: As the user gave it.
        model: key@version; absent where nothing was loaded.
        tier: static (read) or executed (run).
        status: loaded, partial (something could not be), skipped or failed.
        reason: Why, in one sentence; empty where all is well.
        missing: Includes that lead nowhere, as "file: include", and what the graph is known to
            lack of NEURON code.
        files: A report for every file.
        single_file: Whether the source is one file, to whose folder the paths are relative.
        cause: Kind of failure, the same words for all sources that fail for it; empty for none.
        configurations: What became of each way to run it.
    """

    source: str
    model: str | None
    tier: str
    status: SourceStatus
    reason: str
    missing: list[str]
    files: list[FileReport]
    single_file: bool = False
    cause: str = ""
    configurations: tuple[ConfigurationReport, ...] = ()

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
                    "cause": self.cause,
                    "configurations": [asdict(one) for one in self.configurations],
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
            *self._configuration_lines(),
            "| file | status | loaded | kept | skipped | reason |",
            "|---|---|---:|---:|---:|---|",
        ]
        for file in self.files:
            loaded, kept, skipped = (sum(c[i] for c in file.by_class.values()) for i in range(3))
            reason = file.reason.replace("|", "\\|").replace("\n", " ")
            lines.append(
                f"| {file.path} | {file.status} | {loaded} | {kept} | {skipped} | {reason} |"
            )
        notes = [f"- not in the graph: {text}" for text in self.missing]
        notes += [f"- {file.path}: {note}" for file in self.files for note in file.notes]
        return "\n".join([*lines, *(["", "Notes:", "", *notes] if notes else []), ""])

    def _configuration_lines(self) -> list[str]:
        if not self.configurations:
            return []
        lines = ["| entry | commands | status | recovered | reason |", "|---|---|---|---|---|"]
        for one in self.configurations:
            recovered = ", ".join(f"{number} {what}" for what, number in one.recovered.items())
            cells = (one.entry, "; ".join(one.commands), one.status, recovered, one.reason)
            escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
            lines.append(f"| {' | '.join(escaped)} |")
        return [*lines, ""]
