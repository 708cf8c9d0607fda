"""Connectomes in which it can be learned who sends to whom.

A document is a species: neurons of several classes along a body axis, most of them in left and
right pairs, some numbered in a row along the body. Its networks are individuals: the same neurons,
joined anew. Neuron i makes n_ij contacts onto neuron j:

    n_ij ~ Poisson(m_ij),    m_ij = s exp(A[c_i, c_j]) exp(-d_ij / l) out_i in_j

c are classes and A is drawn from a normal distribution, anew for each document; d is distance, and
l a part of the body's length. log out and log in are normal, so that degrees are log-normal; both
neurons of a pair have the same. s is such that there are as many contacts for each neuron as drawn
for the document. i and j are connected where n_ij > 0, with probability 1 - exp(-m_ij), and n_ij is
the connection's weight. Gap junctions are drawn in the same way for unordered pairs, from a matrix
of their own, with the geometric mean of out and in.

A class has one cell and one sign: what a neuron looks like tells its class, but not whom its class
prefers, which must be learned from the connections that are seen.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from string import ascii_lowercase, ascii_uppercase

from bnnkg.synthesize import documents as nml
from bnnkg.synthesize.planted import within

N_NEURONS = (100, 300)
N_CLASSES = (8, 24)
BODY_UM = 1000.0
_HALF_WIDTH_UM = 20.0
_REACH = (0.1, 0.5)
"""The length l, in parts of the body's."""
_CLASS_SD = 1.5
"""Of A."""
_DEGREE_SD = 0.5
"""Of log out and log in."""
_CONTACTS = (8.0, 16.0)
"""Chemical contacts that a neuron makes, in the mean."""
_JUNCTIONS = (1.5, 3.0)
"""Gap junctions for each neuron, in the mean; each joins two."""
_SHARE_IN_ROWS, _SHARE_UNPAIRED, _SHARE_INHIBITORY = 0.25, 0.1, 0.3
_EREV_MV = {"excitatory": (-10.0, 5.0), "inhibitory": (-85.0, -65.0)}
_TAU_DECAY_MS = {"excitatory": (2.0, 20.0), "inhibitory": (5.0, 50.0)}
_IONS = {"kdr": "k", "ka": "k", "ca": "ca"}
_SOMA, _AXON = 0, 1
_JUNCTION = "gap_junction"

Place = tuple[float, float, float]
Contacts = dict[tuple[int, int], int]


@dataclass(frozen=True)
class _Class:
    """Neurons that are alike.

    Attributes:
        name: A capital letter.
        sections: Of its cell: soma, axon, dendrites.
        sign: ``excitatory`` or ``inhibitory``.
        in_row: Whether its neurons are numbered along the body, and not paired.
    """

    name: str
    sections: tuple[nml.Section, ...]
    sign: str
    in_row: bool

    @property
    def cell(self) -> str:
        """Id of its cell."""
        return f"cell_{self.name}"


@dataclass(frozen=True)
class _Neuron:
    """One neuron.

    Attributes:
        population: Id of its population.
        instance: Its number in it.
        of: Place of its class.
        place_um: Where it is.
        out: How readily it sends.
        into: How readily it receives.
    """

    population: str
    instance: int
    of: int
    place_um: Place
    out: float
    into: float


@dataclass(frozen=True)
class _Species:
    """What all networks of a document share.

    Attributes:
        classes: Of neurons.
        neurons: In the order of their populations.
        chemical: A.
        electrical: The same for gap junctions, symmetric.
        reach_um: l.
        n_contacts: Mean number of chemical contacts in a network.
        n_junctions: Mean number of gap junctions.
        um_per_ms: Velocity of conduction.
    """

    classes: tuple[_Class, ...]
    neurons: tuple[_Neuron, ...]
    chemical: list[list[float]]
    electrical: list[list[float]]
    reach_um: float
    n_contacts: float
    n_junctions: float
    um_per_ms: float

    def sends(self, i: int, j: int) -> float:
        """m_ij without s."""
        pre, post = self.neurons[i], self.neurons[j]
        near = math.exp(self.chemical[pre.of][post.of] - self.distance_um(i, j) / self.reach_um)
        return near * pre.out * post.into

    def joins(self, i: int, j: int) -> float:
        """The same for gap junctions."""
        one, other = self.neurons[i], self.neurons[j]
        near = math.exp(self.electrical[one.of][other.of] - self.distance_um(i, j) / self.reach_um)
        return near * math.sqrt(one.out * one.into * other.out * other.into)

    def distance_um(self, i: int, j: int) -> float:
        """Between two neurons."""
        return math.dist(self.neurons[i].place_um, self.neurons[j].place_um)

    def path(self, i: int) -> str:
        """A neuron as connections name it."""
        one = self.neurons[i]
        return f"{one.population}/{one.instance}/{self.classes[one.of].cell}"


