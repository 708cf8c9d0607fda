"""From rows to answers: decoders, and the loss of their answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody knows it by

from bnnkg.gnn.bgan import Rows
from bnnkg.gnn.questions import Features, Labels, Question
from bnnkg.gnn.targets import Target
from bnnkg.gnn.tensors import Batch
from bnnkg.schema.computation import KINDS, Kind


@dataclass(frozen=True)
class Weights:
    """What each objective counts for in the loss.

    Attributes:
        connections: Edge existence.
        features: Masked features.
        labels: The supervised target.
    """

    connections: float = 1.0
    features: float = 0.1
    labels: float = 1.0


@dataclass(frozen=True)
class Answers:
    """What a network says to a question.

    Attributes:
        connections: [P] logits that the connection exists.
        features: Per group asked for, [P] values.
        labels: [P] logits of class 1; [P, K] of each class where there are more than two.
    """

    connections: Tensor | None
    features: tuple[Tensor, ...]
    labels: Tensor | None


class ConnectionDecoder(nn.Module):
    """Whether i sends to j: ``u_i . v_j / sqrt(d) + w . gelu(A h_i + B h_j + C h_cls + a) + b``.

    It sees two neurons and their graph's token, and never a synapse. Roles are told apart, since
    i to j is not j to i.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.pre = nn.Linear(width, width, bias=False)
        self.post = nn.Linear(width, width, bias=False)
        self.mix_pre = nn.Linear(width, width)
        self.mix_post = nn.Linear(width, width, bias=False)
        self.mix_graph = nn.Linear(width, width, bias=False)
        self.score = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(width, 1))

    def forward(self, rows: Rows, pairs: Tensor, graph: Tensor) -> Tensor:
        """[P] logits."""
        i, j = rows.nodes.index_select(0, pairs[0]), rows.nodes.index_select(0, pairs[1])
        token = rows.graphs.index_select(0, graph.index_select(0, pairs[0]))
        product = (self.pre(i) * self.post(j)).sum(-1) / math.sqrt(i.shape[1])
        mixed = self.score(self.mix_pre(i) + self.mix_post(j) + self.mix_graph(token))
        logits: Tensor = product + mixed.squeeze(-1)
        return logits


class FeatureDecoder(nn.Module):
    """Hidden values of a row of kind t: ``V_t gelu(U h_i + C h_cls + a) + b_t``.

    ``V_t`` is 0 at first: values are scaled, so that nothing known means about 0.
    """

    def __init__(self, width: int, widths: Mapping[Kind, int]) -> None:
        super().__init__()
        self.row = nn.Linear(width, width)
        self.graph = nn.Linear(width, width, bias=False)
        self.values = nn.ModuleDict({kind: nn.Linear(width, widths[kind]) for kind in KINDS})
        for kind in KINDS:
            nn.init.zeros_(self.values[kind].weight)  # type: ignore[arg-type]

    def forward(self, rows: Rows, asked: Question, features: Features) -> Tensor:
        """[P] scaled values."""
        at, place = torch.unique(features.rows, return_inverse=True)
        node = at + asked.batch.first_row(features.kind)
        token = rows.graphs.index_select(0, asked.batch.graph.index_select(0, node))
        state = F.gelu(self.row(rows.nodes.index_select(0, node)) + self.graph(token))
        values: Tensor = self.values[features.kind](state)
        return values[place, features.columns]


class LabelDecoder(nn.Module):
    """Class of a neuron: ``w . gelu(U h_i + C h_cls + a) + b``.

    Args:
        width: Numbers per row.
        n_outputs: Logits per neuron.
    """

    def __init__(self, width: int, n_outputs: int = 1) -> None:
        super().__init__()
        self.row = nn.Linear(width, width)
        self.graph = nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, n_outputs)

    def forward(self, rows: Rows, neurons: Tensor, graph: Tensor) -> Tensor:
        """[P] logits of class 1, or [P, K] of each class."""
        token = rows.graphs.index_select(0, graph.index_select(0, neurons))
        return self.decide(rows.nodes.index_select(0, neurons), token)

    def decide(self, own: Tensor, token: Tensor) -> Tensor:
        """The same of [P, d] rows and [P, d] tokens of their graphs."""
        logits: Tensor = self.score(F.gelu(self.row(own) + self.graph(token)))
        return logits.squeeze(-1)


