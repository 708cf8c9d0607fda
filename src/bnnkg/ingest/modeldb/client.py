"""ModelDB, an accession at a time: its entries and archives, from the cache or the server."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bnnkg.errors import SourceError, UsageError
from bnnkg.ingest.modeldb import entries
from bnnkg.ingest.modeldb.addresses import file_name, folder_name, shown, web_address
from bnnkg.ingest.modeldb.cache import Answers
from bnnkg.ingest.modeldb.downloads import MAX_FILE_BYTES, CachedFile, Wanted
from bnnkg.ingest.modeldb.entries import Download, ModelEntry, Paper
from bnnkg.ingest.modeldb.failures import AbsentError, UnansweredError
from bnnkg.ingest.modeldb.manners import Manners
from bnnkg.ingest.sources import TermRef
from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.ingest.modeldb.web import Web

EVERY_ACCESSION = "all"
WEEK_S = 7 * 86_400.0
MAX_PAPERS = 20

_log = logging.getLogger(__name__)
_ACCESSION = re.compile(r"[1-9][0-9]{0,8}")


def read_accession(text: str) -> str:
    """The accession in a source's name.

    Args:
        text: ``modeldb:26997``, or ``modeldb:all``.

    Returns:
        The digits, or ``EVERY_ACCESSION``.

    Raises:
        UsageError: It is neither.
    """
    scheme, _, accession = text.partition(":")
    if scheme == "modeldb" and (accession == EVERY_ACCESSION or _ACCESSION.fullmatch(accession)):
        return accession
    raise UsageError(
        "this is no accession of ModelDB",
        expected="modeldb: and the number of a model, such as modeldb:26997, or modeldb:all",
        found=text,
    )


class ModelDB:
    """A ModelDB, read through a cache.

    What was read once is kept for a week before it is asked for again, and serves for longer where
    the server cannot be reached. Several processes may share a cache.

    Args:
        base_url: Where ModelDB is; its API is below ``/api/v1``.
        cache: Folder that holds the cache; processes that share it keep one pace.
        offline: Whether the cache alone is read, of whatever age.
        manners: How politely the server is asked.
        max_age_s: How long what is in the cache is good without asking.
        max_archive_bytes: No archive is larger.

    Raises:
        UsageError: The address is none of the web.
    """

    def __init__(
        self,
        *,
        base_url: str,
        cache: Path,
        offline: bool = False,
        manners: Manners | None = None,
        max_age_s: float = WEEK_S,
        max_archive_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        self._base_url = web_address(base_url).rstrip("/")
        self._cache = cache
        self._folder = cache / "modeldb" / folder_name(self._base_url)
        self._answers = Answers(self._folder, offline=offline, max_age_s=max_age_s)
        self._offline = offline
        self._manners = manners or Manners()
        self._max_age_s = max_age_s
        self._max_archive_bytes = max_archive_bytes
        self._opened: Web | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def accessions(self) -> list[str]:
        """Accessions of all public models, in numeric order.

        Raises:
            SourceError: The list is not in the cache and cannot be had, or has another form.
        """
        return self._answers.get(
            "accessions.json",
            fetch=lambda: entries.read_accessions(*self._ask("models")),
            load=lambda stored: entries.read_accessions(stored, "the cache"),
        )

    def entry(self, accession: str) -> ModelEntry:
        """What ModelDB says of a model.

        Args:
            accession: Its number.

        Raises:
            UsageError: That is no number of a model.
            SourceError: There is no such model, its entry is neither in the cache nor to be had,
                or it has another form.
        """
        _check_accession(accession)
        return self._answers.get(
            f"{accession}/entry.json",
            fetch=lambda: self._fetch_entry(accession),
            load=entries.entry_of,
        )

    def download(self, accession: str, progress: Progress = silent) -> Download:
        """A model's archive, with its entry.

        Args:
            accession: Its number.
            progress: Told of every part that arrives, in bytes.

        Raises:
            UsageError: That is no number of a model.
            SourceError: As ``entry``; or there is no archive, it cannot be had, is too large, or
                is no zip.
        """
        entry = self.entry(accession)
        url = f"{self._base_url}/download/{accession}"
        task = f"downloading modeldb:{accession}"
        wanted = Wanted(url, f"{accession}.zip", task, version=entry.version)
        file = CachedFile(self._folder / accession, wanted, progress, self._max_archive_bytes)
        try:
            obtained = file.obtain(None if self._offline else self._web, self._max_age_s)
        except (AbsentError, UnansweredError) as error:
            raise SourceError(
                f"the archive of model {accession} cannot be fetched",
                where=error.where,
                expected="a zip",
                found=error.found,
                hint="try again later; some entries only tell where a model is and have no"
                f" archive: see {shown(self._base_url)}/{accession}",
            ) from error
        return Download(entry, obtained.path, obtained.sha256, obtained.from_cache)

    def _fetch_entry(self, accession: str) -> ModelEntry:
        try:
            answer, where = self._ask(f"models/{accession}")
        except AbsentError as error:
            raise SourceError(
                f"ModelDB has no public model {accession}",
                where=error.where,
                found=error.found,
                hint=f"look for its number at {shown(self._base_url)}",
            ) from error
        entry, papers = entries.read_model(answer, where, accession)
        read = [self._paper(reference) for reference in papers[:MAX_PAPERS]]
        citation = "\n".join(paper.citation for paper in read if paper.citation)
        return replace(
            entry,
            terms=tuple(self._told_as_species(term) for term in entry.terms),
            citation=citation or entry.citation,
            doi=next((paper.doi for paper in read if paper.doi), None),
        )

    def _told_as_species(self, term: TermRef) -> TermRef:
        """The term, of kind species if ModelDB lists it as such among its regions."""
        if term.kind != "region" or term.id is None:
            return term
        parent = self._answers.get(
            f"regions/{term.id}.json",
            fetch=lambda: self._parent(term),
            load=entries.maybe_text,
        )
        return replace(term, kind="species") if parent == entries.SPECIES else term

    def _parent(self, region: TermRef) -> str | None:
        try:
            return entries.read_parent(*self._ask(f"regions/{region.id}"))
        except AbsentError as error:
            _log.warning("%s: ModelDB has no form of its own region %s", error.where, region.name)
            return None

    def _paper(self, reference: TermRef) -> Paper:
        """A paper; only its name where ModelDB lists one that it has no form of."""
        try:
            if reference.id is not None:
                return entries.read_paper(*self._ask(f"papers/{reference.id}"))
        except AbsentError as error:
            _log.warning("%s: ModelDB has no form of its own paper %s", error.where, reference.name)
        return Paper(reference.name)

    def _ask(self, path: str) -> tuple[object, str]:
        """What the API answers, and the address for errors."""
        url = f"{self._base_url}/api/v1/{path}"
        return self._web().json(url), shown(url)

    def _web(self) -> Web:
        if self._opened is None:
            self._opened = _open_web(self._manners, self._cache)
        return self._opened


def download_url(
    url: str,
    *,
    cache: Path,
    progress: Progress = silent,
    offline: bool = False,
    manners: Manners | None = None,
    max_age_s: float = WEEK_S,
    max_bytes: int = MAX_FILE_BYTES,
) -> Path:
    """A file of the web, in the cache: a zip of a model, or a document.

    Args:
        url: Its address.
        cache: Folder that holds the cache; processes that share it keep one pace.
        progress: Told of every part that arrives, in bytes.
        offline: Whether the cache alone is read.
        manners: How politely the server is asked.
        max_age_s: How long the server need not be asked whether the file is still its own.
        max_bytes: No file is larger.

    Returns:
        The file, named as at its address; a zip always ends in ``.zip``.

    Raises:
        UsageError: The address is none of the web.
        SourceError: The file cannot be had, is too large, or is a web page.
    """
    name = file_name(web_address(url))
    wanted = Wanted(url, name, f"downloading {name}", is_zip=name.lower().endswith(".zip"))
    file = CachedFile(cache / "web" / folder_name(url), wanted, progress, max_bytes)
    if offline:
        return file.obtain(None, max_age_s).path
    with _open_web(manners or Manners(), cache) as web:
        return file.obtain(lambda: web, max_age_s).path


def _open_web(manners: Manners, cache: Path) -> Web:
    from bnnkg.ingest.modeldb.web import Web

    return Web(manners, cache / "modeldb" / "pace")


def _check_accession(accession: str) -> None:
    if not _ACCESSION.fullmatch(accession):
        raise UsageError(
            "this is no accession of ModelDB",
            expected="the number of a model, such as 26997",
            found=accession,
        )
