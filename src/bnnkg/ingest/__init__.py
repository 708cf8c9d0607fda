"""Readers: from a source to records of the graph.

The readers themselves need lxml, h5py and libNeuroML; they are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnnkg.ingest.report import ElementCounts, FileReport, SourceReport
from bnnkg.ingest.sources import Source, find_source
from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.ingest.parsed import ParsedModel
    from bnnkg.schema import GraphTables

__all__ = [
    "ElementCounts",
    "FileReport",
    "Source",
    "SourceReport",
    "find_source",
    "read_source",
    "records_of",
]


def read_source(source: Source, *, progress: Progress = silent) -> ParsedModel:
    """Reads everything that a source holds; see :func:`bnnkg.ingest.reading.read_source`."""
    from bnnkg.ingest import reading

    return reading.read_source(source, progress=progress)


def records_of(parsed: ParsedModel) -> GraphTables:
    """All nodes and edges of a model; see :func:`bnnkg.ingest.records.records_of`."""
    from bnnkg.ingest import records

    return records.records_of(parsed)
