"""How servers are asked: politely, again where it may help, and with little trust."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bnnkg
from bnnkg.errors import SourceError, UsageError
from bnnkg.ingest.modeldb import Manners, ModelDB, download_url
from bnnkg.ingest.modeldb.manners import retry_after_s
from conftest import HASTY, Client
from modeldb_server import Fault, ModelDBServer, answer, dropped, page, status

LIST = "/api/v1/models"
NOW = datetime(2024, 5, 3, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "fault",
    [status(429), status(500), status(502), status(503), status(504), status(408), dropped],
)
def test_what_may_pass_is_asked_for_again(
    client: Client, server: ModelDBServer, fault: Fault
) -> None:
    server.fail(LIST, fault, fault, fault)
    assert client().accessions() == ["26997"]
    assert server.count(LIST) == 4


def test_giving_up_says_how_often_it_was_asked(client: Client, server: ModelDBServer) -> None:
    server.fail(LIST, *[status(503)] * 9)
    with pytest.raises(SourceError, match="no proper answer") as caught:
        client().accessions()
    assert caught.value.where == f"{server.url}{LIST}"
    assert caught.value.found == "status 503 Service Unavailable (asked 4 times)"
    assert server.count(LIST) == 4


def test_what_is_not_there_is_asked_for_once(client: Client, server: ModelDBServer) -> None:
    with pytest.raises(SourceError, match="no public model 999") as caught:
        client().entry("999")
    assert caught.value.found == "status 404 Not Found"
    assert caught.value.hint == f"look for its number at {server.url}"
    assert server.count("/api/v1/models/999") == 1


@pytest.mark.parametrize("code", [400, 418, 204, 206])
def test_other_statuses_are_asked_for_once(
    client: Client, server: ModelDBServer, code: int
) -> None:
    server.fail(LIST, status(code))
    with pytest.raises(SourceError, match="otherwise than asked"):
        client().accessions()
    assert server.count(LIST) == 1


def test_retry_after_is_waited_for(client: Client, server: ModelDBServer) -> None:
    server.fail(LIST, status(429, Retry_After="1"))
    client().accessions()
    first, second = (request.at for request in server.requests)
    assert second - first >= 1


def test_a_server_that_asks_for_too_long_a_wait_is_left(
    client: Client, server: ModelDBServer
) -> None:
    server.fail(LIST, status(429, Retry_After="3600"))
    with pytest.raises(SourceError, match=r"asked once, it asks to wait 3600 s"):
        client().accessions()
    assert server.count(LIST) == 1


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7),
        (" 0 ", 0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("Friday, 03-May-24 10:00:05 GMT", 5),
        ("Fri May  3 10:00:06 2024", 6),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0665", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, now=NOW) == wait_s


@given(st.text(max_size=40))
def test_any_retry_after_is_read(header: str) -> None:
    wait_s = retry_after_s(header, now=NOW)
    assert wait_s is None or wait_s >= 0


def test_waits_double_and_differ() -> None:
    manners = Manners(backoff_s=1, longest_wait_s=300)
    for failures, whole in [(1, 1), (2, 2), (3, 4), (4, 8), (99, 300)]:
        waits = [manners.wait_s(failures) for _ in range(200)]
        assert whole / 2 <= min(waits) < max(waits) <= whole


def test_a_silent_server_is_waited_for_only_so_long(client: Client, server: ModelDBServer) -> None:
    server.fail(LIST, *[lambda handler: handler.modeldb.ended.wait(5)] * 9)
    manners = replace(HASTY, timeout_s=0.1)
    with pytest.raises(SourceError, match=r"silent for 0.1 s \(asked 4 times\)"):
        client(manners=manners).accessions()


def test_a_server_that_is_down_is_asked_once_for_what_comes_next(
    server: ModelDBServer, client: Client
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    modeldb = client(base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(SourceError, match="asked 4 times"):
        modeldb.entry("1")
    with pytest.raises(SourceError, match="asked once"):
        modeldb.entry("2")


def test_requests_keep_a_pace(client: Client, server: ModelDBServer) -> None:
    begun = time.monotonic()
    client(manners=replace(HASTY, requests_per_s=10)).entry("26997")
    assert len(server.requests) == 4  # the model, its paper, two regions
    assert server.requests[-1].at - begun > 0.29


def test_processes_that_share_a_cache_keep_one_pace(client: Client, server: ModelDBServer) -> None:
    clients = [client(manners=replace(HASTY, requests_per_s=10), max_age_s=0) for _ in range(4)]
    threads = [threading.Thread(target=modeldb.accessions) for modeldb in clients]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 4
    assert max(request.at for request in server.requests) - begun > 0.29


def test_the_client_says_who_it_is(client: Client, server: ModelDBServer) -> None:
    client().accessions()
    assert server.requests[0].headers["User-Agent"].startswith(f"bnnkg/{bnnkg.__version__} ")


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (page(), "a web page"),
        (answer(b"\n <html>"), "a web page"),
        (answer(b'{"id": 1'), "8 bytes"),
        (answer(b""), "0 bytes"),
        (answer(b"\xff\xfe\xff"), "3 bytes"),
        (answer(b"[" * 100_000), "100000 bytes"),
        (answer(b"[" + b"9" * 5000 + b"]"), "5002 bytes"),
        (answer(b"abc", Content_Encoding="gzip"), "decompressing"),
    ],
)
def test_an_answer_that_is_no_json_is_told(
    client: Client, server: ModelDBServer, fault: Fault, found: str
) -> None:
    server.fail(LIST, fault)
    with pytest.raises(SourceError) as caught:
        client().accessions()
    assert found in (caught.value.found or "")
    assert caught.value.where == f"{server.url}{LIST}"


def test_an_answer_without_end_is_left(
    client: Client, server: ModelDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bnnkg.ingest.modeldb.web.MAX_JSON_BYTES", 1000)
    server.fail(LIST, answer(b"[1," + b"2," * 1000 + b"3]"))
    with pytest.raises(SourceError, match="too large") as caught:
        client().accessions()
    assert caught.value.expected == "at most 1000 bytes"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_on_the_same_host_are_followed(
    client: Client, server: ModelDBServer, code: int
) -> None:
    server.fail(LIST, status(code, Location="/api/v1/elsewhere"))
    server.forms["elsewhere"] = [5]
    assert client().accessions() == ["5"]


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example.org/models",
        "file:///etc/passwd",
        "ftp://127.0.0.1/models",
        "//other.example.org/models",
    ],
)
def test_redirects_elsewhere_are_refused(
    client: Client, server: ModelDBServer, location: str
) -> None:
    server.fail(LIST, status(302, Location=location))
    with pytest.raises(SourceError, match="redirects to where no model") as caught:
        client().accessions()
    assert caught.value.expected == "the same host, or https"


@pytest.mark.parametrize("location", ["data:application/json,[1]", "http://[", "http://a:b/"])
def test_redirects_to_no_address_fail(client: Client, server: ModelDBServer, location: str) -> None:
    server.fail(LIST, *[status(302, Location=location)] * 4)
    with pytest.raises(SourceError) as caught:
        client().accessions()
    assert caught.value.where == f"{server.url}{LIST}"


def test_a_redirect_to_https_is_followed(client: Client, server: ModelDBServer) -> None:
    """There is no https here: that it is tried is seen from how it fails."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    server.fail(LIST, *[status(302, Location=f"https://localhost:{port}/models")] * 9)
    with pytest.raises(SourceError, match="no proper answer"):
        client().accessions()
    assert server.count(LIST) == 4


