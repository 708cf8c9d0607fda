"""Models as the files that ``neo4j-admin database import`` reads, column by column."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import SchemaError
from bnnkg.schema.columns import taken
from bnnkg.schema.declaration import Property, ValueType
from bnnkg.schema.graph import NODES, edge_type, node_type
from bnnkg.schema.records import EdgeTable, GraphTables, NodeTable
from bnnkg.store.checks import check_model
from bnnkg.store.shared import NAMED
from bnnkg.store.statements import LISTS, ready

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.csv import CSVWriter

ARGUMENTS = "arguments.txt"
"""The file that holds the arguments; ``neo4j-admin`` takes it as ``@arguments.txt``."""

AFTER = "after-import.cypher"
"""The file of what the import cannot bring; absent where it brings everything."""

_DELIMITER = "\x1f"
_OPTIONS = (
    "--overwrite-destination",
    "--id-type=string",
    "--array-delimiter=U+001F",
    "--multiline-fields=true",
    "--read-buffer-size=64m",
    "--bad-tolerance=0",
)
_BLOCK_ROWS = 2**14
_TYPES: dict[ValueType, str] = {
    "string": "string", "integer": "long", "float": "double", "boolean": "boolean",
    "strings": "string[]", "integers": "long[]", "floats": "double[]",
}  # fmt: skip


class AdminFiles:
    """A folder of files for an import into an empty database.

    Each label, and each edge type between two labels, has a file of all its declared properties
    and a header beside it. A shared node is written once, whichever models bring it, and named by
    the smallest of its ids. Use it as a context: leaving it completes the files.

    Args:
        folder: An empty folder.

    Attributes:
        nodes: Nodes by label, as far as they are written.
        edges: Edges by type, likewise.
        blank: Statements, with the uids that each is for, that set what an import takes for
            absent: empty lists, and lists of one text, the empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.nodes: dict[str, int] = {}
        self.edges: dict[str, int] = {}
        self.blank: dict[str, list[str]] = {}
        self._folder = folder
        self._writers: dict[str, CSVWriter] = {}
        self._arguments = list(_OPTIONS)
        self._seen: dict[str, set[str]] = {}
        self._named: dict[str, dict[str, dict[str, Any]]] = {label: {} for label in NAMED}

    def add(self, tables: GraphTables) -> dict[str, Any]:
        """Writes a model, as one that is current, and returns its properties.

        Raises:
            SchemaError: The tables do not fit the declaration, or are not one whole model, or a
                value cannot be written.
        """
        model = check_model(tables)
        fresh = {label: self._fresh(table) for label, table in tables.nodes.items()}
        for label, nodes in tables.nodes.items():
            if label in NAMED:
                self._keep(nodes, fresh[label])
            else:
                self._write_nodes(nodes, fresh[label])
        for edges in tables.edges.values():
            self._write_edges(edges, _rows_to_write(edges, tables, fresh))
        return model

    def __enter__(self) -> AdminFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._complete()
        finally:
            for writer in self._writers.values():
                writer.close()

    def _complete(self) -> None:
        for label, rows in self._named.items():
            names = [prop.name for prop in node_type(label).properties]
            columns = {name: [row.get(name) for row in rows.values()] for name in names}
            self._write_nodes(NodeTable(label, columns), range(len(rows)))
        _write_lines(self._folder / ARGUMENTS, self._arguments)
        if self.blank:
            lines = [_blank_statement(*blank) for blank in self.blank.items()]
            _write_lines(self._folder / AFTER, lines)

    def _fresh(self, table: NodeTable) -> Sequence[int]:
        """Rows of the nodes that no earlier model brought."""
        if node_type(table.label).scope != "shared":
            return range(len(table))
        seen = self._seen.setdefault(table.label, set())
        rows = [row for row, uid in enumerate(table.uid) if uid not in seen]
        seen.update(table.uid)
        return rows

    def _keep(self, table: NodeTable, fresh: Iterable[int]) -> None:
        """Holds nodes back until all models are in: only then it is known what they are called."""
        kept = self._named[table.label]
        for row in fresh:
            kept[table.uid[row]] = {name: column[row] for name, column in table.columns.items()}
        for uid, name in zip(table.uid, table.columns.get("name", ()), strict=False):
            names = [n for n in (kept[uid].get("name"), name) if n is not None]
            kept[uid]["name"] = min(names, default=None)

    def _write_nodes(self, table: NodeTable, rows: Sequence[int]) -> None:
        label, columns = table.label, dict(table.columns)
        if label == "Model":
            columns["status"] = ["current"] * len(table)
        declared = node_type(label).properties
        header = [f"uid:ID({label})", *map(_field, declared[1:])]
        for block in _blocks(rows):
            self._note_blank(f"(x:{label} {{uid: uid}})", declared, columns, block)
            self._append(f"--nodes={label}", label, header, _arrays(declared, columns, block))
        self.nodes[label] = self.nodes.get(label, 0) + len(rows)

    def _write_edges(self, table: EdgeTable, rows: Sequence[int]) -> None:
        declared = edge_type(table.type).properties
        header = [f":START_ID({table.src_label})", f":END_ID({table.dst_label})"]
        header += map(_field, declared)
        name = f"{table.src_label}-{table.type}-{table.dst_label}"
        for block in _blocks(rows):
            pattern = f"()-[x:{table.type} {{uid: uid}}]->()"
            self._note_blank(pattern, declared, table.columns, block)
            ends = [_strings(taken(end, block)) for end in (table.src, table.dst)]
            arrays = [*ends, *_arrays(declared, table.columns, block)]
            self._append(f"--relationships={table.type}", name, header, arrays)
        self.edges[table.type] = self.edges.get(table.type, 0) + len(rows)

    def _note_blank(
        self,
        pattern: str,
        declared: Sequence[Property],
        columns: Mapping[str, Sequence[Any]],
        rows: Sequence[int],
    ) -> None:
        """Remembers lists that the import would take for absent: none, or one text, the empty."""
        for prop in declared:
            if prop.type in LISTS and prop.name in columns:
                for row, value in zip(rows, taken(columns[prop.name], rows), strict=True):
                    if value is not None and list(value) in ([], [""]):
                        statement = f"MATCH {pattern} SET x.{prop.name} = {list(value)!r}"
                        self.blank.setdefault(statement, []).append(columns["uid"][row])

    def _append(
        self, option: str, name: str, header: Sequence[str], arrays: Sequence[pa.Array]
    ) -> None:
        import pyarrow as pa

        batch = pa.RecordBatch.from_arrays(arrays, names=list(header))
        if name not in self._writers:
            self._writers[name] = self._open(option, name, batch.schema)
        self._writers[name].write_batch(batch)

    def _open(self, option: str, name: str, schema: pa.Schema) -> CSVWriter:
        from pyarrow.csv import CSVWriter, WriteOptions

        with self._folder.joinpath(f"{name}-header.csv").open("w", newline="") as file:
            csv.writer(file).writerow(schema.names)
        # Newer versions look for a file in the folder that its path names.
        self._arguments.append(f"{option}=./{name}-header.csv,./{name}.csv")
        path = self._folder / f"{name}.csv"
        return CSVWriter(str(path), schema, write_options=WriteOptions(include_header=False))


