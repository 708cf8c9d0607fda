"""Morphologies of a NEURON model that can be read without running anything.

SWC and Neurolucida files, and hoc files whose geometry is written out. Each gives Cells that carry
a shape, and what of their membrane is written as plain numbers.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bnnkg.errors import SourceError, UnsupportedSourceError
from bnnkg.ingest.biophysics import Biophysics
from bnnkg.ingest.cells import CellReading, detailed_cell
from bnnkg.ingest.identity import PathNames, path_part
from bnnkg.ingest.markup import without_addresses
from bnnkg.ingest.morphology import Segments
from bnnkg.ingest.neuron.hoc_geometry import HocCell, read_hoc_geometry
from bnnkg.ingest.neuron.hoc_programs import decode
from bnnkg.ingest.neuron.neurolucida import read_neurolucida
from bnnkg.ingest.neuron.samples import segments_of
from bnnkg.ingest.neuron.swc import header_of, read_swc
from bnnkg.ingest.parsed import Annotations, Cell, Definition
from bnnkg.ingest.report import ElementCounts, FileReport
from bnnkg.ingest.sources import FileTree
from bnnkg.progress import Progress, silent

CELL_CLASS = "cell"
MAX_MORPHOLOGY_BYTES = 64 * 2**20
_MAX_NOTES = 4000
_HOC_ENDINGS = (".hoc", ".nrn", ".geo", ".oc", ".tem")


@dataclass
class MorphologyReading:
    """What the morphologies of a source are.

    Attributes:
        cells: Cells by uid.
        definitions: What defines them, a Definition per cell and file.
        reports: A report for each file.
    """

    cells: dict[str, Cell] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    reports: dict[str, FileReport] = field(default_factory=dict)


@dataclass(frozen=True)
class _Shape:
    """One cell of a file, before it is one.

    Attributes:
        id: Its name in the file.
        segments: Its segments.
        biophysics: What is known of its membrane.
        raw: What of it has no place in the graph.
        notes: What its file says of it.
    """

    id: str
    segments: Segments
    biophysics: Biophysics
    raw: str | None = None
    notes: str | None = None


def is_morphology(path: str) -> bool:
    """Whether a file's name is that of a morphology, or of hoc, which may hold one."""
    return path.lower().endswith((".swc", ".asc", *_HOC_ENDINGS))


def read_morphologies(
    tree: FileTree, paths: Sequence[str], *, progress: Progress = silent
) -> MorphologyReading:
    """Reads the morphologies among the files of a source; nothing is run.

    A broken file fails and the others are read. Hoc whose geometry depends on what only a run would
    tell gives no cell, and its report says what that is.

    Args:
        tree: The source.
        paths: The files to read; those whose names are of other kinds are passed over.
        progress: Told of every file.
    """
    reading = MorphologyReading()
    names = PathNames()
    chosen = [path for path in paths if is_morphology(path)]
    for done, path in enumerate(chosen):
        progress("reading morphologies", done, len(chosen), path)
        try:
            shapes, counts, notes = _shapes(tree, path)
        except UnsupportedSourceError as error:
            reading.reports[path] = FileReport(path, "skipped", error.what)
        except SourceError as error:
            reading.reports[path] = FileReport(path, "failed", error.line())
        else:
            for shape in shapes:
                _define(reading, path, shape, names)
            reading.reports[path] = _report(path, shapes, counts, notes)
    progress("reading morphologies", len(chosen), len(chosen))
    return reading


def _shapes(tree: FileTree, path: str) -> tuple[list[_Shape], dict[str, int], list[str]]:
    content = tree.read(path)
    if len(content) > MAX_MORPHOLOGY_BYTES:
        raise SourceError(
            "the morphology is too large",
            where=path,
            expected=f"at most {MAX_MORPHOLOGY_BYTES} bytes",
            found=f"{len(content)} bytes",
        )
    if b"\0" in content[:1024] and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise UnsupportedSourceError("it is no text", where=path)
    text = decode(content)
    ending = posixpath.splitext(path)[1].lower()
    if ending == ".swc":
        return _traced(text, path, is_swc=True)
    if ending == ".asc":
        return _traced(text, path, is_swc=False)
    return _written(text, path)


def _traced(
    text: str, path: str, *, is_swc: bool
) -> tuple[list[_Shape], dict[str, int], list[str]]:
    if not is_swc and "(" not in text:
        raise UnsupportedSourceError("this .asc file is no Neurolucida drawing", where=path)
    samples = read_swc(text, path) if is_swc else read_neurolucida(text, path)
    n = len(samples.ids)
    segments = segments_of(samples)
    bare: list[Decimal | None] = [None] * len(segments.ids)
    notes = without_addresses(header_of(text)[:_MAX_NOTES]) if is_swc else None
    stem = posixpath.splitext(posixpath.basename(path))[0]
    shape = _Shape(stem, segments, Biophysics(bare, list(bare)), None, notes or None)
    return [shape], {"sample": n}, samples.notes


def _written(text: str, path: str) -> tuple[list[_Shape], dict[str, int], list[str]]:
    geometry = read_hoc_geometry(text, path)
    shapes = [_shape_of(cell) for cell in geometry.cells]
    return shapes, geometry.counts, geometry.notes


def _shape_of(cell: HocCell) -> _Shape:
    biophysics = Biophysics(cell.cm, cell.ra)
    return _Shape(cell.name, cell.segments, biophysics, cell.raw or None)


def _define(reading: MorphologyReading, path: str, shape: _Shape, names: PathNames) -> None:
    cell = detailed_cell(CELL_CLASS, shape.segments, shape.biophysics)
    reading.cells.setdefault(cell.cell.uid, cell.cell)
    reading.definitions.append(_definition(path, shape, cell, names))


def _definition(path: str, shape: _Shape, cell: CellReading, names: PathNames) -> Definition:
    return Definition(
        "Cell",
        cell.cell.uid,
        shape.id,
        names.unique(f"{path}/{path_part(shape.id)}"),
        shape.raw,
        Annotations(shape.notes),
        cell.segment_ids,
        cell.segment_names,
        cell.offset_um,
        cell.group_names,
        cell.group_segments,
        cell.group_sections,
        cell.kinds_from,
    )


def _report(
    path: str, shapes: list[_Shape], counts: dict[str, int], notes: list[str]
) -> FileReport:
    if shapes:
        loaded = {name: ElementCounts(n, 0, 0) for name, n in counts.items()}
        return FileReport(path, "loaded", "", loaded, notes)
    left = {name: ElementCounts(0, n, 0) for name, n in counts.items()}
    reason = notes[0] if notes else "no geometry is written in it"
    return FileReport(path, "kept", reason, left, notes[1:])
