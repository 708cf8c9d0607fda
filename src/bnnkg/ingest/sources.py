"""Sources of models: a file, a folder or a zip, and how their files are reached.

A source is read through a tree of files that knows where includes may lead: a local file may
include any other local file, an archive only its own. Archives are never unpacked to disk.
"""

from __future__ import annotations

import io
import lzma
import os
import posixpath
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bnnkg.errors import SourceError, UsageError

MAX_FILE_BYTES = 512 * 2**20
MAX_ARCHIVE_BYTES = 2 * 2**30
MAX_ARCHIVE_FILES = 20_000
MAX_RATIO = 200
PIECE_BYTES = 2**16
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, NotImplementedError, OSError,
    EOFError,
)  # fmt: skip


@dataclass(frozen=True)
class TermRef:
    """A word that a model's metadata name.

    Attributes:
        kind: Which list it is from, such as region or celltype.
        name: The word.
        id: Its id in ModelDB.
        ontology_id: Its id in an ontology or registry, such as ``GO:0043025``.
    """

    kind: str
    name: str
    id: str | None = None
    ontology_id: str | None = None


@dataclass(frozen=True)
class Source:
    """One source, which becomes one Model.

    Attributes:
        path: The file, folder or zip.
        key: Key of its Model: its accession, given name, or basename.
        accession: Accession in ModelDB.
        licence: Its licence.
        doi: DOI of its publication.
        given: The source as the user wrote it.
        title: Its title in ModelDB.
        citation: Publication that describes it.
        release: Version that its publisher gives it.
        archive_sha256: Hash of the archive.
        terms: Words that its metadata name.
    """

    path: Path
    key: str
    accession: str | None = None
    licence: str | None = None
    doi: str | None = None
    given: str = ""
    title: str | None = None
    citation: str | None = None
    release: str | None = None
    archive_sha256: str | None = None
    terms: tuple[TermRef, ...] = ()


def find_source(
    text: str,
    *,
    name: str | None = None,
    accession: str | None = None,
    licence: str | None = None,
    doi: str | None = None,
) -> Source:
    """Finds a source that a user named.

    Args:
        text: A path to a file, a folder or a zip.
        name: Key for its Model instead of the basename.
        accession: Accession in ModelDB; it then is the key unless ``name`` is given.
        licence: Licence to record.
        doi: DOI to record.

    Raises:
        UsageError: A URL or an accession, which is to be downloaded first.
        SourceError: There is no such file or folder.
    """
    if "://" in text or text.startswith("modeldb:"):
        raise UsageError(
            "this source is not on this machine",
            expected="a path to a file, a folder or a zip",
            found=text,
            hint="bnnkg.ingest_sources downloads it",
        )
    path = Path(text).expanduser()
    if not path.exists():
        raise SourceError(
            "there is no such file or folder", where=text, hint="check the path and its spelling"
        )
    if not (path.is_file() or path.is_dir()):
        raise SourceError(
            "this is neither a file nor a folder", where=text, hint="give a file or a folder"
        )
    key = name or accession or path.resolve().name or "model"
    return Source(path, key, accession, licence, doi, given=text)


