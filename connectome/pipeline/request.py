"""What `connectome build volume` is asked to do: flags, or the same in a TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectome.clefts.labelling import Connectivity
from connectome.config_file import Keys, flag, number, read_config, text, whole
from connectome.errors import ConfigError
from connectome.geometry import Box, NmTriple, Triple
from connectome.networks.device import DeviceChoice
from connectome.pipeline.normalisation import Normalising, normalisation_of
from connectome.store.runs.records import check_run_name
from connectome.volumes.grey_values import GreyRange

LARGEST_DILATION_NM = 500
LARGEST_DUPLICATE_DISTANCE_NM = 10_000


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """One build.

    Attributes:
        image, segmentation: URLs of the volumes.
        name: of the run; a second build of this name resumes it.
        detector: name of a model, or path of a checkpoint; None: mask.
        assigner: the same, or `nearest`; None: avan.
        direction: for the assigner `nearest`, the model that tells pre from post; None: the detector, if it can.
        box: part of the segmentation to build, in its voxels; None: all that the image covers.
        block_shape: voxels (z, y, x) of the unit of work, at the models' resolution.
        resolution_nm: of both volumes (z, y, x), where their metadata doesn't say or is wrong.
        threshold: a voxel is cleft from this strength on (for a mask its probability); None: the detector's own.
        min_size_voxels: smaller clefts are dropped; None: the detector's own.
        dilation_nm: how far a candidate may be from a cleft in-plane; None: the assigner's own.
        duplicate_distance_nm: synapses of the same partners with clefts this near are one; 0: off, None: the models'.
        min_score: synapses of a lower score are left out; None: the models' own.
        confidence: file with a model of confidence, as `connectome calibrate` writes it; None: the assigner's own.
        polyadic: whether a cleft may have several synapses; None: what the assigner recommends.
        min_contact: a partner has at least this share of the largest contact; None: the assigner's own.
        pre_threshold, post_threshold: what further partners of a polyadic cleft must score; None: the assigner's own.
        connectivity: which voxels are neighbours.
        normalisation: which grey values of the image are to meet those of the models' training data: measured on the
            volume, none, or a range.
        restart: forget what the run of this name has done.
        attempts: how often a block that fails is tried.
        workers: so many local processes do the blocks; None: this one does.
        scheduler: address of a dask scheduler whose workers do the blocks.
    """

    image: str
    segmentation: str
    name: str = "default"
    detector: str | None = None
    assigner: str | None = None
    direction: str | None = None
    box: Box | None = None
    block_shape: Triple = (64, 256, 256)
    resolution_nm: NmTriple | None = None
    device: DeviceChoice = DeviceChoice.AUTO
    threshold: float | None = None
    min_size_voxels: int | None = None
    dilation_nm: float | None = None
    polyadic: bool | None = None
    min_contact: float | None = None
    pre_threshold: float | None = None
    post_threshold: float | None = None
    duplicate_distance_nm: float | None = None
    min_score: float | None = None
    confidence: Path | None = None
    connectivity: Connectivity = Connectivity.CORNERS
    normalisation: Normalising | GreyRange = Normalising.VOLUME
    database_url: str | None = None
    data_folder: Path = Path("connectome-data")
    restart: bool = False
    attempts: int = 3
    workers: int | None = None
    scheduler: str | None = None


def read_request(config: Path | None, flags: dict[str, Any], defaults: dict[str, Any] | None = None) -> BuildRequest:
    """A request from flags, a TOML file and defaults; the first of them that says something wins.

    Args:
        config: TOML whose keys are the long flags of `connectome build volume`, with _ for -.
        flags: values by field name of `BuildRequest`; None: not given.
        defaults: the same, from the environment.

    Raises:
        ConfigError: the file is missing or malformed, a key is unknown, a value is wrong, or an input isn't given.
    """
    values = {key: value for key, value in (defaults or {}).items() if value is not None}
    values |= read_config(config, KEYS) if config is not None else {}
    values |= {key: value for key, value in flags.items() if value is not None}
    missing = [name for name in ("image", "segmentation") if name not in values]
    if missing:
        raise ConfigError("no " + " and no ".join(missing) + " given: use --image URL --segmentation URL, or --config")
    if "data_folder" in values:
        values["data_folder"] = values["data_folder"].expanduser()
    request = BuildRequest(**values)
    _check(request)
    return request


def connectivity_of(value: int) -> Connectivity:
    """6, 18 or 26.

    Raises:
        ConfigError: another number.
    """
    try:
        return Connectivity(value)
    except ValueError as error:
        raise ConfigError(f"connectivity {value} must be 6 (faces), 18 (edges) or 26 (corners)") from error


def _shape(value: Any) -> Triple:
    z, y, x = map(whole, value)
    return z, y, x


def _resolution(value: Any) -> NmTriple:
    z, y, x = map(number, value)
    return z, y, x


KEYS: Keys = {
    "image": ("image", text),
    "segmentation": ("segmentation", text),
    "name": ("name", text),
    "detector": ("detector", text),
    "assigner": ("assigner", text),
    "direction": ("direction", text),
    "box": ("box", lambda value: Box.parse(text(value))),
    "block_shape": ("block_shape", _shape),
    "resolution": ("resolution_nm", _resolution),
    "device": ("device", lambda value: DeviceChoice(text(value))),
    "threshold": ("threshold", number),
    "min_size": ("min_size_voxels", whole),
    "dilation": ("dilation_nm", number),
    "polyadic": ("polyadic", flag),
    "min_contact": ("min_contact", number),
    "pre_threshold": ("pre_threshold", number),
    "post_threshold": ("post_threshold", number),
    "duplicate_distance": ("duplicate_distance_nm", number),
    "min_score": ("min_score", number),
    "confidence": ("confidence", lambda value: Path(text(value))),
    "connectivity": ("connectivity", lambda value: connectivity_of(whole(value))),
    "normalisation": ("normalisation", lambda value: normalisation_of(text(value))),
    "database_url": ("database_url", text),
    "data_folder": ("data_folder", lambda value: Path(text(value))),
    "restart": ("restart", flag),
    "attempts": ("attempts", whole),
    "workers": ("workers", whole),
    "scheduler": ("scheduler", text),
}


def _check(request: BuildRequest) -> None:
    """Refuse what no build can be made from.

    Raises:
        ConfigError: a name that isn't a folder name, a threshold outside (0, 1], sizes below 1.
    """
    check_run_name(request.name)
    if request.threshold is not None and not 0 < request.threshold <= 1:
        raise ConfigError(f"threshold {request.threshold} must be greater than 0 and at most 1")
    if request.min_size_voxels is not None and request.min_size_voxels < 1:
        raise ConfigError(f"minimum size {request.min_size_voxels} must be at least 1 voxel")
    if request.dilation_nm is not None and not 0 < request.dilation_nm <= LARGEST_DILATION_NM:
        raise ConfigError(
            f"dilation of {request.dilation_nm} nm must be greater than 0 and at most {LARGEST_DILATION_NM}"
        )
    check_min_contact(request.min_contact)
    if request.attempts < 1:
        raise ConfigError(f"attempts {request.attempts} must be at least 1")
    if request.workers is not None and request.workers < 1:
        raise ConfigError(f"workers {request.workers} must be at least 1")
    if request.workers is not None and request.scheduler is not None:
        raise ConfigError("give --workers for local processes, or --scheduler for those of a cluster, not both")
    check_polyadic(request.polyadic, request.pre_threshold, request.post_threshold)
    _check_synapse_rules(request)
    if min(request.block_shape) < 1:
        raise ConfigError(f"block shape {request.block_shape} must be at least 1 voxel along each axis")


def _check_synapse_rules(request: BuildRequest) -> None:
    distance, score = request.duplicate_distance_nm, request.min_score
    if distance is not None and not 0 <= distance <= LARGEST_DUPLICATE_DISTANCE_NM:
        raise ConfigError(
            f"duplicate distance of {distance} nm must be from 0 (off) to {LARGEST_DUPLICATE_DISTANCE_NM}"
        )
    if score is not None and not 0 <= score <= 1:
        raise ConfigError(f"minimum score {score} must be from 0 to 1")


def check_min_contact(min_contact: float | None) -> None:
    """Refuse what is no share.

    Raises:
        ConfigError: it lies outside [0, 1].
    """
    if min_contact is not None and not 0 <= min_contact <= 1:
        raise ConfigError(f"minimum contact {min_contact} must be from 0 to 1, a share of the largest contact")


def check_polyadic(polyadic: bool | None, pre_threshold: float | None, post_threshold: float | None) -> None:
    """Refuse thresholds that nothing uses, or that nothing reaches.

    Raises:
        ConfigError: says which.
    """
    for name, value in (("pre", pre_threshold), ("post", post_threshold)):
        if value is None:
            continue
        if polyadic is False:
            raise ConfigError(
                f"a {name} threshold is of use in the polyadic mode alone: add --polyadic, or leave it out"
            )
        if not 0 <= value <= 1:
            raise ConfigError(f"{name} threshold {value} must be from 0 to 1")
