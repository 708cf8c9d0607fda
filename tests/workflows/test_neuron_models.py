"""Models in NEURON code, from their files to answers: read, and run in the sandbox."""

from __future__ import annotations

import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

import neo4j
import pytest
from the_command import Command

from bnnkg import sandbox
from bnnkg.settings import Settings
from bnnkg.workflows.ingestion import ingest, remove, validate
from bnnkg.workflows.listing import count_causes, list_models
from bnnkg.workflows.reading import open_store, read_tensors

LACKING = sandbox.check() or (None if shutil.which("gcc") else "no C compiler is installed")
LACKING = LACKING or (None if find_spec("neuron") else "NEURON is not installed")
runs_code = pytest.mark.skipif(LACKING is not None, reason=str(LACKING).splitlines()[0])

KD = """
NEURON { SUFFIX kd  USEION k READ ek WRITE ik  RANGE gbar }
UNITS { (mV) = (millivolt)  (mA) = (milliamp)  (S) = (siemens) }
PARAMETER { gbar = 0.01 (S/cm2) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) ninf ntau (ms) }
STATE { n }
BREAKPOINT { SOLVE states METHOD cnexp  ik = gbar*n*n*(v - ek) }
INITIAL { rates(v)  n = ninf }
DERIVATIVE states { rates(v)  n' = (ninf - n)/ntau }
PROCEDURE rates(v (mV)) { ninf = 1/(1 + exp(-(v + 35)/8))  ntau = 2 + 10/(1 + exp((v + 50)/10)) }
"""
RING = """
begintemplate Ring
public soma, dend, syn
create soma, dend
objref syn
proc init() {
  soma { L = 20 diam = 20 insert kd gbar_kd = 0.02 insert pas }
  dend { L = 100 diam = 2 nseg = 5 insert pas g_pas = 0.0001 }
  connect dend(0), soma(1)
  dend syn = new ExpSyn(0.5)
  syn.tau = 3
}
endtemplate Ring
objref cells[4], wires[4], nil, clamp
for i = 0, 3 cells[i] = new Ring()
for i = 0, 3 {
  cells[i].soma wires[i] = new NetCon(&v(0.5), cells[(i + 1) % 4].syn)
  wires[i].weight = 0.01
  wires[i].delay = 2
  wires[i].threshold = -10
}
cells[0].soma clamp = new IClamp(0.5)
clamp.del = 5
clamp.dur = 1
clamp.amp = 0.3
"""
README = "Four cells in a ring. To run: nrngui mosinit.hoc. Questions to someone@example.org."


def _write(folder: Path, **changes: str) -> Path:
    files = {"kd.mod": KD, "mosinit.hoc": f'load_file("nrngui.hoc")\n{RING}run()\n',
             "README": README}  # fmt: skip
    folder.mkdir(parents=True)
    for name, text in (files | changes).items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def ring(place: Path) -> Path:
    return _write(place / "ring")


def _ask(driver: neo4j.Driver, cypher: str) -> list[dict[str, object]]:
    return [record.data() for record in driver.execute_query(cypher).records]


def test_reading_gives_mechanisms_and_says_what_is_not_there(
    ring: Path, settings: Settings, empty: None, driver: neo4j.Driver
) -> None:
    outcome = ingest([str(ring)], settings=settings)
    [report] = outcome.reports
    assert (report.tier, report.status, outcome.exit_code) == ("static", "partial", 0)
    assert "--execute" in report.reason
    assert {f.path: f.status for f in report.files} == {
        "README": "kept", "kd.mod": "loaded", "mosinit.hoc": "loaded",
    }  # fmt: skip
    [kd] = _ask(
        driver,
        "MATCH (m:Mechanism {name: 'kd'}) RETURN m.ion AS ion, m.gate_names AS gates, "
        "m.gate_instances AS exponents, m.gate_v_half_mV AS v_half, m.gate_slope_mV AS slope, "
        "m.gate_tau_max_ms AS tau_max",
    )
    assert (kd["ion"], kd["gates"], kd["exponents"]) == ("k", ["n"], [2])
    assert kd["v_half"] == pytest.approx([-35.0], abs=0.01)  # as the text of the file says
    assert kd["slope"] == pytest.approx([8.0], abs=0.01)
    assert kd["tau_max"] == pytest.approx([12.0], abs=0.05)
    [model] = _ask(driver, "MATCH (m:Model) RETURN m.readme AS readme, m.run_hints AS hints")
    assert "Four cells in a ring" in str(model["readme"])
    assert "@" not in str(model["readme"])
    assert str(model["hints"]).startswith('["mosinit.hoc (')