class PartDecoder(nn.Module):
    """Class of a neuron's part i: a :class:`LabelDecoder` of ``h_i + W [x_i * mask_i, mask_i]``.

    From an encoder of neurons alone, ``h_i`` is the row of the part's neuron.
    """

    def __init__(self, width: int, n_features: int, n_outputs: int) -> None:
        super().__init__()
        self.own = nn.Linear(2 * n_features, width)
        self.label = LabelDecoder(width, n_outputs)

    def forward(self, rows: Rows, batch: Batch, asked: Labels) -> Tensor:
        """[P] logits of class 1, or [P, K] of each class."""
        at = asked.rows + batch.first_row(asked.kind)
        x, mask = batch.x[asked.kind][asked.rows], batch.mask[asked.kind][asked.rows]
        own = self.own(torch.cat([x * mask, mask.to(x.dtype)], dim=1))
        has_parts = len(rows.nodes) == len(batch.kind)
        row = rows.nodes.index_select(0, at if has_parts else batch.neuron_of[at])
        logits: Tensor = self.label.decide(row + own, rows.graphs[batch.graph[at]])
        return logits


def label_decoder(
    target: Target | None, width: int, widths: Mapping[Kind, int], dropout: float
) -> nn.Module:
    """What asks an encoder for a target's subject."""
    if target is not None and target.subject == "connection":
        return ConnectionDecoder(width, dropout)
    n_outputs = 1 if target is None else target.n_outputs
    if target is not None and target.subject == "mechanism":
        return PartDecoder(width, widths["mechanism"], n_outputs)
    return LabelDecoder(width, n_outputs)


class Learner(nn.Module):
    """An encoder and the decoders that ask it.

    Args:
        encoder: What turns a batch and its sites into :class:`Rows`: BGAN or a baseline.
        width: Numbers per row.
        widths: Number of features of each kind.
        dropout: In the connection decoder.
        target: What labels are of, where any are asked for.
    """

    def __init__(
        self,
        encoder: nn.Module,
        width: int,
        widths: Mapping[Kind, int],
        dropout: float,
        target: Target | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.connections = ConnectionDecoder(width, dropout)
        self.features = FeatureDecoder(width, widths)
        self.labels = label_decoder(target, width, widths, dropout)

    def forward(self, asked: Question) -> Answers:
        """Answers to a question."""
        return self.answer(asked, self.encoder(asked.batch, asked.sites))

    def answer(self, asked: Question, rows: Rows) -> Answers:
        """Answers from rows that the encoder made."""
        graph = asked.batch.graph
        connections = labels = None
        if asked.connections is not None:
            connections = self.connections(rows, asked.connections.pairs, graph)
        if asked.labels is not None:
            labels = self._label(asked.labels, asked.batch, rows)
        features = tuple(self.features(rows, asked, group) for group in asked.features)
        return Answers(connections, features, labels)

    def _label(self, asked: Labels, batch: Batch, rows: Rows) -> Tensor:
        if isinstance(self.labels, PartDecoder):
            logits: Tensor = self.labels(rows, batch, asked)
        else:
            logits = self.labels(rows, asked.rows, batch.graph)
        return logits


def loss_of(answers: Answers, asked: Question, weights: Weights) -> Tensor:
    """Cross-entropy of connections and labels and Huber loss of features, weighted, summed."""
    parts = []
    if answers.connections is not None and asked.connections is not None:
        loss = _cross_entropy(answers.connections, asked.connections.exists)
        parts.append(weights.connections * loss)
    for values, group in zip(answers.features, asked.features, strict=True):
        parts.append(
            weights.features * F.smooth_l1_loss(values.to(group.values.dtype), group.values)
        )
    if answers.labels is not None and asked.labels is not None:
        loss = _class_loss(answers.labels, asked.labels.classes)
        parts.append(weights.labels * loss)
    return torch.stack(parts).sum()


def _cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """In the precision of the classes, whatever the logits were computed in."""
    return F.binary_cross_entropy_with_logits(logits.to(classes.dtype), classes)


def _class_loss(logits: Tensor, classes: Tensor) -> Tensor:
    if logits.ndim == 1:
        return _cross_entropy(logits, classes)
    return F.cross_entropy(logits.to(classes.dtype), classes.long())
