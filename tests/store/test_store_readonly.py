"""What a read-only query may do, and what it may not, judged on both versions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import neo4j
import pytest
from store_graphs import dump, small_model

from bnnkg.errors import QueryError, WriteRefusedError
from bnnkg.store import Store
from bnnkg.store.readonly import judge_text

HOSTILE = """
CREATE (:Hack)
MERGE (:Hack)
MATCH (n) SET n.hacked = true
MATCH (n) REMOVE n.uid
MATCH (n) DETACH DELETE n
FOREACH (x IN [1] | CREATE (:Hack))
MATCH (n) CALL (n) { SET n.hacked = true } IN TRANSACTIONS
MATCH (n) CALL (n) { RETURN 1 AS x } IN TRANSACTIONS RETURN x
CALL { CREATE (:Hack) RETURN 1 AS x } RETURN x
/* RETURN 1 */ CREATE (:Hack)
// RETURN 1\rCREATE (:Hack)
RETURN 1 AS x UNION CREATE (n:Hack) RETURN 1 AS x
RETURN 1; CREATE (:Hack)
EXPLAIN RETURN 1; CREATE (:Hack)
PROFILE CREATE (:Hack)
profile MATCH (n) RETURN n
CYPHER runtime=slotted PROFILE CREATE (:Hack)
/**/ PROFILE MATCH (n) RETURN count(n) AS n
LOAD CSV FROM 'URL' AS line RETURN line
LOAD/**/CSV FROM 'URL' AS line RETURN line
LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line
CALL { LOAD CSV FROM 'URL' AS line RETURN line } RETURN line
RETURN COLLECT { LOAD CSV FROM 'URL' AS line RETURN line } AS x
RETURN [x IN [1] | COLLECT { LOAD CSV FROM 'URL' AS line RETURN line }] AS x
UNWIND [1] AS n RETURN CASE n WHEN 2 THEN 1 ELSE COUNT { LOAD CSV FROM 'URL' AS l RETURN l } END
RETURN reduce(a = 0, x IN [1] | a + COUNT { LOAD CSV FROM 'URL' AS l RETURN l }) AS x
LO\\u0041D CSV FROM 'URL' AS line RETURN line
RETURN '\\u0027 + 1 // ' AS x
TERMINATE TRANSACTION 'neo4j-transaction-1'
SHOW TRANSACTIONS
SHOW TRANSACTIONS YIELD transactionId AS t TERMINATE TRANSACTIONS t YIELD message RETURN message
SHOW SETTINGS
SHOW USERS
SHOW DATABASES
CREATE USER hack SET PASSWORD 'hackhackhack'
ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'
CREATE INDEX hack FOR (n:Hack) ON (n.x)
DROP CONSTRAINT cell_uid
CALL dbms.killConnection('bolt-1')
CALL dbms.listConfig()
RETURN [x IN [1] | COLLECT { CALL dbms.listConfig() YIELD name RETURN name }] AS x
CALL db.clearQueryCaches()
CALL db.createLabel('Hack')
CALL `db`.`createLabel`('Hack')
CALL db.awaitIndexes(0)
CALL dbms.security.createUser('hack', 'hackhackhack')
OPTIONAL CALL db.createLabel('Hack')
RETURN genai.vector.encode('text', 'OpenAI', {token: 'x'}) AS x
RETURN `apoc`.`cypher`.`runFirstColumnSingle`('CREATE (:Hack)', {}) AS x
""".strip().split("\n")

HARMLESS = """
RETURN 1 AS x
EXPLAIN MATCH (n) RETURN n
MATCH (n:Neuron) RETURN count(n) AS n
MATCH (n:Neuron) WHERE n.name STARTS WITH 'n' RETURN n ORDER BY n.uid SKIP 1 LIMIT 2
MATCH (n:Neuron {uid: 'x'}) RETURN n.name
MATCH (a:Neuron)-[:SENDS]->(s)-[:TARGETS]->(b) RETURN a.uid, collect(DISTINCT b.uid), sum(s.weight)
MATCH p = (:Compartment)-[:CHILD_OF*0..3]->(r) RETURN p, length(p) ORDER BY length(p)
MATCH p = shortestPath((a:Neuron)-[:SENDS|TARGETS*..5]-(b:Neuron)) WHERE a.uid < b.uid RETURN p
MATCH p = SHORTEST 2 (a:Neuron)-[:SENDS]->(s:Synapse) RETURN p LIMIT 1
MATCH (a:Cell) ((x)-[:HAS_COMPARTMENT]->(y)){1,2} (b) RETURN b.uid
MATCH (n:Neuron) OPTIONAL MATCH (n)-[e:CONNECTS_TO]->(m) RETURN n.uid, e, m
MATCH (n:Cell) WHERE NOT EXISTS { (n)<-[:INSTANCE_OF]-() } RETURN n.uid
MATCH (n:Cell) WHERE NOT (n)--(:Term) OR n.name = 'x' RETURN n.uid
MATCH (n:Cell) RETURN [(n)-[:HAS_COMPARTMENT]->(c) | c.kind] AS kinds, COUNT { (n)--() } AS degree
MATCH (a:Neuron), (b:Neuron) WHERE a.x_um = b.x_um RETURN a.uid, b.uid
MATCH (n:Neuron) CALL (n) { MATCH (n)-[:SENDS]->(s) RETURN count(s) AS k } RETURN n.uid, k
UNWIND [3, 1, 2] AS x WITH x ORDER BY x RETURN collect(x) AS xs
RETURN 1 AS x UNION ALL RETURN 2 AS x
RETURN date.truncate('month', date('2024-05-06')) AS d
RETURN point.distance(point({x: 0, y: 0}), point({x: 3, y: 4})) AS r
RETURN 'LOAD CSV; CREATE (:Hack) //' AS text, 'it\\'s' AS quoted /* CALL dbms.x() */ // CREATE
MATCH (n) RETURN n.`load`, n.call AS c LIMIT 1
CALL db.labels() YIELD label RETURN label ORDER BY label
CALL db.schema.visualization()
CALL dbms.components() YIELD versions RETURN versions
MATCH ()-[e:CONNECTS_TO {uid: 'x'}]->() RETURN e
MATCH (n) RETURN count(n) AS n
MATCH ()-[e]->() RETURN type(e) AS type, count(*) AS n ORDER BY n DESC, type
MATCH (n:Neuron|Synapse) WHERE n.uid > 'a' AND n.index IN [1, 2] RETURN n.uid
MATCH (n) WHERE elementId(n) = 'x' RETURN n
MATCH (n:$($label)) RETURN count(n) AS n
""".strip().split("\n")


@pytest.fixture(scope="module")
def visits() -> Iterator[tuple[str, list[str]]]:
    """Address of a web server, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a,b\n")

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x.csv", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_hostile_queries_are_refused(
    store: Store, driver: neo4j.Driver, visits: tuple[str, list[str]]
) -> None:
    url, asked = visits
    store.load_model(small_model("a"))
    before = dump(driver)
    taken = []
    for query in HOSTILE:
        try:
            store.read_untrusted(query.replace("URL", url))
            taken.append(query)
        except QueryError:
            continue
    assert not taken
    assert not asked
    assert dump(driver) == before
    labels = driver.execute_query("CALL db.labels() YIELD label RETURN collect(label)").records
    assert "Hack" not in labels[0][0]


