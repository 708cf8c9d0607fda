"""All contenders under one trainer: the same questions, steps, learning rate and early stopping."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bnnkg.gnn.ablations import shuffle_hierarchy
from bnnkg.gnn.baselines import RULES
from bnnkg.gnn.contenders import CONTENDERS, Contender, Group
from bnnkg.gnn.evaluation import METRIC, answer_all, answer_by_rule, score
from bnnkg.gnn.fitting import Fit
from bnnkg.gnn.metrics import over_seeds
from bnnkg.gnn.rivals import n_parameters
from bnnkg.gnn.study import Study, TrainingModel
from bnnkg.gnn.training import TrainingConfig, deterministic, prepare
from bnnkg.progress import Progress, silent
from bnnkg.schema.computation import KINDS

_COMPILED: tuple[Group, ...] = ("bgan", "ablation", "data")


@dataclass(frozen=True)
class Outcome:
    """What one network came to with one seed.

    Attributes:
        model: Name of the contender, or of a rule that needs no training.
        group: Of contenders; ``rule`` for rules.
        seed: Of the split and of the network.
        metric: What is compared.
        held_out: Its value on test.
        validation: Its value on validation, where training stopped; absent for rules.
        parameters: Numbers that training changed, without the decoders that all share.
        epochs: How many it took.
        cpu_s: CPU seconds of its training.
        wall_s: Seconds of its training.
    """

    model: str
    group: str
    seed: int
    metric: str
    held_out: float
    validation: float | None
    parameters: int
    epochs: int
    cpu_s: float
    wall_s: float


def compare(
    models: Sequence[TrainingModel],
    config: TrainingConfig,
    names: Sequence[str],
    *,
    synthetic: Sequence[TrainingModel] = (),
    progress: Progress = silent,
) -> Iterator[Outcome]:
    """Trains every contender with every seed, each seed on a split of its own.

    A difference between two contenders is to be read seed by seed: the split is the same for all.

    Args:
        models: What to train, stop and test on.
        config: How; its network is BGAN's shape, and tells how large the others are.
        names: Of contenders.
        synthetic: What the contender with synthetic data is trained on, too, and never tested on.
        progress: Told of every network.

    Raises:
        TrainingError: Nothing can be held out.
    """
    models = sorted(models, key=lambda model: model.tensors.model_uid)
    seeds = range(config.seed, config.seed + config.seeds)
    total = float(len(seeds) * len(names))
    for place, seed in enumerate(seeds):
        own = replace(config, seed=seed)
        study = prepare(models, own)
        if place == 0:
            _compile(names, study, own)
        for number, name in enumerate(names):
            one, done = CONTENDERS[name], float(place * len(names) + number)
            progress("comparing", done, total, f"{name}, seed {seed}")
            if one.is_shuffled:
                asked = prepare(_shuffled(models, seed), own)
            elif one.has_synthetic:
                asked = prepare(models, own, beside=synthetic)
            else:
                asked = study.anew()
            yield _train(one, asked, own)
        yield from _rules(study, seed)
    progress("comparing", total, total)


def _shuffled(models: Sequence[TrainingModel], seed: int) -> list[TrainingModel]:
    return [replace(one, tensors=shuffle_hierarchy(one.tensors, seed)) for one in models]


def _compile(names: Sequence[str], study: Study, config: TrainingConfig) -> None:
    """Takes a step with BGAN: what is compiled once per machine is nobody's cost."""
    for name in [name for name in names if CONTENDERS[name].group in _COMPILED][:1]:
        with deterministic(config.threads):
            _fit(CONTENDERS[name], study, config).run_step()


def _train(contender: Contender, study: Study, config: TrainingConfig) -> Outcome:
    with deterministic(config.threads):
        fit = _fit(contender, study, config)
        cpu, wall = time.process_time(), time.perf_counter()
        while not fit.is_over():
            fit.run_step()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        fit.learner.load_state_dict(fit.best)
        answers = answer_all(fit.learner, study.test.about(study.gate))
    return Outcome(
        contender.name, contender.group, config.seed, METRIC[study.gate],
        score(study.gate, answers[study.gate])[METRIC[study.gate]], fit.best_value,
        n_parameters(fit.learner.encoder), len(fit.history), cpu, wall,
    )  # fmt: skip


def _fit(contender: Contender, study: Study, config: TrainingConfig) -> Fit:
    widths = {kind: study.material[0].batch.x[kind].shape[1] for kind in KINDS}
    return Fit(contender.name, config.seed, config, study, widths)


def _rules(study: Study, seed: int) -> Iterator[Outcome]:
    """What is answered without training, where connections are asked for."""
    if study.gate != "edge":
        return
    asked = study.test.about("edge")
    for name in RULES:
        value = score("edge", answer_by_rule(name, asked)["edge"])[METRIC["edge"]]
        yield Outcome(name, "rule", seed, METRIC["edge"], value, None, 0, 0, 0.0, 0.0)


def summarise(outcomes: Sequence[Outcome], reference: str) -> list[dict[str, object]]:
    """A row per model, the best first: means and standard deviations over seeds.

    Args:
        outcomes: Of the same seeds for all models.
        reference: The model that others are compared with, seed by seed.

    Returns:
        ``model``, ``group``, ``metric``, ``held_out``, ``validation``, ``above`` (how far above the
        reference), ``parameters``, ``epochs``, ``cpu_s`` and ``wall_s``; ``mean``, ``sd`` and ``n``
        each but for the names and ``parameters``.
    """
    by_model: dict[str, dict[int, Outcome]] = {}
    for one in outcomes:
        by_model.setdefault(one.model, {})[one.seed] = one
    base = by_model.get(reference, {})
    rows = [_row(list(own.values()), base) for own in by_model.values()]
    return sorted(rows, key=lambda row: -float(row["held_out"]["mean"]))  # type: ignore[index]


def _row(own: Sequence[Outcome], base: Mapping[int, Outcome]) -> dict[str, object]:
    first = own[0]
    above = [one.held_out - base[one.seed].held_out for one in own if one.seed in base]
    stopped = [one.validation for one in own if one.validation is not None]
    return {
        "model": first.model,
        "group": first.group,
        "metric": first.metric,
        "held_out": over_seeds([one.held_out for one in own]),
        "validation": over_seeds(stopped) if stopped else None,
        "above": over_seeds(above) if above else None,
        "parameters": first.parameters,
        "epochs": over_seeds([float(one.epochs) for one in own]),
        "cpu_s": over_seeds([one.cpu_s for one in own]),
        "wall_s": over_seeds([one.wall_s for one in own]),
    }
