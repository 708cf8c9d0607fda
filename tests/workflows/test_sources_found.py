"""What users ask for: each source with its key, wherever it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnkg.errors import UsageError
from bnnkg.settings import Settings
from bnnkg.workflows.sources import Finder, Lost, Wanted


@pytest.fixture
def finder(tmp_path: Path) -> Finder:
    return Finder(Settings(db=str(tmp_path / "db"), cache=tmp_path / "cache"))


@pytest.mark.parametrize(
    ("text", "key"),
    [("modeldb:2488", "2488"), ("https://host/a/net.nml?raw=1", "net.nml"),
     ("https://host/", "host"), ("models/worm/", "worm"), ("a/b.zip", "b.zip")],
)  # fmt: skip
def test_the_key_is_the_accession_or_the_last_part(finder: Finder, text: str, key: str) -> None:
    assert finder.wanted([text]) == [Wanted(text, key)]


def test_a_name_goes_before_all(finder: Finder) -> None:
    assert finder.wanted(["modeldb:2488"], name="mainen")[0].key == "mainen"


@pytest.mark.parametrize("text", ["modeldb:", "modeldb:x", "modeldb:-1", "modeldb:0"])
def test_an_accession_is_a_number(finder: Finder, text: str) -> None:
    with pytest.raises(UsageError, match="accession"):
        finder.wanted([text])


def test_two_of_one_key_are_refused(finder: Finder) -> None:
    with pytest.raises(UsageError, match="2488"):
        finder.wanted(["modeldb:2488", "mine/2488"])


def test_a_source_that_cannot_be_had_is_told(finder: Finder, tmp_path: Path) -> None:
    away = Wanted(str(tmp_path / "away"), "away")
    found = finder.find(away)
    assert isinstance(found, Lost)
    assert found.wanted == away
    assert "no such file" in found.error.what


def test_an_accession_may_be_said_of_a_local_source(finder: Finder, tmp_path: Path) -> None:
    (tmp_path / "net.nml").write_text("<neuroml/>")
    [wanted] = finder.wanted([str(tmp_path / "net.nml")], accession="2488")
    assert wanted.key == "2488"
    source = finder.find(wanted)
    assert not isinstance(source, Lost)
    assert source.accession == "2488"
    with pytest.raises(UsageError, match="--accession is of one source"):
        finder.wanted(["a", "b"], accession="2488")
    with pytest.raises(UsageError, match="an accession itself"):
        finder.wanted(["modeldb:2488"], accession="2488")
