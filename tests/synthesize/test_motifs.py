"""BA-2Motifs: what is left of a network when all that ends is cut off is the motif."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

from bnnkg.synthesize import Planted, plant_motifs

NS = {"n": "http://www.neuroml.org/schema/neuroml2"}


def junctions(planted: Planted) -> dict[str, dict[str, tuple[str, str]]]:
    """Per network, the two neurons of each junction by its path."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for network in ElementTree.fromstring(planted.text).findall("n:network", NS):
        id_ = str(network.get("id"))
        for projection in network.findall("n:electricalProjection", NS):
            for place, one in enumerate(projection):
                path = f"{id_}/{projection.get('id')}/{place}"
                ends = str(one.get("preCell")), str(one.get("postCell"))
                found.setdefault(id_, {})[path] = ends
    return found


def core(edges: dict[str, tuple[str, str]]) -> set[str]:
    """Paths of what lies on a cycle, or between two."""
    left = dict(edges)
    while True:
        degree = Counter(end for ends in left.values() for end in ends)
        kept = {path: ends for path, ends in left.items() if min(degree[e] for e in ends) > 1}
        if len(kept) == len(left):
            return set(kept)
        left = kept


def test_drivers_are_the_only_cycles() -> None:
    planted = plant_motifs(n_networks=12, seed=5)
    known = junctions(planted)
    assert [truth.subject for truth in planted.truths] == list(known)
    for truth in planted.truths:
        own = known[truth.subject]
        assert set(truth.candidates) == set(own)
        assert set(truth.drivers) == core(own)
        assert len(truth.drivers) == (6 if truth.outcome else 5)
        assert len({end for ends in own.values() for end in ends}) <= 25
    assert sum(truth.outcome for truth in planted.truths) == 6


def test_a_seed_gives_the_same_document() -> None:
    one, same, other = (plant_motifs(n_networks=3, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.text != other.text
