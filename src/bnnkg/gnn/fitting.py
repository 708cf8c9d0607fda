"""One network with its optimiser: the training loop."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from bnnkg.gnn.contenders import CONTENDERS
from bnnkg.gnn.evaluation import METRIC, answer_all, score
from bnnkg.gnn.loading import prefetched
from bnnkg.gnn.objectives import Learner, loss_of
from bnnkg.gnn.processes import ALONE, Processes
from bnnkg.gnn.questions import Question
from bnnkg.gnn.study import Study
from bnnkg.gnn.targets import target_named
from bnnkg.schema.computation import Kind

if TYPE_CHECKING:
    from bnnkg.gnn.training import TrainingConfig


def make_learner(
    name: str, config: TrainingConfig, widths: Mapping[Kind, int], seed: int
) -> Learner:
    """BGAN or another contender, with its decoders, as it is before the first step."""
    torch.manual_seed(seed)
    network = config.network
    encoder = CONTENDERS[name].make(network, widths)
    target = target_named(config.target) if config.target else None
    return Learner(encoder, network.width, widths, network.dropout, target)


class Fit:
    """One network with its optimiser.

    All that is random at a step follows from the seed and the step's place in its epoch, so that
    training goes on from any step, and in any number of processes, as if it had never stopped.

    Args:
        name: BGAN or another contender.
        seed: Of the network and of its training.
        config: How it is trained.
        study: What it is asked.
        widths: Number of features of each kind.
        processes: Those that share the questions of each step.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        config: TrainingConfig,
        study: Study,
        widths: Mapping[Kind, int],
        processes: Processes = ALONE,
    ) -> None:
        self.name, self.seed, self.config, self.study = name, seed, config, study
        self.processes = processes
        self.learner = make_learner(name, config, widths, seed)
        self.parameters = list(self.learner.parameters())
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=config.learning_rate, weight_decay=config.weight_decay,
            foreach=False,
        )  # fmt: skip
        self.history: list[tuple[float, float]] = []
        self.best: dict[str, Tensor] = {}
        self.best_value, self.best_epoch = -float("inf"), 0
        self.n_asked, self.losses = 0, list[float]()
        self._questions: Iterator[Question | None] | None = None

    def is_over(self) -> bool:
        """Whether all epochs are done, or none was better for long."""
        n_done = len(self.history)
        return n_done >= self.config.epochs or n_done - self.best_epoch >= self.config.patience

    @property
    def n_epochs(self) -> float:
        """Epochs done, with the part of the current one."""
        return len(self.history) + self.n_asked / self.study.n_steps

    def run_epoch(self) -> None:
        """Trains to the end of the epoch and validates."""
        n_done = len(self.history)
        while len(self.history) == n_done:
            self.run_step()

    def run_step(self) -> None:
        """Asks as many questions as are accumulated and steps; validates after the last ones."""
        end = min(self.n_asked + self.config.accumulate, self.study.n_steps)
        self._set_rate(self.n_epochs)
        self._descend(self._own(self.n_asked, end))
        self.n_asked = end
        if end == self.study.n_steps:
            self._end_epoch()

    def validate(self) -> float:
        """The gate's metric on validation."""
        gate = self.study.gate
        answers = answer_all(self.learner, self.study.validation.about(gate))
        return score(gate, answers[gate])[METRIC[gate]] if gate in answers else float("nan")

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "learner": self.learner.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "history": self.history,
            "best": self.best,
            "best_value": self.best_value,
            "best_epoch": self.best_epoch,
            "n_asked": self.n_asked,
            "losses": self.losses,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes back to a state."""
        self.learner.load_state_dict(state["learner"])
        self.optimiser.load_state_dict(deepcopy(state["optimiser"]))
        self.history = [tuple(epoch) for epoch in state["history"]]
        self.best = state["best"]
        self.best_value, self.best_epoch = state["best_value"], state["best_epoch"]
        self.n_asked, self.losses = state["n_asked"], list(state["losses"])

    def _end_epoch(self) -> None:
        value = self.validate()
        self.history.append((float(np.mean(self.losses)), value))
        if value > self.best_value or not self.best:
            self.best_value, self.best_epoch = value, len(self.history)
            self.best = deepcopy(self.learner.state_dict())
        self.n_asked, self.losses, self._questions = 0, [], None

    def _own(self, start: int, end: int) -> Sequence[int]:
        """Places in the epoch, of those from ``start`` to ``end``, that are this process's."""
        return range(start + self.processes.rank, end, self.processes.size)

    def _ask_rest(self) -> Iterator[Question | None]:
        """This process's questions of the rest of the epoch."""
        epoch, n_steps = len(self.history), self.study.n_steps
        has_all_rows = not CONTENDERS[self.name].reads_neurons_alone
        features = has_all_rows and "feature" in self.study.objectives
        order = self.study.order(_mix(self.seed, epoch))
        tasks: list[Callable[[], Question | None]] = [
            partial(self.study.ask, order[place], _mix(self.seed, epoch, place), features=features)
            for start in range(self.n_asked, n_steps, self.config.accumulate)
            for place in self._own(start, min(start + self.config.accumulate, n_steps))
        ]
        return prefetched(tasks)

    def _set_rate(self, epoch: float) -> None:
        """Learning rate: a linear rise, then a cosine to 0."""
        rise = min(1.0, (epoch + 0.1) / self.config.warm_up)
        fall = 0.5 * (1 + math.cos(math.pi * epoch / self.config.epochs))
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * rise * fall

    def _descend(self, places: Sequence[int]) -> None:
        """One step of the optimiser on the mean loss of all processes' questions."""
        if self._questions is None:
            self._questions = self._ask_rest()
        self.learner.train()
        self.optimiser.zero_grad()
        losses = [
            self._loss(asked, place)
            for place in places
            if (asked := next(self._questions)) is not None
        ]
        loss, n = self.processes.mean_gradients(self.parameters, sum(losses), len(losses))
        if n:
            self.losses.append(loss)
            nn.utils.clip_grad_norm_(self.parameters, self.config.clip, foreach=False)
            self.optimiser.step()

    def _loss(self, asked: Question, place: int) -> float:
        """Loss of a question, whose gradients are added to what is there."""
        torch.manual_seed(_mix(self.seed, len(self.history), place) + 1)
        half = self.config.precision == "bfloat16"
        with torch.autocast(asked.batch.kind.device.type, torch.bfloat16, enabled=half):
            answers = self.learner(asked)
        loss = loss_of(answers, asked, self.config.weights)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())


def _mix(*numbers: int) -> int:
    text = "/".join(str(number) for number in numbers)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "little")
