"""What every command shares: its common options, its output, and how it ends."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bnnkg import console
from bnnkg.errors import BnnkgError, InterruptedByUserError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.settings import Settings

Db = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="FOLDER|URL",
        help="Database: a folder, or the URL of any Neo4j.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tell every step; show where errors arose.")
]


@dataclass(frozen=True)
class Invocation:
    """One call of the command line.

    Attributes:
        db: What ``--db`` says.
        json: Whether JSON is asked for.
        quiet: Whether progress and remarks are not wanted.
        verbose: Whether logs and tracebacks are.
    """

    db: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False

    def joined(self, other: Invocation) -> Invocation:
        """The options of both; of two databases the other's."""
        return Invocation(
            self.db if other.db is None else other.db,
            self.json or other.json,
            self.quiet or other.quiet,
            self.verbose or other.verbose,
        )

    def settings(self, modeldb_url: str | None = None) -> Settings:
        """The settings, what the command line says before all others."""
        return Settings.load(db=self.db, modeldb_url=modeldb_url)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Draws progress on standard error while it is open."""
        if self.quiet:
            yield silent
            return
        with console.progress_on(sys.stderr) as drawn:
            yield drawn

    def remark(self, text: str) -> None:
        """Says something that is not data."""
        if not self.quiet:
            sys.stderr.write(f"{text}\n")

    def show(self, value: Any) -> None:
        """Prints an object: as JSON where that is asked for, else a line per part."""
        if self.json:
            console.write_json(value, sys.stdout)
        else:
            console.write_object(value, sys.stdout)

    def show_table(
        self,
        columns: console.Columns,
        *,
        csv: bool = False,
        parquet: Path | None = None,
        whole: bool = False,
    ) -> None:
        """Prints a table in the form that is asked for; ``whole`` with every row on a terminal.

        Raises:
            UsageError: Several forms are asked for, or the file cannot be written.
        """
        if self.json + csv + (parquet is not None) > 1:
            raise UsageError("these exclude each other", found="two of --json, --csv and --parquet")
        if parquet is not None:
            for name in console.write_parquet(columns, parquet):
                self.remark(f"{name}: values of several types, written as JSON text")
        elif csv:
            console.write_csv(columns, sys.stdout)
        elif self.json:
            console.write_json_rows(columns, sys.stdout)
        else:
            console.write_table(columns, sys.stdout, whole=whole)


class App(typer.Typer):
    """A group of commands that take the common options before and after their names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rich_markup_mode=None, pretty_exceptions_enable=False, **options)

    def add(
        self, name: str, *, example: str
    ) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
        """Adds a command: a function of an ``Invocation`` and its own arguments.

        Args:
            name: What the user types.
            example: What the user could type, after the ``$``; it stands below the help.
        """

        def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
            self.command(name, epilog=f"\b\nExample:\n  $ {example}")(_as_command(function))
            return function

        return register

    def add_default(self, function: Callable[..., int | None]) -> Callable[..., int | None]:
        """Makes a function what the group does when no command of it is named."""
        self.callback(invoke_without_command=True)(_as_command(function))
        return function


def split_commas(texts: Sequence[str]) -> tuple[str, ...]:
    """The names of an option that may be repeated or hold several: ``a``, ``b,c``."""
    return tuple(name for text in texts for name in text.split(",") if name)


def read_parameters(texts: Sequence[str]) -> dict[str, str]:
    """The values of ``--param name=value``, as text.

    Raises:
        UsageError: One has no ``=``, or no name before it.
    """
    pairs = [text.partition("=") for text in texts]
    for text, (name, sign, _) in zip(texts, pairs, strict=True):
        if not (name and sign):
            raise UsageError(
                "a parameter needs a name and a value", expected="NAME=VALUE", found=text
            )
    return {name: value for name, _, value in pairs}


def read_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """Those values as JSON says them (3, 0.5, true, null, [1, 2]), or else as text."""
    import json

    values: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def _as_command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Puts the common options around a command, and ends it as the user should see it."""

    @functools.wraps(function)
    def command(
        ctx: typer.Context, *args: Any, db: Any, json: Any, quiet: Any, verbose: Any, **own: Any
    ) -> None:
        ctx.obj = (ctx.obj or Invocation()).joined(Invocation(db, json, quiet, verbose))
        if ctx.invoked_subcommand is None:
            raise typer.Exit(_run(ctx.obj, functools.partial(function, ctx.obj, *args, **own)))

    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    options = {
        "db": (Db, None),
        "json": (Json, False),
        "quiet": (Quiet, False),
        "verbose": (Verbose, False),
    }
    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
        *(
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, annotation=a, default=d)
            for n, (a, d) in options.items()
        ),
    ]  # fmt: skip
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _run(invocation: Invocation, call: Callable[[], int | None]) -> int:
    """Runs a command to its exit code; what a user can act on is told without a traceback."""
    _log_to_stderr(invocation)
    try:
        code = call() or 0
        sys.stdout.flush()
        return code
    except BnnkgError as error:
        return _tell(error, invocation)
    except KeyboardInterrupt:
        return _tell(InterruptedByUserError("stopped; what was finished stays"), invocation)
    except BrokenPipeError:
        console.forget_reader()
        return 0
    except OSError as error:
        told = BnnkgError(
            "the system refused", where=error.filename and str(error.filename), found=error.strerror
        )
        return _tell(told, invocation)


def _tell(error: BnnkgError, invocation: Invocation) -> int:
    if invocation.verbose:
        import traceback

        traceback.print_exc()
    console.write_error(error, sys.stderr, as_json=invocation.json)
    return error.exit_code


def _log_to_stderr(invocation: Invocation) -> None:
    import logging

    level = logging.ERROR if invocation.quiet else logging.WARNING
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=level)
    if invocation.verbose:
        logging.getLogger("bnnkg").setLevel(logging.DEBUG)
