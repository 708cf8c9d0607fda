"""What an attempt comes to, and what is tried after it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnkg.errors import SandboxError
from bnnkg.ingest.neuron.attempts import Attempt, Plan, Told, better, follow_ups, judge, read_told
from bnnkg.ingest.neuron.hints import Configuration
from bnnkg.sandbox import Outcome

PLAN = Plan(Configuration("init.hoc", (), "", ("",), "its name"))
DONE = Outcome(
    status="done", returncode=0, stdout="", stderr="", cpu_s=1.5, peak_memory_bytes=2**20,
    peak_processes=1, message="",
)  # fmt: skip
WHOLE = Told(stopped="first step", n_sections=3, n_points=2, n_membrane=5, captured=True)


def _attempt(told: Told | None = WHOLE, plan: Plan = PLAN, outcome: Outcome = DONE) -> Attempt:
    return judge(plan, told, outcome, 2.0)


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        (WHOLE, "loaded", ""),
        (replace(WHOLE, error="syntax error"), "partial", "syntax error"),
        (replace(WHOLE, n_points=0, n_membrane=0), "inert", "no section has a mechanism"),
        (Told(stopped="end of load", n_artificial=2, captured=True), "loaded", ""),
        (Told(stopped="end of load", captured=True), "empty", "nothing was there at the end of"),
        (Told(stopped="error", error="bad"), "failed", "bad"),
        (replace(WHOLE, captured=False), "empty", "nothing was there"),
        (None, "failed", "it ended without a word"),
    ],
)  # fmt: skip
def test_what_an_attempt_comes_to(told: Told | None, status: str, reason: str) -> None:
    attempt = _attempt(told)
    assert attempt.status == status
    assert attempt.reason.startswith(reason)
    assert (attempt.cpu_s, attempt.seconds, attempt.peak_memory_bytes) == (1.5, 2.0, 2**20)


def test_what_ended_a_session_without_a_word_is_the_sandbox_s_to_say() -> None:
    killed = replace(DONE, status="memory", message="its processes held too much")
    assert _attempt(None, outcome=killed).reason == "its processes held too much"
    said = replace(DONE, status="failed", stderr="a\nb\nc\nd\nno module\n")
    assert _attempt(None, outcome=said).reason == "b\nc\nd\nno module"


def _next(attempt: Attempt, told: Told | None = WHOLE, plan: Plan = PLAN, **has: bool) -> list[str]:
    given_ = {"has_native": True, "has_more_mods": True, **has}
    return [one.why for one in follow_ups(plan, attempt, told, **given_)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("", []),
        ("kd is not a MECHANISM", ["all mods of the source", "author's mods compiled"]),
        ("NEURON: undefined function f", ["all mods of the source", "author's mods compiled"]),
        ("subscript out of range", []),
        ("NEURON: syntax error", []),
        ("ModuleNotFoundError: No module named 'brian'", ["module brian absent"]),
        ("ModuleNotFoundError: No module named 'brian.units'", ["module brian absent"]),
    ],
)
def test_what_is_tried_after_an_error(error: str, expected: list[str]) -> None:
    told = replace(WHOLE, error=error)
    assert _next(_attempt(told), told) == expected


def test_nothing_is_tried_twice() -> None:
    told = replace(WHOLE, error="kd is not a MECHANISM")
    all_mods = replace(PLAN, all_mods=True, why="all mods of the source")
    assert _next(_attempt(told, all_mods), told, all_mods) == [
        "all mods of the source; author's mods compiled"
    ]
    native = replace(all_mods, stubs=False)
    assert _next(_attempt(told, native), told, native) == []
    absent = replace(WHOLE, error="No module named 'a'")
    without = replace(PLAN, absent=("a",))
    assert _next(_attempt(absent, without), absent, without) == []


def test_doubts_ask_for_the_author_s_code_where_it_may_run() -> None:
    told = replace(WHOLE, doubts=("functions of stubbed mods were called: f",))
    attempt = _attempt(told)
    assert not attempt.is_good
    assert _next(attempt, told) == ["author's mods compiled"]
    assert _next(attempt, told, has_native=False) == []


def test_buttons_are_pressed_where_nothing_is_there() -> None:
    buttons = ("start(1)", "quit()", "run()", "start(1)", "start(2)", "stop")
    told = Told(stopped="end of load", buttons=buttons, captured=True)
    plans = list(follow_ups(PLAN, _attempt(told), told, has_native=False, has_more_mods=False))
    assert [plan.configuration.commands for plan in plans] == [("start(1)",), ("start(2)",)]
    assert {plan.why for plan in plans} == {"button"}
    pressed = plans[0]
    again = follow_ups(pressed, _attempt(told), told, has_native=False, has_more_mods=False)
    assert list(again) == []


def test_one_plan_by_two_ways_is_one_plan() -> None:
    other = replace(PLAN, why="a button", configuration=replace(PLAN.configuration, why="README"))
    assert PLAN.key == other.key
    assert PLAN.key != replace(PLAN, all_mods=True).key


def test_which_attempt_is_better() -> None:
    """From the worst to the best."""
    doubted = replace(WHOLE, doubts=("f",))
    ranked = [
        _attempt(None),
        _attempt(Told(stopped="end of load")),
        _attempt(replace(WHOLE, n_points=0, n_membrane=0)),
        _attempt(replace(WHOLE, error="e")),
        _attempt(replace(WHOLE, error="e", n_netcons=7)),
        _attempt(replace(doubted, n_netcons=7)),
        _attempt(WHOLE),
        _attempt(replace(WHOLE, n_netcons=7)),
    ]
    for worse, best in pairwise(ranked):
        assert better(best, worse)
        assert not better(worse, best)
    assert better(ranked[0], None)


def test_what_a_session_tells_is_read() -> None:
    told = read_told(json.dumps({
        "stopped": "first step", "error": None, "doubts": ["a"], "fallbacks": [],
        "buttons": [["label", "start()"]],
        "counts": {"sections": 2, "points": {"ExpSyn": 3}, "artificial": {"NetStim": 1},
                   "netcons": 4, "density": {"hh": 5}},
    }).encode())  # fmt: skip
    assert told == Told("first step", "", ("a",), ("start()",), (), 2, 3, 1, 4, 5, captured=True)
    assert told.size == 10


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"3", b"{}", b"[" * 100_000, b'{"stopped": 1}', b"\xff",
     b'{"stopped": "", "error": "", "doubts": 3, "buttons": [], "fallbacks": []}',
     b'{"stopped": "", "error": "", "doubts": [], "buttons": [[]], "fallbacks": []}',
     b'{"stopped": "", "error": "", "doubts": [], "buttons": [], "fallbacks": [],'
     b' "counts": {"sections": "many"}}',
     b'{"stopped": "", "error": "", "doubts": [], "buttons": [], "fallbacks": [],'
     b' "counts": {"sections": Infinity}}'],
    ids=range(11),
)  # fmt: skip
def test_what_is_not_of_the_form_is_refused(content: bytes) -> None:
    with pytest.raises(SandboxError):
        read_told(content)


def test_what_a_session_tells_is_capped() -> None:
    long = "x" * 5000
    told = read_told(json.dumps({
        "stopped": long, "error": long, "doubts": [long] * 300, "fallbacks": [], "buttons": [],
        "counts": {"sections": 10**30, "netcons": -5},
    }).encode())  # fmt: skip
    assert len(told.error) == len(told.stopped) == len(told.doubts[0]) == 2000
    assert len(told.doubts) == 200
    assert (told.n_sections, told.n_netcons) == (10**9, 0)


LEAF = st.none() | st.integers() | st.text(max_size=3) | st.floats()
JSON = LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(st.just("sections"), LEAF)
NAMES = ("stopped", "error", "doubts", "buttons", "fallbacks", "counts")


@settings(max_examples=60)
@given(st.fixed_dictionaries(dict.fromkeys(NAMES, JSON)))
def test_any_form_is_read_or_refused(values: dict[str, Any]) -> None:
    try:
        told = read_told(json.dumps(values).encode())
    except SandboxError:
        return
    assert told.size >= 0
