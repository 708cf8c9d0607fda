"""From the attention of a trained run to learned properties of the stored graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnnkg.errors import ModelChangedError
from bnnkg.gnn.batching import UP, collate
from bnnkg.gnn.checkpoints import load_checkpoint
from bnnkg.gnn.contenders import BGAN
from bnnkg.gnn.explanation import Explained, SiteAttention, explain
from bnnkg.gnn.features import places
from bnnkg.gnn.fitting import make_learner
from bnnkg.gnn.metrics import Floats, Ints
from bnnkg.gnn.objectives import Learner
from bnnkg.gnn.readings import Score
from bnnkg.gnn.scaling import Scaling
from bnnkg.gnn.significance import degree_matched_p, seed_p
from bnnkg.gnn.sites import SiteName, build_sites
from bnnkg.gnn.targets import forbid, target_named
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.gnn.training import TrainingConfig, config_from_json, deterministic
from bnnkg.progress import Progress, silent
from bnnkg.schema.computation import COMPARTMENT_KINDS, KINDS, PLACE, Kind
from bnnkg.schema.learned import LEARNED_ON_EDGES, LEARNED_ON_NODES
from bnnkg.schema.records import EdgeTable, NodeTable
from bnnkg.schema.scores import AttentionScores

ATTENDS_TO_SHARE = 0.05
"""Share of the connected (attending, attended) pairs of neurons that get an ``ATTENDS_TO``."""
_SHARED = ("CHILD_OF", "HAS_COMPARTMENT", "HAS_MECHANISM", "Compartment", "Mechanism")
_LABEL: dict[Kind, str] = {
    "neuron": "Neuron", "soma": "Compartment", "dendrite": "Compartment", "axon": "Compartment",
    "synapse": "Synapse", "mechanism": "Mechanism",
}  # fmt: skip
_NODE = ("cls_attention", "cls_lift", "received_lift", "attention_score")
_EDGE = (
    "attention", "attention_lift", "attention_score", "attention_low", "attention_up",
    "attention_down", "attention_forward", "attention_backward", "attention_forward_lift",
    "attention_backward_lift", "attention_p_degree", "attention_p_seeds",
)  # fmt: skip
_TESTED = ("attention_p_degree", "attention_p_seeds")
_ON_EDGES: tuple[SiteName, ...] = ("low", "up", "down", "back", "forward", "backward")
EdgeKey = tuple[str, str, str]
"""uid of the source, of the target, and the edge's own (empty where its type has none)."""


@dataclass(frozen=True)
class TrainedRun:
    """The networks of a run.

    Attributes:
        config: Its configuration.
        seeds: The seeds, and
        learners: their networks.
        scores: Per seed, what is written as ``attention_score``: one method, and what each head
            counts for in it.
        scaling: Fitted on its training models.
        model_uids: The models that it was trained and tested on.
        contacts_withheld: Whether it saw no numbers of contacts.
    """

    config: TrainingConfig
    seeds: tuple[int, ...]
    learners: tuple[Learner, ...]
    scores: tuple[Score, ...]
    scaling: Scaling
    model_uids: tuple[str, ...]
    contacts_withheld: bool

    @property
    def score_method(self) -> str:
        """What is written as ``attention_score``."""
        return self.scores[0].method


def load_run(checkpoint: Path) -> TrainedRun:
    """Reads the networks of a finished run.

    Raises:
        TrainingError: There is no such checkpoint, it is damaged, or the run is not finished.
    """
    content = load_checkpoint(checkpoint)
    config = config_from_json(content["run"]["config"])
    seeds = tuple(range(config.seed, config.seed + config.seeds))
    learners = []
    for seed in seeds:
        with deterministic(config.threads):
            learner = make_learner(BGAN, config, content["run"]["widths"], seed)
        learner.load_state_dict(content["finished"][f"{BGAN}/{seed}"]["best"])
        learners.append(learner.eval())
    chosen = content["score"]
    return TrainedRun(
        config,
        seeds,
        tuple(learners),
        tuple(Score(chosen["method"], chosen["weights"][str(seed)]) for seed in seeds),
        Scaling.from_json(content["run"]["scaling"]),
        tuple(content["run"]["models"]),
        content["run"]["contacts_withheld"],
    )