class FileTree(ABC):
    """The files of a source, by their paths relative to it."""

    @abstractmethod
    def paths(self) -> list[str]:
        """Paths of its regular files, sorted."""

    @abstractmethod
    def pieces(self, path: str) -> Iterator[bytes]:
        """Content of a file, a piece at a time.

        Raises:
            SourceError: It cannot be read, or is too large.
        """

    def read(self, path: str) -> bytes:
        """Content of a file as a whole; raises as ``pieces`` does."""
        return b"".join(self.pieces(path))

    def open(self, path: str) -> BinaryIO:
        """A file for reading here and there; raises as ``pieces`` does."""
        return io.BytesIO(self.read(path))

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether an include may lead there."""

    def identity(self, path: str) -> str:
        """What tells one file from another, whatever path led to it."""
        return path

    def refused(self) -> Iterator[tuple[str, str]]:
        """Entries that are not read, each with the reason."""
        return iter(())


class LocalTree(FileTree):
    """A folder, or one file with what it includes.

    Args:
        root: The folder that paths are relative to.
        only: The file, where the source is one.
    """

    def __init__(self, root: Path, only: str | None = None) -> None:
        self.root = root
        self._only = only
        self._refused: list[tuple[str, str]] = []

    def paths(self) -> list[str]:
        """See FileTree."""
        if self._only is not None:
            return [self._only]
        return sorted(self._walk())

    def _walk(self) -> Iterator[str]:
        self._refused = []
        inside = self.root.resolve()
        for folder, folders, files in os.walk(self.root, onerror=self._unreadable):
            folders[:] = sorted(f for f in folders if f != ".git")
            for name in [*files, *(f for f in folders if (Path(folder) / f).is_symlink())]:
                full = Path(folder) / name
                relative = full.relative_to(self.root).as_posix()
                reason = _why_refused(full, inside)
                if reason is None:
                    yield relative
                else:
                    self._refused.append((relative, reason))

    def _unreadable(self, error: OSError) -> None:
        where = os.path.relpath(error.filename or self.root, self.root)
        self._refused.append((where, f"the folder cannot be read: {error.strerror}"))

    def refused(self) -> Iterator[tuple[str, str]]:  # noqa: D102
        return iter(self._refused)

    def pieces(self, path: str) -> Iterator[bytes]:  # noqa: D102
        with self.open(path) as stream:
            try:
                while piece := stream.read(PIECE_BYTES):
                    yield piece
            except OSError as error:
                raise _unreadable(path, error) from None

    def open(self, path: str) -> BinaryIO:  # noqa: D102
        full = self.root / path
        try:
            check_size(path, full.stat().st_size)
            return full.open("rb")
        except OSError as error:
            raise _unreadable(path, error) from None

    def exists(self, path: str) -> bool:  # noqa: D102
        try:
            return (self.root / path).is_file()
        except (OSError, ValueError):
            return False

    def identity(self, path: str) -> str:  # noqa: D102
        return os.path.realpath(self.root / path)


def _why_refused(path: Path, inside: Path) -> str | None:
    """Why a file of a folder is not read; None where it is.

    A stranger's folder may hold a link to any file of this machine.
    """
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
        return "a link that leads out of the source"
    if path.is_dir():
        return "a link to a folder, whose files are read where they are"
    return None if path.is_file() else "no regular file, or a link to nothing"


class ZipTree(FileTree):
    """A zip, read in place.

    Args:
        archive: The zip file.

    Raises:
        SourceError: It is no zip, or what it holds is larger than any model is.
    """

    def __init__(self, archive: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(archive)
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError(
                "the archive cannot be read", where=archive.name, found=str(error)
            ) from None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._refused: list[tuple[str, str]] = []
        infos = self._zip.infolist()
        self._check_caps(archive, infos)
        for info in infos:
            if not info.is_dir():
                self._sort_in(info)

    @staticmethod
    def _check_caps(archive: Path, infos: list[zipfile.ZipInfo]) -> None:
        total = sum(info.file_size for info in infos)
        packed = max(1, sum(info.compress_size for info in infos))
        if (
            len(infos) > MAX_ARCHIVE_FILES
            or total > MAX_ARCHIVE_BYTES
            or (total > 2**26 and total / packed > MAX_RATIO)
        ):
            raise SourceError(
                "the archive unpacks to more than a model can hold",
                where=archive.name,
                expected=f"at most {MAX_ARCHIVE_FILES} files and {MAX_ARCHIVE_BYTES} bytes,"
                f" {MAX_RATIO} times what is packed",
                found=f"{len(infos)} files and {total} bytes, packed into {packed}",
            )

    def _sort_in(self, info: zipfile.ZipInfo) -> None:
        name = info.filename.replace("\\", "/")
        path = posixpath.normpath(name)
        if path.startswith(("/", "../")) or path in ("..", ".") or ":" in path.split("/")[0]:
            self._refused.append((info.filename, "its path leads out of the archive"))
        elif stat.S_ISLNK(info.external_attr >> 16):
            self._refused.append((path, "a link"))
        elif path in self._entries:
            self._refused.append((path, "the archive holds another file of this path"))
        else:
            self._entries[path] = info

    def paths(self) -> list[str]:  # noqa: D102
        return sorted(self._entries)

    def refused(self) -> Iterator[tuple[str, str]]:  # noqa: D102
        return iter(self._refused)

    def pieces(self, path: str) -> Iterator[bytes]:  # noqa: D102
        info = self._entries[path]
        check_size(path, info.file_size)
        left = info.file_size
        try:
            with self._zip.open(info) as stream:
                while piece := stream.read(PIECE_BYTES):
                    left -= len(piece)
                    if left < 0:
                        raise SourceError("the file is larger than the archive says", where=path)
                    yield piece
        except _BROKEN as error:
            raise SourceError("the file cannot be unpacked", where=path, found=str(error)) from None

    def exists(self, path: str) -> bool:  # noqa: D102
        return path in self._entries


def _unreadable(path: str, error: OSError) -> SourceError:
    return SourceError("the file cannot be read", where=path, found=error.strerror or str(error))


def check_size(path: str, n_bytes: int) -> None:
    """Raises SourceError where a file is larger than what is read."""
    if n_bytes > MAX_FILE_BYTES:
        raise SourceError(
            "the file is too large",
            where=path,
            expected=f"at most {MAX_FILE_BYTES} bytes",
            found=f"{n_bytes} bytes",
        )


def open_tree(source: Source) -> FileTree:
    """The files of a source.

    Raises:
        SourceError: An archive that cannot be read.
    """
    if source.path.is_dir():
        return LocalTree(source.path)
    if source.path.suffix.lower() == ".zip":
        return ZipTree(source.path)
    return LocalTree(source.path.parent, source.path.name)


def include_path(including: str, href: str) -> str:
    """Path of an included file, relative to the source where the include is.

    Args:
        including: Path of the file that includes it.
        href: The include as written.
    """
    href = href.strip().removeprefix("file://")
    return posixpath.normpath(str(PurePosixPath(including).parent / href))
