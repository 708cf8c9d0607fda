"""Archives: fetched whole, resumed where they were cut, checked whenever they are used."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from bnnkg.errors import SourceError
from bnnkg.ingest.modeldb import download_url
from conftest import HASTY, Client
from modeldb_server import (
    Fault,
    ModelDBServer,
    archive,
    cut,
    dropped,
    etag,
    last_modified,
    page,
    stalled,
    status,
    trickling,
)

PATH = "/download/26997"
LARGE = archive(noise=random.Random(5).randbytes(300_000).hex())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def only(folder: Path, name: str) -> Path:
    """The one file of that name."""
    (found,) = folder.rglob(name)
    return found


def test_an_archive_is_fetched_once(client: Client, server: ModelDBServer, tmp_path: Path) -> None:
    modeldb = client()
    found = modeldb.download("26997")
    assert found.archive.name == "26997.zip"
    assert found.archive.read_bytes() == server.archives["26997"]
    assert (found.sha256, found.from_cache) == (sha256(server.archives["26997"]), False)
    assert found.entry == modeldb.entry("26997")
    assert json.loads(only(tmp_path, "file.json").read_text())["sha256"] == found.sha256
    assert zipfile.ZipFile(found.archive).namelist() == ["leak/leak.mod", "leak/mosinit.hoc"]
    assert modeldb.download("26997") == replace(found, from_cache=True)
    assert client().download("26997") == replace(found, from_cache=True)
    assert server.count(PATH) == 1
    assert not list(tmp_path.rglob("*.part*"))


def test_progress_is_told_in_bytes(client: Client, server: ModelDBServer) -> None:
    server.archives["26997"] = LARGE
    steps: list[tuple[str, float, float | None]] = []
    client().download(
        "26997", lambda task, done, total=None, note="": steps.append((task, done, total))
    )
    assert {task for task, _, _ in steps} == {"downloading modeldb:26997"}
    assert {total for _, _, total in steps} == {len(LARGE)}
    done = [done for _, done, _ in steps]
    assert done == sorted(done)
    assert done[-1] == len(LARGE)
    assert len(done) > 3


@pytest.mark.parametrize("has_validators", [True, False])
def test_a_cut_archive_is_gone_on_with_or_begun_again(
    client: Client, server: ModelDBServer, has_validators: bool
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = has_validators
    server.fail(PATH, cut(100_000), dropped, status(503))
    assert client().download("26997").sha256 == sha256(LARGE)
    assert server.count(PATH) == 4
    asked = server.last(PATH).headers
    expected = ("bytes=100000-", etag(LARGE)) if has_validators else (None, None)
    assert (asked.get("Range"), asked.get("If-Range")) == expected


def test_a_weak_tag_does_not_tell_a_part_and_the_date_does(
    client: Client, server: ModelDBServer
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = server.etag_is_weak = True
    server.fail(PATH, cut(100_000))
    assert client().download("26997").sha256 == sha256(LARGE)
    assert server.last(PATH).headers["If-Range"] == last_modified(LARGE)


def test_a_server_that_ignores_the_range_sends_all_again(
    client: Client, server: ModelDBServer
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = True

    def lose_ranges(handler: object) -> None:
        cut(100_000)(handler)  # type: ignore[arg-type]
        server.has_validators = False

    server.fail(PATH, lose_ranges)
    assert client().download("26997").sha256 == sha256(LARGE)
    assert server.last(PATH).headers["Range"] == "bytes=100000-"


def test_an_archive_that_changes_in_between_is_begun_again(
    client: Client, server: ModelDBServer
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = True

    def replace_it(handler: object) -> None:
        cut(100_000)(handler)  # type: ignore[arg-type]
        server.archives["26997"] = archive(other="another model")

    server.fail(PATH, replace_it)
    found = client().download("26997")
    assert found.archive.read_bytes() == archive(other="another model")


@pytest.mark.parametrize(
    "wrong",
    [
        status(206, b"x" * 10, Content_Range="bytes 0-9/500", ETag=etag(LARGE)),
        status(206, b"x" * 10, Content_Range="bytes 100000-100009/100010"),
        status(206, b"x" * 10, Content_Range="bytes 100000-100009/100010", ETag='"other"'),
        status(206, b"x" * 10, Content_Range="items 5", ETag=etag(LARGE)),
        status(206, b"x" * 10, ETag=etag(LARGE)),
        status(416),
    ],
)
def test_another_part_than_was_asked_for_is_not_taken(
    client: Client, server: ModelDBServer, wrong: Fault
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = True
    server.fail(PATH, cut(100_000), wrong)
    assert client().download("26997").sha256 == sha256(LARGE)
    assert server.count(PATH) == 3
    assert "Range" not in server.last(PATH).headers


def test_a_server_may_send_less_of_the_rest_at_a_time(
    client: Client, server: ModelDBServer
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = True
    whole = f"bytes 100000-299999/{len(LARGE)}"
    less = status(206, LARGE[100_000:300_000], Content_Range=whole, ETag=etag(LARGE))
    server.fail(PATH, cut(100_000), less)
    assert client().download("26997").sha256 == sha256(LARGE)
    assert server.last(PATH).headers["Range"] == "bytes=300000-"


def test_a_cut_that_cannot_be_seen_is_seen_from_the_zip(
    client: Client, server: ModelDBServer
) -> None:
    server.archives["26997"] = LARGE
    server.fail(PATH, cut(100_000, tells_size=False))
    assert client().download("26997").sha256 == sha256(LARGE)
    assert server.count(PATH) == 2


def test_a_large_file_may_be_cut_often(
    client: Client, server: ModelDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bnnkg.ingest.modeldb.downloads.MUCH_BYTES", 50_000)
    server.archives["26997"] = LARGE
    server.has_validators = True
    pieces = [
        status(206, LARGE[start : start + 60_000], ETag=etag(LARGE),
               Content_Range=f"bytes {start}-{start + 59_999}/{len(LARGE)}")
        for start in range(60_000, 540_000, 60_000)
    ]  # fmt: skip
    assert len(pieces) == 2 * HASTY.attempts
    server.fail(PATH, cut(60_000), *pieces)
    assert client().download("26997").sha256 == sha256(LARGE)


def test_a_cut_archive_is_kept_for_the_next_time(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = True
    server.fail(PATH, cut(100_000), dropped, dropped, dropped)
    with pytest.raises(SourceError, match="archive of model 26997 cannot be fetched") as caught:
        client().download("26997")
    assert "asked 4 times" in (caught.value.found or "")
    assert only(tmp_path, "file.part").stat().st_size == 100_000
    assert not list(tmp_path.rglob("26997.zip"))
    assert client().download("26997").sha256 == sha256(LARGE)
    assert server.last(PATH).headers["Range"] == "bytes=100000-"


FETCH = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from conftest import HASTY
from dataclasses import replace
from bnnkg.ingest.modeldb import ModelDB
with ModelDB(base_url=sys.argv[1], cache=Path(sys.argv[2]),
             manners=replace(HASTY, timeout_s=20)) as modeldb:
    found = modeldb.download("26997")
print(found.sha256, found.from_cache)
"""


