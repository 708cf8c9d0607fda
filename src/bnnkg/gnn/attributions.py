"""What a trained network looked at: scores of nodes, made in several ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bnnkg.gnn.bgan import Attended
from bnnkg.gnn.metrics import Floats
from bnnkg.gnn.portable import edge_dots
from bnnkg.gnn.sites import SiteName
from bnnkg.gnn.tensors import Batch
from bnnkg.gnn.trials import Predictor, Trial
from bnnkg.schema.computation import KINDS

_READING: tuple[SiteName, ...] = ("low", "up", "forward")
"""Sites at which signals are read on their way to a neuron."""
_KEPT = 0.5
"""Share that a row keeps of itself at each site, in a rollout: its residual."""
_GNN_EXPLAINER_EPOCHS = 60

HeadWeights = Mapping[tuple[SiteName, int], Tensor]
"""Per site and block, [heads]; 1 in sum over all of them."""


@dataclass(frozen=True)
class Seen:
    """What one pass over a trial left behind.

    Attributes:
        trial: What was explained.
        attention: All sites of all blocks.
        relevance: Per site and block [P, heads]: ``alpha * d logit / d alpha``, summed over
            subjects.
        inputs: [N] per row, the sum of ``|x * d logit / dx|`` over its features.
    """

    trial: Trial
    attention: tuple[Attended, ...]
    relevance: Mapping[tuple[SiteName, int], Tensor]
    inputs: Tensor


def look(predictor: Predictor, trial: Trial) -> Seen:
    """Predicts, and goes back along the gradient."""
    predictor.eval()
    predictor.zero_grad()
    x = {kind: values.clone().requires_grad_() for kind, values in trial.batch.x.items()}
    watched = replace(trial, batch=replace(trial.batch, x=x))
    logits, rows = predictor(watched, explain=True)
    logits.sum().backward()
    relevance = {
        (a.site.name, a.block): a.alpha.detach()
        * edge_dots(a.out.grad, a.values.detach(), a.site.plan)
        for a in rows.attention
        if a.out.grad is not None
    }
    inputs = torch.cat([_input_relevance(x[kind]) for kind in KINDS])
    predictor.zero_grad()
    return Seen(trial, rows.attention, relevance, inputs)


def head_weights(seen: Sequence[Seen]) -> HeadWeights:
    """How much the answers depend on each head: ``sum |alpha * d logit / d alpha|``, shared out.

    Args:
        seen: Of the same network, on graphs that it was not trained on.
    """
    keys = list(dict.fromkeys(key for one in seen for key in one.relevance))
    sums = {
        key: torch.stack([one.relevance[key].abs().sum(0) for one in seen]).sum(0) for key in keys
    }
    total = torch.stack([value.sum() for value in sums.values()]).sum() if sums else torch.ones(())
    return {key: value / total.clamp_min(1e-30) for key, value in sums.items()}


def raw_attention(seen: Seen) -> Tensor:
    """[N] mean attention that a row gets from those that read it, over heads and blocks."""
    return _mean_read(seen, lambda a: a.alpha.detach().mean(1))


def lift(seen: Seen) -> Tensor:
    """[N] the same of attention times the number of sources that it competed with."""
    return _mean_read(seen, lambda a: a.alpha.detach().mean(1) * a.site.plan.n_sources)


def weighted_lift(seen: Seen, weights: HeadWeights) -> Tensor:
    """[N] lift from all that read a row, every head of every site as much as it counts."""
    total = torch.zeros(len(seen.trial.batch.kind))
    for attended in seen.attention:
        key = (attended.site.name, attended.block)
        if key in weights:
            per_edge = (attended.alpha.detach() * weights[key]).sum(1)
            total += _by_row(attended, seen.trial.batch, per_edge * attended.site.plan.n_sources)
    return total


def cls_attention(seen: Seen) -> Tensor:
    """[N] share of its graph's token that a row gets, mean over heads and blocks."""
    total = torch.zeros(len(seen.trial.batch.kind))
    for attended in seen.attention:
        if attended.site.name == "cls":
            total += _by_row(attended, seen.trial.batch, attended.alpha.detach().mean(1))
    return total