def test_redirects_come_to_an_end(client: Client, server: ModelDBServer) -> None:
    server.fail(LIST, *[status(302, Location=LIST)] * 20)
    with pytest.raises(SourceError, match="redirects without end"):
        client().accessions()
    assert server.count(LIST) == 6


def test_a_connection_that_is_not_http_fails(client: Client) -> None:
    def babble(listener: socket.socket) -> None:
        for _ in range(4):
            connection, _ = listener.accept()
            connection.sendall(b"220 mail.example.org ready\r\n")
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=babble, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(SourceError, match="no proper answer"):
            client(base_url=f"http://127.0.0.1:{port}").accessions()


@pytest.mark.parametrize(
    "url", ["modeldb.science", "ftp://example.org", "file:///tmp", "", "http://", "http://[::1"]
)
def test_only_addresses_of_the_web_are_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="no address of the web"):
        ModelDB(base_url=url, cache=tmp_path)
    with pytest.raises(UsageError, match="no address of the web"):
        download_url(url, cache=tmp_path)


@pytest.mark.parametrize("host", ["x" * 80, "a..b", "xn--\u0661"])
def test_a_host_that_cannot_be_is_told(tmp_path: Path, host: str) -> None:
    with pytest.raises(SourceError) as caught:
        download_url(f"http://{host}/m.zip", cache=tmp_path, manners=HASTY)
    assert host in (caught.value.where or "")


def test_passwords_and_queries_are_never_shown(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    url = server.url.replace("://", "://user:sesame@")
    with pytest.raises(SourceError) as caught:
        client(base_url=url).entry("999")
    assert "sesame" not in caught.value.message()
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    with pytest.raises(SourceError) as caught:
        download_url(f"{url}/nothing.zip?token=sesame", cache=tmp_path, manners=HASTY)
    assert "sesame" not in caught.value.message()
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert stored
    assert not [path for path in stored if b"sesame" in str(path).encode() + path.read_bytes()]


def test_a_proxy_that_cannot_be_used_is_told(
    client: Client, server: ModelDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "gopher://127.0.0.1:1")
    with pytest.raises(SourceError, match="the proxy of the environment"):
        client().accessions()


def test_a_proxy_of_the_environment_is_used(
    client: Client, server: ModelDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stands in for a proxy: it is asked for the whole address."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.fail("http://modeldb.example.org/api/v1/models", answer(b"[8]"))
    assert client(base_url="http://modeldb.example.org").accessions() == ["8"]


def test_a_certificate_that_nobody_vouches_for_is_refused(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-keyout", key, "-out", certificate],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def greet(listener: socket.socket, shake: Callable[[socket.socket], ssl.SSLSocket]) -> None:
        for _ in range(4):
            connection, _ = listener.accept()
            try:
                shake(connection).close()
            except OSError:
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        shake = lambda connection: context.wrap_socket(connection, server_side=True)  # noqa: E731
        threading.Thread(target=greet, args=(listener, shake), daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(SourceError, match=r"(?s)no proper answer.*CERTIFICATE_VERIFY_FAILED"):
            client(base_url=f"https://localhost:{port}").accessions()


def test_importing_the_client_loads_no_http_library() -> None:
    code = "import bnnkg.ingest.modeldb, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"httpx", "httpcore", "numpy", "torch"} & set(done.stdout.split())
