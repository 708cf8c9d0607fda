"""What the command line draws: tables, JSON, CSV, Parquet, bars and errors.

Data goes to standard output, all else to standard error. A table is for people: on a terminal it
fits the width and shows its first rows; anywhere else it is plain aligned text with every row and
every value whole. Programs take JSON, CSV or Parquet.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from bnnkg.errors import BnnkgError, UsageError
from bnnkg.jsontext import json_text, plain

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

Columns = Mapping[str, Sequence[Any]]
"""Values by column name, a row each."""

ROWS_ON_TERMINAL = 40
_NARROWEST = 24
"""A column whose longest word is shorter than this is not broken inside of it."""
_GAP = "  "
_LONGEST = 400
_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BEFORE_END = 1.0
_BARS = 8


def write_table(columns: Columns, out: IO[str], *, whole: bool = False) -> None:
    """Writes a table for people.

    Args:
        columns: What to show; numbers are shown at six digits.
        out: Where to.
        whole: Shows every row on a terminal, too.
    """
    if not _n_rows(columns):
        out.write("no rows\n")
        return
    on_terminal = out.isatty()
    n_rows = _n_rows(columns)
    n_shown = min(n_rows, ROWS_ON_TERMINAL) if on_terminal and not whole else n_rows
    cells = {name: [_cell(v) for v in islice(column, n_shown)] for name, column in columns.items()}
    right = {name for name, column in columns.items() if _is_numeric(column)}
    if not on_terminal:
        _write_aligned(cells, right, out)
    elif sum(map(_least_width, cells.items())) + len(_GAP) * len(cells) <= _terminal_width(out):
        _write_fitted(cells, right, out)
    else:
        _write_records(cells, out)
    if n_shown < n_rows:
        sys.stderr.write(f"{n_shown} of {n_rows} rows; --csv, --json and --parquet FILE give all\n")


def write_json_rows(columns: Columns, out: IO[str]) -> None:
    """Writes an array of objects, one per row and line."""
    rows = zip(*columns.values(), strict=True)
    separator = "[\n"
    for row in rows:
        out.write(separator + json_text(dict(zip(columns, row, strict=True))))
        separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def write_json(value: Any, out: IO[str]) -> None:
    """Writes one object."""
    out.write(json_text(value, indent=2) + "\n")


def write_object(value: Mapping[str, Any], out: IO[str]) -> None:
    """Writes an object for people: a line per value, then a table per list of rows."""
    parts = list(_flat(value))
    lines = [(name, _cell(part)) for name, part in parts if not _is_rows(part)]
    width = max((len(name) for name, _ in lines), default=0)
    for name, cell in lines:
        out.write(f"{name.ljust(width)}{_GAP}{cell}".rstrip() + "\n")
    for name, rows in parts:
        if not _is_rows(rows):
            continue
        out.write(f"\n{name}\n")
        write_table({key: [row.get(key) for row in rows] for key in rows[0]}, out, whole=True)


def write_csv(columns: Columns, out: IO[str]) -> None:
    """Writes a header and a line per row; absent is empty, a list or map is JSON."""
    import csv

    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(
        [_csv_cell(value) for value in row] for row in zip(*columns.values(), strict=True)
    )


def write_parquet(columns: Columns, path: Path) -> list[str]:
    """Writes a Parquet file, whole or not at all.

    Returns:
        Names of the columns whose values are of several types, and so were written as JSON text.

    Raises:
        UsageError: The file cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    arrays, mixed = {}, []
    for name, column in columns.items():
        values = [_parquet_value(value) for value in column]
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            mixed.append(name)
            arrays[name] = pa.array([None if v is None else json_text(v) for v in values])
    partial = path.with_name(path.name + ".partial")
    try:
        parquet.write_table(pa.table(arrays), partial)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(
            "the Parquet file cannot be written",
            where=str(path),
            found=error.strerror or str(error),
        ) from error
    return mixed


def write_error(error: BnnkgError, out: IO[str], *, as_json: bool) -> None:
    """Tells what went wrong, as text or as an object ``{"error": {...}}``."""
    if not as_json:
        out.write(f"error: {error.message()}\n")
        return
    parts = {
        "type": type(error).__name__, "message": error.what, "where": error.where,
        "expected": error.expected, "found": error.found, "hint": error.hint,
        "exit_code": error.exit_code,
    }  # fmt: skip
    out.write(json_text({"error": parts}) + "\n")