def rollout(seen: Seen) -> Tensor:
    """[N] share of the answers that came by a row, attention followed back along the computation.

    Every answer starts as 1 at its row. At each site, from the last to the first, a row keeps half
    of what it holds (its residual) and hands the other half to what it attended to (Abnar and
    Zuidema, ACL 2020). What passes an edge that stands for a node counts for that node.
    """
    trial = seen.trial
    rows, graphs = torch.zeros(len(trial.batch.kind)), torch.zeros(trial.batch.n_graphs)
    (graphs if trial.of_graphs else rows)[trial.subjects] = 1.0
    passed = torch.zeros(len(rows))
    for group in _backwards(seen.attention):
        held = graphs if group[0].site.name == "cls" else rows
        handed = torch.zeros(len(rows))
        reached = torch.zeros(len(held), dtype=torch.bool)
        for attended in group:
            alpha = attended.alpha.detach().mean(1) / len(group)
            flow = (1 - _KEPT) * alpha * held[attended.site.dst]
            handed.index_add_(0, attended.site.src, flow)
            passed += _by_row(attended, trial.batch, flow)
            reached[attended.site.dst] = True
        held[reached] *= _KEPT
        rows += handed
    return passed


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


def _read_rows(attended: Attended, batch: Batch) -> tuple[Tensor, Tensor]:
    """[P] the row that each edge of a site reads, and whether it reads another than itself.

    An edge between neurons stands for its synapse.
    """
    site = attended.site
    if site.name in ("up", "down"):
        return batch.up_synapse.index_select(0, site.edge.clamp_min(0)), site.edge >= 0
    if site.name == "cls":
        return site.src, torch.ones_like(site.arc, dtype=torch.bool)
    return site.src, site.arc != 0


def _by_row(attended: Attended, batch: Batch, values: Tensor) -> Tensor:
    """[N] sum of the edges' values over those that read each row."""
    if not len(batch.up_synapse) and attended.site.name in ("up", "down"):
        return torch.zeros(len(batch.kind))
    rows, real = _read_rows(attended, batch)
    return torch.zeros(len(batch.kind)).index_add_(0, rows[real], values[real].float())


def _mean_read(seen: Seen, value: Callable[[Attended], Tensor]) -> Tensor:
    total, count = torch.zeros(len(seen.trial.batch.kind)), torch.zeros(len(seen.trial.batch.kind))
    for attended in seen.attention:
        if attended.site.name in _READING:
            values = value(attended)
            total += _by_row(attended, seen.trial.batch, values)
            count += _by_row(attended, seen.trial.batch, torch.ones_like(values))
    return total / count.clamp_min(1)


def _backwards(attention: Sequence[Attended]) -> Iterator[list[Attended]]:
    """Sites from the last to the first; the two directions of GAN_up, and of BMSA, together."""
    waiting: list[Attended] = []
    for attended in reversed(attention):
        waiting.append(attended)
        if attended.site.name not in ("backward", "down"):
            yield waiting
            waiting = []


def candidate_scores(
    predictor: Predictor, trial: Trial, weights: HeadWeights, seed: int
) -> dict[str, Floats]:
    """Every score of a trial's candidates, by its name: [C] each."""
    seen = look(predictor, trial)
    scores = {
        "attention": raw_attention(seen),
        "attention_lift": lift(seen),
        "attention_head_weighted": weighted_lift(seen, weights),
        "attention_rollout": rollout(seen),
        "cls": cls_attention(seen),
        "gradient_x_input": seen.inputs,
        "gnn_explainer": gnn_explainer(predictor, trial, seed),
    }
    return {name: values[trial.candidates].numpy() for name, values in scores.items()}
