"""What stands beside a file in the cache, and what the headers of an answer say of a file."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")


@dataclass(frozen=True)
class Kept:
    """What stands beside a file in the cache.

    Attributes:
        name: Name of the file.
        sha256: In hexadecimal.
        n_bytes: Its size.
        checked_at: When the server last said that this is its state, in seconds since 1970.
        version: What its server called its state.
        etag: Its entity tag.
        last_modified: Its date, as the server wrote it.
    """

    name: str
    sha256: str
    n_bytes: int
    checked_at: float
    version: str | None = None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for the file only where it is another one by now."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}

    def is_of_late(self, version: str | None, max_age_s: float) -> bool:
        """Whether the server need not be asked if this is still its state.

        Args:
            version: What the server calls its state now.
            max_age_s: How long its word is good. Where it has a version but sends neither tag nor
                date, the version is all that it can tell, and is good until it changes.
        """
        if self.version != version:
            return False
        is_young = 0 <= time.time() - self.checked_at < max_age_s
        return is_young or (version is not None and not self.conditions)


def kept_of(stored: dict[str, object]) -> Kept:
    """What stood beside a file, as it was written.

    Raises:
        TypeError: It was written otherwise.
    """
    kept = Kept(**stored)  # type: ignore[arg-type]  # its types are looked at below
    texts = (kept.version, kept.etag, kept.last_modified)
    if not (
        isinstance(kept.name, str)
        and Path(kept.name).name == kept.name
        and isinstance(kept.checked_at, int | float)
        and all(text is None or isinstance(text, str) for text in texts)
    ):
        raise TypeError("what stands beside the file has another form")
    return kept


@dataclass(frozen=True)
class FileHeaders:
    """What an answer says of the file in it.

    Attributes:
        kind: Its media type, in small letters.
        encoding: How its content is packed; ``identity`` where it is not.
        etag: Its entity tag.
        last_modified: Its date.
        start: Place in the file where the content begins; absent where it is none that was asked.
        total: Size of the whole file; absent where the server does not say.
    """

    kind: str
    encoding: str
    etag: str | None
    last_modified: str | None
    start: int | None
    total: int | None

    @property
    def validator(self) -> str:
        """Tells whether it is still the same file: a strong tag, else a date; empty for neither."""
        strong = self.etag if self.etag and self.etag.startswith('"') else None
        return strong or self.last_modified or ""


def file_headers(status: int, headers: Mapping[str, str]) -> FileHeaders:
    """Reads the headers of an answer with status 200 or 206, names in any case."""
    start: int | None = 0
    total = _number(headers.get("Content-Length", ""))
    if status == 206:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        start = int(match[1]) if match else None
        total = _number(match[2]) if match else None
    return FileHeaders(
        kind=headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        encoding=headers.get("Content-Encoding", "").strip().lower() or "identity",
        etag=_token(headers.get("ETag")),
        last_modified=_token(headers.get("Last-Modified")),
        start=start,
        total=total,
    )


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


def _token(text: str | None) -> str | None:
    text = (text or "").strip()
    return text if 0 < len(text) <= 200 and text.isascii() and text.isprintable() else None
