# ruff: noqa: E501  (documents read better unbroken)
from __future__ import annotations

from pathlib import Path

import pytest
from neuroml_texts import (
    CELL,
    CHANNELS,
    INPUTS,
    POINTS,
    SYNAPSES,
    checked_records,
    edges,
    read_text,
    rows,
)

from bnnkg.ingest.parsed import ParsedModel
from bnnkg.schema import GraphTables

INSTANCES = """<population id="P" component="pyramid" type="populationList" size="2">
    <property tag="color" value="1 0 0"/>
    <instance id="5"><location x="100" y="0" z="0"/></instance>
    <instance id="9"><location x="0" y="200" z="1.5"/></instance></population>
  <population id="I" component="iaf" size="3"/>"""


def _network(tmp_path: Path, *parts: str, attributes: str = "") -> ParsedModel:
    network = f'<network id="net" {attributes}>{"".join(parts)}</network>'
    return read_text(tmp_path, CHANNELS, SYNAPSES, POINTS, INPUTS, CELL, network)


def _tables(tmp_path: Path, *parts: str) -> GraphTables:
    return checked_records(_network(tmp_path, INSTANCES, *parts))


def test_populations_neurons_and_positions(tmp_path: Path) -> None:
    parsed = _network(
        tmp_path, INSTANCES, attributes='type="networkWithTemperature" temperature="32degC"'
    )
    tables = checked_records(parsed)
    [network] = rows(tables, "Network")
    assert network["temperature_degC"] == 32.0
    sizes = {p["name"]: p["size"] for p in rows(tables, "Population")}
    assert sizes == {"P": 2, "I": 3}
    neurons = rows(tables, "Neuron")
    assert [(n["instance_id"], n["index"], n["x_um"], n["y_um"], n["z_um"]) for n in neurons] == [
        ("5", 0, 100.0, 0.0, 0.0), ("9", 1, 0.0, 200.0, 1.5),
        ("0", 0, None, None, None), ("1", 1, None, None, None), ("2", 2, None, None, None),
    ]  # fmt: skip
    assert [str(n["uid"]).split("/", 1)[1] for n in neurons][:2] == [
        "one.nml/net/P/5", "one.nml/net/P/9",
    ]  # fmt: skip
    assert len(edges(tables, "INSTANCE_OF")) == 5


@pytest.mark.parametrize("target", ["../I/2/iaf", "../I[2]", "I[2]", "2", "I/2/iaf"])
def test_cells_are_referred_to_in_any_of_the_written_forms(target: str, tmp_path: Path) -> None:
    tables = _tables(tmp_path, f"""<projection id="pr" presynapticPopulation="I"
      postsynapticPopulation="P" synapse="ampa"><connection id="0" preCellId="{target}"
      postCellId="../P/9/pyramid"/></projection>""")  # fmt: skip
    [sends], [targets] = edges(tables, "SENDS"), edges(tables, "TARGETS")
    assert str(sends["src"]).endswith("/I/2")
    assert str(targets["dst"]).endswith("/P/9")


def test_chemical_connections(tmp_path: Path) -> None:
    tables = _tables(tmp_path, """<projection id="pr" presynapticPopulation="P"
      postsynapticPopulation="P" synapse="ampa">
      <connection id="7" preCellId="../P/5/pyramid" postCellId="../P/9/pyramid"/>
      <connectionWD id="7" preCellId="../P/5/pyramid" postCellId="../P/9/pyramid"
        postSegmentId="2" postFractionAlong="0.5" weight="2.5" delay="0.001 s"/></projection>""")  # fmt: skip
    plain, full = rows(tables, "Synapse")
    assert [(s["weight"], s["delay_ms"], s["index"]) for s in (plain, full)] == [
        (1.0, 0.0, 0), (2.5, 1.0, 1),
    ]  # fmt: skip
    assert str(full["uid"]).endswith("/one.nml/net/pr/1")
    default, on_segment_2 = edges(tables, "ARRIVES_AT")
    assert str(default["dst"]).endswith("/0")
    assert (default["segment"], default["fraction_along"]) == (0, 0.5)
    # Segment 2 is the outer 30 of the 50 um of section 1.
    assert str(on_segment_2["dst"]).endswith("/1")
    assert (on_segment_2["segment"], on_segment_2["fraction_along"]) == (1, pytest.approx(0.7))
    [joined] = edges(tables, "CONNECTS_TO")
    assert (joined["n_synapses"], joined["weight"], joined["kind"]) == (2, 3.5, "chemical")
    assert {e["side"] for e in edges(tables, "OF_TYPE")} == {"post"}


