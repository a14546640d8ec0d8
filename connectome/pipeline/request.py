"""What `connectome build volume` is asked to do: flags, or the same in a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from connectome.clefts.labelling import Connectivity
from connectome.errors import ConfigError
from connectome.geometry import Box, NmTriple, Triple
from connectome.networks.device import DeviceChoice


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """One build.

    Attributes:
        image, segmentation: URLs of the volumes.
        name: of the run; a second build of this name resumes it.
        detector, assigner: paths of checkpoints; None: the shipped ones.
        box: part of the segmentation to build, in its voxels; None: all that the image covers.
        block_shape: voxels (z, y, x) of the unit of work, at the models' resolution.
        resolution_nm: of both volumes (z, y, x), where their metadata doesn't say or is wrong.
        threshold: a voxel is cleft from this probability on; None: the detector's own.
        min_size_voxels: smaller clefts are dropped; None: the detector's own.
        dilation_nm: how far a candidate may be from a cleft in-plane; None: the assigner's own.
        connectivity: which voxels are neighbours.
        restart: forget what the run of this name has done.
    """

    image: str
    segmentation: str
    name: str = "default"
    detector: str | None = None
    assigner: str | None = None
    box: Box | None = None
    block_shape: Triple = (64, 256, 256)
    resolution_nm: NmTriple | None = None
    device: DeviceChoice = DeviceChoice.AUTO
    threshold: float | None = None
    min_size_voxels: int | None = None
    dilation_nm: float | None = None
    connectivity: Connectivity = Connectivity.CORNERS
    database_url: str | None = None
    data_folder: Path = Path("connectome-data")
    restart: bool = False


def read_request(config: Path | None, flags: dict[str, Any]) -> BuildRequest:
    """A request from a TOML file and flags; a flag that is given (not None) wins.

    Args:
        config: TOML with the field names of `BuildRequest`; boxes as text, shapes as lists of three numbers.
        flags: values by field name.

    Raises:
        ConfigError: the file is missing or malformed, a key is unknown, a value is wrong, or an input isn't given.
    """
    values = _from_file(config) if config is not None else {}
    values |= {key: value for key, value in flags.items() if value is not None}
    missing = [name for name in ("image", "segmentation") if name not in values]
    if missing:
        raise ConfigError("no " + " and no ".join(missing) + " given: use --image URL --segmentation URL, or --config")
    request = BuildRequest(**values)
    _check(request)
    return request


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"configuration {path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration {path} isn't TOML: {error}") from error
    known = {field.name for field in fields(BuildRequest)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"configuration {path}: unknown key '{unknown[0]}' (known: {', '.join(sorted(known))})")
    return {key: _converted(path, key, value) for key, value in values.items()}


def _converted(path: Path, key: str, value: Any) -> Any:
    """A TOML value as the type of its field."""
    convert: dict[str, Any] = {
        "box": Box.parse,
        "block_shape": lambda v: _three(v, int),
        "resolution_nm": lambda v: _three(v, float),
        "device": DeviceChoice,
        "threshold": float,
        "min_size_voxels": int,
        "dilation_nm": float,
        "connectivity": Connectivity,
        "data_folder": Path,
        "restart": bool,
    }
    try:
        return convert.get(key, str)(value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"configuration {path}: {key} = {value!r} isn't valid ({error})") from error


def _three(value: Any, kind: type) -> tuple[Any, Any, Any]:
    numbers = value.split(",") if isinstance(value, str) else value
    z, y, x = (kind(number) for number in numbers)
    return z, y, x


def _check(request: BuildRequest) -> None:
    """Refuse what no build can be made from.

    Raises:
        ConfigError: a name that isn't a folder name, a threshold outside (0, 1], sizes below 1.
    """
    if not request.name or request.name.startswith(".") or any(c in request.name for c in "/\\\0\n"):
        raise ConfigError(f"run name '{request.name}' must be usable as a folder name: letters, digits, - and _")
    if request.threshold is not None and not 0 < request.threshold <= 1:
        raise ConfigError(f"threshold {request.threshold} must be greater than 0 and at most 1")
    if request.min_size_voxels is not None and request.min_size_voxels < 1:
        raise ConfigError(f"minimum size {request.min_size_voxels} must be at least 1 voxel")
    if request.dilation_nm is not None and not request.dilation_nm > 0:
        raise ConfigError(f"dilation of {request.dilation_nm} nm must be greater than 0")
    if min(request.block_shape) < 1:
        raise ConfigError(f"block shape {request.block_shape} must be at least 1 voxel along each axis")
