"""Columns out of an ``.npz`` that hostile code may have written.

Nothing is unpickled, nothing is allocated that the file's own directory did not announce, and
whatever is not a plain column of numbers or names is refused. Headers are matched against the one
form that numpy writes, since evaluating them as Python literals opens more than is needed.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from bnnkg.errors import SourceError
from bnnkg.ingest.parsed import Floats, Integers

Array = npt.NDArray[Any]

LARGEST = 1e100
MAX_JSON_BYTES = 64 * 2**20
MAX_FILE_BYTES = 2**30
MAX_COLUMN_BYTES = 4 * 2**30
"""Of all columns together, uncompressed."""
MAX_COLUMNS = 5_000
MAX_DIRECTORY_BYTES = 2 * 2**20
_END = struct.Struct("<4s4H2LH")
_HEADER = re.compile(
    r"\{'descr': '([<|][fiuU]\d{1,4})', 'fortran_order': (True|False), "
    r"'shape': \(((?:\d{1,12}, ?)*\d{0,12}),?\), \}[ ]*\n\Z"
)
_KINDS = {"f": ("<f8", "<f4"), "i": ("|i1", "<i2", "<i4", "<i8"), "u": ("|u1", "<u2", "<u4")}
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, ValueError,
    NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError, OSError,
)  # fmt: skip


def read_columns(path: Path) -> dict[str, Array]:
    """All columns of an ``.npz``.

    Raises:
        SourceError: No regular file, too large, no archive, or a member that is no such column.
    """
    with open_plain(path, MAX_FILE_BYTES) as file:
        _check_directory(file, path)
        try:
            with zipfile.ZipFile(file) as archive:
                _check_sizes(archive, path)
                return {
                    info.filename.removesuffix(".npy"): _column(archive, info)
                    for info in archive.infolist()
                }
        except _BROKEN as error:
            raise SourceError(
                "the columns of a run cannot be read",
                where=str(path),
                expected="an .npz as numpy writes it",
                found=f"{type(error).__name__}: {error}"[:200],
            ) from None


def read_text(path: Path) -> bytes:
    """The JSON beside the columns.

    Raises:
        SourceError: No regular file, or too large.
    """
    with open_plain(path, MAX_JSON_BYTES) as file:
        return file.read(MAX_JSON_BYTES + 1)


@contextmanager
def open_plain(path: Path, limit: int) -> Iterator[IO[bytes]]:
    """Opens a regular file of at most ``limit`` bytes; neither follows a link nor waits for a pipe.

    Raises:
        SourceError: It is none.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(
            "a file that the run should have left cannot be opened",
            where=str(path), expected="a regular file", found=error.strerror or str(error),
        ) from None  # fmt: skip
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        os.close(number)
        raise SourceError(
            "what the run left is no regular file", where=str(path),
            expected="a regular file", found=stat.filemode(status.st_mode),
        )  # fmt: skip
    with os.fdopen(number, "rb") as file:
        if status.st_size > limit:
            raise SourceError(
                "what the run left is too large", where=str(path),
                expected=f"at most {limit} bytes", found=f"{status.st_size} bytes",
            )  # fmt: skip
        yield file


def _check_directory(file: IO[bytes], path: Path) -> None:
    """Refuses a directory of millions of members before anything is made of it."""
    size = file.seek(0, os.SEEK_END)
    if size < _END.size:
        raise SourceError("the columns of a run are cut off", where=str(path))
    file.seek(size - _END.size)
    sign, _, _, _, n_members, directory, _, comment = _END.unpack(file.read(_END.size))
    file.seek(max(0, size - _END.size - 20))
    is_long = file.read(4) == b"PK\x06\x07"
    if sign != b"PK\x05\x06" or comment or is_long:
        raise SourceError(
            "the columns of a run are no archive that numpy writes", where=str(path),
            hint="run it again: the file may be cut off",
        )  # fmt: skip
    if n_members > MAX_COLUMNS or directory > MAX_DIRECTORY_BYTES:
        raise SourceError(
            "a run left too many columns", where=str(path),
            expected=f"at most {MAX_COLUMNS}", found=str(n_members),
        )  # fmt: skip
    file.seek(0)


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    if total > MAX_COLUMN_BYTES:
        raise SourceError(
            "the columns of a run are too large", where=str(path),
            expected=f"at most {MAX_COLUMN_BYTES} bytes", found=f"{total} bytes",
        )  # fmt: skip
    for info in infos:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{info.filename!r} is packed in a way that numpy does not write")
    if len({info.filename for info in infos}) < len(infos):
        raise ValueError("two members have one name")


