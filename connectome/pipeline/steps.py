"""Steps of a build on a box: its prediction, its labels, its clefts' partners; without database or progress.

The stages of a build call this for their blocks; tuning, calibration and the search for decoys for a box in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import Connectivity, LabelledBlock, grown, label_block
from connectome.clefts.predict import CleftPredictor
from connectome.clefts.representations import Representation, signed_values
from connectome.clefts.tiling import Blender, TileLattice
from connectome.geometry import BlockGrid, Box, Grid, Triple, triple
from connectome.networks.inference import encoded_absence
from connectome.partners.patches import PATCHES_A_BATCH, PatchReader, batches
from connectome.partners.scores import Assigner, CleftPatch
from connectome.pipeline.chosen import Parameters
from connectome.pipeline.inputs import Inputs, as_model_sees
from connectome.records import Clefts
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, may_hold_others, read_segments

LARGEST_CHUNK: Triple = (32, 128, 128)
SLAB_SECTIONS = 16

ReadPrediction = Callable[[Box], NDArray[np.uint8]]
"""Reads the prediction (uint8 (z, y, x)) of a box of the build."""
HoldNetwork = Callable[[], AbstractContextManager[None]]
"""Held around each call of a network."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The steps of a build with these inputs and parameters."""

    inputs: Inputs
    parameters: Parameters

    @cached_property
    def working_grid(self) -> Grid:
        """The grid that everything lies on: all of the segmentation, at the models' resolution."""
        inputs = self.inputs
        return Grid(shape=inputs.shape, resolution_nm=inputs.resolution_nm, offset_nm=inputs.offset_nm)

    @cached_property
    def lattice(self) -> TileLattice:
        """The tiles of the detector."""
        return TileLattice(self.inputs.shape, self.parameters.tiles, self.inputs.detector.card.network.multiple)

    @cached_property
    def representation(self) -> Representation:
        """How the detector represents clefts."""
        return Representation(self.parameters.representation, self.inputs.resolution_nm)

    @cached_property
    def predicted_box(self) -> Box:
        """The working voxels that are predicted: those to build and, where image and segmentation go on, a halo."""
        both = self.inputs.image.box.intersect(Box.of_shape(self.inputs.shape))
        return self.inputs.box.grow(self.representation.halo).intersect(both)

    @property
    def chunk_shape(self) -> Triple:
        """The chunks of the volumes that a build writes."""
        return chunk_shape(self.parameters.block_shape)

    def create_volume(
        self, path: Path, dtype: type, shape: Triple | None = None, chunks: Triple | None = None
    ) -> Volume:
        """A new volume on the working grid, in the place of what is there.

        Args:
            path: where.
            dtype: of its voxels.
            shape: voxels (z, y, x); None: those of the working grid.
            chunks: shape (z, y, x); None: `chunk_shape`.
        """
        return Volume.create(
            path,
            shape=shape or self.working_grid.shape,
            dtype=dtype,
            resolution_nm=self.working_grid.resolution_nm,
            offset_nm=self.working_grid.offset_nm,
            chunk_shape=chunks or self.chunk_shape,
            overwrite=True,
        )

    def tile_predictor(self, hold: HoldNetwork = nullcontext) -> TilePredictor:
        """The detector, ready to predict tiles."""
        inputs = self.inputs
        return TilePredictor(
            network=CleftPredictor(inputs.detector, inputs.device),
            image=as_model_sees(inputs.image, self.parameters.grey_range, inputs.detector.card.normalisation),
            segmentation=inputs.segmentation,
            lattice=self.lattice,
            hold=hold,
        )

    def seen_box(self, block: Box) -> Box:
        """What of the prediction the labels of a block depend on."""
        return grown(block, self.inputs.box).grow(self.representation.halo).intersect(self.predicted_box)

    def labelled(self, block: Box, prediction: NDArray[np.uint8], threshold: int | None = None) -> LabelledBlock:
        """A block's components.

        Args:
            block: its own voxels.
            prediction: uint8 (z, y, x), over its `seen_box`.
            threshold: 1 to 255; None: the build's.
        """
        wide, parameters = grown(block, self.inputs.box), self.parameters
        strength = self.representation.strength(prediction)[wide.slices(self.seen_box(block).start)]
        return label_block(
            np.ascontiguousarray(strength),
            block,
            self.inputs.shape,
            parameters.stored_threshold if threshold is None else threshold,
            Connectivity(parameters.connectivity),
        )

    def open_assigner(self) -> Assigner:
        """Who scores candidates."""
        inputs = self.inputs
        return inputs.assigner.open(inputs.device, inputs.resolution_nm, inputs.detector.card.method)

    def patch_reader(self, clefts: Volume, read_prediction: ReadPrediction) -> PatchReader:
        """Reads what the assigner is shown; `clefts`: the volume of their ids."""

        def proximity(box: Box) -> NDArray[np.float32] | None:
            if not self.representation.is_signed:
                return None
            return signed_values(read_prediction(box.intersect(self.inputs.box)), box, self.inputs.box)

        return PatchReader(
            image=as_model_sees(self.inputs.image, self.parameters.grey_range, self.inputs.assigner.normalisation),
            segmentation=self.inputs.segmentation,
            clefts=clefts,
            shape=self.inputs.assigner.patch_shape(self.inputs.resolution_nm),
            proximity=proximity,
        )


