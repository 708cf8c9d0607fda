from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import neuroml
import neuroml.utils
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neuroml.writers import NeuroMLHdf5Writer, NeuroMLWriter
from neuroml_texts import checked_records, edges, read_folder, rows

from bnnkg.ingest import find_source, read_source
from bnnkg.ingest.hdf5 import as_decimal
from bnnkg.schema import GraphTables


def _document() -> neuroml.NeuroMLDocument:
    """Two populations, every kind of projection, inputs; values that single precision changes."""
    doc = neuroml.NeuroMLDocument(id="doc")
    doc.iaf_cells.append(
        neuroml.IafCell(
            id="iaf",
            leak_reversal="-60mV",
            thresh="-35mV",
            reset="-65mV",
            C="1nF",
            leak_conductance="50nS",
        )
    )
    doc.exp_one_synapses.append(
        neuroml.ExpOneSynapse(id="syn", gbase="5nS", erev="0mV", tau_decay="3ms")
    )
    doc.gap_junctions.append(neuroml.GapJunction(id="gap", conductance="1nS"))
    doc.silent_synapses.append(neuroml.SilentSynapse(id="silent"))
    doc.graded_synapses.append(
        neuroml.GradedSynapse(
            id="graded", conductance="5pS", delta="5mV", Vth="-55mV", k="0.025per_ms", erev="0mV"
        )
    )
    doc.pulse_generators.append(
        neuroml.PulseGenerator(id="pulse", delay="1ms", duration="5ms", amplitude="10pA")
    )
    net = neuroml.Network(id="net", type="networkWithTemperature", temperature="32 degC")
    doc.networks.append(net)
    pop = neuroml.Population(id="A", component="iaf", type="populationList", size=3)
    for i in range(3):
        pop.instances.append(
            neuroml.Instance(id=i, location=neuroml.Location(x=i * 0.1, y=2, z=-3.3))
        )
    pop.properties.append(neuroml.Property(tag="color", value="1 0 0"))
    net.populations += [pop, neuroml.Population(id="B", component="iaf", size=4)]
    chemical = neuroml.Projection(
        id="chem", presynaptic_population="A", postsynaptic_population="A", synapse="syn"
    )
    chemical.connection_wds += [
        neuroml.ConnectionWD(
            id=0, pre_cell_id="../A/0/iaf", post_cell_id="../A/2/iaf", weight=0.1, delay="0.3 ms"
        ),
        neuroml.ConnectionWD(
            id=1, pre_cell_id="../A/1/iaf", post_cell_id="../A/0/iaf", weight=7, delay="0 ms"
        ),
    ]
    electrical = neuroml.ElectricalProjection(
        id="elec", presynaptic_population="A", postsynaptic_population="A"
    )
    electrical.electrical_connection_instances += [
        neuroml.ElectricalConnectionInstance(
            id=0, pre_cell="../A/0/iaf", post_cell="../A/1/iaf", synapse="gap"
        ),
        neuroml.ElectricalConnectionInstance(
            id=1, pre_cell="../A/1/iaf", post_cell="../A/0/iaf", synapse="gap"
        ),
    ]
    continuous = neuroml.ContinuousProjection(
        id="cont", presynaptic_population="A", postsynaptic_population="A"
    )
    continuous.continuous_connection_instances.append(
        neuroml.ContinuousConnectionInstance(
            id=0,
            pre_cell="../A/0/iaf",
            post_cell="../A/2/iaf",
            pre_component="silent",
            post_component="graded",
        )
    )
    net.projections.append(chemical)
    net.electrical_projections.append(electrical)
    net.continuous_projections.append(continuous)
    inputs = neuroml.InputList(id="in", populations="A", component="pulse")
    inputs.input.append(neuroml.Input(id=0, target="../A/1/iaf", destination="synapses"))
    net.input_lists.append(inputs)
    return doc


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[GraphTables, GraphTables]:
    """The same network read from XML and from HDF5, each from a file of one name."""
    tables = []
    for writer in (NeuroMLWriter, NeuroMLHdf5Writer):
        path = tmp_path_factory.mktemp("net") / "net.nml"
        target = path if writer is NeuroMLWriter else path.with_suffix(".h5")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            writer.write(_document(), str(target))
        tables.append(checked_records(read_source(find_source(str(target), name="net"))))
    return tables[0], tables[1]


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("Network", ("name", "temperature_degC")),
        ("Population", ("name", "size", "property_names", "property_values")),
        ("Neuron", ("name", "index", "instance_id", "x_um", "y_um", "z_um")),
        ("Synapse", ("kind", "projection", "index", "weight", "delay_ms", "mirrored")),
        ("Stimulus", ("name", "stimulus_class", "amplitude_pA", "weight")),
        ("Cell", ("uid", "name")),
        ("SynapseType", ("uid", "name")),
        ("Mechanism", ("uid", "name")),
    ],
)
def test_nodes_are_equal_in_both_forms(
    label: str, names: tuple[str, ...], both: tuple[GraphTables, GraphTables]
) -> None:
    xml, hdf5 = (
        sorted([repr(tuple(row.get(name) for name in names)) for row in rows(tables, label)])
        for tables in both
    )
    assert xml == hdf5
    assert xml


