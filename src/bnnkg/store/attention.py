"""Learned scores as properties of the graph: written, taken back, and told about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from bnnkg.errors import ModelChangedError, SchemaError, UnknownRunError
from bnnkg.progress import Progress, silent
from bnnkg.schema.columns import Same
from bnnkg.schema.declaration import Property
from bnnkg.schema.graph import edge_type, node_type
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES, suffix_of
from bnnkg.schema.records import EdgeTable, NodeTable
from bnnkg.schema.scores import AttentionScores
from bnnkg.store.batches import Step, Writer, cut, row_weights
from bnnkg.store.connection import Connection, run
from bnnkg.store.lease import Claim, is_dead, now_ms, signed, undone_on_failure
from bnnkg.store.scoring import (
    clear_connections,
    clear_owned,
    clear_shared,
    create_attends_to,
    delete_attends_to,
    set_on_edges,
    set_on_nodes,
)
from bnnkg.store.statements import LOCK, in_order, ready

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

STEPS_BACK = {"Neuron": 2_000, "Synapse": 10_000}


@dataclass(frozen=True)
class _Rows:
    """A table of scores, and the statement that writes any of its rows.

    Attributes:
        statement: Cypher that takes ``$n`` rows, as columns.
        keys: Columns that tell where rows belong.
        columns: Values by property name.
        learned: Which of the properties are written.
    """

    statement: str
    keys: Mapping[str, Sequence[Any]]
    columns: Mapping[str, Sequence[Any]]
    learned: tuple[Property, ...]


def write_attention(
    connection: Connection,
    run_table: NodeTable,
    scores: AttentionScores,
    name: str,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, int]:
    """Writes a run's scores on the graph, in place of those of an earlier run of that name.

    Args:
        connection: Where to.
        run_table: One AttentionRun; its name and status are set here.
        scores: What the network learned.
        name: Name that ends the properties; empty for the unnamed run.
        dry_run: Counts, and checks the models, but writes nothing.
        progress: Told of the rows written.

    Returns:
        Nodes by label and edges by type that carry scores.

    Raises:
        UsageError: The name cannot end a property.
        SchemaError: A property that is not declared as learned, or not one AttentionRun.
        ModelChangedError: A model is no longer the version that the scores are about.
    """
    suffix = suffix_of(name)
    counts = _counts(scores)
    node = _the_run(run_table, name)
    rows = list(_rows(scores, suffix, node["uid"]))
    connection.transact(lambda tx: _check_current(tx, scores.model_uids))
    if dry_run:
        return counts
    remove_named(connection, name, missing_ok=True, progress=progress)
    with signed() as owner:
        claim = Claim("AttentionRun", node["uid"], owner)
        _begin(connection, claim, node, scores.model_uids)
        with undone_on_failure(lambda: remove_run(connection, claim)):
            writer = Writer(connection, claim, progress, "writing attention", sum(counts.values()))
            writer.write(chain.from_iterable(map(_steps, rows)))
            _make_current(connection, claim, scores.model_uids)
    return counts


def _counts(scores: AttentionScores) -> dict[str, int]:
    counts = {table.label: len(table) for table in scores.nodes}
    for table in scores.edges:
        counts[table.type] = counts.get(table.type, 0) + len(table)
    return counts


def _the_run(table: NodeTable, name: str) -> dict[str, Any]:
    if table.label != "AttentionRun" or len(table) != 1:
        raise SchemaError("an annotation has one AttentionRun", found=f"{len(table)} {table.label}")
    declared = node_type("AttentionRun")
    names = in_order(table.columns, declared.properties)
    values = {n: ready(declared.by_name[n], table.columns[n])[0] for n in names}
    return values | {"name": name, "status": "writing"}


def _check_current(tx: ManagedTransaction, model_uids: Sequence[str]) -> None:
    rows = run(
        tx,
        "UNWIND $uids AS u OPTIONAL MATCH (m:Model {uid: u}) "
        "WITH u, m WHERE m IS NULL OR m.status <> 'current' RETURN u",
        {"uids": list(model_uids)},
    )
    if rows:
        raise ModelChangedError(
            "a model is not the version that the run was trained on any more",
            where=", ".join(row[0] for row in rows),
            hint="train again on what is in the graph now",
        )


def _begin(
    connection: Connection, claim: Claim, node: Mapping[str, Any], model_uids: Sequence[str]
) -> None:
    properties = {**node, "lease_owner": claim.owner, "lease_until_ms": claim.next_end()}

    def work(tx: ManagedTransaction) -> None:
        run(tx, LOCK, {"now": now_ms()})
        _check_current(tx, model_uids)
        run(
            tx,
            "MERGE (r:AttentionRun {uid: $uid}) SET r = $properties WITH r "
            "UNWIND $models AS u MATCH (m:Model {uid: u}) MERGE (r)-[:ANNOTATES]->(m)",
            {"uid": claim.uid, "properties": properties, "models": list(model_uids)},
        )

    connection.transact(work)


def _make_current(connection: Connection, claim: Claim, model_uids: Sequence[str]) -> None:
    def work(tx: ManagedTransaction) -> None:
        run(tx, LOCK, {"now": now_ms()})
        _check_current(tx, model_uids)
        run(
            tx,
            "MATCH (r:AttentionRun {uid: $uid}) SET r.status = 'current' "
            "REMOVE r.lease_owner, r.lease_until_ms",
            {"uid": claim.uid},
        )

    connection.transact(work)


def _rows(scores: AttentionScores, suffix: str, run_uid: str) -> Iterator[_Rows]:
    """Tables with the statements that write them.

    Raises:
        SchemaError: A property that is not declared as learned.
    """
    for nodes in scores.nodes:
        declared = _learned(LEARNED_ON_NODES, nodes.label)
        learned = _declared(nodes.columns, declared, nodes.label)
        statement = set_on_nodes(nodes.label, [prop.name for prop in learned], suffix)
        yield _Rows(statement, {"uid": nodes.uid}, nodes.columns, learned)
    for edges in scores.edges:
        declared = _learned(LEARNED_ON_EDGES, edges.type)
        learned = _declared(edges.columns, declared, edges.type)
        names = [prop.name for prop in learned]
        yield _Rows(*_edge_statement(edges, names, suffix, run_uid), edges.columns, learned)


def _learned(declared: Mapping[str, tuple[Property, ...]], name: str) -> tuple[Property, ...]:
    if name not in declared:
        raise SchemaError("nothing is learned on this", where=name, expected=", ".join(declared))
    return declared[name]


def _declared(
    columns: Mapping[str, Any], learned: Sequence[Property], where: str
) -> tuple[Property, ...]:
    """What of the learned properties a table has, in the order of their declaration."""
    wanted = set(columns) - {"uid", "run"}
    unknown = wanted - {prop.name for prop in learned}
    if unknown:
        raise SchemaError(
            "no such learned property is declared", where=where, found=", ".join(sorted(unknown))
        )
    return tuple(prop for prop in learned if prop.name in wanted)


def _edge_statement(
    table: EdgeTable, names: Sequence[str], suffix: str, run_uid: str
) -> tuple[str, dict[str, Sequence[Any]]]:
    if table.type == "ATTENDS_TO":
        ends = zip(table.src, table.dst, strict=True)
        uid = [f"{run_uid}/{src}/{dst}" for src, dst in ends]
        run_uids = Same(run_uid, len(table))
        keys = {"uid": uid, "src": table.src, "dst": table.dst, "run": run_uids}
        return create_attends_to(names, suffix), keys
    declared = edge_type(table.type)
    statement = set_on_edges(table.type, table.src_label, table.dst_label, names, suffix)
    if declared.per_dst != "*":
        return statement, {"dst": table.dst}
    if declared.per_src != "*":
        return statement, {"src": table.src}
    return statement, {"uid": table.columns["uid"], "src": table.src}


def _steps(rows: _Rows) -> Iterator[Step]:
    """A table in parts, whose values are made as they are written."""
    base = len(rows.keys) + len(rows.learned) + 2
    values = [rows.columns[prop.name] for prop in rows.learned]
    weights = row_weights(values, len(next(iter(rows.keys.values()))), base)
    for part in cut(weights):
        parameters: dict[str, Any] = {key: list(own[part]) for key, own in rows.keys.items()}
        for prop, own in zip(rows.learned, values, strict=True):
            parameters[prop.name] = ready(prop, own[part])
        n = part.stop - part.start
        yield Step(rows.statement, parameters | {"n": n}, n, sum(weights[part]), locks=True)


def remove_named(
    connection: Connection, name: str, *, missing_ok: bool = False, progress: Progress = silent
) -> dict[str, int]:
    """Takes back the annotation of a name.

    Returns:
        Models that carried it.

    Raises:
        UnknownRunError: There is none, and that is not ``missing_ok``.
    """
    with signed() as owner:
        claims = _take_named(connection, name, owner)
        if not claims and not missing_ok:
            raise UnknownRunError(
                "no annotation has this name", where=name or "(the unnamed one)", hint="bnnkg runs"
            )
        return {claim.uid: remove_run(connection, claim, progress) for claim in claims}


def _take_named(connection: Connection, name: str, owner: str) -> list[Claim]:
    def work(tx: ManagedTransaction) -> list[Claim]:
        run(tx, LOCK, {"now": now_ms()})
        found = run(
            tx,
            "MATCH (r:AttentionRun {name: $name}) RETURN r.uid, r.lease_owner, r.lease_until_ms",
            {"name": name},
        )
        for uid, other, until_ms in found:
            if other != owner and not is_dead(other, until_ms):
                raise ModelChangedError(
                    "another process is writing an annotation of this name",
                    where=name or uid,
                    hint="wait for it, or choose another name with --as",
                )
        claims = [Claim("AttentionRun", uid, owner) for uid, _, _ in found]
        for claim in claims:
            run(
                tx,
                "MATCH (r:AttentionRun {uid: $uid}) SET r.status = 'writing', "
                "r.lease_owner = $owner, r.lease_until_ms = $until_ms",
                vars(claim),
            )
        return claims

    return connection.transact(work)


def remove_run(connection: Connection, claim: Claim, progress: Progress = silent) -> int:
    """Takes back a claimed annotation, in batches; its AttentionRun goes last.

    Returns:
        How many models carried it.
    """
    found = connection.read(
        "MATCH (r:AttentionRun {uid: $uid})-[:ANNOTATES]->(m:Model) "
        "RETURN r.name AS name, m.uid AS uid",
        {"uid": claim.uid},
    ).columns
    for name, model_uid in zip(found["name"], found["uid"], strict=True):
        suffix = suffix_of(name)
        for label, at_once in STEPS_BACK.items():
            _clear(connection, claim, clear_owned(label, suffix, at_once), start=model_uid)
        _clear(connection, claim, clear_connections(suffix), start=model_uid)
        for statement in clear_shared(suffix):
            _clear(connection, claim, statement, model_uid=model_uid)
        progress("removing attention", 1)
    _clear(connection, claim, delete_attends_to(), start=f"{claim.uid}/")
    connection.transact(
        lambda tx: run(tx, "MATCH (r:AttentionRun {uid: $uid}) DETACH DELETE r", {"uid": claim.uid})
    )
    return len(found["uid"])


def _clear(
    connection: Connection, claim: Claim, statement: str, *, start: str = "", model_uid: str = ""
) -> None:
    """Runs a paged removal, in order of uid, until it finds nothing more.

    Args:
        connection: Where.
        claim: What this process holds.
        statement: Takes the next after ``$after`` and returns the uid of the last.
        start: What uids begin with, for a statement that goes through an index.
        model_uid: The Model whose nodes it is about, for a statement that follows edges.
    """
    end = start[:-1] + chr(ord(start[-1]) + 1) if start else ""
    after: str | None = start
    while after is not None:
        page = partial(_clear_page, statement, {"model": model_uid, "after": after, "end": end})
        after = claim.write(connection, page)


def _clear_page(
    statement: str, parameters: Mapping[str, Any], tx: ManagedTransaction
) -> str | None:
    last: str | None = run(tx, statement, parameters)[0][0]
    return last


def drop_shares(connection: Connection, claim: Claim) -> set[str]:
    """Parts annotations from a Model that is to be removed.

    What the run wrote on nodes that other models share is a mean over instances that are about to
    go: it is taken away rather than left as if it still held. A run without any model left goes.

    Returns:
        Names of the runs that stay on other models.
    """
    runs = connection.read(
        "MATCH (r:AttentionRun)-[:ANNOTATES]->(:Model {uid: $uid}) "
        "RETURN r.uid AS uid, r.name AS name, COUNT { (r)-[:ANNOTATES]->() } AS n",
        {"uid": claim.uid},
    )
    for row in runs.rows():
        for statement in clear_shared(suffix_of(row["name"])):
            _clear(connection, claim, statement, model_uid=claim.uid)
        connection.transact(partial(_part, row["uid"], claim.uid))
    return {row["name"] for row in runs.rows() if row["n"] > 1}


def _part(run_uid: str, model_uid: str, tx: ManagedTransaction) -> None:
    run(
        tx,
        "MATCH (r:AttentionRun {uid: $run})-[a:ANNOTATES]->(:Model {uid: $uid}) DELETE a "
        "WITH r WHERE NOT EXISTS { (r)-[:ANNOTATES]->() } DETACH DELETE r",
        {"run": run_uid, "uid": model_uid},
    )
