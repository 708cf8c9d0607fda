"""Where documents depart from NeuroML's XML schema, which stops nobody from reading them.

Validating costs as much as parsing, so only those ask for it who ask for a report alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from bnnkg.errors import SourceError
from bnnkg.ingest.hdf5 import is_hdf5
from bnnkg.ingest.markup import NEUROML2, parse_xml
from bnnkg.ingest.report import FileReport, SourceReport
from bnnkg.ingest.sources import FileTree, Source, open_tree
from bnnkg.schema.xsd import VERSION, xml_schema

MAX_FINDINGS = 100
MAX_BYTES = 64 * 2**20


def with_findings(source: Source, report: SourceReport) -> SourceReport:
    """A report with what the schema says against each NeuroML 2 document, by line."""
    try:
        tree = open_tree(source)
    except SourceError:
        return report
    files = [_with_findings(tree, file) if file.by_class else file for file in report.files]
    return replace(report, files=files)


def _with_findings(tree: FileTree, file: FileReport) -> FileReport:
    try:
        found = list(schema_findings(tree.read(file.path), file.path))
    except SourceError:
        return file  # its report says so already
    return replace(file, notes=[*file.notes, *found]) if found else file


def schema_findings(content: bytes, path: str) -> Iterator[str]:
    """What the schema says against a document; nothing where it is no NeuroML 2.

    Args:
        content: Its bytes.
        path: Its path, for messages.

    Raises:
        SourceError: It is no well-formed XML.
    """
    if is_hdf5(content):
        return
    if len(content) > MAX_BYTES:
        yield f"not compared with NeuroML's schema: larger than {MAX_BYTES} bytes"
        return
    root = parse_xml([content], path)
    if etree.QName(root).namespace != NEUROML2:
        return
    schema = xml_schema()
    if schema.validate(root):
        return
    log: Any = schema.error_log
    errors = list(log)
    for error in errors[:MAX_FINDINGS]:
        text = " ".join(error.message.replace(f"{{{NEUROML2}}}", "").split())
        yield f"line {error.line}: against the schema of NeuroML {VERSION}: {text}"
    if len(errors) > MAX_FINDINGS:
        yield f"{len(errors) - MAX_FINDINGS} more findings of the schema"
