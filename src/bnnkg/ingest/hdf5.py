"""NeuroML's HDF5 form as a file format: its embedded document, its groups, its tables.

Links that lead out of the file, data kept in other files and tables larger than any model's are
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import h5py
import numpy as np
from lxml import etree

from bnnkg.errors import SourceError, UnsupportedSourceError
from bnnkg.ingest.arrays import is_same, joined, narrow, same
from bnnkg.ingest.markup import NEUROML2, local_name, parse_xml

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_TABLE_BYTES = 2**31
BLOCK_ROWS = 2**15


def is_hdf5(content: bytes) -> bool:
    """Whether a file's bytes begin as HDF5 does."""
    return content.startswith(SIGNATURE)


def open_hdf5(stream: BinaryIO, path: str) -> h5py.File:
    """Opens an HDF5 file through a stream, so that nothing else is ever opened by its name.

    Raises:
        SourceError: It is broken.
    """
    try:
        return h5py.File(stream, "r")
    except OSError as error:
        raise SourceError(
            "the HDF5 file cannot be opened", where=path, found=" ".join(str(error).split())
        ) from None


def embedded_document(stream: BinaryIO, path: str) -> etree._Element:
    """Root of the NeuroML document that an HDF5 file holds; empty where it holds none.

    Raises:
        UnsupportedSourceError: The file is no NeuroML.
        SourceError: The file or its embedded document is broken.
    """
    with open_hdf5(stream, path) as file:
        top = _hard(file, "neuroml")
        if not isinstance(top, h5py.Group):
            raise UnsupportedSourceError("not NeuroML: it has no group /neuroml", where=path)
        text = attribute(top, "neuroml_top_level")
        if not text:
            return etree.Element(f"{{{NEUROML2}}}neuroml")
        root = parse_xml([text.encode()], f"{path}/neuroml_top_level")
    if local_name(root) != "neuroml":
        raise SourceError("its embedded document is no NeuroML", where=path)
    return root


def networks_of(file: h5py.File) -> Iterator[h5py.Group]:
    """The network groups of a file."""
    top = _hard(file, "neuroml")
    if isinstance(top, h5py.Group):
        yield from (group for name, group in groups(top) if name.startswith("network"))


def groups(parent: h5py.Group) -> Iterator[tuple[str, h5py.Group]]:
    """Groups directly in a group, by name; links elsewhere are left alone."""
    for name in sorted(parent):
        found = _hard(parent, name)
        if isinstance(found, h5py.Group):
            yield name, found


def _hard(parent: h5py.Group, name: str) -> Any:
    link = parent.get(name, getlink=True)
    return parent[name] if isinstance(link, h5py.HardLink) else None


def attribute(group: Any, name: str) -> str:
    """An attribute as text; empty where it is absent."""
    value = group.attrs.get(name)
    if value is None or isinstance(value, h5py.Empty):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def table(group: h5py.Group, where: str) -> dict[str, np.ndarray] | None:
    """The table of a group, by the names of its columns; absent where it has none.

    Columns are integers where all their values are whole, else decimal numbers; both are narrow.

    Raises:
        SourceError: The table is kept elsewhere, is too large, or has no two dimensions.
    """
    for name in sorted(group):
        dataset = _hard(group, name)
        if isinstance(dataset, h5py.Dataset):
            return _columns(dataset, where)
    return None


def _columns(dataset: h5py.Dataset, where: str) -> dict[str, np.ndarray]:
    if dataset.external or dataset.is_virtual:
        raise SourceError("a table keeps its data in another file", where=where)
    if dataset.ndim != 2 or dataset.dtype.kind not in "fiu":
        raise SourceError("a table is no table of numbers", where=where, found=str(dataset.shape))
    if dataset.size * dataset.dtype.itemsize > MAX_TABLE_BYTES:
        raise SourceError("a table is too large", where=where, found=str(dataset.shape))
    names = [attribute(dataset, f"column_{i}") for i in range(dataset.shape[1])]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names if name}
    try:
        for start in range(0, max(len(dataset), 1), BLOCK_ROWS):
            block = dataset[start : start + BLOCK_ROWS]
            for i, name in enumerate(names):
                if name:
                    parts[name].append(narrow(_plain(block[:, i])))
    except OSError as error:
        raise SourceError("a table cannot be read", where=where, found=str(error)) from None
    return {name: joined(parts.pop(name)) for name in list(parts)}  # each is freed when joined


def _plain(column: np.ndarray) -> np.ndarray:
    """Whole numbers as integers, others as the decimal numbers that were meant."""
    if column.dtype.kind in "iu":
        return column.astype(np.int64)
    whole = np.abs(column) < _EXACT  # false where it is no number
    if whole.all() and (column == np.rint(column)).all():
        return column.astype(np.int64)
    return as_decimal(column)


_POWERS_OF_TEN = 10.0 ** np.arange(13)
"""Exact, and so is their product with a number of single precision."""
_EXACT = 2**24
"""Below this every whole number has a single-precision one of its own."""


def as_decimal(column: np.ndarray) -> np.ndarray:
    """Single precision as the decimal numbers that were meant: 0.1, not 0.10000000149."""
    with np.errstate(invalid="ignore"):  # of what is no number
        found = column.astype(np.float64)
    if column.dtype != np.float32:
        return found
    is_plain = np.abs(found) < _EXACT  # false where it is no number
    rows = np.flatnonzero(is_plain)
    for power in _POWERS_OF_TEN:  # the fewest places after the point that give the number back
        short = np.rint(column[rows] * power) / power
        fits = short.astype(np.float32) == column[rows]
        found[rows[fits]] = short[fits]
        rows = rows[~fits]
    for row in (*rows.tolist(), *np.flatnonzero(~is_plain).tolist()):
        found[row] = float(str(column[row]))
    return found


def as_floats(column: np.ndarray) -> np.ndarray:
    """A column of a table as floats."""
    if is_same(column):
        return same(float(column[0]), len(column))
    return column.astype(np.float64, copy=False)


def as_integers(column: np.ndarray) -> np.ndarray:
    """A column of a table as integers: what stands behind the point is left out."""
    return column if column.dtype.kind == "i" else narrow(column.astype(np.int64))
