"""The report of every real file against an independent count of its elements."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from neuroml_texts import checked_records

from bnnkg.ingest import find_source, read_source

MODELS = Path(__file__).parents[3] / "shared" / "models"
LOADED = [
    "cell",
    "segment",
    "distal",
    "parent",
    "segmentGroup",
    "member",
    "morphology",
    "biophysicalProperties",
    "channelDensity",
    "channelDensityNernst",
    "channelDensityVShift",
    "channelDensityNonUniform",
    "channelDensityGHK",
    "channelPopulation",
    "species",
    "specificCapacitance",
    "resistivity",
    "spikeThresh",
    "initMembPotential",
    "ionChannel",
    "ionChannelHH",
    "ionChannelKS",
    "gate",
    "gateHHrates",
    "gateHHtauInf",
    "gateKS",
    "forwardRate",
    "reverseRate",
    "steadyState",
    "timeCourse",
    "q10Settings",
    "expOneSynapse",
    "expTwoSynapse",
    "gapJunction",
    "silentSynapse",
    "gradedSynapse",
    "iafCell",
    "izhikevichCell",
    "adExIaFCell",
    "network",
    "population",
    "instance",
    "location",
    "projection",
    "electricalProjection",
    "continuousProjection",
    "connection",
    "connectionWD",
    "electricalConnection",
    "electricalConnectionInstance",
    "electricalConnectionInstanceW",
    "continuousConnection",
    "continuousConnectionInstance",
    "continuousConnectionInstanceW",
    "synapticConnection",
    "inputList",
    "input",
    "inputW",
    "explicitInput",
    "pulseGenerator",
    "notes",
    "property",
    "annotation",
    "inhomogeneousParameter",
]
EXPLAINED = {
    "Component", "ComponentType", "Dimension", "Display", "Include", "Line", "OutputColumn",
    "OutputFile", "Simulation", "Target", "Unit", "connection", "include",
    "tissueWithVaryingTemperature",
}  # fmt: skip
"""What may be kept: see docs/explanation/accounting.md."""
KNOWN_BAD = {("connection", "NeuroML2/Networks/Bulb_3MC_15GC_inputs.net.nml"): 10}
"""Rows that name segments which their cells do not have."""

SHARED_OR_CUSTOM_SEGMENTS = ("NeuroML+NeuroML2", "OpenSourceBrain+PinskyRinzelModel")
"""Where cells share a morphology, or a custom class calls something else a segment."""

pytestmark = pytest.mark.skipif(
    not MODELS.is_dir(), reason="the folder of real models is not beside the repository"
)


def _oracle(repo: str) -> dict[str, tuple[str, dict[str, int]]]:
    files: dict[str, tuple[str, dict[str, int]]] = {}
    with (MODELS / "COUNTS.tsv").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["repo"] == repo:
                counts = files.setdefault(row["path"], (row["kind"], {}))[1]
                if row["element"] != "-":
                    counts[row["element"]] = int(row["count"])
    return files


def _repos() -> list[str]:
    return sorted(p.name for p in MODELS.iterdir() if p.is_dir()) if MODELS.is_dir() else []


@pytest.mark.parametrize("repo", _repos())
def test_counts_equal_the_oracle(repo: str) -> None:
    parsed = read_source(find_source(str(MODELS / repo)))
    reports = {file.path: file for file in parsed.report.files}
    kept: dict[str, Counter[str]] = defaultdict(Counter)
    for path, (kind, counts) in _oracle(repo).items():
        report = reports[path]
        if kind in ("nml2", "nml2_h5", "lems"):
            assert {n: sum(c) for n, c in report.by_class.items()} == counts, path
            assert all(min(c) >= 0 for c in report.by_class.values()), path
            kept[path].update({n: report.by_class[n].kept for n in counts})
        else:
            assert report.status == ("failed" if kind == "broken" else "skipped"), path
            assert report.reason
            assert report.by_class == {}
    on_disk = {
        p.relative_to(MODELS / repo).as_posix() for p in (MODELS / repo).rglob("*") if p.is_file()
    }
    assert on_disk <= set(reports)
    left = {
        (name, path): counts[name]
        for path, counts in kept.items()
        for name in LOADED
        if counts[name]
    }
    assert left == {key: n for key, n in KNOWN_BAD.items() if key[1] in kept}
    for path, counts in kept.items():
        assert {name for name, n in counts.items() if n} <= EXPLAINED, path
        includes = counts["Include"] + counts["include"]
        assert includes == sum(note.startswith("includes ") for note in reports[path].notes), path


@pytest.mark.parametrize("repo", [r for r in _repos() if "MultiscaleISN" not in r])
def test_what_is_loaded_is_found_in_the_graph(repo: str) -> None:
    parsed = read_source(find_source(str(MODELS / repo)))
    nodes, edges = checked_records(parsed).counts()
    loaded: Counter[str] = Counter()
    for file in parsed.report.files:
        loaded.update({name: counts.loaded for name, counts in file.by_class.items()})
    synapses = sum(n for name, n in loaded.items() if "onnection" in name)
    assert nodes.get("Synapse", 0) == synapses == edges.get("SENDS", 0) == edges.get("TARGETS", 0)
    assert nodes.get("Population", 0) >= loaded["population"]
    assert nodes.get("Neuron", 0) >= loaded["instance"]
    assert edges.get("STIMULATES", 0) == sum(
        loaded[n] for n in ("input", "inputW", "explicitInput")
    )
    segments = sum(len(d.segment_ids or ()) for d in parsed.definitions if ".swc" not in d.path)
    if repo not in SHARED_OR_CUSTOM_SEGMENTS:
        assert segments == loaded["segment"]
