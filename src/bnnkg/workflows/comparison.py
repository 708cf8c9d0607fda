"""BGAN, what people would use instead, and BGAN's own parts, on models of the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import UsageError
from bnnkg.progress import Progress, silent
from bnnkg.workflows.reading import open_store
from bnnkg.workflows.training import choose_models, read_models

if TYPE_CHECKING:
    from bnnkg.gnn.study import TrainingModel
    from bnnkg.gnn.training import TrainingConfig
    from bnnkg.settings import Settings

REFERENCE = "bgan"
ROWS, TABLE, FIGURE = "models.json", "models.md", "models.png"


@dataclass(frozen=True)
class ComparisonRequest:
    """What to compare.

    Attributes:
        models: Keys of the graph's models; all that fit where empty.
        target: Name of a supervised target; absent for none.
        contenders: Names of networks; all where empty.
        epochs: At most so many; the default of the configuration where absent.
        seeds: How many splits, and networks of each kind.
        out: Folder that the table and the figure go into.
        synthetic: Keys of models that BGAN is trained on, too, in a row of its own. They are never
            tested on, and no other row sees them.
    """

    models: tuple[str, ...] = ()
    target: str | None = None
    contenders: tuple[str, ...] = ()
    epochs: int | None = None
    seeds: int = 5
    out: Path = Path("benchmark-models")
    synthetic: tuple[str, ...] = ()


def benchmark_models(
    request: ComparisonRequest, *, settings: Settings, progress: Progress = silent
) -> dict[str, Any]:
    """Trains every network in the same way, and writes the table and a figure.

    Returns:
        ``rows`` from :func:`bnnkg.gnn.comparison.summarise`, the best first; ``metric``; ``best``,
        the name in the first row; ``verdict``, in words; ``synthetic``, keys of the models that are
        only trained on; ``files``, what was written.

    Raises:
        UsageError: No such network, fewer than one seed, or a synthetic model that is no stranger
            to those that are tested on.
        TrainingError: Nothing can be trained on.
        UnknownModelError: The graph has no such model.
    """
    from bnnkg.gnn.comparison import compare, summarise

    names, config = _contenders(request), _configure(request)
    with open_store(settings, write=False, progress=progress) as store:
        beside = choose_models(store, request.synthetic)[0] if request.synthetic else []
        keys, left_out = choose_models(store, request.models)
        keys = [key for key in keys if request.models or key not in beside]
        read = read_models(store, [*keys, *beside], settings=settings, progress=progress)
    models, synthetic = read[: len(keys)], read[len(keys) :]
    _check_strangers(models, synthetic)
    request.out.mkdir(parents=True, exist_ok=True)
    outcomes = list(compare(models, config, names, synthetic=synthetic, progress=progress))
    rows = summarise(outcomes, REFERENCE)
    result = {
        "rows": rows,
        "metric": rows[0]["metric"],
        "best": rows[0]["model"],
        "verdict": _verdict(rows),
        "left_out": left_out,
        "synthetic": [model.tensors.model_key for model in synthetic],
    }
    return result | {"files": write_comparison(result, request.out)}


def write_comparison(result: Mapping[str, Any], out: Path) -> list[str]:
    """Writes rows as JSON, the table as Markdown, and the figure.

    Args:
        result: ``rows``, ``metric`` and ``verdict`` of a comparison.
        out: Folder.

    Returns:
        Paths of the files.
    """
    from bnnkg.reports import comparison_columns, comparison_markdown

    (out / ROWS).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = comparison_markdown(comparison_columns(result), str(result["verdict"]))
    (out / TABLE).write_text(text, encoding="utf-8")
    _draw(result, out / FIGURE)
    return [str(out / name) for name in (ROWS, TABLE, FIGURE)]


def _contenders(request: ComparisonRequest) -> list[str]:
    from bnnkg.gnn.contenders import CONTENDERS

    possible = [n for n, one in CONTENDERS.items() if request.synthetic or not one.has_synthetic]
    unknown = sorted(set(request.contenders) - set(possible))
    if unknown:
        needs = "--synthetic names the models that it needs" if unknown[0] in CONTENDERS else None
        raise UsageError(
            "no such network", expected=", ".join(possible), found=", ".join(unknown), hint=needs
        )
    chosen = request.contenders or possible
    return [n for n in possible if n in chosen or CONTENDERS[n].has_synthetic]


def _check_strangers(models: Sequence[TrainingModel], synthetic: Sequence[TrainingModel]) -> None:
    """Makes sure that nothing is trained on that tells of what is tested on."""
    families = {model.family: model.tensors.model_key for model in models}
    for one in synthetic:
        if one.family in families:
            raise UsageError(
                "a synthetic model is, or is a relative of, one that is tested on",
                where=one.tensors.model_key,
                expected="no cell, accession or half of the mechanisms in common",
                found=families[one.family],
                hint="name other models with --models or --synthetic",
            )


def _configure(request: ComparisonRequest) -> TrainingConfig:
    from bnnkg.gnn.targets import target_named
    from bnnkg.gnn.training import TrainingConfig

    if request.seeds < 1:
        raise UsageError("--seeds is too small", expected="1 or more", found=str(request.seeds))
    config = TrainingConfig(seeds=request.seeds)
    if request.target:
        config = replace(config, target=target_named(request.target).name)
    return replace(config, epochs=request.epochs) if request.epochs else config


def _verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """Who is best, and how far BGAN is from it, seed by seed."""
    best = rows[0]
    if best["model"] == REFERENCE:
        if len(rows) == 1:
            return "BGAN was compared with nothing"
        return f"BGAN is best; {rows[1]['model']} follows, {_told(rows[1]['above'])} from it"
    if best["above"] is None:
        return f"{best['model']} is best; BGAN was not compared"
    return f"{best['model']} is better than BGAN, by {_told(best['above'])}"


def _told(above: Mapping[str, float]) -> str:
    return f"{above['mean']:+.3f} ± {above['sd']:.3f} (mean and sd of {above['n']} seeds)"


def _draw(result: Mapping[str, Any], path: Path) -> None:
    """Held-out scores with their spread, the best at the top."""
    from matplotlib.figure import Figure

    rows = result["rows"][::-1]
    colours = {"bgan": "C3", "network": "C0", "baseline": "C2", "ablation": "C1", "data": "C4",
               "rule": "C7"}  # fmt: skip
    figure = Figure(figsize=(7.0, 0.8 + 0.32 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for group, colour in colours.items():
        own = [(place, row) for place, row in enumerate(rows) if row["group"] == group]
        if own:
            axes.errorbar(
                [row["held_out"]["mean"] for _, row in own], [place for place, _ in own],
                xerr=[row["held_out"]["sd"] for _, row in own],
                fmt="o", color=colour, label=group, capsize=3,
            )  # fmt: skip
    axes.set_yticks(range(len(rows)), [row["model"] for row in rows])
    axes.set_xlabel(f"{result['metric']}, held out: mean and sd over seeds")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(path, dpi=150)
