"""What the store says it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class LoadResult:
    """What became of a model that was to be loaded.

    Attributes:
        status: ``unchanged`` where this very version was there already, ``loaded`` where the key
            is new, ``replaced`` where another version had it.
        model_uid: uid of the Model.
        key: Its key.
        nodes: Nodes by label that the model has (a shared one counts, whoever wrote it first).
        edges: Edges by type that it has.
        replaced_shares_nothing: Whether the version that it replaced had no definition and no
            path in common with it, so that the key may have been used twice by mistake.
        stale_runs: Names of annotations whose means over instances lost the replaced version and
            were therefore taken away: annotate again to have them.
        replaced_tier: Tier of the version that it replaced: static (read) or executed (run).
    """

    status: Literal["unchanged", "loaded", "replaced"]
    model_uid: str
    key: str
    nodes: Mapping[str, int] = field(default_factory=dict)
    edges: Mapping[str, int] = field(default_factory=dict)
    replaced_shares_nothing: bool = False
    stale_runs: tuple[str, ...] = ()
    replaced_tier: str | None = None


@dataclass(frozen=True)
class RemoveResult:
    """What was removed, or would be.

    Attributes:
        keys: Keys of the models.
        nodes: Nodes by label that go, shared ones that nothing else defines among them.
        n_shared_kept: Shared nodes that other models define too, and that stay.
        stale_runs: Names of annotations that stay on other models, but whose means over
            instances lost these models and are taken away: annotate again to have them.
        dry_run: Whether nothing was done.
    """

    keys: tuple[str, ...]
    nodes: Mapping[str, int]
    n_shared_kept: int = 0
    stale_runs: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def n_nodes(self) -> int:
        """How many nodes go."""
        return sum(self.nodes.values())
