"""What a model's tables must be before anything of them is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from bnnkg.errors import SchemaError
from bnnkg.schema.columns import LazyColumn
from bnnkg.schema.graph import node_type
from bnnkg.schema.records import Column, EdgeTable, GraphTables, NodeTable, validate
from bnnkg.store.shared import HOLDS, PARTS
from bnnkg.store.statements import in_order, ready


def check_model(tables: GraphTables) -> dict[str, Any]:
    """Makes sure that tables are one whole model, and returns the Model's properties.

    Raises:
        SchemaError: They do not fit the declaration, or an edge ends nowhere, or a node is
            another model's or nobody's.
    """
    validate(tables)
    model = _the_model(tables)
    _check_ends(tables)
    _check_held(tables)
    return model


def _the_model(tables: GraphTables) -> dict[str, Any]:
    table = tables.nodes.get("Model", NodeTable("Model", {"uid": []}))
    if len(table) != 1:
        raise SchemaError("a model's tables hold one Model", found=f"{len(table)}")
    declared = node_type("Model")
    names = in_order(table.columns, declared.properties)
    model = {n: ready(declared.by_name[n], table.columns[n])[0] for n in names}
    foreign = {"AttentionRun", "Store"} & set(tables.nodes)
    if foreign:
        raise SchemaError("a model's tables hold no such node", found=", ".join(foreign))
    for label, nodes in tables.nodes.items():
        if node_type(label).scope == "model":
            _check_owned(label, nodes, str(model["uid"]))
    return model


def _check_owned(label: str, table: NodeTable, model_uid: str) -> None:
    for uid, owner in zip(table.uid, table.columns["model_uid"], strict=True):
        if owner != model_uid or not uid.startswith(model_uid):
            raise SchemaError(
                f"a {label} belongs to another Model",
                where=uid,
                expected=f"model_uid {model_uid}, and a uid that starts with it",
                found=owner,
            )


class _Uids:
    """The uids of a label's nodes, of which there may be millions.

    Args:
        column: Their column.
    """

    def __init__(self, column: Column) -> None:
        self._column = column

    @cached_property
    def _values(self) -> set[str]:
        return set(self._column)

    def lack(self, ends: Column) -> set[str]:
        """Ends that no node has for its uid."""
        return set() if self._have_all(ends) else set(ends) - self._values

    def _have_all(self, ends: Column) -> bool:
        """Whether they have all ends, told without making those that are drawn from them.

        False may be wrong where a column is drawn from more values than it has.
        """
        waiting = [ends]
        while waiting:
            column = waiting.pop()
            if column is self._column:
                continue
            sources = column.drawn_from() if isinstance(column, LazyColumn) else ()
            waiting.extend(sources)
            if not sources and not self._values.issuperset(column):
                return False
        return True


def _check_ends(tables: GraphTables) -> None:
    uids = {label: _Uids(table.uid) for label, table in tables.nodes.items()}
    for table in tables.edges.values():
        _check_end(table, table.src_label, table.src, uids)
        _check_end(table, table.dst_label, table.dst, uids)


def _check_end(table: EdgeTable, label: str, ends: Column, uids: Mapping[str, _Uids]) -> None:
    lost = uids[label].lack(ends) if label in uids else set(ends)
    if lost:
        raise SchemaError(
            f"{table.type} ends at a {label} that is not in the model",
            where=min(lost),
            found=f"{len(lost)} such ends",
        )


def _check_held(tables: GraphTables) -> None:
    """Makes sure that an edge of the Model reaches every shared node.

    Raises:
        SchemaError: One would stay in the graph for ever, since nothing says who uses it.
    """
    for label, type_ in {**HOLDS, **PARTS}.items():
        if label not in tables.nodes:
            continue
        owner = "Model" if label in HOLDS else "Cell"
        edges = tables.edges.get((type_, owner, label))
        held = set(edges.dst) if edges else set()
        lost = [uid for uid in tables.nodes[label].uid if uid not in held]
        if lost:
            raise SchemaError(
                f"no {type_} edge reaches a {label}",
                where=f"{label} {lost[0]}",
                found=f"{len(lost)} such nodes",
            )
