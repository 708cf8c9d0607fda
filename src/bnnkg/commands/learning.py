"""Training, and what it learned on the graph."""

import sys
from typing import Annotated

import typer

from bnnkg.commands.options import DryRun, Models, RunId, TargetName
from bnnkg.invocation import App, Invocation, split_commas

app = App()


@app.add("train", example="bnnkg train --models worm --epochs 200 --seeds 5")
def train(
    call: Invocation,
    models: Models = [],  # noqa: B006 (Typer copies it)
    target: TargetName = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Most epochs per seed.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The base seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to train.")] = 3,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on from this run's checkpoint.")
    ] = None,
    accumulate: Annotated[
        int, typer.Option(min=1, help="Questions per step; processes of torchrun share them.")
    ] = 1,
    precision: Annotated[
        str, typer.Option(metavar="P", help="float32, or bfloat16 for matrix products.")
    ] = "float32",
) -> None:
    """Train on models of the graph; print score beside chance."""
    from bnnkg.reports import write_training
    from bnnkg.workflows.training import TrainRequest, is_first_process, train

    request = TrainRequest(
        models=split_commas(models), target=target, epochs=epochs, seed=seed, seeds=seeds,
        resume=resume,
        accumulate=accumulate, precision=precision,
    )  # fmt: skip
    with call.progress() as progress:
        result = train(request, settings=call.settings(), progress=progress)
    if not is_first_process():
        return
    if call.json:
        call.show(result)
    else:
        write_training(result, sys.stdout)


@app.add("annotate", example="bnnkg annotate 20261124-7k2f --as contacts")
def annotate(
    call: Invocation,
    run: RunId,
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Ends the names of its properties.")
    ] = "",
    dry_run: DryRun = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take its scores away.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write scores that are at chance.")
    ] = False,
) -> None:
    """Write what a run learned on the nodes and edges."""
    from bnnkg.workflows.annotation import annotate

    with call.progress() as progress:
        result = annotate(
            run, settings=call.settings(), name=name, dry_run=dry_run, remove=remove, force=force,
            progress=progress,
        )  # fmt: skip
    call.show(result)
