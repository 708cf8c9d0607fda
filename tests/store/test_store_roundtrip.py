"""Whatever fits the declaration comes back as it went in."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_graphs import plain

from bnnkg.schema import EDGES, NODES, EdgeTable, GraphTables, NodeTable, Property
from bnnkg.store import Store

M = "0123456789ab"
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_INT = st.integers(-(2**63), 2**63 - 1)
_FLOAT = st.floats(allow_nan=False)
_VALUES = {"string": _TEXT, "integer": _INT, "float": _FLOAT, "boolean": st.booleans()}
_OWN_NAME = {"Cell", "Mechanism", "SynapseType"}


def _value(prop: Property) -> st.SearchStrategy[Any]:
    many = prop.type.endswith("s")
    one = _VALUES[prop.type.removesuffix("s")]
    value = st.lists(one, max_size=3) if many else one
    return value if prop.required else st.none() | value


def _columns(
    draw: Any, properties: tuple[Property, ...], n: int, **fixed: list[Any]
) -> dict[str, Any]:
    columns: dict[str, Any] = dict(fixed)
    for prop in properties:
        if prop.name not in fixed and "lease" not in prop.name:
            columns[prop.name] = [draw(_value(prop)) for _ in range(n)]
    return columns


@st.composite
def models(draw: Any) -> GraphTables:
    """A Model with any number of each kind of node below it, and any edges that are allowed."""
    uids: dict[str, list[str]] = {"Model": [M]}
    for label, node in NODES.items():
        if node.scope != "store":
            start = f"{M}/{label}" if node.scope == "model" else label
            uids[label] = [f"{start}/{i}" for i in range(draw(st.integers(0, 3)))]
    if not uids["Cell"]:
        uids["Compartment"] = []
    nodes = []
    edges = [_edges(draw, type_, src, dst, uids) for type_, src, dst in _kinds()]
    names = {}
    for table in edges:
        for dst, id_ in zip(table.dst, table.columns.get("id", ()), strict=False):
            names[dst] = min((i for i in (names.get(dst), id_) if i is not None), default=None)
    for label, found in uids.items():
        fixed: dict[str, list[Any]] = {
            "uid": found,
            "status": ["current"],
            "model_uid": [M] * len(found),
        }
        if label in _OWN_NAME:
            fixed["name"] = [names[uid] for uid in found]
        if label == "Cell":  # how many sections a Cell has is a number that the store relies on
            sections = next(t for t in edges if t.type == "HAS_COMPARTMENT")
            fixed["n_compartments"] = [list(sections.src).count(uid) for uid in found]
        known = {name: column for name, column in fixed.items() if name in NODES[label].by_name}
        nodes.append(NodeTable(label, _columns(draw, NODES[label].properties, len(found), **known)))
    return GraphTables.of(nodes, edges)


def _kinds() -> list[tuple[str, str, str]]:
    of_runs = ("ATTENDS_TO", "ANNOTATES")
    return [(e.type, *ends) for e in EDGES.values() if e.type not in of_runs for ends in e.ends]


def _edges(draw: Any, type_: str, src: str, dst: str, uids: dict[str, list[str]]) -> EdgeTable:
    declared = EDGES[type_]
    pairs = [(a, b) for a in uids[src] for b in uids[dst]]
    holds = type_ in ("DEFINES", "ABOUT", "HAS_COMPARTMENT") and NODES[dst].scope == "shared"
    if holds:  # a shared node is reached once at least
        chosen = [(draw(st.sampled_from(uids[src])), b) for b in uids[dst]]
    elif pairs:
        once = not declared.has_uid
        chosen = draw(st.lists(st.sampled_from(pairs), max_size=5, unique=once))
    else:
        chosen = []
    chosen = _limited(chosen, declared.per_src != "*", declared.per_dst != "*")
    if type_ == "DEFINES":
        chosen += chosen[:1]  # two elements of a source may define the same
    fixed: dict[str, list[Any]] = {}
    if declared.has_uid:
        fixed["uid"] = [f"{M}/{type_}/{dst}/{src}/{i}" for i in range(len(chosen))]
    columns = _columns(draw, declared.properties, len(chosen), **fixed)
    return EdgeTable(type_, src, dst, [a for a, _ in chosen], [b for _, b in chosen], columns)


def _limited(pairs: list[tuple[str, str]], src_once: bool, dst_once: bool) -> list[tuple[str, str]]:
    kept: list[tuple[str, str]] = []
    for a, b in pairs:
        if src_once and a in {k for k, _ in kept}:
            continue
        if dst_once and b in {k for _, k in kept}:
            continue
        kept.append((a, b))
    return kept


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(tables=models())
def test_what_fits_the_declaration_comes_back(store: Store, tables: GraphTables) -> None:
    store.write("MATCH (n) WHERE NOT n:Store DETACH DELETE n")
    store.load_model(tables)
    assert plain(store.read_model(M)) == plain(tables)
    store.remove_models([M])
    assert store.read("MATCH (n) WHERE NOT n:Store RETURN count(n) AS n").columns["n"] == [0]