def _rows_to_write(
    table: EdgeTable, tables: GraphTables, fresh: Mapping[str, Sequence[int]]
) -> Sequence[int]:
    """All edges of what the model owns; of a shared node, those that came with the node."""
    label = table.src_label
    if NODES[label].scope != "shared":
        return range(len(table))
    uids = {tables.nodes[label].uid[row] for row in fresh[label]}
    return [row for row, src in enumerate(table.src) if src in uids]


def _blocks(rows: Sequence[int]) -> Iterator[Sequence[int]]:
    return (rows[start : start + _BLOCK_ROWS] for start in range(0, len(rows), _BLOCK_ROWS))


def _field(prop: Property) -> str:
    return f"{prop.name}:{_TYPES[prop.type]}"


def _arrays(
    declared: Sequence[Property], columns: Mapping[str, Sequence[Any]], rows: Sequence[int]
) -> list[pa.Array]:
    import pyarrow as pa

    found = []
    for prop in declared:
        column = columns.get(prop.name)
        if column is None:
            found.append(_empty(prop.type, len(rows)))
            continue
        values = ready(prop, taken(column, rows))
        if prop.type in LISTS:
            found.append(_strings([_joined(prop.name, value) for value in values]))
        elif prop.type == "float" and any(v is not None and not math.isfinite(v) for v in values):
            found.append(_strings([None if v is None else _written(v) for v in values]))
        else:
            found.append(pa.array(values, _arrow(prop.type)))
    return found


def _arrow(type_: ValueType) -> pa.DataType:
    import pyarrow as pa

    plain = {"integer": pa.int64(), "float": pa.float64(), "boolean": pa.bool_()}
    return plain.get(type_, pa.string())


def _empty(type_: ValueType, n: int) -> pa.Array:
    import pyarrow as pa

    return pa.nulls(n, _arrow(type_))


def _strings(values: Sequence[str | None]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _joined(name: str, values: Sequence[Any] | None) -> str | None:
    if values is None:
        return None
    texts = [value if isinstance(value, str) else _written(value) for value in values]
    if any(_DELIMITER in text for text in texts):
        raise SchemaError(
            "a value in a list holds the character U+001F, which separates the values of lists",
            where=name, hint="load this model without --bulk",
        )  # fmt: skip
    return _DELIMITER.join(texts)


def _written(number: float) -> str:
    """A number as Java reads it."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number)


def _blank_statement(statement: str, uids: Sequence[str]) -> str:
    return f"UNWIND [{', '.join(map(_quoted, uids))}] AS uid {statement};"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
