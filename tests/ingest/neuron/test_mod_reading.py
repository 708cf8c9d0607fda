from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from mod_texts import LEAK, SODIUM, SYNAPSE, read_texts

from bnnkg.ingest.neuron.mods import read_mods
from bnnkg.ingest.parsed import Definition
from bnnkg.ingest.sources import ZipTree


def test_every_file_defines_a_node_and_has_a_report(tmp_path: Path) -> None:
    reading = read_texts(
        tmp_path, {"na.mod": SODIUM, "deep/Leak.MOD": LEAK, "syn.mod": SYNAPSE, "run.hoc": "x = 1"}
    )
    assert [(d.label, d.id, d.path) for d in reading.definitions] == [
        ("Mechanism", "leaky", "deep/Leak.MOD"),
        ("Mechanism", "made_up", "na.mod"),
        ("SynapseType", "Bump", "syn.mod"),
    ]
    assert [(r.path, r.status, r.reason, r.by_class) for r in reading.reports] == [
        (path, "loaded", "", {}) for path in ("deep/Leak.MOD", "na.mod", "syn.mod")
    ]
    uids = {d.uid for d in reading.definitions}
    assert uids == {*(m.uid for m in reading.mechanisms), *(s.uid for s in reading.synapses)}


def test_a_broken_file_is_told_with_its_line_and_stops_nothing(tmp_path: Path) -> None:
    reading = read_texts(tmp_path, {"bad.mod": "not a mechanism at all", "leak.mod": LEAK})
    bad, good = reading.reports
    assert (bad.path, bad.status) == ("bad.mod", "failed")
    assert bad.reason.startswith("bad.mod:1: ")
    assert "\n" not in bad.reason
    assert good.status == "loaded"
    assert len(reading.definitions) == 1
    assert reading.at("bad.mod") is None


def test_one_node_for_equal_content_and_a_definition_for_each_file(tmp_path: Path) -> None:
    other_name = LEAK.replace("leaky", "other")
    reading = read_texts(tmp_path, {"a/one.mod": LEAK, "b/two.mod": other_name})
    assert len(reading.mechanisms) == 1
    assert [d.id for d in reading.definitions] == ["leaky", "other"]


def test_a_name_leads_to_the_nearest_file(tmp_path: Path) -> None:
    leaks = {"a/b/x.mod": "-1", "a/c/x.mod": "-2", "x.mod": "-3", "z/x.mod": "-4"}
    texts = {path: LEAK.replace("-70", value) for path, value in leaks.items()}
    reading = read_texts(tmp_path, texts)

    def path(folder: str) -> str:
        found = reading.find(folder, "leaky")
        assert found is not None
        return found.path

    assert path("a/c") == "a/c/x.mod"
    assert path("a/c/deeper") == "a/c/x.mod"
    assert path("") == "x.mod"
    assert path("q") == "x.mod"
    # From a, three are one step away: the first by its path.
    assert path("a") == "a/b/x.mod"
    assert reading.find("", "nothing") is None


def test_includes_are_read_within_the_source_only(tmp_path: Path) -> None:
    (tmp_path / "secret.inc").write_text("PARAMETER { secret = 1 }")
    head, tail = LEAK.split("PARAMETER", 1)
    near = head + 'INCLUDE "common.inc"\nPARAMETER' + tail
    away = head + 'INCLUDE "../../secret.inc"\nINCLUDE "/etc/hostname"\nPARAMETER' + tail
    common = "PARAMETER { shared = 3 (mV) }"
    reading = read_texts(
        tmp_path / "source", {"m/near.mod": near, "m/away.mod": away, "m/common.inc": common}
    )
    assert reading.missing == ("m/away.mod: ../../secret.inc", "m/away.mod: /etc/hostname")
    away_report, near_report = reading.reports
    assert near_report.notes == []
    assert away_report.status == "loaded"
    assert "'/etc/hostname'" in away_report.notes[1]
    near_read = reading.at("m/near.mod")
    assert near_read is not None
    assert near_read.mechanism().parameters.value("shared") == 3
    away_read = reading.at("m/away.mod")
    assert away_read is not None
    assert away_read.mechanism().parameters.value("secret") is None


def test_code_in_c_is_told(tmp_path: Path) -> None:
    text = LEAK + "\nPROCEDURE p() {\nVERBATIM\nint x = 1;\nENDVERBATIM\n}\n"
    reading = read_texts(tmp_path, {"c.mod": text, "plain.mod": LEAK})
    with_code, without = reading.reports
    assert with_code.notes == ["contains code in C: 1 VERBATIM block(s)"]
    assert without.notes == []
    flags = {m.nmodl and m.nmodl.has_verbatim for m in reading.mechanisms}
    assert flags == {True, False}


def _definition(folder: Path, text: str) -> Definition:
    (found,) = read_texts(folder, {"one.mod": text}).definitions
    return found


def test_notes_are_the_title_and_the_first_comments_without_addresses(tmp_path: Path) -> None:
    assert _definition(tmp_path, SODIUM).annotations.notes == (
        "A sodium channel\nMade up for a test; ask (address removed).\nHalf-activations of its own"
    )


@pytest.mark.parametrize(
    ("head", "notes"),
    [
        ("", None),
        ("TITLE  \n:-----\n", None),
        ("COMMENT\r\n one \r\n two\r\nENDCOMMENT\r\n", "one\ntwo"),
        ("? asked\n: said\nUNITS { (mV) = (millivolt) }\n: later", "asked\nsaid"),
        ("COMMENT " + "x" * 5000 + " ENDCOMMENT\n", "x" * 1999 + "…"),
    ],
)
def test_notes_of_many_forms(tmp_path: Path, head: str, notes: str | None) -> None:
    assert _definition(tmp_path, head + LEAK).annotations.notes == notes


def test_a_file_of_another_age_is_read(tmp_path: Path) -> None:
    latin = SODIUM.replace("a test", "M\xfcller").encode("latin-1")
    reading = read_texts(tmp_path, {"old.mod": latin})
    assert "Müller" in (reading.definitions[0].annotations.notes or "")


def test_an_archive_is_read_in_place(tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("model/mods/leak.mod", LEAK)
    tree = ZipTree(archive)
    reading = read_mods(tree, tree.paths())
    assert [d.path for d in reading.definitions] == ["model/mods/leak.mod"]