def fetching(server: ModelDBServer, cache: Path) -> subprocess.Popen[str]:
    """A process that downloads."""
    here = Path(__file__).parent
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, server.url, str(cache), str(here)],
        stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(here.parents[1])},
    )  # fmt: skip


def test_what_a_kill_left_is_gone_on_with(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    server.archives["26997"] = LARGE
    server.has_validators = True
    server.fail(PATH, stalled(200_000))
    with fetching(server, tmp_path / "cache") as process:
        while not any(path.stat().st_size > 100_000 for path in tmp_path.rglob("file.part")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert client().download("26997").sha256 == sha256(LARGE)
    had = int(server.last(PATH).headers["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 100_000 < had <= 200_000


def test_two_processes_fetch_an_archive_once(server: ModelDBServer, tmp_path: Path) -> None:
    server.archives["26997"] = LARGE
    server.fail(PATH, trickling(n_parts=20, pause_s=0.05))
    with fetching(server, tmp_path / "cache") as one, fetching(server, tmp_path / "cache") as two:
        told = sorted(process.communicate()[0].split() for process in (one, two))
    assert told == [[sha256(LARGE), "False"], [sha256(LARGE), "True"]]
    assert server.count(PATH) == 1


def test_a_slow_line_is_borne_and_a_dead_one_is_not(client: Client, server: ModelDBServer) -> None:
    server.fail(PATH, trickling(n_parts=24, pause_s=0.05))
    assert client(manners=replace(HASTY, timeout_s=1)).download("26997").archive.is_file()
    assert server.count(PATH) == 1
    server.add(2, LARGE)
    server.fail("/download/2", *[stalled(1000)] * 9)
    client().entry("2")
    with pytest.raises(SourceError, match=r"silent for 0.2 s \(asked 2 times\)"):
        client(manners=replace(HASTY, timeout_s=0.2, attempts=2)).download("2")


def test_a_file_that_was_changed_in_the_cache_is_fetched_anew_and_told(
    client: Client, server: ModelDBServer, caplog: pytest.LogCaptureFixture
) -> None:
    found = client().download("26997")
    content = bytearray(found.archive.read_bytes())
    content[40] ^= 1
    found.archive.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert client().download("26997") == found
    assert found.archive.read_bytes() == server.archives["26997"]
    assert "26997.zip was changed" in caplog.text


@pytest.mark.parametrize(
    "beside",
    ["", "{", "[]", '{"name": "../../26997.zip"}', '{"name": 5, "sha256": "", "n_bytes": 0}',
     '{"name": "26997.zip", "sha256": 1, "n_bytes": "x", "checked_at": null}'],
)  # fmt: skip
def test_what_stands_beside_a_file_may_be_broken(
    client: Client, server: ModelDBServer, beside: str, tmp_path: Path
) -> None:
    found = client().download("26997")
    only(tmp_path, "file.json").write_text(beside)
    assert client().download("26997") == found
    assert server.count(PATH) == 2


def test_a_file_that_is_gone_is_fetched_anew(client: Client, server: ModelDBServer) -> None:
    client().download("26997").archive.unlink()
    assert client().download("26997").archive.is_file()


def test_a_new_version_replaces_the_archive(client: Client, server: ModelDBServer) -> None:
    """The real server sends neither tag nor date: its entry's version is all that tells."""
    old = client(max_age_s=0).download("26997")
    server.add(26997, archive(new="code"), ver_number=8)
    new = client(max_age_s=0).download("26997")
    assert (new.entry.version, new.from_cache) == ("8 of 2018-11-02T09:00:00", False)
    assert new.sha256 == sha256(archive(new="code")) != old.sha256
    assert client().download("26997") == replace(new, from_cache=True)
    assert server.count(PATH) == 2


def test_an_archive_without_tag_or_date_is_as_good_as_its_version(
    client: Client, server: ModelDBServer
) -> None:
    client(max_age_s=0).download("26997")
    assert client(max_age_s=0).download("26997").from_cache
    assert server.count(PATH) == 1


def test_another_tag_replaces_the_archive_and_the_same_does_not(
    client: Client, server: ModelDBServer
) -> None:
    server.has_validators = True
    client().download("26997")
    assert client(max_age_s=0).download("26997").from_cache
    asked = server.last(PATH).headers
    assert asked["If-None-Match"] == etag(server.archives["26997"])
    assert asked["If-Modified-Since"] == last_modified(server.archives["26997"])
    server.archives["26997"] = archive(new="code")
    found = client(max_age_s=0).download("26997")
    assert (found.sha256, found.from_cache) == (sha256(archive(new="code")), False)
    assert server.count(PATH) == 3


def test_a_new_version_with_the_same_archive_costs_a_question(
    client: Client, server: ModelDBServer
) -> None:
    server.has_validators = True
    client().download("26997")
    server.forms["models/26997"]["ver_number"] = 8
    found = client(max_age_s=0).download("26997")
    assert (found.entry.version, found.from_cache) == ("8 of 2018-11-02T09:00:00", True)
    assert client().download("26997").from_cache
    assert server.count(PATH) == 2


def test_while_the_server_is_broken_the_cache_serves_and_says_so(
    client: Client, server: ModelDBServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.has_validators = True
    found = client().download("26997")
    server.fail(PATH, *[status(503)] * 4)
    with caplog.at_level(logging.WARNING):
        assert client(max_age_s=0).download("26997") == replace(found, from_cache=True)
    assert "what the cache holds is used instead: status 503" in caplog.text


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (page(), "a web page (text/html)"),
        (status(200, b"<html>sign in", Content_Type="application/zip"), "a web page"),
        (status(200, b"\x1f\x8b tar", Content_Type="application/zip"), "something else"),
        (status(200, b""), "something else"),
        (status(200, b"x", Content_Encoding="br"), "something packed once more (br)"),
    ],
)
def test_what_is_no_zip_is_refused_at_once(
    client: Client, server: ModelDBServer, tmp_path: Path, fault: Fault, found: str
) -> None:
    server.fail(PATH, fault)
    with pytest.raises(SourceError, match="no model") as caught:
        client().download("26997")
    assert (caught.value.expected, caught.value.found) == ("a zip", found)
    assert caught.value.where == server.url + PATH
    assert server.count(PATH) == 1
    assert not list(tmp_path.rglob("*.zip"))
    assert client().download("26997").archive.is_file()


def test_a_size_that_is_too_large_is_refused_before_anything_comes(
    client: Client, server: ModelDBServer
) -> None:
    server.fail(PATH, lambda handler: handler.begin(200, 10**15))
    with pytest.raises(SourceError, match="too large") as caught:
        client().download("26997")
    assert caught.value.expected == f"at most {2 * 2**30} bytes"
    assert caught.value.found == f"{10**15} bytes or more"


@pytest.mark.parametrize("tells_size", [True, False])
def test_more_than_the_most_is_not_written(
    client: Client, server: ModelDBServer, tmp_path: Path, tells_size: bool
) -> None:
    server.archives["26997"] = LARGE
    server.fail(PATH, cut(len(LARGE), tells_size=tells_size))
    with pytest.raises(SourceError, match="too large"):
        client(max_archive_bytes=100_000).download("26997")
    written = [path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()]
    assert max(written) <= 100_000


@pytest.mark.parametrize("code", [403, 404, 500])
def test_an_entry_without_an_archive_is_told(
    client: Client, server: ModelDBServer, code: int
) -> None:
    """The real server answers 500 where an entry only tells where its model is."""
    server.fail(PATH, *[status(code)] * 4)
    with pytest.raises(SourceError, match="archive of model 26997 cannot be fetched") as caught:
        client().download("26997")
    assert f"status {code}" in (caught.value.found or "")
    assert f"see {server.url}/26997" in (caught.value.hint or "")


def test_a_folder_that_cannot_be_written_is_told(
    client: Client, server: ModelDBServer, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(SourceError, match="the cache cannot be written") as caught:
        client().download("26997")
    assert str(tmp_path / "cache") in (caught.value.where or "")


def test_a_full_disk_is_told(
    client: Client, server: ModelDBServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    server.archives["26997"] = LARGE
    modeldb = client()
    modeldb.entry("26997")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(signal, "SIGXFSZ", signal.SIGXFSZ)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(SourceError, match="the cache cannot be written") as caught:
            modeldb.download("26997")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)
    assert caught.value.hint == "make room, or name another folder with BNNKG_CACHE"
    assert modeldb.download("26997").sha256 == sha256(LARGE)


def test_a_file_of_the_web_has_its_name(server: ModelDBServer, tmp_path: Path) -> None:
    for path, name in [
        ("/files/cell%20one.nml?raw=1", "cell_one.nml"),
        ("/files/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("/files/.hidden.xml", "hidden.xml"),
        ("/", "download"),
    ]:
        server.fail(path.partition("?")[0], status(200, b"<neuroml/>", Content_Type="text/xml"))
        found = download_url(server.url + path, cache=tmp_path / "cache", manners=HASTY)
        assert (found.name, found.read_bytes()) == (name, b"<neuroml/>")
        assert found.resolve().is_relative_to(tmp_path / "cache")
    assert len(list((tmp_path / "cache" / "web").iterdir())) == 4


def test_a_zip_of_the_web_is_named_as_one_and_must_be_one(
    server: ModelDBServer, tmp_path: Path
) -> None:
    found = download_url(f"{server.url}{PATH}", cache=tmp_path, manners=HASTY)
    assert found.name == "26997.zip"
    assert download_url(f"{server.url}{PATH}", cache=tmp_path, offline=True) == found
    server.fail("/a.zip", status(200, b"no zip"))
    with pytest.raises(SourceError, match="no model"):
        download_url(f"{server.url}/a.zip", cache=tmp_path, manners=HASTY)
    server.fail("/a.nml", page())
    with pytest.raises(SourceError, match="no model"):
        download_url(f"{server.url}/a.nml", cache=tmp_path, manners=HASTY)


def test_files_of_the_web_that_differ_in_their_query_are_two(
    server: ModelDBServer, tmp_path: Path
) -> None:
    for number in (b"1", b"2"):
        server.fail("/get", status(200, number))
        url = f"{server.url}/get?id={number.decode()}"
        assert download_url(url, cache=tmp_path, manners=HASTY).read_bytes() == number
    server.fail("/get", status(200, b"3"))
    assert download_url(url, cache=tmp_path, manners=HASTY).read_bytes() == b"2"
    assert server.count("/get") == 2


def test_a_file_of_the_web_is_not_there(server: ModelDBServer, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing for everyone") as caught:
        download_url(f"{server.url}/no.nml", cache=tmp_path, manners=HASTY)
    assert (caught.value.found, server.count("/no.nml")) == ("status 403 Forbidden", 1)
    with pytest.raises(SourceError, match="no server is to be asked"):
        download_url(f"{server.url}/no.nml", cache=tmp_path, offline=True)
