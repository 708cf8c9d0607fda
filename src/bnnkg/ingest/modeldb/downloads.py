"""Files of servers in the cache: resumed where they were cut, checked whenever they are used."""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bnnkg.errors import SourceError
from bnnkg.ingest.modeldb.addresses import shown
from bnnkg.ingest.modeldb.cache import locked, read_json, sha256_of, write_json, writing
from bnnkg.ingest.modeldb.failures import PassingError, UnansweredError, check_size
from bnnkg.ingest.modeldb.kept import FileHeaders, Kept, file_headers, kept_of
from bnnkg.progress import Progress

if TYPE_CHECKING:
    import httpx

    from bnnkg.ingest.modeldb.web import Web

MAX_FILE_BYTES = 2 * 2**30
MUCH_BYTES = 2**20
"""An attempt that brought as much is not counted against those that go on from there."""

_log = logging.getLogger(__name__)
_ZIP_BEGINS = b"PK\x03\x04"


@dataclass(frozen=True)
class Wanted:
    """A file that is wanted from a server.

    Attributes:
        url: Where it is.
        name: Its name in the cache.
        task: What is being done, for progress.
        version: What its server calls its state; absent where the server says nothing of it.
        is_zip: Whether it must be a zip; where it need not, any file but a web page will do.
    """

    url: str
    name: str
    task: str
    version: str | None = None
    is_zip: bool = True


@dataclass(frozen=True)
class Obtained:
    """A file of the cache whose hash was just computed, and whether nothing was fetched for it."""

    path: Path
    sha256: str
    from_cache: bool


