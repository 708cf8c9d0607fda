"""The command line: reads arguments, calls one function, prints what it returns."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnnkg.console import open_in_browser
from bnnkg.errors import UsageError
from bnnkg.invocation import App, Invocation, read_parameters, read_values, split_commas

if TYPE_CHECKING:
    from bnnkg.progress import Progress
    from bnnkg.workflows.ingestion import IngestOutcome

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

_OK = {True: "yes", False: "NO", None: "-"}

app = App(name="bnnkg", no_args_is_help=True, epilog=_EPILOG)
db_app = App(no_args_is_help=True, help="The local database server.")
runs_app = App()
benchmark_app = App(no_args_is_help=True, help="Measure what the platform claims.")

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


@app.add("demo", example="bnnkg demo")
def demo(call: Invocation) -> None:
    """Take a worm's nervous system from files to answers.

    In about two minutes, the 302 neurons of C. elegans and their 3,363 projections (from the
    package c302) are read, loaded into a local Neo4j, learned from, annotated and asked.
    """
    from bnnkg.reports import demonstration_json, write_demonstration
    from bnnkg.store.server import status
    from bnnkg.workflows.demonstration import demo

    settings = call.settings()
    with call.progress() as progress:
        result = demo(settings=settings, progress=progress)
    address = status(settings.home).browser if settings.is_local else None
    if call.json:
        call.show(demonstration_json(result, address))
    else:
        write_demonstration(result, address, sys.stdout)


@app.add("doctor", example="bnnkg doctor")
def doctor(call: Invocation) -> int:
    """Check what bnnkg needs; show where each setting is from."""
    from bnnkg.workflows.health import doctor

    checks = doctor(call.settings())
    all_well = all(check.ok is not False for check in checks)
    if call.json:
        call.show({"ok": all_well, "checks": [vars(check) for check in checks]})
    else:
        call.show_table(
            {
                "check": [check.name for check in checks],
                "ok": [_OK[check.ok] for check in checks],
                "found": [check.detail for check in checks],
                "to do": [check.hint for check in checks],
            },
            whole=True,
        )
    return 0 if all_well else 1


@db_app.add("start", example="bnnkg db start --db ./worm.db")
def start_server(call: Invocation) -> None:
    """Start the local server; it stops by itself fifteen minutes after its last client."""
    from bnnkg.store.server import start

    with call.progress() as progress:
        start(call.settings().home, progress=progress)
    show_server(call)


@db_app.add("stop", example="bnnkg db stop --wait")
def stop_server(
    call: Invocation,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has stopped.")] = False,
) -> None:
    """Stop the local server."""
    from bnnkg.store.server import stop

    stop(call.settings().home, wait=wait)
    show_server(call)


@db_app.add("status", example="bnnkg db status --json")
def show_server(call: Invocation) -> None:
    """Show whether the local server runs, and where."""
    from bnnkg.store.server import status

    call.show(vars(status(call.settings().home)))


@db_app.add("open", example="bnnkg db open")
def open_browser(call: Invocation) -> None:
    """Open Neo4j Browser on the graph, and print its address, user and password."""
    from bnnkg.store.server import read_password, start

    home = call.settings().home
    with call.progress() as progress:
        running = start(home, progress=progress)
    password = read_password(home)
    call.show({"uri": running.uri, "http": running.browser, "user": "neo4j", "password": password})
    if not call.json and running.browser:
        open_in_browser(running.browser)


app.add_typer(db_app, name="db")


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


@app.add("schema", example="bnnkg schema --json")
def schema(call: Invocation) -> None:
    """Describe the graph: types, properties, units, meanings."""
    from bnnkg.schema.render import schema_json, schema_markdown

    if call.json:
        call.show(schema_json())
    else:
        typer.echo(schema_markdown(), nl=False)


@app.add("queries", example="bnnkg queries attention_against_distance")
def queries(
    call: Invocation,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show its text.")] = None,
) -> None:
    """List the library of queries, or show the text of one."""
    from bnnkg.queries import find_query, library

    if name is None:
        found = library().values()
        call.show_table({"name": [q.name for q in found], "question": [q.question for q in found]})
    elif call.json:
        from dataclasses import asdict

        call.show(asdict(find_query(name)))
    else:
        typer.echo(find_query(name).text, nl=False)


@app.add("query", example="bnnkg query strongest_connections --param limit=5")
def query(
    call: Invocation,
    name: Annotated[str, typer.Argument(metavar="NAME", help="See bnnkg queries.")],
    param: Params = [],  # noqa: B006 (Typer copies it)
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Print the statistics in place of the rows.")
    ] = False,
    csv: Csv = False,
    parquet: Parquet = None,
) -> None:
    """Ask a question of the library.

    A correlation prints its rows and then its statistics; the forms for programs (--json, --csv,
    --parquet) hold the rows, or with --statistics the statistics.
    """
    from bnnkg.queries import find_query, run_query
    from bnnkg.workflows.reading import open_store

    parameters = read_parameters(param)
    if find_query(name).statistics is None and statistics:
        raise UsageError("this query has no statistics", where=name)
    with (
        call.progress() as progress,
        open_store(call.settings(), write=False, progress=progress) as store,
    ):
        result = run_query(store, name, parameters)
    table = result.statistics if statistics and result.statistics else result.table
    call.show_table(table.columns, csv=csv, parquet=parquet)
    is_for_people = not (call.json or csv or parquet or statistics)
    if is_for_people and result.statistics:
        typer.echo("\nStatistics")
        call.show_table(result.statistics.columns)


@app.add("cypher", example='bnnkg cypher "MATCH (n:Neuron) RETURN count(n) AS neurons"')
def cypher(
    call: Invocation,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Cypher.")],
    param: Params = [],  # noqa: B006 (Typer copies it)
    write: Annotated[bool, typer.Option("--write", help="Let it change the graph.")] = False,
    csv: Csv = False,
    parquet: Parquet = None,
) -> None:
    """Run any Cypher, read-only unless --write is given.

    The value of a parameter is read as JSON (3, 0.5, true, [1, 2]) and else taken as text.
    """
    from bnnkg.workflows.reading import open_store

    values = read_values(read_parameters(param))
    with (
        call.progress() as progress,
        open_store(call.settings(), write=write, progress=progress) as store,
    ):
        table = store.write(text, values) if write else store.read_untrusted(text, values)
    call.show_table(table.columns, csv=csv, parquet=parquet)


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


@runs_app.add_default
def runs(call: Invocation) -> None:
    """List the runs, or show and compare them."""
    from bnnkg.workflows.listing import list_runs

    call.show_table(list_runs(call.settings()))


@runs_app.add("show", example="bnnkg runs show 20261124-7k2f --json")
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


@runs_app.add("diff", example="bnnkg runs diff 20261124-7k2f 20261125-0a1b")
def compare_runs(
    call: Invocation,
    first: Annotated[str, typer.Argument(metavar="A", help="Id of a run.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Id of another.")],
) -> None:
    """Compare two runs: what was asked for, the scores, and the attention that they wrote."""
    from bnnkg.workflows.annotation import diff_runs

    call.show(diff_runs(first, second, settings=call.settings()))


app.add_typer(runs_app, name="runs")


@benchmark_app.add("planted", example="bnnkg benchmark planted --seeds 5")
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


@benchmark_app.add("models", example="bnnkg benchmark models --models c302 --seeds 5")
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


app.add_typer(benchmark_app, name="benchmark")


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
