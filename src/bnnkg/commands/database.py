"""The local database server."""

from typing import Annotated

import typer

from bnnkg.console import open_in_browser
from bnnkg.invocation import App, Invocation

app = App(no_args_is_help=True, help="The local database server.")


@app.add("start", example="bnnkg db start --db ./worm.db")
def start_server(call: Invocation) -> None:
    """Start the local server; it stops by itself fifteen minutes after its last client."""
    from bnnkg.store.server import start

    with call.progress() as progress:
        start(call.settings().home, progress=progress)
    show_server(call)


@app.add("stop", example="bnnkg db stop --wait")
def stop_server(
    call: Invocation,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has stopped.")] = False,
) -> None:
    """Stop the local server."""
    from bnnkg.store.server import stop

    stop(call.settings().home, wait=wait)
    show_server(call)


@app.add("status", example="bnnkg db status --json")
def show_server(call: Invocation) -> None:
    """Show whether the local server runs, and where."""
    from bnnkg.store.server import status

    call.show(vars(status(call.settings().home)))


@app.add("open", example="bnnkg db open")
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
