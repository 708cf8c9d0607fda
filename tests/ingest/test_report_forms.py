from __future__ import annotations

from pathlib import Path

from neuroml_texts import CELL, CHANNELS, document, read_folder


def test_json_has_the_promised_form(tmp_path: Path) -> None:
    parsed = read_folder(tmp_path, {
        "a/one.nml": document('<include href="gone.nml"/>', CHANNELS), "README": "hi",
    }, name="key")  # fmt: skip
    found = parsed.report.to_json()
    assert found["models"] == [{
        "source": str(tmp_path), "model": f"key@{parsed.version}", "tier": "static",
        "status": "partial", "reason": "1 include missing: a/one.nml: gone.nml",
        "missing": ["a/one.nml: gone.nml"], "cause": "includes that lead nowhere",
        "configurations": [],
    }]  # fmt: skip
    readme, one = found["files"]
    assert readme == {
        "path": f"{tmp_path}/README", "status": "skipped",
        "reason": "no model file: its name has no ending that is read",
        "elements": {"by_class": {}}, "notes": [],
    }  # fmt: skip
    assert one["path"] == f"{tmp_path}/a/one.nml"
    assert one["elements"]["by_class"]["gateHHrates"] == {"loaded": 2, "kept": 0, "skipped": 0}
    assert one["elements"]["by_class"]["include"] == {"loaded": 0, "kept": 1, "skipped": 0}
    assert one["notes"] == ["includes gone.nml, which is missing"]


def test_markdown_names_every_file(tmp_path: Path) -> None:
    parsed = read_folder(tmp_path, {"one.nml": document(CHANNELS, CELL), "x.txt": "hi"})
    text = parsed.report.to_markdown()
    assert "| x.txt | skipped | 0 | 0 | 0 | no model file: .txt is not read |" in text
    loaded = sum(c.loaded for c in parsed.report.files[0].by_class.values())
    assert f"| one.nml | loaded | {loaded} | 0 | 0 |  |" in text


def test_document_that_defines_nothing_is_kept(tmp_path: Path) -> None:
    types = '<Lems><ComponentType name="a"/><Dimension name="d"/></Lems>'
    parsed = read_folder(tmp_path, {"types.xml": types, "empty.nml": document()})
    assert {f.path: f.status for f in parsed.report.files} == {
        "types.xml": "kept",
        "empty.nml": "kept",
    }
    assert (parsed.report.status, parsed.report.model) == ("skipped", None)
