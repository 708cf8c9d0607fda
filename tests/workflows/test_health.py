"""What the doctor says of a database that runs, is stopped, is away, or refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bnnkg.settings import Settings
from bnnkg.store.server import read_password, status
from bnnkg.workflows.health import Check, doctor


def _check(settings: Settings, name: str) -> Check:
    (found,) = [check for check in doctor(settings) if check.name == name]
    return found


def test_a_running_database(settings: Settings) -> None:
    found = _check(settings, "database")
    assert found.ok
    assert str(status(settings.home).uri) in found.detail
    assert "5.26.30" in found.detail
    told = repr(doctor(settings))
    assert str(read_password(settings.home)) not in told


def test_a_database_that_was_never_started_stays_so(tmp_path: Path) -> None:
    settings = Settings(db=str(tmp_path / "new.db"))
    assert _check(settings, "database").ok is None
    assert _check(settings, "catalogue").ok is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"db": "bolt://127.0.0.1:1"}, "no database answers"),
     ({"catalogue": "sqlite:////proc/no/such/file"}, "catalogue")],
)  # fmt: skip
def test_what_is_away_is_told(settings: Settings, changes: dict[str, str], word: str) -> None:
    name = "database" if "db" in changes else "catalogue"
    found = _check(replace(settings, **changes), name)
    assert found.ok is False
    assert word in found.detail
    assert found.hint


def test_a_wrong_password(settings: Settings) -> None:
    away = replace(settings, db=str(status(settings.home).uri), password="wrong one")
    found = _check(away, "database")
    assert found.ok is False
    assert found.hint
    assert "wrong one" not in repr(doctor(away))
