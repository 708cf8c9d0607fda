# ruff: noqa: E501  (documents read better unbroken)
from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest
from neuroml_texts import CELL, CHANNELS, document, folder

from bnnkg.errors import SourceError, UsageError
from bnnkg.ingest import find_source, read_source, sources


def test_key_is_accession_name_or_basename(tmp_path: Path) -> None:
    assert find_source(str(tmp_path)).key == tmp_path.name
    assert find_source(str(tmp_path), accession="26997").key == "26997"
    assert find_source(str(tmp_path), accession="26997", name="wb").key == "wb"


def test_what_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file or folder"):
        find_source(str(tmp_path / "nothing"))


@pytest.mark.parametrize("text", ["https://example.org/m.zip", "modeldb:26997", "modeldb:all"])
def test_what_is_not_here_is_to_be_downloaded_first(text: str) -> None:
    with pytest.raises(UsageError, match="not on this machine"):
        find_source(text)


def test_empty_folder_is_skipped(tmp_path: Path) -> None:
    report = read_source(find_source(str(tmp_path))).report
    assert (report.status, report.model) == ("skipped", None)
    assert report.reason == "there is no file in it"


def _zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_zip_holds_the_same_model_as_its_folder(tmp_path: Path) -> None:
    files = {"a/cell.nml": document('<include href="../channels.nml"/>', CELL),
             "channels.nml": document(CHANNELS)}  # fmt: skip
    plain = read_source(find_source(str(folder(tmp_path / "m", dict(files)))))
    zipped = read_source(find_source(str(_zip(tmp_path / "m.zip", files)), name="m"))
    assert zipped.version == plain.version
    assert zipped.cells == plain.cells
    assert [f.path for f in zipped.report.files] == ["a/cell.nml", "channels.nml"]


def test_links_of_a_folder_that_lead_out_are_refused_and_told(tmp_path: Path) -> None:
    """A stranger's folder must not bring other files of this machine into the graph."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.nml").write_text(document(CHANNELS))
    source = tmp_path / "source"
    source.mkdir()
    (source / "ok.nml").write_text(document(CHANNELS))
    (source / "same.nml").symlink_to("ok.nml")
    (source / "link.nml").symlink_to(outside / "secret.nml")
    (source / "folder").symlink_to(outside)
    (source / "nowhere.nml").symlink_to("absent.nml")
    (source / "circle.nml").symlink_to("circle.nml")
    report = read_source(find_source(str(source))).report
    assert {f.path: (f.status, f.reason) for f in report.files if f.status != "loaded"} == {
        "link.nml": ("skipped", "a link that leads out of the source"),
        "folder": ("skipped", "a link that leads out of the source"),
        "nowhere.nml": ("skipped", "no regular file, or a link to nothing"),
        "circle.nml": ("skipped", "no regular file, or a link to nothing"),
    }
    assert {f.path for f in report.files if f.status == "loaded"} == {"ok.nml", "same.nml"}


def test_zip_entries_that_lead_out_and_links_are_refused(tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "m.zip", {"../evil.nml": document(CHANNELS), "ok.nml": document(CHANNELS)}
    )
    link = zipfile.ZipInfo("link.nml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    statuses = {f.path: f.status for f in read_source(find_source(str(path))).report.files}
    assert statuses == {"../evil.nml": "skipped", "link.nml": "skipped", "ok.nml": "loaded"}
    assert not (tmp_path / "evil.nml").exists()


def test_zip_may_not_include_from_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside.nml"
    outside.write_text(document(CHANNELS))
    for href in ("../outside.nml", str(outside)):
        path = _zip(tmp_path / "m.zip", {"cell.nml": document(f'<include href="{href}"/>', CELL)})
        report = read_source(find_source(str(path))).report
        assert report.missing == [f"cell.nml: {href}"]
        assert report.status == "partial"


def test_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.nml", b" " * (2**26 + 1))
    report = read_source(find_source(str(path))).report
    assert report.status == "failed"
    assert "unpacks to more" in report.reason
    assert f"{sources.MAX_RATIO} times what is packed" in report.reason
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 10)
    small = _zip(tmp_path / "small.zip", {"a.nml": document(CHANNELS)})
    assert "too large" in read_source(find_source(str(small))).report.files[0].reason


def test_broken_zip_fails_plainly(tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    path.write_bytes(b"PK not really")
    report = read_source(find_source(str(path))).report
    assert report.status == "failed"
    assert "archive cannot be read" in report.reason


def test_file_source_reads_what_it_includes_from_its_folder(tmp_path: Path) -> None:
    folder(tmp_path, {"cell.nml": document('<include href="lib/ch.nml"/>', CELL),
                      "lib/ch.nml": document(CHANNELS), "other.nml": document(CHANNELS)})  # fmt: skip
    report = read_source(find_source(f"{tmp_path}/cell.nml")).report
    assert [f.path for f in report.files] == ["cell.nml", "lib/ch.nml"]
    given = [f["path"] for f in report.to_json()["files"]]
    assert given == [f"{tmp_path}/cell.nml", f"{tmp_path}/lib/ch.nml"]


def test_include_may_lead_out_of_a_folder_and_is_recorded(tmp_path: Path) -> None:
    folder(tmp_path, {"lib/ch.nml": document(CHANNELS)})
    source = folder(tmp_path / "m", {"cell.nml": document('<include href="../lib/ch.nml"/>', CELL)})
    parsed = read_source(find_source(str(source)))
    assert [f.path for f in parsed.report.files] == ["../lib/ch.nml", "cell.nml"]
    assert "../lib/ch.nml/na" in {d.path for d in parsed.definitions}


@pytest.mark.skipif(os.name == "nt", reason="named pipes are a Unix thing")
def test_pipes_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nml")
    [file] = read_source(find_source(str(tmp_path))).report.files
    assert (file.path, file.status) == ("pipe.nml", "skipped")
