"""What the stages of one build share: the run, its inputs, its volumes on disk, its grids."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import Connectivity
from connectome.clefts.representations import Representation, signed_values
from connectome.clefts.tiling import TileLattice, TileShape
from connectome.errors import RunConflictError
from connectome.geometry import BlockGrid, Box, Triple, triple
from connectome.grey_values import GreyRange
from connectome.grid_view import GridView
from connectome.networks.checkpoint import Method
from connectome.partners.assignment import AssignmentRules
from connectome.partners.confidence import ConfidenceModel
from connectome.pipeline.finished import CLEFTS
from connectome.pipeline.inputs import Inputs
from connectome.pipeline.normalising import Normalising, as_model_sees, recorded_normalisation
from connectome.records import Progress
from connectome.store.blocks import BlockTransaction, Stage, block_transaction, done_blocks
from connectome.store.database import Database
from connectome.store.run_records import RunRecord
from connectome.volume import Volume

TILES, PREDICTION = "tiles.zarr", "prediction.zarr"
LARGEST_CHUNK: Triple = (32, 128, 128)

WriteRows = Callable[[BlockTransaction], None]


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Everything besides inputs and models that the result depends on; recorded with the run.

    Attributes:
        representation: of clefts, in the prediction.
        threshold: 1 to 255, on the uint8 strength (see `clefts.representations`).
        assigner: nearest, or the method of the network that chooses. direction: what tells pre from post.
        duplicate_distance_nm: synapses of the same partners with clefts this near are one; 0: off.
        min_score: synapses of a lower raw score (see `Evidence`) are left out.
        confidence: makes the synapses' confidence; None: it is their raw score.
        normalisation: what was asked for. grey_range: what came of it (see `choose_grey_range`).
    """

    representation: Method
    threshold: int
    min_size_voxels: int
    assigner: str
    direction: str
    assignment: AssignmentRules
    duplicate_distance_nm: float = 0.0
    min_score: float = 0.0
    confidence: ConfidenceModel | None = None
    connectivity: Connectivity
    block_shape: Triple
    tiles: TileShape
    normalisation: Normalising | GreyRange
    grey_range: GreyRange | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "representation": self.representation.value, "threshold": self.threshold,
            "min_size_voxels": self.min_size_voxels,
            "assigner_method": self.assigner, "direction": self.direction, **asdict(self.assignment),
            "duplicate_distance_nm": self.duplicate_distance_nm, "min_score": self.min_score,
            "confidence": None if self.confidence is None else self.confidence.to_json(),
            "connectivity": int(self.connectivity), "block_shape": list(self.block_shape),
            "tile": list(self.tiles.tile), "tile_halo": list(self.tiles.halo),
            "tile_overlap": list(self.tiles.overlap),
            **recorded_normalisation(self.normalisation, self.grey_range),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """One build under way."""

    database: Database
    run: RunRecord
    inputs: Inputs
    parameters: Parameters
    progress: Progress

    @cached_property
    def grid(self) -> BlockGrid:
        """The blocks of all stages but the first."""
        return BlockGrid(self.inputs.box, self.parameters.block_shape)

    @cached_property
    def lattice(self) -> TileLattice:
        """The tiles of the detector."""
        return TileLattice(self.inputs.shape, self.parameters.tiles, self.inputs.detector.card.network.multiple)

    @cached_property
    def detector_image(self) -> GridView:
        """uint8: the image with the detector's grey values."""
        return as_model_sees(self.inputs.image, self.parameters.grey_range, self.inputs.detector.card.normalisation)

    @cached_property
    def assigner_image(self) -> GridView:
        """uint8: the image with the assigner's grey values."""
        return as_model_sees(self.inputs.image, self.parameters.grey_range, self.inputs.assigner.normalisation)

    @cached_property
    def representation(self) -> Representation:
        """How the detector represents clefts."""
        return Representation(self.parameters.representation, self.inputs.resolution_nm)

    @cached_property
    def predicted_box(self) -> Box:
        """The working voxels that are predicted: those to build and, where image and segmentation go on, a halo."""
        return predicted_box(self.inputs, self.representation)

    @cached_property
    def tiles(self) -> Volume:
        """uint8: the detector's output, tile beside tile; scratch, gone when the run is finished."""
        shape = self.parameters.tiles.output
        return self._volume(TILES, Stage.PREDICT, np.uint8, self.lattice.store_shape, shape)

    @cached_property
    def prediction(self) -> Volume:
        """uint8: the blended output of the detector, see `networks.outputs.encoded`."""
        return self._volume(
            PREDICTION, Stage.LABEL, np.uint8, self.inputs.shape, chunk_shape(self.parameters.block_shape)
        )

    def proximity(self, box: Box) -> NDArray[np.float32] | None:
        """The signed proximity of working voxels, float32 (z, y, x), 0 outside the build; None if there is none."""
        if not self.representation.is_signed:
            return None
        shared = box.intersect(self.inputs.box)
        return signed_values(self.prediction.read(shared), box, self.inputs.box)

    @cached_property
    def clefts(self) -> Volume:
        """uint64: cleft ids."""
        return self._volume(
            CLEFTS, Stage.RELABEL, np.uint64, self.inputs.shape, chunk_shape(self.parameters.block_shape)
        )

    def _volume(self, name: str, writer: Stage, dtype: type, shape: Triple, chunks: Triple) -> Volume:
        """Open one of the run's volumes; create it if the stage that writes it hasn't begun.

        Raises:
            RunConflictError: it was written and is gone.
        """
        path = Path(self.run.folder) / name
        if (path / "zarr.json").exists():
            return Volume.open(path, writable=True)
        if done_blocks(self.database, self.run.run_id, writer):
            raise RunConflictError(
                f"{path} is gone, though run '{self.run.name}' has written it: bring it back, or use --restart"
            )
        return Volume.create(
            path, shape=shape, dtype=dtype, resolution_nm=self.inputs.resolution_nm,
            offset_nm=self.inputs.offset_nm, chunk_shape=chunks, overwrite=True,
        )  # fmt: skip

    def run_stage(
        self, stage: Stage, blocks: Iterable[tuple[int, int]], work: Callable[[int], WriteRows], unit: str = "voxels"
    ) -> None:
        """Do the blocks of a stage that aren't done yet.

        Args:
            stage: which.
            blocks: ids and sizes (in `unit`).
            work: computes a block and writes its voxels; what it returns writes its rows, in one transaction with the
                block's done mark.
            unit: of the sizes.
        """
        todo = list(blocks)
        done = done_blocks(self.database, self.run.run_id, stage)
        self.progress.start(
            stage.value, sum(size for _, size in todo), sum(size for block_id, size in todo if block_id in done), unit
        )
        for block_id, size in todo:
            if block_id in done:
                continue
            began = time.monotonic()
            write_rows = work(block_id)
            with block_transaction(self.database, self.run.run_id, stage, block_id, voxels=size) as transaction:
                write_rows(transaction)
                transaction.seconds = time.monotonic() - began
            self.progress.advance(size)
        self.progress.finish()


