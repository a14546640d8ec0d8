"""Frozen records of runs: what a new one is made from, and what is read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from connectome.errors import ConfigError, InputError
from connectome.geometry import Box, NmTriple, Triple
from connectome.version import VERSION


class RunKind(StrEnum):
    """The origin of a run's rows: made here, or a table that others made."""

    BUILD = "build"
    IMPORT = "import"


class RunState(StrEnum):
    """The state of a run; one that was interrupted stays `running`, one with failed blocks is incomplete."""

    RUNNING = "running"
    INCOMPLETE = "incomplete"
    FINISHED = "finished"


@dataclass(frozen=True, kw_only=True)
class NewVolume:
    """An input volume: shape in voxels, resolution and offset in nm, all (z, y, x)."""

    url: str
    dtype: str
    shape: Triple
    resolution_nm: NmTriple
    offset_nm: NmTriple


@dataclass(frozen=True, kw_only=True)
class NewModel:
    """A checkpoint.

    Attributes:
        sha256: of its file, hexadecimal.
        method: how it works: mask, stdt, signed-proximity, avan, mask-pruner or proximity-pruner.
        config: the configuration it carries (JSON values).
    """

    name: str
    sha256: str
    method: str
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """Everything that a run is made from.

    Attributes:
        assigner: None where partners are chosen without a network.
        parameters: all parameters of the build (JSON values).
        box: in voxels of the working resolution.
        folder: where the run's own volumes go.
        data_set: the data set that its ids belong to; None: that of the runs on the same segmentation.
    """

    name: str
    image: NewVolume
    segmentation: NewVolume
    detector: NewModel
    assigner: NewModel | None
    parameters: dict[str, Any]
    box: Box
    folder: Path
    data_set: str | None = None
    code_version: str = VERSION


LONGEST_NAME = 200
"""In bytes: file systems take 255, and names of files beside the folder are longer."""


def check_run_name(name: str) -> None:
    """Refuse a name that a run's folder couldn't have.

    Raises:
        ConfigError: it is empty, of more than 200 bytes, begins with a dot, or holds a slash, a backslash or what
            can't be printed.
    """
    too_long = len(name.encode(errors="replace")) > LONGEST_NAME
    if not name or too_long or name.startswith(".") or not name.isprintable() or any(c in name for c in "/\\"):
        raise ConfigError(f"run name '{name}' must be usable as a folder name: letters, digits, - and _")


@dataclass(frozen=True, kw_only=True)
class NewImport:
    """A run whose rows are imported.

    Attributes:
        parameters: what was imported from where (JSON values).
        data_set: the data set that its ids belong to; None: one of its own, named like the run.
        edges_only: it holds edges and no synapses.
    """

    name: str
    parameters: dict[str, Any]
    data_set: str | None = None
    edges_only: bool = False
    code_version: str = VERSION


@dataclass(frozen=True, kw_only=True)
class BuildInputs:
    """The inputs of a build.

    Attributes:
        resolution_nm, offset_nm: of the segmentation, (z, y, x).
        box: in voxels of the working resolution.
        folder: of the run's own volumes.
    """

    image_url: str
    segmentation_url: str
    resolution_nm: NmTriple
    offset_nm: NmTriple
    detector_sha256: str
    box: Box
    folder: Path


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A run as the database has it.

    Attributes:
        inputs: None for an import; the properties of the same names then raise InputError.
        assigner_sha256: None where partners were chosen without a network.
        data_set: the data set that its ids belong to.
    """

    run_id: int
    name: str
    data_set: str
    kind: RunKind
    state: RunState
    inputs: BuildInputs | None
    assigner_sha256: str | None
    parameters: dict[str, Any]
    code_version: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def image_url(self) -> str:
        """The URL of the image."""
        return self._inputs.image_url

    @property
    def segmentation_url(self) -> str:
        """The URL of the segmentation."""
        return self._inputs.segmentation_url

    @property
    def resolution_nm(self) -> NmTriple:
        """Resolution of the segmentation (z, y, x)."""
        return self._inputs.resolution_nm

    @property
    def offset_nm(self) -> NmTriple:
        """Offset of the segmentation (z, y, x)."""
        return self._inputs.offset_nm

    @property
    def detector_sha256(self) -> str:
        """SHA-256 of the cleft detector."""
        return self._inputs.detector_sha256

    @property
    def box(self) -> Box:
        """The box that is built, in voxels of the working resolution."""
        return self._inputs.box

    @property
    def folder(self) -> Path:
        """The folder of the run's own volumes."""
        return self._inputs.folder

    @property
    def _inputs(self) -> BuildInputs:
        if self.inputs is None:
            raise InputError(f"run '{self.name}' was imported: it has no image, segmentation, models, box or folder")
        return self.inputs
