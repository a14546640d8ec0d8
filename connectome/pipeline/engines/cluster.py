"""The engine of many processes: dask.distributed schedules blocks, its workers compute and commit them."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Client, Future, KilledWorker, LocalCluster

from connectome.errors import ClusterError
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.attempt import FATAL, BatchSize, Outcome, Outcomes, error_text
from connectome.pipeline.engines.worker import BlockWorker, BuildDescription, attempt_blocks
from connectome.pipeline.request import BuildRequest, Execution
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
LOST = "the same command goes on where this one ended"


class ClusterEngine:
    """Gives blocks to the workers of a scheduler, a few at a time."""

    def __init__(self, client: Client, plugin: str) -> None:
        """Use workers that have the plugin of this name."""
        self._client = client
        self._plugin = plugin
        self._threads = 0
        self._has_gpu = False
        self._looked_s = 0.0

    def run(self, stage: BuildStage, blocks: Iterable[tuple[int, int]]) -> Outcomes:
        """Try each block once.

        Raises:
            ClusterError: the scheduler is gone. DatabaseUnavailableError: the database was away for too long.
        """
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
        progress.note("" if self._threads else "waiting for workers")
        self._has_gpu = any("GPU" in worker["resources"] for worker in workers)
        self._looked_s = time.monotonic()

    def _gone(self) -> ClusterError:
        return ClusterError(f"the scheduler at {self._client._start_arg} is gone: {LOST}")


@contextmanager
def cluster_engine(context: BuildContext, request: BuildRequest) -> Iterator[ClusterEngine]:
    """The workers that a request asks for: those of a running scheduler, or local ones that end with it.

    Raises:
        ClusterError: no scheduler is there, or it is gone.
    """
    name = f"connectome-{context.run.run_id}-{uuid.uuid4().hex}"
    local = request.execution.scheduler is None
    plugin = BlockWorker(name, BuildDescription.of(context, request), leader_interrupts=local)
    with _client(context, request.execution) as client:
        client.register_plugin(plugin, name=name)
        yield ClusterEngine(client, name)
        client.unregister_worker_plugin(name)


@contextmanager
def _client(context: BuildContext, execution: Execution) -> Iterator[Client]:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told as an error of ours
    if execution.scheduler is None:
        has_gpu = context.inputs.device.type == "cuda"
        with (
            _local_cluster(execution.workers or 1, has_gpu) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        client = Client(execution.scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no dask scheduler answers at {execution.scheduler} ({' '.join(str(error).split())})", about="scheduler"
        ) from error
    with client:
        yield client


@contextmanager
def _local_cluster(workers: int, has_gpu: bool) -> Iterator[LocalCluster]:
    """Spawned processes that share the cores; dask changes the environment for them, which is taken back."""
    environment = dict(os.environ)
    try:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=max(1, (os.cpu_count() or 1) // workers),
            processes=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=None,
            resources={"GPU": 1} if has_gpu else None,
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:
        raise ClusterError(f"the {workers} local workers don't start: {' '.join(str(error).split())}") from error
    try:
        with cluster:
            yield cluster
    finally:
        os.environ.clear()
        os.environ.update(environment)
