from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from bnnkg.gnn.loading import prefetched


def test_results_come_in_order_with_one_made_ahead_in_one_other_thread() -> None:
    made, threads = [], set()

    def make(number: int) -> int:
        made.append(number)
        threads.add(threading.get_ident())
        return number * number

    results = prefetched(partial(make, number) for number in range(5))
    assert next(results) == 0
    assert max(made) <= 1
    assert list(results) == [1, 4, 9, 16]
    assert made == [0, 1, 2, 3, 4]
    assert len(threads - {threading.get_ident()}) == 1


def test_what_goes_wrong_in_a_task_is_told_at_its_turn() -> None:
    def fail() -> int:
        raise ValueError("no batch")

    tasks: list[Callable[[], int]] = [lambda: 1, fail, lambda: 3]
    results = prefetched(tasks)
    assert next(results) == 1
    with pytest.raises(ValueError, match="no batch"):
        next(results)


def test_no_tasks_are_no_results() -> None:
    assert list(prefetched([])) == []
