"""Large networks: CPU and peak memory of reading them, in XML and HDF5, by size.

    python benchmarks/large_networks.py [--folder FOLDER] [--libneuroml] [--written]
        [--file FILE...] [N_CONNECTIONS...]

Makes networks of 20,000 point neurons and N connections with random ends, weights and delays (200
thousand, 1 and 2 million unless told), and reads each in a process of its own: from the file to the
records of the graph, checked as ``bnnkg validate`` checks them. Peak memory is told as a whole and
above the imports. With ``--libneuroml``, its own loader reads them too, for the ratios. With
``--written``, they are read again and made into what a database takes: the files of
``neo4j-admin``, and the parameters of all transactions. With ``--file``, files of your own are read
instead; ours follows their includes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_NEURONS = 20_000
SIZES = (200_000, 1_000_000, 2_000_000)
BLOCK_ROWS = 100_000
HEAD = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="large">
<iafCell id="iaf" leakReversal="-60mV" thresh="-35mV" reset="-65mV" C="1.0nF"
  leakConductance="0.05uS"/>
<expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="3ms"/>
"""
Measures = dict[str, float]


def rows(n: int) -> list[tuple[np.ndarray, ...]]:
    """Blocks of connections: presynaptic and postsynaptic ids, weights, delays in ms."""
    random = np.random.default_rng(n)
    blocks = []
    for start in range(0, n, BLOCK_ROWS):
        size = min(BLOCK_ROWS, n - start)
        ends = random.integers(0, N_NEURONS, (2, size))
        blocks.append((*ends, random.random(size).round(4), (1 + random.random(size)).round(3)))
    return blocks


def write_xml(path: Path, n: int) -> None:
    """A NeuroML document with a network of n connections."""
    with path.open("w") as file:
        file.write(f'{HEAD}<network id="net">\n')
        file.write(f'<population id="P" component="iaf" size="{N_NEURONS}"/>\n')
        file.write('<projection id="proj" presynapticPopulation="P" postsynapticPopulation="P" ')
        file.write('synapse="syn">\n')
        place = 0
        for block in rows(n):
            for pre, post, weight, delay in zip(*(c.tolist() for c in block), strict=True):
                file.write(
                    f'<connectionWD id="{place}" preCellId="../P/{pre}/iaf" '
                    f'postCellId="../P/{post}/iaf" weight="{weight}" delay="{delay} ms"/>\n'
                )
                place += 1
        file.write("</projection>\n</network>\n</neuroml>\n")


def write_hdf5(path: Path, n: int) -> None:
    """The HDF5 form of the same network."""
    import h5py

    with h5py.File(path, "w") as file:
        top = file.create_group("neuroml")
        top.attrs["id"] = "large"
        top.attrs["neuroml_top_level"] = f"{HEAD}</neuroml>"
        network = top.create_group("network")
        network.attrs["id"] = "net"
        population = network.create_group("population_P")
        population.attrs.update({"id": "P", "component": "iaf", "size": str(N_NEURONS)})
        projection = network.create_group("projection_proj")
        projection.attrs.update({
            "id": "proj", "type": "projection", "synapse": "syn",
            "presynapticPopulation": "P", "postsynapticPopulation": "P",
        })  # fmt: skip
        table = projection.create_dataset("proj", (n, 4), "f4", chunks=(4096, 4))
        for i, name in enumerate(("pre_cell_id", "post_cell_id", "weight", "delay")):
            table.attrs[f"column_{i}"] = name
        start = 0
        for block in rows(n):
            table[start : start + len(block[0])] = np.stack(block, axis=1)
            start += len(block[0])


