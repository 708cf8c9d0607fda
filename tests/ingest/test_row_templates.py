"""Rows that are read from their text are those that the parser would give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from neuroml_texts import POINTS, SYNAPSES, document, read_folder

from bnnkg.ingest import markup
from bnnkg.ingest.parsed import ParsedModel
from bnnkg.ingest.row_collector import RowCollector
from bnnkg.ingest.row_templates import template_of

ROW = '<connectionWD id="{k}" preCellId="../P[{k}]" postCellId="../P/{k}/iaf" weight="{k}"/>'
ODD = {
    "a comment": "<!-- {row} -->\n",
    "a row in a comment that ends elsewhere": "<!--\n" + "{row}\n" * 20 + "-->",
    "other quotes": "<connectionWD id='x' preCellId='../P[1]' postCellId='../P[2]' weight='7'/>\n",
    "a character reference": '<connectionWD id="x" preCellId="../P[&#49;]" postCellId="../P[2]"'
    ' weight="7"/>\n',
    "another order": '<connectionWD preCellId="../P[1]" id="x" postCellId="../P[2]" weight="7"/>\n',
    "a sign that closes": '<connectionWD id="a/>b" preCellId="../P[1]" postCellId="../P[2]"'
    ' weight="7"/>\n',
    "another row": '<connection id="x" preCellId="../P[1]" postCellId="../P[2]"/>\n',
    "something in a row": '<connectionWD id="x" preCellId="../P[1]" postCellId="../P[2]" '
    'weight="7"><property tag="a"/></connectionWD>\n',
    "text": "words\n",
    "literal text": "<![CDATA[ {row} ]]>",
    "an instruction": "<?go {row} ?>",
    "letters": '<connectionWD id="é" preCellId="../P[1]" postCellId="../P[2]" weight="7"/>\n',
    "lines in a row": '<connectionWD id="x"\n preCellId="../P[1]"\n postCellId="../P[2]" '
    'weight="7"/>\n',
    "a broken row": '<connectionWD id="x" preCellId="../P[99]" postCellId="../P[2]" weight="7"/>\n',
    "the end of a list": '</projection>\n<projection id="q" presynapticPopulation="P" '
    'postsynapticPopulation="P" synapse="ampa">\n',
    "the end of all lists": "</projection><notes>{row}</notes>\n"
    '<projection id="q" presynapticPopulation="P" postsynapticPopulation="P" synapse="ampa">\n',
}


def _document(odd: str, n: int = 40) -> str:
    rows = [f"{ROW.format(k=k, more='')}\n" for k in range(n)]
    for place in (n // 2, 2):  # behind rows that are read as text, and behind those that are not
        rows.insert(place, odd.replace("{row}", ROW.format(k=place - 1)))
    rows.insert(n // 4, "\n\n  ")
    network = (
        '<network id="net"><population id="P" component="iaf" size="40"/>'
        '<projection id="p" presynapticPopulation="P" postsynapticPopulation="P" synapse="ampa">\n'
        + "".join(rows)
        + '</projection>\n<inputList id="after" population="P" component="none"/></network>'
    )
    return document(POINTS, SYNAPSES, network)


def _facts(parsed: ParsedModel) -> object:
    [file] = parsed.report.files
    return (
        file.by_class,
        file.notes,
        [
            [np.asarray(c).tolist() for c in (p.places, p.pre.neuron, p.post.neuron, p.weight)]
            for p in parsed.projections
        ],
    )


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("fed_bytes", [150, 400, 1000])
def test_rows_are_those_of_the_parser(
    odd: str, fed_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"x.nml": _document(ODD[odd])}
    expected = _facts(read_folder(tmp_path / "whole", files))  # less than is fed at once
    taken = []
    take = RowCollector.take

    def noted(self: RowCollector, text: bytes) -> tuple[int, int]:
        taken.append(take(self, text))
        return taken[-1]

    monkeypatch.setattr(RowCollector, "take", noted)
    monkeypatch.setattr(markup, "FED_BYTES", fed_bytes)
    assert _facts(read_folder(tmp_path / "parts", files)) == expected
    assert sum(n_bytes for n_bytes, _ in taken) > 300


def test_a_line_is_that_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "FED_BYTES", 200)
    text = _document(ODD["a broken row"]).replace("../P/33/iaf", "../P/77/iaf")
    [file] = read_folder(tmp_path, {"x.nml": text}).report.files
    lines = text.split("\n")
    wrong = [n for n, line in enumerate(lines, 1) if "P[99]" in line or "P/77/" in line]
    assert len(wrong) == 3
    assert all(f"line {n}:" in note for n, note in zip(wrong, file.notes[:3], strict=True))


@pytest.mark.parametrize(("encoding", "is_read"), [("utf-8", True), ("utf-7", False)])
def test_bytes_must_be_ascii_in_the_encoding_of_the_file(encoding: str, is_read: bool) -> None:
    row = b'<connection id="0" preCellId="../P[0]" postCellId="../P[1]"/>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + row
    assert (template_of(etree.fromstring(text), row) is not None) == is_read


def test_the_text_of_another_row_is_not_taken_for_it() -> None:
    row = '<connection id="0" preCellId="../P[0]" postCellId="../P[1]"/>'
    assert template_of(etree.fromstring(row), row.replace("0", "7").encode()) is None
