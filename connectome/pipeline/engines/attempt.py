"""One attempt at a block, the same in every engine: compute it, commit it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectome.pipeline.context import BuildContext
from connectome.pipeline.stages.stage import FATAL, Outcome, ReadyBlock, Work, commit, error_text, no_voxels
from connectome.store.runs.blocks import BlockMark, Stage


class Pace:
    """How long blocks take, and so how many tiny ones are worth doing at once."""

    def __init__(self, seconds: float, most: int) -> None:
        """Aim at blocks of so many seconds together, at most so many blocks."""
        self._together_s = seconds
        self._most = most
        self._block_s: float | None = None

    def note(self, seconds: float) -> None:
        """Learn of a block."""
        self._block_s = seconds if self._block_s is None else 0.9 * self._block_s + 0.1 * seconds

    @property
    def blocks(self) -> int:
        """How many to do at once; 1 before any is known."""
        return 1 if self._block_s is None else max(1, min(int(self._together_s / max(self._block_s, 1e-6)), self._most))


def compute(context: BuildContext, work: Work, mark: BlockMark) -> ReadyBlock:
    """Compute a block; its seconds are without those spent waiting for the network."""
    began = time.monotonic() - context.turn.waited_s
    computed = context.insist(lambda: work(mark.block_id))
    seconds = time.monotonic() - context.turn.waited_s - began
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
        context.insist(lambda: commit(context.database, context.run.run_id, stage, ready))
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
