"""The engine of many processes: dask.distributed schedules blocks, its workers compute and commit them."""

from __future__ import annotations

import logging
import os
import signal
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import resource_tracker
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.core import Status

from connectome.errors import ClusterError
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.attempt import FATAL, BatchSize, Outcome, Outcomes, error_text
from connectome.pipeline.engines.worker import BlockWorker, BuildDescription, attempt_blocks, leave
from connectome.pipeline.request import BuildRequest
from connectome.pipeline.stages.stage import BuildStage
from connectome.records import Progress
from connectome.store.runs.blocks import BlockMark

TASKS_A_THREAD = 2
LEAST_IN_FLIGHT = 4
TASK_S, MOST_BLOCKS_A_TASK = 0.2, 64
"""A task is one block; several where they take less time."""
GPU_SHARE = 0.5  # of a worker's resource GPU: while one block is at the network, another one is read
LOOK_AGAIN_S = 5.0
CONNECT_S = 20
PAUSE_S = 0.1
BEGIN_AGAIN = 5
"""How often a local worker that died while it began is begun again, on average."""
DEAD = (Status.closed, Status.failed)
LOST = "the same command goes on where this one ended"


class ClusterEngine:
    """Gives blocks to the workers of a scheduler, a few at a time."""

    def __init__(self, client: Client, plugin: BlockWorker, local: LocalWorkers | None = None) -> None:
        """Send the plugin along with every task: no worker has to be told before, so none that is lost matters."""
        self._client = client
        self._plugin = plugin
        self._local = local
        self._threads = 0
        self._has_gpu = False
        self._looked_s = 0.0

    def run(self, stage: BuildStage, blocks: Iterable[tuple[int, int]]) -> Outcomes:
        """Try each block once.

        Raises:
            ClusterError: the scheduler is gone, or all local workers are.
            DatabaseUnavailableError: the database was away for too long.
        """
        self._wait_for_local(stage.context.progress)
        marks = (BlockMark(block_id=block_id, voxels=size) for block_id, size in blocks)
        in_flight: dict[Future[Any], list[BlockMark]] = {}
        finished: SimpleQueue[Future[Any]] = SimpleQueue()
        batch = BatchSize(TASK_S, MOST_BLOCKS_A_TASK)
        try:
            while True:
                self._look(stage.context.progress)
                for _ in range(max(LEAST_IN_FLIGHT, TASKS_A_THREAD * self._threads) - len(in_flight)):
                    if not (task := list(islice(marks, batch.blocks))):
                        break
                    future = self._submit(stage, task)
                    in_flight[future] = task
                    future.add_done_callback(finished.put)
                if not in_flight:
                    return
                for future in self._finished(finished):
                    for outcome in self._outcomes(future, in_flight.pop(future)):
                        batch.learn(outcome.mark.seconds if outcome.error is None else TASK_S)
                        yield outcome
        finally:
            if in_flight:
                with suppress(Exception):  # whatever ended the stage is told already, or is being told
                    self._client.cancel(list(in_flight), force=True)

    def _wait_for_local(self, progress: Progress) -> None:
        """Whether workers have a GPU is known when one is there; others may still be on their way."""
        while self._local is not None and not self._threads:
            self._look(progress)
            time.sleep(PAUSE_S)

    def _submit(self, stage: BuildStage, marks: list[BlockMark]) -> Future[Any]:
        resources = {"GPU": GPU_SHARE} if stage.network and self._has_gpu else None
        key = f"{stage.name}-{marks[0].block_id}-{uuid.uuid4().hex}"
        return self._client.submit(
            attempt_blocks,
            self._plugin,
            type(stage),
            sorted(marks, key=lambda mark: mark.block_id),
            key=key,
            pure=False,
            resources=resources,
        )

    def _finished(self, finished: SimpleQueue[Future[Any]]) -> Iterator[Future[Any]]:
        """The finished attempts: at least one, unless none is within a few seconds."""
        with suppress(Empty):
            yield finished.get(timeout=LOOK_AGAIN_S)
            while True:
                yield finished.get_nowait()

    def _outcomes(self, future: Future[Any], marks: list[BlockMark]) -> list[Outcome]:
        if future.status == "cancelled":
            raise self._gone()
        error = future.exception()
        if isinstance(error, FATAL):
            raise error
        if error is not None:
            lost = (
                f"its worker was lost, {error.allowed_failures + 1} times" if isinstance(error, KilledWorker) else None
            )
            return [Outcome(mark=mark, error=lost or error_text(error)) for mark in marks]
        outcomes: list[Outcome] = future.result()
        return outcomes

    def _look(self, progress: Progress) -> None:
        """See now and then whether the scheduler is there, and what workers it has: they come and go."""
        if time.monotonic() - self._looked_s < LOOK_AGAIN_S and self._threads:
            return
        try:
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        except (OSError, ValueError) as error:
            raise self._gone() from error
        if self._client.status != "running":
            raise self._gone()
        self._threads = sum(worker["nthreads"] for worker in workers)
        if self._local is not None and len(workers) < self._local.wanted:
            self._local.begin_again(none_left=not workers)
        progress.note("" if self._threads else "waiting for workers")
        self._has_gpu = any("GPU" in worker["resources"] for worker in workers)
        self._looked_s = time.monotonic()

    def _gone(self) -> ClusterError:
        return ClusterError(f"the scheduler at {self._client._start_arg} is gone: {LOST}")


