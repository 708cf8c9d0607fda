"""A training run as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

from bnnkg.console import write_table
from bnnkg.reports import score_columns
from bnnkg.schema.learned import SCORE_METHODS

_BLOCKS = "▁▂▃▄▅▆▇█"


def write_run(run: Mapping[str, Any], out: IO[str]) -> None:
    """Writes what is known of a run: how it was made, how it went, how good it is, what it saw.

    Args:
        run: What ``bnnkg runs show --json`` prints.
        out: Where to.
    """
    out.write(f"run {run['run']}, {run['status']}, begun {run['created']:%Y-%m-%d %H:%M} UTC\n")
    out.write(f"models: {', '.join(model['key'] for model in run['models'])}\n")
    out.write(f"held out: {run['split'] or 'not decided yet'}\n\nConfiguration\n")
    write_table(_settings(run["config"]), out, whole=True)
    metrics = run["metrics"]
    if not metrics:
        return
    _write_curves(metrics, out)
    out.write("\nHeld-out scores beside chance and baselines\n")
    write_table(score_columns(metrics), out, whole=True)
    _write_verdict(metrics, out)
    _write_strongest(run["strongest"], out)


def _settings(config: Mapping[str, Any], prefix: str = "") -> dict[str, list[Any]]:
    """A row per setting; parts of the configuration stand before their settings' names."""
    columns: dict[str, list[Any]] = {"setting": [], "value": []}
    for name, value in config.items():
        if isinstance(value, Mapping):
            inner = _settings(value, f"{prefix}{name}.")
            for column, values in inner.items():
                columns[column] += values
        else:
            columns["setting"].append(f"{prefix}{name}")
            columns["value"].append(value)
    return columns


def _write_curves(metrics: Mapping[str, Any], out: IO[str]) -> None:
    """A row per seed: loss and validation score, epoch by epoch."""
    out.write(f"\nCurves ({metrics['gate']['metric']} on validation, loss in training)\n")
    columns: dict[str, list[Any]] = {
        "seed": [],
        "validation": [],
        "best": [],
        "loss": [],
        "last": [],
    }
    for seed, epochs in zip(metrics["seeds"], metrics["curves"], strict=True):
        validation = [epoch["validation"] for epoch in epochs]
        loss = [epoch["loss"] for epoch in epochs]
        columns["seed"].append(seed)
        columns["validation"].append(_sparkline(validation))
        columns["best"].append(max((v for v in validation if v is not None), default=None))
        columns["loss"].append(_sparkline(loss))
        columns["last"].append(loss[-1] if loss else None)
    write_table(columns, out, whole=True)


def _sparkline(values: Sequence[float | None]) -> str:
    """A block per value, the lowest ▁ and the highest █; a space where there is no value."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        " " if value is None else _BLOCKS[round((value - low) * scale)] for value in values
    )


def _write_verdict(metrics: Mapping[str, Any], out: IO[str]) -> None:
    """Whether the run says anything, how far its seeds agree, and which score is written."""
    gate = metrics["gate"]
    verdict = "above chance" if gate["passed"] else "NOT above chance: nothing will be written back"
    out.write(f"\n{gate['metric']} is {verdict}\n")
    if metrics["agreement"] is not None:
        out.write(f"seeds agree at {metrics['agreement']:.2f} (rank correlation of the lift)\n")
    out.write(f"\nattention_score is {metrics['score_method']}\n")
    out.write("Chosen by what the loss on validation rises by when the tenth of the connections\n")
    out.write("that a score ranks highest is hidden: the most is what the network used most.\n")
    costs = metrics["fidelity"]
    rises = [costs.get(method) for method in SCORE_METHODS]
    meanings = list(SCORE_METHODS.values())
    write_table(
        {"score": list(SCORE_METHODS), "rise": rises, "what it is": meanings}, out, whole=True
    )


def _write_strongest(strongest: Mapping[str, Any], out: IO[str]) -> None:
    out.write("\nStrongest attended connections\n")
    if not strongest["rows"]:
        out.write(f"{strongest['reason']}\n")
        return
    rows = strongest["rows"]
    write_table({name: [row[name] for row in rows] for name in rows[0]}, out, whole=True)
    given = "".join(f" --param {name}={value}" for name, value in strongest["parameters"].items())
    out.write(f"\n  $ bnnkg query {strongest['query']}{given}\n\n")
    for line in strongest["cypher"].strip().splitlines():
        if not line.startswith("//"):
            out.write(f"    {line}\n")
