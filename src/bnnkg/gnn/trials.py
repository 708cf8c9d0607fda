"""Graphs whose outcomes are known, a network that is to predict them, and its training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody knows it by

from bnnkg.gnn.batching import collate
from bnnkg.gnn.bgan import Bgan, BganConfig, Rows
from bnnkg.gnn.metrics import auroc
from bnnkg.gnn.objectives import LabelDecoder
from bnnkg.gnn.scaling import Scaling
from bnnkg.gnn.sites import Sites, build_sites
from bnnkg.gnn.tensors import Batch, GraphTensors
from bnnkg.schema.computation import KINDS, Kind

EPOCHS = 90
"""A rule that takes two sites to read stays at the loss of a guess for ten to forty of them."""
PATIENCE = 45
"""Epochs without a lower loss on validation after which training ends."""
LEARNED = 0.01
"""Loss on validation below which training ends: there is nothing left to learn."""
LEARNING_RATE = 3e-3
GRAPH_LEARNING_RATE = 1e-3
"""Where only the token is asked: at 3e-3 BA-2Motifs fell back to a guess, and stayed there."""
WARM_UP_STEPS = 20
NETWORK = BganConfig(width=32, heads=4, blocks=2)


@dataclass(frozen=True)
class Trial:
    """Graphs side by side, with the outcome of each subject and what decided it.

    P subjects, C candidates: nodes that could have decided.

    Attributes:
        batch: The graphs.
        sites: Their attention sites.
        of_graphs: Whether subjects are whole graphs, and not neurons.
        subjects: [P] numbers of graphs, or rows of neurons.
        outcomes: [P] 0 or 1.
        candidates: [C] rows of the batch.
        drivers: [C] whether the candidate decided.
    """

    batch: Batch
    sites: Sites
    of_graphs: bool
    subjects: Tensor
    outcomes: Tensor
    candidates: Tensor
    drivers: Tensor

    def shuffled(self, generator: torch.Generator) -> Trial:
        """The same with outcomes exchanged between subjects: nothing is left to learn."""
        order = torch.randperm(len(self.outcomes), generator=generator)
        return replace(self, outcomes=self.outcomes[order])


NodeKey = tuple[str, str]
"""uids of a Neuron and of its Compartment or Mechanism; of a Synapse, nothing and its own."""


@dataclass(frozen=True)
class KnownOutcome:
    """An outcome and what decided it, by the uids of the graph.

    Attributes:
        subject: uid of a Neuron, or of a Network.
        outcome: 0 or 1.
        candidates: What could have decided it.
        drivers: Those that did.
    """

    subject: str
    outcome: int
    candidates: tuple[NodeKey, ...]
    drivers: tuple[NodeKey, ...]


def make_trial(tensors: GraphTensors, known: Sequence[KnownOutcome], scaling: Scaling) -> Trial:
    """A model as a trial: each of its networks is a graph with a token of its own.

    Args:
        tensors: The model.
        known: Outcomes of its neurons, or of its networks.
        scaling: Fitted on the models that are trained on.
    """
    whole = collate([tensors], scaling)
    networks = [uid.rsplit("/", 2)[0] for uid, _ in tensors.keys["neuron"]]
    place = {uid: number for number, uid in enumerate(sorted(set(networks)))}
    own = torch.tensor([place[uid] for uid in networks])
    batch = replace(whole, graph=own[whole.neuron_of], n_graphs=len(place))
    row_of = _rows_by_key(tensors, batch)
    neuron = {uid: row for row, (uid, _) in enumerate(tensors.keys["neuron"])}
    of_graphs = known[0].subject in place
    subject = place if of_graphs else neuron
    pairs = [(row_of[key], key in one.drivers) for one in known for key in one.candidates]
    return Trial(
        batch,
        build_sites(batch, heads=NETWORK.heads, hops=NETWORK.hops),
        of_graphs,
        torch.tensor([subject[one.subject] for one in known]),
        torch.tensor([float(one.outcome) for one in known]),
        torch.tensor([row for row, _ in pairs]),
        torch.tensor([is_driver for _, is_driver in pairs]),
    )


def _rows_by_key(tensors: GraphTensors, batch: Batch) -> dict[NodeKey, int]:
    return {
        ("" if kind == "synapse" else neuron, uid): batch.first_row(kind) + row
        for kind in KINDS
        for row, (neuron, uid) in enumerate(tensors.keys[kind])
    }


class Predictor(nn.Module):
    """BGAN with a decoder for neurons or for graphs.

    The decoder of a graph, ``w . gelu(A h_cls + a) + b``, sees its token alone.

    Args:
        config: Shape of BGAN.
        widths: Number of features of each kind.
        of_graphs: Whether it is asked for graphs.
    """

    def __init__(self, config: BganConfig, widths: Mapping[Kind, int], *, of_graphs: bool) -> None:
        super().__init__()
        self.encoder = Bgan(config, widths)
        self.decoder = (
            nn.Sequential(
                nn.Linear(config.width, config.width), nn.GELU(), nn.Linear(config.width, 1)
            )
            if of_graphs
            else LabelDecoder(config.width)
        )

    def forward(self, trial: Trial, *, explain: bool = False) -> tuple[Tensor, Rows]:
        """[P] logits of outcome 1, and the rows that they were read from."""
        rows = self.encoder(trial.batch, trial.sites, explain=explain)
        if trial.of_graphs:
            logits = self.decoder(rows.graphs.index_select(0, trial.subjects)).squeeze(-1)
        else:
            logits = self.decoder(rows, trial.subjects, trial.batch.graph)
        return logits, rows


def new_predictor(trial: Trial, seed: int) -> Predictor:
    """A predictor for trials like this one, as it is before the first step."""
    torch.manual_seed(seed)
    widths: dict[Kind, int] = {kind: trial.batch.x[kind].shape[1] for kind in KINDS}
    return Predictor(NETWORK, widths, of_graphs=trial.of_graphs)


def fit(
    predictor: Predictor, training: Sequence[Trial], validation: Sequence[Trial], seed: int
) -> None:
    """Trains a predictor, and leaves it as it was when its loss on validation was lowest."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(
        predictor.parameters(),
        lr=GRAPH_LEARNING_RATE if training[0].of_graphs else LEARNING_RATE,
        weight_decay=1e-2,
        foreach=False,
    )
    n_steps = EPOCHS * len(training)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, n_steps))
    lowest, best_epoch, best = math.inf, 0, predictor.state_dict()
    for epoch in range(EPOCHS):
        predictor.train()
        for place in torch.randperm(len(training), generator=generator).tolist():
            _step(predictor, training[place], optimiser)
            rate.step()
        loss = _mean_loss(predictor, validation)
        if loss < lowest:
            lowest, best_epoch = loss, epoch
            best = {name: value.clone() for name, value in predictor.state_dict().items()}
        if loss < LEARNED or epoch - best_epoch >= PATIENCE:
            break
    predictor.load_state_dict(best)
    predictor.eval()


