"""Made-up models."""

from pathlib import Path
from typing import Annotated

import typer

from bnnkg.commands.options import DryRun
from bnnkg.invocation import App, Invocation

app = App()


@app.add("synthesize", example="bnnkg synthesize wiring --out synthetic --documents 10")
def synthesize(
    call: Invocation,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="wiring: connectomes. direct, decoys, trans, graph, compartment, mechanism, "
            "ba-2motifs: networks whose drivers are known.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to write into.")],
    documents: Annotated[int, typer.Option(min=1, help="How many documents.")] = 1,
    networks: Annotated[int, typer.Option(min=1, help="How many networks in each.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the first document; then the next.")] = 0,
    dry_run: DryRun = False,
) -> None:
    """Write made-up models as NeuroML, and the truth about them.

    Beside a document of a task with known drivers, TASKn.truth.json has its outcomes: whose they
    are, what could have decided each, and what did. Nothing is overwritten.
    """
    from bnnkg.workflows.synthesis import synthesize

    with call.progress() as progress:
        result = synthesize(
            task, out=out, n_documents=documents, n_networks=networks, seed=seed,
            dry_run=dry_run, progress=progress,
        )  # fmt: skip
    call.show(result)
