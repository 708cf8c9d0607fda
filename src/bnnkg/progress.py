"""How long work tells how far it is, without knowing who looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of every step of long work; the command line draws it as a bar."""

    def __call__(self, task: str, done: float, total: float | None = None, note: str = "") -> None:
        """Reports a step.

        Args:
            task: What is being done; the same words for all steps of one task.
            done: How much of it is done, in the task's own unit.
            total: How much there is; absent while unknown.
            note: What stands beside the bar, such as a loss.
        """


def silent(task: str, done: float, total: float | None = None, note: str = "") -> None:
    """Tells nobody."""
