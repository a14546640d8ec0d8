"""The recipe of a training: its data and its settings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from connectome.errors import ConfigError
from connectome.geometry import Triple
from connectome.networks.device import DeviceChoice
from connectome.training.choices import Begin, Keep, Unpaired
from connectome.training.data.source import DataSource
from connectome.training.samples.augment import Augmentation


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of one training.

    Attributes:
        sources, validation: data to train on and to measure on; they must not overlap.
        output: the checkpoint to write.
        start_from: a checkpoint, or the name of a shipped model, whose weights to begin with instead of random ones.
        patch_shape: voxels (z, y, x) of a sample. batch: samples a step.
        learning_rate: the highest; it rises over the first steps and falls along a cosine to 1 % of itself.
        average_decay: of the exponential moving average of the weights, which is what is saved.
        positive_weight: how much more a foreground voxel counts in the mask detector's cross-entropy.
        save_every: steps between two times that the weights are measured and all files written.
        keep: which weights to keep; without validation data always the last.
        unpaired: whether clefts without annotated partners may be among the training data.
        decoy_share: of the samples that show a decoy (see `formats.decoys`), of sources that have some.
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
    decoy_share: float = 0.0
    begin: Begin = Begin.AUTO
    augmentation: Augmentation = field(default_factory=Augmentation)
    parameters: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no training can be made from.

        Raises:
            ConfigError: a number out of its range.
        """
        at_least_one = {
            "steps": (self.steps,),
            "batch": (self.batch,),
            "save_every": (self.save_every,),
            "patch_shape": self.patch_shape,
            "widths": self.widths,
        }
        for name, values in at_least_one.items():
            if not values or min(values) < 1:
                raise ConfigError(f"{name} {', '.join(map(str, values))}: each must be at least 1")
        for name, number, highest in (
            ("learning_rate", self.learning_rate, math.inf),
            ("positive_weight", self.positive_weight, math.inf),
            ("average_decay", self.average_decay, 1.0),
            ("seed", self.seed, math.inf),
            ("decoy_share", self.decoy_share, 1.0),
        ):
            if not (0 <= number <= highest and number < math.inf):
                raise ConfigError(
                    f"{name} {number} must be a number {'from 0 to 1' if highest == 1 else 'of at least 0'}"
                )
