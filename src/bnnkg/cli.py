"""The command line: all commands in their order, and how they end."""

from typing import Annotated

import typer

from bnnkg.commands import (
    beginning,
    benchmarks,
    database,
    learning,
    models,
    questions,
    runs,
    synthesis,
)
from bnnkg.invocation import App, Invocation

_EPILOG = """\b
Start here:
  $ bnnkg demo

\b
Exit codes:
  0    done
  1    failed
  2    wrong usage
  3    done, but some inputs failed
  130  stopped by the user

\b
Settings: --db, then BNNKG_DB, then db in bnnkg.toml (in the working folder,
or else in the user's configuration folder). bnnkg doctor shows them all.
"""

app = App(name="bnnkg", no_args_is_help=True, epilog=_EPILOG)


def main() -> None:
    """Runs the command line."""
    app(prog_name="bnnkg")


def _show_version(wanted: bool) -> None:
    if wanted:
        from bnnkg import __version__

        typer.echo(f"bnnkg {__version__}")
        raise typer.Exit


@app.add_default
def bnnkg(
    call: Invocation,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """A knowledge graph of biophysical neural networks, and a network that learns from it."""


for group in (beginning, models, questions, learning, synthesis):
    app.add_typer(group.app)
app.add_typer(database.app, name="db")
app.add_typer(runs.app, name="runs")
app.add_typer(benchmarks.app, name="benchmark")
