"""Networks whose outcome is decided by known synapses, so that an explanation can be marked.

Every receiver (at the fourth difficulty, every network) has an odd number of *drivers* among its
synapses, and an outcome, 0 or 1, that most of its drivers agree on:

- ``direct``: the drivers are the slow synapses; the outcome is whether most of them excite.
  Receivers are point cells, which their synapses reach directly.
- ``decoys``: the drivers are the synapses that are slow and late (of long delay); slow ones that
  are prompt and fast ones that are late are decoys. The outcome is whether most of the drivers
  excite. Receivers are point cells here, too.
- ``trans``: the drivers are the slow synapses; the outcome is whether most of their *presynaptic
  neurons* have a dense potassium channel, which no feature of a synapse tells.
- ``graph``: the drivers are the slow synapses of the whole network, and whether most of them excite
  is the outcome of the network: nobody says which neurons it concerns.

All else (conductances, delays, weights, exact time constants, lengths, places) is drawn without
regard to drivers and outcomes, and about as many synapses are drivers as not: what is merely odd is
not what decides.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from bnnkg.synthesize import documents as nml

Difficulty = Literal["direct", "decoys", "trans", "graph"]
DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)

N_RECEIVERS = 6
N_SENDERS = 7
N_RECURRENT = 5
N_FAST = {"direct": 3, "trans": 3, "graph": 4}
"""Synapses of each outcome that are no drivers."""
N_DRIVERS = {"direct": 3, "decoys": 3, "trans": 3, "graph": 5}
"""Of each outcome."""

N_VARIANTS = 4
"""Of each type of synapse and of each cell that sends: alike in what counts, else drawn."""
_SPARSE, _DENSE = "sparse", "dense"
_RECEIVER_SECTIONS = (
    nml.Section("soma", None, 12.0, 12.0),
    nml.Section("dendrite_proximal", 0, 40.0, 3.0),
    nml.Section("dendrite_distal", 1, 120.0, 1.0),
)
_SOMA, _AXON, _DISTAL = 0, 1, 2
_POINT = None
_DECOYS = [(True, False), (True, False), (False, True), (False, True)]
"""Whether slow, and whether late, of the inputs that are no drivers at difficulty ``decoys``."""
_POTASSIUM_MS_PER_CM2 = {_SPARSE: (3.0, 8.0), _DENSE: (25.0, 45.0)}
_TAU_DECAY_MS = {"fast": (2.0, 8.0), "slow": (50.0, 120.0)}
_DELAY_MS = {"prompt": (0.5, 2.0), "late": (6.0, 10.0)}
_EREV_MV = {"excites": (-5.0, 5.0), "inhibits": (-80.0, -70.0)}


@dataclass(frozen=True)
class Truth:
    """What decides one outcome.

    Attributes:
        subject: Path of the neuron, or of the network, whose outcome it is.
        outcome: 0 or 1.
        candidates: Paths of the synapses that could have decided it, or ``neuron#part`` of the
            neuron's own sections (by their lengths in um, to two places) or channels (by names).
        drivers: Those of them that did.
    """

    subject: str
    outcome: int
    candidates: tuple[str, ...]
    drivers: tuple[str, ...]


@dataclass(frozen=True)
class Planted:
    """A document and the truth about it.

    Attributes:
        text: NeuroML 2.
        truths: One for each outcome. Paths are those of the graph, without the model's uid:
            ``network/population/instance`` and ``network/projection/place``.
    """

    text: str
    truths: tuple[Truth, ...]


@dataclass(frozen=True)
class _Synapse:
    """A synapse that is to be written.

    Attributes:
        pre: Sender, as (population, place).
        post: Receiver, as (population, place).
        is_slow: Its time course.
        excites: Its sign.
        section: Place of the section that it arrives at; absent where it reaches a point cell.
        delay_ms: Its delay.
        is_driver: Whether it decides its receiver's outcome.
    """

    pre: tuple[str, int]
    post: tuple[str, int]
    is_slow: bool
    excites: bool
    section: int | None
    delay_ms: float
    is_driver: bool

    @property
    def type_(self) -> str:
        """Id of its type, but for the variant."""
        return f"{'slow' if self.is_slow else 'fast'}_{'excites' if self.excites else 'inhibits'}"


def plant(difficulty: Difficulty, *, n_networks: int, seed: int) -> Planted:
    """Writes networks of one difficulty into one document.

    Args:
        difficulty: How hard the driver is to find.
        n_networks: Number of networks.
        seed: Of all that is drawn.
    """
    source = random.Random(f"{difficulty}/{seed}")  # noqa: S311 nothing here is secret
    parts, truths = list(_definitions(source)), []
    for number in range(n_networks):
        id_ = f"net{number}"
        draw = _draw_whole if difficulty == "graph" else _draw_receivers
        sizes, synapses = draw(difficulty, source)
        text, paths = _write(id_, sizes, synapses, source)
        parts.append(text)
        truths += list(_truths(id_, difficulty, synapses, paths))
    return Planted(nml.document(f"planted_{difficulty}_{seed}", parts), tuple(truths))


def _definitions(source: random.Random) -> Iterator[str]:
    yield nml.channel("kdr", "k", -55.0)
    for course, decay in _TAU_DECAY_MS.items():
        for sign, erev in _EREV_MV.items():
            for variant in range(N_VARIANTS):
                yield nml.synapse(
                    f"{course}_{sign}_{variant}", gbase_nS=within(source, 0.5, 2.0),
                    erev_mV=within(source, *erev), tau_rise_ms=within(source, 0.2, 1.5),
                    tau_decay_ms=within(source, *decay),
                )  # fmt: skip
    for kind, potassium in _POTASSIUM_MS_PER_CM2.items():
        for variant in range(N_VARIANTS):
            sections = (
                nml.Section("soma", None, within(source, 8, 14), within(source, 8, 14)),
                nml.Section("axon", 0, within(source, 40, 90), 1.0),
            )
            potassium_density = nml.Density("kdr", "k", within(source, *potassium))
            yield nml.cell(f"{kind}_{variant}", sections, (potassium_density,))
    yield nml.cell("receiver", _RECEIVER_SECTIONS, (nml.Density("kdr", "k", 10.0),))
    yield nml.point_cell("point")


def within(source: random.Random, low: float, high: float) -> float:
    """A number between two others, to two places."""
    return round(source.uniform(low, high), 2)


def _draw_receivers(
    difficulty: Difficulty, source: random.Random
) -> tuple[dict[str, int], list[_Synapse]]:
    """Receivers with a handful of inputs each, every one from another sender."""
    sizes = _sender_sizes(N_SENDERS, source)
    senders = [(cell, i) for cell, size in sizes.items() for i in range(size)]
    receiver, section = ("receiver", _DISTAL) if difficulty == "trans" else ("point", _POINT)
    synapses = []
    for place in range(N_RECEIVERS):
        inputs = _inputs(difficulty, source)
        chosen = source.sample(senders, len(inputs))
        for number, (pre, (is_slow, delay_ms)) in enumerate(zip(chosen, inputs, strict=True)):
            excites, is_driver = source.random() < 0.5, number < N_DRIVERS[difficulty]
            post = (receiver, place)
            synapses.append(_Synapse(pre, post, is_slow, excites, section, delay_ms, is_driver))
    source.shuffle(synapses)
    return sizes | {receiver: N_RECEIVERS}, synapses


def _sender_sizes(n: int, source: random.Random) -> dict[str, int]:
    """How many neurons are of each cell, sparse or dense with the same chance."""
    cells = [f"{kind}_{variant}" for kind in _POTASSIUM_MS_PER_CM2 for variant in range(N_VARIANTS)]
    drawn = source.choices(cells, k=n)
    return {cell: drawn.count(cell) for cell in cells if cell in drawn}


def _inputs(difficulty: Difficulty, source: random.Random) -> list[tuple[bool, float]]:
    """Whether slow, and the delay (ms), of each of a receiver's inputs, the drivers first."""
    n_drivers = N_DRIVERS[difficulty]
    if difficulty == "decoys":
        kinds = [(True, True)] * n_drivers + _DECOYS
        return [
            (is_slow, within(source, *_DELAY_MS["late" if is_late else "prompt"]))
            for is_slow, is_late in kinds
        ]
    n_inputs = n_drivers + N_FAST[difficulty]
    return [(place < n_drivers, within(source, 0.5, 10.0)) for place in range(n_inputs)]


