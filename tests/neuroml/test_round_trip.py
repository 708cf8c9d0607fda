"""What the graph holds of a NeuroML model, written as NeuroML, is the same model."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import every_class
import neuroml.loaders
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuroml_texts import CELL, CHANNELS, INPUTS, POINTS, SYNAPSES, document, folder
from trips import joined_content, not_as_told, owned_content, schema_errors, shared_uids, trip

from bnnkg.errors import UsageError
from bnnkg.ingest import find_source, read_source, records_of
from bnnkg.neuroml import write_neuroml

MODELS = Path(__file__).parents[3] / "shared" / "models"
NETWORK = """
<network id="net" type="networkWithTemperature" temperature="32 degC"><notes>small</notes>
  <population id="sized" component="pyramid" size="3"/>
  <population id="listed" component="pyramid" size="2" type="populationList">
    <property tag="color" value="1 0 0"/>
    <instance id="0"><location x="1.1" y="2" z="0.3"/></instance>
    <instance id="7"><location x="-1.1" y="2" z="1e-7"/></instance></population>
  <population id="points" component="iaf" size="2"/>
  <synapticConnection from="points[0]" to="points[1]" synapse="ampa"/>
  <projection id="chem" presynapticPopulation="sized" postsynapticPopulation="listed"
      synapse="ampa">
    <connectionWD id="0" preCellId="../sized[0]" postCellId="../listed/7/pyramid" postSegmentId="2"
      postFractionAlong="0.3" weight="2" delay="1.5ms"/>
    <connectionWD id="1" preCellId="../sized[2]" postCellId="../listed/0/pyramid" weight="0.1"
      delay="0.1 s"/></projection>
  <electricalProjection id="gaps" presynapticPopulation="points" postsynapticPopulation="points">
    <electricalConnection id="0" preCell="0" postCell="1" synapse="gap"/></electricalProjection>
  <continuousProjection id="graded" presynapticPopulation="points"
      postsynapticPopulation="listed">
    <continuousConnectionInstanceW id="0" preCell="../points[0]" postCell="../listed/0/pyramid"
      preComponent="silent" postComponent="graded" weight="3"/></continuousProjection>
  <explicitInput target="sized[1]" input="pulse"/>
  <inputList id="list" population="listed" component="pulse">
    <input id="0" target="../listed/0/pyramid" destination="synapses" segmentId="3"
      fractionAlong="0.1"/></inputList>
