"""The next batch is made while the network learns from this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetched(tasks: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Results of tasks, in order; a thread works on the next while this one is used.

    Tasks run one after the other, in one thread: they may share what they cache.
    """
    with ThreadPoolExecutor(1, "prefetch") as worker:
        waiting = None
        for task in tasks:
            following = worker.submit(task)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
