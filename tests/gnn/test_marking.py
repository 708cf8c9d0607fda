"""A score is chosen on validation, and never by what it does on test."""

from __future__ import annotations

from bnnkg.gnn.marking import Control, Mark, choose


def mark(
    score: str, validation: float | None, *, auroc: float = 0.5, control: Control = "none"
) -> Mark:
    return Mark(control, score, auroc, 0.5, validation, 0.9)


def test_the_best_on_validation_is_chosen() -> None:
    marks = [mark("a", 0.6, auroc=1.0), mark("b", 0.9, auroc=0.5), mark("a", 0.7), mark("b", 0.5)]
    assert choose(marks) == "b"


def test_controls_do_not_choose() -> None:
    assert (
        choose([mark("a", 0.6), mark("b", 0.5), mark("b", None, auroc=1.0, control="untrained")])
        == "a"
    )
