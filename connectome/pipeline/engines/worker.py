"""The work of a dask worker: it opens the build once, then attempts each block that it is given."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin, get_worker
from distributed.utils import sync

from connectome.errors import CheckpointError, ClusterError
from connectome.networks.checkpoint import Checkpoint
from connectome.networks.device import use_threads
from connectome.pipeline.chosen import Parameters
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.attempt import FATAL, Outcome, committed, compute, error_text, worker_name
from connectome.pipeline.inputs import Inputs, open_inputs
from connectome.pipeline.request import BuildRequest, ModelNames
from connectome.pipeline.stages.stage import BuildStage
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.runs.blocks import BlockMark
from connectome.store.runs.records import RunRecord
from connectome.version import VERSION
from connectome.volumes.volume import as_url


@dataclass(frozen=True, kw_only=True)
class BuildDescription:
    """A build as it travels to a worker, which opens its own connection, volumes and models.

    Attributes:
        request: its paths are absolute, and it has no database URL.
        database_url: may hold a password, so it isn't shown.
        code_version: of the process that leads the build.
    """

    request: BuildRequest
    run: RunRecord
    parameters: Parameters
    retry_s: float
    database_url: str = field(repr=False)
    code_version: str = VERSION

    @classmethod
    def of(cls, context: BuildContext, request: BuildRequest) -> BuildDescription:
        """The facts of a build that a worker needs."""
        inputs = context.inputs
        travelling = replace(
            request,
            volumes=replace(
                request.volumes, image=as_url(request.volumes.image), segmentation=as_url(request.volumes.segmentation)
            ),
            models=ModelNames(
                detector=_absolute(request.models.detector, inputs.detector),
                assigner=_absolute(request.models.assigner, inputs.assigner.checkpoint),
                direction=_absolute(request.models.direction, inputs.assigner.checkpoint),
            ),
            execution=replace(request.execution, database_url=None),
        )
        return cls(
            request=travelling,
            run=context.run,
            parameters=context.parameters,
            retry_s=context.retry_s,
            database_url=context.database.url,
        )

    def open(self) -> BuildContext:
        """Open everything in this process.

        Raises:
            ClusterError: another version of connectome is installed here. CheckpointError: a model is another one here.
            InputError, DeviceError, DatabaseError: something isn't there.
        """
        if self.code_version != VERSION:
            raise ClusterError(
                f"a worker has connectome {VERSION}, the build {self.code_version}: install the same on both"
            )
        inputs = open_inputs(self.request.volumes, self.request.models, self.request.execution.device)
        self._check_models(inputs)
        return BuildContext(
            database=Database(self.database_url),
            run=self.run,
            inputs=inputs,
            parameters=self.parameters,
            progress=NoProgress(),
            retry_s=self.retry_s,
        )

    def _check_models(self, inputs: Inputs) -> None:
        recorded = self.run.detector_sha256, self.run.assigner_sha256
        for checkpoint, sha256 in zip((inputs.detector, inputs.assigner.checkpoint), recorded, strict=True):
            if checkpoint is not None and checkpoint.sha256 != sha256:
                raise CheckpointError(
                    f"{checkpoint.path} on a worker isn't the model that run '{self.run.name}' was begun with"
                )


def _absolute(wanted: str | None, checkpoint: Checkpoint | None) -> str | None:
    """A model's path as workers find it; a name stays a name."""
    if wanted is None or checkpoint is None:
        return wanted
    path = Path(wanted).expanduser()
    return str(path.absolute()) if path == checkpoint.path else wanted


class BlockWorker(WorkerPlugin):
    """A build in a worker process; it keeps the database's connections, the volumes and the stage's model."""

    def __init__(self, name: str, description: BuildDescription) -> None:
        """Travel to a worker with each task; the first one that arrives there stays.

        Args:
            name: of the plugin.
            description: of the build.
        """
        self.name = name
        self._description = description

    def setup(self, worker: Any) -> None:
        """Arrive in a worker."""
        self._cores = worker.state.nthreads
        self._opening = threading.Lock()
        self._context: BuildContext | None = None
        self._stage: BuildStage | None = None

    def teardown(self, worker: Any) -> None:
        """Leave a worker: blocks under way end at their next network call."""
        if self._context is not None:
            self._context.network.stop()
            self._context.database.close()

    def attempt(self, kind: type[BuildStage], marks: Sequence[BlockMark]) -> list[Outcome]:
        """Compute blocks and commit them together.

        Raises:
            ClusterError: another version is installed here. DatabaseUnavailableError: it was away for too long.
        """
        outcomes, ready = [], []
        for mark in (replace(mark, worker=worker_name()) for mark in marks):
            try:
                stage = self._open(kind)
                ready.append(compute(stage, mark))
            except FATAL:
                raise
            except Exception as error:
                outcomes.append(Outcome(mark=mark, error=error_text(error)))
        return outcomes + (list(committed(stage.context, stage.name, ready)) if ready else [])

    def _open(self, kind: type[BuildStage]) -> BuildStage:
        """The stage, ready for work. A new one opens the volumes anew: others have written them."""
        with self._opening:
            if self._context is None:
                use_threads(self._cores)
                self._context = self._description.open()
            if self._stage is None or type(self._stage) is not kind:
                stage = kind(replace(self._context))
                stage.context.retried(stage.open)
                self._stage = stage
            return self._stage


def attempt_blocks(plugin: BlockWorker, kind: type[BuildStage], marks: Sequence[BlockMark]) -> list[Outcome]:
    """The task of a few blocks: one, unless they are tiny."""
    worker: Any = get_worker()  # dask knows its plugins by their base class alone
    own: BlockWorker = worker.plugins.get(plugin.name) or sync(worker.loop, _arrive, worker, plugin)
    return own.attempt(kind, marks)


async def _arrive(worker: Any, plugin: BlockWorker) -> BlockWorker:
    if plugin.name not in worker.plugins:
        await worker.plugin_add(plugin=plugin, name=plugin.name, catch_errors=False)
    own: BlockWorker = worker.plugins[plugin.name]
    return own


async def leave(name: str, dask_worker: Any) -> None:
    """Forget a build in a worker that goes on."""
    if name in dask_worker.plugins:
        await dask_worker.plugin_remove(name=name)
