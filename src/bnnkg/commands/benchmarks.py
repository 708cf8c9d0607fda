"""Measures of what the platform claims."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bnnkg.commands.options import Models, TargetName
from bnnkg.invocation import App, Invocation, split_commas

app = App(no_args_is_help=True, help="Measure what the platform claims.")


@app.add("planted", example="bnnkg benchmark planted --seeds 5")
def benchmark_planted(
    call: Invocation,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to train.")] = 5,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            metavar="NAME",
            show_default="direct, decoys, trans and graph",
            help="One of these, compartment, mechanism or ba-2motifs; may be given again.",
        ),
    ] = None,
) -> None:
    """Mark attention against networks whose drivers are known.

    Networks are written as NeuroML in which known synapses decide the outcome, and go through the
    whole pipeline, in a database of their own. AUROC and average precision say how well each score
    finds those synapses, beside networks that were not trained and that were trained on shuffled
    outcomes.
    """
    from bnnkg.reports import write_planted
    from bnnkg.workflows.planted import USUAL, benchmark_planted

    with call.progress() as progress:
        result = benchmark_planted(
            seeds, tasks=tasks or USUAL, settings=call.settings(), progress=progress
        )
    if call.json:
        call.show(result)
    else:
        write_planted(result, sys.stdout)


@app.add("models", example="bnnkg benchmark models --models c302 --seeds 5")
def benchmark_models(
    call: Invocation,
    models: Models = [],  # noqa: B006 (Typer copies it)
    target: TargetName = None,
    contenders: Annotated[
        list[str], typer.Option("--network", metavar="NAME", help="Only these; repeat, or a,b.")
    ] = [],  # noqa: B006 (Typer copies it)
    synthetic: Annotated[
        list[str],
        typer.Option(
            metavar="MODEL",
            help="Train BGAN on these, too, in one more row, and never test on them; repeat, or "
            "a,b.",
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    epochs: Annotated[int | None, typer.Option(min=1, help="Most epochs per network.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many splits and networks of each.")] = 5,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the table and the figure.")
    ] = Path("benchmark-models"),
) -> None:
    """Compare BGAN with other networks and with its parts.

    All are trained on the same questions, with as many epochs and the same learning rate and early
    stopping. MLP, GINE, GATv2, Transformer, HGT and GPS have as many parameters as BGAN, within a
    tenth. Each seed has a split of its own. If another network is better, the table says so.
    """
    from bnnkg.reports import write_comparison
    from bnnkg.workflows.comparison import ComparisonRequest, benchmark_models

    request = ComparisonRequest(
        split_commas(models),
        target,
        split_commas(contenders),
        epochs,
        seeds,
        out,
        split_commas(synthetic),
    )
    with call.progress() as progress:
        result = benchmark_models(request, settings=call.settings(), progress=progress)
    if call.json:
        call.show(result)
    else:
        write_comparison(result, sys.stdout)