def _draw_whole(
    difficulty: Difficulty, source: random.Random
) -> tuple[dict[str, int], list[_Synapse]]:
    """Neurons that send to each other."""
    sizes = _sender_sizes(N_RECURRENT, source)
    neurons = [(cell, i) for cell, size in sizes.items() for i in range(size)]
    n_drivers, n_fast = N_DRIVERS[difficulty], N_FAST[difficulty]
    pairs = source.sample([(a, b) for a in neurons for b in neurons if a != b], n_drivers + n_fast)
    return sizes, [
        _Synapse(
            pre,
            post,
            place < n_drivers,
            source.random() < 0.5,
            _SOMA,
            within(source, 0.5, 10.0),
            place < n_drivers,
        )
        for place, (pre, post) in enumerate(pairs)
    ]


def _write(
    id_: str, sizes: Mapping[str, int], synapses: list[_Synapse], source: random.Random
) -> tuple[str, list[str]]:
    """A network's element, and the path of each synapse."""
    parts = [nml.population(name, name, size) for name, size in sizes.items()]
    grouped: dict[tuple[str, str, str], list[int]] = {}
    for place, one in enumerate(synapses):
        type_ = f"{one.type_}_{source.randrange(N_VARIANTS)}"
        grouped.setdefault((one.pre[0], one.post[0], type_), []).append(place)
    paths = [""] * len(synapses)
    for (pre, post, type_), members in grouped.items():
        name = f"{pre}_{post}_{type_}"
        rows = [_connection(synapses[place], source) for place in members]
        parts.append(nml.projection(name, pre, post, type_, rows))
        for row, place in enumerate(members):
            paths[place] = f"{id_}/{name}/{row}"
    return nml.network(id_, parts), paths


