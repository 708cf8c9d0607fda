"""The local Neo4j: fetched once, started when needed, stopped when idle."""

from bnnkg.store.server.life import ServerStatus, read_password, start, status, stop
from bnnkg.store.server.versions import DEFAULT_VERSION, SUPPORTED_VERSIONS

__all__ = [
    "DEFAULT_VERSION",
    "SUPPORTED_VERSIONS",
    "ServerStatus",
    "read_password",
    "start",
    "status",
    "stop",
]