def attention_scores(
    run: TrainedRun, graphs: Sequence[GraphTensors], *, progress: Progress = silent
) -> AttentionScores:
    """Attention on whole graphs, as properties of what is stored.

    Nothing is hidden but what the run never saw (numbers of contacts, what a target forbids).
    ``attention`` of an edge is the mean of the sites that it takes part in: ``low``, ``back``,
    ``forward``, ``backward``; for ``TARGETS`` also that of ``up``, and for ``SENDS`` that of
    ``down``, which passes this synapse. Of
    ``CONNECTS_TO`` it is that of ``up``, summed over the pair's synapses. ``attention_lift`` is the
    mean of the same sites' lifts; likewise ``attention_score``, but that of ``CONNECTS_TO`` and
    ``ATTENDS_TO`` is the mean score of the pair's synapses. Every value is a mean over seeds, with
    ``_sd`` its spread. What instances share gets the mean over the instances of these graphs.

    Args:
        run: Trained networks.
        graphs: The run's models, built as for training.
        progress: Told of every graph.

    Raises:
        ModelChangedError: A graph is not one of the run's, or was built with other inputs.
    """
    _check(run, graphs)
    tables = _Tables(len(run.seeds))
    with deterministic(run.config.threads):
        for number, tensors in enumerate(graphs):
            progress("explaining", number, len(graphs), tensors.model_key)
            _add_graph(run, tensors, tables)
    progress("explaining", len(graphs), len(graphs))
    return AttentionScores(
        tuple(tables.nodes()), tuple(tables.edges()), tuple(g.model_uid for g in graphs)
    )


def _check(run: TrainedRun, graphs: Sequence[GraphTensors]) -> None:
    unknown = [g.model_uid for g in graphs if g.model_uid not in run.model_uids]
    if unknown:
        raise ModelChangedError(
            "the run was not trained on this version of the model",
            where=", ".join(unknown),
            expected=", ".join(run.model_uids),
            hint="train again",
        )
    other = [g.model_uid for g in graphs if g.hidden.contacts != run.contacts_withheld]
    if other:
        raise ModelChangedError(
            "the tensors hold other inputs than the run saw",
            where=", ".join(other),
            expected=f"numbers of contacts withheld: {run.contacts_withheld}",
        )


class _Tables:
    """Collects values of seeds by stored record; several instances of one are kept apart."""

    def __init__(self, n_seeds: int) -> None:
        self.n_seeds = n_seeds
        self.node_rows: dict[str, dict[str, list[Floats]]] = {}
        self.edge_rows: dict[tuple[str, str, str], dict[EdgeKey, list[Floats]]] = {}
        self.arrays: dict[EdgeKey, tuple[list[float], list[float]]] = {}
        self.attends: dict[tuple[str, str], Floats] = {}

    def nodes(self) -> Iterator[NodeTable]:
        """A table for each label."""
        for label, rows in self.node_rows.items():
            uids = sorted(rows)
            columns = _summarise([rows[uid] for uid in uids], _NODE, "cls_lift", label)
            allowed = {p.name for p in LEARNED_ON_NODES[label]}
            yield NodeTable(label, {"uid": uids, **_only(columns, allowed)})

    def edges(self) -> Iterator[EdgeTable]:
        """A table for each type and pair of labels."""
        for (type_, src_label, dst_label), rows in self.edge_rows.items():
            keys = sorted(rows)
            columns = _summarise([rows[key] for key in keys], _EDGE, "attention_lift", type_)
            allowed = {p.name for p in LEARNED_ON_EDGES[type_]}
            kept = _only(columns, allowed)
            if any(key[2] for key in keys):
                kept["uid"] = [key[2] for key in keys]
            yield EdgeTable(
                type_, src_label, dst_label, [k[0] for k in keys], [k[1] for k in keys], kept
            )
        if self.arrays:
            keys = sorted(self.arrays)
            names = ("compartment_cls_lift", "compartment_received_lift")
            arrays = {n: [self.arrays[key][i] for key in keys] for i, n in enumerate(names)}
            yield EdgeTable(
                "INSTANCE_OF", "Neuron", "Cell", [k[0] for k in keys], [k[1] for k in keys], arrays
            )
        yield from self._attends_to()

    def _attends_to(self) -> Iterator[EdgeTable]:
        if not self.attends:
            return
        lift = _EDGE.index("attention_lift")
        ranked = sorted(self.attends, key=lambda k: (-float(self.attends[k][:, lift].mean()), k))
        keys = sorted(ranked[: max(1, round(ATTENDS_TO_SHARE * len(ranked)))])
        values = [[self.attends[key]] for key in keys]
        columns = _summarise(values, _EDGE, "attention_lift", "ATTENDS_TO")
        allowed = {p.name for p in LEARNED_ON_EDGES["ATTENDS_TO"]}
        yield EdgeTable(
            "ATTENDS_TO", "Neuron", "Neuron", [k[0] for k in keys], [k[1] for k in keys],
            _only(columns, allowed),
        )  # fmt: skip


