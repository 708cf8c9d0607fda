"""Unpacks a source for a run: regular files only, under names that stay in their folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bnnkg.errors import SourceError
from bnnkg.ingest.sources import FileTree

MAX_FILES = 20_000
MAX_BYTES = 2**30
MAX_FILE_BYTES = 2**28
MAX_NAME_BYTES = 200
BINARIES = frozenset({".so", ".dll", ".dylib", ".o", ".lo", ".la", ".a", ".exe", ".pyd", ".pyc"})


@dataclass(frozen=True)
class Unpacked:
    """What became of the files of a source.

    Attributes:
        paths: Those that were written.
        notes: What was left out and what may be mistaken, in words.
    """

    paths: tuple[str, ...]
    notes: tuple[str, ...]


def unpack(tree: FileTree, folder: Path) -> Unpacked:
    """Writes the files of a source into a new folder.

    Compiled files are left out: NEURON loads a library of mechanisms that it finds beside a
    model, and that is code of its author.

    Args:
        tree: The source.
        folder: Where to; it is created.

    Raises:
        SourceError: It holds more than a model does.
    """
    folder.mkdir(parents=True)
    written: list[str] = []
    notes: list[str] = []
    lower: dict[str, str] = {}
    n_bytes = 0
    for path in tree.paths():
        reason = refusal(path)
        if reason is None:
            content = tree.read(path)
            n_bytes += len(content)
            check_caps(len(written), n_bytes)
            reason = _write(folder, path, content)
        if reason is not None:
            notes.append(f"{path[:MAX_NAME_BYTES]!r} is left out: {reason}")
            continue
        written.append(path)
        if (other := lower.setdefault(path.lower(), path)) != path:
            notes.append(f"{path} and {other} differ by case only")
    return Unpacked(tuple(written), tuple(notes))


def refusal(path: str) -> str | None:
    """Why a path is not written; None where it is."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        return "its path leads out of the source"
    if not path.isprintable() or "\\" in path:
        return "its name holds characters that no file of a model has"
    if any(len(part.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES for part in parts):
        return "its name is too long"
    if PurePosixPath(path).suffix.lower() in BINARIES:
        return "compiled code of its author"
    return None


def check_caps(n_files: int, n_bytes: int) -> None:
    """Raises SourceError where a source holds more than a model does."""
    if n_files >= MAX_FILES or n_bytes > MAX_BYTES:
        raise SourceError(
            "the source is too large to be run",
            expected=f"at most {MAX_FILES:,} files and {MAX_BYTES:,} bytes",
        )


def _write(folder: Path, path: str, content: bytes) -> str | None:
    if len(content) > MAX_FILE_BYTES:
        return "it is too large"
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        return f"it cannot be written ({error.strerror})"
    return None
