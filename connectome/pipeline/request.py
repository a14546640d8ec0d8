"""The request for a build, in four parts: volumes, models, parameters, how it runs. Light, as the table is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connectome.config_file import Keys, number, read_config, text, whole
from connectome.errors import ConfigError
from connectome.geometry import Box, NmTriple, Triple
from connectome.pipeline.parameters import PARAMETERS, Option, check_parameters, options_of, row
from connectome.store.runs.records import check_run_name


def _three(given: Any) -> list[Any]:
    """The numbers of 'z,y,x', or of a list as TOML has it."""
    try:
        texts = given.split(",") if isinstance(given, str) else None
        parts = given if texts is None else [float(part) if "." in part else int(part) for part in texts]
    except ValueError as error:
        raise ValueError("it must be three numbers, as z,y,x") from error
    if not isinstance(parts, list) or len(parts) != 3:
        raise ValueError("it must be three numbers, as z,y,x")
    return parts


def _shape(given: Any) -> Triple:
    """Three whole numbers of at least 1."""
    z, y, x = map(whole, _three(given))
    if min(z, y, x) < 1:
        raise ValueError("it must be three whole numbers of at least 1, as z,y,x")
    return z, y, x


def _lengths_nm(given: Any) -> NmTriple:
    """Three numbers greater than 0."""
    z, y, x = map(number, _three(given))
    if not 0 < min(z, y, x) <= max(z, y, x) < float("inf"):
        raise ValueError("it must be three numbers of nm greater than 0, as z,y,x")
    return z, y, x


def _nm(given: Any) -> NmTriple:
    """Three finite numbers."""
    z, y, x = map(number, _three(given))
    if not all(map(math.isfinite, (z, y, x))):
        raise ValueError("it must be three finite numbers of nm, as z,y,x")
    return z, y, x


@dataclass(frozen=True, kw_only=True)
class InputVolumes:
    """Image and segmentation, and what of them is built.

    Attributes:
        image, segmentation: URLs.
        box: in voxels of the segmentation; None: all that the image covers.
        resolution_nm: of both volumes (z, y, x), where their metadata doesn't say or is wrong.
        offset_nm: corner of the first voxel of both volumes (z, y, x), where their metadata doesn't say or is wrong.
        overlap: build what both have, though each goes on where the other doesn't.
        refuse_missing: refuse volumes that aren't whole, where else a warning tells.
        any_grid: build though the models were trained for voxels far from these.
    """

    image: str = row(kind=str, metavar="URL", help="The EM image: a path or URL. Needed.")
    segmentation: str = row(kind=str, metavar="URL", help="Its segmentation. Needed.")
    box: Box | None = row(
        None,
        kind=str,
        metavar="z0:z1,y0:y1,x0:x1",
        read=lambda given: Box.parse(text(given)),
        help="Only this part, in voxels of the segmentation; start inclusive, stop exclusive.",
        default_text="all that the image covers",
    )
    resolution_nm: NmTriple | None = row(
        None,
        key="resolution",
        kind=str,
        metavar="z,y,x",
        read=_lengths_nm,
        help="Resolution of both volumes in nm, e.g. 30,12,12.",
        default_text="their metadata's",
    )
    offset_nm: NmTriple | None = row(
        None,
        key="offset",
        kind=str,
        metavar="z,y,x",
        read=_nm,
        help="Corner of the first voxel of both volumes in nm, where they begin together.",
        default_text="their metadata's",
    )
    overlap: bool = row(
        False,
        kind=bool,
        help="Build what both volumes have, where each goes on without the other.",
        default_text="refuse, and name both",
    )
    refuse_missing: bool = row(
        False,
        kind=bool,
        help="Refuse volumes of which chunks were never stored, and images with blank sections.",
        default_text="warn, with count and place",
    )
    any_grid: bool = row(
        False,
        kind=bool,
        help="Build though the models were trained for voxels far from these.",
        default_text="refuse",
    )


@dataclass(frozen=True, kw_only=True)
class ModelNames:
    """Models by name, or by the path of a checkpoint.

    Attributes:
        detector: finds clefts; None: mask.
        assigner: chooses partners, or `nearest`; None: avan.
        direction: for the assigner `nearest`, the model that tells pre from post; None: the detector, if it can.
        confidence: file with a model of confidence, as `connectome calibrate` writes it; None: the assigner's own.
    """

    detector: str | None = row(
        None, kind=str, metavar="NAME|FILE", help="Model that finds clefts.", default_text="mask"
    )
    assigner: str | None = row(
        None,
        kind=str,
        metavar="NAME|FILE",
        help="Model that assigns partners: avan, mask-pruner, proximity-pruner; or nearest, no model.",
        default_text="avan",
    )
    direction: str | None = row(
        None,
        kind=str,
        metavar="NAME|FILE",
        help="For the assigner nearest: model that tells pre from post. Without one a signed-proximity detector tells "
        "them apart; else the smaller id is pre.",
        default_text="none",
    )
    confidence: Path | None = row(
        None,
        kind=Path,
        metavar="FILE.json",
        help="Model of the synapses' confidence, from calibrate.",
        default_text="the assigner's",
    )


@dataclass(frozen=True, kw_only=True)
class Execution:
    """The execution of a build; but for the blocks' shape its rows don't depend on it, nor on that.

    Attributes:
        block_shape: voxels (z, y, x) of the unit of work, at the models' resolution.
        workers: so many local processes do the blocks; None: this one does.
        scheduler: address of a dask scheduler whose workers do the blocks.
        attempts: how often a block that fails is tried.
        restart: forget what the run of this name has done.
        data_folder: where the volumes of runs and the built-in database server are kept.
        database_url: of the server; None: one is started in the data folder.
    """

    device: str = row("auto", kind=str, choices={"auto": "", "cpu": "", "cuda": ""}, help="Where the networks run.")
    block_shape: Triple = row(
        (64, 256, 256),
        kind=str,
        metavar="z,y,x",
        read=_shape,
        help="Voxels of a block, the unit of work.",
        default_text="64,256,256",
    )
    workers: int | None = row(
        None,
        kind=int,
        metavar="N",
        low=1,
        help="Have N local processes do the work (dask: the extra 'cluster').",
        default_text="this process alone",
    )
    scheduler: str | None = row(
        None,
        kind=str,
        metavar="ADDRESS",
        help="Have the workers of a dask scheduler do it, e.g. tcp://host:8786.",
    )
    attempts: int = row(3, kind=int, low=1, help="How often a block that fails is tried.")
    restart: bool = row(
        False,
        kind=bool,
        help="Forget what the run of this name has done.",
    )
    data_folder: Path = row(
        Path("connectome-data"),
        kind=Path,
        metavar="FOLDER",
        envvar="CONNECTOME_DATA_FOLDER",
        help="Where the volumes of runs and the built-in database server are kept.",
    )
    database_url: str | None = row(
        None,
        kind=str,
        metavar="URL",
        envvar="CONNECTOME_DATABASE_URL",
        help="postgresql://user@host/database. Without it a server is started in the data folder.",
    )


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """One build.

    Attributes:
        name: of the run; a second build of this name resumes it.
        data_set: the animal or volume that its ids belong to; None: that of the runs on the same segmentation.
        volumes, models: what it is made from.
        parameters: what was asked for of the table, by its names; what isn't in it is left to the models.
        execution: how it runs.
    """

    name: str = row("default", kind=str, metavar="NAME", help="Name of the run; a second build of it resumes it.")
    data_set: str | None = row(
        None,
        kind=str,
        metavar="NAME",
        help="The animal or volume that its ids, roots and annotations belong to.",
        default_text="that of the runs on the same segmentation",
    )
    volumes: InputVolumes
    models: ModelNames = field(default_factory=ModelNames)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    execution: Execution = field(default_factory=Execution)


PARTS: Mapping[str, type] = {"volumes": InputVolumes, "models": ModelNames, "execution": Execution}
OPTIONS: dict[str, Option] = {
    **options_of(InputVolumes),
    **options_of(BuildRequest),
    **options_of(ModelNames),
    **PARAMETERS,
    **options_of(Execution),
}
KEYS: Keys = {option.key: (name, option.value) for name, option in OPTIONS.items()}
"""Keys of a TOML file."""


def build_request(values: Mapping[str, Any]) -> BuildRequest:
    """A request from values by the names of `OPTIONS`.

    Raises:
        ConfigError: an input isn't given, or a value is one that no build takes.
    """
    for name, value in values.items():
        if name not in PARAMETERS and value is not None:
            OPTIONS[name].check(value)
    asked = {name: values[name] for name in PARAMETERS if values.get(name) is not None}
    check_parameters(asked)
    missing = [name for name in ("image", "segmentation") if name not in values]
    if missing:
        raise ConfigError(f"no {' and no '.join(missing)} given", about="image")
    parts = {
        part: kind(**{name: values[name] for name in options_of(kind) if name in values})
        for part, kind in PARTS.items()
    }
    request = BuildRequest(**parts, parameters=asked)
    if request.execution.workers is not None and request.execution.scheduler is not None:
        raise ConfigError("local workers and those of a scheduler exclude each other: ask for one", about="workers")
    request = replace(request, name=values.get("name", request.name), data_set=values.get("data_set"))
    check_run_name(request.name)
    return request


def read_request(
    config: Path | None, flags: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> BuildRequest:
    """A request from flags, a TOML file and defaults; the first of them that says something wins.

    Args:
        config: TOML whose keys are those of `OPTIONS`.
        flags: values by the names of `OPTIONS`; None: not given.
        defaults: the same, from the environment.

    Raises:
        ConfigError: the file is missing or malformed, a key is unknown, a value is wrong, or an input isn't given.
    """
    values = {key: value for key, value in (defaults or {}).items() if value is not None}
    values |= read_config(config, KEYS) if config is not None else {}
    values |= {key: value for key, value in flags.items() if value is not None}
    if "data_folder" in values:
        values["data_folder"] = values["data_folder"].expanduser()
    return build_request(values)