def test_gap_junctions_listed_from_both_sides_count_once(tmp_path: Path) -> None:
    tables = _tables(tmp_path, """<electricalProjection id="e" presynapticPopulation="P"
        postsynapticPopulation="P">
      <electricalConnectionInstanceW id="0" preCell="../P/5/pyramid" postCell="../P/9/pyramid"
        synapse="gap" weight="3"/>
      <electricalConnectionInstanceW id="1" preCell="../P/9/pyramid" postCell="../P/5/pyramid"
        synapse="gap" weight="4"/>
      <electricalConnectionInstance id="2" preCell="../P/9/pyramid" postCell="../P/9/pyramid"
        synapse="gap"/></electricalProjection>
      <electricalProjection id="f" presynapticPopulation="I" postsynapticPopulation="I">
      <electricalConnection id="0" preCell="0" postCell="1" synapse="gap"/>
      <electricalConnection id="0" preCell="0" postCell="1" synapse="gap"/></electricalProjection>""")  # fmt: skip
    assert [s["mirrored"] for s in rows(tables, "Synapse")] == [False, True, False, False, False]
    assert all(s["delay_ms"] is None for s in rows(tables, "Synapse") if "delay_ms" in s)
    joined = {(str(e["src"])[-3:], str(e["dst"])[-3:]): (e["n_synapses"], e["weight"])
              for e in edges(tables, "CONNECTS_TO")}  # fmt: skip
    assert joined == {("P/5", "P/9"): (1, 3.0), ("P/9", "P/9"): (1, 1.0), ("I/0", "I/1"): (2, 2.0)}
    assert {e["side"] for e in edges(tables, "OF_TYPE")} == {"both"}


def test_continuous_connections_have_a_component_on_each_side(tmp_path: Path) -> None:
    tables = _tables(tmp_path, """<continuousProjection id="c" presynapticPopulation="I"
      postsynapticPopulation="P"><continuousConnection id="0" preCell="0" postCell="5"
      preComponent="silent" postComponent="graded"/><continuousConnectionInstanceW id="1"
      preCell="../I/0/iaf" postCell="../P/9/pyramid" preComponent="silent" postComponent="graded"
      weight="2"/></continuousProjection>""")  # fmt: skip
    names = {r["uid"]: r["name"] for r in rows(tables, "SynapseType")}
    sides = sorted((names[e["dst"]], e["side"]) for e in edges(tables, "OF_TYPE"))
    assert sides == [("graded", "post")] * 2 + [("silent", "pre")] * 2
    assert [s["weight"] for s in rows(tables, "Synapse")] == [1.0, 2.0]
    assert len(edges(tables, "LEAVES_FROM")) == 0
    assert len(edges(tables, "ARRIVES_AT")) == 2


def test_loose_connections_and_inputs(tmp_path: Path) -> None:
    tables = _tables(tmp_path, """<synapticConnection from="I[0]" to="I[1]" synapse="ampa"
        destination="synapses"/>
      <synapticConnectionWD from="I[1]" to="I[2]" synapse="gaba" weight="3" delay="2ms"/>
      <explicitInput target="I[0]" input="pulse"/><explicitInput target="P[0]" input="pulse"/>
      <inputList id="il" population="P" component="pulse">
        <input id="0" target="../P/5/pyramid" destination="synapses"/>
        <inputW id="1" target="../P/9/pyramid" segmentId="2" fractionAlong="0" destination="synapses"
          weight="4"/></inputList>""")  # fmt: skip
    assert [(s["weight"], s["delay_ms"]) for s in rows(tables, "Synapse")] == [
        (1.0, 0.0),
        (3.0, 2.0),
    ]
    stimuli = {str(s["path"]): s for s in rows(tables, "Stimulus")}
    assert set(stimuli) == {"one.nml/net/il/0", "one.nml/net/il/1", "one.nml/net/explicitInput/0"}
    assert stimuli["one.nml/net/il/1"]["weight"] == 4.0
    assert {s["amplitude_pA"] for s in stimuli.values()} == {80.0}
    reached = {str(e["src"])[-4:]: e for e in edges(tables, "STIMULATES")}
    assert (reached["il/1"]["compartment"], reached["il/1"]["fraction_along"]) == (
        1,
        pytest.approx(0.4),
    )
    assert reached["ut/0"]["compartment"] is None