@runs_code
def test_running_gives_what_neuron_built(
    ring: Path, settings: Settings, empty: None, driver: neo4j.Driver
) -> None:
    outcome = ingest([str(ring)], settings=settings, execute=True)
    [report] = outcome.reports
    assert (report.tier, report.status, report.missing) == ("executed", "loaded", [])
    [one] = report.configurations
    assert (one.entry, one.status, one.reason) == (
        "mosinit.hoc",
        "loaded",
        "stopped at the first step",
    )
    assert one.recovered == {
        "sections": 8, "segments": 24, "3-D points": 0, "mechanisms in segments": 28,
        "point processes": 5, "artificial cells": 0, "NetCons": 4,
    }  # fmt: skip
    # Four equal cells are one morphology with four instances.
    assert outcome.nodes["Cell"] == 1
    assert outcome.nodes["Compartment"] == 2
    assert outcome.nodes["Neuron"] == outcome.nodes["Synapse"] == 4
    ring_order = _ask(
        driver,
        "MATCH (a:Neuron)-[:SENDS]->(s:Synapse)-[:TARGETS]->(b:Neuron) "
        "RETURN (b.index - a.index + 4) % 4 AS step, s.delay_ms AS delay, s.weight AS weight, "
        "s.threshold_mV AS threshold",
    )
    assert ring_order == [{"step": 1, "delay": 2.0, "weight": 0.01, "threshold": -10.0}] * 4
    densities = _ask(
        driver,
        "MATCH (c:Compartment)-[d:HAS_MECHANISM]->(m:Mechanism) "
        "RETURN c.kind AS kind, m.name AS mechanism, d.gbar_S_per_cm2 AS gbar "
        "ORDER BY kind, mechanism",
    )
    assert [(d["kind"], d["mechanism"]) for d in densities] == [
        ("dendrite", "pas"), ("soma", "kd"), ("soma", "pas"),
    ]  # fmt: skip
    assert [d["gbar"] for d in densities] == pytest.approx([0.0001, 0.02, 0.001])
    [synapse] = _ask(
        driver,
        "MATCH (t:SynapseType) WHERE (t)<-[:OF_TYPE]-() "
        "RETURN t.sign AS sign, t.tau_decay_ms AS tau, t.erev_mV AS erev",
    )
    assert synapse == {"sign": 1, "tau": 3.0, "erev": 0.0}
    [stimulus] = _ask(
        driver,
        "MATCH (s:Stimulus)-[:STIMULATES]->(n:Neuron) "
        "RETURN n.index AS index, s.stimulus_class AS class, s.delay_ms AS delay",
    )
    assert stimulus == {"index": 0, "class": "IClamp", "delay": 5.0}


@runs_code
def test_what_was_run_can_be_learned_from(ring: Path, settings: Settings, empty: None) -> None:
    ingest([str(ring)], settings=settings, execute=True)
    with open_store(settings, write=False) as store:
        tensors = read_tensors(store, "ring", settings=settings)
    assert len(tensors.keys["neuron"]) == 4
    assert len(tensors.keys["synapse"]) == 4


@runs_code
def test_read_and_run_are_two_versions_of_one_model(
    ring: Path, settings: Settings, empty: None, driver: neo4j.Driver
) -> None:
    first = ingest([str(ring)], settings=settings)
    second = ingest([str(ring)], settings=settings, execute=True)
    again = ingest([str(ring)], settings=settings, execute=True)
    assert first.loads[str(ring)].status == "loaded"
    assert second.loads[str(ring)].status == "replaced"
    assert second.remarks(str(ring)) == []
    assert again.loads[str(ring)].status == "unchanged"
    assert _ask(driver, "MATCH (m:Model) RETURN m.tier AS tier") == [{"tier": "executed"}]


@runs_code
def test_reading_what_was_run_throws_nothing_away_unsaid(
    place: Path, settings: Settings, empty: None, driver: neo4j.Driver
) -> None:
    folder = _write(place / "run")
    run = ingest([str(folder)], settings=settings, execute=True)
    for _ in range(2):
        read = ingest([str(folder)], settings=settings)
        told = read.to_json()["models"][0]
        assert read.exit_code == 0
        assert (told["model"], told["tier"]) == (run.reports[0].model, "executed")
        assert (told["status"], told["change"]) == ("loaded", "unchanged")
        assert "executed version of the same files is kept (bnnkg remove run" in told["reason"]
        assert {f.path: f.status for f in read.reports[0].files}["kd.mod"] == "loaded"
        assert _ask(driver, "MATCH (n:Neuron) RETURN count(n) AS n") == [{"n": 4}]
    # Of other files there is no executed version to keep.
    (folder / "README").write_text("Still four cells.")
    changed = ingest([str(folder)], settings=settings)
    [model] = changed.to_json()["models"]
    assert (model["tier"], model["change"]) == ("static", "replaced")
    [remark] = model["remarks"]
    assert f"bnnkg ingest --execute {folder} brings them back" in remark
    assert _ask(driver, "MATCH (n:Neuron) RETURN count(n) < 4 AS fewer") == [{"fewer": True}]
    # Nor is there one once it was removed.
    remove(["run"], settings=settings)
    [report] = ingest([str(folder)], settings=settings).reports
    assert (report.tier, report.status) == ("static", "partial")


