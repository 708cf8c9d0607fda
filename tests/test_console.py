"""What is drawn: on a terminal, in a pipe, and for programs."""

import csv
import io
import json
import os
import pty
import re
import struct
import termios
import threading
from fcntl import ioctl
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from bnnkg import console
from bnnkg.errors import QueryError, UsageError
from bnnkg.jsontext import json_text

COLUMNS = {
    "neuron": ["AVAL", "RMGR", None],
    "lift": [1.23456789, 2, None],
    "kinds": [["a", "b"], [], None],
    "passed": [True, False, None],
}


class Screen:
    """A real terminal of 80 columns, and what was drawn on it."""

    def __init__(self, columns=80):
        reader, writer = pty.openpty()
        ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.out = os.fdopen(writer, "w", encoding="utf-8")
        self._reader = os.fdopen(reader, "rb", buffering=0)
        self._drawn = b""
        self._looking = threading.Thread(target=self._look)
        self._looking.start()

    def _look(self):
        try:
            while part := self._reader.read(65536):
                self._drawn += part
        except OSError:  # the other end is closed
            pass

    def text(self):
        """All that was drawn; nothing can be drawn any more."""
        self.close()
        text = self._drawn.decode().replace("\r\n", "\n")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    def close(self):
        self.out.close()
        self._looking.join()
        self._reader.close()


@pytest.fixture
def screen():
    screen = Screen()
    yield screen
    screen.close()


def piped(write, *arguments, **options):
    out = io.StringIO()
    write(*arguments, out, **options)
    return out.getvalue()


def test_a_table_in_a_pipe_is_aligned_and_whole():
    assert piped(console.write_table, COLUMNS) == (
        "neuron     lift  kinds  passed\n"
        "AVAL    1.23457  a, b   true\n"
        "RMGR          2         false\n"
        "\n"
    )


def test_a_table_in_a_pipe_has_every_row_and_every_letter():
    long = {"text": ["x" * 300] * 100}
    assert piped(console.write_table, long).splitlines() == ["text", *["x" * 300] * 100]


def test_a_table_on_a_terminal_fits_it(screen):
    console.write_table({"name": ["n"], "question": ["what is it " * 12]}, screen.out)
    lines = screen.text().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) > 3
    assert " ".join(" ".join(line.split()) for line in lines[2:]).count("what") == 12


def test_a_table_on_a_terminal_shows_markup_as_it_is(screen):
    console.write_table({"name": ["[red]x[/red]"]}, screen.out)
    assert "[red]x[/red]" in screen.text()


def test_a_table_too_wide_for_a_terminal_is_a_record_per_row(screen):
    console.write_table({f"column_number_{i}": [f"value{i}"] for i in range(9)}, screen.out)
    lines = screen.text().splitlines()
    assert lines[0] == "row 1"
    assert lines[1].split() == ["column_number_0", "value0"]
    assert len(lines) == 10


def test_a_long_table_on_a_terminal_is_cut_and_says_so(screen, capsys):
    columns = {"n": list(range(100))}
    console.write_table(columns, screen.out)
    shown = [line.strip() for line in screen.text().splitlines()]
    assert str(console.ROWS_ON_TERMINAL - 1) in shown
    assert str(console.ROWS_ON_TERMINAL) not in shown
    assert "40 of 100 rows" in capsys.readouterr().err


def test_a_table_that_must_be_whole_is_whole_on_a_terminal_too(screen, capsys):
    console.write_table({"n": list(range(100))}, screen.out, whole=True)
    assert screen.text().split()[-1] == "99"
    assert not capsys.readouterr().err


def test_no_rows_are_told():
    assert piped(console.write_table, {"a": []}) == "no rows\n"
    assert json.loads(piped(console.write_json_rows, {"a": []})) == []
    assert piped(console.write_csv, {"a": []}) == "a\n"


def test_json_is_an_object_per_row():
    rows = json.loads(piped(console.write_json_rows, COLUMNS))
    assert rows[0] == {"neuron": "AVAL", "lift": 1.23456789, "kinds": ["a", "b"], "passed": True}
    assert rows[2] == dict.fromkeys(COLUMNS)


def test_csv_is_read_back_by_another_reader():
    frame = pd.read_csv(io.StringIO(piped(console.write_csv, COLUMNS)))
    assert frame["lift"].tolist()[:2] == [1.23456789, 2.0]
    assert json.loads(frame["kinds"][0]) == ["a", "b"]
    assert frame["neuron"].isna().tolist() == [False, False, True]


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"))))
def test_any_text_survives_csv_and_json(texts):
    columns = {"text": texts, "n": list(range(len(texts)))}
    rows = list(csv.DictReader(io.StringIO(piped(console.write_csv, columns), newline="")))
    assert [row["text"] for row in rows] == texts
    assert [row["text"] for row in json.loads(piped(console.write_json_rows, columns))] == texts


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(JSON_VALUES)
def test_json_says_what_json_can_say(value):
    assert json.loads(json_text(value)) == value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), None),
        (-float("inf"), None),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([0.5, np.nan]), [0.5, None]),
        (pd.Timestamp("2026-11-24"), "2026-11-24T00:00:00"),
        (Path("a/b"), "a/b"),
        ((1, {"x": float("nan")}), [1, {"x": None}]),
    ],
)
def test_json_of_what_json_does_not_know(value, told):
    assert json.loads(json_text(value)) == told


