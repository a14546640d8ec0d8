"""A build under way: the run, its volumes on disk, the lock on its network, and how it waits for its database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from connectome.errors import RunConflictError
from connectome.geometry import BlockGrid, Box, Triple
from connectome.pipeline.steps import Steps, blended
from connectome.records import Progress
from connectome.store.database import Database, retried
from connectome.store.runs.blocks import Stage, done_blocks
from connectome.store.runs.lock import RunLock
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import CLEFTS
from connectome.volumes.volume import Volume

TILES, PREDICTION = "tiles.zarr", "prediction.zarr"

Value = TypeVar("Value")


class StoppedError(Exception):
    """The stage was stopped while a block was under way; no other message than the stop's own reason is wanted."""


class NetworkLock:
    """One network call at a time in a process, while other threads read and write; and the way to stop them all."""

    def __init__(self) -> None:
        """Nobody holds it yet."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._waits = threading.local()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the network and hold it.

        Raises:
            StoppedError: the stage was stopped meanwhile.
        """
        began = time.monotonic()
        with self._lock:
            self._waits.seconds = self.waited_s + time.monotonic() - began
            if self._stopped.is_set():
                raise StoppedError
            yield

    @property
    def waited_s(self) -> float:
        """The seconds that this thread has waited for it so far."""
        return float(getattr(self._waits, "seconds", 0.0))

    def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            StoppedError: the stage was stopped meanwhile.
        """
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """End all threads at their next network call or pause; for good."""
        self._stopped.set()


@dataclass(frozen=True, kw_only=True)
class BuildContext(Steps):
    """One build under way, in the process that leads it or in a worker.

    Attributes:
        lock: on the run; None in a worker.
        network: held around every call of a network.
        attempts: how often a block is tried before it is left as failed.
        retry_s: how long to wait for a database that is away.
    """

    database: Database
    run: RunRecord
    progress: Progress
    lock: RunLock | None = None
    network: NetworkLock = field(default_factory=NetworkLock)
    attempts: int = 3
    retry_s: float = 120.0

    @cached_property
    def blocks(self) -> BlockGrid:
        """The blocks of all stages but the first."""
        return BlockGrid(self.inputs.box, self.parameters.block_shape)

    @cached_property
    def tiles(self) -> Volume:
        """uint8: the detector's output, tile beside tile; scratch, gone when the run is finished."""
        return self._volume(TILES, Stage.PREDICT, np.uint8, self.lattice.store_shape, self.parameters.tiles.output)

    @cached_property
    def prediction(self) -> Volume:
        """uint8: the blended output of the detector, see `networks.inference.encoded`."""
        return self._volume(PREDICTION, Stage.LABEL, np.uint8)

    @cached_property
    def clefts(self) -> Volume:
        """uint64: cleft ids."""
        return self._volume(CLEFTS, Stage.RELABEL, np.uint64)

    def blended_tiles(self, box: Box) -> NDArray[np.uint8]:
        """The prediction over a box of the predicted voxels, from the tiles: uint8 (z, y, x)."""

        def read_tile(cell: Triple, part: Box) -> NDArray[np.uint8]:
            return self.tiles.read(part.shift(self.lattice.store_box(cell).start))

        return blended(self.lattice, box, read_tile)

    def retried(self, action: Callable[[], Value]) -> Value:
        """Do something that may be done twice; again while the database is away, and hold the run's lock before.

        Raises:
            DatabaseUnavailableError: it is away for too long. RunConflictError: meanwhile another process took the run.
        """
        hold = (lambda: None) if self.lock is None else self.lock.hold
        return retried(action, total_s=self.retry_s, pause=self.network.pause, before=hold)

    def _volume(
        self, name: str, writer: Stage, dtype: type, shape: Triple | None = None, chunks: Triple | None = None
    ) -> Volume:
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
        return self.create_volume(path, dtype, shape, chunks)
