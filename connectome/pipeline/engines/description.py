"""A build as it travels to a worker, which opens its own connection, volumes and models."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from connectome import __version__
from connectome.errors import CheckpointError, ClusterError
from connectome.networks.checkpoint import Checkpoint
from connectome.pipeline.chosen import Parameters
from connectome.pipeline.context import BuildContext
from connectome.pipeline.inputs import Inputs, open_inputs
from connectome.pipeline.request import BuildRequest, ModelNames
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.runs.records import RunRecord
from connectome.volumes.volume import as_url


@dataclass(frozen=True, kw_only=True)
class BuildDescription:
    """A build under way.

    Attributes:
        request: its paths are absolute, and it has no database URL.
        database_url: may hold a password, so it isn't shown.
        code_version: of the process that leads the build.
    """

    request: BuildRequest
    run: RunRecord
    parameters: Parameters
    patience_s: float
    database_url: str = field(repr=False)
    code_version: str = __version__

    @classmethod
    def of(cls, context: BuildContext, request: BuildRequest) -> BuildDescription:
        """What a worker needs to know of a build."""
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
            patience_s=context.patience_s,
            database_url=context.database.url,
        )

    def open(self) -> BuildContext:
        """Open everything in this process.

        Raises:
            ClusterError: another version of connectome is installed here. CheckpointError: a model is another one here.
            InputError, DeviceError, DatabaseError: something isn't there.
        """
        if self.code_version != __version__:
            raise ClusterError(
                f"a worker has connectome {__version__}, the build {self.code_version}: install the same on both"
            )
        inputs = open_inputs(self.request.volumes, self.request.models, self.request.execution.device)
        self._check_models(inputs)
        return BuildContext(
            database=Database(self.database_url),
            run=self.run,
            inputs=inputs,
            parameters=self.parameters,
            progress=NoProgress(),
            patience_s=self.patience_s,
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
