"""Frozen records of runs: what a new one is made from, and what is read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from connectome import __version__
from connectome.geometry import Box, NmTriple, Triple


class RunState(StrEnum):
    """What became of a run; one that was interrupted stays `running`."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


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
    """

    name: str
    image: NewVolume
    segmentation: NewVolume
    detector: NewModel
    assigner: NewModel | None
    parameters: dict[str, Any]
    box: Box
    folder: Path
    code_version: str = __version__


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A run as the database has it.

    Attributes:
        assigner_sha256: None where partners were chosen without a network.
        resolution_nm, offset_nm: of the segmentation, (z, y, x).
        box: in voxels of the working resolution.
    """

    run_id: int
    name: str
    state: RunState
    image_url: str
    segmentation_url: str
    resolution_nm: NmTriple
    offset_nm: NmTriple
    detector_sha256: str
    assigner_sha256: str | None
    parameters: dict[str, Any]
    box: Box
    folder: Path
    code_version: str
    created_at: datetime
    finished_at: datetime | None
