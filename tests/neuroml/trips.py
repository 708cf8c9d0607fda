"""A model written as NeuroML and read again, without a database between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
SIMULATED = frozenset({"simulation_names", "simulation_lengths_ms", "simulation_steps_ms"})


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


def not_as_told(done: Trip) -> list[str]:
    """Owned nodes that are not the same afterwards, but for what the writer said of them.

    It tells of new ids, of simulations, of networks and populations that NeuroML cannot have, of
    inputs that are aimed at nothing and defined twice, and of connections that now stand in a
    projection.
    """
    told = done.written.not_written
    dropped = SIMULATED if any(text.startswith("Simulation ") for text in told) else frozenset()
    loose = any("stood outside any projection" in text for text in told)
    before = _nodes(done.before, dropped, {}, loose)
    after = _nodes(done.after, dropped, done.written.renamed, loose)
    lost, new = before - after, after - before
    untold = [f"lost {row}" for row in lost if not _is_told(*row[:2], told)]
    return untold + [f"new {row}" for row in new]


def _is_told(label: str, name: str, told: Sequence[str]) -> bool:
    """Whether the writer said that it leaves out a node of that label and name."""
    starts = [f"{label} {name} without", f"{label} {name}, for"]
    if label == "stimulus":
        starts.append(f"a second definition of input {name}")
    return any(text.lower().startswith(tuple(starts)) for text in told)


def _nodes(
    tables: GraphTables,
    dropped: frozenset[str],
    renamed: Mapping[str, str],
    loose: bool,
) -> Counter[tuple[str, str, str]]:
    """Owned nodes by label, name and content, with the names that they had."""
    found: Counter[tuple[str, str, str]] = Counter()
    for label in OWNED:
        columns = tables.nodes[label].columns if label in tables.nodes else {}
        for values in zip(*columns.values(), strict=True):
            row = dict(zip(columns, values, strict=True))
            if label in ("Stimulus", "Population"):
                row["name"] = renamed.get(row.get("name"), row.get("name"))
            if loose and row.get("projection") in (None, "connections"):
                row["projection"] = row["index"] = None
            kept = [(name, value) for name, value in _row(row) if name not in dropped]
            found[label.lower(), str(row.get("name")).lower(), repr(kept)] += 1
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
