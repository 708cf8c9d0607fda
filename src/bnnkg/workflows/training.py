"""Models of the graph to a run in the catalogue."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import TrainingError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.workflows.reading import open_catalogue, open_store, read_tensors

if TYPE_CHECKING:
    from bnnkg.catalogue import Catalogue, Run
    from bnnkg.gnn.processes import Processes
    from bnnkg.gnn.study import TrainingModel
    from bnnkg.gnn.training import RunResult, TrainingConfig
    from bnnkg.schema.records import GraphTables
    from bnnkg.settings import Settings
    from bnnkg.store import Store

NODE_BUDGET = 500_000
"""Neurons and synapses of a model that one machine trains on at once."""
_READ = ("Model", "Cell", "Mechanism", "Neuron", "Population")


@dataclass(frozen=True)
class TrainRequest:
    """What to train.

    Attributes:
        models: Keys; all that fit where empty.
        target: Name of a supervised target; absent for none.
        epochs: At most so many; the default of the configuration where absent.
        seed: The split's, and the first seed's.
        seeds: How many are trained.
        resume: A run to go on with; the rest is then taken from it.
        accumulate: Questions whose mean loss makes one step.
        precision: Of matrix products in training.
    """

    models: tuple[str, ...] = ()
    target: str | None = None
    epochs: int | None = None
    seed: int = 0
    seeds: int = 3
    resume: str | None = None
    accumulate: int = 1
    precision: str = "float32"


def train(
    request: TrainRequest, *, settings: Settings, progress: Progress = silent
) -> dict[str, Any]:
    """Trains BGAN and its baselines, and enters the run in the catalogue.

    Under ``torchrun`` all processes train together and the first one alone keeps the catalogue.
    Numbers of contacts are withheld from the inputs, so that what attention says of them is a
    finding and not an echo.

    Returns:
        The object that ``bnnkg train --json`` prints.

    Raises:
        TrainingError: Nothing can be trained on, or the run cannot be resumed.
        UnknownModelError: The graph has no such model.
        UnknownRunError: The catalogue has no such run.
    """
    from bnnkg.gnn.processes import started_processes

    started = time.perf_counter()
    if not is_first_process():
        progress = silent
    with started_processes() as processes, open_catalogue(settings) as catalogue:
        earlier = catalogue.run(request.resume) if request.resume else None
        config = _configure(request, earlier)
        with open_store(settings, write=False, progress=progress) as store:
            keys, left_out = _choose(store, request, earlier)
            models = read_models(store, keys, settings=settings, progress=progress)
            run = earlier.id if earlier else ""
            if not run and processes.is_first:
                run = _enter(catalogue, store, config, models)
        run = processes.from_first(run)
        with _told(catalogue, run) if processes.is_first else nullcontext():
            result = _train(models, config, settings.runs_folder / run, processes, progress)
        answer = _answer(run, result, left_out, time.perf_counter() - started)
        if processes.is_first:
            catalogue.update_run(
                run,
                status="done",
                split=result.split,
                metrics={name: value for name, value in answer.items() if name != "run"},
                artefacts=[_artefact(settings, result)],
            )
    return answer


def is_first_process() -> bool:
    """Whether this process is the one that reports, of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def read_models(
    store: Store, keys: Sequence[str], *, settings: Settings, progress: Progress = silent
) -> list[TrainingModel]:
    """Models as a run trains on them: tensors, families, groups of counterparts."""
    from bnnkg.gnn.families import assign_families
    from bnnkg.gnn.homologues import homologue_groups
    from bnnkg.gnn.study import TrainingModel

    nodes = [store.read_nodes(key, _READ) for key in keys]
    models = []
    for key, own, family in zip(keys, nodes, assign_families(nodes), strict=True):
        tensors = read_tensors(
            store, key, settings=settings, withhold_contacts=True, progress=progress
        )
        neurons = own.nodes["Neuron"]
        groups = homologue_groups(list(neurons.columns["name"]))
        group_of = dict(zip(neurons.uid, groups, strict=True))
        models.append(TrainingModel(tensors, family, group_of, _properties(own)))
    return models


def _properties(nodes: GraphTables) -> dict[str, dict[str, str]]:
    """Tags and values of each neuron's population; a neuron's uid follows its population's."""
    populations = nodes.nodes["Population"]
    columns = [
        populations.columns.get(name, [None] * len(populations))
        for name in ("property_names", "property_values")
    ]
    told = {
        uid: dict(zip(tags or (), values or (), strict=True))
        for uid, tags, values in zip(populations.uid, *columns, strict=True)
    }
    neurons = nodes.nodes["Neuron"].uid
    return {uid: told[uid.rsplit("/", 1)[0]] for uid in neurons if uid.rsplit("/", 1)[0] in told}


