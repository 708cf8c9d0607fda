"""A ModelDB on this machine: the forms that its API and downloads have, and ways to fail.

Its models are made up. By default an archive is sent as the real server sends it: whole, with its
size, and with neither tag nor date. ``has_validators`` makes it one that can be asked for a part.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import threading
import time
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = Callable[["Handler"], None]

MOD = """TITLE leak
NEURON { SUFFIX leaky NONSPECIFIC_CURRENT i RANGE g, e }
PARAMETER { g = .001 (S/cm2)  e = -65 (mV) }
ASSIGNED { v (mV)  i (mA/cm2) }
BREAKPOINT { i = g*(v - e) }
"""
HOC = 'load_file("nrngui.hoc")\ncreate soma\nsoma { insert leaky }\n'


def objects(*pairs: tuple[int, str], attr_id: int = 0) -> dict[str, Any]:
    """An attribute that lists objects, wrapped as the API wraps them."""
    listed = [{"object_id": id_, "object_name": name} for id_, name in pairs]
    return {"value": listed, "attr_id": attr_id}


def model_form(accession: int, /, **changes: Any) -> dict[str, Any]:
    """What ``/api/v1/models/ID`` answers, with those who made it as the real one names them."""
    form = {
        "id": accession,
        "name": "Leaky cell of the olfactory bulb (Doe & Roe 2001)",
        "created": "2001-05-03T10:01:45",
        "ver_number": 7,
        "ver_date": "2018-11-02T09:00:00",
        "class_id": 19,
        "gitrepo": True,
        "license": "MIT",
        "notes": {
            "value": "A cell that only leaks.\r\nQuestions to jane.doe@example.org, or ask"
            " Jane Doe in person; code is available at example.org.",
            "attr_id": 24,
        },
        "public_submitter_email": {"value": "submitter@example.org", "attr_id": 309},
        "implemented_by": objects((501, "Doe, Jane [Jane.Doe at example.org]"), attr_id=299),
        "_implementers_text": "Implementer Person",
        "data_to_curate": {"modelername": "Submitter Person", "rwac": "$2b$12$secret"},
        "neurons": objects((265, "Olfactory bulb main mitral GLU cell"), attr_id=25),
        "receptors": objects((205, "NMDA"), (206, "AMPA"), attr_id=26),
        "currents": objects((241, "I Na,p"), (245, "I L high threshold"), attr_id=27),
        "neurotransmitters": objects((214, "Glutamate"), attr_id=28),
        "gene": objects((1001, "Kv1.1 KCNA1"), attr_id=476),
        "region": objects((115956, "Mouse"), (115946, "Olfactory bulb"), attr_id=471),
        "model_type": objects((3537, "Neuron or other electrically excitable cell"), attr_id=112),
        "model_concept": objects((3639, "Dendritic Action Potentials"), attr_id=113),
        "modeling_application": objects((1882, "NEURON"), attr_id=114),
        "model_paper": objects((7001, "Doe J, Roe R (2001)"), attr_id=155),
    }
    return {key: value for key, value in (form | changes).items() if value is not None}


def paper_form(id_: int = 7001, /, **changes: Any) -> dict[str, Any]:
    """What ``/api/v1/papers/ID`` answers."""
    form = {
        "id": id_,
        "name": "Doe J, Roe R (2001)",
        "authors": objects((31, "Doe J"), (32, "Roe R"), attr_id=148),
        "year": {"value": "2001", "attr_id": 154},
        "title": {"value": "Leaks of cells", "attr_id": 139},
        "journal": {"value": "J Leaks", "attr_id": 146},
        "volume": {"value": "12:34-56", "attr_id": 147},
        "doi": {"value": "10.1000/leaks.2001.12", "attr_id": 152},
        "pubmed_id": {"value": "1", "attr_id": 153},
        "references": objects((7000, "Poe P (1999)"), attr_id=140),
    }
    return {key: value for key, value in (form | changes).items() if value is not None}


def archive(**files: str) -> bytes:
    """A zip; by default of a mechanism and a cell that has it. The same each time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in (files or {"leak/leak.mod": MOD, "leak/mosinit.hoc": HOC}).items():
            made.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


@dataclass
class Request:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    at: float


@dataclass
class ModelDBServer:
    """What the server has and does.

    Attributes:
        forms: What the API answers, by path below ``/api/v1``.
        archives: Zips by accession.
        has_validators: Whether downloads have a tag and a date, and can be asked for a part.
        requests: Every request so far.
    """

    forms: dict[str, Any] = field(default_factory=dict)
    archives: dict[str, bytes] = field(default_factory=dict)
    has_validators: bool = False
    etag_is_weak: bool = False
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    _faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, accession: int, content: bytes | None = None, **changes: Any) -> None:
        """Adds a model; attributes that are None are left out of its form."""
        self.forms[f"models/{accession}"] = model_form(accession, **changes)
        self.archives[str(accession)] = archive() if content is None else content
        models = {path.partition("/")[2] for path in self.forms if path.startswith("models/")}
        self.forms["models"] = [int(text) for text in models]
        self.forms["papers/7001"] = paper_form()
        self.forms["regions/115956"] = {"id": 115956, "parent": {"object_name": "Species"}}
        self.forms["regions/115946"] = {"id": 115946, "parent": {"object_name": "Vertebrates"}}

    def fail(self, path: str, *faults: Fault) -> None:
        """Lets the next requests of a path fail, each in its way; then all is well again."""
        self._faults[path].extend(faults)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(request.path == path for request in self.requests)

    def last(self, path: str) -> Request:
        """The last request of a path."""
        return [request for request in self.requests if request.path == path][-1]

    def note(self, request: Request) -> Fault | None:
        """Takes a request down; how it is to fail, if it is."""
        with self._lock:
            self.requests.append(request)
            faults = self._faults[request.path]
            return faults.popleft() if faults else None