def wire(*, n_networks: int, seed: int) -> str:
    """Writes the networks of one species as a NeuroML 2 document.

    Args:
        n_networks: Number of networks.
        seed: Of all that is drawn.
    """
    source = random.Random(f"wiring/{seed}")  # noqa: S311 nothing here is secret
    species = _draw_species(source)
    parts = list(_definitions(species.classes, source))
    parts += [_network(f"net{number}", species, source) for number in range(n_networks)]
    return nml.document(f"wiring_{seed}", parts)


def _draw_species(source: random.Random) -> _Species:
    n_neurons, n_classes = source.randint(*N_NEURONS), source.randint(*N_CLASSES)
    classes = tuple(_draw_class(name, source) for name in ascii_uppercase[:n_classes])
    chemical = [[source.gauss(0, _CLASS_SD) for _ in classes] for _ in classes]
    joined = [[source.gauss(0, _CLASS_SD) for _ in classes] for _ in classes]
    places = range(n_classes)
    return _Species(
        classes=classes,
        neurons=tuple(_draw_neurons(classes, n_neurons, source)),
        chemical=chemical,
        electrical=[[joined[min(a, b)][max(a, b)] for b in places] for a in places],
        reach_um=BODY_UM * source.uniform(*_REACH),
        n_contacts=n_neurons * source.uniform(*_CONTACTS),
        n_junctions=n_neurons * source.uniform(*_JUNCTIONS),
        um_per_ms=source.uniform(100, 1000),
    )


def _draw_class(name: str, source: random.Random) -> _Class:
    dendrites = [
        nml.Section(
            f"dendrite_{number}", _SOMA, within(source, 20, 200), within(source, 0.5, 2.0)
        )
        for number in range(source.randint(1, 3))
    ]  # fmt: skip
    soma = nml.Section("soma", None, within(source, 5, 20), within(source, 5, 20))
    axon = nml.Section("axon", _SOMA, within(source, 50, 500), within(source, 0.3, 1.5))
    sign = "inhibitory" if source.random() < _SHARE_INHIBITORY else "excitatory"
    return _Class(name, (soma, axon, *dendrites), sign, source.random() < _SHARE_IN_ROWS)


def _draw_neurons(
    classes: Sequence[_Class], n_neurons: int, source: random.Random
) -> Iterator[_Neuron]:
    """Neurons of each class as one population, or as a population for each that has a name."""
    members = [source.randrange(len(classes)) for _ in range(n_neurons)]
    for of, one in enumerate(classes):
        n_left = members.count(of)
        names = _letters()
        if one.in_row:
            for number, x in enumerate(sorted(_along(source) for _ in range(n_left))):
                yield _neuron(one.name, number, of, (x, 0.0), _factors(source), source)
            continue
        while n_left:
            name = one.name + next(names)
            factors, x = _factors(source), _along(source)
            is_alone = n_left == 1 or source.random() < _SHARE_UNPAIRED
            sides = {"": 0.0} if is_alone else {"L": -_HALF_WIDTH_UM, "R": _HALF_WIDTH_UM}
            for side, y in sides.items():
                yield _neuron(name + side, 0, of, (x, y), factors, source)
            n_left -= len(sides)


def _neuron(
    population: str, instance: int, of: int, at: tuple[float, float],
    factors: tuple[float, float], source: random.Random,
) -> _Neuron:  # fmt: skip
    z = within(source, -_HALF_WIDTH_UM, _HALF_WIDTH_UM)
    return _Neuron(population, instance, of, (*at, z), *factors)


def _letters() -> Iterator[str]:
    """a, b, ..., z, aa, ab, ..."""
    yield from ascii_lowercase
    for first in ascii_lowercase:
        yield from (first + second for second in ascii_lowercase)


