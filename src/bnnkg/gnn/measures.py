"""What trained networks say of a graph: numbers for each row, edge and edge between neurons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bnnkg.gnn.ends import Ends
from bnnkg.gnn.explanation import Explained, SiteAttention
from bnnkg.gnn.metrics import Floats, Ints
from bnnkg.gnn.sites import SiteName, Sites
from bnnkg.gnn.tensors import Batch

_ON_EDGES: tuple[SiteName, ...] = ("low", "up", "down", "back", "forward", "backward")
_ALONE: tuple[SiteName, ...] = ("low", "up", "down", "forward", "backward")
"""Sites of which an edge also has the attention alone."""
_SIDES = (
    ("attention_forward", "arrival"), ("attention_backward", "departure"),
    ("attention_forward_lift", "arrival"), ("attention_backward_lift", "departure"),
)  # fmt: skip
Measures = Mapping[str, Floats]
"""By the name of the learned property, [seeds, n]; not a number where there is none."""


@dataclass(frozen=True)
class Measured:
    """What the networks of a run, one for each seed, say of one graph.

    Attributes:
        rows: Of its N rows.
        edges: Of its E edges.
        synapses: Of its U edges between neurons, each of which stands for a synapse in one
            direction.
        n_sources: [U] how many sources the receiver of each chose between.
    """

    rows: Measures
    edges: Measures
    synapses: Measures
    n_sources: Ints


def measure(batch: Batch, sites: Sites, explained: Iterable[Explained]) -> Measured:
    """Puts the attention of all sites on the rows and edges that it is about.

    Args:
        batch: One graph.
        sites: Its attention sites.
        explained: What each seed's network saw in it; one is held at a time.
    """
    ends = Ends.of(batch)
    n_edges, n_synapses = batch.edge_index.shape[1], batch.up_index.shape[1]
    on_edges = {n: Positions.of(ends.edges_of(getattr(sites, n)), n_edges) for n in _ON_EDGES}
    on_synapses = {
        n: Positions.of(getattr(sites, n).edge.numpy(), n_synapses) for n in ("up", "down")
    }
    rows, edges, synapses = list[dict[str, Floats]](), list[dict[str, Floats]](), []
    for one in explained:
        rows.append(_of_rows(batch, one))
        edges.append(_of_edges(one, on_edges))
        synapses.append(_of_synapses(batch, one, on_synapses) | _of_sides(edges[-1], ends))
        del one  # before the next is made
    n_sources = np.bincount(sites.up.dst.numpy())[batch.up_index[1].numpy()]
    return Measured(_by_name(rows), _by_name(edges), _by_name(synapses), n_sources)


def _by_name(seeds: Sequence[dict[str, Floats]]) -> Measures:
    """[seeds, n] of each measure, taken from the seeds so that one is held twice at most."""
    return {name: np.stack([seed.pop(name) for seed in seeds]) for name in list(seeds[0])}


@dataclass(frozen=True)
class Positions:
    """Which positions of a site stand for which edges; several may stand for one.

    Attributes:
        chosen: [K] positions that stand for any.
        edge: [K] the edge that each stands for.
        count: [E] how many stand for each edge; not a number where none does.
    """

    chosen: Ints
    edge: Ints
    count: Floats

    @classmethod
    def of(cls, edge: Ints, n_edges: int) -> Positions:
        """From [P] the edge of each position, -1 for none."""
        chosen = np.flatnonzero(edge >= 0)
        count = np.bincount(edge[chosen], minlength=n_edges)
        return cls(chosen, edge[chosen], np.where(count > 0, count, np.nan))

    def means(self, values: Floats) -> Floats:
        """[E] mean of the positions' values [P]; not a number where an edge has no position."""
        sums = np.bincount(self.edge, weights=values[self.chosen], minlength=len(self.count))
        return np.asarray(sums / self.count)


def _of_rows(batch: Batch, one: Explained) -> dict[str, Floats]:
    """[N] share of the token and its lift, mean lift from the rows that each feeds, score."""
    token = one.sites["cls"]
    share, lift = np.full((2, len(batch.kind)), np.nan)
    share[token.site.src.numpy()] = token.alpha
    lift[token.site.src.numpy()] = token.lift
    return {
        "cls_attention": share,
        "cls_lift": lift,
        "received_lift": _received(batch, one),
        "attention_score": one.rows,
    }


def _received(batch: Batch, one: Explained) -> Floats:
    n_rows = len(batch.kind)
    total, count = np.zeros(n_rows), np.zeros(n_rows)
    for site in (one.sites["forward"], one.sites["up"]):
        fed = (site.site.arc != 0).numpy()
        src = site.site.src.numpy()[fed]
        total += np.bincount(src, weights=site.lift[fed], minlength=n_rows)
        count += np.bincount(src, minlength=n_rows)
    count[count == 0] = np.nan
    return total / count


def _of_edges(one: Explained, positions: Mapping[SiteName, Positions]) -> dict[str, Floats]:
    """[E] attention, lift and score, mean over sites, and the attention and lift of some alone."""

    def by_site(value: Callable[[SiteAttention], Floats]) -> dict[SiteName, Floats]:
        return {name: at.means(value(one.sites[name])) for name, at in positions.items()}

    alpha, lift = by_site(lambda site: site.alpha), by_site(lambda site: site.lift)
    return {
        "attention": _mean_known(alpha.values()),
        "attention_lift": _mean_known(lift.values()),
        "attention_score": _mean_known(by_site(lambda site: site.score).values()),
        **{f"attention_{name}": alpha[name] for name in _ALONE},
        "attention_forward_lift": lift["forward"],
        "attention_backward_lift": lift["backward"],
    }


def _mean_known(parts: Collection[Floats]) -> Floats:
    """[n] mean of those of some values [n] that are known; not a number where none is."""
    total, count = np.zeros((2, len(next(iter(parts)))))
    for values in parts:
        known = np.isfinite(values)
        np.add(total, values, out=total, where=known)
        count += known
    count[count == 0] = np.nan
    return np.asarray(total / count)


def _of_synapses(
    batch: Batch, one: Explained, positions: Mapping[str, Positions]
) -> dict[str, Floats]:
    """[U] attention and lift of each edge between neurons, and the score of its synapse."""
    up, down = one.sites["up"], one.sites["down"]
    return {
        "attention_lift": positions["up"].means(up.lift),
        "attention_score": one.rows[batch.up_synapse.numpy()],
        "attention_up": positions["up"].means(up.alpha),
        "attention_down": positions["down"].means(down.alpha),
    }


def _of_sides(edges: Measures, ends: Ends) -> dict[str, Floats]:
    """[U] forward where the synapse arrives, backward where it departs, and their lifts."""
    return {name: np.append(edges[name], np.nan)[getattr(ends, side)] for name, side in _SIDES}
