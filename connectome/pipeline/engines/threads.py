"""The engine of one process: a few blocks at a time in threads; reading, the network and writing overlap."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue

from connectome.pipeline.engines.attempt import (
    FATAL,
    BatchSize,
    Outcome,
    Outcomes,
    ReadyBlock,
    committed,
    compute,
    error_text,
    with_voxels,
    worker_name,
)
from connectome.pipeline.stages.stage import BuildStage
from connectome.store.runs.blocks import BlockMark

NETWORK_THREADS = 3  # one reads, one holds the network, one writes
MOST_THREADS = 9
MOST_IN_FLIGHT = 64
COMMIT_EVERY_S = 0.2
"""Blocks that take less time are committed several at once."""

Attempt = Future[ReadyBlock]


class ThreadEngine:
    """Computes blocks in threads and commits them, as many as are ready at once, in the thread that iterates."""

    def run(self, stage: BuildStage, blocks: Iterable[tuple[int, int]]) -> Outcomes:
        """Try each block once.

        Raises:
            DatabaseUnavailableError: it was away for too long. RunConflictError: another process took the run.
        """
        stage.context.retried(stage.open)
        pool = ThreadPoolExecutor(thread_count(stage), thread_name_prefix=stage.name.value)
        try:
            yield from _flow(_Workers(stage, pool), iter(blocks))
        except BaseException:  # an error, Ctrl-C, or nobody wants more
            stage.context.network.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Workers:
    """The threads of one stage, and the blocks in flight."""

    def __init__(self, stage: BuildStage, pool: ThreadPoolExecutor) -> None:
        self.stage = stage
        self.in_flight: dict[Attempt, BlockMark] = {}
        self.finished: SimpleQueue[Attempt] = SimpleQueue()
        self.batch = BatchSize(COMMIT_EVERY_S, MOST_IN_FLIGHT)
        self._pool = pool
        self._least = thread_count(stage) + 1

    @property
    def free(self) -> int:
        """The number of blocks that may begin: few, but of tiny ones as many as one commit can take."""
        return max(self._least, self.batch.blocks) - len(self.in_flight)

    def begin(self, block_id: int, size: int) -> None:
        """Have a thread compute a block."""
        mark = BlockMark(block_id=block_id, voxels=size, worker=worker_name())
        attempt = self._pool.submit(_compute, self.stage, mark)
        self.in_flight[attempt] = mark
        attempt.add_done_callback(self.finished.put)

    def take(self) -> list[Attempt]:
        """The finished attempts: at least one, once there is one."""
        attempts = [self.finished.get()]
        while not self.finished.empty():
            attempts.append(self.finished.get())
        return attempts


def thread_count(stage: BuildStage) -> int:
    """The number of blocks of a stage that are computed at a time."""
    return NETWORK_THREADS if stage.network else min(os.cpu_count() or 1, MOST_THREADS - 1) + 1


def _flow(workers: _Workers, blocks: Iterator[tuple[int, int]]) -> Iterator[Outcome]:
    while True:
        for block_id, size in islice(blocks, max(workers.free, 0)):
            workers.begin(block_id, size)
        if not workers.in_flight:
            return
        ready = []
        for attempt in workers.take():
            mark, error = workers.in_flight.pop(attempt), attempt.exception()
            if isinstance(error, FATAL):
                raise error
            if error is not None:
                yield Outcome(mark=mark, error=error_text(error))
                continue
            ready.append(attempt.result())
            workers.batch.learn(ready[-1].mark.seconds)
        yield from committed(workers.stage.context, workers.stage.name, ready)


def _compute(stage: BuildStage, mark: BlockMark) -> ReadyBlock:
    return with_voxels(compute(stage, mark))
