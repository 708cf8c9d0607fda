from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import bnnkg

HEAVY = ("torch", "neo4j", "pandas", "sqlalchemy", "numpy", "lxml")


def test_every_public_name_is_there() -> None:
    for name in bnnkg.__all__:
        assert getattr(bnnkg, name) is not None
    assert set(bnnkg.__all__) <= set(dir(bnnkg))


def test_no_public_name_is_that_of_a_room() -> None:
    rooms = {module.name for module in pkgutil.iter_modules(bnnkg.__path__)}
    assert not rooms & set(bnnkg.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        bnnkg.nonsense  # noqa: B018


def test_importing_it_loads_nothing_heavy() -> None:
    look = f"import sys, bnnkg; print([m for m in {HEAVY!r} if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
