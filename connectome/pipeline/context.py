"""What the stages of one build share: the run, its inputs, its volumes on disk, its grids."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.representations import Representation, signed_values
from connectome.clefts.tiling import TileLattice
from connectome.errors import RunConflictError
from connectome.geometry import BlockGrid, Box, Triple, triple
from connectome.pipeline.chosen import Parameters
from connectome.pipeline.finished import CLEFTS
from connectome.pipeline.inputs import Inputs
from connectome.pipeline.normalisation import as_model_sees
from connectome.pipeline.stages.stage import Turn
from connectome.records import Progress
from connectome.store.database import Database
from connectome.store.retry import Patience, patiently
from connectome.store.runs.blocks import Stage, done_blocks
from connectome.store.runs.lock import RunLock
from connectome.store.runs.records import RunRecord
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView

TILES, PREDICTION = "tiles.zarr", "prediction.zarr"
LARGEST_CHUNK: Triple = (32, 128, 128)

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """One build under way, in the process that leads it or in a worker.

    Attributes:
        lock: on the run; None in a worker.
        turn: whose turn it is at the network.
        attempts: how often a block is tried before it is left as failed.
        patience_s: how long to wait for a database that is away.
    """

    database: Database
    run: RunRecord
    inputs: Inputs
    parameters: Parameters
    progress: Progress
    lock: RunLock | None = None
    turn: Turn = field(default_factory=Turn)
    attempts: int = 3
    patience_s: float = 120.0

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
        """uint8: the blended output of the detector, see `networks.inference.encoded`."""
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
                f"{path} is gone, though run '{self.run.name}' has written it",
                about="restart",
            )
        return Volume.create(
            path,
            shape=shape,
            dtype=dtype,
            resolution_nm=self.inputs.resolution_nm,
            offset_nm=self.inputs.offset_nm,
            chunk_shape=chunks,
            overwrite=True,
        )

    def network(self) -> AbstractContextManager[None]:
        """Hold it around every call of a network: one at a time, while other blocks are read and written."""
        return self.turn.taken()

    def insist(self, action: Callable[[], Value]) -> Value:
        """Do something that may be done twice; wait while the database is away.

        Raises:
            DatabaseUnavailableError: it is away for too long. RunConflictError: meanwhile another process took the run.
        """
        return patiently(action, self.patience)

    @cached_property
    def patience(self) -> Patience:
        """How long to wait for the database; the run's lock is taken again before anything else."""
        hold = Patience().before_retry if self.lock is None else self.lock.hold
        return Patience(total_s=self.patience_s, pause=self.turn.pause, before_retry=hold)


def predicted_box(inputs: Inputs, representation: Representation) -> Box:
    """See `BuildContext.predicted_box`."""
    both = inputs.image.box.intersect(Box.of_shape(inputs.shape))
    return inputs.box.grow(representation.halo).intersect(both)


def chunk_shape(block_shape: Triple) -> Triple:
    """Chunks that divide a block: of at most `LARGEST_CHUNK`, unless a side has only small divisors and stays whole."""
    chunks = []
    for n, largest in zip(block_shape, LARGEST_CHUNK, strict=True):
        best = max(d for d in range(1, min(n, largest) + 1) if n % d == 0)
        chunks.append(best if 2 * best > min(n, largest) or best >= 16 else n)
    return triple(chunks)


def shifted(box: Box, by: Triple) -> Box:
    """The box seen from `by`."""
    return box.shift(triple(-n for n in by))
