"""What a run learned, written on the graph it learned from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import AtChanceError, TrainingError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.schema.learned import suffix_of
from bnnkg.workflows.reading import open_catalogue, open_store, read_tensors

if TYPE_CHECKING:
    from bnnkg.catalogue import Run
    from bnnkg.gnn.scores import TrainedRun
    from bnnkg.schema import NodeTable
    from bnnkg.schema.scores import AttentionScores
    from bnnkg.settings import Settings
    from bnnkg.store import Store


def annotate(
    run: str,
    *,
    settings: Settings,
    name: str = "",
    dry_run: bool = False,
    remove: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Writes a run's scores on the models that it trained or tested on, or takes them away.

    Args:
        run: Its id in the catalogue.
        settings: Which database and catalogue.
        name: Ends the names of the properties; the unnamed run replaces the last unnamed one.
        dry_run: Counts, and checks the run and the models, but writes nothing.
        remove: Takes the run's scores of that name away.
        force: Writes scores of a run that is at chance; they are marked.
        progress: Told of the graphs explained and the rows written.

    Returns:
        ``run``, ``name``, ``written`` (or ``would_write``, ``removed``), ``score_method``,
        ``forced``.

    Raises:
        UnknownRunError: The catalogue has no such run, or it has written nothing to be removed.
        AtChanceError: The held-out score is not above chance.
        ModelChangedError: A model is no longer the version that it was trained on.
        TrainingError: The run is not finished, or its checkpoint is not the one it made.
    """
    suffix_of(name)
    with open_catalogue(settings) as catalogue:
        entry = catalogue.run(run)
    with open_store(settings, write=not dry_run, progress=progress) as store:
        if remove:
            return _remove(store, entry, name, dry_run=dry_run, progress=progress)
        _check_finished(entry)
        _check_gate(entry, force=force)
        trained, scores = _explain(store, entry, settings, progress)
        node = _describe(entry, name, trained, forced=force and not entry.metrics["gate"]["passed"])
        counts = store.write_attention(node, scores, name=name, dry_run=dry_run, progress=progress)
    return {
        "run": run,
        "name": name,
        "would_write" if dry_run else "written": counts,
        "score_method": trained.score_method,
        "forced": force and not entry.metrics["gate"]["passed"],
    }


def diff_runs(a: str, b: str, *, settings: Settings) -> dict[str, Any]:
    """Two runs side by side: what they differ in, and how far their attention agrees.

    Args:
        a: Id of a run.
        b: Id of another.
        settings: Which database and catalogue.

    Returns:
        ``config`` and ``held_out`` with the values that differ as ``[a, b]``, and ``attention``:
        the statistics of the library's query ``run_agreement`` where both are on the graph under
        different names, else absent.

    Raises:
        UnknownRunError: The catalogue has no such run.
    """
    with open_catalogue(settings) as catalogue:
        first, second = catalogue.run(a), catalogue.run(b)
    return {
        "runs": [a, b],
        "models": _different(_keys(first), _keys(second)),
        "config": _different(dict(first.config), dict(second.config)),
        **{
            metric: _different(first.metrics.get(metric, {}), second.metrics.get(metric, {}))
            for metric in ("held_out", "chance")
        },
        "attention": _compare_attention(first, second, settings),
    }  # fmt: skip


def _check_finished(run: Run) -> None:
    if run.status != "done" or not run.artefacts:
        raise TrainingError(
            "the run is not finished",
            where=run.id,
            expected="status done",
            found=f"status {run.status}",
            hint=f"bnnkg train --resume {run.id}",
        )


def _check_gate(run: Run, *, force: bool) -> None:
    gate = run.metrics["gate"]
    if not gate["passed"] and not force:
        raise AtChanceError(
            "the run's held-out score is not above chance, so its attention says nothing",
            where=run.id,
            expected=f"{gate['metric']} above {_shown(gate['chance'])}",
            found=_shown(gate["value"]),
            hint="train on more data or longer, or write it all the same, marked, with --force",
        )


def _shown(score: float | None) -> str:
    """A score to three places; there is none where the held-out answers are all of one class."""
    return "no score" if score is None else f"{score:.3f}"


