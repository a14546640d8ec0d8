"""What a training run is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from connectome.errors import ConfigError
from connectome.geometry import Box, Triple
from connectome.networks.device import DeviceChoice
from connectome.phantom import PhantomConfig
from connectome.training.phantom_text import PREFIX, parse_phantom, phantom_text


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A folder with raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv, or a phantom made while it is read.

    Attributes:
        folder: where the volumes lie, as imports and phantoms write them; None for a phantom.
        phantom: what to make; None for a folder.
        box: what may be seen of them, in voxels (z, y, x); None: all.
        weight: how often samples come from here, relative to the other sources.
    """

    folder: Path | None = None
    phantom: PhantomConfig | None = None
    box: Box | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a source that is both or neither."""
        if (self.folder is None) == (self.phantom is None):
            raise ConfigError("a data source is either a folder or a phantom")

    @classmethod
    def parse(cls, text: str) -> DataSource:
        """Read 'FOLDER', 'FOLDER@z0:z1,y0:y1,x0:x1', a phantom (see `phantom_text`), or one with '*WEIGHT' behind it.

        Raises:
            ConfigError: the weight isn't a number above 0, or a phantom is malformed. BoxError: the box is malformed.
        """
        text, star, weight_text = text.partition("*")
        try:
            weight = float(weight_text) if star else 1.0
        except ValueError as error:
            raise ConfigError(f"'{weight_text}' isn't a weight: write FOLDER@BOX*NUMBER") from error
        if not 0 < weight < math.inf:
            raise ConfigError(f"a weight of {weight_text} is useless: it must be greater than 0 and finite")
        if text.startswith(PREFIX):
            return cls(phantom=parse_phantom(text), weight=weight)
        folder, at, box = text.partition("@")
        return cls(folder=Path(folder).expanduser(), box=Box.parse(box) if at else None, weight=weight)

    def __str__(self) -> str:
        return str(self.folder) if self.phantom is None else phantom_text(self.phantom)

    @property
    def name(self) -> str:
        """What model cards call it: the folder without its place, or the phantom's text."""
        return self.folder.name if self.folder is not None else str(self)

    def overlaps(self, other: DataSource) -> bool:
        """Whether both show the same tissue: boxes of one folder that overlap, or phantoms of one preset and seed."""
        if self.phantom is not None and other.phantom is not None:
            return (self.phantom.preset, self.phantom.seed) == (other.phantom.preset, other.phantom.seed)
        if self.folder is None or other.folder is None or self.folder.resolve() != other.folder.resolve():
            return False
        return self.box is None or other.box is None or not self.box.intersect(other.box).is_empty


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
