"""Every class of NeuroML 2.3: declared, loaded, and in the graph as the table says."""

from __future__ import annotations

from pathlib import Path

import neuroml
import pytest
from every_class import PARTS
from lxml import etree
from neuroml_texts import checked_records, document, edges, read_folder, rows

from bnnkg.ingest.classes import CLASSES, NEUROML_NAMES
from bnnkg.ingest.parsed import ParsedModel
from bnnkg.schema import EDGES, NODES, GraphTables

XSD = Path(neuroml.__file__).parent / "nml" / "NeuroML_v2.3.xsd"
OF_TYPES_AND_DOCUMENTS = {
    # the inside of a ComponentType, which counts as one
    "Case", "ConditionalDerivedVariable", "Constant", "DerivedParameter", "DerivedVariable",
    "Dynamics", "EventOut", "Exposure", "InstanceRequirement", "OnCondition", "OnEntry", "OnEvent",
    "OnStart", "Parameter", "Property", "Regime", "Requirement", "StateAssignment",
    "StateVariable", "TimeDerivative", "Transition",
    "neuroml",
}  # fmt: skip
SIMULATION = """<Lems><Include file="Cells.xml"/><Include file="one.nml"/><Target component="sim"/>
  <Component id="by_type" type="iafCell" leakReversal="-60mV" thresh="-35mV" reset="-65mV" C="1nF"
    leakConductance="0.05uS"/>
  <Simulation id="sim" length="500ms" step="0.025ms" target="net"><Display id="d"/></Simulation>
</Lems>"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> ParsedModel:
    files: dict[str, str | bytes] = {"one.nml": document(*PARTS), "LEMS_sim.xml": SIMULATION}
    return read_folder(tmp_path_factory.mktemp("every"), files)


@pytest.fixture(scope="module")
def tables(parsed: ParsedModel) -> GraphTables:
    return checked_records(parsed)


def _schema_names() -> set[str]:
    root = etree.parse(XSD).getroot()
    return {element.get("name", "") for element in root.iter("{*}element")} - {""}


def test_every_element_of_the_schema_is_in_the_table() -> None:
    assert _schema_names() - OF_TYPES_AND_DOCUMENTS - NEUROML_NAMES == set()


def test_every_element_of_the_schema_is_loaded(parsed: ParsedModel) -> None:
    counts = {n: c for f in parsed.report.files for n, c in f.by_class.items()}
    assert {n: c for n, c in counts.items() if c.kept or c.skipped} == {}
    abstract = {"baseCell"}
    assert _schema_names() - OF_TYPES_AND_DOCUMENTS - abstract - set(counts) == set()
    assert (parsed.report.status, parsed.report.reason) == ("loaded", "")


def test_where_a_class_goes_is_declared() -> None:
    declared = {f"{label}.{name}" for label, one in NODES.items() for name in one.by_name}
    declared |= {f"{type_}.{name}" for type_, one in EDGES.items() for name in one.by_name}
    declared |= NODES.keys() | EDGES.keys()
    told = {where for groups in CLASSES.values() for group in groups for where in group.where}
    assert told - declared == set()


def test_no_class_is_in_the_table_twice() -> None:
    names = [name for groups in CLASSES.values() for group in groups for name in group.names]
    assert sorted(names) == sorted(set(names))


def test_what_the_table_says_is_filled(tables: GraphTables) -> None:
    filled = {*tables.nodes, *(key[0] for key in tables.edges)}
    filled |= {f"{label}.{name}" for label, one in tables.nodes.items() for name in one.columns}
    filled |= {f"{key[0]}.{name}" for key, one in tables.edges.items() for name in one.columns}
    told = {where for groups in CLASSES.values() for group in groups for where in group.where}
    assert told - filled <= {"Model.notes", "Model.property_names"}  # of documents, tested apart


# ---------------------------------------------------------------------- what each becomes


def _one(tables: GraphTables, label: str, name: str) -> dict[str, object]:
    [found] = [row for row in rows(tables, label) if row["name"] == name]
    return found


def _parameter(row: dict[str, object], name: str) -> float:
    values = dict(zip(row["parameter_names"], row["parameter_values"], strict=True))  # type: ignore[call-overload]
    return float(values[name])


def _expression(row: dict[str, object], name: str) -> str:
    texts = dict(zip(row["expression_names"], row["expression_texts"], strict=True))  # type: ignore[call-overload]
    return str(texts[name])


def test_populations_by_size_list_and_layout(tables: GraphTables) -> None:
    found = {
        row["name"]: (row["size"], row["layout"], row["space"], row["region"])
        for row in rows(tables, "Population")
    }
    assert found == {
        "by_size": (2, None, None, None), "by_list": (1, None, None, None),
        "by_grid": (6, "grid", "slab", None), "by_chance": (4, "random", "slab", "layer"),
        "anywhere": (5, "unstructured", None, None), "sources": (1, None, None, None),
    }  # fmt: skip
    grid = [n for n in rows(tables, "Neuron") if str(n["name"]).startswith("by_grid[")]
    assert [(n["x_um"], n["y_um"], n["z_um"]) for n in grid] == [
        (x, y, 0.0) for x in (0.0, 1.0) for y in (0.0, 1.0, 2.0)
    ]


def test_spaces_regions_and_sets_of_cells(tables: GraphTables) -> None:
    network = _one(tables, "Network", "net")
    assert _parameter(network, "space.slab.structure.xSpacing") == 1
    assert _expression(network, "region.layer.space") == "slab"
    assert _expression(network, "cellSet.some.select") == "by_size[0]"
    assert (
        _parameter(network, "extracellularProperties.bath.species.out.initialExtConcentration") == 2
    )
    [pool] = [d for d in rows(tables, "Mechanism") if d["name"] == "pool"]
    model = _expression(network, "extracellularProperties.bath.species.out.concentrationModel")
    assert model == pool["uid"]


def test_simulations(tables: GraphTables) -> None:
    network = _one(tables, "Network", "net")
    assert network["simulation_names"] == ["sim"]
    assert network["simulation_lengths_ms"] == [500.0]
    assert network["simulation_steps_ms"] == [0.025]


def test_own_types(tables: GraphTables) -> None:
    own = _one(tables, "Mechanism", "own")
    assert (own["mechanism_class"], own["base_class"]) == ("own_cell", "baseCellMembPot")
    assert (own["state_names"], own["exposure_names"]) == (["v"], ["v"])
    assert _parameter(own, "C") == 1
    assert _expression(own, "v'") == "(V0 - v) / TAU"
    assert _expression(own, "V0") == "-60mV"
    synapse = _one(tables, "SynapseType", "own_syn")
    assert (synapse["base_class"], synapse["state_names"], synapse["sign"]) == (
        "baseConductanceBasedSynapse", ["s"], -1,
    )  # fmt: skip


def test_external_morphologies_and_biophysics_are_those_of_a_cell(tables: GraphTables) -> None:
    # the same segments and densities, in the cell and by reference: content makes them one
    [whole] = [e for e in edges(tables, "DEFINES") if e["id"] == "whole"]
    [by_reference] = [e for e in edges(tables, "DEFINES") if e["id"] == "by_reference"]
    assert whole["dst"] == by_reference["dst"]
    assert by_reference["segment_ids"] == [0, 1, 2]


def test_densities(tables: GraphTables) -> None:
    [cell] = [e["dst"] for e in edges(tables, "DEFINES") if e["id"] == "whole"]
    here = [e for e in edges(tables, "HAS_MECHANISM") if str(e["src"]).startswith(f"{cell}/")]
    classes = {e["density_class"] for e in here}
    assert classes == {
        "channelPopulation", "channelDensity", "channelDensityVShift", "channelDensityNernst",
        "channelDensityGHK", "channelDensityGHK2", "channelDensityNonUniform",
        "channelDensityNonUniformNernst", "channelDensityNonUniformGHK", "species",
    }  # fmt: skip
    [population] = [e for e in here if e["density_class"] == "channelPopulation"]
    assert population["n_channels"] == 40
    assert {e["v_shift_mV"] for e in here if e["density_class"] == "channelDensityVShift"} == {3.0}
    [two] = [e["dst"] for e in edges(tables, "DEFINES") if e["id"] == "two_pools"]
    there = [e for e in edges(tables, "HAS_MECHANISM") if str(e["src"]).startswith(f"{two}/")]
    ions = {e["ion"] for e in there if e["density_class"] == "channelDensityNernstCa2"}
    assert ions == {"ca2"}


def test_synapses(tables: GraphTables) -> None:
    two = _one(tables, "SynapseType", "exp_two")
    assert (two["tau_rise_ms"], two["tau_decay_ms"]) == (1.0, 2.0)
    # d/dt (exp(-t/2) - exp(-t)) = 0 at 2 ln 2
    assert two["time_to_peak_ms"] == pytest.approx(1.3862943611)
    alpha = _one(tables, "SynapseType", "alpha")
    assert (alpha["tau_rise_ms"], alpha["tau_decay_ms"], alpha["time_to_peak_ms"]) == (
        2.0,
        2.0,
        2.0,
    )
    assert _one(tables, "SynapseType", "exp_one")["time_to_peak_ms"] == 0.0
    assert _one(tables, "SynapseType", "exp_three")["time_to_peak_ms"] is None
    nmda = _one(tables, "SynapseType", "nmda")
    assert nmda["block"] == "voltageConcDepBlockMechanism"
    assert nmda["short_term_plasticity"] == "tsodyksMarkramDepFacMechanism"
    assert _parameter(nmda, "plasticityMechanism.tauRec") == 120
    both = _one(tables, "SynapseType", "both")
    assert [_expression(both, f"synapse{i}") for i in (1, 2)] == [two["uid"], nmda["uid"]]


def test_gates(tables: GraphTables) -> None:
    channel = _one(tables, "Mechanism", "hh")
    assert channel["gate_names"] == ["a", "b", "c", "d", "e", "f", "g", "i"]
    assert len(channel["gate_steady_states"]) == 8 * 37  # type: ignore[arg-type]
    assert channel.get("kinetics_note") is None
    scheme = _one(tables, "Mechanism", "ks")
    assert (scheme["gate_names"], scheme.get("kinetics_note")) == (["n"], None)