def _connection(one: _Synapse, source: random.Random) -> nml.Connection:
    (pre, i), (post, j) = one.pre, one.post
    return nml.Connection(
        f"{pre}/{i}/{pre}", _AXON, f"{post}/{j}/{post}", one.section,
        float(source.randint(1, 5)), one.delay_ms,
    )  # fmt: skip


def _truths(
    id_: str, difficulty: Difficulty, synapses: list[_Synapse], paths: list[str]
) -> Iterator[Truth]:
    owned: dict[str, list[int]] = {}
    for place, one in enumerate(synapses):
        receiver = f"{id_}/{one.post[0]}/{one.post[1]}"
        owned.setdefault(id_ if difficulty == "graph" else receiver, []).append(place)
    for subject in sorted(owned):
        members = owned[subject]
        drivers = [place for place in members if synapses[place].is_driver]
        yield Truth(
            subject,
            _outcome(difficulty, [synapses[place] for place in drivers]),
            tuple(paths[place] for place in members),
            tuple(paths[place] for place in drivers),
        )


def _outcome(difficulty: Difficulty, drivers: list[_Synapse]) -> int:
    """Whether most drivers excite, or are sent by neurons with a dense channel."""
    if difficulty == "trans":
        votes = [one.pre[0].startswith(_DENSE) for one in drivers]
    else:
        votes = [one.excites for one in drivers]
    return int(2 * sum(votes) > len(votes))
