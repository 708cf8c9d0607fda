"""Libraries that NEURON loads: our support library, and an author's mods compiled in the sandbox.

Both are kept by content and NEURON's version, so a second configuration, or a second ingest of
the same model, compiles nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bnnkg.errors import SandboxError, SourceError
from bnnkg.sandbox import Limits, interpreter_paths, read_file, remove_folder, run

INSIDE = Path(__file__).parent / "inside"
MAX_LIBRARY_BYTES = 2**26
MAX_RESULT_BYTES = 2**20


@dataclass(frozen=True)
class Toolchain:
    """NEURON's files and the C compiler.

    Attributes:
        version: NEURON's version.
        data: Folder of its headers, libraries and ``nocmodl``.
        compiler: Path of the C compiler.
    """

    version: str
    data: Path
    compiler: str

    @property
    def identity(self) -> str:
        """What a compiled library depends on besides its sources."""
        return f"{self.version} {self.compiler} {platform.machine()}"

    def link_options(self) -> list[str]:
        """Options that make a shared library of NEURON."""
        library = self.data / "lib"
        return ["-shared", f"-L{library}", "-lnrniv", f"-Wl,-rpath,{library}"]

    def compile_options(self) -> list[str]:
        """Options that compile C against NEURON's headers."""
        return ["-std=gnu11", "-DHAVE_CONFIG_H", f"-I{self.data / 'include'}", "-fPIC", "-w"]


@dataclass(frozen=True)
class Compiled:
    """An author's mods as a library.

    Attributes:
        library: The library; None where none could be made.
        notes: What could not be compiled, and why.
        cpu_s: CPU time that it took; 0 where it was kept.
    """

    library: Path | None
    notes: tuple[str, ...]
    cpu_s: float


def find_toolchain() -> Toolchain:
    """NEURON and a C compiler of this environment, without loading NEURON.

    Raises:
        SourceError: One of them is absent.
    """
    spec = importlib.util.find_spec("neuron")
    if spec is None or not spec.submodule_search_locations:
        raise SourceError("NEURON is not installed", hint="pip install 'bnnkg[neuron]'")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SourceError(
            "there is no C compiler, which NEURON's mechanisms need",
            expected="cc or gcc on the path",
            hint="install gcc (Debian: apt install gcc libc6-dev)",
        )
    data = Path(next(iter(spec.submodule_search_locations))) / ".data"
    return Toolchain(importlib.metadata.version("neuron"), data, compiler)


def support_library(toolchain: Toolchain, cache: Path) -> Path:
    """The compiled support library; it is our own code and compiled once.

    Raises:
        SourceError: The compiler refuses it.
    """
    source = INSIDE / "support.c"
    kept = cache / f"support-{_digest(toolchain.identity, source.read_bytes())}.so"
    if kept.is_file():
        return kept
    with _new_file(kept) as path:
        command = [toolchain.compiler, "-O1", *toolchain.compile_options(), str(source)]
        command += ["-o", str(path), *toolchain.link_options()]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if ended.returncode:
            raise SourceError(
                "the support library for NEURON cannot be compiled",
                found=ended.stderr[-1000:],
                hint="install a C compiler with its headers (Debian: apt install gcc libc6-dev)",
            )
    return kept


class _new_file:  # noqa: N801
    """A file that appears whole or not at all."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept

    def __enter__(self) -> Path:
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._kept.parent, suffix=".new")
        os.close(descriptor)
        self._path = Path(name)
        return self._path

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._path.chmod(0o644)
            self._path.replace(self._kept)
        else:
            self._path.unlink(missing_ok=True)


def compile_mods(
    toolchain: Toolchain,
    mods: Mapping[str, bytes],
    headers: Mapping[str, bytes],
    *,
    cache: Path,
    work: Path,
    limits: Limits,
) -> Compiled:
    """Compiles an author's mods in the sandbox; mods that do not compile are left out and told.

    Args:
        toolchain: NEURON and the compiler.
        mods: Content of each .mod file by its path in the source.
        headers: What they may include, likewise.
        cache: Folder of the libraries that are kept.
        work: Folder to compile in; it is created and removed.
        limits: What the compiler may use.
    """
    parts = [
        f"{path}\0".encode() + content for path, content in sorted({**mods, **headers}.items())
    ]
    kept = cache / f"mods-{_digest(toolchain.identity, *parts)}.so"
    notes = kept.with_suffix(".json")
    if kept.is_file() and notes.is_file():
        return Compiled(kept, tuple(json.loads(notes.read_text(encoding="utf-8"))), 0.0)
    _lay_out(work, toolchain, mods, headers)
    try:
        return _compile(toolchain, work, kept, notes, limits)
    finally:
        remove_folder(work)


def _digest(identity: str, *parts: bytes) -> str:
    digest = hashlib.sha256(identity.encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:32]


def _lay_out(
    work: Path, toolchain: Toolchain, mods: Mapping[str, bytes], headers: Mapping[str, bytes]
) -> None:
    for path, content in {**headers, **mods}.items():
        target = work / "mods" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    job = {
        "mods": sorted(mods),
        "folder": str(work / "mods"),
        "out": str(work / "out"),
        "data": str(toolchain.data),
        "compile": [toolchain.compiler, "-O1", "-fcommon", "-D_GNU_SOURCE",
                    *toolchain.compile_options()],
        "link": [*toolchain.link_options(), "-Wl,--allow-multiple-definition"],
    }  # fmt: skip
    (work / "out").mkdir()
    (work / "job.json").write_text(json.dumps(job), encoding="utf-8")


def _compile(toolchain: Toolchain, work: Path, kept: Path, notes: Path, limits: Limits) -> Compiled:
    outcome = run(
        [sys.executable, "-s", str(INSIDE / "compile.py"), str(work / "job.json")],
        writable=work,
        read_only=(*interpreter_paths(), INSIDE, toolchain.data),
        environment={"MODLUNIT": str(toolchain.data / "share/nrn/lib/nrnunits.lib")},
        working_folder=work,
        limits=limits,
    )
    try:
        told = json.loads(read_file(work, "out/result.json", max_bytes=MAX_RESULT_BYTES))
        failed = tuple(str(note)[:500] for note in told)
        library = read_file(work, "out/mods.so", max_bytes=MAX_LIBRARY_BYTES)
    except (SandboxError, ValueError, TypeError):
        reason = outcome.message or outcome.stderr[-500:]
        return Compiled(None, (f"the mods cannot be compiled: {reason}",), outcome.cpu_s)
    with _new_file(kept) as path:
        path.write_bytes(library)
    with _new_file(notes) as path:
        path.write_text(json.dumps(failed), encoding="utf-8")
    return Compiled(kept, failed, outcome.cpu_s)


def is_header(path: str) -> bool:
    """Whether mods may include a file."""
    return PurePosixPath(path).suffix.lower() in {".h", ".inc", ".c", ".cpp", ".hpp", ".mod"}
