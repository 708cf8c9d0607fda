"""Near copies: joined once, whoever comes first, and gone with what they join."""

from __future__ import annotations

from pathlib import Path

from bnnkg.store import Store

MAKE = "UNWIND $uids AS u CREATE (:Mechanism {uid: u, statement_hashes: [1, 2]})"
PAIRS = (
    "MATCH (a:Mechanism)-[e:SIMILAR_TO]->(b:Mechanism) WHERE a.uid STARTS WITH 'mk' "
    "RETURN a.uid AS a, b.uid AS b, e.similarity AS similarity ORDER BY a, b"
)


def test_pairs_are_joined_once(neo4j_home: Path) -> None:
    with Store.open(neo4j_home, write=True) as store:
        store.write(MAKE, {"uids": ["mk1", "mk2", "mk3"]})
        store.write("CREATE (:Mechanism {uid: 'mk0'})")
        try:
            hashes = store.statement_hashes()
            assert {"mk1", "mk2", "mk3"} <= set(hashes["uid"])
            assert "mk0" not in hashes["uid"]
            store.write_similar(["mk1", "mk1"], ["mk2", "mk3"], [0.75, 0.5])
            store.write_similar(["mk1"], ["mk2"], [0.8])
            store.write_similar(["mk1"], ["gone"], [0.9])
            assert list(store.read(PAIRS).rows()) == [
                {"a": "mk1", "b": "mk2", "similarity": 0.8},
                {"a": "mk1", "b": "mk3", "similarity": 0.5},
            ]
        finally:
            store.write("MATCH (m:Mechanism) WHERE m.uid STARTS WITH 'mk' DETACH DELETE m")
