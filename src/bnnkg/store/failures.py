"""The driver's exceptions, turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bnnkg.errors import (
    BnnkgError,
    QueryError,
    StoreAuthError,
    StoreError,
    StoreUnavailableError,
    WriteRefusedError,
)

if TYPE_CHECKING:
    from neo4j.exceptions import Neo4jError


@contextmanager
def translated(uri: str, cypher: str | None = None, *, added: int = 0) -> Iterator[None]:
    """Raises errors of ours for those of the driver.

    Args:
        uri: Address of the database, without credentials.
        cypher: The query of a user that it concerns, for its place in it.
        added: Characters that stand before it in what was sent.
    """
    from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

    try:
        yield
    except Neo4jError as error:
        raise _from_server(error, uri, cypher, added) from error
    except ConfigurationError as error:
        raise StoreUnavailableError(
            "this is no address of a database",
            where=uri,
            expected="bolt://HOST:PORT, neo4j://HOST:PORT, their +s forms, or a folder",
            found=str(error),
        ) from error
    except DriverError as error:
        raise _unavailable(uri, str(error)) from error
    except (OSError, ValueError) as error:
        raise _unavailable(uri, str(error)) from error


def _unavailable(uri: str, found: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        "no database answers",
        where=uri,
        found=found.splitlines()[0] if found else None,
        hint="start it (bnnkg db start, for a local one), or check the address given by --db",
    )


def _from_server(error: Neo4jError, uri: str, cypher: str | None, added: int) -> BnnkgError:
    code, message = error.code or "", error.message or str(error)
    if ".Security." in code:
        return _refused(code, message, uri)
    if _is_full(code, message):
        return StoreError(
            "the database's disk is full",
            where=uri,
            found=message.splitlines()[0],
            hint="make room and run the command again; a half-loaded model is then removed",
        )
    if "MemoryPool" in code or "OutOfMemory" in code or "StackOverFlow" in code:
        return StoreError(
            "the database has too little memory for this", where=uri, found=message.splitlines()[0]
        )
    if "AccessMode" in code:
        return WriteRefusedError(
            "the query writes, and was run read-only", hint="use --write to let it change the graph"
        )
    if "DatabaseUnavailable" in code or "DatabaseNotFound" in code:
        return _unavailable(uri, message)
    if cypher is not None:
        return _of_query(error, message, cypher, added)
    return StoreError("the database refused", where=uri, found=f"{message} ({code})")


def _refused(code: str, message: str, uri: str) -> StoreAuthError:
    if code.endswith("Forbidden"):
        return StoreAuthError("this user may not do that", where=uri, found=message)
    return StoreAuthError(
        "the database does not accept these credentials",
        where=uri,
        hint="set BNNKG_USER and BNNKG_PASSWORD (or BNNKG_PASSWORD_FILE)",
    )


def _is_full(code: str, message: str) -> bool:
    text = message.lower()
    return "DiskSpace" in code or "no space left" in text or "disk space" in text


def _of_query(error: Neo4jError, message: str, cypher: str, added: int) -> QueryError:
    what = message.splitlines()[0].split(" (line ")[0]
    offset = _offset(error, message)
    if offset is None or offset < added:
        return QueryError(what)
    return QueryError(
        what, where=_place(cypher, offset - added), found=_pointed(cypher, offset - added)
    )


def _offset(error: Neo4jError, message: str) -> int | None:
    position = (getattr(error, "diagnostic_record", None) or {}).get("_position")
    if isinstance(position, dict) and "offset" in position:
        return int(position["offset"])
    _, found, rest = message.partition("(offset: ")
    digits = rest.partition(")")[0]
    return int(digits) if found and digits.isdecimal() else None


def _place(cypher: str, offset: int) -> str:
    before = cypher[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - before.rfind(chr(10))}"


def _pointed(cypher: str, offset: int) -> str:
    """The line of the query, and under it a caret at the place."""
    start = cypher.rfind("\n", 0, offset) + 1
    line = cypher[start:].partition("\n")[0]
    return f"{line}\n         {' ' * (offset - start)}^"
