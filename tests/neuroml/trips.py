"""A model written as NeuroML and read again, without a database between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from bnnkg.ingest import find_source, read_source, records_of
from bnnkg.neuroml import Written, write_neuroml
from bnnkg.schema import GraphTables
from bnnkg.schema.xsd import xsd_path

SHARED = ("Cell", "Compartment", "Mechanism", "SynapseType")
OWNED = ("Network", "Population", "Neuron", "Synapse", "Stimulus")
PLACES = frozenset({"uid", "model_uid", "path"})


@dataclass(frozen=True)
class Trip:
    """A model before and after."""

    before: GraphTables
    after: GraphTables
    written: Written


def trip(source: Path, out: Path) -> Trip:
    """Reads, writes and reads again, under one key."""
    before = records_of(read_source(find_source(str(source), name="model")))
    written = write_neuroml(before, out)
    return Trip(before, records_of(read_source(find_source(str(out), name="model"))), written)


def shared_uids(tables: GraphTables) -> dict[str, set[str]]:
    """Content hashes of the shared nodes."""
    return {label: set(tables.nodes[label].uid) for label in SHARED if label in tables.nodes}


def owned_content(tables: GraphTables) -> dict[str, list[str]]:
    """What the Model owns, without its version and paths."""
    found = {}
    for label in OWNED:
        if label in tables.nodes:
            columns = tables.nodes[label].columns
            rows = zip(*columns.values(), strict=True)
            found[label] = sorted(repr(_row(dict(zip(columns, row, strict=True)))) for row in rows)
    return found


def joined_content(tables: GraphTables) -> dict[str, list[str]]:
    """The edges of owned nodes with their properties; their ends by what those hold."""
    node = {
        uid: repr(_row(dict(zip(t.columns, row, strict=True))))
        for label, t in tables.nodes.items()
        for uid, row in zip(t.uid, zip(*t.columns.values(), strict=True), strict=True)
        if label in OWNED
    }
    found: dict[str, list[str]] = {}
    for (type_, _, _), table in tables.edges.items():
        if type_ in ("DEFINES", "ABOUT"):
            continue
        names = [name for name in table.columns if name != "uid"]
        columns = [table.columns[name] for name in names]
        found.setdefault(type_, []).extend(
            repr((node.get(src, src), node.get(dst, dst), *values))
            for src, dst, *values in zip(table.src, table.dst, *columns, strict=True)
        )
    return {type_: sorted(rows) for type_, rows in found.items()}


def _row(properties: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted((k, v) for k, v in properties.items() if k not in PLACES and v is not None)


def schema_errors(path: Path, version: str = "2.3") -> list[str]:
    """What the schema that libNeuroML ships says against a document."""
    schema = etree.XMLSchema(etree.parse(str(xsd_path().with_name(f"NeuroML_v{version}.xsd"))))
    schema.validate(etree.parse(str(path)))
    return [f"{error.line}: {error.message}" for error in schema.error_log]
