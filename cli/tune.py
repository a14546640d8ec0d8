"""`connectome tune`: choose the parameters of a build on annotated volumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.build import ConfigOption, Values, build_options, request_without_volumes, tried_options
from connectome.cli.options.common import BoxOption, parse_box
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DataFolderOption, JsonOption
from connectome.errors import ConfigError

if TYPE_CHECKING:
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
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE.toml", help="Where the chosen parameters go.")
]


@build_options("given", "detector", "assigner", "direction", "polyadic", "device")
@tried_options("tried")
def tune(
    given: Values,
    tried: Values,
    data: DataOption = None,
    image: ImageOption = None,
    segmentation: SegmentationOption = None,
    reference: ReferenceOption = None,
    box: BoxOption = None,
    config: ConfigOption = None,
    output: OutputOption = Path("tuned.toml"),
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
    from connectome.tuning.annotated_volume import AnnotatedVolumes
    from connectome.tuning.report import tuning_json, tuning_text, write_tuning
    from connectome.tuning.tune import OUTPUTS, grid_for
    from connectome.tuning.tune import tune as run_tune

    build = request_without_volumes(config, given)
    on = AnnotatedVolumes(
        volumes=annotated_volumes(data, image, segmentation, reference, box),
        build=build,
        outputs=data_folder.expanduser() / OUTPUTS,
    )
    grid = grid_for(build, tried)
    with RichProgress() as progress:
        tuning = run_tune(on, grid, progress)
    files = write_tuning(tuning, build, output)
    if as_json:
        typer.echo(json.dumps(tuning_json(tuning) | {"files": [str(file) for file in files]}, indent=2))
        return
    typer.echo(tuning_text(tuning))
    typer.echo("written: " + ", ".join(str(file) for file in files))


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