</network>"""
PARTS = (CHANNELS, CELL, SYNAPSES, POINTS, INPUTS, NETWORK)


def _same(source: Path, out: Path) -> None:
    done = trip(source, out)
    assert schema_errors(out) == []
    assert shared_uids(done.after) == shared_uids(done.before)
    assert owned_content(done.after) == owned_content(done.before)
    assert joined_content(done.after) == joined_content(done.before)


def test_a_small_model_comes_back_whole(tmp_path: Path) -> None:
    _same(folder(tmp_path / "m", {"m.nml": document(*PARTS)}), tmp_path / "out.net.nml")
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["out.net.nml"]
    # Another reader finds the same.
    read = neuroml.loaders.read_neuroml2_file(str(tmp_path / "out.net.nml"))
    [network] = read.networks
    assert [p.id for p in network.populations] == ["listed", "points", "sized"]
    assert [len(p.connection_wds) for p in network.projections] == [2]
    assert read.cells[0].morphology.segments[1].distal.y == 30
    again = trip(tmp_path / "out.net.nml", tmp_path / "again.net.nml")
    assert again.written.not_written == ()
    assert (tmp_path / "again.net.nml").read_text() == (tmp_path / "out.net.nml").read_text()


def _texts() -> dict[str, str]:
    """Texts of the documents of every class, by name."""
    names = sorted(n for n in vars(every_class) if n.isupper() and not n.startswith("_"))
    return {n: t for n in names if isinstance(t := getattr(every_class, n), str)}


def test_every_class_comes_back(tmp_path: Path) -> None:
    texts = _texts()
    lems = [n for n, t in texts.items() if t.lstrip().startswith("<Lems")]
    files = {"all.nml": document(*(t for n, t in texts.items() if n not in lems))}
    done = trip(folder(tmp_path / "m", dict(files)), tmp_path / "out.nml")
    assert shared_uids(done.after) == shared_uids(done.before)
    assert schema_errors(tmp_path / "out.nml") == []
    told = done.written.renamed or done.written.not_written
    assert told or owned_content(done.after) == owned_content(done.before)


def test_content_of_a_custom_type_comes_back(tmp_path: Path) -> None:
    types = """<ComponentType name="base" extends="baseIaf"><Parameter name="k"/></ComponentType>
      <ComponentType name="mine" extends="base"><Parameter name="j"/></ComponentType>"""
    cells = '<mine id="one" thresh="-50mV" reset="-60mV" k="2" j="3per_ms"/>'
    network = '<network id="n"><population id="p" component="one" size="2"/></network>'
    source = folder(tmp_path / "m", {"m.nml": document(types, cells, network)})
    _same(source, tmp_path / "out.nml")
    assert (tmp_path / "out.lems.xml").exists()  # NeuroML's schema has no such class


def test_types_of_one_name_stand_in_files_of_their_own(tmp_path: Path) -> None:
    def text(name: str, parameter: str) -> str:
        return document(
            f'<ComponentType name="mine" extends="baseIaf"><Parameter name="{parameter}"/>'
            f'</ComponentType><mine id="{name}" thresh="-50mV" reset="-60mV" {parameter}="2"/>'
        )

    source = folder(tmp_path / "m", {"a.nml": text("one", "k"), "b.nml": text("two", "j")})
    done = trip(source, tmp_path / "out.nml")
    assert shared_uids(done.after) == shared_uids(done.before)
    assert [p.name for p in done.written.paths] == ["out.nml", "out.lems.xml", "out.1.lems.xml"]


@pytest.mark.parametrize("n_files", [1, 2])
def test_every_source_of_spikes_stays_a_cell(n_files: int, tmp_path: Path) -> None:
    """Two of one content are one Cell; as an input is read only what no population names."""
    names = ("b", "a")
    parts = [f'<spikeGenerator id="{name}" period="30ms"/>' for name in names]
    parts += [
        f'<network id="net_{name}"><population id="of_{name}" component="{name}" size="1"/>'
        "</network>"
        for name in names
    ]
    texts = [document(*parts)] if n_files == 1 else [document(*parts[k::2]) for k in range(2)]
    files: dict[str, str | bytes] = {f"{k}.nml": text for k, text in enumerate(texts)}
    _same(folder(tmp_path / "m", files), tmp_path / "out.nml")
    read = neuroml.loaders.read_neuroml2_file(str(tmp_path / "out.nml"))
    named = {p.id: p.component for network in read.networks for p in network.populations}
    assert n_files == 1 or named == {"of_a": "a", "of_b": "b"}


def test_what_cannot_stay_is_told(tmp_path: Path) -> None:
    first = '<iafTauCell id="a-cell" leakReversal="-60mV" thresh="-50mV" reset="-70mV" tau="1ms"/>'
    files: dict[str, str | bytes] = {
        "a.nml": document(first),
        "b.nml": document(first.replace("a-cell", "a_cell").replace("1ms", "2ms")),
        "sim.xml": '<Lems><Simulation id="s" length="1s" step="1ms" target="n"/></Lems>',
    }
    done = trip(folder(tmp_path / "m", files), tmp_path / "out.nml")
    assert schema_errors(tmp_path / "out.nml") == []
    assert shared_uids(done.after) == shared_uids(done.before)
    assert done.written.renamed == {"a_cell": "a-cell", "a_cell_2": "a_cell"}
    assert done.written.not_written == ("sim.xml: Simulation 1: outside all definitions",)


def test_a_network_of_no_neurons_is_told(tmp_path: Path) -> None:
    network = '<network id="n"><population id="p" component="iaf" size="0"/></network>'
    done = trip(folder(tmp_path / "m", {"m.nml": document(POINTS, network)}), tmp_path / "out.nml")
    assert schema_errors(tmp_path / "out.nml") == []
    told = " ".join(done.written.not_written)
    assert "population p without neurons" in told
    assert "network n, for NeuroML has none" in told


def test_nmodl_is_refused_with_the_reason(tmp_path: Path) -> None:
    mod = "NEURON { SUFFIX leak2 NONSPECIFIC_CURRENT i }\nBREAKPOINT { i = v }\nASSIGNED { v i }\n"
    tables = records_of(read_source(find_source(str(folder(tmp_path / "m", {"a.mod": mod})))))
    with pytest.raises(UsageError, match="can express nothing"):
        write_neuroml(tables, tmp_path / "out.nml")
    assert not (tmp_path / "out.nml").exists()


def test_a_morphology_read_for_neuron_is_written(tmp_path: Path) -> None:
    swc = "1 1 0 0 0 5 -1\n2 3 8 0 0 1 1\n3 3 18 0 0 1 2\n4 2 0 -9 0 .5 1\n5 2 0 -29 0 .5 4\n"
    done = trip(folder(tmp_path / "m", {"c.swc": swc}), tmp_path / "out.nml")
    assert schema_errors(tmp_path / "out.nml") == []
    assert shared_uids(done.after)["Cell"] == shared_uids(done.before)["Cell"]


_NUMBER = st.decimals(-1000, 1000, places=4, allow_nan=False).map(str)


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Populations of a cell that does not begin at the origin, and connections between them."""
    n = draw(st.integers(1, 4))
    offset = draw(st.decimals(-1000, 1000, places=3))
    cell = CELL.replace('<segment id="0"', '<segment id="40"').replace(
        'parent segment="0"', 'parent segment="40"'
    )
    cell = cell.replace('member segment="0"', 'member segment="40"')
    for place in ("0", "-40", "30"):
        cell = cell.replace(f'x="{place}" y=', f'x="{offset + Decimal(place)}" y=')
    where = draw(st.lists(st.tuples(_NUMBER, _NUMBER, _NUMBER), min_size=n, max_size=n))
    instances = "".join(
        f'<instance id="{i}"><location x="{a}" y="{b}" z="{c}"/></instance>'
        for i, (a, b, c) in enumerate(where)
    )
    segment = st.sampled_from([40, 1, 2, 3, 4])
    along = st.decimals(0, 1, places=3)
    rows = "".join(
        f'<connectionWD id="{i}" preCellId="../p/{draw(st.integers(0, n - 1))}/pyramid" '
        f'postCellId="../q[{draw(st.integers(0, 1))}]" postSegmentId="{draw(segment)}" '
        f'postFractionAlong="{draw(along)}" weight="{draw(_NUMBER)}" '
        f'delay="{abs(float(draw(_NUMBER)))} ms"/>'
        for i in range(draw(st.integers(1, 4)))
    )
    return document(
        CHANNELS, cell, SYNAPSES,
        f'<network id="n"><population id="p" component="pyramid" size="{n}" type="populationList">'
        f'{instances}</population><population id="q" component="pyramid" size="2"/>'
        '<projection id="r" presynapticPopulation="p" postsynapticPopulation="q" synapse="ampa">'
        f"{rows}</projection></network>",
    )  # fmt: skip