BAD_ROWS = {
    "unknown cell": ('preCellId="../P/77/pyramid" postCellId="../P/5/pyramid"', "../P/77/pyramid"),
    "unknown population": ('preCellId="../Q/0/x" postCellId="../P/5/pyramid"', "../Q/0/x"),
    "unknown segment": (
        'preCellId="../P/5/x" postCellId="../P/9/x" postSegmentId="99"',
        "segment 99 at 0.5",
    ),
    "segment of a point": (
        'preCellId="../I/0/x" postCellId="../P/9/x" preSegmentId="1"',
        "segment 1 at 0.5",
    ),
    "no segment number": ('preCellId="../P/5/x" postCellId="../P/9/x" postSegmentId="tip"', "tip"),
    "fraction": ('preCellId="../P/5/x" postCellId="../P/9/x" postFractionAlong="1.5"', "1.5"),
    "weight": ('preCellId="../P/5/x" postCellId="../P/9/x" weight="nan"', "nan"),
    "delay": ('preCellId="../P/5/x" postCellId="../P/9/x" delay="5 mV"', "5 mV"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_row_that_refers_to_nothing_is_told_and_the_rest_loaded(case: str, tmp_path: Path) -> None:
    attributes, told = BAD_ROWS[case]
    parsed = _network(tmp_path, INSTANCES, f"""<projection id="pr" presynapticPopulation="P"
      postsynapticPopulation="P" synapse="ampa"><connectionWD id="0" {attributes}/>
      <connectionWD id="1" preCellId="../P/5/x" postCellId="../P/9/x" weight="1" delay="0 ms"/>
      </projection>""")  # fmt: skip
    [synapse] = rows(checked_records(parsed), "Synapse")
    assert synapse["index"] == 1
    counts = parsed.report.files[0].by_class["connectionWD"]
    assert (counts.loaded, counts.kept) == (1, 1)
    assert parsed.report.status == "partial"
    assert told in parsed.report.reason
    assert "not loaded" in parsed.report.reason


def test_a_wrong_population_is_told_where_rows_name_their_own(tmp_path: Path) -> None:
    parsed = _network(tmp_path, INSTANCES, """<inputList id="il" population="nowhere"
      component="pulse"><input id="0" target="../I/1/iaf" destination="synapses"/></inputList>""")  # fmt: skip
    assert len(edges(checked_records(parsed), "STIMULATES")) == 1
    assert any("'nowhere'" in note for note in parsed.report.files[0].notes)


def test_empty_lists_bring_nothing(tmp_path: Path) -> None:
    parsed = _network(
        tmp_path,
        INSTANCES,
        '<electricalProjection id="e" presynapticPopulation="P" postsynapticPopulation="P"/>',
        '<projection id="p" presynapticPopulation="P" postsynapticPopulation="P" synapse="ampa"/>',
        '<inputList id="i" population="P" component="pulse"/>',
    )
    assert parsed.report.status == "loaded"
    assert rows(checked_records(parsed), "Synapse") == []
    assert all(not counts.kept for counts in parsed.report.files[0].by_class.values())


def test_sources_of_spikes_may_be_populations(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, SYNAPSES, POINTS, """<spikeArray id="s"><spike id="0" time="10ms"/>
      <spike id="1" time="25ms"/></spikeArray><network id="net"><population id="S" component="s"
      size="1"/><population id="I" component="iaf" size="1"/><projection id="p"
      presynapticPopulation="S" postsynapticPopulation="I" synapse="ampa"><connection id="0"
      preCellId="../S/0/s" postCellId="../I/0/iaf"/></projection></network>""")  # fmt: skip
    tables = checked_records(parsed)
    assert {c["cell_class"] for c in rows(tables, "Cell")} >= {"spikeArray", "iafCell"}
    assert rows(tables, "Stimulus") == []
    [array] = [m for m in parsed.mechanisms if m.mechanism_class == "spikeArray"]
    assert array.parameters.values == (10.0, 25.0)


def test_two_files_may_name_their_networks_alike(tmp_path: Path) -> None:
    from neuroml_texts import document, read_folder

    text = document(
        POINTS, '<network id="net"><population id="p" component="iaf" size="1"/></network>'
    )
    tables = checked_records(read_folder(tmp_path, {"a.nml": text, "b.nml": text}))
    assert len(rows(tables, "Neuron")) == 2
    assert len(rows(tables, "Cell")) == 2  # iaf and izh, shared by both files