def outcome_auroc(predictor: Predictor, trials: Sequence[Trial]) -> float:
    """How well outcomes are predicted."""
    predictor.eval()
    with torch.no_grad():
        logits = torch.cat([predictor(trial)[0] for trial in trials])
    return auroc(logits.numpy(), torch.cat([trial.outcomes for trial in trials]).numpy())


def _rate(step: int, n_steps: int) -> float:
    """A linear rise, then a cosine to 0."""
    rise = min(1.0, (step + 1) / WARM_UP_STEPS)
    return rise * 0.5 * (1 + math.cos(math.pi * step / n_steps))


def _step(predictor: Predictor, trial: Trial, optimiser: torch.optim.Optimizer) -> None:
    loss = outcome_loss(predictor, trial)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(predictor.parameters(), 1.0, foreach=False)
    optimiser.step()


def outcome_loss(predictor: nn.Module, trial: Trial) -> Tensor:
    """Mean cross-entropy of the outcomes."""
    return F.binary_cross_entropy_with_logits(predictor(trial)[0], trial.outcomes)


def _mean_loss(predictor: Predictor, trials: Sequence[Trial]) -> float:
    predictor.eval()
    with torch.no_grad():
        return float(np.mean([float(outcome_loss(predictor, trial)) for trial in trials]))