class ProgressLines:
    """Progress where nobody sees a bar: a line when a task begins, then now and then.

    Args:
        out: Where to.
        clock: Seconds from any moment on.
    """

    def __init__(self, out: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._told: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return

    def __call__(self, task: str, done: float, total: float | None = None, note: str = "") -> None:
        """Tells of a step, unless it told of one just before."""
        now = self._clock()
        ends = total is not None and done >= total
        pause = _SECONDS_BEFORE_END if ends else _SECONDS_BETWEEN_LINES
        if now - self._told.get(task, -_SECONDS_BETWEEN_LINES) < pause:
            return
        self._told[task] = now
        parts = [task, _share(done, total), note]
        self._out.write(_GAP.join(part for part in parts if part) + "\n")
        self._out.flush()


class ProgressBars:
    """Progress on a terminal: a bar per task."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._drawn: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn is not None:
            self._drawn.stop()

    def __call__(self, task: str, done: float, total: float | None = None, note: str = "") -> None:
        """Moves the task's bar."""
        if self._drawn is None:
            self._drawn = self._start()
        if task not in self._tasks:
            self._make_room(self._drawn)
            self._tasks[task] = self._drawn.add_task(task, note="", total=total)
        self._drawn.update(self._tasks[task], completed=done, total=total, note=note)

    def _make_room(self, drawn: RichProgress) -> None:
        """Takes away the oldest bar that is full, where there are many."""
        if len(self._tasks) < _BARS:
            return
        full = {task.id for task in drawn.tasks if task.finished}
        oldest = next((name for name, id_ in self._tasks.items() if id_ in full), None)
        if oldest is not None:
            drawn.remove_task(self._tasks.pop(oldest))

    def _start(self) -> RichProgress:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        drawn = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(file=self._out),
            refresh_per_second=4,  # each redraw costs a millisecond
        )
        drawn.start()
        return drawn


def progress_on(out: IO[str]) -> ProgressBars | ProgressLines:
    """Bars on a terminal, else lines."""
    return ProgressBars(out) if out.isatty() else ProgressLines(out)


def open_in_browser(address: str) -> None:
    """Shows a page in the user's browser, where there is a screen for one."""
    if (
        sys.platform == "linux"
        and not {"BROWSER", "DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    ):
        return
    import webbrowser

    webbrowser.open(address)


def forget_reader() -> None:
    """Lets nothing more be said of a reader that has gone, such as ``head``."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_rows(part: Any) -> bool:
    return isinstance(part, list | tuple) and bool(part) and all(isinstance(p, dict) for p in part)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        if isinstance(part, Mapping) and part:
            yield from _flat(part, f"{prefix}{name}.")
        elif isinstance(part, list) and not _is_rows(part) and len(_cell(part)) > _LONGEST:
            yield f"{prefix}{name}", f"{len(part)} entries; --json shows them"
        else:
            yield f"{prefix}{name}", part


def _n_rows(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return value.replace("\n", " ")
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return ", ".join(_cell(part) if part != "" else '""' for part in value)
    return json_text(value)


def _csv_cell(value: Any) -> Any:
    value = plain(value)
    return json_text(value) if isinstance(value, bool | list | dict) else value


def _parquet_value(value: Any) -> Any:
    if isinstance(value, float):
        return value  # Parquet has numbers that are not finite
    return value if hasattr(value, "isoformat") else plain(value)


def _is_numeric(column: Sequence[Any]) -> bool:
    known = [value for value in column if value is not None]
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in known) and bool(
        known
    )


def _terminal_width(out: IO[str]) -> int:
    return os.get_terminal_size(out.fileno()).columns


def _least_width(column: tuple[str, Sequence[str]]) -> int:
    name, cells = column
    words = (word for text in (name, *cells) for word in text.split())
    return min(max(map(len, words), default=1), max(_NARROWEST, len(name)))


def _write_aligned(cells: Mapping[str, Sequence[str]], right: set[str], out: IO[str]) -> None:
    widths = {name: max(len(name), *map(len, column)) for name, column in cells.items()}
    for row in _rows_with_header(cells):
        line = _GAP.join(
            cell.rjust(widths[name]) if name in right else cell.ljust(widths[name])
            for name, cell in zip(cells, row, strict=True)
        )
        out.write(line.rstrip() + "\n")


def _write_fitted(cells: Mapping[str, Sequence[str]], right: set[str], out: IO[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in cells:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in zip(*cells.values(), strict=True):
        table.add_row(*map(Text, row))
    Console(file=out).print(table)


def _write_records(cells: Mapping[str, Sequence[str]], out: IO[str]) -> None:
    """A block per row and a line per value, where the columns do not fit side by side."""
    width = max(map(len, cells))
    for number, row in enumerate(zip(*cells.values(), strict=True), start=1):
        out.write(f"row {number}\n")
        for name, cell in zip(cells, row, strict=True):
            out.write(f"{_GAP}{name.ljust(width)}{_GAP}{cell}".rstrip() + "\n")


def _rows_with_header(cells: Mapping[str, Sequence[str]]) -> Iterator[Iterable[str]]:
    yield cells
    yield from zip(*cells.values(), strict=True)


def _share(done: float, total: float | None) -> str:
    if total is None:
        return f"{done:.0f}" if done >= 1 else ""
    return f"{done:g} of {total:g}" if total < 1e6 else f"{done / total:.0%}"
