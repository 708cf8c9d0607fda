"""Errors of real loads, as NEURON, Python and the sandbox word them, and their kinds."""

from __future__ import annotations

import pytest

from bnnkg.ingest.neuron.causes import cause_of, cause_of_lack


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        (["ModuleNotFoundError: No module named 'pyNN' (net.py:3)"], "no Python module pyNN"),
        (["NEURON: kdr is not a MECHANISM\n in cell.hoc near line 4\n insert kdr",
          "NEURON: na3 is not a MECHANISM\n in x.hoc near line 9\n insert na3"],
         "no such mechanism"),
        (["NEURON: syntax error\n in a.hoc near line 2\n this is",
          "SyntaxError: invalid syntax (b.py, line 7)"], "syntax error"),
        (["NEURON: Can't open data.txt", "NEURON: Couldn't find: cell.hoc",
          "FileNotFoundError: [Errno 2] No such file or directory: 'w.txt' (m.py:1)"], "no file"),
        (["nothing was there at the end of load", "nothing was there at the exit"],
         "it builds nothing"),
        (["IndexError: list index out of range (main.py:5)",
          "IndexError: list index out of range (net.py:81)"], "IndexError list index out of range"),
        (["it was ended by SIGSEGV"], "it was ended by SIGSEGV"),
        ([""], "an error without a word"),
    ],
)  # fmt: skip
def test_errors_of_one_kind_have_one_cause(reasons: list[str], cause: str) -> None:
    assert {cause_of(reason) for reason in reasons} == {cause}


def test_what_lacks_is_grouped_without_its_numbers() -> None:
    texts = ["3 NetCons without a target", "81 NetCons without a target"]
    assert {cause_of_lack(text) for text in texts} == {"NetCons without a target"}
    stubs = "functions of stubbed mods were called: evens, odds"
    assert cause_of_lack(stubs) == "functions of stubbed mods were called"
