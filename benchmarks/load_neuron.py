"""Models in NEURON code: ``bnnkg``'s executed tier beside NEURON itself, in one run.

    python benchmarks/load_neuron.py FOLDER...

Each folder is a model, such as an unpacked archive of ModelDB. Ours is all of what an ingest does
but the writing: hints, stubs, sandbox, capture, records. Plain NEURON compiles the author's
mechanisms with nrnivmodl and loads the same entry, in the same sandbox, for it is a stranger's
code; it counts what is there, on its own, at the first time step or at the end. CPU seconds include
compilers and children. What is there before is what a first model pays for all that follow: our
support library, which is compiled once on a machine, and our modules, loaded once in a process.
A table goes to stdout, a row per model as it is done, and what failed and why to stderr.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bnnkg.errors import SandboxError
from bnnkg.ingest import (  # noqa: F401 (what is not named below is loaded before it is measured)
    SourceReport,
    find_source,
    read_source,
    reading,
    records,
    records_of,
)
from bnnkg.ingest.neuron import executed  # noqa: F401 (likewise)
from bnnkg.ingest.neuron.compiling import find_toolchain, support_library
from bnnkg.ingest.neuron.execution import session_files
from bnnkg.ingest.neuron.hints import configurations
from bnnkg.ingest.sources import LocalTree
from bnnkg.sandbox import Limits, interpreter_paths, read_file, run

LIMITS = Limits(cpu_s=400, wall_s=500)
WORDS = {
    "sections": "sections",
    "segments": "segments",
    "pt3d": "3-D points",
    "density": "mechanisms in segments",
    "points": "point processes",
    "artificial": "artificial cells",
    "netcons": "NetCons",
}
PLAIN = """
import json, os, runpy, sys
spec = json.load(open(sys.argv[1]))
os.chdir(spec["folder"])
from neuron import h  # loads the mechanisms that were compiled beside the entry
ref, List, MechanismType, allsec = h.ref, h.List, h.MechanismType, h.allsec  # models redefine them

def finish():
    sections = list(allsec())
    names = [m.name() for s in sections for seg in s for m in seg]
    kinds = MechanismType(1)
    name, points, artificial = ref(""), 0, 0
    for place in range(int(kinds.count())):
        kinds.select(place)
        kinds.selected(name)
        n = int(List(name[0]).count())
        if kinds.is_artificial(place):
            artificial += n
        else:
            points += n
    left = ("capacitance", "morphology")
    json.dump({
        "sections": len(sections), "segments": sum(s.nseg for s in sections),
        "pt3d": sum(int(s.n3d()) for s in sections),
        "density": sum(not n.endswith("_ion") and n not in left for n in names),
        "points": points, "artificial": artificial, "netcons": int(List("NetCon").count()),
    }, open(spec["out"], "w"))
    sys.stdout.flush()
    os._exit(0)

begun = []
def step():
    begun.append(h.t)
    if h.t != begun[0] or len(begun) > 400:
        finish()

h.load_file("nrngui.hoc")
h.CVode().extra_scatter_gather(0, step)
if spec["entry"].endswith(".py"):
    sys.argv = [spec["entry"]]
    sys.path[:0] = [spec["folder"], os.path.dirname(spec["entry"])]
    runpy.run_path(spec["entry"], run_name="__main__")
elif not h.load_file(1, os.path.relpath(spec["entry"], spec["folder"])):
    sys.exit("the entry does not load")
for command in spec["commands"]:
    h(command)