def _explain(
    store: Store, run: Run, settings: Settings, progress: Progress
) -> tuple[TrainedRun, AttentionScores]:
    from bnnkg.gnn.scores import attention_scores, load_run

    trained = load_run(_checkpoint(run, settings))
    graphs = [
        read_tensors(
            store, _current(store, model["key"], model["uid"]), settings=settings,
            withhold_contacts=trained.contacts_withheld, progress=progress,
        )
        for model in run.models
    ]  # fmt: skip
    return trained, attention_scores(trained, graphs, progress=progress)


def _current(store: Store, key: str, uid: str) -> str:
    """The uid of a model, if the graph still has the version that the run knows."""
    from bnnkg.errors import ModelChangedError

    found = store.model_uid(key)
    if found != uid:
        raise ModelChangedError(
            "the model is not the version that the run was trained on any more",
            where=key,
            expected=uid,
            found=found,
            hint="bnnkg train on what is in the graph now",
        )
    return uid


def _checkpoint(run: Run, settings: Settings) -> Path:
    from bnnkg.gnn.checkpoints import checkpoint_hash

    (artefact,) = run.artefacts
    path = settings.runs_folder / artefact.path
    if not path.exists() or checkpoint_hash(path) != artefact.sha256:
        raise TrainingError(
            "the run's checkpoint is not the one that it made",
            where=str(path),
            expected=f"a file with SHA-256 {artefact.sha256[:16]}...",
            found="another file" if path.exists() else "no file",
            hint="train again",
        )
    return path


def _describe(run: Run, name: str, trained: TrainedRun, *, forced: bool) -> NodeTable:
    """The run as a node of the graph; its name and status are the store's to set."""
    from bnnkg.schema import NodeTable, fingerprint

    metrics = run.metrics
    gate = metrics["gate"]
    values: dict[str, Any] = {
        "uid": f"{run.id}/{name}",
        "run": run.id,
        "checkpoint_sha256": run.artefacts[0].sha256,
        "config": json.dumps(run.config, sort_keys=True),
        "seeds": list(trained.seeds),
        "split": run.split,
        "metric": gate["metric"],
        "held_out": gate["value"],
        "held_out_sd": metrics["held_out_sd"][gate["metric"]],
        "chance": gate["chance"],
        "passed": gate["passed"],
        "forced": forced,
        "agreement": metrics["agreement"],
        "saw": list(metrics["saw"]),
        "score_method": trained.score_method,
        "schema_fingerprint": fingerprint(),
    }
    return NodeTable("AttentionRun", {name: [value] for name, value in values.items()})


def _remove(
    store: Store, run: Run, name: str, *, dry_run: bool, progress: Progress
) -> dict[str, Any]:
    found = [row for row in store.attention_runs().rows() if row["name"] == name]
    if not found or found[0]["run"] != run.id:
        there = f"run {found[0]['run']}" if found else "no annotation"
        raise UsageError(
            f"the run has no annotation {name!r} on this graph" if name else
            "the run has no unnamed annotation on this graph",
            where=run.id,
            found=there,
            hint="bnnkg query attention_runs lists the annotations",
        )  # fmt: skip
    removed = {"models": list(found[0]["models"])}
    if not dry_run:
        store.remove_attention(name, progress=progress)
    return {"run": run.id, "name": name, "would_remove" if dry_run else "removed": removed}


def _keys(run: Run) -> dict[str, str]:
    return {model["key"]: model["uid"] for model in run.models}


def _different(a: Any, b: Any) -> Any:
    """Values that differ, as ``[a, b]``, in the shape of the dictionaries that hold them."""
    if not (isinstance(a, dict) and isinstance(b, dict)):
        return [a, b]
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    return {name: _different(a.get(name), b.get(name)) for name in names}


def _compare_attention(a: Run, b: Run, settings: Settings) -> list[dict[str, Any]] | None:
    from bnnkg.queries import run_query

    with open_store(settings, write=False) as store:
        names = {row["run"]: row["name"] for row in store.attention_runs().rows()}
        if a.id not in names or b.id not in names:
            return None
        pair = {"run": names[a.id], "other_run": names[b.id]}
        statistics = run_query(store, "run_agreement", pair).statistics
    return None if statistics is None else list(statistics.rows())
