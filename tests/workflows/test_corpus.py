"""Real repositories in a real database, against counts that another program made of their files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import h5py
import neo4j
import pytest
from whole_graph import ask, belonging_to, counts, dump, fingerprint, one, wipe

from bnnkg.settings import Settings
from bnnkg.workflows.ingestion import IngestOutcome, ingest, remove

MODELS = Path(__file__).parents[3] / "shared" / "models"
LARGE = "OpenSourceBrain+MultiscaleISN"
BY_CLASS = {
    "Cell": ("cell_class", """cell iafTauCell iafTauRefCell iafCell iafRefCell izhikevichCell
        izhikevich2007Cell adExIaFCell fitzHughNagumoCell fitzHughNagumo1969Cell pinskyRinzelCA3Cell
        IF_curr_alpha IF_curr_exp IF_cond_alpha IF_cond_exp EIF_cond_exp_isfa_ista
        EIF_cond_alpha_isfa_ista HH_cond_exp"""),
    "Mechanism": ("mechanism_class", """ionChannel ionChannelHH ionChannelKS ionChannelPassive
        decayingPoolConcentrationModel"""),
    "SynapseType": ("synapse_class", """expOneSynapse expTwoSynapse expThreeSynapse alphaSynapse
        alphaCurrentSynapse blockingPlasticSynapse doubleSynapse gapJunction silentSynapse
        gradedSynapse linearGradedSynapse stdpSynapse expCondSynapse alphaCondSynapse
        expCurrSynapse alphaCurrSynapse"""),
}  # fmt: skip
CONNECTIONS = {
    "chemical": "connection connectionWD synapticConnection synapticConnectionWD",
    "electrical": "electricalConnection electricalConnectionInstance electricalConnectionInstanceW",
    "continuous": "continuousConnection continuousConnectionInstance continuousConnectionInstanceW",
}
INPUTS = "input inputW explicitInput"
DENSITIES = """channelDensity channelDensityNernst channelDensityVShift channelDensityNonUniform
    channelDensityGHK species"""
TYPED = {("NeuroML+NeuroML2", "cell"): 1}
"""A ``cell`` whose type names another class of cell counts as that class."""
BIOPHYSICS_SHARED = "NeuroML+NeuroML2"
"""Cells there share morphologies and biophysics by name, and carry both as often as they are."""

pytestmark = pytest.mark.skipif(
    not MODELS.is_dir(), reason="the folder of real models is not beside the repository"
)


def _repositories() -> list[object]:
    names = sorted(p.name for p in MODELS.iterdir() if p.is_dir()) if MODELS.is_dir() else []
    return [pytest.param(name, marks=pytest.mark.slow) if name == LARGE else name for name in names]


def _oracle(repository: str) -> Counter[str]:
    found: Counter[str] = Counter()
    with (MODELS / "COUNTS.tsv").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["repo"] == repository and row["kind"] in ("nml2", "nml2_h5", "lems"):
                found[row["element"]] += int(row["count"])
    return found


def _files(repository: str, *kinds: str) -> Iterator[Path]:
    with (MODELS / "COUNTS.tsv").open() as lines:
        paths = {
            row["path"]
            for row in csv.DictReader(lines, delimiter="\t")
            if row["repo"] == repository and row["kind"] in kinds
        }
    return (MODELS / repository / path for path in sorted(paths))


def _roots(repository: str) -> Iterator[ElementTree.Element]:
    for path in _files(repository, "nml2", "lems"):
        root = ElementTree.parse(path).getroot()
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        yield root


def _neurons_by_size(repository: str) -> int:
    """Neurons of populations that give a size and no instances, read by other libraries."""
    n = 0
    for root in _roots(repository):
        for population in root.iter("population"):
            if population.find("instance") is None:
                random = population.find("layout/random")
                given = None if random is None else random.get("number")
                size = population.get("size") or given or "0"
                n += int(size) if size.isdecimal() else 0  # one is a template: "[NumGloms]"
    for path in _files(repository, "nml2_h5"):
        with h5py.File(path) as file:
            n += sum(_sizes(file))
    return n


def _sizes(group: h5py.Group) -> Iterator[int]:
    for name, inner in group.items():
        if isinstance(inner, h5py.Group):
            if name.startswith("population_") and not len(inner):
                yield int(inner.attrs["size"])
            yield from _sizes(inner)


def _densities(repository: str) -> Counter[str]:
    """Densities of every cell by class: those of equal content are one where none overlap."""
    found: Counter[str] = Counter()
    for root in _roots(repository):
        for cell in root.iter("cell"):
            covered: dict[tuple[str, ...], Counter[str]] = {}
            for element in cell.iter():
                if element.tag in DENSITIES.split():
                    content = (element.tag, repr(sorted(_content(element))))
                    covered.setdefault(content, Counter()).update(_segments(cell, element))
            for (tag, _), times in covered.items():
                found[tag] += max(times.values())
    return found


def _content(density: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for name, value in density.attrib.items():
        if name not in ("id", "segmentGroup", "segment"):
            yield name, "".join(value.split())
    yield "inside", "".join(ElementTree.tostring(child, "unicode").strip() for child in density)


def _segments(cell: ElementTree.Element, density: ElementTree.Element) -> set[str]:
    """Ids of the segments that a density covers."""
    if density.get("segment") is not None:
        return {density.get("segment", "")}
    variable = density.find("variableParameter")
    group = density.get("segmentGroup") or (
        None if variable is None else variable.get("segmentGroup")
    )
    groups = {g.get("id", ""): g for g in cell.iter("segmentGroup")}
    if group is None or (group == "all" and group not in groups):
        return {segment.get("id", "") for segment in cell.iter("segment")}

    def members(name: str) -> set[str]:
        own = {member.get("segment", "") for member in groups[name].iter("member")}
        return own.union(
            *(members(i.get("segmentGroup", "")) for i in groups[name].iter("include"))
        )

    return members(group)


@pytest.fixture(scope="module")
def loaded(emptied: None, settings: Settings) -> dict[str, IngestOutcome]:
    """Every repository but the largest, each on its own."""
    names = [p.name for p in sorted(MODELS.iterdir()) if p.is_dir() and p.name != LARGE]
    return {name: ingest([str(MODELS / name)], settings=settings) for name in names}


@pytest.fixture
def report(
    loaded: dict[str, IngestOutcome], settings: Settings, request: pytest.FixtureRequest
) -> Iterator[tuple[str, Counter[str], Counter[str]]]:
    """A repository in the graph: its name, what the oracle counts, and what was not loaded."""
    name = request.param
    outcome = loaded.get(name) or ingest([str(MODELS / name)], settings=settings)
    missed: Counter[str] = Counter()
    for file in outcome.reports[0].files:
        missed.update({tag: count.kept + count.skipped for tag, count in file.by_class.items()})
    yield name, _oracle(name), missed
    if name not in loaded:
        remove([name], settings=settings)


@pytest.mark.parametrize("report", _repositories(), indirect=True)
def test_what_the_files_hold_is_found_in_the_graph(
    report: tuple[str, Counter[str], Counter[str]], driver: neo4j.Driver
) -> None:
    """Every element of an ordinary class, but for the few that the report says were kept."""
    key, oracle, missed = report

    def there(cypher: str) -> int:
        found = one(driver, f"MATCH (m:Model {{key: $key, status: 'current'}}) {cypher}", key=key)
        return int(found)

    # The oracle counts NeuroML and LEMS: cells of morphology files are not in it.
    in_oracle = "NOT d.path =~ '.*[.](swc|asc|hoc|mod)/.*'"

    def expected(names: str) -> int:
        return sum(oracle[name] - missed[name] for name in names.split())

    for label, (property_, names) in BY_CLASS.items():
        for name in names.split():
            found = there(
                f"MATCH (m)-[d:DEFINES]->(n:{label}) WHERE n.{property_} = '{name}'"
                f" AND {in_oracle} AND NOT n.kind = 'point' RETURN count(d)"
                if label == "Mechanism"
                else f"MATCH (m)-[d:DEFINES]->(n:{label}) WHERE n.{property_} = '{name}'"
                f" AND {in_oracle} RETURN count(d)"
            )
            assert found == expected(name) - TYPED.get((key, name), 0), name
    if key != BIOPHYSICS_SHARED:
        for what, column in (("segment", "segment_ids"), ("segmentGroup", "group_names")):
            custom = {"OpenSourceBrain+PinskyRinzelModel": expected(what)}.get(key, 0)
            assert (
                there(
                    f"OPTIONAL MATCH (m)-[d:DEFINES]->(:Cell) WHERE {in_oracle}"
                    f" RETURN sum(size(coalesce(d.{column}, [])))"
                )
                == expected(what) - custom
            ), what
    real = "MATCH (m)-[:DEFINES]->(w:Network) WHERE NOT w.implicit"
    assert there(f"{real} RETURN count(w)") == expected("network")
    assert there(f"{real} MATCH (w)-[:HAS_POPULATION]->(p) RETURN count(p)") == expected(
        "population"
    )
    assert there(
        f"{real} MATCH (w)-[:HAS_POPULATION]->()-[:HAS_NEURON]->(n) RETURN count(n)"
    ) == expected("instance") + _neurons_by_size(key)
    for kind, names in CONNECTIONS.items():
        whole = f"""MATCH (:Neuron)-[:SENDS]->(s:Synapse {{kind: '{kind}'}})-[:TARGETS]->(:Neuron)
            WHERE s.model_uid = m.uid AND EXISTS {{ (s)-[:OF_TYPE]->(:SynapseType) }}"""
        assert there(f"{whole} RETURN count(s)") == expected(names), kind
    assert there(
        "MATCH (s:Stimulus {model_uid: m.uid})-[e:STIMULATES]->(:Neuron) RETURN count(e)"
    ) == expected(INPUTS)


@pytest.mark.parametrize(
    "report",
    [name for name in _repositories() if name not in (BIOPHYSICS_SHARED, LARGE)],
    indirect=True,
)
def test_densities_of_every_cell_are_found_in_the_graph(
    report: tuple[str, Counter[str], Counter[str]], driver: neo4j.Driver
) -> None:
    """A density is an edge in each section that it covers, told apart by the end of its uid."""
    key, oracle, _ = report
    found = dict(
        ask(
            driver,
            """MATCH (:Model {key: $key})-[d:DEFINES]->(c:Cell)-[:HAS_COMPARTMENT]->()
                 -[e:HAS_MECHANISM]->()
            WITH d, e.density_class AS class, count(DISTINCT split(e.uid, '/')[-1]) AS n
            RETURN class, sum(n)""",
            key=key,
        )
    )
    assert found.pop("channelPopulation", 0) <= oracle["channelPopulation"]
    assert found == dict(_densities(key))


def test_what_was_not_loaded_is_told_with_its_line(loaded: dict[str, IngestOutcome]) -> None:
    """The only ordinary rows that are left out: ten that name segments which no cell has."""
    (report,) = loaded["OpenSourceBrain+MiglioreEtAl14_OlfactoryBulb3D"].reports
    (file,) = [f for f in report.files if f.by_class.get("connection", (0, 0, 0))[1]]
    told = [note for note in file.notes if "segment or fraction is not on the cell" in note]
    assert file.path == "NeuroML2/Networks/Bulb_3MC_15GC_inputs.net.nml"
    assert file.by_class["connection"].kept == len(told) == 10
    assert all("line " in note for note in told)
    assert report.status == "partial"
    assert "not loaded as written" in report.reason


def test_every_file_has_a_row(loaded: dict[str, IngestOutcome]) -> None:
    for name, outcome in loaded.items():
        told = {file["path"] for file in outcome.to_json()["files"]}
        assert {str(p) for p in (MODELS / name).rglob("*") if p.is_file()} <= told


@pytest.mark.slow
def test_loading_all_again_changes_nothing(
    loaded: dict[str, IngestOutcome], settings: Settings, driver: neo4j.Driver
) -> None:
    before, counted = fingerprint(dump(driver)), counts(driver)
    again = ingest([str(MODELS / name) for name in loaded], settings=settings)
    assert all(load.status == "unchanged" for load in again.loads.values())
    assert counts(driver) == counted
    assert fingerprint(dump(driver)) == before
    assert {k: n for k, n in again.nodes.items() if k in counted} == {
        k: n for k, n in counted.items() if k in again.nodes
    }


RELATED = (
    "OpenSourceBrain+PospischilEtAl2008", "OpenSourceBrain+SmithEtAl2013-L23DendriticSpikes",
    "OpenSourceBrain+PyloricNetwork", "openworm+ChannelWorm", "openworm+muscle_model",
)  # fmt: skip


def test_any_order_gives_the_same_graph_and_again_changes_nothing(
    settings: Settings, driver: neo4j.Driver, empty: None
) -> None:
    sources = [str(MODELS / name) for name in RELATED]
    ingest(sources, settings=settings)
    first = dump(driver)
    wipe(driver)
    ingest(sources[::-1], settings=settings)
    assert dump(driver) == first
    again = ingest(sources, settings=settings)
    assert [load.status for load in again.loads.values()] == ["unchanged"] * len(sources)
    assert dump(driver) == first


def test_real_models_share_nodes_and_go_one_by_one(
    settings: Settings, driver: neo4j.Driver, empty: None
) -> None:
    """A copy under another name shares all that is shared; either goes without the other."""
    source = MODELS / RELATED[-1]
    ingest([str(source)], settings=settings)
    alone, belongs = dump(driver), belonging_to(driver, source.name)
    shared = "MATCH (n) WHERE n:Cell OR n:Mechanism OR n:SynapseType OR n:Compartment RETURN n.uid"
    uids = sorted(ask(driver, shared))
    ingest([str(source)], settings=settings, name="copy")
    assert sorted(ask(driver, shared)) == uids
    assert belonging_to(driver, source.name) == belongs
    remove(["copy"], settings=settings)
    assert dump(driver) == alone
    remove([source.name], settings=settings)
    assert dump(driver) == []
