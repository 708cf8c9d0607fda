"""What the graph holds, and questions to it."""

from typing import Annotated

import typer

from bnnkg.commands.options import Csv, Params, Parquet
from bnnkg.errors import UsageError
from bnnkg.invocation import App, Invocation, read_parameters, read_values

app = App()


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
