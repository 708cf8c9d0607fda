"""What there is: models and runs, as columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

from bnnkg.errors import UsageError
from bnnkg.progress import Progress, silent
from bnnkg.workflows.reading import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bnnkg.catalogue import Catalogue, Run, SourceEntry
    from bnnkg.settings import Settings

_OF_GRAPH = ("model", "version", "format", "tier", "n_neurons", "n_synapses", "n_cells", "runs")


def list_models(
    settings: Settings, *, status: str | None = None, progress: Progress = silent
) -> dict[str, list[Any]]:
    """The models of the graph, then the sources whose last ingest brought no model.

    Args:
        settings: Which database and catalogue.
        status: Only those of this status; failed are those, too, whose code was to be run and
            could not be, though something of them is in the graph.
        progress: Told of the server's start.

    Returns:
        Columns: ``model`` (its key), ``status`` (of its last ingest: loaded or partial, skipped or
        failed), what the library's query ``models`` says of it, ``cause`` (the same words for
        all that are not whole for it) and ``reason``. Failures stand together by cause.

    Raises:
        UsageError: No source has such a status.
        StoreError: The database cannot be used.
    """
    from bnnkg.ingest.report import SourceStatus
    from bnnkg.queries import run_query

    statuses = get_args(SourceStatus)
    if status is not None and status not in statuses:
        raise UsageError("there is no such status", expected=", ".join(statuses), found=status)
    with open_store(settings, write=False, progress=progress) as store:
        rows = list(run_query(store, "models", {"limit": _ALL}).table.rows())
        store_id = store.store_id
    with _read_catalogue(settings) as catalogue:
        last = {told.key: told for told in catalogue.sources(store_id)}
    found = [_model_row(row, last.pop(row["model"], None)) for row in rows]
    lost = sorted(last.values(), key=lambda told: (told.cause, told.key))
    found += [_lost_row(told) for told in lost if told.model is None]
    names = ("model", "status", *_OF_GRAPH[1:], "cause", "reason")
    kept = [row for row in found if status is None or _is_of(row, status)]
    if status is not None:
        kept.sort(key=lambda row: row["cause"])
    return {name: [row.get(name) for row in kept] for name in names}


def list_runs(settings: Settings) -> dict[str, list[Any]]:
    """The runs of the catalogue, oldest first, as columns.

    Returns:
        ``run``, ``created`` (UTC), ``status``, ``models``, ``seeds``, the gate's ``metric``,
        ``value``, ``chance`` and ``passed``, and ``store_id``.
    """
    with _read_catalogue(settings) as catalogue:
        rows = [_run_row(run) for run in catalogue.runs()]
    return {name: [row[name] for row in rows] for name in _RUN_COLUMNS}


def show_run(run_id: str, settings: Settings) -> dict[str, Any]:
    """All that the catalogue knows of a run.

    Raises:
        UnknownRunError: It has no such run.
    """
    with _read_catalogue(settings) as catalogue:
        run = asdict(catalogue.run(run_id))
    return {"run": run.pop("id")} | run


def explain_run(run_id: str, settings: Settings, *, progress: Progress = silent) -> dict[str, Any]:
    """A run with the connections that it attends to most, if it has annotated the graph.

    Returns:
        What ``show_run`` returns, and ``strongest``: ``rows`` (none without an annotation) and
        ``reason``, or the library's ``query`` with its ``parameters`` and ``cypher``.

    Raises:
        UnknownRunError: The catalogue has no such run.
    """
    run = show_run(run_id, settings)
    return run | {"strongest": _strongest(run, settings, progress)}


def _strongest(run: Mapping[str, Any], settings: Settings, progress: Progress) -> dict[str, Any]:
    from bnnkg.queries import find_query, run_query

    nothing: dict[str, Any] = {"rows": [], "reason": "there is no graph here to ask"}
    if settings.is_local and not settings.home.is_dir():
        return nothing
    with open_store(settings, write=False, progress=progress) as store:
        written = [row for row in store.attention_runs().rows() if row["run"] == run["run"]]
        if not written:
            hint = f"bnnkg annotate {run['run']} writes its attention on the graph"
            return nothing | {"reason": f"the graph has no annotation of this run; {hint}"}
        parameters = {"run": written[0]["name"], "limit": _N_STRONGEST}
        table = run_query(store, _STRONGEST, parameters).table
    return {
        "rows": list(table.rows()),
        "reason": "the models of this run have no connections",
        "query": _STRONGEST,
        "parameters": parameters,
        "cypher": find_query(_STRONGEST).text,
    }


_STRONGEST = "strongest_connections"
_N_STRONGEST = 10
_ALL = 2**31 - 1
_GATE = ("metric", "value", "chance", "passed")
_RUN_COLUMNS = ("run", "created", "status", "models", "seeds", *_GATE, "store_id")


def _read_catalogue(settings: Settings) -> Catalogue:
    """The catalogue, not made where there is none: a list must leave nothing behind."""
    from bnnkg.catalogue import Catalogue

    return Catalogue.open(settings.catalogue_url, create=False)


def _is_of(row: Mapping[str, Any], status: str) -> bool:
    from bnnkg.ingest.report import code_failed

    return row["status"] == status or (status == "failed" and code_failed(row["cause"]))


def _model_row(row: Mapping[str, Any], told: SourceEntry | None) -> dict[str, Any]:
    return {name: row[name] for name in _OF_GRAPH} | {
        "status": told.status if told else "loaded",
        "cause": told.cause if told else "",
        "reason": told.reason if told else None,
    }


def _lost_row(told: SourceEntry) -> dict[str, Any]:
    return {
        "model": told.key,
        "status": told.status,
        "tier": told.tier,
        "cause": told.cause,
        "reason": told.reason,
    }


def count_causes(columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """How many models are not whole for each cause, most first, as columns."""
    counts = Counter(cause for cause in columns["cause"] if cause).most_common()
    return {"models": [n for _, n in counts], "cause": [cause for cause, _ in counts]}


def _run_row(run: Run) -> dict[str, Any]:
    gate = run.metrics.get("gate", {})
    return {
        "run": run.id,
        "created": run.created.strftime("%Y-%m-%d %H:%M:%S"),
        "status": run.status,
        "models": [model["key"] for model in run.models],
        "seeds": run.seeds,
        "store_id": run.store_id,
    } | {name: gate.get(name) for name in _GATE}
