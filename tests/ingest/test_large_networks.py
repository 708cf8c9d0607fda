"""Large networks are read in memory that grows by a stated number of bytes per connection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from neuroml_texts import POINTS, SYNAPSES, checked_records, document, edges, read_folder, rows

N_NEURONS = 500
N_ROWS = 100_000
MAX_BYTES_EACH = 400
"""As elements they take more than a thousand each; what is fixed still shows at this size."""

_READ = """
import re, sys
from bnnkg.ingest import find_source, reading, records
from bnnkg.schema import validate
tables = records.records_of(reading.read_source(find_source(sys.argv[1])))
validate(tables)
peak = re.search("VmHWM: *\t* *([0-9]+) kB", open("/proc/self/status").read()).group(1)
print(len(tables.nodes["Synapse"]), peak)
"""
"""Not ``ru_maxrss``, which is at least what the parent held when it forked."""


def _columns(n: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(0)
    pre, post = random.integers(0, N_NEURONS, (2, n))
    weight = random.integers(1, 1000, n) / 1000
    return pre, post, weight, random.integers(1, 1000, n) / 100


def _xml(n: int) -> str:
    lines = (
        f'<connectionWD id="{k}" preCellId="../P/{pre}/iaf" postCellId="../P/{post}/iaf" '
        f'weight="{weight}" delay="{delay}ms"/>'
        for k, (pre, post, weight, delay) in enumerate(
            zip(*(column.tolist() for column in _columns(n)), strict=True)
        )
    )
    network = (
        f'<network id="net"><population id="P" component="iaf" size="{N_NEURONS}"/>'
        '<projection id="proj" presynapticPopulation="P" postsynapticPopulation="P" '
        'synapse="ampa">\n' + "\n".join(lines) + "</projection></network>"
    )
    return document(POINTS, SYNAPSES, network)


def _write_hdf5(path: Path, n: int) -> None:
    with h5py.File(path, "w") as file:
        top = file.create_group("neuroml")
        top.attrs["neuroml_top_level"] = document(POINTS, SYNAPSES)
        network = top.create_group("network")
        network.attrs["id"] = "net"
        population = network.create_group("population_P")
        population.attrs.update({"id": "P", "component": "iaf", "size": str(N_NEURONS)})
        projection = network.create_group("projection_proj")
        projection.attrs.update(
            {
                "id": "proj", "type": "projection", "synapse": "ampa",
                "presynapticPopulation": "P", "postsynapticPopulation": "P",
            }
        )  # fmt: skip
        values = np.stack(_columns(n), axis=1).astype("f4")
        table = projection.create_dataset("proj", data=values, chunks=(4096, 4))
        for i, name in enumerate(("pre_cell_id", "post_cell_id", "weight", "delay")):
            table.attrs[f"column_{i}"] = name


def _peak_bytes(path: Path, n: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
    )
    n_synapses, peak_kB = map(int, done.stdout.split())
    assert n_synapses == n
    return peak_kB * 1024


@pytest.mark.parametrize("form", ["xml", "hdf5"])
def test_memory_per_connection_is_bounded(form: str, tmp_path: Path) -> None:
    peaks = []
    for n in (N_ROWS, 3 * N_ROWS):
        path = tmp_path / (f"{n}.net.nml" if form == "xml" else f"{n}.nml.h5")
        if form == "xml":
            path.write_text(_xml(n))
        else:
            _write_hdf5(path, n)
        peaks.append(_peak_bytes(path, n))
    assert (peaks[1] - peaks[0]) / (2 * N_ROWS) < MAX_BYTES_EACH


def test_both_forms_of_a_network_give_the_same_records(tmp_path: Path) -> None:
    n = 6000  # more than are converted at a time
    _write_hdf5(tmp_path / "h.nml.h5", n)
    xml = checked_records(read_folder(tmp_path / "x", {"x.nml": _xml(n)}))
    hdf5 = checked_records(
        read_folder(tmp_path / "h", {"h.nml.h5": (tmp_path / "h.nml.h5").read_bytes()})
    )
    names = ("index", "weight", "delay_ms", "kind", "projection")
    ours, theirs = ([[row[k] for k in names] for row in rows(t, "Synapse")] for t in (xml, hdf5))
    assert ours == theirs
    pre, _, weight, delay = _columns(n)
    assert [row[1] for row in ours] == weight.tolist()
    assert [row[2] for row in ours] == delay.tolist()
    ends = [str(edge["src"]).rsplit("/", 1)[1] for edge in edges(xml, "SENDS")]
    assert ends == [str(row) for row in pre.tolist()]
    assert len(edges(xml, "CONNECTS_TO")) == len(
        set(zip(*(c.tolist() for c in _columns(n)[:2]), strict=True))
    )


def test_rows_of_a_list_that_names_no_population_stay_as_they_are_written(tmp_path: Path) -> None:
    network = (
        '<network id="net"><population id="P" component="iaf" size="2"/>'
        '<projection id="lost" presynapticPopulation="Q" postsynapticPopulation="P" synapse="ampa">'
        '<connection id="0" preCellId="../Q/0/iaf" postCellId="../P/0/iaf"/></projection></network>'
    )
    parsed = read_folder(tmp_path, {"x.nml": document(POINTS, SYNAPSES, network)})
    assert 'preCellId="../Q/0/iaf"' in (parsed.networks[0].raw or "")
    assert parsed.report.files[0].by_class["connection"] == (0, 1, 0)


def test_a_population_below_its_projection_is_found(tmp_path: Path) -> None:
    network = (
        '<network id="net">'
        '<projection id="p" presynapticPopulation="P" postsynapticPopulation="P" synapse="ampa">'
        '<connection id="0" preCellId="../P/0/iaf" postCellId="../P/1/iaf"/></projection>'
        '<population id="P" component="iaf" size="2"/></network>'
    )
    parsed = read_folder(tmp_path, {"x.nml": document(POINTS, SYNAPSES, network)})
    assert parsed.report.files[0].by_class["connection"] == (1, 0, 0)


def test_what_stands_in_a_row_is_counted(tmp_path: Path) -> None:
    network = (
        '<network id="net"><population id="P" component="iaf" size="2"/>'
        '<projection id="p" presynapticPopulation="P" postsynapticPopulation="P" synapse="ampa">'
        '<connection id="0" preCellId="../P/0/iaf" postCellId="../P/1/iaf"><property tag="a"/>'
        '</connection><connection id="1" preCellId="../P/1/iaf" postCellId="../P/7/iaf"/>'
        "</projection></network>"
    )
    parsed = read_folder(tmp_path, {"x.nml": document(POINTS, SYNAPSES, network)})
    counts = parsed.report.files[0].by_class
    assert counts["connection"] == (1, 1, 0)
    assert counts["property"] == (0, 1, 0)
    assert any("the cell '../P/7/iaf' is not" in note for note in parsed.report.files[0].notes)
