"""What a dask worker does: open the build once, then one attempt at each block that it is given."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from distributed import WorkerPlugin, get_worker

from connectome.networks.device import use_threads
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.attempt import committed, compute
from connectome.pipeline.engines.description import BuildDescription
from connectome.pipeline.stages.stage import FATAL, Outcome, Work, error_text, worker_name
from connectome.store.runs.blocks import BlockMark, Stage

Opener = Callable[[BuildContext], Work]


class BlockWorker(WorkerPlugin):
    """A build in a worker process; it keeps the database's connections, the volumes and the stage's model."""

    def __init__(self, name: str, description: BuildDescription, *, leader_interrupts: bool) -> None:
        """Travel to a worker; nothing is opened before the first block.

        Args:
            name: of the plugin.
            description: of the build.
            leader_interrupts: Ctrl-C is for the leading process alone, which then ends its workers.
        """
        self.name = name
        self._description = description
        self._leader_interrupts = leader_interrupts

    def setup(self, worker: Any) -> None:
        """Arrive in a worker."""
        if self._leader_interrupts:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._cores = worker.state.nthreads
        self._opening = threading.Lock()
        self._context: BuildContext | None = None
        self._opened: tuple[Stage, BuildContext, Work] | None = None

    def teardown(self, worker: Any) -> None:
        """Leave a worker: blocks under way end at their next network call."""
        if self._context is not None:
            self._context.turn.stop()
            self._context.database.close()

    def attempt(self, stage: Stage, opener: Opener, marks: Sequence[BlockMark]) -> list[Outcome]:
        """Compute blocks and commit them together.

        Raises:
            ClusterError: another version is installed here. DatabaseUnavailableError: it was away for too long.
        """
        outcomes, ready = [], []
        for mark in (replace(mark, worker=worker_name()) for mark in marks):
            try:
                context, work = self._open(stage, opener)
                ready.append(compute(context, work, mark))
            except FATAL:
                raise
            except Exception as error:
                outcomes.append(Outcome(mark=mark, error=error_text(error)))
        return outcomes + (list(committed(context, stage, ready)) if ready else [])

    def _open(self, stage: Stage, opener: Opener) -> tuple[BuildContext, Work]:
        """The build, and the work of a stage. A new stage opens the volumes anew: others have written them."""
        with self._opening:
            if self._context is None:
                use_threads(self._cores)
                self._context = self._description.open()
            if self._opened is None or self._opened[0] is not stage:
                context = replace(self._context)
                self._opened = stage, context, context.insist(lambda: opener(context))
            return self._opened[1:]


def attempt_blocks(plugin: str, stage: Stage, opener: Opener, marks: Sequence[BlockMark]) -> list[Outcome]:
    """The task of a few blocks: one, unless they are tiny."""
    worker = get_worker().plugins[plugin]
    assert isinstance(worker, BlockWorker)
    return worker.attempt(stage, opener, marks)
