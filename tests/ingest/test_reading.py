# ruff: noqa: E501  (documents read better unbroken)
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from neuroml_texts import (
    CELL,
    CHANNELS,
    INPUTS,
    NML,
    POINTS,
    checked_records,
    document,
    edges,
    read_folder,
    read_text,
    rows,
)

GOOD = document(CHANNELS)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE n [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    f'<neuroml xmlns="{NML}" id="x"><notes>&b;</notes></neuroml>'
)
LEAK = (
    '<?xml version="1.0"?><!DOCTYPE n [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    f'<neuroml xmlns="{NML}" id="x"><notes>&f;</notes></neuroml>'
)
BAD_FILES = {
    "not XML": ("bad.nml", "hello", "failed", "bad.nml:1: this is no well-formed XML"),
    "cut off": ("bad.nml", f"<neuroml xmlns='{NML}'>\n<cell>", "failed", "bad.nml:2"),
    "empty": ("bad.nml", "", "failed", "the file is empty"),
    "only space": ("bad.xml", " \n ", "failed", "the file is empty"),
    "not NeuroML": ("bad.xml", "<sbml/>", "skipped", "its root is <sbml>"),
    "NeuroML 1": (
        "bad.nml", '<neuroml xmlns="http://morphml.org/neuroml/schema"/>', "skipped",
        "NeuroML version 1 is not supported",
    ),
    "README": ("README.md", "# hi", "skipped", ".md is not read"),
    "LICENSE": ("LICENSE", "MIT", "skipped", "no ending"),
    "swc": ("c.swc", "1 1 0 0 0 oops", "failed", "c.swc:1"),
    "bomb": ("bad.nml", BOMB, "failed", "declares entities"),
    "external entity": ("bad.nml", LEAK, "failed", "declares entities"),
    "not HDF5": ("bad.h5", "hello", "failed", "no HDF5 file"),
    "foreign doctype": (
        "p.xml", '<!DOCTYPE properties SYSTEM "http://java.sun.com/dtd/p.dtd"><properties/>',
        "skipped", "its root is <properties>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file_is_reported_and_the_rest_loaded(case: str, tmp_path: Path) -> None:
    name, content, status, reason = BAD_FILES[case]
    report = read_folder(tmp_path, {name: content, "good.nml": GOOD}).report
    files = {file.path: file for file in report.files}
    assert files[name].status == status
    assert reason in files[name].reason
    assert files["good.nml"].status == "loaded"
    assert report.status == ("partial" if status == "failed" else "loaded")


@pytest.mark.parametrize("case", BAD_FILES)
def test_source_of_one_bad_file_makes_no_model(case: str, tmp_path: Path) -> None:
    name, content, status, _ = BAD_FILES[case]
    parsed = read_folder(tmp_path, {name: content})
    assert (parsed.report.status, parsed.report.model) == (status, None)
    assert parsed.report.reason
    assert checked_records(parsed).nodes == {}


def test_missing_include_is_told_and_the_rest_loaded(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, '<include href="gone.nml"/>', CHANNELS)
    assert parsed.report.missing == ["one.nml: gone.nml"]
    assert parsed.report.status == "partial"
    assert {m.mechanism_class for m in parsed.mechanisms} == {"ionChannelHH"}
    counts = parsed.report.files[0].by_class["include"]
    assert (counts.loaded, counts.kept) == (0, 1)


def test_includes_may_go_round_in_circles(tmp_path: Path) -> None:
    parsed = read_folder(tmp_path, {
        "a.nml": document('<include href="b.nml"/>', CELL),
        "b.nml": document('<include href="sub/../a.nml"/>', CHANNELS),
    })  # fmt: skip
    assert parsed.report.status == "loaded"
    assert [len(parsed.report.files), len(parsed.cells), len(parsed.mechanisms)] == [2, 1, 2]


def test_wrong_unit_is_told_and_the_rest_loaded(tmp_path: Path) -> None:
    bad = '<iafCell id="bad" leakReversal="-60pA" thresh="-35mV" reset="-65mV" C="1nF" leakConductance="50nS"/>'
    parsed = read_text(tmp_path, bad, POINTS)
    report = parsed.report.files[0]
    assert parsed.report.status == "partial"
    assert "iafCell.leakReversal: the unit does not fit" in report.notes[0]
    assert (report.by_class["iafCell"].loaded, report.by_class["iafCell"].kept) == (1, 1)
    assert report.by_class["izhikevich2007Cell"].loaded == 1


def test_attributes_that_differ_only_in_case_are_told_apart(tmp_path: Path) -> None:
    [mechanism] = [
        m for m in read_text(tmp_path, POINTS).mechanisms if m.mechanism_class.startswith("izh")
    ]
    assert mechanism.parameters.value("C") == 100.0
    assert mechanism.parameters.value("c") == -50.0


def test_cell_with_a_broken_morphology_is_kept_and_told(tmp_path: Path) -> None:
    orphan = CELL.replace('<parent segment="2"/>', '<parent segment="77"/>', 1)
    parsed = read_text(tmp_path, CHANNELS, orphan)
    assert parsed.cells == ()
    assert "unknown parent" in parsed.report.reason
    assert parsed.report.files[0].by_class["cell"].kept == 1


def test_unknown_gates_are_kept_and_reported(tmp_path: Path) -> None:
    strange = CHANNELS.replace("</ionChannelHH>", '<customHGate id="x" k="2 mM"/></ionChannelHH>')
    parsed = read_text(tmp_path, strange)
    counts = parsed.report.files[0].by_class["customHGate"]
    assert (counts.loaded, counts.kept) == (0, 1)
    [raw] = [d.raw for d in parsed.definitions if d.id == "na"]
    assert raw is not None
    assert '<!-- in ionChannelHH na --> <customHGate id="x" k="2 mM"/>' in raw
    plain = read_text(tmp_path / "plain", CHANNELS)
    assert {m.uid for m in parsed.mechanisms if m.ion == "na"}.isdisjoint(
        m.uid for m in plain.mechanisms
    )


def test_gates_of_a_type_of_the_source_are_loaded(tmp_path: Path) -> None:
    own = CHANNELS.replace("</ionChannelHH>", '<customHGate id="x" k="2 mM"/></ionChannelHH>')
    types = (
        '<ComponentType name="customHGate" extends="baseGate"><Parameter name="k"/></ComponentType>'
    )
    parsed = read_text(tmp_path, own, types)
    counts = parsed.report.files[0].by_class["customHGate"]
    assert (counts.loaded, counts.kept) == (1, 0)
    [uid, raw] = next((d.uid, d.raw) for d in parsed.definitions if d.id == "na")
    assert '<ComponentType name="customHGate"' in (raw or "")
    [channel] = [m for m in parsed.mechanisms if m.uid == uid]
    assert channel.gate_names == ("h", "m", "x")
    assert channel.parameters.value("x.k") == 2.0
    assert channel.kinetics is not None
    assert channel.kinetics.note == (
        "x: its type customHGate tells neither a steady state nor rates"
    )


def test_addresses_and_backers_are_dropped(tmp_path: Path) -> None:
    network = """<network id="n"><population id="p" component="iaf" size="1">
      <property tag="OpenWormBackerAssignedName" value="Somebody"/>
      <property tag="color" value="1 0 0"/></population></network>"""
    note = "<annotation><mail>ann@example.org</mail></annotation>"
    channel = CHANNELS.replace("<notes>fast", f"{note}<notes>by bob.b@example.org: fast")
    parsed = read_text(tmp_path, channel, POINTS, network)
    text = str(checked_records(parsed))
    assert "Somebody" not in text
    assert "example.org" not in text
    assert "(address removed)" in text
    counts = parsed.report.files[0].by_class["property"]
    assert (counts.loaded, counts.skipped) == (1, 1)


def test_unresolved_references_are_nodes_of_their_model(tmp_path: Path) -> None:
    first = read_folder(tmp_path / "a", {"c.nml": document(CELL)}, name="a")
    second = read_folder(tmp_path / "b", {"c.nml": document(CELL)}, name="b")
    kinds = [m.kind for m in first.mechanisms]
    assert kinds == ["unresolved", "unresolved"]
    assert {m.uid for m in first.mechanisms}.isdisjoint({m.uid for m in second.mechanisms})
    assert first.cells[0].uid != second.cells[0].uid
    assert any("nothing defines" in note for note in first.report.files[0].notes)


def test_cells_get_a_neuron_each_only_without_any_network(tmp_path: Path) -> None:
    alone = checked_records(read_text(tmp_path / "a", CHANNELS, CELL, POINTS))
    assert [n["implicit"] for n in rows(alone, "Network")] == [True]
    assert len(rows(alone, "Neuron")) == 3
    network = '<network id="n"><population id="p" component="iaf" size="2"/></network>'
    beside = checked_records(read_text(tmp_path / "b", CHANNELS, CELL, POINTS, network))
    assert len(rows(beside, "Neuron")) == 2
    assert not any(n["implicit"] for n in rows(beside, "Neuron"))


def test_inputs_that_nothing_uses_are_found_again(tmp_path: Path) -> None:
    tables = checked_records(read_text(tmp_path, INPUTS))
    [stimulus] = rows(tables, "Stimulus")
    assert stimulus["amplitude_pA"] == 80.0
    assert stimulus["duration_ms"] == 500.0
    assert edges(tables, "STIMULATES") == []
    assert [e["id"] for e in edges(tables, "DEFINES")] == ["pulse"]


def test_lems_is_read_for_what_it_defines(tmp_path: Path) -> None:
    lems = """<Lems><Target component="sim1"/><Include file="Cells.xml"/><Include file="ch.nml"/>
      <ComponentType name="spiky" extends="baseCellMembPot">
        <Parameter name="tau" dimension="time"/></ComponentType>
      <ComponentType name="spikier" extends="spiky"><Parameter name="hue"/></ComponentType>
      <spikier id="s1" tau="5ms" hue="red"/><Component id="s2" type="spiky" tau="0.005 s"/>
      <cell id="one" type="pointCellCondBased" C="1pF" v0="-65mV" thresh="-20mV">
        <channelPopulation id="pop" ionChannel="na" number="6000" erev="50mV"/></cell>
      <network id="n"><population id="p" component="s1" size="1"/></network>
      <Simulation id="sim1" length="1s" step="1ms" target="n"><Display id="d"/></Simulation></Lems>"""
    parsed = read_folder(tmp_path, {"LEMS_one.xml": lems, "ch.nml": document(CHANNELS)})
    assert parsed.format == "both"
    assert parsed.report.missing == []
    points = {m.mechanism_class: m for m in parsed.mechanisms if m.kind == "point"}
    assert points["spikier"].base_class == "baseCellMembPot"
    assert points["spikier"].parameters.expression_texts == ("red",)
    assert points["spiky"].parameters.value("tau") == 5.0
    tables = checked_records(parsed)
    carried = [e for e in edges(tables, "HAS_MECHANISM") if e["density_class"]]
    assert [e["n_channels"] for e in carried] == [6000.0]
    by_class = {f.path: f.by_class for f in parsed.report.files}["LEMS_one.xml"]
    assert {n: by_class[n].loaded for n in ("Simulation", "Target", "ComponentType")} == {
        "Simulation": 1, "Target": 1, "ComponentType": 2,
    }  # fmt: skip
    [network] = rows(tables, "Network")
    assert (network["simulation_lengths_ms"], network["simulation_steps_ms"]) == ([1000.0], [1.0])
    assert "Display" not in by_class


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('instances="3"', 'instances="1e400"', "Requires integer"),
        ('rate="4per_ms"', 'rate="4e9999999999per_ms"', "too large"),
        ('condDensity="120 mS_per_cm2"', 'condDensity="1e200 mS_per_cm2"', "too large"),
        ('x="-40"', 'x="1e400"', "no place"),
        ('x="-40"', 'x="NaN"', "no place"),
        ('<segment id="4"', '<segment id="99999999999999999999999"', "too large"),
        ('<parent segment="1"/>', '<parent segment="1" fractionAlong="7"/>', "between 0 and 1"),
        ('size="2"', 'size="99999999999"', "no whole number"),
        ('from="p[0]"', 'from="p[99999999999999999999]"', "not in the network"),
        ('weight="1"', 'weight="1e999"', "cannot be read"),
        ('delay="1ms"', 'delay="1e999999999ms"', "cannot be read"),
    ],
)
def test_numbers_that_no_model_means_cost_only_what_holds_them(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    network = """<network id="n"><population id="p" component="pyramid" size="2"/>
      <synapticConnectionWD from="p[0]" to="p[1]" synapse="s" weight="1" delay="1ms"/></network>"""
    text = document(CHANNELS, CELL, POINTS, network)
    assert old in text
    parsed = read_folder(tmp_path, {"one.nml": text.replace(old, new, 1)})
    checked_records(parsed)
    assert parsed.report.status == "partial"
    assert told in " ".join(note for file in parsed.report.files for note in file.notes)
    assert "izhikevich2007Cell" in {m.mechanism_class for m in parsed.mechanisms}


def test_references_mean_what_is_nearest(tmp_path: Path) -> None:
    syn = '<expOneSynapse id="syn" gbase="{}nS" erev="0mV" tauDecay="2ms"/>'
    net = """<network id="n"><population id="p" component="iaf" size="2"/><synapticConnection
      from="p[0]" to="p[1]" synapse="syn"/></network>"""
    parsed = read_folder(
        tmp_path,
        {
            "a/own.nml": document(POINTS, syn.format(1), net),
            "b/includes.nml": document('<include href="lib.nml"/>', POINTS, net),
            "b/lib.nml": document(syn.format(2)),
            "c/top.nml": document('<include href="net.nml"/>', POINTS, syn.format(3)),
            "c/net.nml": document(net),
            "d/nowhere.nml": document(net),
        },
    )
    used = {
        parsed.networks[p.network].path: {s.uid: s for s in parsed.synapses}[p.types[0][0][0]]
        for p in parsed.projections
    }
    assert {path: synapse.gbase_nS for path, synapse in used.items()} == {
        "a/own.nml/n": 1.0,
        "b/includes.nml/n": 2.0,
        "c/net.nml/n": 3.0,
        "d/nowhere.nml/n": None,
    }


def test_custom_types_are_looked_up_like_other_definitions(tmp_path: Path) -> None:
    channel = """<ionChannelHH id="x" conductance="1pS"><gateHHrates id="m" instances="1">
      <forwardRate type="mine"/><reverseRate type="mine"/></gateHHrates></ionChannelHH>"""
    type_ = (
        '<ComponentType name="mine" extends="baseVoltageDepRate"><Dynamics v="{}"/></ComponentType>'
    )
    files: dict[str, str | bytes] = {
        f"{n}.nml": document(channel, type_.format(n)) for n in ("one", "two")
    }
    parsed = read_folder(tmp_path / "both", files)
    alone = read_folder(tmp_path / "two", {"two.nml": files["two.nml"]})
    assert len(parsed.mechanisms) == 2
    assert {m.uid for m in alone.mechanisms} < {m.uid for m in parsed.mechanisms}


def test_paths_that_look_like_seconds_stay_apart(tmp_path: Path) -> None:
    network = """<network id="n"><population id="p" component="iaf"><instance id="0"/>
      <instance id="0"/><instance id="0~2"/><instance id="a/b"/></population></network>"""
    tables = checked_records(read_text(tmp_path, POINTS, network))
    assert len({n["uid"] for n in rows(tables, "Neuron")}) == 4


def test_files_may_come_in_any_order(tmp_path: Path) -> None:
    parts = {"x": document(CHANNELS), "y": document(POINTS), "z": document(CHANNELS, CELL)}
    there = read_folder(
        tmp_path / "1", {"1.nml": parts["x"], "2.nml": parts["y"], "3.nml": parts["z"]}
    )
    back = read_folder(
        tmp_path / "2", {"3.nml": parts["x"], "2.nml": parts["y"], "1.nml": parts["z"]}
    )
    for label in ("Mechanism", "Cell", "Compartment"):
        first, second = (rows(checked_records(p), label) for p in (there, back))
        key = lambda row: str(row["uid"])  # noqa: E731
        assert sorted(first, key=key) == sorted(second, key=key)


def test_ids_may_be_anything(tmp_path: Path) -> None:
    odd = '<iafCell id="ä/b~2" leakReversal="-60mV" thresh="-35mV" reset="-65mV" C="1nF" leakConductance="50nS"/>'
    network = """<network><population id="p/q" component="ä/b~2" size="2"/>
      <population id="p/q" component="ä/b~2" size="1"/><population component="nowhere" size="1"/>
      </network><network/>"""
    tables = checked_records(read_text(tmp_path, odd, network))
    assert [r["path"] for r in rows(tables, "Population")] == [
        "one.nml/network/p%2Fq", "one.nml/network/p%2Fq~2", "one.nml/network/",
    ]  # fmt: skip
    assert [r["path"] for r in rows(tables, "Network")] == ["one.nml/network", "one.nml/network~2"]


def test_reading_never_prints_nor_touches_warning_filters(tmp_path: Path) -> None:
    read_folder(tmp_path, {"c.nml": document(CHANNELS, CELL)})
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "from bnnkg.ingest import find_source, read_source, records_of\n"
        "assert not {'neuroml', 'lxml', 'h5py', 'numpy'} & set(sys.modules)\n"
        "import numpy; before = list(warnings.filters)  # numpy adds its own\n"
        "records_of(read_source(find_source(sys.argv[1])))\n"
        "assert warnings.filters == before, warnings.filters"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
