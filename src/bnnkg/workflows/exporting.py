"""Models of the graph as files that other tools read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import BnnkgError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.workflows.reading import open_store, read_tensors

if TYPE_CHECKING:
    from bnnkg.settings import Settings

FORMATS = ("hetero", "neuroml")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: The file that was asked for.
        beside: More files, which it includes.
        not_written: What of the model is not in them, and why.
        renamed: Ids that are new, and what they were.
    """

    path: Path
    beside: tuple[Path, ...] = ()
    not_written: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As ``bnnkg export --json`` prints it."""
        return {
            "path": str(self.path),
            "beside": [str(path) for path in self.beside],
            "not_written": list(self.not_written),
            "renamed": dict(self.renamed),
        }


def export(
    model: str, *, format: str, out: Path, settings: Settings, progress: Progress = silent
) -> Exported:
    """Writes one model as a file.

    Args:
        model: Its key.
        format: ``hetero``: a PyG ``HeteroData`` with reverse edges, for ``torch.load``. Each kind
            has ``key``: per row, the uids of its neuron and of its definition. ``neuroml``: a
            NeuroML 2 document; components of types that NeuroML's schema has not stand in LEMS
            files beside it.
        out: File to write.
        settings: Which database.
        progress: Told of what is read.

    Raises:
        UsageError: Another format, or a model that the format cannot express at all.
        BnnkgError: The file's folder is not there.
        UnknownModelError: The graph has no such model.
    """
    if format not in FORMATS:
        raise UsageError(
            "this format is not written",
            expected=" or ".join((*FORMATS, "neo4j-admin")),
            found=format,
        )
    if not out.parent.is_dir():  # told before anything is read
        raise BnnkgError(
            "there is no such folder to write to", where=str(out.parent), hint="make it first"
        )
    if format == "neuroml":
        return _neuroml(model, out, settings, progress)
    return _hetero(model, out, settings, progress)


def _neuroml(model: str, out: Path, settings: Settings, progress: Progress) -> Exported:
    from bnnkg.neuroml import write_neuroml

    with open_store(settings, write=False, progress=progress) as store:
        tables = store.read_model(model, progress=progress)
    written = write_neuroml(tables, out)
    return Exported(out, written.paths[1:], written.not_written, written.renamed)


def _hetero(model: str, out: Path, settings: Settings, progress: Progress) -> Exported:
    import torch

    from bnnkg.gnn.hetero import hetero

    with open_store(settings, write=False, progress=progress) as store:
        tensors = read_tensors(store, model, settings=settings, progress=progress)
    data = hetero(tensors)
    for kind, keys in tensors.keys.items():
        data[kind].key = list(keys)
    partial = out.with_name(out.name + ".partial")
    with partial.open("wb") as file:  # torch's own complaint about a path is a RuntimeError
        torch.save(data, file)
    partial.replace(out)
    return Exported(out)