def _summarise(
    rows: Sequence[Sequence[Floats]], names: Sequence[str], spread: str, what: str
) -> dict[str, list[Any]]:
    """Mean over instances, then mean and spread over seeds; absent where nothing is known.

    Args:
        rows: Per record, its instances [seeds, measures].
        names: The measures.
        spread: The measure whose standard deviation over instances is kept.
        what: Label or type.
    """
    sizes = np.array([len(instances) for instances in rows])
    owner = np.repeat(np.arange(len(rows)), sizes)
    values = np.stack([one for instances in rows for one in instances])
    known = np.isfinite(values)
    total, count = (np.zeros((len(rows), *values.shape[1:])) for _ in range(2))
    np.add.at(total, owner, np.where(known, values, 0.0))
    np.add.at(count, owner, known)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
    columns: dict[str, list[Any]] = {}
    for place, name in enumerate(names):
        columns[name] = _present(mean[:, :, place].mean(axis=1))
        if values.shape[1] > 1:
            columns[f"{name}_sd"] = _present(mean[:, :, place].std(axis=1, ddof=1))
    if what in _SHARED:
        over_seeds = values[:, :, list(names).index(spread)].mean(axis=1)
        parts = np.split(over_seeds, np.cumsum(sizes)[:-1])
        columns["attention_n"] = sizes.tolist()
        columns["attention_lift_spread"] = _present(np.array([np.std(part) for part in parts]))
    return columns


def _present(values: Floats) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]


def _only(columns: Mapping[str, list[Any]], allowed: set[str]) -> dict[str, list[Any]]:
    """Declared columns in which anything is known."""
    return {
        name: column
        for name, column in columns.items()
        if name in allowed and any(value is not None for value in column)
    }


def _add_graph(run: TrainedRun, tensors: GraphTensors, tables: _Tables) -> None:
    batch = collate([tensors], run.scaling)
    target = target_named(run.config.target) if run.config.target else None
    if target is not None:
        batch = forbid(batch, target)
    network = run.config.network
    sites = build_sites(batch, heads=network.heads, hops=network.hops)
    explained = [
        explain(learner, batch, sites, score, target)
        for learner, score in zip(run.learners, run.scores, strict=True)
    ]
    nodes = np.stack([_node_values(batch, one) for one in explained])
    _add_nodes(tensors, nodes, tables)
    ends = _Ends.of(batch)
    edges = np.stack([_edge_values(batch, one.sites, ends) for one in explained])
    cells = _add_edges(tensors, batch, edges, tables)
    _add_arrays(tensors, batch, nodes, cells, tables)
    _add_connections(tensors, batch, explained, edges, ends, tables)


