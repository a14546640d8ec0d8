"""What a network is trained to answer: one `Task` a method, and the only place where training tells methods apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectome.networks.checkpoint import Method
from connectome.training.batches import SampleMaker
from connectome.training.dataset import Dataset
from connectome.training.detector_targets import signed_proximity_sample, stdt_sample
from connectome.training.loop import Loss, Trainer
from connectome.training.losses import assigner_loss, detector_loss, signed_proximity_loss, stdt_loss
from connectome.training.recipe import Recipe
from connectome.training.samples import SampleShape, assigner_sample, detector_sample
from connectome.training.validation import detector_validation, validate_assigner

Validate = Callable[[Trainer, list[Dataset], SampleShape], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Task:
    """How one method's network is trained.

    Attributes:
        in_channels, out_channels: of the network.
        make: draws one sample of a data source.
        loss: of the network's output for a batch.
        validate: metrics of the averaged network on held-out data; its keys go into the model card.
    """

    in_channels: int
    out_channels: int
    make: SampleMaker
    loss: Loss
    validate: Validate


def task_of(method: Method, recipe: Recipe) -> Task:
    """The task of a method with what its recipe says about the loss."""
    match method:
        case Method.MASK:
            return Task(
                in_channels=1, out_channels=1, make=detector_sample, loss=detector_loss(recipe.positive_weight),
                validate=detector_validation(method),
            )  # fmt: skip
        case Method.STDT:
            return Task(
                in_channels=1, out_channels=1, make=stdt_sample, loss=stdt_loss, validate=detector_validation(method)
            )
        case Method.SIGNED_PROXIMITY:
            return Task(
                in_channels=1, out_channels=1, make=signed_proximity_sample, loss=signed_proximity_loss,
                validate=detector_validation(method),
            )  # fmt: skip
        case Method.AVAN:
            return Task(
                in_channels=2, out_channels=2, make=assigner_sample, loss=assigner_loss, validate=validate_assigner
            )
        case _:
            raise ValueError(f"no training task for {method}")
