"""What a stage is made of: its blocks, the work that computes one, and the commit that makes it done."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from connectome.errors import (
    ClusterError,
    ConnectomeError,
    DatabaseUnavailableError,
    RunConflictError,
    SegmentIdError,
)
from connectome.geometry import BlockGrid
from connectome.store.database import Database
from connectome.store.runs.blocks import BlockMark, BlockTransaction, Stage, mark_done, store_faces
from connectome.store.runs.stage_progress import StageSize

WriteRows = Callable[[BlockTransaction], None]
FATAL = (ClusterError, DatabaseUnavailableError, RunConflictError, SegmentIdError)
"""Errors that end the stage; any other one is its block's own."""


def no_rows(transaction: BlockTransaction) -> None:
    """Write nothing but the block's done mark."""


def no_voxels() -> None:
    """Write none."""


@dataclass(frozen=True, kw_only=True)
class Computed:
    """What is left to do for a block that is computed; both may be done twice.

    Attributes:
        write_voxels: comes first.
        write_rows: in the transaction with the block's done mark.
    """

    write_voxels: Callable[[], None] = no_voxels
    write_rows: WriteRows = no_rows


Work = Callable[[int], Computed]
"""Computes the block of an id; called from several threads at once."""


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """The blocks of a stage, never as a list: there may be millions.

    Attributes:
        size: what they add up to.
        each: gives the ids and sizes, from the start at every call.
    """

    size: StageSize
    each: Callable[[], Iterable[tuple[int, int]]]

    @classmethod
    def of(cls, each: Callable[[], Iterable[tuple[int, int]]], unit: str = "voxels") -> Blocks:
        """Count what `each` gives."""
        blocks = voxels = 0
        for _, size in each():
            blocks += 1
            voxels += size
        return cls(size=StageSize(blocks=blocks, voxels=voxels, unit=unit), each=each)


def box_blocks(grid: BlockGrid) -> Blocks:
    """The blocks of a grid with their sizes in voxels."""
    return Blocks.of(lambda: ((block_id, box.size_voxels) for block_id, box in grid))


@dataclass(frozen=True, kw_only=True)
class ReadyBlock:
    """A computed block on its way into the database."""

    mark: BlockMark
    computed: Computed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an attempt at a block; `error` is None where it is done."""

    mark: BlockMark
    error: str | None = None


Outcomes = Generator[Outcome, None, None]
"""Given one by one as blocks end; closing it stops the rest."""


class StoppedError(Exception):
    """The stage was stopped while a block was under way; no other message than the stop's own reason is wanted."""


class Turn:
    """One network call at a time in a process, while other threads read and write; and the way to stop them all."""

    def __init__(self) -> None:
        """Nobody's turn yet."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._waits = threading.local()

    @contextmanager
    def taken(self) -> Iterator[None]:
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
        """How long this thread has waited for its turns."""
        return float(getattr(self._waits, "seconds", 0.0))

    def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            StoppedError: the stage was stopped meanwhile.
        """
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """End all threads at their next turn or pause; for good."""
        self._stopped.set()


def commit(database: Database, run_id: int, stage: Stage, blocks: Sequence[ReadyBlock]) -> None:
    """Write the voxels and rows of blocks and mark them done, in one transaction.

    Who marks a block first keeps others from writing it: what is done already is left alone.

    Raises:
        DatabaseError, StorageError: none of the blocks is done.
    """
    with database.begin() as connection:
        fresh = mark_done(connection, run_id, stage, [block.mark for block in blocks])
        for block in blocks:
            block_id = block.mark.block_id
            if block_id not in fresh:
                continue
            block.computed.write_voxels()
            transaction = BlockTransaction(connection=connection)
            block.computed.write_rows(transaction)
            if transaction.faces is not None:
                store_faces(connection, run_id, stage, block_id, transaction.faces)


def error_text(error: BaseException) -> str:
    """One line for a failed block: our errors' own words, of others the type and the place too."""
    words = " ".join(str(error).split())
    if isinstance(error, ConnectomeError):
        return words
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place, trace = f" ({os.path.basename(code.co_filename)}, line {trace.tb_lineno})", trace.tb_next
    return f"{type(error).__name__}: {words}{place}"


def worker_name() -> str:
    """This process, for people: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"