def _configure(request: TrainRequest, earlier: Run | None) -> TrainingConfig:
    from bnnkg.gnn.targets import target_named
    from bnnkg.gnn.training import TrainingConfig, config_from_json

    if earlier is not None:
        return config_from_json(json.dumps(earlier.config))
    for name, value in (("--seeds", request.seeds), ("--epochs", request.epochs)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is too small", expected="1 or more", found=str(value))
    config = TrainingConfig(
        seed=request.seed, seeds=request.seeds,
        accumulate=request.accumulate, precision=request.precision,
    )  # fmt: skip
    if request.target:
        config = replace(config, target=target_named(request.target).name)
    return replace(config, epochs=request.epochs) if request.epochs else config


def _choose(
    store: Store, request: TrainRequest, earlier: Run | None
) -> tuple[list[str], dict[str, str]]:
    """Which models, and why the others are left out.

    Raises:
        TrainingError: One that was asked for is too large, or none is left.
    """
    if earlier is not None:
        return [model["uid"] for model in earlier.models], {}
    return choose_models(store, request.models)


def choose_models(store: Store, keys: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Which models to train on (all that fit where no key is given), and why not the others.

    Raises:
        TrainingError: One that was asked for is too large, or none is left.
        UnknownModelError: The graph has no such model.
    """
    wanted = [store.model_uid(key) for key in keys]
    left_out: dict[str, str] = {}
    chosen = []
    for row in store.models().rows():
        if row["status"] != "current" or (wanted and row["uid"] not in wanted):
            continue
        reason = _unfit(row["neurons"], row["synapses"])
        if reason is None:
            chosen.append(row["uid"])
        else:
            left_out[row["key"]] = reason
    if wanted and left_out:
        key, reason = next(iter(left_out.items()))
        raise TrainingError("this model cannot be trained on", where=key, found=reason)
    if not chosen:
        raise TrainingError(
            "there is no model to train on",
            found="; ".join(f"{key}: {reason}" for key, reason in left_out.items()) or "no model",
            hint="bnnkg ingest loads some; bnnkg demo makes one",
        )
    return chosen, left_out


def _unfit(n_neurons: int, n_synapses: int) -> str | None:
    if not n_neurons:
        return "it has no neuron"
    if n_neurons + n_synapses > NODE_BUDGET:
        return f"{n_neurons + n_synapses:,} neurons and synapses, at most {NODE_BUDGET:,} fit"
    return None


def _enter(
    catalogue: Catalogue, store: Store, config: TrainingConfig, models: Sequence[TrainingModel]
) -> str:
    return catalogue.start_run(
        store_id=store.store_id,
        config=asdict(config),
        seed=config.seed,
        seeds=config.seeds,
        models=[{"uid": m.tensors.model_uid, "key": m.tensors.model_key} for m in models],
    )


@contextmanager
def _told(catalogue: Catalogue, run: str) -> Iterator[None]:
    """Whatever ends a training, the catalogue says so: it can be resumed from its checkpoint."""
    try:
        yield
    except KeyboardInterrupt:
        catalogue.update_run(run, status="interrupted")
        raise
    except BaseException:
        catalogue.update_run(run, status="failed")
        raise


def _train(
    models: Sequence[TrainingModel],
    config: TrainingConfig,
    folder: Path,
    processes: Processes,
    progress: Progress,
) -> RunResult:
    from bnnkg.gnn.training import train as train_networks

    return train_networks(models, config, folder=folder, processes=processes, progress=progress)


def _answer(
    run: str, result: RunResult, left_out: Mapping[str, str], seconds: float
) -> dict[str, Any]:
    return {
        "run": run,
        "split": result.split,
        "held_out": dict(result.held_out),
        "held_out_sd": dict(result.held_out_sd),
        "chance": dict(result.chance),
        "ceiling": dict(result.ceiling),
        "gate": asdict(result.gate),
        "agreement": result.agreement,
        "score_method": result.score_method,
        "fidelity": dict(result.fidelity),
        "baselines": {name: dict(scores) for name, scores in result.baselines.items()},
        "curves": [[asdict(epoch) for epoch in seed] for seed in result.history],
        "seeds": list(result.seeds),
        "saw": list(result.saw),
        "left_out": dict(left_out),
        "seconds": round(seconds, 3),
    }


def _artefact(settings: Settings, result: RunResult) -> Any:
    from bnnkg.catalogue import Artefact

    path = result.checkpoint.relative_to(settings.runs_folder)
    return Artefact(str(path), result.checkpoint_sha256)
