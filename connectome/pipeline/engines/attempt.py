"""One attempt at a block, the same in every engine: compute it, commit it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from connectome.credentials import without_credentials
from connectome.errors import (
    ClusterError,
    ConnectomeError,
    DatabaseUnavailableError,
    RunConflictError,
    SegmentIdError,
)
from connectome.pipeline.context import BuildContext
from connectome.pipeline.stages.stage import BuildStage, Computed, no_voxels
from connectome.store.database import Database
from connectome.store.runs.blocks import BlockMark, BlockTransaction, Stage, mark_done, store_faces

FATAL = (ClusterError, DatabaseUnavailableError, RunConflictError, SegmentIdError)
"""Errors that end the stage; any other one is its block's own."""


@dataclass(frozen=True, kw_only=True)
class ReadyBlock:
    """A computed block on its way into the database."""

    mark: BlockMark
    computed: Computed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of an attempt at a block; `error` is None where it is done."""

    mark: BlockMark
    error: str | None = None


Outcomes = Generator[Outcome, None, None]
"""Given one by one as blocks end; closing it stops the rest."""


class BatchSize:
    """The number of blocks worth doing at once: several where they are tiny, from how long they take."""

    def __init__(self, seconds: float, most: int) -> None:
        """Aim at blocks of so many seconds together, at most so many blocks."""
        self._together_s = seconds
        self._most = most
        self._block_s: float | None = None

    def learn(self, seconds: float) -> None:
        """A block took so long."""
        self._block_s = seconds if self._block_s is None else 0.9 * self._block_s + 0.1 * seconds

    @property
    def blocks(self) -> int:
        """The number to do at once; 1 before any is known."""
        return 1 if self._block_s is None else max(1, min(int(self._together_s / max(self._block_s, 1e-6)), self._most))


def compute(stage: BuildStage, mark: BlockMark) -> ReadyBlock:
    """Compute a block; its seconds are without those spent waiting for the network."""
    context = stage.context
    began = time.monotonic() - context.network.waited_s
    computed = context.retried(lambda: stage.work(mark.block_id))
    seconds = time.monotonic() - context.network.waited_s - began
    return ReadyBlock(mark=replace(mark, seconds=max(seconds, 0.0)), computed=computed)


def with_voxels(block: ReadyBlock) -> ReadyBlock:
    """Write the voxels of a computed block; what is left are its rows."""
    began = time.monotonic()
    block.computed.write_voxels()
    seconds = block.mark.seconds + time.monotonic() - began
    rest = replace(block.computed, write_voxels=no_voxels)
    return ReadyBlock(mark=replace(block.mark, seconds=seconds), computed=rest)


def committed(context: BuildContext, stage: Stage, ready: Sequence[ReadyBlock]) -> Iterator[Outcome]:
    """Commit blocks together; if one of them can't be, each by itself.

    Raises:
        DatabaseUnavailableError: the database was away for too long. RunConflictError: another process took the run.
    """
    if not ready:
        return
    try:
        context.retried(lambda: commit(context.database, context.run.run_id, stage, ready))
    except FATAL:
        raise
    except Exception as error:
        if len(ready) == 1:
            yield Outcome(mark=ready[0].mark, error=error_text(error))
            return
        for block in ready:
            yield from committed(context, stage, [block])
        return
    for block in ready:
        yield Outcome(mark=block.mark)


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
    words = without_credentials(" ".join(str(error).split()))
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
