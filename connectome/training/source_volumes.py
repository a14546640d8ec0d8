"""Opens what a data source names: the volumes of a folder, or those of a phantom that is rendered as it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ConfigError
from connectome.formats import open_reference
from connectome.geometry import Box, Grid
from connectome.grey_values import SAMPLE_SHAPE, SAMPLES, Image
from connectome.phantom import PhantomConfig
from connectome.records import ReferenceSynapse
from connectome.training.recipe import DataSource
from connectome.training.rendered import Layer, PassingVolume, RenderedPhantom
from connectome.volume import Volume


class Voxels(Protocol):
    """What training reads: a `Volume` or a `RenderedVolume`."""

    @property
    def url(self) -> str:
        """What it is called in messages."""

    @property
    def grid(self) -> Grid:
        """Where it lies."""

    @property
    def box(self) -> Box:
        """All its voxels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside it."""


@dataclass(frozen=True, kw_only=True)
class SourceVolumes:
    """A data source, opened.

    Attributes:
        image, segmentation, clefts: on one grid.
        sampled_image: the image, for reading pieces all over it once; from a large phantom they aren't kept.
        synapses: reads the annotated synapses of the whole source, ascending by cleft id.
    """

    image: Voxels
    segmentation: Voxels
    clefts: Voxels
    sampled_image: Image
    synapses: Callable[[], list[ReferenceSynapse]]


def open_volumes(source: DataSource) -> SourceVolumes:
    """Open a source; a phantom's tissue is drawn.

    Raises:
        VolumeNotFoundError: a volume is missing. VolumeFormatError, ResolutionError: one can't be read.
    """
    if source.phantom is not None:
        return _rendered(source.phantom)
    if source.folder is None:
        raise ConfigError("a data source is either a folder or a phantom")
    return _stored(source.folder)


def _rendered(config: PhantomConfig) -> SourceVolumes:
    phantom = RenderedPhantom(config)
    image = phantom.volume(Layer.IMAGE)
    pieces = SAMPLES * SAMPLE_SHAPE[0] * SAMPLE_SHAPE[1] * SAMPLE_SHAPE[2]
    return SourceVolumes(
        image=image, segmentation=phantom.volume(Layer.SEGMENTATION), clefts=phantom.volume(Layer.CLEFTS),
        sampled_image=PassingVolume(image) if config.box.size_voxels > pieces else image, synapses=phantom.synapses,
    )  # fmt: skip


def _stored(folder: Path) -> SourceVolumes:
    image = Volume.open(folder / "raw.zarr")
    return SourceVolumes(
        image=image, segmentation=Volume.open(folder / "neuron_ids.zarr"), clefts=Volume.open(folder / "clefts.zarr"),
        sampled_image=image, synapses=lambda: open_reference(folder).synapses(),
    )  # fmt: skip