def peak_MB() -> float:
    """Most memory that this process has held; ``ru_maxrss`` counts that of its parent, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def by_bnnkg(path: Path) -> Measures:
    """Reads a file into records, and checks them."""
    import h5py  # noqa: F401  (what is imported only when it is needed is an import all the same)
    import neuroml  # noqa: F401

    from bnnkg.ingest import find_source, reading, records
    from bnnkg.schema import validate

    cpu_s, before_MB = time.process_time(), peak_MB()
    tables = records.records_of(reading.read_source(find_source(str(path))))
    validate(tables)
    n = len(tables.nodes["Synapse"])
    return _measures(cpu_s, before_MB, n)


def to_files(path: Path) -> Measures:
    """Reads a file, and writes it for ``neo4j-admin``."""
    from bnnkg.ingest import find_source, reading, records
    from bnnkg.store.bulk import write_files

    cpu_s, before_MB = time.process_time(), peak_MB()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        tables = records.records_of(reading.read_source(find_source(str(path))))
        files, _ = write_files(Path(folder), [tables])
    return _measures(cpu_s, before_MB, files.nodes["Synapse"])


def to_transactions(path: Path) -> Measures:
    """Reads a file, and makes the parameters of each transaction that writes what it owns."""
    from bnnkg.ingest import find_source, reading, records
    from bnnkg.store.checks import check_model
    from bnnkg.store.driver import import_driver
    from bnnkg.store.owned import owned_steps

    import_driver()  # which they go to
    cpu_s, before_MB = time.process_time(), peak_MB()
    tables = records.records_of(reading.read_source(find_source(str(path))))
    model = check_model(tables)
    n = sum(s.n_rows for s in owned_steps(tables, model["uid"]) if "(n:Synapse" in s.statement)
    return _measures(cpu_s, before_MB, n)


def by_libneuroml(path: Path) -> Measures:
    """Reads a file with libNeuroML's own loader."""
    from neuroml import loaders
    from neuroml.hdf5 import NeuroMLHdf5Parser  # noqa: F401

    cpu_s, before_MB = time.process_time(), peak_MB()
    with contextlib.redirect_stdout(io.StringIO()):
        found = loaders.read_neuroml2_file(str(path))
    n = sum(
        len(rows)
        for p in found.networks[0].projections
        for rows in (p.connections, p.connection_wds)
    )
    return _measures(cpu_s, before_MB, n)


def _measures(cpu_s: float, before_MB: float, n: int) -> Measures:
    return {
        "n": n, "cpu_s": time.process_time() - cpu_s, "peak_MB": peak_MB(),
        "above_MB": peak_MB() - before_MB,
    }  # fmt: skip


READERS = {
    "bnnkg": by_bnnkg, "files": to_files, "transactions": to_transactions,
    "libneuroml": by_libneuroml,
}  # fmt: skip


def in_own_process(reader: str, path: Path) -> Measures:
    """What a reader takes for a file."""
    done = subprocess.run(
        [sys.executable, __file__, "--reader", reader, str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: Measures = json.loads(done.stdout.splitlines()[-1])
    return found


def line(form: str, n: int, found: Measures, theirs: Measures | None) -> str:
    """A row of the table."""
    text = (
        f"{form:20} {n:10,} {found['cpu_s']:8.2f} {1e6 * found['cpu_s'] / n:8.2f} "
        f"{found['peak_MB']:9.0f} {found['above_MB']:9.0f}"
    )
    if theirs is None:
        return text
    cpu, memory = (found[name] / theirs[name] for name in ("cpu_s", "above_MB"))
    return f"{text} {theirs['cpu_s']:8.2f} {theirs['above_MB']:9.0f} {cpu:6.3f} {memory:6.3f}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--file", nargs="*", type=Path, default=[])
    parser.add_argument("--libneuroml", action="store_true")
    parser.add_argument("--written", action="store_true")
    asked = parser.parse_args()
    print(
        f"{'form':20} {'synapses':>10} {'CPU s':>8} {'us each':>8} {'peak MB':>9} {'above':>9}",
        end="",
    )
    print(f" {'libN. s':>8} {'above':>9} {'CPU':>6} {'memory':>6}" if asked.libneuroml else "")
    for path in asked.file:
        measure(path.name[:20], path, asked)
    if asked.file:
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for form, write, ending in (
            ("XML", write_xml, ".net.nml"),
            ("HDF5", write_hdf5, ".nml.h5"),
        ):
            for n in asked.sizes or SIZES:
                path = Path(folder) / f"large{ending}"
                write(path, n)
                assert measure(form, path, asked) == n
                path.unlink()


def measure(name: str, path: Path, asked: argparse.Namespace) -> int:
    """Prints what is asked of a file; returns how many connections it has."""
    found = in_own_process("bnnkg", path)
    n = int(found["n"])
    theirs = in_own_process("libneuroml", path) if asked.libneuroml else None
    print(line(name, n, found, theirs), flush=True)
    for way in ("files", "transactions") if asked.written else ():
        written = in_own_process(way, path)
        assert written["n"] == n, written
        print(line(f"{name} to {way}", n, written, None), flush=True)
    return n


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reader"]:
        print(json.dumps(READERS[sys.argv[2]](Path(sys.argv[3]))))
    else:
        main()