def test_parquet_is_read_back_with_its_types(tmp_path):
    path = tmp_path / "out.parquet"
    assert console.write_parquet(COLUMNS, path) == []
    assert parquet.read_table(path).to_pydict() == {**COLUMNS, "lift": [1.23456789, 2.0, None]}
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_of_mixed_values_is_json_text(tmp_path):
    path = tmp_path / "out.parquet"
    assert console.write_parquet({"v": [1, "a", None, [2]]}, path) == ["v"]
    assert parquet.read_table(path)["v"].to_pylist() == ["1", '"a"', None, "[2]"]


def test_parquet_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        console.write_parquet(COLUMNS, tmp_path / "no" / "out.parquet")


def test_an_object_is_a_line_per_value():
    value = {
        "run": "r1", "gate": {"metric": "auroc", "value": 0.83}, "seeds": [0, 1], "none": {},
        "names": ["", "x"],
    }  # fmt: skip
    assert piped(console.write_object, value).splitlines() == [
        "run          r1",
        "gate.metric  auroc",
        "gate.value   0.83",
        "seeds        0, 1",
        "none         {}",
        'names        "", x',
    ]


def test_rows_within_an_object_are_a_table_below_it():
    value = {"a": [{"x": 1, "y": 2}, {"x": 3, "y": None}], "b": {"c": 1}, "long": [0.5] * 999}
    assert piped(console.write_object, value).splitlines() == [
        "b.c   1",
        "long  999 entries; --json shows them",
        "",
        "a",
        "x  y",
        "1  2",
        "3",
    ]


def test_an_error_says_its_parts():
    error = QueryError("no such parameter", where="motifs", expected="limit", found="x", hint="ask")
    assert piped(lambda e, out: console.write_error(e, out, as_json=False), error) == (
        "error: motifs: no such parameter\n  expected: limit\n  found: x\n  to do: ask\n"
    )
    told = json.loads(piped(lambda e, out: console.write_error(e, out, as_json=True), error))
    assert told == {
        "error": {
            "type": "QueryError", "message": "no such parameter", "where": "motifs",
            "expected": "limit", "found": "x", "hint": "ask", "exit_code": 1,
        }
    }  # fmt: skip


def test_progress_in_a_pipe_is_a_few_lines():
    out, seconds = io.StringIO(), iter(range(100))
    with console.ProgressLines(out, clock=lambda: next(seconds)) as progress:
        for step in range(25):
            progress("reading", step, 24, f"file {step}")
    assert out.getvalue().splitlines() == [
        "reading  0 of 24  file 0",
        "reading  10 of 24  file 10",
        "reading  20 of 24  file 20",
        "reading  24 of 24  file 24",
    ]


def test_quick_tasks_in_a_pipe_are_told_once():
    out = io.StringIO()
    with console.progress_on(out) as progress:
        for _ in range(3):
            progress("reading", 0, 2)
            progress("reading", 2, 2)
    assert out.getvalue().splitlines() == ["reading  0 of 2"]


def test_progress_of_unknown_length_and_of_many_bytes():
    out = io.StringIO()
    with console.progress_on(out) as progress:
        progress("starting", 0)
        progress("fetching", 5e7, 2e8)
    assert out.getvalue().splitlines() == ["starting", "fetching  25%"]


def test_progress_on_a_terminal_is_a_bar_that_ends(screen):
    with console.progress_on(screen.out) as progress:
        progress("reading", 0, 10)
        progress("reading", 10, 10, "[loss] 0.5")
    drawn = screen.text()
    assert "reading" in drawn
    assert "100%" in drawn
    assert "[loss] 0.5" in drawn


def test_many_bars_make_room_for_those_that_move(screen):
    with console.progress_on(screen.out) as progress:
        progress("all", 0, 30)
        for model in range(30):
            progress(f"model {model}", 5, 5)
    last = screen.text().splitlines()[-10:]
    assert any(line.startswith("all") for line in last)
    assert any(line.startswith("model 29") for line in last)
    assert not any(line.startswith("model 1 ") for line in last)


def test_no_progress_draws_nothing(screen):
    with console.progress_on(screen.out):
        pass
    assert screen.text() == ""