def _node_values(batch: Batch, explained: Explained) -> Floats:
    """[N, 4] share of [CLS], its lift, mean lift received from the rows that it feeds, score."""
    n_rows = len(batch.kind)
    token = explained.sites["cls"]
    values = np.full((n_rows, len(_NODE)), np.nan)
    values[token.site.src.numpy(), 0] = token.alpha
    values[token.site.src.numpy(), 1] = token.lift
    total, count = np.zeros(n_rows), np.zeros(n_rows)
    for one in (explained.sites["forward"], explained.sites["up"]):
        fed = (one.site.arc != 0).numpy()
        src = one.site.src.numpy()[fed]
        total += np.bincount(src, weights=one.lift[fed], minlength=n_rows)
        count += np.bincount(src, minlength=n_rows)
    values[count > 0, 2] = total[count > 0] / count[count > 0]
    values[:, 3] = explained.rows
    return values


def _add_nodes(tensors: GraphTensors, values: Floats, tables: _Tables) -> None:
    row = 0
    for kind in KINDS:
        into = tables.node_rows.setdefault(_LABEL[kind], {})
        for neuron, definition in tensors.keys[kind]:
            into.setdefault(definition or neuron, []).append(values[:, row])
            row += 1
        if not into:
            del tables.node_rows[_LABEL[kind]]


@dataclass(frozen=True)
class _Ends:
    """Where the sites that have no edge of the batch of their own are written.

    Attributes:
        back: [P of back] the edge that joins a component to its neuron; -1 elsewhere.
        up: [U] the edge from the synapse to the neuron that receives, and in ``up`` attends.
        down: [U] the edge to the synapse from the neuron that sends, and in ``down`` attends.
        arrival: [U] the flow edge by which the synapse reaches that neuron or its section.
        departure: [U] the flow edge by which the attended neuron reaches the synapse.
    """

    back: dict[int, int]
    up: Ints
    down: Ints
    arrival: Ints
    departure: Ints

    @classmethod
    def of(cls, batch: Batch) -> _Ends:
        relation, flow = batch.relation, batch.flow
        src, dst = batch.edge_index
        at_synapse = (
            [PLACE[n] for n in ("sends", "leaves")],
            [PLACE[n] for n in ("targets", "arrives")],
        )
        leaving, reaching = (torch.isin(relation, torch.tensor(r)) for r in at_synapse)
        owner = batch.neuron_of
        pre, post = batch.up_index
        synapse = batch.up_synapse
        n = len(batch.kind)
        return cls(
            _own_edges(batch),
            _find(relation == PLACE["targets"], src * n + dst, synapse * n + post),
            _find(relation == PLACE["sends"], dst * n + src, synapse * n + pre),
            _find(flow & reaching, src * n + owner[dst], synapse * n + post),
            _find(flow & leaving, dst * n + owner[src], synapse * n + pre),
        )


def _own_edges(batch: Batch) -> dict[int, int]:
    """Edge that joins each component (row) to its own neuron."""
    src, dst = batch.edge_index
    part_of = (batch.relation == PLACE["part_of"]).nonzero().flatten()
    sends = (batch.relation == PLACE["sends"]) & (batch.neuron_of[dst] == src)
    sends_at = sends.nonzero().flatten()
    pairs = [*zip(dst[sends_at].tolist(), sends_at.tolist(), strict=True),
             *zip(src[part_of].tolist(), part_of.tolist(), strict=True)]  # fmt: skip
    return dict(reversed(pairs))


def _find(chosen: Tensor, codes: Tensor, wanted: Tensor) -> Ints:
    """First chosen edge with each wanted code; -1 where there is none."""
    at = chosen.nonzero().flatten().numpy()
    if not len(at):
        return np.full(len(wanted), -1)
    own, target = codes.numpy()[at], wanted.numpy()
    order = np.argsort(own, kind="stable")
    place = np.minimum(np.searchsorted(own[order], target), len(own) - 1)
    found: Ints = np.where(own[order][place] == target, at[order][place], -1)
    return found


