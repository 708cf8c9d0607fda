"""The catalogue of runs."""

import sys
from typing import Annotated

import typer

from bnnkg.commands.options import RunId
from bnnkg.invocation import App, Invocation

app = App()


@app.add_default
def runs(call: Invocation) -> None:
    """List the runs, or show and compare them."""
    from bnnkg.workflows.listing import list_runs

    call.show_table(list_runs(call.settings()))


@app.add("show", example="bnnkg runs show 20261124-7k2f --json")
def show_run(call: Invocation, run: RunId) -> None:
    """Show a run: configuration, curves, scores, which score was chosen, and what it looked at."""
    from bnnkg.run_report import write_run
    from bnnkg.workflows.listing import explain_run

    with call.progress() as progress:
        result = explain_run(run, call.settings(), progress=progress)
    if call.json:
        call.show(result)
    else:
        write_run(result, sys.stdout)


@app.add("diff", example="bnnkg runs diff 20261124-7k2f 20261125-0a1b")
def compare_runs(
    call: Invocation,
    first: Annotated[str, typer.Argument(metavar="A", help="Id of a run.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Id of another.")],
) -> None:
    """Compare two runs: what was asked for, the scores, and the attention that they wrote."""
    from bnnkg.workflows.annotation import diff_runs

    call.show(diff_runs(first, second, settings=call.settings()))
