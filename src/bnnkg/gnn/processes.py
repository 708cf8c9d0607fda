"""Training by several processes at once, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """This process among those that train one network together.

    Attributes:
        rank: Its number.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes and reports."""
        return self.rank == 0

    def from_first(self, value: T) -> T:
        """What the first process has; all of them have to ask."""
        if self.size == 1:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, src=0)
        return values[0]

    def mean_gradients(
        self, parameters: Sequence[nn.Parameter], loss: float, n_losses: int
    ) -> tuple[float, int]:
        """Turns gradients of summed losses into those of their mean over all processes.

        A parameter that no process has a gradient of is left without.

        Returns:
            The mean loss, and the number of losses.
        """
        if self.size > 1:
            loss, n_losses = self._sum(parameters, loss, n_losses)
        for parameter in parameters:
            if parameter.grad is not None and n_losses > 1:
                parameter.grad /= n_losses
        return loss / max(n_losses, 1), n_losses

    def _sum(
        self, parameters: Sequence[nn.Parameter], loss: float, n_losses: int
    ) -> tuple[float, int]:
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        known = [float(p.grad is not None) for p in parameters]
        flat = torch.cat([torch.tensor([loss, n_losses, *known]), *(g.flatten() for g in grads)])
        torch.distributed.all_reduce(flat)
        head, rest = flat[: 2 + len(known)], flat[2 + len(known) :]
        parts: tuple[Tensor, ...] = torch.split(rest, [p.numel() for p in parameters])
        for parameter, own, n in zip(parameters, parts, head[2:].tolist(), strict=True):
            parameter.grad = own.view_as(parameter).clone() if n else None
        return float(head[0]), int(head[1])


ALONE = Processes()


@contextmanager
def started_processes() -> Iterator[Processes]:
    """The processes that ``torchrun`` started, connected; this one alone where it did not."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    torch.distributed.init_process_group("gloo")
    try:
        yield Processes(torch.distributed.get_rank(), torch.distributed.get_world_size())
    finally:
        torch.distributed.destroy_process_group()
