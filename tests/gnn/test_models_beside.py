"""Models that are only trained on: what is asked of the others is what is asked without them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tensor_equality import differences
from trained_models import TINY, circuit, training_model

from bnnkg.errors import TrainingError
from bnnkg.gnn.comparison import compare
from bnnkg.gnn.contenders import WITH_SYNTHETIC
from bnnkg.gnn.questions import Question
from bnnkg.gnn.study import Study, TrainingModel, prepare_study
from bnnkg.gnn.targets import target_named
from bnnkg.gnn.training import prepare

N_SYNTHETIC = 23
"""Neurons of each synthetic model, which no other model here has."""


def real(n_families: int) -> list[TrainingModel]:
    return [
        training_model(circuit(16, key=f"real{n}", seed=n), family=n) for n in range(n_families)
    ]


def synthetic() -> list[TrainingModel]:
    return [
        training_model(circuit(N_SYNTHETIC, key=f"made{n}", seed=50 + n), family=90 + n)
        for n in range(3)
    ]


@pytest.fixture(scope="module", params=[1, 6], ids=["within models", "by family"])
def studies(request: pytest.FixtureRequest) -> tuple[Study, Study]:
    """The same study without and with models beside."""
    models = real(request.param)
    return prepare(models, TINY), prepare(models, TINY, beside=synthetic())


def sizes(question: Question) -> set[int]:
    """Numbers of neurons of the graphs that a question is asked of."""
    neurons = question.batch.graph[: len(question.batch.x["neuron"])]
    return set(torch.bincount(neurons).tolist())


def answers(question: Question) -> list[torch.Tensor]:
    found = [] if question.connections is None else [question.connections.pairs]
    return found + [values for one in question.features for values in (one.rows, one.values)]


def is_same(one: Question, other: Question) -> bool:
    pairs = zip(answers(one), answers(other), strict=True)
    return not differences(one.batch, other.batch) and all(torch.equal(*pair) for pair in pairs)


def test_they_are_never_held_out(studies: tuple[Study, Study]) -> None:
    without, beside = studies
    assert without.split == beside.split
    for part in ("validation", "test"):
        asked, before = list(getattr(beside, part)), list(getattr(without, part))
        assert len(asked) == len(before) > 0
        assert all(sizes(one) == {16} for one in asked)
        assert all(is_same(one, other) for one, other in zip(asked, before, strict=True))


def test_every_connection_of_theirs_is_trained_on(studies: tuple[Study, Study]) -> None:
    without, beside = studies
    asked = [beside.ask(step, 0, features=False) for step in range(beside.n_steps)]
    shown = [sizes(one) for one in asked if one is not None]
    assert {size for own in shown for size in own} == {16, N_SYNTHETIC}
    assert all(own in ({16}, {N_SYNTHETIC}) for own in shown)
    pairs = {
        tuple(pair)
        for one in asked if one is not None and sizes(one) == {N_SYNTHETIC}
        for pair in one.connections.pairs[:, one.connections.exists == 1].T.tolist()  # type: ignore[union-attr]
    }  # fmt: skip
    one_way = {(s.pre, s.post) for n in range(3) for s in circuit(N_SYNTHETIC, seed=50 + n).synapses
               if s.kind == "chemical"}  # fmt: skip
    assert {(a % N_SYNTHETIC, b % N_SYNTHETIC) for a, b in pairs} == one_way
    assert without.n_steps == sum(own == {16} for own in shown)


def test_the_real_questions_are_as_without(studies: tuple[Study, Study]) -> None:
    without, beside = studies
    assert without.scaling == beside.scaling
    for step in range(without.n_steps):
        for seed in (0, 1):
            pair = [study.ask(step, seed, features=True) for study in studies]
            assert (pair[0] is None) == (pair[1] is None)
            assert pair[0] is None or is_same(*pair)  # type: ignore[arg-type]


@pytest.mark.parametrize("n_families", [1, 6])
def test_mechanisms_whose_labels_they_tell_are_not_asked_for(n_families: int) -> None:
    """All circuits have the same two channels: beside one, no label of theirs is left."""
    given = {"network": TINY.network, "seed": 0, "target": target_named("channel_ion"),
             "n_folds": 1, "feature_share": 0.1, "shuffled": False}  # fmt: skip
    with pytest.raises(TrainingError, match="0 for validation, 0 for test"):
        prepare_study(real(n_families), beside=synthetic(), **given)  # type: ignore[arg-type]


def test_one_contender_is_trained_on_them_and_no_other() -> None:
    config, models = replace(TINY, epochs=1, seeds=1), real(1)
    alone = next(compare(models, config, ["bgan"]))
    first, second, *_ = compare(models, config, ["bgan", WITH_SYNTHETIC], synthetic=synthetic())
    assert (first.held_out, first.validation) == (alone.held_out, alone.validation)
    assert (second.model, second.group, second.epochs) == (WITH_SYNTHETIC, "data", 1)
    assert (second.held_out, second.validation) != (first.held_out, first.validation)