def _edge_values(batch: Batch, attention: Mapping[SiteName, SiteAttention], ends: _Ends) -> Floats:
    """[E, 12] values of the batch's edges, not a number where a site has none."""
    n_edges = batch.edge_index.shape[1]
    own = {
        name: _by_edge(attention[name], _positions(attention[name], ends), n_edges)
        for name in _ON_EDGES
    }
    stacked = np.stack([own[name] for name in _ON_EDGES])
    known = np.isfinite(stacked)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, stacked, 0.0).sum(axis=0) / known.sum(axis=0)
    parts = [own[name][:, 0] for name in ("low", "up", "down", "forward", "backward")]
    lifts = [own[name][:, 1] for name in ("forward", "backward")]
    tested = np.full((n_edges, len(_TESTED)), np.nan)
    return np.concatenate([mean, np.stack([*parts, *lifts], axis=1), tested], axis=1)


def _positions(one: SiteAttention, ends: _Ends) -> Ints:
    """[P] edge of the batch that each position is written on; -1 for none."""
    if one.site.name == "back":
        rows, real = one.site.dst.tolist(), (one.site.arc != 0).tolist()
        return np.array(
            [ends.back.get(r, -1) if is_own else -1 for r, is_own in zip(rows, real, strict=True)],
            dtype=np.int64,
        )
    edge = one.site.edge.numpy()
    if one.site.name in ("up", "down"):
        at = ends.up if one.site.name == "up" else ends.down
        found: Ints = np.where(edge >= 0, np.append(at, -1)[edge], -1)
        return found
    return edge


