"""Gap junctions that a network lists from both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnnkg.ingest.parsed import Projection, SiteColumns


def mirror_images(
    projections: Sequence[Projection], pre: Sequence[np.ndarray], post: Sequence[np.ndarray]
) -> list[np.ndarray | None]:
    """For each projection of gap junctions: which of them are an earlier one turned round.

    That is one of the same network and types, between the same places of two neurons; each
    stands for one later one only.

    Args:
        projections: All projections of a model.
        pre: Rows among all neurons where they leave, an array for each projection.
        post: Likewise where they arrive.
    """
    found: list[np.ndarray | None] = [None] * len(projections)
    mine = [row for row, p in enumerate(projections) if p.kind == "electrical"]
    if not mine:
        return found
    ends = _places(
        [(projections[row].pre, pre[row]) for row in mine]
        + [(projections[row].post, post[row]) for row in mine]
    )
    a, b = np.split(ends, 2)
    about = _about([projections[row] for row in mine])
    apart = np.concatenate([pre[row] != post[row] for row in mine])
    mirrored = np.zeros(len(apart), bool)
    mirrored[apart] = _later_halves(a[apart], b[apart], about[apart])
    starts = np.cumsum([0, *(len(projections[row].places) for row in mine)])
    for k, row in enumerate(mine):
        found[row] = mirrored[starts[k] : starts[k + 1]]
    return found


def _places(sites: Sequence[tuple[SiteColumns, np.ndarray]]) -> np.ndarray:
    """A number for each place on a neuron: the neuron's row, its section, the segment there."""
    sections, segments = (
        2 + max((int(column.max()) for column in columns if len(column)), default=0)
        for columns in ([site.section for site, _ in sites], [site.segment for site, _ in sites])
    )
    return np.concatenate(
        [
            (neuron.astype(np.int64) * sections + site.section + 1) * segments + site.segment + 1
            for site, neuron in sites
        ]
    )


def _about(projections: Sequence[Projection]) -> np.ndarray:
    """A number for each network and set of synapse models."""
    known: dict[object, int] = {}
    parts = []
    for projection in projections:
        codes = [
            known.setdefault((projection.network, types), len(known)) for types in projection.types
        ]
        parts.append(np.array(codes, dtype=np.int64)[projection.type_of])
    return np.concatenate(parts)


def _later_halves(a: np.ndarray, b: np.ndarray, about: np.ndarray) -> np.ndarray:
    """Which rows join two places that an unmatched earlier row joins the other way.

    Among the rows of one unordered pair, in their order, those of either direction cancel: such a
    row is a later half where more rows before it went the other way than its own.
    """
    keys = np.stack([np.maximum(a, b), np.minimum(a, b), about])
    order = np.lexsort(keys)
    keys = keys[:, order]
    way = np.where(a < b, 1, -1)[order]
    new = np.ones(len(order), bool)
    new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    before = np.cumsum(way) - way
    before -= before[new][np.cumsum(new) - 1]
    later = np.zeros(len(order), bool)
    later[order] = way * before < 0
    return later
