from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import Model, neuron, tables_of
from trained_models import TINY, circuit, single_cell, training_model

from bnnkg.errors import TrainingError
from bnnkg.gnn.batching import collate
from bnnkg.gnn.checkpoints import load_checkpoint
from bnnkg.gnn.fitting import make_learner
from bnnkg.gnn.graph import build
from bnnkg.gnn.material import gather_material
from bnnkg.gnn.questions import (
    ask_connections,
    ask_group,
    hide_connections,
    question,
)
from bnnkg.gnn.scaling import fit_scaling
from bnnkg.gnn.study import prepare_study
from bnnkg.gnn.tensors import Hidden
from bnnkg.gnn.training import RunResult, TrainingConfig, train
from bnnkg.schema.computation import KINDS


def same_bits(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)  # type: ignore[arg-type]
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_bits(v, other[k]) for k, v in one.items())  # type: ignore[attr-defined,index]
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same_bits, one, other))  # type: ignore[arg-type]
    return one == other


def test_a_planted_rule_is_found_and_above_chance(tmp_path: Path) -> None:
    config = replace(TINY, epochs=8, patience=8)
    result = train([training_model(circuit(40))], config, folder=tmp_path)
    assert result.gate.metric == "edge_auroc"
    assert result.gate.passed
    assert result.gate.value > result.gate.chance > 0.5
    assert set(result.baselines) == {
        "mlp_with_training_degrees", "mean_aggregation", "degree_alone", "nearest_twin",
    }  # fmt: skip
    assert result.held_out.keys() == result.chance.keys() == result.held_out_sd.keys()
    assert result.agreement is not None
    assert -1 <= result.agreement <= 1
    assert "within models" in result.split
    assert "neuron.x_um" in result.saw
    assert "synapse.weight" not in result.saw


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """A run that nothing interrupted."""
    return train([training_model(circuit())], TINY, folder=tmp_path_factory.mktemp("whole"))


def test_one_seed_gives_the_same_bits_twice(tmp_path: Path, whole: RunResult) -> None:
    again = train([training_model(circuit())], TINY, folder=tmp_path)
    contents = [load_checkpoint(run.checkpoint) for run in (whole, again)]
    assert same_bits(*contents)
    assert whole.held_out == again.held_out
    assert whole.history == again.history


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("at", [1, 2, 5, 8])
def test_going_on_from_a_checkpoint_gives_the_bits_of_an_uninterrupted_run(
    tmp_path: Path, at: int, whole: RunResult
) -> None:
    models = [training_model(circuit())]
    told = []

    def stop(task: str, done: float, total: float | None = None, note: str = "") -> None:
        told.append(done)
        if len(told) == at:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(models, TINY, folder=tmp_path / "parts", progress=stop)
    kept = load_checkpoint(tmp_path / "parts" / "checkpoint.pt")["current"]["state"]
    assert len(kept["history"]) + kept["n_asked"] / TINY.folds == told[-1] % TINY.epochs
    assert torch.get_num_threads() >= 1
    parts = train(models, TINY, folder=tmp_path / "parts")
    assert same_bits(load_checkpoint(whole.checkpoint), load_checkpoint(parts.checkpoint))
    assert parts.held_out == whole.held_out


def test_questions_are_accumulated_to_the_gradient_of_their_mean(tmp_path: Path) -> None:
    """One step an epoch on the mean of both folds: as long a history, other weights."""
    models = [training_model(circuit())]
    config = replace(TINY, seeds=1)
    each = train(models, config, folder=tmp_path / "each")
    both = train(models, replace(config, accumulate=2), folder=tmp_path / "both")
    steps = [
        load_checkpoint(run.checkpoint)["finished"]["bgan/0"]["history"] for run in (each, both)
    ]
    assert len(steps[0]) == len(steps[1])
    assert steps[0] != steps[1]


def test_half_precision_learns_the_planted_rule_too(tmp_path: Path) -> None:
    config = replace(TINY, epochs=8, patience=8, seeds=1, precision="bfloat16")
    result = train([training_model(circuit(40))], config, folder=tmp_path)
    assert result.gate.passed
    best = load_checkpoint(result.checkpoint)["finished"]["bgan/0"]["best"]
    assert {value.dtype for value in best.values()} == {torch.float32}