finish()
"""


@dataclass(frozen=True)
class Load:
    """Counts of what was built (none where it failed), CPU seconds, and what went wrong."""

    counts: dict[str, int] | None
    cpu_s: float
    reason: str = ""


def cpu_s() -> float:
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def by_bnnkg(folder: Path) -> tuple[SourceReport, Load]:
    with tempfile.TemporaryDirectory() as cache:
        support_library(find_toolchain(), Path(cache) / "compiled")
        before = cpu_s()
        parsed = read_source(find_source(str(folder)), execute=True, cache=Path(cache))
        records_of(parsed)
        spent = cpu_s() - before
    taken = [one for one in parsed.report.configurations if one.status in ("loaded", "partial")]
    return parsed.report, Load(dict(taken[0].recovered) if taken else None, spent)


def by_neuron(folder: Path, entry: str, commands: tuple[str, ...]) -> Load:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        work = Path(place)
        shutil.copytree(folder, work / "source", ignore=shutil.ignore_patterns(".git", "x86_64"))
        tree = LocalTree(folder)
        ways = (*configurations(tree), *session_files(tree))
        way = next(w for w in ways if w.entry == entry)
        start = work / "source" / way.folder
        spent = 0.0
        if way.mod_folders:
            mods = [str(work / "source" / name) for name in way.mod_folders]
            outcome = run(["nrnivmodl", *mods], writable=work, read_only=interpreter_paths(),
                          working_folder=start, limits=LIMITS)  # fmt: skip
            spent += outcome.cpu_s
        spec = {"folder": str(start), "entry": str(work / "source" / entry),
                "commands": commands, "out": str(work / "counts.json")}  # fmt: skip
        (work / "spec.json").write_text(json.dumps(spec))
        (work / "plain.py").write_text(PLAIN)
        outcome = run([sys.executable, "-s", str(work / "plain.py"), str(work / "spec.json")],
                      writable=work, read_only=interpreter_paths(), working_folder=start,
                      environment={"NEURON_MODULE_OPTIONS": "-nogui"}, limits=LIMITS)  # fmt: skip
        spent += outcome.cpu_s
        try:
            counts = json.loads(read_file(work, "counts.json", max_bytes=10**6))
        except SandboxError:
            return Load(None, spent, _last_line(outcome.stderr) or outcome.message)
        return Load({WORDS[name]: n for name, n in counts.items()}, spent)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith(("NEURON:", "nrniv:"))]
    return (lines or text.strip().splitlines() or [""])[-1]


def compare(folder: Path) -> bool:
    """Prints the row of a model; whether it loads."""
    begin = time.monotonic()
    report, ours = by_bnnkg(folder)
    told = [folder.name, report.tier, report.status, f"{time.monotonic() - begin:.1f}"]
    if ours.counts is None:
        print(*told, *[""] * (len(WORDS) + 3), sep="\t", flush=True)
        print(folder.name, " ".join(report.reason.split()), sep=": ", file=sys.stderr, flush=True)
        return False
    taken = next(c for c in report.configurations if c.status in ("loaded", "partial"))
    plain = by_neuron(folder, taken.entry, taken.commands)
    equal = "-" if plain.counts is None else "yes" if plain.counts == ours.counts else "NO"
    ratio = "-" if plain.counts is None else f"{ours.cpu_s / plain.cpu_s:.2f}"
    print(*told, *ours.counts.values(), equal, ratio, f"{ours.cpu_s:.2f}", sep="\t", flush=True)
    notes = [f"fallback: {text}" for text in taken.fallbacks]
    notes += [f"missing: {text}" for text in report.missing]
    if equal == "NO":
        notes.append(f"plain NEURON has {plain.counts}")
    if plain.counts is None:
        notes.append(f"plain NEURON fails: {plain.reason}")
    for note in notes:
        print(folder.name, " ".join(note.split()), sep=": ", file=sys.stderr, flush=True)
    return True


def main(folders: list[str]) -> None:
    print("model tier status seconds", *(word.replace(" ", "_") for word in WORDS.values()),
          "equal cpu_ratio cpu_s", sep="\t", flush=True)  # fmt: skip
    loaded = sum(compare(Path(folder)) for folder in folders)
    print(f"{loaded} of {len(folders)} load")


if __name__ == "__main__":
    main(sys.argv[1:])
