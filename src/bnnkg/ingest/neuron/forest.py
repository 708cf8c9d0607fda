"""Which sections of a run make up which neuron, and what each one is.

A neuron is a tree of joined sections. Sections are turned so that 0 is the end nearer to the root:
NEURON lets a section join its parent by either end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnkg.ingest.morphology import kind_of_name
from bnnkg.ingest.neuron.capture import Capture, Sections
from bnnkg.ingest.neuron.columns import Array
from bnnkg.ingest.neuron.rounding import as_written, nine_digits
from bnnkg.ingest.parsed import Flags, Floats, Integers

KINDS = ("soma", "dendrite", "axon", "other")
_UNKNOWN = -1
_MORE_WORDS = (
    ("node", "axon"), ("myelin", "axon"), ("hill", "axon"), ("mysa", "axon"), ("flut", "axon"),
    ("stin", "axon"), ("bouton", "axon"), ("trunk", "dendrite"), ("dapic", "dendrite"),
)  # fmt: skip


@dataclass(frozen=True)
class Forest:
    """The sections of a run tree by tree, within a tree in NEURON's order; n rows, t trees.

    Attributes:
        row: Row of each section in the capture.
        place: Where each section of the capture is here.
        tree: Tree of each.
        first: (t + 1,) where the sections of each tree start.
        root: (t,) where the root of each is.
        parent: Where its parent is; -1 for a root.
        local_parent: The parent's place within the tree; -1 for a root.
        fraction: Where on the parent, 0 at its end nearer to the root.
        flipped: Whether it joins its parent by its own end 1.
        kind: Place in ``KINDS``.
        kinds_from: (t,) whether names told the kinds, or topology had to.
        segment: Segments of the capture in this order, each section's from the root outwards.
        first_segment: (n + 1,) where the segments of each section start among these.
        segment_place: Place within its section, from the root outwards, of each of the capture's.
        points_um: (p, 4) 3-D points in this order, at the decimals that they were written with.
        first_point: (n + 1,) where the points of each section start.
    """

    row: Integers
    place: Integers
    tree: Integers
    first: Integers
    root: Integers
    parent: Integers
    local_parent: Integers
    fraction: Floats
    flipped: Flags
    kind: Integers
    kinds_from: tuple[str, ...]
    segment: Integers
    first_segment: Integers
    segment_place: Integers
    points_um: Floats
    first_point: Integers

    def __len__(self) -> int:
        return len(self.first) - 1


def plant(capture: Capture) -> Forest:
    """Finds the trees of a run."""
    sections = capture.sections
    n = len(sections)
    root = roots(sections.parent)
    roots_, tree = np.unique(root, return_inverse=True)
    tree = tree.reshape(-1).astype(np.int64)
    row = np.argsort(tree, kind="stable")
    place = np.empty(n, np.int64)
    place[row] = np.arange(n)
    first = np.searchsorted(tree[row], np.arange(len(roots_) + 1))
    is_root = sections.parent < 0
    parent = np.where(is_root, -1, place[sections.parent])[row]
    flipped = ((sections.child_end == 1) & ~is_root)[row]
    turned = np.append(flipped, False)[parent]
    x = sections.parent_x[row]
    fraction = np.where(parent < 0, 0.0, np.where(turned, 1 - x, x))
    kind, kinds_from = _kinds(sections, parent, row, tree[row], first)
    segment, first_segment = _runs(sections.first_segment, row, flipped)
    segment_place = np.empty(len(segment), np.int64)
    segment_place[segment] = np.arange(len(segment)) - np.repeat(
        first_segment[:-1], np.diff(first_segment)
    )
    point, first_point = _runs(sections.first_point, row, flipped)
    return Forest(
        row, place, tree[row], first, place[roots_], parent,
        np.where(parent < 0, -1, parent - first[:-1][tree[row]]),
        nine_digits(fraction), flipped, kind, kinds_from, segment, first_segment, segment_place,
        as_written(capture.points_um)[point], first_point,
    )  # fmt: skip


def roots(parent: Integers) -> Integers:
    """Row of the root above each row, following all parents at once."""
    above = np.where(parent < 0, np.arange(len(parent)), parent)
    while True:
        further = above[above]
        if np.array_equal(further, above):
            return above
        above = further


def _runs(first: Integers, row: Integers, flipped: Flags) -> tuple[Integers, Integers]:
    """Rows of runs in another order of the runs, some of them backwards, and their new starts."""
    sizes = np.diff(first)[row]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    within = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    turned = np.repeat(flipped, sizes)
    within = np.where(turned, np.repeat(sizes, sizes) - 1 - within, within)
    return np.repeat(first[:-1][row], sizes) + within, starts.astype(np.int64)


def local_names(names: Array) -> list[str]:
    """Names of sections without the object that owns them: ``dend[2]`` of ``Pyr[3].dend[2]``."""
    return [str(name).rpartition(".")[2] for name in names.tolist()]


def _kinds(
    sections: Sections, parent: Integers, row: Integers, tree: Integers, first: Integers
) -> tuple[Integers, tuple[str, ...]]:
    """Kinds by name; what no name tells, by topology as for other morphologies."""
    names = local_names(sections.name)
    code_of = {name: _code(name) for name in {_base(name) for name in names}}
    named = np.array([code_of[_base(name)] for name in names], np.int64)[row]
    n = len(named)
    unknown = named == _UNKNOWN
    has_soma = np.bincount(tree[named == 0], minlength=len(first) - 1) > 0
    kind = np.where(unknown & (parent < 0), np.where(has_soma[tree], 1, 0), named)
    above = np.where((kind == _UNKNOWN) & (parent >= 0), parent, np.arange(n))
    nearest = kind[roots(np.where(above == np.arange(n), -1, above))]
    kind = np.where(kind == _UNKNOWN, np.where(nearest == 0, 1, nearest), kind)
    by_topology = np.bincount(tree[unknown], minlength=len(first) - 1) > 0
    return kind, tuple("topology" if t else "names" for t in by_topology.tolist())


def _base(name: str) -> str:
    return name.partition("[")[0].rstrip("0123456789")


def _code(name: str) -> int:
    lower = name.lower()
    kind = kind_of_name(lower)
    if kind is None:
        kind = next((kind for word, kind in _MORE_WORDS if word in lower), None)
    return _UNKNOWN if kind is None else KINDS.index(kind)
