"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

_SOURCE_HELP = "Files, folders, archives, URLs, modeldb:ACCESSION, modeldb:all."
Sources = Annotated[
    list[str] | None, typer.Argument(metavar="SOURCE", help=_SOURCE_HELP, show_default=False)
]
Execute = Annotated[
    bool, typer.Option("--execute", help="Run NEURON code, in a sandbox, and take what it builds.")
]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Address of ModelDB or of a copy of it.")
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Processes that read at once.", show_default="by sources and cores"),
]
Name = Annotated[str | None, typer.Option(help="Key of the model; for one source.")]
Accession = Annotated[
    str | None,
    typer.Option(metavar="NUMBER", help="Its accession in ModelDB; for one local source."),
]
Manifest = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="CSV file of sources: source,name,accession,licence,doi."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a source with any bad file.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the report as Markdown.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
Params = Annotated[
    list[str], typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeatable.")
]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Parquet = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a Parquet file.")]
Models = Annotated[
    list[str], typer.Option(metavar="MODEL", help="Train on these alone; repeat, or a,b.")
]
TargetName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Supervised target, role for example; an unknown one lists all.",
        show_default="none",
    ),
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run; bnnkg runs lists them.")]