@pytest.mark.parametrize(
    "type_", ["SENDS", "TARGETS", "OF_TYPE", "INSTANCE_OF", "STIMULATES", "CONNECTS_TO"]
)
def test_edges_are_equal_in_both_forms(type_: str, both: tuple[GraphTables, GraphTables]) -> None:
    def plain(uid: object) -> str:
        return str(uid).split("/", 2)[-1]

    xml, hdf5 = (
        sorted((plain(e["src"]), plain(e["dst"]), str(e.get("side"))) for e in edges(tables, type_))
        for tables in both
    )
    assert xml == hdf5
    assert xml


def test_a_second_reading_loses_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        NeuroMLHdf5Writer.write(_document(), str(tmp_path / "net.h5"))
    first, second = (read_source(find_source(str(tmp_path))) for _ in range(2))
    assert [c.uid for c in first.cells] == [c.uid for c in second.cells]
    assert len(first.cells) == 1


def test_rows_that_refer_to_nothing_are_told(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        NeuroMLHdf5Writer.write(_document(), str(path))
    with h5py.File(path, "a") as file:
        file["neuroml/network/projection_chem/chem"][0, 0] = 77
    report = read_source(find_source(str(tmp_path))).report
    counts = report.files[0].by_class["connection"]
    assert (counts.loaded, counts.kept) == (1, 1)
    assert report.status == "partial"
    assert "1 of 2 rows" in report.reason


def test_data_in_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "raw.bin").write_bytes(b"\0" * 96)
    other = tmp_path / "elsewhere.dat"
    with h5py.File(other, "w") as file:
        file.create_group("n")
    with h5py.File(tmp_path / "net.h5", "w") as file:
        network = file.create_group("neuroml/network")
        network.attrs["id"] = "n"
        group = network.create_group("population_P")
        group.attrs.update({"id": "P", "component": "x"})
        group.create_dataset(
            "P", (4, 3), dtype="f8", external=[(str(tmp_path / "raw.bin"), 0, h5py.h5f.UNLIMITED)]
        )
        network["population_Q"] = h5py.ExternalLink(str(other), "/n")
    report = read_source(find_source(str(tmp_path / "net.h5"))).report
    assert "another file" in report.reason
    assert report.files[0].by_class["population"].kept == 1


def test_broken_and_foreign_files_are_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = np.zeros(3)
    whole = (tmp_path / "foreign.h5").read_bytes()
    parsed = read_folder(tmp_path, {"cut.h5": whole[:600]})
    statuses = {f.path: f.status for f in parsed.report.files}
    assert statuses == {"foreign.h5": "skipped", "cut.h5": "failed"}


def test_single_precision_means_the_decimal_that_was_written() -> None:
    column = np.array([0.1, 8.378376, 1e-9, 3.0], dtype=np.float32)
    assert as_decimal(column).tolist() == [0.1, 8.378376, 1e-9, 3.0]


@given(st.lists(st.floats(width=32) | st.decimals(-999, 999, places=4).map(float)))
def test_any_single_precision_number_means_what_numpy_writes(values: list[float]) -> None:
    column = np.array(values, dtype=np.float32)
    expected = np.array([float(str(value)) for value in column], dtype=np.float64)
    np.testing.assert_array_equal(as_decimal(column), expected)


def test_a_simulation_finds_its_network_in_a_table(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.nml.h5", "w") as file:
        network = file.create_group("neuroml/network_net")
        network.attrs["id"] = "net"
    lems = """<Lems><Include file="net.nml.h5"/><Target component="sim"/>
      <Simulation id="sim" length="2s" step="0.1ms" target="net"/></Lems>"""
    parsed = read_folder(tmp_path, {"LEMS_net.xml": lems})
    [head] = parsed.networks
    assert [(s.id, s.length_ms, s.step_ms) for s in head.simulations] == [("sim", 2000.0, 0.1)]
    [file_report] = [f for f in parsed.report.files if f.path == "LEMS_net.xml"]
    assert file_report.reason == ""
