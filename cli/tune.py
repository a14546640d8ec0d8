"""`connectome tune`: choose the parameters of a build on annotated volumes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.assigner import AssignerOption, PolyadicOption
from connectome.cli.options.build import DetectorOption
from connectome.cli.options.common import (
    DEFAULT_DATA_FOLDER,
    BoxOption,
    DataFolderOption,
    Device,
    DeviceOption,
    JsonOption,
    parse_box,
)
from connectome.cli.options.groups import shared_options
from connectome.errors import ConfigError

if TYPE_CHECKING:
    from connectome.pipeline.request import BuildRequest
    from connectome.tuning.annotated_volume import AnnotatedVolume

DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="FOLDER[@BOX][*WEIGHT]",
        show_default=False,
        help="Folder with raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv; scored in BOX. Repeatable.",
    ),
]
ImageOption = Annotated[
    str | None,
    typer.Option("--image", metavar="URL", show_default=False, help="An image, for volumes that lie elsewhere."),
]
SegmentationOption = Annotated[
    str | None, typer.Option("--segmentation", metavar="URL", show_default=False, help="Its segmentation.")
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option("--reference", metavar="FILE.hdf", show_default=False, help="Its annotations: a CREMI file."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE.toml", show_default=False, help="Options of build volume; flags win."),
]
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE.toml", help="Where the chosen parameters go.")
]
GridValues = dict[str, tuple[float, ...]]


def _grid(
    thresholds: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Detection thresholds to try.", show_default=False)
    ] = None,
    min_sizes: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Minimum sizes in voxels to try.", show_default=False)
    ] = None,
    dilations: Annotated[
        str | None, typer.Option(metavar="NM,NM,...", help="Dilations to try.", show_default=False)
    ] = None,
    duplicate_distances: Annotated[
        str | None, typer.Option(metavar="NM,NM,...", help="Duplicate distances to try; 0: off.", show_default=False)
    ] = None,
    min_scores: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Minimum scores to try.", show_default=False)
    ] = None,
    min_contacts: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Shares of the largest contact to ask of partners.", show_default=False),
    ] = None,
    pre_thresholds: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Scores to ask of further presynaptic partners.", show_default=False),
    ] = None,
    post_thresholds: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Scores to ask of further postsynaptic partners.", show_default=False),
    ] = None,
) -> GridValues:
    """The values to try, by the parameter of a build; those that aren't given are left out."""
    asked = {
        "threshold": numbers(thresholds, "--thresholds", float),
        "min_size_voxels": numbers(min_sizes, "--min-sizes", int),
        "dilation_nm": numbers(dilations, "--dilations", float),
        "duplicate_distance_nm": numbers(duplicate_distances, "--duplicate-distances", float),
        "min_score": numbers(min_scores, "--min-scores", float),
        "min_contact": numbers(min_contacts, "--min-contacts", float),
        "pre_threshold": numbers(pre_thresholds, "--pre-thresholds", float),
        "post_threshold": numbers(post_thresholds, "--post-thresholds", float),
    }
    return {name: values for name, values in asked.items() if values is not None}


@shared_options(_grid, "grid")
def tune(
    grid: GridValues,
    data: DataOption = None,
    image: ImageOption = None,
    segmentation: SegmentationOption = None,
    reference: ReferenceOption = None,
    box: BoxOption = None,
    detector: DetectorOption = None,
    assigner: AssignerOption = None,
    polyadic: PolyadicOption = None,
    config: ConfigOption = None,
    output: OutputOption = Path("tuned.toml"),
    device: DeviceOption = Device.AUTO,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Choose threshold, minimum size, dilation, duplicate distance and minimum score by edge F1 on annotated volumes.

    In the polyadic mode also what decides about further partners; F1 is then that of the pairs of all clefts.

    Every combination is scored on every volume; the mean of the volumes' F1 decides, each volume counting by its
    weight. Of nearly equal combinations the one whose neighbours do well is taken. The networks' outputs are kept in
    the data folder, so a second call takes seconds. What --config says besides (direction, connectivity ...) holds for
    all combinations. Beside FILE.toml, which build volume takes as --config, go the whole table and two plots.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.tuning.report import tuning_json, tuning_text, write_tuning
    from connectome.tuning.tune import OUTPUTS, TuneRequest, grid_for
    from connectome.tuning.tune import tune as run_tune

    build = build_options(config, detector, assigner, device, polyadic)
    request = TuneRequest(
        volumes=annotated_volumes(data, image, segmentation, reference, box),
        build=build,
        grid=grid_for(build, grid),
        outputs=data_folder.expanduser() / OUTPUTS,
    )
    with RichProgress() as progress:
        tuning = run_tune(request, progress)
    files = write_tuning(tuning, build, output)
    if as_json:
        typer.echo(json.dumps(tuning_json(tuning) | {"files": [str(file) for file in files]}, indent=2))
        return
    typer.echo(tuning_text(tuning))
    typer.echo("written: " + ", ".join(str(file) for file in files))


def build_options(
    config: Path | None, detector: str | None, assigner: str | None, device: Device, polyadic: bool | None = None
) -> BuildRequest:
    """What a build is to share with all that is tried: models and modes; it has no volumes.

    Raises:
        ConfigError: see `read_request`.
    """
    from connectome.networks.device import DeviceChoice
    from connectome.pipeline.request import read_request

    flags = {
        "image": "",
        "segmentation": "",
        "detector": detector,
        "assigner": assigner,
        "device": DeviceChoice(device),
        "polyadic": polyadic,
    }
    return read_request(config, flags)


def annotated_volumes(
    data: list[str] | None, image: str | None, segmentation: str | None, reference: Path | None, box: str | None
) -> tuple[AnnotatedVolume, ...]:
    """The volumes that options name.

    Raises:
        ConfigError: there is none, or one of --image, --segmentation and --reference is missing.
    """
    from connectome.tuning.annotated_volume import AnnotatedVolume

    volumes = [AnnotatedVolume.parse(text) for text in data or []]
    if image is not None and segmentation is not None and reference is not None:
        volumes.append(AnnotatedVolume(image=image, segmentation=segmentation, reference=reference, box=parse_box(box)))
    elif any(value is not None for value in (image, segmentation, reference, box)):
        raise ConfigError("--image, --segmentation and --reference belong together (--box is theirs): give all three")
    if not volumes:
        raise ConfigError("no annotated volume given: use --data FOLDER, or --image, --segmentation and --reference")
    return tuple(volumes)


def numbers(text: str | None, option: str, kind: Callable[[str], float]) -> tuple[float, ...] | None:
    """The ascending numbers of an option; None where it isn't given.

    Raises:
        ConfigError: something in it is no number.
    """
    if text is None:
        return None
    try:
        return tuple(sorted({kind(part) for part in text.split(",")}))
    except ValueError as error:
        raise ConfigError(f"{option} '{text}' isn't a list of numbers: write e.g. 1,2,3") from error