def _column(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    with archive.open(info) as member:
        dtype, shape, order, header_bytes = _header(member)
        count = 1
        for n in shape:
            count *= n
        if header_bytes + count * dtype.itemsize != info.file_size:
            raise ValueError(f"{info.filename!r} is not as long as its header says")
        data = member.read(count * dtype.itemsize)
        if len(data) < count * dtype.itemsize or member.read(1):
            raise ValueError(f"{info.filename!r} is not as long as the directory says")
    column = np.frombuffer(data, dtype).reshape(shape, order=order)
    return _names(column, info.filename) if dtype.kind == "U" else column


def _header(member: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], Any, int]:
    start = member.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
        raise ValueError("a member is no column")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(member.read(width), "little")
    if length > 2**16:
        raise ValueError("the header of a column is too long")
    match = _HEADER.match(member.read(length).decode("latin-1"))
    if match is None:
        raise ValueError("the header of a column is none of numbers or names")
    descr, fortran, shape = match.groups()
    if descr[1] != "U" and descr not in _KINDS[descr[1]]:
        raise ValueError(f"a column of {descr}")
    sizes = tuple(int(n) for n in shape.replace(",", " ").split())
    if len(sizes) > 2:
        raise ValueError("a column of more than two dimensions")
    order = "F" if fortran == "True" else "C"
    return np.dtype(descr), sizes, order, 8 + width + length


def _names(column: Array, name: str) -> Array:
    """Refuses text that is none: surrogates, or numbers that no character has."""
    codes = np.ascontiguousarray(column).view("<u4")
    if ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
        raise ValueError(f"{name!r} holds what is no text")
    return column


def ends_of(sizes: Array) -> Integers:
    """Where each run of a ragged column starts, and the end of the last: (n + 1,)."""
    ends = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=ends[1:])
    return ends


def wrong(what: str, where: str, expected: str, found: object) -> SourceError:
    """The error for a capture that is not of the form."""
    return SourceError(
        f"a run left {what}", where=where, expected=expected, found=str(found)[:200],
        hint="run it again; if it stays so, the model's own code may have written the file",
    )  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """Columns by name, handed out checked: of one type, one length, and within bounds."""

    arrays: Mapping[str, Array]

    def names(self, name: str, n: int | None = None) -> Array:
        """A column of texts (n,)."""
        return self._of_kind(name, "U", n)

    def whole(
        self, name: str, n: int | None = None, *, low: int = -1, high: int = 2**53
    ) -> Integers:
        """A column of whole numbers (n,), ``low`` to ``high``, both included."""
        found = self._of_kind(name, "iu", n).astype(np.int64)
        if len(found) and (found.min() < low or found.max() > high):
            beyond = found[(found < low) | (found > high)][0]
            raise wrong("a number out of range", name, f"{low} to {high}", beyond)
        return found

    def numbers(
        self,
        name: str,
        shape: tuple[int | None, ...] = (None,),
        *,
        low: float = -LARGEST,
        high: float = LARGEST,
        may_lack: bool = False,
    ) -> Floats:
        """A column (n,) or table (n, k) of finite numbers; NaN only where one may be lacking."""
        found = self._of_kind(name, "fiu", *shape).astype(np.float64)
        known = np.isfinite(found) | (np.isnan(found) if may_lack else False)
        within = ~known | np.isnan(found) | ((found >= low) & (found <= high))
        if not (known & within).all():
            beyond = found[~(known & within)].ravel()[0]
            raise wrong("a number out of range", name, f"{low:g} to {high:g}", beyond)
        return found

    def loose(self, name: str, shape: tuple[int | None, ...]) -> tuple[Floats, int]:
        """A table of any numbers: those that are none become NaN, and how many did."""
        found = self._of_kind(name, "fiu", *shape).astype(np.float64)
        bad = ~(np.abs(found) < LARGEST)
        n_bad = int(np.count_nonzero(bad))
        return (np.where(bad, np.nan, found) if n_bad else found), n_bad

    def _of_kind(self, name: str, kinds: str, *shape: int | None) -> Array:
        if name not in self.arrays:
            raise wrong("no such column", "capture.npz", name, "nothing")
        found = self.arrays[name]
        if found.dtype.kind not in kinds:
            raise wrong("a column of another type", name, f"kind {kinds}", found.dtype)
        wanted = shape or (None,)
        fits = found.ndim == len(wanted) and all(
            n is None or n == m for n, m in zip(wanted, found.shape, strict=False)
        )
        if not fits:
            raise wrong("a column of another length", name, str(wanted), found.shape)
        return found
