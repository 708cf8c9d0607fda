"""What NeuroML's schema says against documents that are read all the same."""

from __future__ import annotations

from pathlib import Path

from neuroml_texts import CHANNELS, POINTS, document, folder

from bnnkg.ingest import find_source, read_source
from bnnkg.ingest.findings import MAX_FINDINGS, schema_findings, with_findings


def test_findings_stand_in_the_report_by_line(tmp_path: Path) -> None:
    text = document("\n", CHANNELS, '\n<iafCell id="late" thresh="-35mV"/>\n', POINTS)
    line = next(i for i, t in enumerate(text.split("\n"), 1) if 'id="late"' in t)
    files = {"a.nml": text, "fine.nml": document(CHANNELS), "b.txt": "no model"}
    source = find_source(str(folder(tmp_path, dict(files))))
    report = read_source(source).report
    compared = with_findings(source, report)
    assert [file.status for file in compared.files] == ["loaded", "skipped", "loaded"]
    [with_notes, _, without] = compared.files
    assert without.notes == []
    told = [note for note in with_notes.notes if "against the schema" in note]
    assert all(
        note.startswith(f"line {line}: against the schema of NeuroML 2.3: ") for note in told
    )
    assert any("'reset' is required but missing" in note for note in told)
    assert compared.status == report.status == "loaded"
    # Reading alone leaves the comparison out.
    assert not any("against the schema" in note for file in report.files for note in file.notes)


def test_findings_are_counted_where_they_are_many() -> None:
    text = document("".join(f'<iafCell id="c{i}"/>' for i in range(50)))
    *told, last = schema_findings(text.encode(), "a.nml")
    assert len(told) == MAX_FINDINGS
    assert last == f"{5 * 50 - MAX_FINDINGS} more findings of the schema"


def test_other_documents_are_not_compared() -> None:
    assert list(schema_findings(b"<Lems><Target component='n'/></Lems>", "a.xml")) == []
    assert list(schema_findings(b"<neuroml/>", "no-namespace.nml")) == []
