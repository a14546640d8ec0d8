"""What a training run is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from connectome.errors import ConfigError
from connectome.geometry import Box, Triple
from connectome.networks.device import DeviceChoice


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A folder with raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv, as imports and phantoms write it.

    Attributes:
        folder: where the volumes lie.
        box: what may be seen of them, in voxels (z, y, x); None: all.
        weight: how often samples come from here, relative to the other sources.
    """

    folder: Path
    box: Box | None = None
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> DataSource:
        """Read 'FOLDER', 'FOLDER@z0:z1,y0:y1,x0:x1' or either with '*WEIGHT' behind it.

        Raises:
            ConfigError: the weight isn't a number above 0. BoxError: the box is malformed.
        """
        text, star, weight_text = text.partition("*")
        folder, at, box = text.partition("@")
        try:
            weight = float(weight_text) if star else 1.0
        except ValueError as error:
            raise ConfigError(f"'{weight_text}' isn't a weight: write FOLDER@BOX*NUMBER") from error
        if not 0 < weight < math.inf:
            raise ConfigError(f"a weight of {weight_text} is useless: it must be greater than 0 and finite")
        return cls(folder=Path(folder).expanduser(), box=Box.parse(box) if at else None, weight=weight)


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
        positive_weight: how much more a foreground voxel counts in the detector's cross-entropy.
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
    parameters: dict[str, float] = field(default_factory=dict)
