"""From the attention of a trained run to learned properties of the stored graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bnnkg.errors import ModelChangedError
from bnnkg.gnn.batching import collate
from bnnkg.gnn.checkpoints import load_checkpoint
from bnnkg.gnn.contenders import BGAN
from bnnkg.gnn.explanation import explain
from bnnkg.gnn.fitting import make_learner
from bnnkg.gnn.measures import Measured, measure
from bnnkg.gnn.objectives import Learner
from bnnkg.gnn.readings import Score
from bnnkg.gnn.scaling import Scaling
from bnnkg.gnn.score_tables import ScoreTables
from bnnkg.gnn.sites import build_sites
from bnnkg.gnn.targets import Target, forbid, target_named
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.gnn.training import TrainingConfig, config_from_json, deterministic
from bnnkg.progress import Progress, silent
from bnnkg.schema.scores import AttentionScores


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

    @property
    def target(self) -> Target | None:
        """What it was asked for, if that was a supervised target."""
        return target_named(self.config.target) if self.config.target else None


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
    ``down``, which passes this synapse. Of ``CONNECTS_TO`` it is that of ``up``, summed over the
    pair's synapses. ``attention_lift`` is the mean of the same sites' lifts; likewise
    ``attention_score``, but that of ``CONNECTS_TO`` and ``ATTENDS_TO`` is the mean score of the
    pair's synapses. Every value is a mean over seeds, with ``_sd`` its spread. What instances share
    gets the mean over the instances of these graphs.

    Args:
        run: Trained networks.
        graphs: The run's models, built as for training.
        progress: Told of every graph.

    Raises:
        ModelChangedError: A graph is not one of the run's, or was built with other inputs.
    """
    _check(run, graphs)
    tables = ScoreTables()
    with deterministic(run.config.threads):
        for number, tensors in enumerate(graphs):
            progress("explaining", number, len(graphs), tensors.model_key)
            batch = _visible(run, tensors)
            tables.add(tensors, batch, _measure(run, batch))
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


def _visible(run: TrainedRun, tensors: GraphTensors) -> Batch:
    """A whole graph without what the run's target forbids."""
    batch = collate([tensors], run.scaling)
    return batch if run.target is None else forbid(batch, run.target)


def _measure(run: TrainedRun, batch: Batch) -> Measured:
    network = run.config.network
    sites = build_sites(batch, heads=network.heads, hops=network.hops)
    explained = (
        explain(learner, batch, sites, score, run.target)
        for learner, score in zip(run.learners, run.scores, strict=True)
    )
    return measure(batch, sites, explained)
