"""A phantom as volumes whose voxels are made when they are read, and kept as far as memory allows."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import BlockGrid, Box, Grid, Triple
from connectome.phantom import Phantom, PhantomConfig
from connectome.records import ReferenceSynapse

BLOCK_SHAPE: Triple = (16, 128, 128)
CACHE_BYTES = 512 * 2**20


class Layer(StrEnum):
    """The arrays of a phantom."""

    IMAGE = "image"
    SEGMENTATION = "segmentation"
    CLEFTS = "clefts"


DTYPES: dict[Layer, np.dtype[Any]] = {
    Layer.IMAGE: np.dtype(np.uint8),
    Layer.SEGMENTATION: np.dtype(np.uint64),
    Layer.CLEFTS: np.dtype(np.uint64),
}


class RenderedPhantom:
    """A phantom, drawn once; its blocks are rendered on demand and the ones used last are kept.

    A voxel is a function of the configuration alone, so what is read doesn't depend on what was read before, nor on
    what is kept. Several threads may read.
    """

    def __init__(self, config: PhantomConfig, name: str, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Draw the tissue.

        Args:
            config: of the phantom.
            name: what it is called in messages.
            cache_bytes: how much memory rendered blocks may take; the last one is always kept.
        """
        self.config = config
        self.name = name
        self._phantom = Phantom(config)
        self._grid = BlockGrid(config.box, BLOCK_SHAPE)
        self._blocks: OrderedDict[int, dict[Layer, NDArray[Any]]] = OrderedDict()
        self._limit = cache_bytes
        self._bytes = 0
        self._lock = Lock()

    @property
    def cached_bytes(self) -> int:
        """The memory that rendered blocks take now."""
        return self._bytes

    def volume(self, layer: Layer) -> RenderedVolume:
        """One of its arrays, with the interface of a volume that is read."""
        return RenderedVolume(self, layer)

    def synapses(self) -> list[ReferenceSynapse]:
        """Its synapses, as `Phantom.synapses`."""
        with self._lock:
            return self._phantom.synapses()

    def read(self, layer: Layer, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box that lies inside it, of the layer's data type, from blocks that are kept."""
        data = np.zeros(box.shape, DTYPES[layer])
        for number in self._grid.overlapping(box):
            common = self._grid.block(number).intersect(box)
            with self._lock:
                voxels = self._block(number)[layer]
            data[common.slices(box.start)] = voxels[common.slices(self._grid.block(number).start)]
        return data

    def render(self, layer: Layer, box: Box) -> NDArray[Any]:
        """The same as `read`, made anew and not kept: for boxes that are looked at once."""
        with self._lock:
            voxels: NDArray[Any] = getattr(self._phantom.render(box), layer)
        return voxels

    def _block(self, number: int) -> dict[Layer, NDArray[Any]]:
        """The arrays (z, y, x) of a block; labels as uint32, for a phantom's ids are small, which halves the memory."""
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        rendered = self._phantom.render(self._grid.block(number))
        block: dict[Layer, NDArray[Any]] = {
            Layer.IMAGE: rendered.image,
            Layer.SEGMENTATION: rendered.segmentation.astype(np.uint32),
            Layer.CLEFTS: rendered.clefts.astype(np.uint32),
        }
        self._blocks[number] = block
        self._bytes += _bytes_of(block)
        while self._bytes > self._limit and len(self._blocks) > 1:
            self._bytes -= _bytes_of(self._blocks.popitem(last=False)[1])
        return block


def _bytes_of(block: dict[Layer, NDArray[Any]]) -> int:
    return sum(array.nbytes for array in block.values())


@dataclass(frozen=True)
class RenderedVolume:
    """One array of a phantom; reads like a `connectome.volumes.volume.Volume`.

    Attributes:
        is_kept: whether the phantom keeps what is read; not for pieces all over it that are looked at once.
    """

    phantom: RenderedPhantom
    layer: Layer
    is_kept: bool = True

    @property
    def url(self) -> str:
        """The phantom's name and the layer, for messages."""
        return f"{self.phantom.name} ({self.layer})"

    @property
    def grid(self) -> Grid:
        """The grid of the volume."""
        return Grid(shape=self.phantom.config.shape, resolution_nm=self.phantom.config.resolution_nm)

    @property
    def box(self) -> Box:
        """All its voxels."""
        return self.phantom.config.box

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""
        return DTYPES[self.layer]

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside the volume."""
        return (self.phantom.read if self.is_kept else self.phantom.render)(self.layer, box)

    def read_strided(self, box: Box, step: Triple) -> NDArray[Any]:
        """Every `step`-th voxel (z, y, x) of a box, from its first; what is beyond the border is left out."""
        return self.read(box.intersect(self.phantom.config.box))[tuple(slice(None, None, s) for s in step)]
