# ruff: noqa: E501  (documents read better unbroken)
from __future__ import annotations

from pathlib import Path

import pytest
from neuroml_texts import CELL, CHANNELS, SYNAPSES, checked_records, edges, read_text, rows

from bnnkg.ingest.parsed import Placement


def _placements(tmp_path: Path, *densities: str, mores: str = "") -> list[Placement]:
    cell = CELL.replace("<spikeThresh", "".join(densities) + "<spikeThresh")
    parsed = read_text(tmp_path, CHANNELS, mores, cell)
    checked_records(parsed)
    return list(parsed.cells[0].placements)


def test_densities_by_group_by_segment_and_everywhere(tmp_path: Path) -> None:
    tables = checked_records(read_text(tmp_path, CHANNELS, CELL))
    found = edges(tables, "HAS_MECHANISM")
    index = {r["uid"]: r["index"] for r in rows(tables, "Compartment")}
    names = {r["uid"]: r["name"] for r in rows(tables, "Mechanism")}
    leak = [e for e in found if names[e["dst"]] == "leak"]
    assert sorted(index[e["src"]] for e in leak) == [0, 1, 2, 3]
    assert {e["gbar_S_per_cm2"] for e in leak} == {0.0003}
    sodium = {index[e["src"]]: e for e in found if names[e["dst"]] == "na"}
    assert sorted(sodium) == [0, 1]
    assert sodium[0]["gbar_S_per_cm2"] == 0.12
    assert sodium[0]["segment_gbar_S_per_cm2"] is None
    # On the second of the trunk's two segments only: the mean is weighted by their areas.
    assert sodium[1]["segment_gbar_S_per_cm2"] == [0.0, 0.01]
    frustum, cylinder = 1.5 * (0.5**2 + 30**2) ** 0.5, 2 * 20
    share = frustum / (frustum + cylinder)
    assert sodium[1]["gbar_S_per_cm2"] == pytest.approx(0.01 * share)
    assert {r["cm_uF_per_cm2"] for r in rows(tables, "Compartment")} == {1.0}
    assert {r["ra_ohm_cm"] for r in rows(tables, "Compartment")} == {100.0}
    [cell] = rows(tables, "Cell")
    assert (cell["v_init_mV"], cell["v_threshold_mV"]) == (-65.0, -20.0)


def test_capacitance_that_varies_within_a_section(tmp_path: Path) -> None:
    cell = CELL.replace(
        "<initMemb", '<specificCapacitance value="0.03 F_per_m2" segmentGroup="b"/><initMemb'
    )
    cell = cell.replace(
        "</morphology>", '<segmentGroup id="b"><member segment="2"/></segmentGroup></morphology>'
    )
    trunk = read_text(tmp_path, CHANNELS, cell).cells[0].sections[1]
    assert trunk.segment_cm_uF_per_cm2 == (1.0, 3.0)
    assert 1 < (trunk.cm_uF_per_cm2 or 0) < 3


def test_density_on_a_group_that_is_not_there_is_kept_and_told(tmp_path: Path) -> None:
    bad = '<channelDensity id="bad" ionChannel="na" condDensity="1 S_per_m2" erev="50mV" ion="na" segmentGroup="nowhere"/>'
    parsed = read_text(tmp_path, CHANNELS, CELL.replace("<spikeThresh", bad + "<spikeThresh"))
    assert len(parsed.cells[0].placements) == 6
    assert "segment group 'nowhere'" in parsed.report.reason
    counts = parsed.report.files[0].by_class["channelDensity"]
    assert (counts.loaded, counts.kept) == (3, 1)
    [cell] = [d for d in parsed.definitions if d.label == "Cell"]
    assert 'id="bad"' in (cell.raw or "")