def _along(source: random.Random) -> float:
    return within(source, 0, BODY_UM)


def _factors(source: random.Random) -> tuple[float, float]:
    return source.lognormvariate(0, _DEGREE_SD), source.lognormvariate(0, _DEGREE_SD)


def _definitions(classes: Sequence[_Class], source: random.Random) -> Iterator[str]:
    for name, ion in _IONS.items():
        yield nml.channel(name, ion, within(source, -60, -20))
    for sign, erev in _EREV_MV.items():
        yield nml.synapse(
            sign, gbase_nS=within(source, 0.1, 2.0), erev_mV=within(source, *erev),
            tau_rise_ms=within(source, 0.2, 1.5),
            tau_decay_ms=within(source, *_TAU_DECAY_MS[sign]),
        )  # fmt: skip
    yield nml.gap_junction(_JUNCTION, within(source, 0.05, 0.5))
    for one in classes:
        chosen = source.sample(sorted(_IONS), source.randint(1, len(_IONS)))
        densities = [nml.Density(name, _IONS[name], within(source, 0.3, 8)) for name in chosen]
        yield nml.cell(one.cell, one.sections, densities)


def _network(id_: str, species: _Species, source: random.Random) -> str:
    rows = range(len(species.neurons))
    sent = _draw_contacts(permutations(rows, 2), species.sends, species.n_contacts, source)
    joined = _draw_contacts(combinations(rows, 2), species.joins, species.n_junctions, source)
    parts = list(_populations(species))
    parts += _projections(species, sent, source)
    parts += _junctions(species, joined)
    return nml.network(id_, parts)


def _draw_contacts(
    pairs: Iterable[tuple[int, int]],
    mean: Callable[[int, int], float],
    total: float,
    source: random.Random,
) -> Contacts:
    """Numbers of contacts, where there is any; ``mean`` needs a factor to add up to ``total``."""
    means = {pair: mean(*pair) for pair in pairs}
    scale = total / sum(means.values())
    drawn = {pair: _poisson(scale * own, source) for pair, own in means.items()}
    return {pair: n for pair, n in drawn.items() if n}


def _poisson(mean: float, source: random.Random) -> int:
    """How many events there are until ``mean``, at a rate of 1."""
    n, passed = 0, source.expovariate(1)
    while passed < mean:
        n += 1
        passed += source.expovariate(1)
    return n


def _populations(species: _Species) -> Iterator[str]:
    places: dict[tuple[str, str], list[Place]] = {}
    for one in species.neurons:
        own = places.setdefault((one.population, species.classes[one.of].cell), [])
        own.append(one.place_um)
    return (nml.placed_population(name, cell, own) for (name, cell), own in places.items())


def _projections(species: _Species, sent: Contacts, source: random.Random) -> Iterator[str]:
    for (pre, post), pairs in _by_population(species, sent).items():
        sign = species.classes[species.neurons[pairs[0][0]].of].sign
        rows = [_connection(species, i, j, sent[i, j], source) for i, j in pairs]
        yield nml.projection(f"{pre}_{post}", pre, post, sign, rows)


def _connection(
    species: _Species, i: int, j: int, n_contacts: int, source: random.Random
) -> nml.Connection:
    n_sections = len(species.classes[species.neurons[j].of].sections)
    return nml.Connection(
        species.path(i), _AXON, species.path(j), source.randrange(_AXON + 1, n_sections),
        float(n_contacts), round(0.5 + species.distance_um(i, j) / species.um_per_ms, 2),
    )  # fmt: skip


def _junctions(species: _Species, joined: Contacts) -> Iterator[str]:
    for (one, other), pairs in _by_population(species, joined).items():
        rows = [
            nml.Junction(species.path(i), species.path(j), float(joined[i, j])) for i, j in pairs
        ]
        yield nml.junctions(f"{one}_{other}_joined", one, other, _JUNCTION, rows)


def _by_population(
    species: _Species, contacts: Mapping[tuple[int, int], int]
) -> dict[tuple[str, str], list[tuple[int, int]]]:
    grouped: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for i, j in contacts:
        names = species.neurons[i].population, species.neurons[j].population
        grouped.setdefault(names, []).append((i, j))
    return grouped
