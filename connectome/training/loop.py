"""The training loop: one network, one loss, an averaged copy of the weights that is what ships."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from connectome.errors import TrainingDataError
from connectome.networks.checkpoint import Network
from connectome.networks.device import half_precision
from connectome.training.samples.batches import Batch

Loss = Callable[[Tensor, Batch], Tensor]
LARGEST_GRADIENT = 5.0
"""The norm that gradients are clipped at."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Steps, the highest learning rate, and the decay of the weights' moving average."""

    steps: int
    learning_rate: float
    average_decay: float

    def rate(self, step: int) -> float:
        """Linear rise over the first 2 % of the steps, then half a cosine down to 1 %."""
        warm = max(self.steps // 50, 1)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        done = (step - warm) / max(self.steps - warm, 1)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


class Trainer:
    """Trains a network in bfloat16 autocast with clipped gradients and keeps an averaged copy."""

    def __init__(self, network: Network, loss: Loss, schedule: Schedule, device: torch.device) -> None:
        self.device = device
        self.network = network.to(device, memory_format=torch.channels_last_3d).train()  # type: ignore[call-overload]
        self.loss = loss
        self.schedule = schedule
        self.averaged = AveragedModel(self.network, avg_fn=_moving_average(schedule.average_decay), use_buffers=True)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=schedule.learning_rate, weight_decay=1e-4)

    def run(self, batches: Iterable[Batch], first_step: int, after: Callable[[int, float], None]) -> None:
        """Take a step a batch; `after` is called with the number of steps taken and the loss of the last.

        Raises:
            TrainingDataError: the loss or a gradient is no longer a number; the weights are still those before it.
        """
        for step, batch in enumerate(batches, first_step):
            after(step + 1, self._step(step, batch))

    def state(self) -> dict[str, Any]:
        """All that the next step depends on, besides its batch."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])

    def _step(self, step: int, batch: Batch) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate(step)
        loss = self.loss(self.forward(self.network, batch), batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        for name, value in (("loss", float(loss.detach())), ("gradient", float(norm))):
            if not math.isfinite(value):
                raise TrainingDataError(
                    f"the {name} became {value} at step {step + 1}: check the labels, or lower the learning rate",
                    about="diverged_training",
                )
        self.optimiser.step()
        self.averaged.update_parameters(self.network)
        return float(loss.detach())

    def forward(self, network: nn.Module, batch: Batch) -> Tensor:
        """Logits, float32 (n, c, z, y, x)."""
        inputs = batch.inputs.to(self.device, memory_format=torch.channels_last_3d)
        with half_precision(self.device):
            logits: Any = network(inputs)
        return torch.as_tensor(logits).float()

    def result(self) -> Network:
        """The averaged network, in evaluation mode."""
        network = self.averaged.module
        assert isinstance(network, Network)
        return network.eval()


def _moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential moving average that forgets its beginning: the decay rises from 0 to `decay` over the steps."""

    def average(averaged: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:
        if not averaged.is_floating_point():
            return current
        taken = int(steps)
        return torch.lerp(averaged, current, 1 - min(decay, (1 + taken) / (10 + taken)))

    return average
