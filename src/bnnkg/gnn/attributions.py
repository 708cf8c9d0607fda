"""What a network that predicts outcomes looked at: scores of nodes, made in several ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bnnkg.gnn.metrics import Floats
from bnnkg.gnn.readings import (
    Answered,
    HeadKey,
    HeadWeights,
    Score,
    View,
    cls_attention,
    raw_attention,
    read_rows,
    relevance_of,
)
from bnnkg.gnn.trials import Predictor, Trial
from bnnkg.schema.computation import KINDS
from bnnkg.schema.learned import SCORE_METHODS

_GNN_EXPLAINER_EPOCHS = 60


@dataclass(frozen=True)
class Seen:
    """What one pass over a trial left behind.

    Attributes:
        view: The attention.
        relevance: Per site and block [P, heads]: ``alpha * d logit / d alpha``, summed over
            subjects.
        inputs: [N] per row, the sum of ``|x * d logit / dx|`` over its features.
    """

    view: View
    relevance: Mapping[HeadKey, Tensor]
    inputs: Tensor


def look(predictor: Predictor, trial: Trial) -> Seen:
    """Predicts, and goes back along the gradient."""
    predictor.eval()
    predictor.zero_grad()
    x = {kind: values.clone().requires_grad_() for kind, values in trial.batch.x.items()}
    watched = replace(trial, batch=replace(trial.batch, x=x))
    logits, rows = predictor(watched, explain=True)
    logits.sum().backward()
    inputs = torch.cat([_input_relevance(x[kind]) for kind in KINDS])
    relevance = relevance_of(rows.attention)
    predictor.zero_grad()
    at = Answered.at_graphs if trial.of_graphs else Answered.at_rows
    answered = at(trial.subjects, trial.batch)
    return Seen(View(trial.batch, rows.attention, answered), relevance, inputs)


def candidate_scores(
    predictor: Predictor, trial: Trial, weights: HeadWeights, seed: int
) -> dict[str, Floats]:
    """Every score of a trial's candidates, by its name: [C] each."""
    seen = look(predictor, trial)
    scores: dict[str, Tensor] = {"attention": raw_attention(seen.view)}
    for method in SCORE_METHODS:
        scores[method] = read_rows(seen.view, Score(method, weights))
    scores |= {
        "cls": cls_attention(seen.view),
        "gradient_x_input": seen.inputs,
        "gnn_explainer": gnn_explainer(predictor, trial, seed),
    }
    return {name: values[trial.candidates].numpy() for name, values in scores.items()}


def gnn_explainer(predictor: Predictor, trial: Trial, seed: int) -> Tensor:
    """[N] the mask of candidates that GNNExplainer of PyG learns, 0 of all other rows.

    It hides features of candidates as far as the predictions let it (Ying et al., NeurIPS 2019).
    Candidates are all nodes of their kind.
    """
    from bnnkg.gnn.pyg import Explainer, GNNExplainer

    kind = KINDS[int(trial.batch.kind[trial.candidates[0]])]
    torch.manual_seed(seed)
    explainer = Explainer(
        _OnFeatures(predictor.eval(), trial),
        GNNExplainer(epochs=_GNN_EXPLAINER_EPOCHS, lr=0.05),
        explanation_type="model",
        node_mask_type="object",
        model_config={
            "mode": "binary_classification",
            "task_level": "node",
            "return_type": "raw",
        },
    )
    no_edges = torch.zeros(2, 0, dtype=torch.long)
    mask = explainer(trial.batch.x[kind], no_edges).node_mask
    found = torch.zeros(len(trial.batch.kind))
    first = trial.batch.first_row(kind)
    found[first : first + len(mask)] = mask.flatten()
    return found


class _OnFeatures(nn.Module):
    """A predictor as a function of the features of the candidates' kind, as PyG asks for it."""

    def __init__(self, predictor: Predictor, trial: Trial) -> None:
        super().__init__()
        self.predictor, self.trial = predictor, trial
        self.kind = KINDS[int(trial.batch.kind[trial.candidates[0]])]

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:  # noqa: ARG002 PyG's form
        batch = replace(self.trial.batch, x={**self.trial.batch.x, self.kind: x})
        logits: Tensor = self.predictor(replace(self.trial, batch=batch))[0][:, None]
        return logits


def _input_relevance(x: Tensor) -> Tensor:
    """[n] of one kind's rows; 0 where no answer depends on them."""
    if x.grad is None:
        return torch.zeros(len(x))
    return (x.grad * x.detach()).abs().sum(1)
