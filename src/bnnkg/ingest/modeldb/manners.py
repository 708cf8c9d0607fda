"""How politely a server is asked: pace, patience, and how long to wait before asking again."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from bnnkg.ingest.modeldb.cache import locked


@dataclass(frozen=True)
class Manners:
    """How politely a server is asked.

    Attributes:
        requests_per_s: Most requests in a second, of all processes that share a cache.
        timeout_s: How long a server may be silent; a slow one that goes on talking is borne.
        attempts: How often one thing is asked for before giving up.
        backoff_s: First wait before asking again; each next one is twice as long.
        longest_wait_s: No wait is longer; a server that asks for more is given up.
    """

    requests_per_s: float = 2.0
    timeout_s: float = 30.0
    attempts: int = 5
    backoff_s: float = 1.0
    longest_wait_s: float = 300.0

    def wait_s(self, failures: int) -> float:
        """How long to wait after so many failures in a row, in seconds.

        Between a half and the whole of ``backoff_s * 2 ** (failures - 1)``, at random, so that
        clients that failed together do not come back together.
        """
        whole = min(self.longest_wait_s, self.backoff_s * 2.0 ** min(failures - 1, 30))
        return whole * random.uniform(0.5, 1.0)  # noqa: S311  (no secret hangs on it)


def retry_after_s(header: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, given as a number or as a date (RFC 9110).

    Returns:
        Seconds, never negative; absent where there is no such header, or it says nothing.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


class Pace:
    """Keeps the requests of all processes apart that share a file.

    Args:
        path: The file; it holds when the last request began.
        requests_per_s: Most requests in a second.
    """

    def __init__(self, path: Path, requests_per_s: float) -> None:
        self._path = path
        self._interval_s = 1.0 / requests_per_s

    def wait(self) -> None:
        """Returns when the next request may begin."""
        with locked(self._path) as descriptor:
            last = _time(os.pread(descriptor, 64, 0))
            wait_s = last + self._interval_s - time.time()
            time.sleep(min(max(0.0, wait_s), self._interval_s))
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, repr(time.time()).encode(), 0)


def _time(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
