"""Addresses of the web: which are asked, and how they are shown and kept."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from bnnkg.errors import UsageError


def web_address(url: str) -> str:
    """The address, if it is one of the web.

    Raises:
        UsageError: It is none.
    """
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        raise UsageError(
            "this is no address of the web",
            expected="an address that starts with https:// or http://",
            found=url.partition("?")[0].rpartition("@")[2],
        )
    return url


def shown(url: str) -> str:
    """An address for people: without the password and the query that it may hold."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))[:500]


def folder_name(url: str) -> str:
    """Name of the folder for what an address holds: readable, and another for each address."""
    readable = re.sub(r"[^\w.-]+", "_", shown(url).partition("://")[2], flags=re.ASCII)
    return f"{readable.strip('._')[:60]}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def file_name(url: str) -> str:
    """Name of the file at an address, without what has a meaning in paths."""
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    return re.sub(r"[^\w.-]+", "_", last, flags=re.ASCII).lstrip(".")[-100:] or "download"
