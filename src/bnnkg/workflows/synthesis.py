"""Models that are made, as files that are ingested like any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnkg.errors import UsageError
from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.synthesize import Planted

MOTIFS, WIRING = "ba-2motifs", "wiring"
PLANTED = ("direct", "decoys", "trans", "graph", "compartment", "mechanism", MOTIFS)
"""Tasks with a known truth."""
TASKS = (*PLANTED, WIRING)


def synthesize(
    task: str,
    *,
    out: Path,
    n_documents: int = 1,
    n_networks: int = 1,
    seed: int = 0,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, list[str]]:
    """Writes documents of one task, and beside each the truth about it, where there is one.

    A document is made with a seed of its own and named by it: more of them can be written later
    into the same folder, from the next seed on.

    Args:
        task: One of ``TASKS``.
        out: Folder; it is made where it is not there.
        n_documents: How many.
        n_networks: In each of them.
        seed: Of the first document; the next ones have the next.
        dry_run: Says what would be written, and writes nothing.
        progress: Told of every document.

    Returns:
        ``written`` (``would_write`` of a dry run): paths of the files, each ``.nml`` before its
        ``.truth.json``.

    Raises:
        UsageError: No such task, too few documents or networks, or a file is there already.
    """
    _check(task, n_documents, n_networks)
    seeds = range(seed, seed + n_documents)
    paths = {own: list(_paths(task, out, own)) for own in seeds}
    files = [path for own in paths.values() for path in own]
    _refuse_existing(files, seed)
    if not dry_run:
        out.mkdir(parents=True, exist_ok=True)
        for place, own in enumerate(seeds):
            progress("synthesize", place, n_documents, paths[own][0].name)
            _write(task, own, n_networks, paths[own])
        progress("synthesize", n_documents, n_documents)
    return {"would_write" if dry_run else "written": [str(path) for path in files]}


def make(task: str, *, n_networks: int, seed: int) -> Planted:
    """A document of a task; of ``wiring``, where nothing is planted, without truths.

    Args:
        task: One of ``TASKS``.
        n_networks: Number of networks.
        seed: Of all that is drawn.
    """
    from bnnkg import synthesize as made

    if task == WIRING:
        return made.Planted(made.wire(n_networks=n_networks, seed=seed), ())
    for difficulty in made.DIFFICULTIES:
        if task == difficulty:
            return made.plant(difficulty, n_networks=n_networks, seed=seed)
    for part in made.PARTS:
        if task == part:
            return made.plant_parts(part, n_networks=n_networks, seed=seed)
    import bnnkg.gnn.pyg  # noqa: F401  (imported there, PyG is silent; it makes the motifs)

    return made.plant_motifs(n_networks=n_networks, seed=seed)


def _check(task: str, n_documents: int, n_networks: int) -> None:
    if task not in TASKS:
        raise UsageError("no such task", expected=", ".join(TASKS), found=task)
    for name, value in (("--documents", n_documents), ("--networks", n_networks)):
        if value < 1:
            raise UsageError(f"{name} is too small", expected="1 or more", found=str(value))


def _paths(task: str, out: Path, seed: int) -> Iterator[Path]:
    yield out / f"{task}{seed}.nml"
    if task in PLANTED:
        yield out / f"{task}{seed}.truth.json"


def _refuse_existing(files: list[Path], seed: int) -> None:
    there = [path for path in files if path.exists()]
    if there:
        raise UsageError(
            "a file is there already, and none is overwritten",
            where=str(there[0]),
            expected="a new folder, or seeds whose documents are not in it",
            found=f"{len(there)} of the {len(files)} files, with --seed {seed}",
            hint="name another --out, a later --seed, or remove the files",
        )


def _write(task: str, seed: int, n_networks: int, paths: list[Path]) -> None:
    made = make(task, n_networks=n_networks, seed=seed)
    paths[0].write_text(made.text, encoding="utf-8")
    for path in paths[1:]:
        told: dict[str, Any] = {
            "task": task,
            "seed": seed,
            "document": paths[0].name,
            "outcomes": [asdict(truth) for truth in made.truths],
        }
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