def test_the_hostile_address_answers_when_it_is_asked(
    store: Store, driver: neo4j.Driver, visits: tuple[str, list[str]]
) -> None:
    """The list above proves nothing unless such a query does reach out when it is not judged."""
    url, asked = visits
    nested = f"RETURN [x IN [1] | COLLECT {{ LOAD CSV FROM '{url}' AS l RETURN l }}] AS x"
    assert store.read(nested).columns["x"] == [[[["a", "b"]]]]
    assert asked
    asked.clear()


def test_queries_that_only_read_are_run(store: Store) -> None:
    store.load_model(small_model("a"))
    newer = not store.server_version.startswith("5.")
    refused = {}
    for query in [*HARMLESS, *(f"CYPHER 25 {query}" for query in HARMLESS if newer)]:
        if "EXPLAIN" in query and query.startswith("CYPHER"):
            continue
        try:
            store.read_untrusted(query, {"label": "Neuron"})
        except WriteRefusedError as error:
            refused[query] = error.message()
    assert not refused


def test_a_reading_session_cannot_write(store: Store) -> None:
    with pytest.raises(WriteRefusedError):
        store.read("CREATE (:Hack)")


def test_the_text_is_judged_without_what_is_quoted() -> None:
    judge_text("RETURN 'LOAD CSV', \"CALL a.b()\", `LOAD` // LOAD CSV\n/* CALL a.b() */")
    for text in ("load\n// x\ncsv", "CALL /* */ a /**/ . b", "RETURN a . `b`(1)", "'\\\\' + a.b()"):
        with pytest.raises(WriteRefusedError):
            judge_text(text if "CALL" in text or "load" in text else f"RETURN {text}")


def test_files_stay_out_of_reach(store_lts: Store, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("secret\n")
    with pytest.raises(WriteRefusedError, match="LOAD CSV"):
        store_lts.read_untrusted(f"LOAD CSV FROM 'file://{tmp_path}/secret.csv' AS l RETURN l")
