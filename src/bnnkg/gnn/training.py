"""Training: several seeds, their baselines, and whether the result is above chance."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bnnkg.errors import TrainingError
from bnnkg.gnn.baselines import RULES, TRAINED
from bnnkg.gnn.bgan import BganConfig
from bnnkg.gnn.checkpoints import checkpoint_hash, load_checkpoint, save_checkpoint
from bnnkg.gnn.contenders import BGAN
from bnnkg.gnn.evaluation import (
    METRIC,
    answer_all,
    answer_by_rule,
    ceiling_of,
    chance_of,
    score,
)
from bnnkg.gnn.explanation import (
    agreement,
    connection_lifts,
    explain,
    fidelity,
    most_costly,
    weigh_heads,
)
from bnnkg.gnn.fitting import Fit, make_learner
from bnnkg.gnn.metrics import Floats, spread
from bnnkg.gnn.objectives import Learner, Weights
from bnnkg.gnn.processes import ALONE, Processes
from bnnkg.gnn.readings import Score
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.study import Study, TrainingModel, prepare_study
from bnnkg.gnn.targets import target_named
from bnnkg.progress import Progress, silent
from bnnkg.schema.computation import KINDS, Kind
from bnnkg.schema.learned import SCORE_METHODS

log = logging.getLogger(__name__)
CHECKPOINT = "checkpoint.pt"
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainingConfig:
    """What a run may differ in.

    Attributes:
        network: Shape of BGAN.
        weights: What each objective counts for.
        target: Name of a supervised target; empty for none.
        epochs: At most; in each, every training connection is hidden and asked for once.
        patience: Epochs without a better validation score after which a seed stops.
        folds: In how many parts training connections are hidden, one at a step.
        feature_share: Share of training units of which one feature group is hidden at a step.
        learning_rate: Highest of AdamW; it rises at first and falls to 0 as a cosine.
        warm_up: Epochs over which it rises.
        weight_decay: Of AdamW.
        clip: Largest norm of a gradient.
        seed: The split's, and the first seed's.
        seeds: How many are trained: seed, seed + 1, ...
        threads: Of torch; more of them may round differently.
        checkpoint_every: Steps of the optimiser between checkpoints.
        shuffled: Exchange the answers between units: a control that must end at chance.
        accumulate: Questions whose mean loss makes one step of the optimiser; several processes
            share them.
        precision: Of matrix products in training; attention, losses and parameters stay in single
            precision.
    """

    network: BganConfig = field(default_factory=BganConfig)
    weights: Weights = field(default_factory=Weights)
    target: str = ""
    epochs: int = 30
    patience: int = 6
    folds: int = 5
    feature_share: float = 0.15
    learning_rate: float = 4e-3
    warm_up: float = 2.0
    weight_decay: float = 1e-2
    clip: float = 1.0
    seed: int = 0
    seeds: int = 3
    threads: int = 1
    checkpoint_every: int = 25
    shuffled: bool = False
    accumulate: int = 1
    precision: str = PRECISIONS[0]


@dataclass(frozen=True)
class Gate:
    """Whether a run says anything.

    Attributes:
        metric: Name of the deciding metric.
        value: Its held-out value, mean over seeds.
        chance: Upper 95% of the permutation null.
        passed: Whether the value is above it.
    """

    metric: str
    value: float
    chance: float
    passed: bool


@dataclass(frozen=True)
class Epoch:
    """One epoch of one seed.

    Attributes:
        loss: Mean over its steps.
        validation: The gate's metric on validation.
    """

    loss: float
    validation: float


@dataclass(frozen=True)
class RunResult:
    """What came of a run.

    Attributes:
        config: Its configuration.
        split: What was held out, in words.
        seeds: The seeds.
        held_out: Metrics on test, means over seeds.
        held_out_sd: Their spread over seeds.
        chance: Upper 95% of each metric's permutation null.
        ceiling: What the target's metrics would be if every answer were that of its held-out
            counterparts; empty where nothing has any.
        gate: Whether the run says anything.
        baselines: Per baseline, its metrics on the same test, means over seeds.
        agreement: Mean rank correlation between seeds of the lift; absent with one seed.
        score_method: How ``attention_score`` is computed, as chosen on validation.
        fidelity: Per candidate for it, what the loss on validation rises by when the connections
            that it ranks highest are hidden, mean over seeds.
        history: Per seed, its epochs.
        saw: Kinds of inputs that the run had: no correlation with these is a finding.
        model_uids: The Models (their versions) that it was trained and tested on.
        fingerprint: Of the tensors.
        checkpoint: File with the networks.
        checkpoint_sha256: Its hash.
        seconds: CPU seconds of this process.
    """

    config: TrainingConfig
    split: str
    seeds: tuple[int, ...]
    held_out: Mapping[str, float]
    held_out_sd: Mapping[str, float]
    chance: Mapping[str, float]
    ceiling: Mapping[str, float]
    gate: Gate
    baselines: Mapping[str, Mapping[str, float]]
    agreement: float | None
    score_method: str
    fidelity: Mapping[str, float]
    history: tuple[tuple[Epoch, ...], ...]
    saw: tuple[str, ...]
    model_uids: tuple[str, ...]
    fingerprint: str
    checkpoint: Path
    checkpoint_sha256: str
    seconds: float


def train(
    models: Sequence[TrainingModel],
    config: TrainingConfig,
    *,
    folder: Path,
    processes: Processes = ALONE,
    progress: Progress = silent,
) -> RunResult:
    """Trains BGAN and its baselines, and scores them on what was held out.

    Bit-deterministic on one machine with one version of torch and one number of threads. Where
    the folder holds a checkpoint of the same run, goes on from it, to the same bits.

    Args:
        models: What to train, stop and test on.
        config: How.
        folder: Where the checkpoint goes.
        processes: Those that train together, all of them called alike; the result is that of one
            within rounding. Only the first one reads and writes the checkpoint.
        progress: Told of every step, with the last epoch's loss and validation score.

    Raises:
        TrainingError: Nothing can be held out, the folder holds another run's checkpoint, or there
            are more processes than questions to share.
    """
    _check(config, processes)
    started = time.process_time()
    models = sorted(models, key=lambda model: model.tensors.model_uid)
    with deterministic(config.threads):
        study = prepare(models, config, scratch=folder)
        run = _Run(config, study, models, folder / CHECKPOINT, processes, progress)
        run.train_all()
        return _result(run, models, time.process_time() - started)


def config_from_json(text: str) -> TrainingConfig:
    """A configuration from the JSON of its fields."""
    fields = json.loads(text)
    network, weights = BganConfig(**fields.pop("network")), Weights(**fields.pop("weights"))
    return TrainingConfig(network=network, weights=weights, **fields)


@contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """Runs torch deterministically, and leaves its settings and random state as they were."""
    memory: Any = torch.utils.deterministic
    before = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    filled = memory.fill_uninitialized_memory
    torch.set_num_threads(threads)
    # Not use_deterministic_algorithms, which does the same and imports torch's compiler: 2.5 CPU s.
    torch.set_deterministic_debug_mode("error")
    memory.fill_uninitialized_memory = False  # a sixth of the time, for memory that nobody reads
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_deterministic_debug_mode(before[1])
        memory.fill_uninitialized_memory = filled


def _check(config: TrainingConfig, processes: Processes) -> None:
    if config.precision not in PRECISIONS:
        raise TrainingError(
            "no such precision", expected=" or ".join(PRECISIONS), found=config.precision
        )
    if processes.size > config.accumulate:
        raise TrainingError(
            "there are more processes than questions to share at a step",
            expected=f"at least {processes.size} questions accumulated",
            found=str(config.accumulate),
            hint=f"--accumulate {processes.size}",
        )


def prepare(
    models: Sequence[TrainingModel],
    config: TrainingConfig,
    *,
    beside: Sequence[TrainingModel] = (),
    scratch: Path | None = None,
) -> Study:
    """All questions of a run with this configuration.

    Args:
        models: What to train, stop and test on.
        config: How.
        beside: What to train on beside them, and never to stop by or to test on.
        scratch: Folder for batches that are too large to hold in memory together.

    Raises:
        TrainingError: There is no model, or nothing in them can be held out.
    """
    return prepare_study(
        models,
        network=config.network,
        seed=config.seed,
        target=target_named(config.target) if config.target else None,
        n_folds=config.folds,
        feature_share=config.feature_share,
        shuffled=config.shuffled,
        beside=beside,
        scratch=scratch,
    )


class _Run:
    """Goes through all networks of a run, from wherever its checkpoint left off."""

    def __init__(
        self,
        config: TrainingConfig,
        study: Study,
        models: Sequence[TrainingModel],
        path: Path,
        processes: Processes,
        progress: Progress,
    ) -> None:
        self.config, self.study, self.path, self.progress = config, study, path, progress
        self.processes = processes
        self.seeds = tuple(range(config.seed, config.seed + config.seeds))
        batch = study.material[0].batch
        self.widths: dict[Kind, int] = {kind: batch.x[kind].shape[1] for kind in KINDS}
        self.content = processes.from_first(
            self._open(models) if processes.is_first else dict[str, Any]()
        )
        self.names = [BGAN, *(TRAINED if study.gate != "feature" else ())]

    def train_all(self) -> None:
        """Trains what is not finished."""
        total = float(len(self.seeds) * self.config.epochs)
        for place, seed in enumerate(self.seeds):
            for name in self.names:
                key = f"{name}/{seed}"
                if key not in self.content["finished"]:
                    done = place * self.config.epochs
                    self.content["finished"][key] = self._fit(name, seed, float(done), total)
                    self.content["current"] = None
                    if name == self.names[-1]:
                        self.save()

    def save(self) -> None:
        """Writes the checkpoint, in the first process."""
        if self.processes.is_first:
            save_checkpoint(self.path, self.content)

    def learner(self, name: str, seed: int) -> Learner:
        """A finished network, at its best validation score."""
        learner = make_learner(name, self.config, self.widths, seed)
        learner.load_state_dict(self.content["finished"][f"{name}/{seed}"]["best"])
        return learner.eval()

    def history(self, seed: int) -> tuple[Epoch, ...]:
        """Epochs of BGAN with this seed."""
        return tuple(Epoch(*e) for e in self.content["finished"][f"{BGAN}/{seed}"]["history"])

    def _open(self, models: Sequence[TrainingModel]) -> dict[str, Any]:
        tensors = [model.tensors for model in models]
        fresh: dict[str, Any] = {
            "run": {
                "config": json.dumps(asdict(self.config), sort_keys=True),
                "models": [t.model_uid for t in tensors],
                "hidden_pairs": sum(len(t.hidden.pairs) for t in tensors),
                "contacts_withheld": tensors[0].hidden.contacts,
                "fingerprint": tensors[0].fingerprint,
                "scaling": self.study.scaling.to_json(),
                "widths": dict(self.widths),
            },
            "finished": {},
            "current": None,
            "score": None,
        }  # fmt: skip
        if not self.path.exists():
            return fresh
        content = load_checkpoint(self.path)
        if content["run"] != fresh["run"]:
            raise TrainingError(
                "the checkpoint belongs to another run",
                where=str(self.path),
                expected="the same models, configuration and version",
                hint="resume with what the run was started with, or start a new run",
            )
        return content

    def _fit(self, name: str, seed: int, done: float, total: float) -> dict[str, Any]:
        """Trains one network, from the step at which it was left."""
        fit = Fit(name, seed, self.config, self.study, self.widths, self.processes)
        current = self.content["current"]
        if current is not None and current["name"] == f"{name}/{seed}":
            fit.load(current["state"])
        n_steps = 0
        while not fit.is_over():
            fit.run_step()
            n_steps += 1
            if name != BGAN:
                continue
            if n_steps % self.config.checkpoint_every == 0:
                self.content["current"] = {"name": f"{name}/{seed}", "state": fit.state()}
                self.save()
            self.progress("training", done + fit.n_epochs, total, self._note(fit))
        return {"best": fit.best, "history": fit.history}

    def _note(self, fit: Fit) -> str:
        if not fit.history:
            return f"seed {fit.seed}"
        loss, value = fit.history[-1]
        metric = METRIC[self.study.gate]
        return f"seed {fit.seed}: loss {loss:.3f}, {metric} {value:.3f} on validation"


def _result(run: _Run, models: Sequence[TrainingModel], seconds: float) -> RunResult:
    study, config = run.study, run.config
    answers = [answer_all(run.learner(BGAN, seed), study.test) for seed in run.seeds]
    scores = [
        {k: v for o in study.objectives for k, v in score(o, given[o]).items()} for given in answers
    ]
    limits: dict[str, float] = {}
    for objective in study.objectives:
        limits |= chance_of(objective, [given[objective] for given in answers], config.seed)
    held_out = {metric: float(np.mean([s[metric] for s in scores])) for metric in scores[0]}
    metric = METRIC[study.gate]
    gate = Gate(metric, held_out[metric], limits[metric], held_out[metric] > limits[metric])
    fidelities = _choose_score(run)
    run.save()
    return RunResult(
        config=config,
        split=study.split,
        seeds=run.seeds,
        held_out=held_out,
        held_out_sd={m: spread([s[m] for s in scores]) for m in held_out},
        chance=limits,
        ceiling=ceiling_of(answers[0]["target"]) if "target" in answers[0] else {},
        gate=gate,
        baselines=_baselines(run),
        agreement=_agreement(run),
        score_method=run.content["score"]["method"],
        fidelity=fidelities,
        history=tuple(run.history(seed) for seed in run.seeds),
        saw=_saw(study),
        model_uids=tuple(model.tensors.model_uid for model in models),
        fingerprint=models[0].tensors.fingerprint,
        checkpoint=run.path,
        checkpoint_sha256=run.processes.from_first(
            checkpoint_hash(run.path) if run.processes.is_first else ""
        ),
        seconds=seconds,
    )  # fmt: skip


def _choose_score(run: _Run) -> dict[str, float]:
    """Keeps the score whose highest connections the networks use most, judged on validation."""
    gate, loss = run.study.gate, run.config.weights
    asked = run.study.validation.about(gate)
    target = target_named(run.config.target) if run.config.target else None
    weights = {}
    costs: dict[str, list[float]] = {method: [] for method in SCORE_METHODS}
    for seed in run.seeds:
        learner = run.learner(BGAN, seed)
        weights[str(seed)] = weigh_heads(learner, asked, loss)
        scores = [Score(method, weights[str(seed)]) for method in SCORE_METHODS]
        found = fidelity(learner, asked, loss, scores, target)
        for method, cost in zip(SCORE_METHODS, found, strict=True):
            costs[method].append(cost)
    run.content["score"] = {"method": most_costly(costs), "weights": weights}
    return {name: float(np.mean(values)) for name, values in costs.items()}


def _agreement(run: _Run) -> float | None:
    """How far seeds rank the same connections (or, without any, edges in the neuron) alike."""
    lifts: list[list[Floats]] = [[] for _ in run.seeds]
    for material in run.study.material:
        network = run.config.network
        sites = build_sites(material.batch, heads=network.heads, hops=network.hops)
        for place, seed in enumerate(run.seeds):
            attention = explain(run.learner(BGAN, seed), material.batch, sites)
            lifts[place].append(connection_lifts(attention.sites))
    found = agreement([np.concatenate(parts) for parts in lifts])
    return found if np.isfinite(found) else None


def _baselines(run: _Run) -> dict[str, dict[str, float]]:
    """The same test, by networks that are simpler and by rules."""
    found: dict[str, list[dict[str, float]]] = {}
    asked = run.study.test.about("edge", "target")
    for name in run.names[1:]:
        for seed in run.seeds:
            answers = answer_all(run.learner(name, seed), asked)
            one = {k: v for o, given in answers.items() for k, v in score(o, given).items()}
            found.setdefault(name, []).append(one)
    if "edge" in run.study.objectives:
        for name in RULES:
            found[name] = [score("edge", answer_by_rule(name, asked)["edge"])]
    return {
        name: {metric: float(np.mean([s[metric] for s in scores])) for metric in scores[0]}
        for name, scores in found.items()
    }


def _saw(study: Study) -> tuple[str, ...]:
    """Columns and edge features of which anything was known, as ``kind.column``."""
    batches = [material.batch for material in study.material]
    names = [
        f"{kind}.{column.name}"
        for kind in KINDS
        for place, column in enumerate(batches[0].columns[kind])
        if any(bool(batch.mask[kind][:, place].any()) for batch in batches)
    ]
    return tuple(names)
