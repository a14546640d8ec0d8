"""What a training run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from connectome.geometry import Triple
from connectome.networks.device import DeviceChoice
from connectome.training.augment import Augmentation
from connectome.training.checks import Unpaired
from connectome.training.source import DataSource


class Keep(StrEnum):
    """Which weights become the checkpoint: those with the best metric on the validation data, or the last."""

    BEST = "best"
    LAST = "last"


class Begin(StrEnum):
    """Where to begin: where the same training ended, if it did (auto) or else not at all (resume); or anew."""

    AUTO = "auto"
    RESUME = "resume"
    RESTART = "restart"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes:
        sources, validation: data to train on and to measure on; they must not overlap.
        output: the checkpoint to write.
        start_from: a checkpoint whose weights to begin with, instead of random ones.
        patch_shape: voxels (z, y, x) of a sample. batch: samples a step.
        learning_rate: the highest; it rises over the first steps and falls along a cosine to 1 % of itself.
        average_decay: of the exponential moving average of the weights, which is what is saved.
        positive_weight: how much more a foreground voxel counts in the mask detector's cross-entropy.
        save_every: steps between two times that the weights are measured and all files written.
        keep: which weights to keep; without validation data always the last.
        unpaired: whether clefts without annotated partners may be among the training data.
        begin: anew, or where it was interrupted.
        augmentation: how strongly samples are changed.
        parameters: what the checkpoint recommends to a build.
    """

    sources: tuple[DataSource, ...]
    validation: tuple[DataSource, ...] = ()
    output: Path
    start_from: Path | None = None
    name: str
    steps: int = 4000
    patch_shape: Triple
    batch: int = 2
    widths: tuple[int, ...] = (16, 32, 64, 80)
    learning_rate: float = 1e-3
    average_decay: float = 0.998
    positive_weight: float = 5.0
    norm_momentum: float = 0.02
    seed: int = 0
    device: DeviceChoice = DeviceChoice.AUTO
    save_every: int = 250
    keep: Keep = Keep.BEST
    unpaired: Unpaired = Unpaired.REFUSE
    begin: Begin = Begin.AUTO
    augmentation: Augmentation = field(default_factory=Augmentation)
    parameters: dict[str, float] = field(default_factory=dict)
