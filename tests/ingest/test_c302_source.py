"""The nervous system of C. elegans, as the package c302 writes it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from neuroml_texts import checked_records, edges, rows

from bnnkg.ingest import find_source, read_source
from bnnkg.ingest.parsed import ParsedModel
from bnnkg.schema import GraphTables

pytest.importorskip("c302", reason="c302 is not installed (extra demo)")


@pytest.fixture(scope="module")
def worm(c302_folder: Path) -> tuple[ParsedModel, GraphTables]:
    parsed = read_source(find_source(str(c302_folder), name="c302"))
    return parsed, checked_records(parsed)


def test_counts_are_those_of_the_connectome(worm: tuple[ParsedModel, GraphTables]) -> None:
    nodes, edge_counts = worm[1].counts()
    assert (nodes["Neuron"], nodes["Population"], nodes["Cell"]) == (302, 302, 303)
    assert nodes["Synapse"] == 2279 + 1084
    assert nodes["Stimulus"] == 302
    kinds = Counter(s["kind"] for s in rows(worm[1], "Synapse"))
    assert kinds == {"chemical": 2279, "electrical": 1084}
    joined = Counter(e["kind"] for e in edges(worm[1], "CONNECTS_TO"))
    assert joined == {"chemical": 2279, "electrical": 557}
    assert edge_counts["LEAVES_FROM"] == edge_counts["ARRIVES_AT"] == 3363


def test_compartments_and_segments(worm: tuple[ParsedModel, GraphTables]) -> None:
    used = {e["dst"] for e in edges(worm[1], "INSTANCE_OF")}
    cells = {c.uid: c for c in worm[0].cells}
    kinds = Counter(s.kind for uid in used for s in cells[str(uid)].sections)
    assert kinds == {"soma": 302, "axon": 328, "dendrite": 1410}
    assert sum(s.n_segments for uid in used for s in cells[str(uid)].sections) == 13_869
    [muscle] = [c for c in worm[0].cells if c.uid not in used]
    assert [s.kind for s in muscle.sections] == ["soma"]
    assert all(c.sections[0].length_um == 0 and c.sections[0].area_um2 > 0
               for c in worm[0].cells if c.uid in used)  # fmt: skip


def test_weights_types_and_places(worm: tuple[ParsedModel, GraphTables]) -> None:
    weights = sorted(s["weight"] for s in rows(worm[1], "Synapse") if s["kind"] == "chemical")
    assert (weights[0], weights[-1], weights.count(1.0)) == (1.0, 37.0, 1130)
    types = {t["name"]: t for t in rows(worm[1], "SynapseType")}
    assert {n: t["gbase_nS"] for n, t in types.items()} == {
        "neuron_to_neuron_exc_syn": 0.01, "neuron_to_neuron_inh_syn": 3.0,
        "neuron_to_neuron_elec_syn": 0.0005,
    }  # fmt: skip
    assert {e["fraction_along"] for e in edges(worm[1], "ARRIVES_AT")} == {0.5}
    positions = {(n["x_um"], n["y_um"], n["z_um"]) for n in rows(worm[1], "Neuron")}
    assert len(positions) > 295  # every location is (0, 0, 0): the cells' own coordinates tell
    [adal] = [n for n in rows(worm[1], "Neuron") if n["name"] == "ADAL"]
    assert (adal["x_um"], adal["y_um"], adal["z_um"]) == (8.65, -239.25, 31.05)


def test_nothing_is_lost_and_nobody_named(worm: tuple[ParsedModel, GraphTables]) -> None:
    parsed, tables = worm
    assert (parsed.report.status, parsed.report.missing) == ("loaded", [])
    [shared] = [f for f in parsed.report.files if f.path.endswith("cell_C.xml")]
    assert shared.path.startswith("/")
    assert shared.by_class["customHGate"].loaded == 1
    [channel] = [d for d in parsed.definitions if d.id == "ca_boyle"]
    assert "customHGate" in (channel.raw or "")
    names = {n for p in rows(tables, "Population") for n in p["property_names"]}  # type: ignore[attr-defined]
    assert names == {"color", "type", "receptor", "neurotransmitter"}
    [network] = [f for f in parsed.report.files if f.path.endswith(".net.nml")]
    assert network.by_class["property"].skipped > 0
