"""Whether attention tells the truth: networks whose drivers are known, from file to score."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import UsageError
from bnnkg.progress import Progress, silent
from bnnkg.workflows.ingestion import ingest
from bnnkg.workflows.reading import open_store
from bnnkg.workflows.synthesis import MOTIFS, PLANTED, make

if TYPE_CHECKING:
    from bnnkg.gnn.marking import Mark
    from bnnkg.gnn.tensors import GraphTensors
    from bnnkg.gnn.trials import KnownOutcome, NodeKey, Trial
    from bnnkg.settings import Settings
    from bnnkg.store import Store
    from bnnkg.synthesize import Truth

    PartNames = Mapping[tuple[str, str], NodeKey]

MODEL = "bgan"
USUAL = ("direct", "decoys", "trans", "graph")
"""Tasks that are marked unless others are named."""
N_DOCUMENTS = 9
"""Of each task: one chooses the score, one tests it, the rest is trained on; seeds take turns."""
N_MOTIF_DOCUMENTS = 20
_N_NETWORKS = {
    "direct": 8, "decoys": 8, "trans": 8, "graph": 60, "compartment": 8, "mechanism": 8, MOTIFS: 50,
}  # fmt: skip
"""In one document."""
_NAMED_BY = {"Compartment": "length_um", "Mechanism": "name"}
"""What the truth calls the parts of a neuron."""


def benchmark_planted(
    seeds: int,
    *,
    tasks: Sequence[str] = USUAL,
    settings: Settings,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Marks every score of attention against planted truth.

    The networks are written as NeuroML, ingested into a database of their own, which is gone in
    the end, and read from it as any model is.

    Args:
        seeds: How many networks are trained for each task and control.
        tasks: Which of ``PLANTED``.
        settings: Where the cache is.
        progress: Told of every document and seed.

    Returns:
        ``rows`` with ``task``, ``model``, ``control``, ``score``, ``auroc`` and ``ap`` (``mean``,
        ``sd`` and ``n`` over seeds) and ``chosen``; ``outcomes``: how well the networks predict
        what they explain; ``written``: per task, the score that ``annotate``, which knows no
        drivers, would write.

    Raises:
        UsageError: Fewer than one seed, or no such task.
    """
    unknown = [task for task in tasks if task not in PLANTED]
    if unknown:
        raise UsageError("no such task", expected=", ".join(PLANTED), found=", ".join(unknown))
    if seeds < 1:
        raise UsageError("--seeds is too small", expected="1 or more", found=str(seeds))
    from bnnkg.gnn.marking import would_be_written

    with _own_database(settings) as own:
        material = {task: _read(task, settings=own, progress=progress) for task in tasks}
    rows: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    written: dict[str, str] = {}
    for place, (task, (tensors, known)) in enumerate(material.items()):
        marks: list[Mark] = []
        for seed in range(seeds):
            progress("planted", place * seeds + seed, len(material) * seeds, f"{task}, seed {seed}")
            marks += _mark_seed(tensors, known, seed)
        rows += _rows(task, marks)
        outcomes += _outcomes(task, marks)
        written[task] = would_be_written(marks)
    progress("planted", len(material) * seeds, len(material) * seeds)
    return {"rows": rows, "outcomes": outcomes, "written": written}


@contextmanager
def _own_database(settings: Settings) -> Iterator[Settings]:
    """Settings for a local database that lasts as long as the block."""
    from bnnkg.store.server import stop

    with tempfile.TemporaryDirectory(prefix="bnnkg-planted-") as folder:
        home = Path(folder, "planted.db")
        try:
            yield replace(settings, db=str(home), catalogue=None)
        finally:
            if home.exists():
                stop(home, wait=True)