@settings(max_examples=25)
@given(networks())
def test_any_network_comes_back(text: str) -> None:
    with TemporaryDirectory() as name:
        path = Path(name)
        _same(folder(path / "m", {"m.nml": text}), path / "out.nml")


QUICK = ("openworm+muscle_model", "OpenSourceBrain+IzhikevichModel", "openworm+ChannelWorm")


def _repositories() -> list[object]:
    names = sorted(p.name for p in MODELS.iterdir() if p.is_dir()) if MODELS.is_dir() else QUICK
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", _repositories())
def test_real_models_come_back(name: str, tmp_path: Path) -> None:
    if not (MODELS / name).is_dir():
        pytest.skip(f"{name} is not beside this working copy")
    done = trip(MODELS / name, tmp_path / "out.nml")
    assert schema_errors(tmp_path / "out.nml") == []
    assert shared_uids(done.after) == shared_uids(done.before)
    assert not_as_told(done) == []


def test_ontology_ids_of_parts_are_told(tmp_path: Path) -> None:
    text = CELL.replace("<cell ", '<cell neuroLexId="nlx_cell_1" ', 1)
    assert text != CELL
    parts = {"m.nml": document(CHANNELS, text, SYNAPSES)}
    done = trip(folder(tmp_path / "m", parts), tmp_path / "out.nml")
    assert any("the neuroLexId nlx_cell_1" in told for told in done.written.not_written)
