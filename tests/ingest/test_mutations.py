"""Documents with anything wrong: no crash, no hang, and every element accounted for."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import every_class
import pytest
from mutations import mutated
from neuroml_texts import CELL, CHANNELS, INPUTS, POINTS, SYNAPSES, checked_records, document

from bnnkg.ingest import find_source, read_source

MODELS = Path(__file__).parents[3] / "shared" / "models"
LARGEST = 30_000
FREE = {"notes", "annotation", "ComponentType", "Simulation"}
NETWORK = """<network id="n"><population id="p" component="pyramid" size="3"/>
  <population id="l" component="iaf"><instance id="0"><location x="1" y="2" z="3"/></instance>
  </population>
  <projection id="r" presynapticPopulation="p" postsynapticPopulation="l" synapse="ampa">
    <connectionWD id="0" preCellId="../p[0]" preSegmentId="2" postCellId="../l/0/iaf" weight="2"
      delay="1ms"/></projection>
  <electricalProjection id="e" presynapticPopulation="p" postsynapticPopulation="p">
    <electricalConnection id="0" preCell="0" postCell="1" synapse="gap"/></electricalProjection>
  <inputList id="i" population="p" component="pulse"><input id="0" target="../p[1]"
    destination="synapses"/></inputList><explicitInput target="p[2]" input="pulse"/></network>"""


def written() -> list[tuple[str, bytes]]:
    """Documents of these tests: a network of everything small, and every class."""
    small = document(CHANNELS, CELL, SYNAPSES, POINTS, INPUTS, NETWORK)
    texts = [getattr(every_class, name) for name in sorted(vars(every_class)) if name.isupper()]
    whole = [text for text in texts if isinstance(text, str) and text.lstrip().startswith("<Lems")]
    parts = [text for text in texts if isinstance(text, str) and text not in whole]
    return [
        ("one.nml", small.encode()),
        *(("part.nml", document(part).encode()) for part in parts),
        *(("lems.xml", text.encode()) for text in whole),
    ]


def real() -> list[tuple[str, bytes]]:
    """Documents beside this working copy, none large."""
    paths = sorted(p for p in MODELS.rglob("*") if p.suffix in (".nml", ".xml") and p.is_file())
    found = [(path.name, path.read_bytes()) for path in paths if path.stat().st_size < LARGEST]
    return [one for one in found if b"neuroml2" in one[1] or b"<Lems" in one[1]]


def _elements(content: bytes) -> Counter[str]:
    """Elements of a document as an account counts them, by another parser."""
    found: Counter[str] = Counter()
    waiting = list(ElementTree.fromstring(content))
    while waiting:
        element = waiting.pop()
        name = element.tag.rpartition("}")[2]
        found[name] += 1
        if name not in FREE:
            waiting.extend(element)
    return found


def _check(name: str, content: bytes) -> str:
    """Reads a document, and makes sure that all of it is accounted for; returns its status."""
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        started = time.process_time()
        parsed = read_source(find_source(folder, name="m"))
        checked_records(parsed)
        assert time.process_time() - started < 60, "it does not end"
    [file] = [one for one in parsed.report.files if one.path == name]
    if file.status in ("failed", "skipped"):
        assert file.reason
        return file.status
    counts = file.by_class
    assert {n: sum(c) for n, c in counts.items()} == dict(_elements(content))
    assert all(min(count) >= 0 for count in counts.values()), counts
    return file.status


def _spoil(documents: list[tuple[str, bytes]], n: int, seed: int) -> Counter[str]:
    chance = random.Random(seed)
    statuses: Counter[str] = Counter()
    for number in range(n):
        name, content = chance.choice(documents)
        spoilt = mutated(content, chance)
        try:
            statuses[_check(name, spoilt)] += 1
        except Exception as error:
            error.add_note(f"mutation {number} of seed {seed}: {spoilt[:20_000]!r}")
            raise
    return statuses


def test_some_mutations() -> None:
    statuses = _spoil(written(), 150, seed=1)
    assert statuses["loaded"] > 30  # what is whole of a document outlives what is not
    assert statuses["failed"] > 1


def test_what_stands_in_a_simulation_is_not_read() -> None:
    simulation = '<Simulation id="s"><network id="inner"/></Simulation>'
    assert _check("a.xml", f'<Lems>{simulation}<network id="n"/></Lems>'.encode()) == "loaded"


@pytest.mark.parametrize(
    "text",
    [
        '<network id="n"><population id="p" component="iaf"><input><property tag="a"/></input>'
        '<instance id="0"/></population></network>',
        '<network id="n"><population id="p" component="iaf"><input id="0"/></population></network>',
        '<notes conductance="10pS" type="ionChannelPassive"><notes>inner</notes></notes>',
        '<network id="n"><space id="s"><structure xSpacing="1" ySpacing="1" zSpacing="1"/></space>'
        '<population id="p" component="iaf" size="3"><layout space="s"><grid xSize="0x10" '
        'ySize="1" zSize="3"/></layout></population></network>',
    ],
)
def test_what_stands_where_it_should_not(text: str) -> None:
    assert _check("a.nml", document(POINTS, text).encode()) == "loaded"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_ten_thousand_mutations(seed: int) -> None:
    statuses = _spoil([*written(), *real()], 1000, seed)
    assert statuses.total() == 1000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b'<!DOCTYPE neuroml [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;">]><neuroml>&b;</neuroml>',
            "declares entities",
        ),
        (
            b'<!DOCTYPE neuroml [<!ENTITY x SYSTEM "file:///etc/passwd">]><neuroml>&x;</neuroml>',
            "declares entities",
        ),
        (b"<neuroml>" + b"<cell>" * 5000 + b"</cell>" * 5000 + b"</neuroml>", "no well-formed XML"),
        (b'<neuroml id="' + b"a" * 11_000_000 + b'"/>', "no well-formed XML"),
    ],
)  # fmt: skip
def test_bombs_are_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.nml").write_bytes(content)
    [file] = read_source(find_source(str(tmp_path))).report.files
    assert file.status == "failed"
    assert reason in file.reason
    assert "root:" not in repr(file)


def test_an_external_subset_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "there.dtd").write_text("<!ELEMENT neuroml ANY>\n<!ENTITY x 'stolen'>")
    text = f'<!DOCTYPE neuroml SYSTEM "there.dtd">{document(POINTS)}'
    (tmp_path / "a.nml").write_text(text)
    report = read_source(find_source(str(tmp_path))).report
    assert [file.status for file in report.files] == ["loaded", "skipped"]
    assert "stolen" not in repr(report)