@runs_code
def test_what_does_not_run_is_read_and_told(place: Path, settings: Settings, empty: None) -> None:
    broken = _write(place / "broken", **{"mosinit.hoc": "this is no hoc\ncreate soma\n"})
    bare = place / "bare"
    bare.mkdir()
    (bare / "main.hoc").write_text("this is no hoc\ncreate soma\nsoma insert hh\n")
    nothing = place / "nothing"
    nothing.mkdir()
    (nothing / "a.m").write_text("function a")
    outcome = ingest([str(broken), str(bare), str(nothing)], settings=settings, execute=True)
    ran, hoc_alone, empty_ = outcome.reports
    assert ran.model is not None  # of its mechanism
    assert ran.status == "partial"
    assert (hoc_alone.model, hoc_alone.status) == (None, "failed")
    assert empty_.status == "skipped"
    assert outcome.exit_code == 3
    # Both are found among the failures, by one cause, and none is called what it is not.
    listed = list_models(settings, status="failed")
    told = zip(listed["model"], listed["status"], listed["cause"], strict=True)
    rows = {model: (status, cause) for model, status, cause in told}
    cause = "its code does not run: syntax error"
    assert rows["broken"] == ("partial", cause)
    assert rows["bare"] == ("failed", cause)
    counted = count_causes(listed)
    assert counted["models"][counted["cause"].index(cause)] >= 2


@runs_code
def test_a_load_that_ends_in_an_error_is_found_by_its_cause(
    place: Path, settings: Settings, empty: None
) -> None:
    half = _write(place / "half", **{"mosinit.hoc": "create a\na insert kd\na insert absent\n"})
    [report] = ingest([str(half)], settings=settings, execute=True).reports
    assert (report.tier, report.status) == ("executed", "partial")
    listed = list_models(settings, status="partial")
    assert listed["cause"] == ["its code ends in an error: no such mechanism"]
    assert list_models(settings, status="loaded")["model"] == []


@runs_code
def test_a_zip_is_run_like_a_folder(ring: Path, place: Path, settings: Settings) -> None:
    archive = place / "zipped" / "ring.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(ring.iterdir()):
            out.write(path, path.name)
    from_zip = validate([str(archive)], settings=settings, name="ring", execute=True)
    from_folder = validate([str(ring)], settings=settings, execute=True)
    assert from_zip.nodes == from_folder.nodes
    assert from_zip.reports[0].model == from_folder.reports[0].model


def test_near_copies_are_joined(
    place: Path, settings: Settings, empty: None, driver: neo4j.Driver
) -> None:
    one = _write(place / "one")
    two = _write(place / "two", **{"kd.mod": KD.replace("v + 35", "v + 37")})
    three = _write(place / "three", **{"kd.mod": f": the same\n{KD}".replace("2 + 10", "2.0+10")})
    ingest([str(one)], settings=settings)
    ingest([str(two), str(three)], settings=settings)
    [pair] = _ask(driver, "MATCH (a:Mechanism)-[e:SIMILAR_TO]->(b:Mechanism) "
                  "RETURN e.similarity AS similarity")  # fmt: skip
    assert 0.7 < float(str(pair["similarity"])) < 1
    shared = _ask(driver, "MATCH (m:Mechanism) RETURN COUNT { (m)<-[:DEFINES]-() } AS n ORDER BY n")
    assert shared == [{"n": 1}, {"n": 2}]


def test_what_is_done_is_left_out(place: Path, settings: Settings, empty: None) -> None:
    done = _write(place / "done")
    bad = place / "bad.nml"
    bad.write_text("<neuroml")
    first = ingest([str(done), str(bad)], settings=settings)
    assert [r.status for r in first.reports] == ["partial", "failed"]
    again = ingest([str(done), str(bad)], settings=settings, resume=True)
    assert [r.status for r in again.reports] == ["partial", "failed"]
    assert all(r.reason.startswith("unchanged since") for r in again.reports)
    assert (again.nodes, again.loads) == ({}, {})
    bad.write_text("<neuroml>")
    renewed = ingest([str(done), str(bad)], settings=settings, resume=True)
    assert not renewed.reports[1].reason.startswith("unchanged")
    failed = list_models(settings, status="failed")
    assert "bad.nml" in failed["model"]


def test_without_a_sandbox_nothing_is_run(ring: Path, bnnkg: Command) -> None:
    done = bnnkg("ingest", "--execute", ring, PATH="/nowhere")
    assert done.returncode == 1
    assert "bubblewrap" in done.stderr