def predicted_box(inputs: Inputs, representation: Representation) -> Box:
    """See `BuildContext.predicted_box`."""
    both = inputs.image.box.intersect(Box.of_shape(inputs.shape))
    return inputs.box.grow(representation.halo).intersect(both)


def threshold_of(probability: float) -> int:
    """A threshold in [0, 1] on the uint8 prediction: 1 to 255."""
    return min(max(round(probability * 255), 1), 255)


def chunk_shape(block_shape: Triple) -> Triple:
    """Chunks that divide a block: of at most `LARGEST_CHUNK`, unless a side has only small divisors and stays whole."""
    chunks = []
    for n, largest in zip(block_shape, LARGEST_CHUNK, strict=True):
        best = max(d for d in range(1, min(n, largest) + 1) if n % d == 0)
        chunks.append(best if 2 * best > min(n, largest) or best >= 16 else n)
    return triple(chunks)


def no_rows(transaction: BlockTransaction) -> None:
    """Write nothing but the block's done mark."""


def box_blocks(grid: BlockGrid) -> list[tuple[int, int]]:
    """The ids and sizes in voxels of a grid's blocks."""
    return [(block_id, box.size_voxels) for block_id, box in grid]


def shifted(box: Box, by: Triple) -> Box:
    """The box seen from `by`."""
    return box.shift(triple(-n for n in by))
