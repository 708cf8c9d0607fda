"""Planted parts: the truth is worked out again from the document alone."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bnnkg.synthesize import PARTS, Part, Planted, plant_parts

NS = {"n": "http://www.neuroml.org/schema/neuroml2"}
Votes = dict[str, tuple[bool, bool]]
"""Per part of a neuron, whether it is a driver, and what it says."""


def number(element: ElementTree.Element, name: str) -> float:
    found = re.match(r"-?[0-9.]+", element.get(name, ""))
    assert found is not None
    return float(found[0])


def sections(cell: ElementTree.Element) -> Votes:
    """Dendrites by their lengths: those of high capacitance, and whether they resist."""
    lengths = {}
    for segment in cell.iterfind(".//n:segment", NS):
        ends = [segment.find(f"n:{end}", NS) for end in ("proximal", "distal")]
        start, stop = (number(end, "y") for end in ends if end is not None)
        lengths[segment.get("name")] = f"{stop - start:.2f}"
    cm, ra = (
        {one.get("segmentGroup"): number(one, "value") for one in cell.iterfind(f".//n:{tag}", NS)}
        for tag in ("specificCapacitance", "resistivity")
    )
    return {lengths[s]: (cm[s] > 1.5, ra[s] > 0.15) for s in lengths if s != "soma"}


def channels(cell: ElementTree.Element) -> Votes:
    """Channels by name: those of calcium, and whether they are dense."""
    return {
        str(one.get("ionChannel")): (one.get("ion") == "ca", number(one, "condDensity") > 2)
        for one in cell.iterfind(".//n:channelDensity", NS)
    }


def votes(planted: Planted, part: Part) -> dict[str, Votes]:
    """Of every neuron."""
    root = ElementTree.fromstring(planted.text)
    cells = {cell.get("id"): cell for cell in root.iterfind("n:cell", NS)}
    read = sections if part == "compartment" else channels
    return {
        f"{network.get('id')}/{one.get('id')}/0": read(cells[one.get("component")])
        for network in root.iterfind("n:network", NS)
        for one in network.iterfind("n:population", NS)
    }


@pytest.mark.parametrize("part", PARTS)
def test_drivers_decide_every_outcome(part: Part) -> None:
    planted = plant_parts(part, n_networks=4, seed=3)
    known = votes(planted, part)
    assert {truth.subject for truth in planted.truths} == set(known)
    for truth in planted.truths:
        own = known[truth.subject]
        assert {path.partition("#")[2] for path in truth.candidates} == set(own)
        drivers = {name for name, (is_driver, _) in own.items() if is_driver}
        assert {path.partition("#")[2] for path in truth.drivers} == drivers
        assert len(drivers) % 2 == 1
        agreed = sum(own[name][1] for name in drivers)
        assert truth.outcome == (agreed > len(drivers) / 2)


@pytest.mark.parametrize("part", PARTS)
def test_outcomes_are_balanced_and_a_seed_says_all(part: Part) -> None:
    planted = plant_parts(part, n_networks=20, seed=0)
    share = sum(one.outcome for one in planted.truths) / len(planted.truths)
    assert 0.3 < share < 0.7
    assert planted == plant_parts(part, n_networks=20, seed=0)
    assert planted.text != plant_parts(part, n_networks=20, seed=1).text


@pytest.mark.parametrize("part", PARTS)
def test_what_does_not_drive_says_nothing_of_the_outcome(part: Part) -> None:
    planted = plant_parts(part, n_networks=100, seed=0)
    known = votes(planted, part)
    agree = [
        vote == bool(truth.outcome)
        for truth in planted.truths
        for is_driver, vote in known[truth.subject].values()
        if not is_driver
    ]
    assert abs(sum(agree) / len(agree) - 0.5) < 0.04
