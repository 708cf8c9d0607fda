"""NeuroML's HDF5 form as a file format: its embedded document, its groups, its tables.

Links that lead out of the file, data kept in other files and tables larger than any model's are
refused.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from lxml import etree

from bnnkg.errors import SourceError, UnsupportedSourceError
from bnnkg.ingest.markup import NEUROML2, local_name, parse_xml

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_TABLE_BYTES = 2**31


def is_hdf5(content: bytes) -> bool:
    """Whether a file's bytes begin as HDF5 does."""
    return content.startswith(SIGNATURE)


def open_hdf5(content: bytes, path: str) -> h5py.File:
    """Opens HDF5 in memory.

    Raises:
        SourceError: It is broken.
    """
    try:
        return h5py.File(io.BytesIO(content), "r")
    except OSError as error:
        raise SourceError(
            "the HDF5 file cannot be opened", where=path, found=" ".join(str(error).split())
        ) from None


def embedded_document(content: bytes, path: str) -> etree._Element:
    """Root of the NeuroML document that an HDF5 file holds; empty where it holds none.

    Raises:
        UnsupportedSourceError: The file is no NeuroML.
        SourceError: The file or its embedded document is broken.
    """
    with open_hdf5(content, path) as file:
        top = _hard(file, "neuroml")
        if not isinstance(top, h5py.Group):
            raise UnsupportedSourceError("not NeuroML: it has no group /neuroml", where=path)
        text = attribute(top, "neuroml_top_level")
        if not text:
            return etree.Element(f"{{{NEUROML2}}}neuroml")
        root = parse_xml(text.encode(), f"{path}/neuroml_top_level")
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
    try:
        values = dataset[...]
    except OSError as error:
        raise SourceError("a table cannot be read", where=where, found=str(error)) from None
    names = [attribute(dataset, f"column_{i}") for i in range(values.shape[1])]
    return {name: values[:, i] for i, name in enumerate(names) if name}


def as_decimal(column: np.ndarray) -> np.ndarray:
    """Single precision as the decimal numbers that were meant: 0.1, not 0.10000000149."""
    if column.dtype != np.float32:
        return column.astype(np.float64)
    distinct, inverse = np.unique(column, return_inverse=True)
    return np.array([float(str(value)) for value in distinct], dtype=np.float64)[inverse]