class LocalWorkers:
    """Processes of this machine that share its cores; those that die while they begin are begun again, not for ever."""

    def __init__(self, cluster: LocalCluster, wanted: int) -> None:
        """Begin so many; they come while others wait for them."""
        self.wanted = wanted
        self._cluster = cluster
        self._left = BEGIN_AGAIN * wanted
        cluster.scale(wanted)

    def begin_again(self, *, none_left: bool) -> None:
        """Begin those that have died for good: others are on their way, or their keepers begin them anew.

        Raises:
            ClusterError: none is left, and they died too often to go on.
        """
        lost = self._cluster.sync(self._forget_dead)
        if lost and self._left > 0:
            self._left -= lost
            self._cluster.scale(self.wanted)
        elif lost == self.wanted and none_left:
            raise ClusterError(
                f"all {self.wanted} local workers are lost: each was begun {BEGIN_AGAIN + 1} times and died (out of "
                f"memory?); {LOST}"
            )

    async def _forget_dead(self) -> int:
        """How many are missing for good: none while those that were asked for last are being begun."""
        if self._cluster._lock.locked():
            return 0
        known = self._cluster.workers
        for name in [name for name, keeper in known.items() if keeper.status in DEAD]:
            del known[name]
        return self.wanted - len(known)


@contextmanager
def cluster_engine(context: BuildContext, request: BuildRequest) -> Iterator[ClusterEngine]:
    """The workers that a request asks for: those of a running scheduler, or local ones that end with it.

    Raises:
        ClusterError: no scheduler is there, or it is gone.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told as an error of ours
    plugin = BlockWorker(f"connectome-{context.run.run_id}-{uuid.uuid4().hex}", BuildDescription.of(context, request))
    execution = request.execution
    if execution.scheduler is None:
        wanted = execution.workers or 1
        has_gpu = context.inputs.device.type == "cuda"
        with _local_cluster(wanted, has_gpu) as cluster, Client(cluster, set_as_default=False) as client:
            yield ClusterEngine(client, plugin, LocalWorkers(cluster, wanted))
        return
    try:
        client = Client(execution.scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no dask scheduler answers at {execution.scheduler} ({' '.join(str(error).split())})", about="scheduler"
        ) from error
    with client:
        yield ClusterEngine(client, plugin)
        with suppress(Exception):  # those that are lost have nothing to forget
            client.run(leave, plugin.name, on_error="ignore")


@contextmanager
def _local_cluster(workers: int, has_gpu: bool) -> Iterator[LocalCluster]:
    """A scheduler for local workers, none of them begun; dask changes the environment for them, which is taken back.

    Ctrl-C is for this process alone, which then ends the workers: they inherit that it is blocked.
    """
    environment = dict(os.environ)
    for name in ("tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a worker that dies while it begins is begun again
    resource_tracker.ensure_running()  # where it begins later, it unblocks Ctrl-C
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        cluster = LocalCluster(
            n_workers=0,
            threads_per_worker=max(1, (os.cpu_count() or 1) // workers),
            processes=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=None,
            resources={"GPU": 1} if has_gpu else None,
            silence_logs=logging.CRITICAL,
        )
    except (RuntimeError, OSError) as error:
        raise ClusterError(f"the {workers} local workers don't start: {' '.join(str(error).split())}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
    try:
        with cluster:
            yield cluster
    finally:
        os.environ.clear()
        os.environ.update(environment)