def patch_batches(clefts: Clefts, reader: PatchReader) -> Iterator[tuple[Clefts, list[Box], list[CleftPatch]]]:
    """Clefts, the box of each one's patch, and the patches: as many at a time as an assigner is shown at once."""
    extents = [Box(triple(a), triple(b)) for a, b in zip(clefts.start, clefts.stop, strict=True)]
    seen = [reader.box(centre, extent) for centre, extent in zip(clefts.centre, extents, strict=True)]
    for part in batches([box.size_voxels for box in seen], PATCHES_A_BATCH * math.prod(reader.shape)):
        own = clefts.take(np.arange(part.start, part.stop))
        boxes = list(zip(extents[part], seen[part], strict=True))
        yield own, seen[part], reader.read(own.cleft_id, boxes)


@dataclass(frozen=True, kw_only=True)
class TilePredictor:
    """Answers for tiles; threads may share it.

    Attributes:
        network: the detector.
        image: uint8, with the detector's grey values.
        segmentation: on the same working grid; tiles that show none of it aren't shown to the network.
        lattice: the tiles.
        hold: held around each call of the network.
    """

    network: CleftPredictor
    image: GridView
    segmentation: GridView
    lattice: TileLattice
    hold: HoldNetwork = nullcontext

    def outputs(self, cells: Sequence[Triple]) -> list[NDArray[np.uint8]]:
        """What the detector says of the voxels that tiles keep: uint8 (z, y, x) each.

        Where a tile keeps nothing but background, there is no cleft. That is decided by the tile, not by the block.

        Raises:
            StorageError: a volume can't be read. DeviceError: the device hasn't the memory for a tile.
        """
        method = self.network.card.method
        kept = {cell: self.lattice.kept_box(cell) for cell in cells}
        found = {cell: np.full(box.shape, encoded_absence(method), np.uint8) for cell, box in kept.items()}
        alike: dict[Triple, list[Triple]] = {}
        for cell, box in kept.items():
            if has_segments(self.segmentation, box):
                alike.setdefault(self.lattice.input_box(cell).shape, []).append(cell)
        for group in alike.values():
            seen = [self.lattice.input_box(cell) for cell in group]
            tiles = np.stack([mirrored(self.image, box) for box in seen])
            with self.hold():
                predicted = self.network.predict(tiles)
            for cell, box, output in zip(group, seen, predicted, strict=True):
                found[cell] = np.ascontiguousarray(output[kept[cell].slices(box.start)])
        return [found[cell] for cell in cells]


def blended(lattice: TileLattice, box: Box, read_tile: Callable[[Triple, Box], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The blended prediction over a box of working voxels: uint8 (z, y, x).

    Args:
        lattice: the detector's tiles.
        box: where.
        read_tile: gives a part of a tile's output, from its place in the lattice and a box in voxels of the output.
    """
    blender = Blender(lattice, box)
    for cell in lattice.cells_overlapping(box):
        output = lattice.output_box(cell)
        part = output.intersect(box)
        blender.add(cell, part, read_tile(cell, part.shift(triple(-n for n in output.start))))
    return blender.result()


def has_segments(segmentation: GridView, box: Box) -> bool:
    """True if any voxel of a box belongs to a segment; reads no more of it than that, or its ids, need.

    Raises:
        SegmentIdError: an id that isn't one. StorageError: a chunk can't be read.
    """
    slabs = BlockGrid(box, (SLAB_SECTIONS, *box.shape[1:]))
    found = (read_segments(segmentation, slab).any() for _, slab in slabs)
    return any(list(found) if may_hold_others(segmentation.dtype) else found)


def mirrored(image: GridView, box: Box) -> NDArray[Any]:
    """The voxels (z, y, x) of `box`; beyond the border the mirror image, so that the network sees tissue there."""
    inside = box.intersect(image.box)
    if inside.is_empty:
        return image.read(box)
    return np.pad(image.read(inside), box.margins(inside), mode="symmetric")


def chunk_shape(block_shape: Triple) -> Triple:
    """Chunks that divide a block: of at most `LARGEST_CHUNK`, unless a side has only small divisors and stays whole."""
    chunks = []
    for n, largest in zip(block_shape, LARGEST_CHUNK, strict=True):
        best = max(d for d in range(1, min(n, largest) + 1) if n % d == 0)
        chunks.append(best if 2 * best > min(n, largest) or best >= 16 else n)
    return triple(chunks)
