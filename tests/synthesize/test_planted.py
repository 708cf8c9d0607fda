"""Planted networks: the truth is worked out again from the document alone."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bnnkg.synthesize import DIFFICULTIES, Difficulty, Planted, plant

NS = {"n": "http://www.neuroml.org/schema/neuroml2"}
Synapse = dict[str, object]


def number(text: str | None) -> float:
    found = re.match(r"-?[0-9.]+", text or "")
    assert found is not None
    return float(found[0])


def synapses(planted: Planted) -> dict[str, Synapse]:
    """Every connection by its path, with what its type and its sender's cell say."""
    root = ElementTree.fromstring(planted.text)
    types = {one.get("id"): one for one in root.findall("n:expTwoSynapse", NS)}
    potassium = {
        cell.get("id"): number(cell.find(".//n:channelDensity", NS).get("condDensity"))  # type: ignore[union-attr]
        for cell in root.findall("n:cell", NS)
    }
    found: dict[str, Synapse] = {}
    for network in root.findall("n:network", NS):
        for projection in network.findall("n:projection", NS):
            kind = types[projection.get("synapse")]
            for place, one in enumerate(projection):
                path = f"{network.get('id')}/{projection.get('id')}/{place}"
                _, population, instance, _ = (one.get("postCellId") or "").split("/")
                found[path] = {
                    "network": network.get("id"),
                    "receiver": f"{network.get('id')}/{population}/{instance}",
                    "is_slow": number(kind.get("tauDecay")) > 20,
                    "excites": number(kind.get("erev")) > -50,
                    "is_late": number(one.get("delay")) > 4,
                    "is_dense": potassium[projection.get("presynapticPopulation")] > 15,
                }
    return found


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_drivers_decide_every_outcome(difficulty: Difficulty) -> None:
    planted = plant(difficulty, n_networks=6, seed=3)
    known = synapses(planted)
    subject = "network" if difficulty == "graph" else "receiver"
    assert {one.subject for one in planted.truths} == {str(s[subject]) for s in known.values()}
    for truth in planted.truths:
        own = {path for path, s in known.items() if s[subject] == truth.subject}
        assert set(truth.candidates) == own
        drivers = {
            path for path in own
            if known[path]["is_slow"] and (difficulty != "decoys" or known[path]["is_late"])
        }  # fmt: skip
        assert set(truth.drivers) == drivers
        vote = "is_dense" if difficulty == "trans" else "excites"
        votes = [bool(known[path][vote]) for path in drivers]
        assert len(votes) % 2 == 1
        assert truth.outcome == (sum(votes) > len(votes) / 2)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_outcomes_and_candidates_are_balanced(difficulty: Difficulty) -> None:
    truths = plant(difficulty, n_networks=60, seed=0).truths
    share = sum(one.outcome for one in truths) / len(truths)
    assert 0.3 < share < 0.7
    for one in truths:
        assert 0.3 < len(one.drivers) / len(one.candidates) < 0.7


def test_decoys_are_slow_or_late_but_not_both() -> None:
    planted = plant("decoys", n_networks=1, seed=0)
    known = synapses(planted)
    for truth in planted.truths:
        others = [known[path] for path in set(truth.candidates) - set(truth.drivers)]
        assert any(s["is_slow"] for s in others)
        assert any(s["is_late"] for s in others)
        assert not [s for s in others if s["is_slow"] and s["is_late"]]


def test_a_seed_says_all() -> None:
    assert plant("trans", n_networks=2, seed=5) == plant("trans", n_networks=2, seed=5)
    assert plant("trans", n_networks=2, seed=5).text != plant("trans", n_networks=2, seed=6).text
