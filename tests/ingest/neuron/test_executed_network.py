"""A network with all that NEURON has in networks, from the sandbox to the parts of a model.

Expected numbers are those that its text says, and the counts are those of NEURON itself.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from written_runs import Ran, Runner, plain_counts, runs_code

from bnnkg.ingest.neuron.executed import ExecutedParts, accounted
from bnnkg.ingest.parsed import Population, Projection

pytestmark = runs_code

GAP = """
NEURON { POINT_PROCESS Gap  POINTER vpeer  NONSPECIFIC_CURRENT i  RANGE g }
PARAMETER { g = 0.001 (microsiemens) }
ASSIGNED { v (millivolt)  vpeer (millivolt)  i (nanoamp) }
BREAKPOINT { i = g*(v - vpeer) }
"""
HALF_GAP = """
NEURON { POINT_PROCESS HalfGap  NONSPECIFIC_CURRENT i  RANGE g, vgap }
PARAMETER { g = 0.002 (microsiemens)  vgap (millivolt) }
ASSIGNED { v (millivolt)  i (nanoamp) }
BREAKPOINT { i = g*(v - vgap) }
"""
PUMP = """
NEURON { SUFFIX pump  USEION ca READ ica WRITE cai  RANGE depth  GLOBAL tau }
UNITS { (mM) = (milli/liter)  (um) = (micron)  (mA) = (milliamp) }
PARAMETER { tau = 80 (ms)  depth = 0.1 (um) }
ASSIGNED { ica (mA/cm2) }
STATE { cai (mM) }
INITIAL { cai = 5e-5 }
BREAKPOINT { SOLVE shells METHOD cnexp }
DERIVATIVE shells { cai' = (5e-5 - cai)/tau }
"""
MAIN = """
load_file("nrngui.hoc")
celsius = 34
begintemplate Pyramid
public soma, dend, axon, syn, fast
create soma, dend[2], axon
objref syn, fast
proc init() { local i
  soma { pt3dadd($1, 0, 0, 20) pt3dadd($1 + 20, 0, 0, 20) nseg = 1 }
  for i = 0, 1 dend[i] {
    pt3dadd($1 + 20, 0, 0, 2) pt3dadd($1 + 120.3, 100*(i + 1), 7.7, 1) nseg = 5
    connect dend[i](0), soma(1)
    insert pas  e_pas = -70
    insert pump
    for (x, 0) g_pas(x) = 0.0001*(1 + x)
    cm = 2
  }
  connect axon(1), soma(0)
  axon { L = 50 diam = 1 nseg = 3 Ra = 100 insert hh }
  soma { insert hh gnabar_hh = 0.2  ena = 55  insert pump depth_pump = 0.5 }
  dend[1] syn = new Exp2Syn(0.7)
  syn.tau1 = 0.5  syn.tau2 = 4
  soma fast = new ExpSyn(0.5)
}
endtemplate Pyramid

objref cells, wires, wire, stim, fire[3], clamp, pc, gaps[2], halves[2], nil, lost, vc
cells = new List()
wires = new List()
for i = 0, 5 cells.append(new Pyramid(500*i))
create lonely
lonely { L = 30  diam = 30  insert pas  g_pas = 0.0005 }

proc wire_up() { local i
  for i = 0, 5 {
    cells.o(i).axon wire = new NetCon(&v(0.5), cells.o((i + 1) % 6).syn, -20 + i, 1.5, 0.01*(i + 1))
    wires.append(wire)
  }
}
wire_up()
stim = new NetStim()
stim.number = 7
for i = 0, 2 fire[i] = new IntFire1()
fire[1].tau = 20
wires.append(new NetCon(stim, cells.o(0).fast, 0, 3, 0.5))
wires.append(new NetCon(fire[0], cells.o(1).fast, 0, 2, 0.25))
wires.append(new NetCon(fire[0], fire[1], 0, 4, 0.125))
cells.o(2).soma wires.append(new NetCon(&v(0.5), fire[2], 5, 6, 0.75))
lost = new NetCon(nil, cells.o(3).fast)
lost.delay = 9
cells.o(0).soma clamp = new IClamp(0.5)
{ clamp.del = 5  clamp.dur = 2  clamp.amp = 0.3 }
lonely vc = new SEClamp(0.5)
vc.rs = 0.1

for i = 0, 1 cells.o(i).soma gaps[i] = new Gap(0.5)
setpointer gaps[0].vpeer, cells.o(1).soma.v(0.5)
setpointer gaps[1].vpeer, cells.o(0).soma.v(0.5)
pc = new ParallelContext()
for i = 0, 1 {
  cells.o(2 + i).dend[0] { halves[i] = new HalfGap(0.5)  pc.target_var(&halves[i].vgap, 31 - i) }
  cells.o(2 + i).dend[0] pc.source_var(&v(0.5), 30 + i)
}
pc.setup_transfer()
v_init = -68
tstop = 1
tau_pump = 123
run()
"""
FILES = {"gap.mod": GAP, "halfgap.mod": HALF_GAP, "pump.mod": PUMP, "mosinit.hoc": MAIN}


@pytest.fixture(scope="module")
def ran(run_model: Runner) -> Ran:
    return run_model(FILES)


@pytest.fixture(scope="module")
def parts(ran: Ran) -> ExecutedParts:
    return ran.parts


def _population(parts: ExecutedParts, name: str) -> Population:
    [one] = [population for population in parts.populations if population.id == name]
    return one


def test_it_loads_by_stubs_alone_up_to_the_first_step(ran: Ran) -> None:
    [attempt] = ran.execution.attempts
    assert (attempt.status, attempt.fallback, attempt.doubts) == ("loaded", "", ())
    assert ran.capture.header.stubs
    assert ran.capture.header.stopped == "first step"
    assert ran.capture.header.v_init_mV == -68
    assert ran.capture.header.celsius == 34


def test_counts_are_those_of_plain_neuron(ran: Ran, parts: ExecutedParts) -> None:
    plain = plain_counts(ran.folder, "mosinit.hoc")
    assert ran.counts == plain
    assert accounted(parts) == {
        "sections": plain["sections"],
        "segments": plain["segments"],
        "densities": sum(plain["density"].values()),
        "point_processes": sum(plain["points"].values()),
        "netcons": plain["netcons"],
        "artificial_cells": sum(plain["artificial"].values()),
    }
    assert plain["sections"] == 6 * 4 + 1  # as its text says
    assert plain["segments"] == 6 * 14 + 1
    assert plain["netcons"] == 11


def test_a_template_six_times_is_one_cell(parts: ExecutedParts) -> None:
    assert len(parts.cells) == 1 + 1 + 1 + 2  # Pyramid, lonely, NetStim, IntFire1 with two taus
    pyramid = _population(parts, "Pyramid")
    assert pyramid.instance_ids == tuple(f"Pyramid[{i}]" for i in range(6))
    assert pyramid.xyz_um is not None
    assert pyramid.xyz_um.tolist() == [[500.0 * i, 0, 0] for i in range(6)]


def test_the_cell_is_as_its_text_says(parts: ExecutedParts) -> None:
    [cell] = [c for c in parts.cells if c.uid == _population(parts, "Pyramid").cell_uid]
    soma, *others = cell.sections
    axon, d0, d1 = sorted(others, key=lambda one: one.length_um)
    assert [s.kind for s in (soma, d0, d1, axon)] == ["soma", "dendrite", "dendrite", "axon"]
    assert (soma.length_um, soma.diameter_um, soma.n_segments) == (20, 20, 1)
    assert soma.area_um2 == pytest.approx(math.pi * 400)
    # From (20, 0, 0) to (120.3, 100 or 200, 7.7), thinning from 2 to 1 um.
    for one, y in ((d0, 100), (d1, 200)):
        length = math.dist((20, 0, 0), (120.3, y, 7.7))
        assert one.length_um == pytest.approx(length, rel=1e-6)
        assert one.area_um2 == pytest.approx(1.5 * math.pi * math.hypot(length, 0.5), rel=1e-5)
        assert (one.parent, one.fraction_on_parent, one.n_segments) == (0, 1, 5)
        assert one.cm_uF_per_cm2 == 2
        assert one.points_um == pytest.approx((20, 0, 0, 2, 120.3, y, 7.7, 1))
    # It joins by its own end 1: turned around, as nothing of it tells the ends apart.
    assert (axon.parent, axon.fraction_on_parent, axon.ra_ohm_cm) == (0, 0, 100)
    assert (axon.n_segments, axon.path_distance_um) == (3, 25)


def test_what_varies_along_a_section_is_kept(parts: ExecutedParts) -> None:
    [cell] = [c for c in parts.cells if c.uid == _population(parts, "Pyramid").cell_uid]
    uids = {d.id: d.uid for d in parts.definitions if d.label == "Mechanism"}
    leaks = [one for one in cell.placements if one.mechanism_uid == uids["pas"]]
    assert len(leaks) == 2
    for leak in leaks:
        expected = [0.0001 * (1 + x) for x in (0.1, 0.3, 0.5, 0.7, 0.9)]
        assert leak.segment_gbar_S_per_cm2 == pytest.approx(expected)
        assert leak.erev_mV == -70
        low, high = min(expected), max(expected)
        assert leak.gbar_S_per_cm2 is not None
        assert low < leak.gbar_S_per_cm2 < 0.00015 < high  # the wide end is the leaky one's less
    channels = {p.section: p for p in cell.placements if p.mechanism_uid == uids["hh"]}
    assert len(channels) == 2
    values = dict(zip(channels[0].parameter_names, channels[0].parameter_values, strict=True))
    assert values["gnabar"] == 0.2


def test_ions_and_globals(ran: Ran, parts: ExecutedParts) -> None:
    sodium = ran.capture.ions["na"]
    assert sorted(set(sodium.values[:, 0])) == [50, 55]
    [cell] = [c for c in parts.cells if c.uid == _population(parts, "Pyramid").cell_uid]
    pumps = [p for p in cell.placements if "depth" in p.parameter_names]
    assert sorted(p.parameter_values[p.parameter_names.index("depth")] for p in pumps) == [
        0.1, 0.1, 0.5,
    ]  # fmt: skip
    # The run changed the global, which all instances share.
    assert {p.parameter_values[p.parameter_names.index("tau")] for p in pumps} == {123}
    assert {p.ion for p in pumps} == {"ca"}


def _projection(parts: ExecutedParts, id_: str) -> Projection:
    [one] = [projection for projection in parts.projections if projection.id == id_]
    return one


def test_netcons_have_source_threshold_weight_and_delay(parts: ExecutedParts) -> None:
    ring = _projection(parts, "Pyramid>Pyramid>Exp2Syn")
    assert ring.kind == "chemical"
    assert ring.pre.neuron.tolist() == [0, 1, 2, 3, 4, 5]
    assert ring.post.neuron.tolist() == [1, 2, 3, 4, 5, 0]
    assert ring.weight.tolist() == pytest.approx([0.01 * (i + 1) for i in range(6)])
    assert ring.delay_ms.tolist() == [1.5] * 6
    assert ring.threshold_mV is not None
    assert ring.threshold_mV.tolist() == [-20 + i for i in range(6)]
    assert ring.pre.segment.tolist() == [1] * 6  # the middle of three
    assert ring.pre.fraction.tolist() == [0.5] * 6
    # 0.7 in five segments: as NEURON places a point process, in the middle of the fourth.
    assert set(ring.post.segment.tolist()) == {3}
    assert set(ring.post.fraction.tolist()) == {0.7}
    assert ring.receivers == tuple(f"Exp2Syn[{(i + 1) % 6}]" for i in range(6))
    [[(uid, side)]] = ring.types
    assert side == "post"
    [synapse] = [s for s in parts.synapses if s.uid == uid]
    assert (synapse.tau_rise_ms, synapse.tau_decay_ms) == (0.5, 4)


def test_artificial_cells_send_and_receive(parts: ExecutedParts) -> None:
    stim = _projection(parts, "NetStim>Pyramid>ExpSyn")
    assert (stim.weight.tolist(), stim.delay_ms.tolist()) == ([0.5], [3])
    assert stim.threshold_mV is not None
    assert np.isnan(stim.threshold_mV).all()
    assert stim.pre.section.tolist() == [-1]
    between = _projection(parts, "IntFire1>IntFire1>IntFire1")
    assert (between.weight.tolist(), between.delay_ms.tolist()) == ([0.125], [4])
    assert between.types == ((),)
    to_artificial = _projection(parts, "Pyramid>IntFire1>IntFire1")
    assert (to_artificial.weight.tolist(), to_artificial.pre.neuron.tolist()) == ([0.75], [2])
    fire = [p for p in parts.populations if p.id == "IntFire1"]
    assert [p.instance_ids for p in fire] == [("IntFire1[0]", "IntFire1[2]"), ("IntFire1[1]",)]


def test_pointers_between_cells_are_gap_junctions(parts: ExecutedParts) -> None:
    gap = _projection(parts, "Pyramid>Pyramid>Gap")
    assert gap.kind == "electrical"
    assert (gap.pre.neuron.tolist(), gap.post.neuron.tolist()) == ([1, 0], [0, 1])
    [[(_, side)]] = gap.types
    assert side == "both"


def test_transfers_between_cells_are_gap_junctions(parts: ExecutedParts) -> None:
    half = _projection(parts, "Pyramid>Pyramid>HalfGap")
    assert half.kind == "electrical"
    # halves[i] of cell 2 + i has the potential number 31 - i, which is cell 3 - i's.
    assert (half.pre.neuron.tolist(), half.post.neuron.tolist()) == ([3, 2], [2, 3])
    assert half.pre.segment.tolist() == half.post.segment.tolist() == [2, 2]


def test_electrodes_and_events_from_nowhere_are_inputs(parts: ExecutedParts) -> None:
    inputs = {
        parts.inputs[t.model].stimulus_class: (parts.inputs[t.model], t) for t in parts.input_tables
    }
    assert inputs.keys() == {"IClamp", "SEClamp", "NetCon", "ExpSyn"}
    model, table = inputs["IClamp"]
    assert dict(zip(model.parameters.names, model.parameters.values, strict=True)) == {
        "delay": 5, "duration": 2, "amplitude": 300,  # 0.3 nA in pA
    }  # fmt: skip
    assert table.target is not None
    assert table.target.neuron.tolist() == [0]
    events, table = inputs["NetCon"]
    assert events.parameters.value("delay") == 9
    assert table.target is not None
    assert table.target.neuron.tolist() == [3]
    _, table = inputs["ExpSyn"]  # synapses that no event reaches
    assert table.target is not None
    assert table.target.neuron.tolist() == [2, 4, 5]


def test_nothing_is_missing_but_what_is_told(parts: ExecutedParts) -> None:
    assert parts.known_missing == ("1 NetCons without a source",)


def test_sections_of_a_cell_stand_parents_first(parts: ExecutedParts) -> None:
    for cell in parts.cells:
        assert all(one.parent < place for place, one in enumerate(cell.sections))
        for one, other in pairwise(cell.placements):
            assert one.place < other.place


def test_the_order_of_sections_does_not_make_another_cell(
    run_model: Runner, parts: ExecutedParts
) -> None:
    """The same text with its dendrites and axon created in another order, and moved."""
    swapped = MAIN.replace("create soma, dend[2], axon\nobj", "create axon, dend[2], soma\nobj")
    swapped = swapped.replace("100*(i + 1)", "100*(2 - i)").replace("dend[1] syn", "dend[0] syn")
    swapped = swapped.replace("500*i", "125*i + 31.7")
    other = run_model({**FILES, "mosinit.hoc": swapped}).parts
    assert {c.uid for c in other.cells} == {c.uid for c in parts.cells}
