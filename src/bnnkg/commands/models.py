"""Models: into the graph, out of it again, and as files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnnkg.commands.options import (
    Accession,
    BaseUrl,
    DryRun,
    Execute,
    Jobs,
    Manifest,
    Markdown,
    Name,
    Sources,
    Strict,
)
from bnnkg.errors import UsageError
from bnnkg.invocation import App, Invocation

if TYPE_CHECKING:
    from bnnkg.progress import Progress
    from bnnkg.workflows.ingestion import IngestOutcome

app = App()


@app.add("ingest", example="bnnkg ingest models/* modeldb:2488 --json > report.json")
def ingest(
    call: Invocation,
    sources: Sources = None,
    name: Name = None,
    accession: Accession = None,
    manifest: Manifest = None,
    execute: Execute = False,
    strict: Strict = False,
    dry_run: DryRun = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave out what an earlier ingest is done with.")
    ] = False,
    bulk: Annotated[
        bool, typer.Option("--bulk", help="Fill an empty local database by neo4j-admin's import.")
    ] = False,
    jobs: Jobs = None,
    base_url: BaseUrl = None,
    markdown: Markdown = False,
) -> int:
    """Load models into the graph, and report on every file.

    One argument is one model: a file, a folder, an archive, a URL, or an accession of ModelDB.

    NeuroML is read whole. Of NEURON code, mechanisms and morphologies are read; with --execute it
    is also run, in a sandbox, up to the first time step, and what it has built by then is loaded.

    Loading the same content again changes nothing; changed content replaces the old version.
    """
    from bnnkg.workflows.ingestion import ingest

    with call.progress() as progress:
        outcome = ingest(
            sources or [], settings=call.settings(modeldb_url=base_url), name=name,
            accession=accession, manifest=manifest, execute=execute, strict=strict,
            dry_run=dry_run, resume=resume, bulk=bulk, jobs=jobs, progress=progress,
        )  # fmt: skip
    return _show_report(call, outcome, markdown)


@app.add("validate", example="bnnkg validate models/cell.nml --strict")
def validate(
    call: Invocation,
    sources: Sources = None,
    name: Name = None,
    accession: Accession = None,
    manifest: Manifest = None,
    execute: Execute = False,
    strict: Strict = False,
    jobs: Jobs = None,
    base_url: BaseUrl = None,
    markdown: Markdown = False,
) -> int:
    """Read models and report as ingest does, with no database."""
    from bnnkg.workflows.ingestion import validate

    with call.progress() as progress:
        outcome = validate(
            sources or [], settings=call.settings(modeldb_url=base_url), name=name,
            accession=accession, manifest=manifest, execute=execute, strict=strict,
            jobs=jobs, progress=progress,
        )  # fmt: skip
    return _show_report(call, outcome, markdown)


@app.add("remove", example="bnnkg remove worm --dry-run")
def remove(
    call: Invocation,
    models: Annotated[list[str], typer.Argument(metavar="MODEL", help="Keys of models.")],
    dry_run: DryRun = False,
) -> None:
    """Remove models, and what no other model shares with them."""
    from bnnkg.workflows.ingestion import remove

    with call.progress() as progress:
        call.show(remove(models, settings=call.settings(), dry_run=dry_run, progress=progress))


@app.add("models", example="bnnkg models --status partial")
def models(
    call: Invocation,
    status: Annotated[
        str | None,
        typer.Option(
            help="Only those: loaded, partial, skipped or failed (also where only the code failed)."
        ),
    ] = None,
) -> None:
    """List the models of the graph, and what failed to be one."""
    from bnnkg.workflows.listing import count_causes, list_models

    with call.progress() as progress:
        columns = list_models(call.settings(), status=status, progress=progress)
    call.show_table(columns)
    causes = count_causes(columns)
    if causes["cause"] and not call.json:
        typer.echo("\nWhy")
        call.show_table(causes, whole=True)


@app.add("export", example="bnnkg export worm --format hetero --out worm.pt")
def export(
    call: Invocation,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="Key of a model; sources for neo4j-admin.")
    ],
    out: Annotated[Path, typer.Option(metavar="PATH", help="File, or new folder, to write.")],
    format: Annotated[
        str,
        typer.Option(
            help="hetero: a PyG HeteroData; neuroml: a NeuroML 2 document; neo4j-admin: the files "
            "of its import."
        ),
    ] = "hetero",
) -> int:
    """Write a model as a file, and tell what of it the format cannot hold.

    With --format neo4j-admin, write sources as the files of a first load into any Neo4j.
    """
    with call.progress() as progress:
        if format == "neo4j-admin":
            return _export_admin_files(call, models, out, progress)
        from bnnkg.workflows.exporting import export

        if len(models) > 1:
            raise UsageError("this format takes one model", found=", ".join(models))
        settings = call.settings()
        done = export(models[0], format=format, out=out, settings=settings, progress=progress)
    call.show(done.to_json())
    return 0


def _export_admin_files(
    call: Invocation, sources: list[str], out: Path, progress: "Progress"
) -> int:
    from bnnkg.workflows.ingestion import export_admin_files

    outcome, command = export_admin_files(
        sources, out=out, settings=call.settings(), progress=progress
    )
    if call.json:
        call.show({"path": str(out), "command": command, **outcome.to_json()})
    else:
        _show_report(call, outcome, markdown=False)
        typer.echo(f"\n{command}")
    return outcome.exit_code


def _show_report(call: Invocation, outcome: "IngestOutcome", markdown: bool) -> int:
    if markdown:
        typer.echo(outcome.to_markdown())
    elif call.json:
        call.show(outcome.to_json())
    else:
        from bnnkg.reports import write_ingest

        write_ingest(outcome, sys.stdout)
    return outcome.exit_code
