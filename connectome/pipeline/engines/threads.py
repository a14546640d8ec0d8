"""The engine of one process: a few blocks at a time in threads; reading, the network and writing overlap."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue

from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.attempt import Pace, committed, compute, with_voxels
from connectome.pipeline.stages.order import StageSpec
from connectome.pipeline.stages.stage import FATAL, Outcome, Outcomes, ReadyBlock, Work, error_text, worker_name
from connectome.store.runs.blocks import BlockMark

NETWORK_THREADS = 3  # one reads, one holds the network, one writes
MOST_THREADS = 9
MOST_IN_FLIGHT = 64
COMMIT_EVERY_S = 0.2
"""Blocks that take less time are committed several at once."""

Attempt = Future[ReadyBlock]


class ThreadEngine:
    """Computes blocks in threads and commits them, as many as are ready at once, in the thread that iterates."""

    def run(self, context: BuildContext, spec: StageSpec, blocks: Iterable[tuple[int, int]]) -> Outcomes:
        """Try each block once.

        Raises:
            DatabaseUnavailableError: it was away for too long. RunConflictError: another process took the run.
        """
        work = context.insist(lambda: spec.open(context))
        pool = ThreadPoolExecutor(thread_count(spec), thread_name_prefix=spec.stage.value)
        try:
            yield from _flow(_Crew(context, spec, work, pool), iter(blocks))
        except BaseException:  # an error, Ctrl-C, or nobody wants more
            context.turn.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Crew:
    """The threads of one stage, and how many blocks are in flight."""

    def __init__(self, context: BuildContext, spec: StageSpec, work: Work, pool: ThreadPoolExecutor) -> None:
        self.context = context
        self.stage = spec.stage
        self.in_flight: dict[Attempt, BlockMark] = {}
        self.finished: SimpleQueue[Attempt] = SimpleQueue()
        self._work = work
        self._pool = pool
        self._least = thread_count(spec) + 1
        self.pace = Pace(COMMIT_EVERY_S, MOST_IN_FLIGHT)

    @property
    def room(self) -> int:
        """How many more blocks may begin: few, but of tiny ones as many as one commit can take."""
        return max(self._least, self.pace.blocks) - len(self.in_flight)

    def begin(self, block_id: int, size: int) -> None:
        """Have a thread compute a block."""
        mark = BlockMark(block_id=block_id, voxels=size, worker=worker_name())
        attempt = self._pool.submit(_compute, self.context, self._work, mark)
        self.in_flight[attempt] = mark
        attempt.add_done_callback(self.finished.put)

    def take(self) -> list[Attempt]:
        """What is finished: at least one, once it is."""
        attempts = [self.finished.get()]
        while not self.finished.empty():
            attempts.append(self.finished.get())
        return attempts


def thread_count(spec: StageSpec) -> int:
    """How many blocks of a stage are computed at a time."""
    return NETWORK_THREADS if spec.network else min(os.cpu_count() or 1, MOST_THREADS - 1) + 1


def _flow(crew: _Crew, blocks: Iterator[tuple[int, int]]) -> Iterator[Outcome]:
    while True:
        for block_id, size in islice(blocks, max(crew.room, 0)):
            crew.begin(block_id, size)
        if not crew.in_flight:
            return
        ready = []
        for attempt in crew.take():
            mark, error = crew.in_flight.pop(attempt), attempt.exception()
            if isinstance(error, FATAL):
                raise error
            if error is not None:
                yield Outcome(mark=mark, error=error_text(error))
                continue
            ready.append(attempt.result())
            crew.pace.note(ready[-1].mark.seconds)
        yield from committed(crew.context, crew.stage, ready)


def _compute(context: BuildContext, work: Work, mark: BlockMark) -> ReadyBlock:
    return with_voxels(compute(context, work, mark))
