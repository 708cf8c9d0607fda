"""Neurons whose outcome is decided by known sections, or by known channels.

Every neuron has a cell of its own, an odd number of *drivers* among its parts, and an outcome, 0 or
1, that most of its drivers agree on:

- ``compartment``: the drivers are the dendrites of high capacitance (as spines give them); the
  outcome is whether most of them have a high axial resistance.
- ``mechanism``: the drivers are the calcium channels, among potassium channels; the outcome is
  whether most of them are dense.

No feature of a neuron sums up what decides here, as its area would sum up that of its sections. All
else (sizes, reversal potentials, midpoints) is drawn without regard to drivers and outcomes.
"""

from __future__ import annotations

import random
from typing import Literal, get_args

from bnnkg.synthesize import documents as nml
from bnnkg.synthesize.planted import Planted, Truth, within

Part = Literal["compartment", "mechanism"]
PARTS: tuple[Part, ...] = get_args(Part)

N_NEURONS = 6
N_DRIVERS = 3
N_OTHERS = 4
_CM_UF_PER_CM2 = {True: (1.8, 2.4), False: (0.8, 1.1)}
"""By whether the dendrite is a driver."""
_RA_KOHM_CM = {True: (0.2, 0.3), False: (0.06, 0.12)}
"""By vote, of drivers and of others alike."""
_G_MS_PER_CM2 = {True: (4.0, 8.0), False: (0.3, 1.0)}
"""By vote."""


def plant_parts(part: Part, *, n_networks: int, seed: int) -> Planted:
    """Writes networks of neurons that are not connected into one document.

    Args:
        part: What decides.
        n_networks: Number of networks.
        seed: Of all that is drawn.
    """
    source = random.Random(f"{part}/{seed}")  # noqa: S311 nothing here is secret
    parts = [nml.channel(name, ion, within(source, -60, -20)) for name, ion in _channels().items()]
    networks, truths = [], []
    for number in range(n_networks):
        populations = []
        for place in range(N_NEURONS):
            cell = f"cell{number}_{place}"
            plant = _plant_sections if part == "compartment" else _plant_channels
            text, truth = plant(cell, f"net{number}/{cell}/0", source)
            parts.append(text)
            truths.append(truth)
            populations.append(nml.population(cell, cell, 1))
        networks.append(nml.network(f"net{number}", populations))
    return Planted(nml.document(f"planted_{part}_{seed}", [*parts, *networks]), tuple(truths))


def _channels() -> dict[str, str]:
    """Ions of all channels by name: drivers first."""
    drivers = {f"ca{place}": "ca" for place in range(N_DRIVERS)}
    return drivers | {f"k{place}": "k" for place in range(N_OTHERS)}


def _votes(source: random.Random) -> list[bool]:
    """What each of the parts says, the drivers first."""
    return [source.random() < 0.5 for _ in range(N_DRIVERS + N_OTHERS)]


def _plant_sections(cell: str, subject: str, source: random.Random) -> tuple[str, Truth]:
    """A soma with dendrites in random order, no two of them of the same length."""
    votes = _votes(source)
    order = source.sample(range(len(votes)), len(votes))
    lengths = [hundredths / 100 for hundredths in source.sample(range(4_000, 15_000), len(votes))]
    soma = nml.Section("soma", None, 10.0, within(source, 8, 14))
    dendrites = [
        nml.Section(
            f"dendrite_{place}", 0, lengths[number], within(source, 0.8, 3),
            within(source, *_CM_UF_PER_CM2[number < N_DRIVERS]),
            within(source, *_RA_KOHM_CM[votes[number]]),
        )
        for place, number in enumerate(order)
    ]  # fmt: skip
    text = nml.cell(cell, (soma, *dendrites), (nml.Density("k0", "k", within(source, 0.3, 8)),))
    return text, _truth(subject, [f"{length:.2f}" for length in lengths], votes)


def _plant_channels(cell: str, subject: str, source: random.Random) -> tuple[str, Truth]:
    """A soma and a dendrite with all channels."""
    votes = _votes(source)
    sections = (
        nml.Section("soma", None, within(source, 8, 14), within(source, 8, 14)),
        nml.Section("dendrite", 0, within(source, 40, 150), within(source, 0.8, 3)),
    )
    densities = [
        nml.Density(name, ion, within(source, *_G_MS_PER_CM2[vote]))
        for (name, ion), vote in zip(_channels().items(), votes, strict=True)
    ]
    text = nml.cell(cell, sections, densities)
    return text, _truth(subject, list(_channels()), votes)


def _truth(subject: str, names: list[str], votes: list[bool]) -> Truth:
    """Of names and votes in one order, the drivers first."""
    paths = tuple(f"{subject}#{name}" for name in names)
    outcome = int(2 * sum(votes[:N_DRIVERS]) > N_DRIVERS)
    return Truth(subject, outcome, paths, paths[:N_DRIVERS])
