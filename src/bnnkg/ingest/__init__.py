"""Readers: from a source to records of the graph.

The readers themselves need lxml, h5py and libNeuroML; they are imported when first used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bnnkg.ingest.report import ElementCounts, FileReport, SourceReport
from bnnkg.ingest.sources import Source, TermRef, find_source
from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.ingest.parsed import ParsedModel
    from bnnkg.schema import GraphTables

__all__ = [
    "ElementCounts",
    "FileReport",
    "Source",
    "SourceReport",
    "TermRef",
    "find_source",
    "read_source",
    "records_of",
]


def read_source(
    source: Source,
    *,
    execute: bool = False,
    cache: Path | None = None,
    progress: Progress = silent,
) -> ParsedModel:
    """Reads everything that a source holds; see :func:`bnnkg.ingest.reading.read_source`."""
    from bnnkg.ingest import reading

    return reading.read_source(source, execute=execute, cache=cache, progress=progress)


def records_of(parsed: ParsedModel) -> GraphTables:
    """All nodes and edges of a model; see :func:`bnnkg.ingest.records.records_of`."""
    from bnnkg.ingest import records

    return records.records_of(parsed)
