"""The whole path on the nervous system of C. elegans, from files to answers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import SourceError, UsageError
from bnnkg.progress import Progress, silent
from bnnkg.workflows.annotation import annotate
from bnnkg.workflows.ingestion import ingest
from bnnkg.workflows.reading import open_store
from bnnkg.workflows.training import TrainRequest, train

if TYPE_CHECKING:
    from bnnkg.settings import Settings
    from bnnkg.store import Store, Table

MODEL = "c302"
_EPOCHS = 8
"""Four fewer than ``bnnkg train`` takes of itself: it shows what it shows, in two minutes."""
NETWORK = "c302_D_Full"
_SECONDS_TO_WRITE = 300


@dataclass(frozen=True)
class Question:
    """One thing that the demonstration asks.

    Attributes:
        title: In words.
        query: Its name in the library.
        parameters: Beside the model.
        shown: Columns of its rows to show; none where only the statistics matter.
        remark: How to read the answer.
    """

    title: str
    query: str
    remark: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[str, ...] = ()


QUESTIONS = (
    Question(
        "Which connections does the network attend to most?",
        "strongest_connections",
        "A lift of 1 is no preference; the spread is over seeds.",
        {"kind": "chemical", "limit": 8},
        ("sender", "receiver", "contacts", "n_inputs", "attention_lift", "attention_lift_sd"),
    ),
    Question(
        "Does attention go with the number of contacts?",
        "attention_against_contacts",
        "The network never saw the numbers of contacts. Ranks are shuffled among one receiver's"
        " inputs; p is corrected for the tests of this table.",
    ),
    Question(
        "Does attention go with the distance between the two somata?",
        "attention_against_distance",
        "Positions were inputs, so this shows what the network used and is no finding.",
    ),
    Question(
        "Does attention to a channel go with its density?",
        "density_against_attention",
        "Every cell of this model has the same four densities: a correlation with a constant is"
        " undefined, and is said to be.",
    ),
    Question(
        "Where do forward and backward attention differ most?",
        "direction_differences",
        "Forward, the receiver attends to the sender; backward, the sender to the receiver.",
        {"kind": "chemical", "limit": 8},
        ("sender", "receiver", "contacts", "attention_forward_lift", "attention_backward_lift",
         "difference", "difference_over_sd"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What the graph says.

    Attributes:
        question: What was asked.
        model: The model that it was asked of.
        cypher: The query that gave it.
        table: Its rows, in the columns to show; absent where only the statistics matter.
        statistics: Of its correlations; absent where it has none.
    """

    question: Question
    model: str
    cypher: str
    table: Table | None
    statistics: Table | None


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration did.

    Attributes:
        loaded: Nodes by label and edges by type.
        training: What ``bnnkg train --json`` prints.
        annotation: What ``bnnkg annotate --json`` prints.
        answers: What the graph says now.
        database: Folder or address of the database, as ``--db`` takes it.
    """

    loaded: Mapping[str, Mapping[str, int]]
    training: Mapping[str, Any]
    annotation: Mapping[str, Any]
    answers: tuple[Answer, ...]
    database: str


def demo(*, settings: Settings, progress: Progress = silent) -> Demonstration:
    """Writes the worm's network, loads it, learns from it, annotates it, and asks.

    Raises:
        UsageError: The package c302 is not installed.
        StoreError: The database cannot be used.
    """
    source = write_worm(settings.cache_folder / "demo", progress=progress)
    outcome = ingest([str(source)], settings=settings, name=MODEL, progress=progress)
    request = TrainRequest(models=(MODEL,), epochs=_EPOCHS)
    training = train(request, settings=settings, progress=progress)
    # At chance too the answers are worth seeing, marked as what they are.
    annotation = annotate(
        training["run"], settings=settings, force=not training["gate"]["passed"], progress=progress
    )
    with open_store(settings, write=False) as store:
        answers = tuple(_ask(store, question) for question in QUESTIONS)
    loaded = {"nodes": outcome.nodes, "edges": outcome.edges}
    return Demonstration(loaded, training, annotation, answers, settings.db)


def write_worm(folder: Path, *, progress: Progress = silent) -> Path:
    """The worm's network as NeuroML, by c302, written once.

    Args:
        folder: Where to keep it, in a folder of its own for each version of c302.
        progress: Told when it begins and ends.

    Returns:
        The folder with the network and its cells.

    Raises:
        UsageError: The package c302 is not installed.
        SourceError: It failed.
    """
    try:
        source = folder / f"c302-{version('c302')}"
    except PackageNotFoundError:
        raise UsageError(
            "the demonstration needs the package c302",
            expected="the extra demo",
            hint='pip install "bnnkg[demo]"',
        ) from None
    if not source.exists():
        progress("writing the worm's network", 0, 1)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _run_c302(Path(scratch))
            (Path(scratch) / "worm").rename(source)
    progress("writing the worm's network", 1, 1)
    return source


def _run_c302(scratch: Path) -> None:
    """c302 writes into its working folder, and wants a folder ``cells`` there."""
    worm = scratch / "worm"
    (worm / "cells").mkdir(parents=True)
    call = "import sys, c302; sys.argv = ['c302', *sys.argv[1:]]; c302.main()"
    arguments = [NETWORK, "parameters_D", "-duration", "100"]
    try:
        ended = subprocess.run(  # noqa: S603 (our own interpreter)
            [sys.executable, "-c", call, *arguments],
            cwd=worm, capture_output=True, text=True, timeout=_SECONDS_TO_WRITE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            "c302 takes too long", expected=f"at most {_SECONDS_TO_WRITE} s"
        ) from error
    if ended.returncode or not any(worm.glob("*.net.nml")):
        raise SourceError("c302 failed", found=ended.stderr.strip()[-500:])


def _ask(store: Store, question: Question) -> Answer:
    from bnnkg.queries import find_query, run_query
    from bnnkg.store import Table

    result = run_query(store, question.query, {"model": MODEL, **question.parameters})
    shown = {name: result.table.columns[name] for name in question.shown}
    table = Table(shown) if shown else None
    return Answer(question, MODEL, find_query(question.query).text, table, result.statistics)