def test_attention_sums_to_one_in_half_precision() -> None:
    material = material_of(circuit())
    asked = question(material.batch, heads=2, hops=2)
    widths = {kind: material.batch.x[kind].shape[1] for kind in KINDS}
    learner = make_learner("bgan", TINY, widths, 0)
    with torch.autocast("cpu", torch.bfloat16):
        rows = learner.encoder(asked.batch, asked.sites, explain=True)
    for attended in rows.attention:
        plan = attended.site.plan
        sums = torch.zeros(plan.n_dst, attended.alpha.shape[1])
        sums.index_add_(0, plan.dst, attended.alpha.float())
        seen = torch.bincount(plan.dst, minlength=plan.n_dst) > 0
        torch.testing.assert_close(sums[seen], torch.ones_like(sums[seen]), atol=1e-5, rtol=0)


def test_an_unknown_precision_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="bfloat16"):
        train([training_model(circuit())], replace(TINY, precision="half"), folder=tmp_path)


def test_settings_of_torch_are_left_as_they_were(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    train([training_model(circuit())], replace(TINY, epochs=1, seeds=1), folder=tmp_path)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 4}])
def test_another_runs_checkpoint_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    models = [training_model(circuit())]
    config = replace(TINY, epochs=1, seeds=1)
    train(models, config, folder=tmp_path)
    with pytest.raises(TrainingError, match="another run"):
        train(models, replace(config, **change), folder=tmp_path)


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match="damaged"):
        train([training_model(circuit())], TINY, folder=tmp_path)


def test_nothing_to_train_on_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no model"):
        train([], TINY, folder=tmp_path)
    with pytest.raises(TrainingError, match="nothing in these models"):
        train([training_model(single_cell(0))], TINY, folder=tmp_path)


def test_single_cells_train_on_masked_features_and_are_split_by_family(tmp_path: Path) -> None:
    models = [training_model(single_cell(i), family=i) for i in range(9)]
    result = train(models, replace(TINY, epochs=2, seeds=1), folder=tmp_path)
    assert result.gate.metric == "feature_r2"
    assert "families" in result.split
    assert result.agreement is None


