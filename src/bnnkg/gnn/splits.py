"""What is trained on, what stops training, and what is held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bnnkg.errors import TrainingError
from bnnkg.gnn.read import Floats, Ints

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
SHARES = (0.7, 0.15, 0.15)
FEWEST_FAMILIES = 5
FEWEST_GROUPS = 5
MOST_COUNTERPARTS = 20
"""More neurons than these with one name and a number are a population: the worm's largest class of
motor neurons has 13."""
Pair = tuple[str, str]


@dataclass(frozen=True)
class Split:
    """Ids of models or neurons in three parts; groups are never divided.

    Attributes:
        train: To learn from.
        validation: To stop by.
        test: Held out.
        how: What was held out, in words.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    how: str


@dataclass(frozen=True)
class PairSplit:
    """Unordered pairs of neurons in three parts.

    Every pair has a part, joined or not, by the pair of groups that it belongs to; so pairs that
    are not joined can be drawn from the part that they are to be compared in.

    Attributes:
        train: Pairs to learn from.
        validation: Pairs to stop by.
        test: Pairs held out.
        group_of: Group of each neuron.
        seed: Of the division.
        bounds: Where validation and test start among the draws of pairs of groups, 0 to 1.
        how: What was held out, in words.
    """

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]
    group_of: dict[str, int]
    seed: int
    bounds: tuple[float, float]
    how: str

    def parts(self, one: Ints, other: Ints) -> Ints:
        """Place in ``PARTS`` of pairs of neurons, given by their groups."""
        return np.searchsorted(self.bounds, _draw(one, other, self.seed), side="right")


def split_models(
    keys: Sequence[str], families: Sequence[int], seed: int, *, shares: Sequence[float] = SHARES
) -> Split:
    """Holds out whole families of models.

    Args:
        keys: Keys of the models.
        families: Family of each model, from ``assign_families``.
        seed: Of the division.
        shares: Share of models in training, validation and test.

    Raises:
        TrainingError: There are fewer than five families: hold out within models.
    """
    n = len(set(families))
    if n < FEWEST_FAMILIES:
        raise TrainingError(
            "too few families of models to hold some out",
            expected=f"{FEWEST_FAMILIES} or more",
            found=str(n),
            hint="hold out neurons or pairs within the models",
        )
    return _split(keys, families, seed, shares, f"families of models held out ({n} families)")


def split_neurons(
    uids: Sequence[str], groups: Sequence[int], seed: int, *, shares: Sequence[float] = SHARES
) -> Split:
    """Holds out neurons, with their counterparts and copies.

    Args:
        uids: uids of the neurons.
        groups: Group of each, from ``homologue_groups`` of their names; with fewer than five
            groups each neuron is one.
        seed: Of the division.
        shares: Share of neurons in training, validation and test.
    """
    groups, what = _usable(groups)
    return _split(uids, groups, seed, shares, f"neurons held out within models, {what}")


def draw_parts(definitions: Ints, seed: int) -> Ints:
    """Place in ``PARTS`` of definitions, by their numbers: the same in whatever models they are."""
    return np.searchsorted(np.cumsum(SHARES)[:2], _draw(definitions, definitions, seed), "right")


def split_pairs(
    pairs: Sequence[Pair],
    group_of: dict[str, int],
    seed: int,
    *,
    shares: Sequence[float] = SHARES,
    populations: bool = False,
) -> PairSplit:
    """Holds out unordered pairs of neurons, with all pairs between the same two groups.

    Args:
        pairs: Pairs of neurons that are joined, in any order.
        group_of: Group of each neuron; with fewer than five groups each neuron is one.
        seed: Of the division.
        shares: Share of pairs in training, validation and test.
        populations: Whether groups of more than ``MOST_COUNTERPARTS`` are populations, of which
            each neuron is a group. Who is joined to whom in a population is drawn by chance, and no
            counterpart tells it; what a population's connections are like (a label), all tell.
    """
    own = list(group_of.values())
    groups, what = _usable(_tell_apart(own) if populations else own)
    group_of = dict(zip(group_of, groups, strict=True))
    unordered = sorted({(min(pair), max(pair)) for pair in pairs})
    one, other = (np.array([group_of[p[s]] for p in unordered], dtype=np.int64) for s in (0, 1))
    draws = _draw(one, other, seed)
    bounds = _bounds(draws, shares)
    part = np.searchsorted(bounds, draws, side="right")
    train, validation, test = (
        tuple(pair for pair, own in zip(unordered, part, strict=True) if own == place)
        for place in range(len(PARTS))
    )
    how = f"unordered pairs of neurons held out within models, {what}"
    return PairSplit(train, validation, test, group_of, seed, bounds, how)


def has_population(groups: Iterable[int]) -> bool:
    """Whether a group is too large for its neurons to be each other's counterparts."""
    return max(Counter(groups).values(), default=0) > MOST_COUNTERPARTS


def _tell_apart(groups: Sequence[int]) -> list[int]:
    """The same groups, but each member of a large one is a group of its own."""
    size, n = Counter(groups), max(groups, default=0) + 1
    return [
        group if size[group] <= MOST_COUNTERPARTS else n + place
        for place, group in enumerate(groups)
    ]


def _usable(groups: Sequence[int]) -> tuple[list[int], str]:
    n = len(set(groups))
    if n >= FEWEST_GROUPS:
        return list(groups), f"counterparts and numbered classes together ({n} groups)"
    return list(range(len(groups))), "each on its own, since names tell too few classes apart"


def _split(
    ids: Sequence[str], groups: Sequence[Hashable], seed: int, shares: Sequence[float], how: str
) -> Split:
    """Fills test, then validation, then training with groups in random order."""
    members: dict[Hashable, list[str]] = {}
    for id_, group in sorted(zip(ids, groups, strict=True)):
        members.setdefault(group, []).append(id_)
    ordered = sorted(members.values())
    order = np.random.default_rng(seed).permutation(len(ordered))
    sizes = np.array([len(ordered[place]) for place in order])
    middle = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    part = np.searchsorted(np.cumsum(shares)[:2], middle, side="right")
    found = [
        tuple(sorted(id_ for place in order[part == p] for id_ in ordered[place]))
        for p in range(len(PARTS))
    ]
    return Split(found[0], found[1], found[2], how)


def _draw(one: Ints, other: Ints, seed: int) -> Floats:
    """A number in [0, 1) for each unordered pair of groups, the same whenever it is asked for.

    Mixes as SplitMix64 does (Steele et al., OOPSLA 2014).
    """
    low, high = np.minimum(one, other).astype(np.uint64), np.maximum(one, other).astype(np.uint64)
    step = np.uint64(0x9E3779B97F4A7C15)
    mixed = _mix(_mix(_mix(np.full_like(low, seed % 2**64) + step) + low + step) + high + step)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _bounds(draws: Floats, shares: Sequence[float]) -> tuple[float, float]:
    """Where to cut the draws so that joined pairs fall into the parts by their shares."""
    if not len(draws):
        return float(shares[0]), float(shares[0] + shares[1])
    ordered = np.sort(draws)
    cuts = np.cumsum(shares)[:2] * len(ordered)
    first, second = (float(ordered[min(int(cut), len(ordered) - 1)]) for cut in cuts)
    return first, second