class CachedFile:
    """One file of a server and its place in the cache.

    Args:
        folder: Holds the file, what is known of it, and what came of it before a cut.
        wanted: The file.
        progress: Told of every part that arrives, in bytes.
        max_bytes: No file is larger.
    """

    def __init__(
        self, folder: Path, wanted: Wanted, progress: Progress, max_bytes: int = MAX_FILE_BYTES
    ) -> None:
        self._folder = folder
        self._wanted = wanted
        self._progress = progress
        self._max_bytes = max_bytes
        self._beside = folder / "file.json"
        self._part = folder / "file.part"
        self._part_beside = folder / "file.part.json"

    def obtain(self, open_web: Callable[[], Web] | None, max_age_s: float) -> Obtained:
        """The file, from the cache where it is right and of late, else from its server.

        Args:
            open_web: Gives the way to the server; absent where none is to be asked.
            max_age_s: How long the server need not be asked whether the file is still its own.

        Raises:
            SourceError: It cannot be had, and the message says why.
        """
        with locked(self._folder / "lock"):
            kept = self._kept()
            if kept and (open_web is None or kept.is_of_late(self._wanted.version, max_age_s)):
                return self._from_cache(kept)
            if open_web is None:
                raise self._not_cached()
            return self._fetch(open_web(), kept)

    def _kept(self) -> Kept | None:
        """What is in the cache, its hash computed anew; absent where it is not what it was."""
        stored = read_json(self._beside)
        if stored is None:
            return None
        try:
            kept = kept_of(stored)
            path = self._folder / kept.name
            if path.stat().st_size == kept.n_bytes and sha256_of(path) == kept.sha256:
                return kept
            why = f"{kept.name} was changed, its SHA-256 is no longer {kept.sha256}"
        except (TypeError, ValueError, OSError) as error:
            why = str(error)
        _log.warning("%s: the cached file is not used: %s", self._folder, why)
        return None

    def _from_cache(self, kept: Kept) -> Obtained:
        return Obtained(self._folder / kept.name, kept.sha256, from_cache=True)

    def _fetch(self, web: Web, kept: Kept | None) -> Obtained:
        try:
            arrived = web.trying(lambda: self._attempt(web, kept))
        except UnansweredError as error:
            if kept is None:
                raise
            told = "%s: what the cache holds is used instead: %s"
            _log.warning(told, error.where, error.found)
            return self._from_cache(kept)
        if arrived is not None:
            return self._take_over(arrived)
        assert kept is not None
        kept = replace(kept, version=self._wanted.version, checked_at=time.time())
        write_json(self._beside, asdict(kept))
        return self._from_cache(kept)

    def _attempt(self, web: Web, kept: Kept | None) -> FileHeaders | None:
        """Fetches the file, or the rest of it; nothing where the one in the cache is right."""
        n_had, validator = self._begun()
        try:
            arrived = self._ask(web, kept, n_had, validator)
        except PassingError as error:
            error.got_further = self._begun()[0] - n_had >= MUCH_BYTES
            raise
        if arrived is not None:
            self._check_content()
        return arrived

    def _begun(self) -> tuple[int, str]:
        """Bytes that came before a cut, and what tells whether the file is still the same."""
        if not self._part.is_file():
            return 0, ""
        validator = (read_json(self._part_beside) or {}).get("validator")
        if isinstance(validator, str) and validator:
            return self._part.stat().st_size, validator
        return 0, ""

    def _ask(self, web: Web, kept: Kept | None, n_had: int, validator: str) -> FileHeaders | None:
        asked = {"Range": f"bytes={n_had}-", "If-Range": validator} if n_had else {}
        if not n_had and kept is not None:
            asked = kept.conditions
        statuses = (206, 416, 200) if n_had else (304, 200) if asked else (200,)
        headers = {"Accept-Encoding": "identity", **asked}
        with web.answer(self._wanted.url, headers, statuses=statuses) as response:
            if response.status_code == 304:
                return None
            arriving = file_headers(response.status_code, response.headers)
            goes_on = arriving.start == n_had and arriving.validator == validator
            if response.status_code == 416 or (response.status_code == 206 and not goes_on):
                self._forget_part()
                raise self._cut("it cannot go on where the file was cut")
            self._check_kind(arriving)
            self._receive(response, arriving)
        return arriving

    def _check_kind(self, arriving: FileHeaders) -> None:
        if arriving.kind in ("text/html", "application/xhtml+xml"):
            raise self._wrong(f"a web page ({arriving.kind})")
        if arriving.encoding != "identity":
            raise self._wrong(f"something packed once more ({arriving.encoding[:30]})")

    def _receive(self, response: httpx.Response, arriving: FileHeaders) -> None:
        n_bytes = arriving.start or 0
        check_size(arriving.total, self._max_bytes, shown(self._wanted.url))
        with writing(self._part), self._part.open("ab" if n_bytes else "wb") as file:
            if not n_bytes:
                write_json(self._part_beside, {"validator": arriving.validator})
            for content in response.iter_raw():
                n_bytes += len(content)
                check_size(n_bytes, self._max_bytes, shown(self._wanted.url))
                file.write(content)
                note = f"{n_bytes / 1e6:.1f} MB"
                self._progress(self._wanted.task, n_bytes, arriving.total, note)
        if arriving.total is not None and n_bytes != arriving.total:
            raise self._cut(f"it ended after {n_bytes} of {arriving.total} bytes")

    def _check_content(self) -> None:
        """Throws away what is complete but not what was wanted."""
        if not self._wanted.is_zip or zipfile.is_zipfile(self._part):
            return
        begins = self._begins()
        self._forget_part()
        if begins == _ZIP_BEGINS:
            raise self._cut("the zip ends before its end")
        raise self._wrong("a web page" if begins.lstrip()[:1] == b"<" else "something else")

    def _begins(self) -> bytes:
        with self._part.open("rb") as file:
            return file.read(len(_ZIP_BEGINS))

    def _take_over(self, arrived: FileHeaders) -> Obtained:
        name = self._wanted.name
        with writing(self._part):
            if self._begins() == _ZIP_BEGINS and not name.lower().endswith(".zip"):
                name += ".zip"  # by which readers know one
            kept = Kept(
                name,
                sha256_of(self._part),
                self._part.stat().st_size,
                time.time(),
                version=self._wanted.version,
                etag=arrived.etag,
                last_modified=arrived.last_modified,
            )
            self._part.replace(self._folder / name)
            self._part_beside.unlink(missing_ok=True)
        write_json(self._beside, asdict(kept))
        return Obtained(self._folder / name, kept.sha256, from_cache=False)

    def _forget_part(self) -> None:
        with writing(self._part):
            self._part.unlink(missing_ok=True)
            self._part_beside.unlink(missing_ok=True)

    def _not_cached(self) -> SourceError:
        return SourceError(
            "the file is not in the cache, and no server is to be asked",
            where=shown(self._wanted.url),
            found=f"nothing of use in {self._folder}",
            hint="fetch it once with the network",
        )

    def _cut(self, what: str) -> PassingError:
        return PassingError(what, where=shown(self._wanted.url))

    def _wrong(self, found: str) -> SourceError:
        return SourceError(
            "what the server sends is no model",
            where=shown(self._wanted.url),
            expected="a zip" if self._wanted.is_zip else "a file of a model, or a zip",
            found=found,
            hint="see what the address answers in a browser",
        )
