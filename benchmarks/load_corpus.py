"""Reading models: libNeuroML's own loaders beside ``bnnkg.ingest``, in one run.

    python benchmarks/load_corpus.py [--jobs N] [--repeats N] FOLDER...

Each folder is read in a process of its own by either; CPU seconds and peak memory are what reading
adds to the imports. Last, ours reads all folders at once in N worker processes (as many as there
are cores unless told), as ``bnnkg ingest`` does: its CPU there is that of all processes, with their
imports and what it takes to send records from one to another; its peak memory is that of the
largest process, imports included.

libNeuroML loads each file on its own, without its includes, and is fenced: a file that ends its
process or stumbles counts as not loaded. Ours reads, resolves references across files, hashes
content, accounts for every element and makes the records of the graph. Of several runs of one
thing (``--repeats``) that of the least CPU is told: what else the machine does only adds to it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

FILES = (".nml", ".xml", ".h5")
Result = dict[str, float]


def peak_MB() -> float:
    """Most memory that this process has held; ``ru_maxrss`` counts that of its parent, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measured(work: Callable[[], Result]) -> Result:
    cpu, peak = time.process_time(), peak_MB()
    found = work()
    return {"cpu_s": time.process_time() - cpu, "peak_MB": peak_MB() - peak, **found}


def by_libneuroml(folder: Path) -> Result:
    from neuroml import loaders

    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in FILES)

    def load() -> Result:
        n_loaded = 0
        for path in paths:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    loaders.read_neuroml2_file(str(path), include_includes=False)
                    n_loaded += 1
                except (Exception, SystemExit):
                    continue
        return {"n_loaded": n_loaded}

    return measured(load)


def by_bnnkg(folder: Path) -> Result:
    import neuroml  # noqa: F401  (ours uses its classes: an import of both)

    from bnnkg.ingest import find_source, reading, records

    def load() -> Result:
        start = time.process_time()
        parsed = reading.read_source(find_source(str(folder)))
        reading_s = time.process_time() - start
        records.records_of(parsed)
        return {"n_loaded": parsed.n_files, "reading_s": reading_s}

    return measured(load)


def by_workers(folders: list[Path], jobs: int) -> Result:
    from multiprocessing import forkserver

    from bnnkg.ingest import find_source
    from bnnkg.workflows.workers import Reading, read_many

    sources = enumerate(find_source(str(folder)) for folder in folders)
    n_loaded = 0
    for _, _, result in read_many(sources, Reading(), jobs):
        assert result.tables is not None, result.report
        n_loaded += sum(file.status == "loaded" for file in result.report.files)
    # Only once it has ended is its CPU, and that of the workers, counted as its parent's.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "cpu_s": sum(one.ru_utime + one.ru_stime for one in used), "n_loaded": n_loaded,
        "peak_MB": max(peak_MB(), used[1].ru_maxrss / 1024),
    }  # fmt: skip


READERS = {"libneuroml": by_libneuroml, "bnnkg": by_bnnkg}


def in_own_process(reader: str, *arguments: object) -> Result:
    done = subprocess.run(
        [sys.executable, __file__, "--reader", reader, *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def least(repeats: int, reader: str, *arguments: object) -> Result:
    """The run that took the least CPU."""
    return min(
        (in_own_process(reader, *arguments) for _ in range(repeats)), key=lambda run: run["cpu_s"]
    )


def row(name: str, theirs: Result, ours: Result) -> str:
    ratio = ours["cpu_s"] / theirs["cpu_s"] if theirs["cpu_s"] else float("nan")
    return (
        f"{name[:42]:42} {theirs['cpu_s']:8.2f} {ours['reading_s']:8.2f} {ours['cpu_s']:8.2f} "
        f"{ratio:6.2f} {theirs['peak_MB']:8.0f} {ours['peak_MB']:8.0f} "
        f"{theirs['n_loaded']:6.0f} {ours['n_loaded']:6.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=1)
    asked = parser.parse_args()
    print(f"{'':42} {'CPU s':>26} {'':6} {'peak MB':>17} {'files':>13}")
    print(
        f"{'folder':42} {'libN.':>8} {'reading':>8} {'+records':>8} {'ratio':>6} {'libN.':>8} "
        f"{'bnnkg':>8} {'libN.':>6} {'bnnkg':>6}"
    )
    sums: dict[str, Result] = {name: {} for name in READERS}
    for folder in asked.folders:
        found = {name: least(asked.repeats, name, folder) for name in READERS}
        for name, result in found.items():
            for key, value in result.items():
                sums[name][key] = sums[name].get(key, 0) + value
        print(row(folder.name, found["libneuroml"], found["bnnkg"]), flush=True)
    print(row("sum", sums["libneuroml"], sums["bnnkg"]), flush=True)
    ours = least(asked.repeats, "workers", asked.jobs, *asked.folders)
    theirs = sums["libneuroml"]
    print(
        f"{f'at once, in {asked.jobs} worker processes':60} {ours['cpu_s']:8.2f} "
        f"{ours['cpu_s'] / theirs['cpu_s']:6.2f} {'':8} {ours['peak_MB']:8.0f} {'':6} "
        f"{ours['n_loaded']:6.0f}"
    )


def reader(name: str, *arguments: str) -> Result:
    if name == "workers":
        return by_workers([Path(text) for text in arguments[1:]], int(arguments[0]))
    return READERS[name](Path(arguments[0]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reader"]:
        print(json.dumps(reader(*sys.argv[2:])))
    else:
        main()
