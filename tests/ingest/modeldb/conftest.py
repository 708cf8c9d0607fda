"""A ModelDB on this machine, and clients that do not wait long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bnnkg.ingest.modeldb import Manners, ModelDB
from modeldb_server import ModelDBServer, serving

HASTY = Manners(requests_per_s=1000, timeout_s=20, attempts=4, backoff_s=0.01, longest_wait_s=5)

Client = Callable[..., ModelDB]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelDBServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    modeldb = ModelDBServer()
    modeldb.add(26997)
    with serving(modeldb):
        yield modeldb


@pytest.fixture
def client(server: ModelDBServer, tmp_path: Path) -> Iterator[Client]:
    opened: list[ModelDB] = []

    def make(**changes: Any) -> ModelDB:
        settings: dict[str, Any] = {"base_url": server.url, "cache": tmp_path / "cache"}
        opened.append(ModelDB(**({"manners": HASTY} | settings | changes)))
        return opened[-1]

    yield make
    for modeldb in opened:
        modeldb.close()
