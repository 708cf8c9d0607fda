"""What is held out: families, neurons, pairs, and what they are compared with."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnkg.errors import TrainingError
from bnnkg.gnn.components import components
from bnnkg.gnn.families import assign_families
from bnnkg.gnn.homologues import homologue_groups
from bnnkg.gnn.negatives import sample_negatives
from bnnkg.gnn.splits import PARTS, split_models, split_neurons, split_pairs
from bnnkg.schema.records import GraphTables, NodeTable


def model(
    cells: str = "", channels: str = "", passive: str = "", accession: str | None = None
) -> GraphTables:
    named, leaks = channels.split(), passive.split()
    return GraphTables.of(
        [
            NodeTable("Model", {"uid": ["m"], "key": ["k"], "accession": [accession]}),
            NodeTable("Cell", {"uid": cells.split()}),
            NodeTable("Mechanism", {
                "uid": named + leaks, "is_passive": [None] * len(named) + [True] * len(leaks),
            }),
        ],
        [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("models", "families"),
    [
        ([model("a"), model("b"), model("a c")], [0, 1, 0]),
        ([model("a"), model("a b"), model("b")], [0, 0, 0]),
        ([model("a", "x y"), model("b", "x z u v")], [0, 0]),
        ([model("a", "x y w"), model("b", "x z u v")], [0, 1]),
        ([model("a", "x", "leak"), model("b", "y", "leak")], [0, 1]),
        ([model("a", "", "leak"), model("b", "", "leak")], [0, 1]),
        (
            [model("a", accession="7"), model("b", accession="7"), model("c", accession="8")],
            [0, 0, 1],
        ),
        ([model("a"), model("b")], [0, 1]),
        ([model("")], [0]),
    ],
)
def test_families(models: list[GraphTables], families: list[int]) -> None:
    assert assign_families(models) == families


def groups_of(names: list[str]) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for name, group in zip(names, homologue_groups(names), strict=True):
        found.setdefault(group, set()).add(name)
    return {frozenset(group) for group in found.values()}


@pytest.mark.parametrize(
    "groups",
    [
        [["AVAL", "AVAR"], ["AVL"], ["AVDL", "AVDR"], ["ALA"], ["RIH"]],
        [["VB1", "VB2", "VB11"], ["DB1", "DB2"], ["VD1"]],
        [["IL2DL", "IL2DR", "IL2L", "IL2R", "IL2VL", "IL2VR"], ["IL1DL", "IL1DR", "IL1L", "IL1R"]],
        [["RMDDL", "RMDDR", "RMDL", "RMDR", "RMDVL", "RMDVR"], ["RMED", "RMEL", "RMER", "RMEV"]],
        [["CEPDL", "CEPDR", "CEPVL", "CEPVR"], ["PVDL", "PVDR"], ["PVR"], ["DVA"], ["DVB"]],
        [["RID", "RIVL", "RIVR"], ["RIR"]],  # by name alone like SAB: rather too large a group
        [["SABD", "SABVL", "SABVR"], ["ADLL", "ADLR"], ["ADAL", "ADAR"], ["RIVL", "RIVR"]],
        [
            ["pyramidal[0]", "pyramidal[1]"],
            ["basket_0", "basket_17"],
            ["left_HSN", "right_HSN"],
            ["M1_L", "M1_R"],
        ],
    ],
)
def test_counterparts_by_name(groups: list[list[str]]) -> None:
    names = [name for group in groups for name in group]
    assert groups_of(names) == {frozenset(group) for group in groups}
    assert groups_of(names[::-1]) == {frozenset(group) for group in groups}


def test_models_are_held_out_by_family() -> None:
    keys = [f"m{i}" for i in range(20)]
    families = [i // 2 for i in range(20)]
    split = split_models(keys, families, seed=3)
    parts = [split.train, split.validation, split.test]
    assert sorted(key for part in parts for key in part) == sorted(keys)
    for part in parts:
        assert part
        assert {f"m{int(key[1:]) ^ 1}" for key in part} == set(part)
    order = np.random.default_rng(1).permutation(20)
    shuffled = [keys[i] for i in order], [families[i] for i in order]
    assert split == split_models(*shuffled, seed=3)
    assert split != split_models(keys, families, seed=4)
    assert "10 families" in split.how


def test_the_order_of_what_is_divided_does_not_matter() -> None:
    uids, groups = [f"m{i}" for i in range(20)], [i % 10 for i in range(20)]
    order = np.random.default_rng(1).permutation(20)
    shuffled = [uids[i] for i in order], [groups[i] for i in order]
    assert split_neurons(uids, groups, seed=3) == split_neurons(*shuffled, seed=3)


def test_too_few_families_are_refused() -> None:
    with pytest.raises(TrainingError, match="too few families"):
        split_models(["a", "b", "c", "d"], [0, 1, 2, 3], seed=0)


def test_neurons_are_held_out_with_their_counterparts() -> None:
    names = [
        f"{stem}{side}"
        for stem in ("AVA", "AVB", "AVD", "PVC", "RIM", "AIB", "AIY")
        for side in "LR"
    ]
    split = split_neurons(names, homologue_groups(names), seed=0)
    for part in (split.train, split.validation, split.test):
        assert {name[:-1] + "LR"["RL".index(name[-1])] for name in part} == set(part)
    assert "7 groups" in split.how


def test_with_too_few_groups_every_neuron_is_one() -> None:
    split = split_neurons([f"n{i}" for i in range(20)], [0] * 20, seed=0)
    assert len(split.train) == 14
    assert split.test
    assert "on its own" in split.how


def test_a_population_is_no_class_of_counterparts() -> None:
    """Two of 400 and six of 10: with the two as classes, a part would be all or nothing of them."""
    names = [f"{name}[{i}]" for name in ("exc", "inh") for i in range(400)]
    names += [f"{name}{i}" for name in ("VA", "VB", "DA", "DB", "AS", "DD") for i in range(10)]
    group_of = dict(zip(names, homologue_groups(names), strict=True))
    random = np.random.default_rng(0)
    pairs = [(names[a], names[b]) for a, b in random.integers(0, len(names), (3000, 2))]
    split = split_pairs(pairs, group_of, 0, populations=True)
    sizes = [len(part) for part in (split.train, split.validation, split.test)]
    assert [size / sum(sizes) for size in sizes] == pytest.approx([0.7, 0.15, 0.15], abs=0.01)
    assert len({split.group_of[name] for name in names[:800]}) == 800
    assert len({split.group_of[name] for name in names[800:]}) == 6
    together = split_pairs(pairs, group_of, 0)
    assert len(set(together.group_of.values())) == 8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), min_size=1))
def test_pairs_stay_with_pairs_of_the_same_groups(seed: int, joined: list[tuple[int, int]]) -> None:
    group_of = {f"n{i}": i // 2 for i in range(30)}
    pairs = [(f"n{a}", f"n{b}") for a, b in joined]
    split = split_pairs(pairs, group_of, seed)
    parts = [split.train, split.validation, split.test]
    assert sorted(p for part in parts for p in part) == sorted({(min(p), max(p)) for p in pairs})
    of_groups = [{frozenset((group_of[a], group_of[b])) for a, b in part} for part in parts]
    for one, other in combinations(of_groups, 2):
        assert not one & other
    for place, groups in enumerate(of_groups):
        for group in groups:
            one, other = np.array([min(group)]), np.array([max(group)])
            assert split.parts(one, other).tolist() == split.parts(other, one).tolist() == [place]


def test_pairs_are_divided_by_their_shares() -> None:
    random = np.random.default_rng(0)
    group_of = {f"n{i:03}": i for i in range(200)}
    pairs = [(f"n{a:03}", f"n{b:03}") for a, b in random.integers(0, 200, (2000, 2))]
    split = split_pairs(pairs, group_of, 0)
    sizes = [len(part) for part in (split.train, split.validation, split.test)]
    assert [size / sum(sizes) for size in sizes] == pytest.approx([0.7, 0.15, 0.15], abs=0.01)
    any_pair = split.parts(random.integers(0, 200, 5000), random.integers(0, 200, 5000))
    assert np.bincount(any_pair, minlength=len(PARTS))[0] / 5000 == pytest.approx(0.7, abs=0.03)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9), st.integers(1, 80))
def test_negatives_keep_degrees_and_do_not_exist(seed: int, n: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    all_pairs = torch.randint(0, 25, (2, n), generator=generator)
    joined = torch.unique(all_pairs, dim=1)
    positive = joined[:, joined[0] != joined[1]]
    negative = sample_negatives(positive, joined, 25, generator)
    exist = {frozenset(pair) for pair in joined.T.tolist()}
    found = [tuple(pair) for pair in negative.T.tolist()]
    assert len(set(found)) == len(found)
    assert all(a != b and frozenset((a, b)) not in exist for a, b in found)
    out, into = (torch.bincount(side, minlength=25) for side in positive)
    assert (torch.bincount(negative[0], minlength=25) <= out).all()
    assert (torch.bincount(negative[1], minlength=25) <= into).all()


def test_negatives_are_complete_seeded_and_where_they_may_be() -> None:
    generator = torch.Generator().manual_seed(1)
    joined = torch.unique(torch.randint(0, 300, (2, 2000), generator=generator), dim=1)
    positive = joined[:, (joined[0] + joined[1]) % 4 == 0]
    positive = positive[:, positive[0] != positive[1]]

    def even(pairs: torch.Tensor) -> torch.Tensor:
        return (pairs[0] + pairs[1]) % 4 == 0

    def draw(seed: int) -> torch.Tensor:
        own = torch.Generator().manual_seed(seed)
        return sample_negatives(positive, joined, 300, own, allowed=even)

    negative = draw(0)
    assert negative.shape[1] >= 0.98 * positive.shape[1]
    assert even(negative).all()
    assert torch.equal(negative, draw(0))
    assert not torch.equal(negative, draw(1))


def test_negatives_that_cannot_be_told_apart_are_left_out() -> None:
    positive = torch.tensor([[0, 0, 3, 5], [1, 2, 4, 4]])  # 0 can only go to 4, and only once
    for seed in range(10):
        generator = torch.Generator().manual_seed(seed)
        found = [
            tuple(pair) for pair in sample_negatives(positive, positive, 6, generator).T.tolist()
        ]
        assert len(found) == len(set(found)) <= 3


def test_components_are_counted_in_order() -> None:
    assert components(5, [(4, 1), (1, 3)]) == [0, 1, 2, 1, 1]