def chance_config(**changes: object) -> TrainingConfig:
    return replace(TINY, epochs=4, patience=4, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("contacts", [True, False])
def test_connections_that_follow_from_nothing_score_at_chance(
    tmp_path: Path, contacts: bool
) -> None:
    """Neither degrees, nor what is missing from them, nor a mirror tells the held-out ones."""
    model = training_model(circuit(36, planted=False), contacts=contacts)
    result = train([model], chance_config(), folder=tmp_path)
    for scores in (result.held_out, *result.baselines.values()):
        assert abs(scores["edge_auroc"] - 0.5) < 0.13


def test_features_that_follow_from_nothing_score_at_chance(tmp_path: Path) -> None:
    result = train(
        [training_model(circuit(36, planted=False))], chance_config(), folder=tmp_path
    )  # fmt: skip
    assert result.held_out["feature_r2"] < 0.1


def test_labels_that_follow_from_nothing_score_at_chance(tmp_path: Path) -> None:
    model = training_model(circuit(40, planted=False))
    result = train([model], chance_config(target="postsynaptic_sign"), folder=tmp_path)
    assert result.gate.metric == "target_auroc"
    assert not result.gate.passed


def test_shuffled_answers_score_at_chance(tmp_path: Path) -> None:
    config = replace(TINY, epochs=8, patience=8, seeds=1, shuffled=True)
    result = train([training_model(circuit(40))], config, folder=tmp_path)
    assert not result.gate.passed


def test_a_label_that_follows_from_position_is_found_without_its_synapses_signs(
    tmp_path: Path,
) -> None:
    model = training_model(circuit(40))
    config = replace(TINY, epochs=12, patience=12, seeds=1, target="postsynaptic_sign")
    result = train([model], config, folder=tmp_path)
    assert result.gate.metric == "target_auroc"
    assert result.gate.value > 0.8
    forbidden = ("synapse.sign", "synapse.erev_mV", "synapse.gbase_nS")
    assert not set(forbidden) & set(result.saw)


def material_of(model: Model, seed: int = 0):  # type: ignore[no-untyped-def]
    trained = training_model(model, contacts=False)
    base = training_model(circuit(), contacts=False)
    batch = collate([trained.tensors], fit_scaling([base.tensors]))
    return gather_material(
        [trained.tensors], [trained.group_of], batch, seed=seed, part=None, target=None
    )


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_hidden_synapses_features_change_no_answer(part: str) -> None:
    """Held-out ones never; those of training not at the step that asks for them."""
    model = circuit()
    first = material_of(model)
    own = first.directed[:, first.in_part(first.directed, part)]  # type: ignore[arg-type]
    hidden = {tuple(pair) for pair in own.T.tolist()}
    synapses = [
        replace(s, weight=77.0, type_=1 - s.type_, post_section=0)
        if (s.pre, s.post) in hidden and s.type_ is not None
        else s
        for s in model.synapses
    ]
    assert synapses != model.synapses
    second = material_of(replace(model, synapses=synapses))
    learner = make_learner("bgan", TINY, {k: first.batch.x[k].shape[1] for k in KINDS}, 0).eval()
    answers = []
    for material in (first, second):
        batch, positive = hide_connections(material, part)  # type: ignore[arg-type]
        generator = torch.Generator().manual_seed(0)
        asked = ask_connections(material, part, positive, generator)  # type: ignore[arg-type]
        answers.append(learner(question(batch, heads=2, hops=2, connections=asked)).connections)
    assert torch.equal(*answers)


def test_what_is_held_out_is_as_if_it_had_never_been_built() -> None:
    """Also for degrees and sums: training sees neither the synapses nor what counts them."""
    model = circuit(planted=False)
    material = material_of(model)
    held_out = material.joined[:, material.pair_part(material.joined) != 0]
    assert held_out.shape[1] > 5
    uids = [neuron(i) for i in range(16)]
    hidden = Hidden.of((uids[a], uids[b]) for a, b in held_out.T.tolist())
    rebuilt = collate([build(tables_of(model), hidden=hidden)], material.batch.scaling)
    for kind in KINDS:
        assert torch.equal(material.batch.x[kind], rebuilt.x[kind])
        assert torch.equal(material.batch.mask[kind], rebuilt.mask[kind])
    assert torch.equal(material.batch.edge_index, rebuilt.edge_index)
    assert torch.equal(material.batch.up_index, rebuilt.up_index)


def test_what_is_asked_for_is_hidden_and_of_its_part() -> None:
    material = material_of(circuit(planted=False))
    parts = {}
    for part in ("train", "validation", "test"):
        batch, asked = ask_group(material, material.batch, part, "dendrite", "geometry")  # type: ignore[arg-type]
        assert len(asked) == 1
        assert not batch.mask["dendrite"][asked[0].rows, asked[0].columns].any()
        parts[part] = set(asked[0].rows.tolist())
    assert not parts["train"] & parts["test"]
    assert set().union(*parts.values()) == set(range(16))


def test_negatives_have_the_degrees_of_the_positives() -> None:
    material = material_of(circuit(planted=False))
    _, positive = hide_connections(material, "train")
    asked = ask_connections(material, "train", positive, torch.Generator().manual_seed(0))
    assert asked is not None
    yes, no = asked.pairs[:, asked.exists == 1], asked.pairs[:, asked.exists == 0]
    assert no.shape[1] > 0.5 * yes.shape[1]
    joined = {tuple(sorted(pair)) for pair in material.joined.T.tolist()}
    assert not joined & {tuple(sorted(pair)) for pair in no.T.tolist()}
    most = torch.bincount(yes[0], minlength=16) - torch.bincount(no[0], minlength=16)
    assert (most >= 0).all()


def test_all_of_the_training_connections_are_asked_for_in_an_epoch() -> None:
    model = training_model(circuit())
    study = prepare_study(
        [model], network=TINY.network, seed=0, target=None, n_folds=3, feature_share=0.2,
        shuffled=False,
    )  # fmt: skip
    material = study.material[0]
    expected = material.directed[:, material.in_part(material.directed, "train")]
    asked = [
        tuple(pair)
        for step in study.order(0)
        if (q := study.ask(step, step, features=True)) is not None and q.connections is not None
        for pair, exists in zip(q.connections.pairs.T.tolist(), q.connections.exists, strict=True)
        if exists
    ]
    assert sorted(asked) == sorted(map(tuple, expected.T.tolist()))