class Handler(BaseHTTPRequestHandler):
    """Answers as ModelDB does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    modeldb: ModelDBServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        fault = self.modeldb.note(Request(path, dict(self.headers.items()), time.monotonic()))
        if fault is not None:
            fault(self)
        elif path.startswith("/api/v1/"):
            self._answer_form(path.removeprefix("/api/v1/"))
        else:
            self._answer_download(path)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def send(self, status: int, content: bytes = b"", /, **headers: str) -> None:
        """A whole answer; ``_`` in a header's name stands for ``-``."""
        self.begin(status, len(content), **headers)
        self.wfile.write(content)

    def begin(self, status: int, n_bytes: int | None, /, **headers: str) -> None:
        """The head of an answer."""
        self.send_response(status)
        if n_bytes is not None:
            self.send_header("Content-Length", str(n_bytes))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _answer_form(self, path: str) -> None:
        if path not in self.modeldb.forms:
            return self.send(404, b"404 Not Found", Content_Type="text/html; charset=utf-8")
        content = json.dumps(self.modeldb.forms[path]).encode()
        return self.send(200, content, Content_Type="application/json")

    def content(self) -> bytes | None:
        """The archive that is asked for; absent where there is none."""
        return self.modeldb.archives.get(self.path.partition("?")[0].rpartition("/")[2])

    def _answer_download(self, path: str) -> None:
        content = self.content()
        if content is None:
            return self.send(403, b"Forbidden", Content_Type="text/html; charset=utf-8")
        headers = {"Content_Type": "application/zip"}
        name = path.rpartition("/")[2]
        headers["Content_Disposition"] = f"attachment; filename={name}.zip"
        if not self.modeldb.has_validators:
            return self.send(200, content, **headers)
        tag = etag(content, weak=self.modeldb.etag_is_weak)
        headers |= {"ETag": tag, "Last_Modified": last_modified(content)}
        if self.headers.get("If-None-Match") == tag:
            return self.send(304, **headers)
        part = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if part is None or self.headers.get("If-Range") not in (tag, headers["Last_Modified"]):
            return self.send(200, content, **headers)
        start = int(part[1])
        if start >= len(content):
            return self.send(416, Content_Range=f"bytes */{len(content)}")
        whole = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self.send(206, content[start:], Content_Range=whole, **headers)


def etag(content: bytes, *, weak: bool = False) -> str:
    """Tag of an archive."""
    return ("W/" if weak else "") + f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def last_modified(content: bytes) -> str:
    """A date that is another one for each archive."""
    return formatdate(int(hashlib.sha256(content).hexdigest()[:7], 16), usegmt=True)


def status(code: int, content: bytes = b"", **headers: str) -> Fault:
    """Another status."""
    return lambda handler: handler.send(code, content, **headers)


def page(content: bytes = b"<!DOCTYPE html><html>Sign in</html>") -> Fault:
    """A web page in place of what was asked for."""
    return status(200, content, Content_Type="text/html; charset=utf-8")


def answer(content: bytes, **headers: str) -> Fault:
    """Anything."""
    return status(200, content, Content_Type="application/json", **headers)


def dropped(handler: Handler) -> None:
    """The connection ends before an answer."""
    handler.close_connection = True


def cut(n_bytes: int, *, tells_size: bool = True) -> Fault:
    """An archive that ends early; without its size, the end cannot be told from the cut."""

    def fault(handler: Handler) -> None:
        _send_part(handler, n_bytes, tells_size=tells_size)
        handler.close_connection = True

    return fault


def stalled(n_bytes: int) -> Fault:
    """An archive of which no more comes, while the connection stays."""

    def fault(handler: Handler) -> None:
        _send_part(handler, n_bytes)
        handler.modeldb.ended.wait(20)
        handler.close_connection = True

    return fault


def trickling(*, n_parts: int, pause_s: float) -> Fault:
    """An archive that comes slowly, but comes."""

    def fault(handler: Handler) -> None:
        content = handler.content() or b""
        handler.begin(200, len(content), Content_Type="application/zip")
        step = -(-len(content) // n_parts)
        for start in range(0, len(content), step):
            time.sleep(pause_s)
            handler.wfile.write(content[start : start + step])
            handler.wfile.flush()

    return fault


def _send_part(handler: Handler, n_bytes: int, *, tells_size: bool = True) -> None:
    content = handler.content() or b""
    tag = etag(content, weak=handler.modeldb.etag_is_weak)
    validators = {"ETag": tag, "Last_Modified": last_modified(content)}
    headers = validators if handler.modeldb.has_validators else {}
    size = len(content) if tells_size else None
    handler.begin(200, size, Content_Type="application/zip", **headers)
    handler.wfile.write(content[:n_bytes])
    handler.wfile.flush()


class _Server(ThreadingHTTPServer):
    """Its clients may leave when they like."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(modeldb: ModelDBServer) -> Iterator[ModelDBServer]:
    """Runs the server while the block runs; its address is ``url``."""
    handler = type("BoundHandler", (Handler,), {"modeldb": modeldb})
    server = _Server(("127.0.0.1", 0), handler)
    modeldb.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield modeldb
    finally:
        modeldb.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