def _by_edge(one: SiteAttention, positions: Ints, n_edges: int) -> Floats:
    """[E, 3] mean alpha, lift and score of the positions that stand for each edge."""
    real = positions >= 0
    at = positions[real]
    count = np.bincount(at, minlength=n_edges)
    sums = [
        np.bincount(at, weights=values[real], minlength=n_edges)
        for values in (one.alpha, one.lift, one.score)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(sums, axis=1) / count[:, None]


def _add_edges(
    tensors: GraphTensors, batch: Batch, values: Floats, tables: _Tables
) -> dict[str, str]:
    """Adds what stands for stored edges; returns the Cell of each neuron (uid)."""
    cells: dict[str, str] = {}
    types, rows, dst = batch.edge_type.numpy(), batch.edge_row.numpy(), batch.edge_index[1].tolist()
    for number in np.unique(types):
        triple = batch.edge_types[number]
        origin = tensors.origins[triple]
        if not origin.stored:
            continue
        into = tables.edge_rows.setdefault((origin.stored, origin.src_label, origin.dst_label), {})
        for edge in np.flatnonzero(types == number).tolist():
            row = int(rows[edge])
            uid = origin.uid[row] if origin.uid is not None else ""
            key = (origin.src_uid[row], origin.dst_uid[row], uid)
            if np.isfinite(values[:, edge]).any():
                into.setdefault(key, []).append(values[:, edge])
            if origin.stored == "HAS_COMPARTMENT":
                cells[tensors.keys["neuron"][dst[edge]][0]] = origin.src_uid[row]
        if not into:
            del tables.edge_rows[origin.stored, origin.src_label, origin.dst_label]
    return cells


def _add_arrays(
    tensors: GraphTensors, batch: Batch, nodes: Floats, cells: Mapping[str, str], tables: _Tables
) -> None:
    """Each neuron's own sections, in the order of their index in the cell."""
    own: dict[str, list[tuple[float, float, float]]] = {}
    mean = nodes.mean(axis=0)
    for kind in COMPARTMENT_KINDS:
        first, place = batch.first_row(kind), places(kind)["relative_index"]
        index = tensors.data[kind].x[:, place].tolist()
        for row, (neuron, _) in enumerate(tensors.keys[kind]):
            share, received = mean[first + row, 1], mean[first + row, 2]
            own.setdefault(neuron, []).append((index[row], float(share), float(received)))
    for neuron, sections in own.items():
        ordered = sorted(sections)
        tables.arrays[neuron, cells[neuron], ""] = (
            [share for _, share, _ in ordered],
            [received if np.isfinite(received) else 0.0 for _, _, received in ordered],
        )


def _add_connections(
    tensors: GraphTensors, batch: Batch, explained: Sequence[Explained],
    edges: Floats, ends: _Ends, tables: _Tables,
) -> None:  # fmt: skip
    """CONNECTS_TO and ATTENDS_TO: sums of alpha, means of lift and score over their synapses."""
    if not batch.up_index.shape[1]:
        return
    assert batch.up_row is not None
    values = np.stack([_up_values(batch, one) for one in explained])
    sides = _side_values(edges, ends)
    origin = tensors.origins[UP]
    stored = [
        (origin.src_uid[r], origin.dst_uid[r], origin.uid[r] if origin.uid is not None else "")
        for r in batch.up_row.tolist()
    ]
    uids = [neuron for neuron, _ in tensors.keys["neuron"]]
    ends_of = [(uids[q], uids[p]) for p, q in batch.up_index.T.tolist()]
    into = tables.edge_rows.setdefault(("CONNECTS_TO", "Neuron", "Neuron"), {})
    competed = np.bincount(explained[0].sites["up"].site.dst.numpy())[batch.up_index[1].numpy()]
    connections = _groups(list(zip(stored, ends_of, strict=True)))
    folded = _fold_all(values, sides, list(connections.values()), competed)
    for (key, _), fold in zip(connections, folded, strict=True):
        into.setdefault(key, []).append(fold)
    pairs = _groups(ends_of)
    folded = _fold_all(values, sides, list(pairs.values()), competed)
    tables.attends.update(zip(pairs, folded, strict=True))


def _up_values(batch: Batch, explained: Explained) -> Floats:
    """[U, 4] alpha and lift of each edge between neurons, score of its synapse, alpha of down."""
    up, down = (
        _by_edge(one, one.site.edge.numpy(), batch.up_index.shape[1])
        for one in (explained.sites["up"], explained.sites["down"])
    )
    score = explained.rows[batch.up_synapse.numpy()]
    return np.column_stack([up[:, :2], score, down[:, 0]])


def _side_values(edges: Floats, ends: _Ends) -> Floats:
    """[seeds, U, 4] forward on arrival, backward on departure, and their lifts."""
    columns = []
    for name, at in (
        ("attention_forward", ends.arrival), ("attention_backward", ends.departure),
        ("attention_forward_lift", ends.arrival), ("attention_backward_lift", ends.departure),
    ):  # fmt: skip
        column = edges[:, :, _EDGE.index(name)]
        columns.append(np.where(at >= 0, column[:, np.maximum(at, 0)], np.nan))
    return np.stack(columns, axis=2)


def _groups(keys: Sequence[Any]) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = {}
    for row, key in enumerate(keys):
        found.setdefault(key, []).append(row)
    return found


def _fold_all(
    values: Floats, sides: Floats, groups: Sequence[Sequence[int]], competed: Ints
) -> list[Floats]:
    """Every group of synapses folded, and tested against the others.

    Args:
        values: [seeds, U, 4].
        sides: [seeds, U, 4].
        groups: Rows of the synapses of each connection.
        competed: [U] number of sources that the receiver of each chose between.
    """
    folded = [_fold(values, sides, rows) for rows in groups]
    lifts = np.stack([fold[:, _EDGE.index("attention_lift")] for fold in folded], axis=1)
    n_sources = competed[[rows[0] for rows in groups]]
    tested = (degree_matched_p(lifts.mean(axis=0), n_sources), seed_p(lifts))
    for place, fold in enumerate(folded):
        fold[:, -len(_TESTED) :] = [p[place] for p in tested]
    return folded


def _fold(values: Floats, sides: Floats, rows: Sequence[int]) -> Floats:
    """[seeds, 12] of the synapses of a pair: attention in sum, lift and score in mean."""
    own, side = values[:, rows], sides[:, rows]
    alpha, down = own[:, :, 0].sum(1), own[:, :, 3].sum(1)
    lift, score = own[:, :, 1].mean(1), own[:, :, 2].mean(1)
    nothing = np.full(len(values), np.nan)
    shares, lifts = side[:, :, :2].sum(1), side[:, :, 2:].mean(1)
    return np.column_stack(
        [alpha, lift, score, nothing, alpha, down, shares, lifts, nothing, nothing]
    )
