"""Synthetic connectomes, read by libNeuroML and by an independent parse."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from xml.etree import ElementTree

import neuroml.loaders
import pytest
from neuroml.utils import validate_neuroml2
from sklearn.metrics import roc_auc_score

from bnnkg.gnn.homologues import homologue_groups
from bnnkg.synthesize import wire

NS = {"n": "http://www.neuroml.org/schema/neuroml2"}
SEEDS = range(6)
N_WORM, CONNECTIONS_OF_WORM, JUNCTIONS_OF_WORM = 302, 2_200, 557
"""C. elegans: connected pairs by chemical synapses and by gap junctions."""

Neuron = tuple[str, int]


@dataclass(frozen=True)
class Connectome:
    """A network as its XML tells it: contacts and junctions by pairs of neurons."""

    places: dict[Neuron, tuple[float, float, float]]
    classes: dict[Neuron, str]
    contacts: dict[tuple[Neuron, Neuron], float]
    signs: dict[tuple[Neuron, Neuron], str]
    junctions: dict[tuple[Neuron, Neuron], float]


def connectomes(text: str) -> list[Connectome]:
    return [_read(one) for one in ElementTree.fromstring(text).findall("n:network", NS)]


def _read(network: ElementTree.Element) -> Connectome:
    found = Connectome({}, {}, {}, {}, {})
    for population in network.findall("n:population", NS):
        for instance in population.findall("n:instance", NS):
            neuron = str(population.get("id")), int(str(instance.get("id")))
            (at,) = instance.findall("n:location", NS)
            x, y, z = (float(str(at.get(axis))) for axis in "xyz")
            found.places[neuron] = x, y, z
            found.classes[neuron] = str(population.get("component"))
    for projection in network.findall("n:projection", NS):
        for one in projection:
            pair = _neuron(one.get("preCellId")), _neuron(one.get("postCellId"))
            assert pair not in found.contacts
            found.contacts[pair] = float(str(one.get("weight")))
            found.signs[pair] = str(projection.get("synapse"))
    for one in network.findall("n:electricalProjection/n:electricalConnectionInstanceW", NS):
        pair = _neuron(one.get("preCell")), _neuron(one.get("postCell"))
        assert pair not in found.junctions
        found.junctions[pair] = float(str(one.get("weight")))
    return found


def _neuron(path: str | None) -> Neuron:
    _, population, instance, _ = str(path).split("/")
    return population, int(instance)


@pytest.fixture(scope="module")
def drawn() -> list[Connectome]:
    return [connectomes(wire(n_networks=1, seed=seed))[0] for seed in SEEDS]


def test_libneuroml_reads_as_many_and_finds_them_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, text = tmp_path / "wiring.nml", wire(n_networks=1, seed=2)
    path.write_text(text)
    validate_neuroml2(str(path))
    assert capsys.readouterr().out == "It's valid!\n"
    (network,) = neuroml.loaders.read_neuroml2_file(str(path)).networks
    (own,) = connectomes(text)
    assert sum(len(one.instances) for one in network.populations) == len(own.places)
    sent = [row for one in network.projections for row in one.connection_wds]
    assert len(sent) == len(own.contacts)
    assert sum(row.weight for row in sent) == sum(own.contacts.values())
    joined = [
        row for one in network.electrical_projections
        for row in one.electrical_connection_instance_ws
    ]  # fmt: skip
    assert len(joined) == len(own.junctions)


def test_connectomes_are_as_dense_as_a_real_one(drawn: list[Connectome]) -> None:
    """Partners for each neuron: half to twice as many as in the worm."""
    assert all(100 <= len(one.places) <= 300 for one in drawn)
    sent = mean(len(one.contacts) / len(one.places) for one in drawn)
    joined = mean(len(one.junctions) / len(one.places) for one in drawn)
    assert 0.5 < sent / (CONNECTIONS_OF_WORM / N_WORM) < 2
    assert 0.5 < joined / (JUNCTIONS_OF_WORM / N_WORM) < 2


def test_nobody_sends_to_itself_and_contacts_are_whole(drawn: list[Connectome]) -> None:
    for one in drawn:
        for pairs in (one.contacts, one.junctions):
            assert all(a != b for a, b in pairs)
            assert all(n >= 1 and n == int(n) for n in pairs.values())


def test_the_rate_of_connection_falls_with_distance(drawn: list[Connectome]) -> None:
    for one in drawn:
        near, far = ([], [])
        for a, at in one.places.items():
            for b, there in one.places.items():
                if a != b:
                    distance = math.dist(at, there)
                    (near if distance < 250 else far).append((a, b) in one.contacts)
        assert mean(near) > 1.3 * mean(far)


def test_who_is_connected_is_told_by_classes_that_were_seen() -> None:
    """Rates between classes in one individual rank the pairs of the next."""
    for seed in SEEDS[:3]:
        first, second = connectomes(wire(n_networks=2, seed=seed))
        assert first.places == second.places
        assert first.contacts != second.contacts
        sizes = Counter(first.classes.values())
        seen = Counter((first.classes[a], first.classes[b]) for a, b in first.contacts)
        pairs = [(a, b) for a in first.places for b in first.places if a != b]
        kinds = [(first.classes[a], first.classes[b]) for a, b in pairs]
        rates = [seen[a, b] / (sizes[a] * sizes[b]) for a, b in kinds]
        exists = [pair in second.contacts for pair in pairs]
        assert roc_auc_score(exists, rates) > 0.7


def test_degrees_spread_more_than_chance_spreads_them(drawn: list[Connectome]) -> None:
    """Numbers of contacts of one class: with equal rates, their variance were their mean."""
    for one in drawn:
        sent: dict[str, list[float]] = {}
        for neuron, own in one.classes.items():
            total = sum(n for (pre, _), n in one.contacts.items() if pre == neuron)
            sent.setdefault(own, []).append(total)
        ratios = [
            mean((n - mean(own)) ** 2 for n in own) / mean(own)
            for own in sent.values() if len(own) > 5 and mean(own) > 2
        ]  # fmt: skip
        assert mean(ratios) > 1.5


def test_most_neurons_have_a_counterpart_by_name(drawn: list[Connectome]) -> None:
    for one in drawn:
        neurons = list(one.places)
        groups = homologue_groups([f"{population}[{i}]" for population, i in neurons])
        group_of = dict(zip(neurons, groups, strict=True))
        sizes = Counter(groups)
        assert sum(sizes[group] > 1 for group in groups) > 0.6 * len(neurons)
        assert len(sizes) > len(neurons) / 4
        for population, _ in [n for n in neurons if n[0][1:].endswith("L")]:
            left, right = (population, 0), (population[:-1] + "R", 0)
            assert group_of[left] == group_of[right]
            assert one.places[left][0] == one.places[right][0]
            assert one.places[left][1] == -one.places[right][1] < 0


def test_the_sign_is_that_of_the_sender_s_class(drawn: list[Connectome]) -> None:
    for one in drawn:
        told: dict[str, set[str]] = {}
        for (pre, _), sign in one.signs.items():
            told.setdefault(one.classes[pre], set()).add(sign)
        assert all(len(own) == 1 for own in told.values())
    assert {sign for one in drawn for sign in one.signs.values()} == {"excitatory", "inhibitory"}


def test_a_seed_says_all() -> None:
    assert wire(n_networks=1, seed=5) == wire(n_networks=1, seed=5)
    assert wire(n_networks=1, seed=5) != wire(n_networks=1, seed=6)
