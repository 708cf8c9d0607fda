"""Near copies among the mechanisms of a graph, found after models were loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Set

    from bnnkg.store import Store


def link_similar(store: Store, fresh: Set[str], progress: Progress = silent) -> int:
    """Joins mechanisms that came in to those, old and new, whose statements mostly agree.

    Args:
        store: The graph.
        fresh: Uids of the mechanisms that models brought.
        progress: Told of the edges written.

    Returns:
        How many pairs there are.
    """
    from bnnkg.ingest.neuron.similarity import similar_pairs

    found = store.statement_hashes()
    pairs = similar_pairs(found["uid"], found["statement_hashes"], set(fresh))
    store.write_similar(*pairs, progress=progress)
    return len(pairs[0])