def _read(
    task: str, *, settings: Settings, progress: Progress
) -> tuple[list[GraphTensors], list[list[KnownOutcome]]]:
    """Documents of a task, written, ingested and read back, each with its truth."""
    folder = settings.home.parent / task
    folder.mkdir()
    n_documents = N_MOTIF_DOCUMENTS if task == MOTIFS else N_DOCUMENTS
    planted = [
        make(task, n_networks=_N_NETWORKS[task], seed=number) for number in range(n_documents)
    ]
    paths = [folder / f"{task}{number}.nml" for number in range(n_documents)]
    for path, one in zip(paths, planted, strict=True):
        path.write_text(one.text, encoding="utf-8")
    ingest([str(path) for path in paths], settings=settings, progress=progress)
    with open_store(settings, write=False, progress=progress) as store:
        read = [_tensors(store, path.name) for path in paths]
    known = [
        [_known(truth, f"{graph.model_uid}/{path.name}", names) for truth in one.truths]
        for (graph, names), path, one in zip(read, paths, planted, strict=True)
    ]
    return [graph for graph, _ in read], known


def _tensors(store: Store, key: str) -> tuple[GraphTensors, PartNames]:
    from bnnkg.gnn.graph import build

    tensors = build(store.read_model(store.model_uid(key)))
    parts = store.read_nodes(key, tuple(_NAMED_BY)).nodes
    name_of = {
        uid: name if isinstance(name, str) else f"{name:.2f}"
        for label, table in parts.items()
        for uid, name in zip(table.uid, table.columns[_NAMED_BY[label]], strict=True)
    }
    names = {
        (neuron, name_of[uid]): (neuron, uid)
        for kind, keys in tensors.keys.items() if kind not in ("neuron", "synapse")
        for neuron, uid in keys
    }  # fmt: skip
    return tensors, names


def _known(truth: Truth, prefix: str, names: PartNames) -> KnownOutcome:
    """The truth by the uids of the graph: a path in a document follows its model and its file."""
    from bnnkg.gnn.trials import KnownOutcome

    def key(path: str) -> NodeKey:
        neuron, is_part, name = f"{prefix}/{path}".partition("#")
        return names[neuron, name] if is_part else ("", neuron)

    return KnownOutcome(
        f"{prefix}/{truth.subject}",
        truth.outcome,
        tuple(key(path) for path in truth.candidates),
        tuple(key(path) for path in truth.drivers),
    )


def _mark_seed(
    tensors: Sequence[GraphTensors], known: Sequence[Sequence[KnownOutcome]], seed: int
) -> list[Mark]:
    from bnnkg.gnn.marking import mark_seed
    from bnnkg.gnn.training import deterministic

    with deterministic(threads=1):
        *training, validation, test = _trials(tensors, known, seed)
        return list(mark_seed(training, validation, test, seed))


def _trials(
    tensors: Sequence[GraphTensors], known: Sequence[Sequence[KnownOutcome]], seed: int
) -> list[Trial]:
    """Trials in the order that a seed divides them in, scaled on what is trained on."""
    from bnnkg.gnn.scaling import fit_scaling
    from bnnkg.gnn.trials import make_trial

    order = [(place + 2 * seed) % len(tensors) for place in range(len(tensors))]
    scaling = fit_scaling([tensors[place] for place in order[:-2]])
    return [make_trial(tensors[place], known[place], scaling) for place in order]


def _rows(task: str, marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """A row for each control and score."""
    from bnnkg.gnn.marking import choose
    from bnnkg.gnn.metrics import over_seeds

    chosen = choose(marks)
    groups: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        groups.setdefault((mark.control, mark.score), []).append(mark)
    return [
        {
            "task": task,
            "model": MODEL,
            "control": control,
            "score": score,
            "auroc": over_seeds([mark.auroc for mark in group]),
            "ap": over_seeds([mark.ap for mark in group]),
            "chosen": control == "none" and score == chosen,
        }
        for (control, score), group in groups.items()
    ]


def _outcomes(task: str, marks: Sequence[Mark]) -> list[dict[str, Any]]:
    from bnnkg.gnn.metrics import over_seeds

    groups: dict[str, list[float]] = {}
    for mark in marks:
        if mark.score == marks[0].score:
            groups.setdefault(mark.control, []).append(mark.outcome_auroc)
    return [
        {"task": task, "model": MODEL, "control": control, "auroc": over_seeds(values)}
        for control, values in groups.items()
    ]