def test_every_class_of_density(tmp_path: Path) -> None:
    pool = """<decayingPoolConcentrationModel id="pool" ion="ca" restingConc="1e-5 mM"
      decayConstant="80 ms" shellThickness="2e-7 m"/>"""
    parameter = """<variableParameter parameter="condDensity" segmentGroup="dendrite_group">
      <inhomogeneousValue inhomogeneousParameter="nowhere" value="5e-7 * p"/></variableParameter>"""
    densities = [
        '<channelPopulation id="a" ionChannel="na" number="120" ion="na" erev="50mV" segmentGroup="tips"/>',
        '<channelDensityNernst id="b" ionChannel="na" condDensity="2 mS_per_cm2" ion="ca"/>',
        '<channelDensityGHK id="c" ionChannel="na" permeability="1 um_per_ms" ion="ca"/>',
        '<channelDensityGHK2 id="d" ionChannel="na" condDensity="3 mS_per_cm2" ion="ca"/>',
        '<channelDensityVShift id="e" ionChannel="na" condDensity="4 mS_per_cm2" erev="50mV" vShift="-3mV" ion="na"/>',
        f'<channelDensityNonUniform id="f" ionChannel="na" erev="50mV" ion="na">{parameter}</channelDensityNonUniform>',
    ]
    species = '<species id="ca" concentrationModel="pool" ion="ca" initialConcentration="5e-11 mol_per_cm3" initialExtConcentration="2 mM"/>'
    cell = CELL.replace("<spikeThresh", "".join(densities) + "<spikeThresh")
    cell = cell.replace("</intracellular", species + "</intracellular")
    parsed = read_text(tmp_path, CHANNELS, pool, cell)
    checked_records(parsed)
    assert parsed.report.status == "loaded", parsed.report.reason
    by_class: dict[str, list[Placement]] = {}
    for placement in parsed.cells[0].placements:
        by_class.setdefault(placement.density_class or "", []).append(placement)
    # 120 channels over two tips of 40 and 30 um.
    assert sorted(p.n_channels or 0 for p in by_class["channelPopulation"]) == pytest.approx(
        [120 * 30 / 70, 120 * 40 / 70]
    )
    assert {p.gbar_S_per_cm2 for p in by_class["channelDensityNernst"]} == {0.002}
    assert {p.permeability_cm_per_s for p in by_class["channelDensityGHK"]} == {0.1}
    assert {p.v_shift_mV for p in by_class["channelDensityVShift"]} == {-3.0}
    assert len(by_class["channelDensityNonUniform"]) == 3
    assert {p.variable_parameter for p in by_class["channelDensityNonUniform"]} == {
        "condDensity = 5e-7 * p; nowhere"
    }
    assert {(p.c_init_mM, p.c_ext_mM, p.ion) for p in by_class["species"]} == {(5e-05, 2.0, "ca")}
    [model] = [m for m in parsed.mechanisms if m.kind == "concentration"]
    assert (model.ion, model.parameters.value("shellThickness")) == ("ca", 0.2)


def test_channel_parameters_are_dotted_and_canonical(tmp_path: Path) -> None:
    found = {m.ion: m for m in read_text(tmp_path, CHANNELS).mechanisms}
    sodium, leak = found["na"], found["non_specific"]
    assert (sodium.gate_names, sodium.gate_instances) == (("h", "m"), (1, 3))
    assert sodium.conductance_pS == 10.0
    assert sodium.parameters.value("m.forwardRate.rate") == 1.0
    assert sodium.parameters.value("h.q10Settings.q10Factor") == 3.0
    texts = dict(
        zip(sodium.parameters.expression_names, sodium.parameters.expression_texts, strict=True)
    )
    assert texts["m.reverseRate.type"] == "HHExpRate"
    assert (sodium.is_passive, leak.is_passive) == (False, True)


def test_kinetic_scheme_channels(tmp_path: Path) -> None:
    scheme = """<ionChannelKS id="ks" conductance="10pS" species="k"><gateKS id="n" instances="4">
      <closedState id="c"/><openState id="o"/>
      <forwardTransition id="f" from="c" to="o">
        <rate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/></forwardTransition>
      <tauInfTransition id="t" from="c" to="o"><steadyState type="HHSigmoidVariable" rate="1"
        midpoint="-40mV" scale="9mV"/><timeCourse type="fixedTimeCourse" tau="2ms"/>
      </tauInfTransition></gateKS></ionChannelKS>"""
    parsed = read_text(tmp_path, scheme)
    [channel] = parsed.mechanisms
    assert channel.gate_names == ("n",)
    assert channel.parameters.value("n.forwardTransition.f.rate.midpoint") == -55.0
    assert all(not counts.kept for counts in parsed.report.files[0].by_class.values())


def test_synapse_models(tmp_path: Path) -> None:
    blocking = """<blockingPlasticSynapse id="nmda" gbase="1nS" erev="0mV" tauRise="2ms" tauDecay="50ms">
      <plasticityMechanism type="tsodyksMarkramDepMechanism" initReleaseProb="0.5" tauRec="120 ms"/>
      <blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2 mM"
        scalingConc="1.9 mM" scalingVolt="16 mV"/></blockingPlasticSynapse>
      <doubleSynapse id="two" synapse1="ampa" synapse1Path="a" synapse2="nmda" synapse2Path="b"/>
      <alphaSynapse id="alpha" gbase="1nS" erev="-55mV" tau="3ms"/>"""
    parsed = read_text(tmp_path, SYNAPSES, blocking)
    ids = {d.uid: d.id for d in parsed.definitions}
    found = {ids[s.uid]: s for s in parsed.synapses}
    assert (found["ampa"].sign, found["gaba"].sign, found["gap"].sign) == (1, -1, None)
    assert found["ampa"].gbase_nS == found["gap"].gbase_nS == 0.5
    assert (found["ampa"].tau_rise_ms, found["gaba"].tau_decay_ms) == (1.0, 10.0)
    assert found["nmda"].short_term_plasticity == "tsodyksMarkramDepMechanism"
    assert found["nmda"].block == "voltageConcDepBlockMechanism"
    assert (found["alpha"].tau_rise_ms, found["alpha"].tau_decay_ms) == (3.0, 3.0)
    assert found["alpha"].sign == -1  # at the threshold it does not drive above it
    texts = found["two"].parameters
    assert found["ampa"].uid in texts.expression_texts
    assert found["nmda"].uid in texts.expression_texts
