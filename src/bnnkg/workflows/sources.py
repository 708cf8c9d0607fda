"""What a user asks to ingest: arguments and manifests, brought here from wherever they are."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bnnkg.errors import SourceError, UsageError
from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.ingest import Source
    from bnnkg.ingest.modeldb import ModelDB
    from bnnkg.settings import Settings

MANIFEST_COLUMNS = ("source", "name", "accession", "licence", "doi")
MODELDB = "modeldb:"
EVERY_ACCESSION = "all"


@dataclass(frozen=True)
class Wanted:
    """One source as it was asked for.

    Attributes:
        text: The source as the user wrote it.
        key: Key of its model.
        given: What else is said of it: name, accession, licence, doi.
    """

    text: str
    key: str
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lost:
    """A source that cannot be had, kept so that the report names it."""

    wanted: Wanted
    error: SourceError


class Finder:
    """Finds sources: on this machine, at a URL, in ModelDB.

    Args:
        settings: Where ModelDB is, and where downloads are kept.
        progress: Told of downloads.
    """

    def __init__(self, settings: Settings, progress: Progress = silent) -> None:
        self._settings = settings
        self._progress = progress
        self._open = ExitStack()
        self._modeldb: ModelDB | None = None

    def wanted(
        self,
        texts: Sequence[str],
        name: str | None = None,
        manifest: Path | None = None,
        *,
        accession: str | None = None,
    ) -> list[Wanted]:
        """All sources that arguments and a manifest ask for; ``modeldb:all`` is many.

        Raises:
            UsageError: No source, two of one key, or a manifest of another form.
            SourceError: ModelDB does not tell what it has.
        """
        given = {"name": name, "accession": accession}
        said = {key: value for key, value in given.items() if value is not None}
        _check_single(texts, said)
        rows: list[Mapping[str, str]] = [{"source": text, **said} for text in texts]
        rows += _read_manifest(manifest) if manifest else []
        if not rows:
            raise UsageError(
                "there is nothing to ingest",
                hint="name a file, a folder, an archive, a URL or modeldb:ACCESSION",
            )
        return _without_doubles([one for row in rows for one in self._expand(row)])

    def find(self, wanted: Wanted) -> Source | Lost:
        """The source, downloaded where it is not here."""
        from bnnkg.ingest import find_source

        try:
            if wanted.text.startswith(MODELDB):
                return self._from_modeldb(wanted)
            if "://" in wanted.text:
                return self._from_url(wanted)
            return find_source(wanted.text, **wanted.given)
        except SourceError as error:
            return Lost(wanted, error)

    def close(self) -> None:
        """Lets go of the network."""
        self._open.close()

    def __enter__(self) -> Finder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _expand(self, row: Mapping[str, str]) -> Iterator[Wanted]:
        text = row["source"]
        given = {name: value for name, value in row.items() if name != "source" and value}
        if text == f"{MODELDB}{EVERY_ACCESSION}":
            for accession in self._modeldb_client().accessions():
                yield Wanted(f"{MODELDB}{accession}", accession)
        else:
            yield Wanted(text, _key(text, given), given)

    def _modeldb_client(self) -> ModelDB:
        from bnnkg.ingest.modeldb import ModelDB

        if self._modeldb is None:
            self._modeldb = self._open.enter_context(
                ModelDB(
                    base_url=self._settings.modeldb_url,
                    cache=self._settings.cache_folder,
                )
            )
        return self._modeldb

    def _from_modeldb(self, wanted: Wanted) -> Source:
        from bnnkg.ingest import Source

        found = self._modeldb_client().download(_accession(wanted.text), progress=self._progress)
        entry = found.entry
        return Source(
            path=found.archive,
            key=wanted.key,
            accession=entry.accession,
            licence=wanted.given.get("licence") or entry.licence,
            doi=wanted.given.get("doi") or entry.doi,
            given=wanted.text,
            title=entry.name,
            citation=entry.citation,
            release=entry.version,
            archive_sha256=found.sha256,
            terms=entry.terms,
        )

    def _from_url(self, wanted: Wanted) -> Source:
        from bnnkg.ingest import find_source
        from bnnkg.ingest.modeldb import download_url

        path = download_url(wanted.text, cache=self._settings.cache_folder, progress=self._progress)
        found = find_source(str(path), **wanted.given)
        return replace(found, key=wanted.key, given=wanted.text)


def _check_single(texts: Sequence[str], said: Mapping[str, str]) -> None:
    """Refuses what is said of one source where there are several, or where it is known already."""
    for option in said:
        if len(texts) != 1:
            raise UsageError(
                f"--{option} is of one source", found=f"{len(texts)} sources", hint="use --manifest"
            )
    if "accession" in said and texts[0].startswith(MODELDB):
        raise UsageError(
            "the source is an accession itself", found=texts[0], hint="leave out --accession"
        )


def _accession(text: str) -> str:
    from bnnkg.ingest.modeldb import read_accession

    return read_accession(text)


def _key(text: str, given: Mapping[str, str]) -> str:
    """Key of the model: its name, else its accession, else the last part of where it is."""
    named = given.get("name") or given.get("accession")
    if named:
        return named
    if text.startswith(MODELDB):
        return _accession(text)
    if "://" in text:
        return text.partition("?")[0].rstrip("/").rpartition("/")[2] or text
    return Path(text).expanduser().resolve().name or "model"


def _without_doubles(wanted: list[Wanted]) -> list[Wanted]:
    keys: dict[str, str] = {}
    for one in wanted:
        if one.key in keys:
            raise UsageError(
                f"two sources would both be the model {one.key!r}",
                found=f"{keys[one.key]} and {one.text}",
                hint="give them different names in a --manifest, or ingest them singly with --name",
            )
        keys[one.key] = one.text
    return wanted


def _read_manifest(path: Path) -> list[Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "the manifest cannot be read", where=str(path), found=str(error)
        ) from error
    columns = set(rows[0]) if rows else set()
    if "source" not in columns or columns - set(MANIFEST_COLUMNS):
        raise UsageError(
            "the manifest has other columns", where=str(path),
            expected=", ".join(MANIFEST_COLUMNS),
            found=", ".join(sorted(map(str, columns))) or "no rows",
        )  # fmt: skip
    return [{name: value or "" for name, value in row.items()} for row in rows]
