"""`connectome volume`: import, describe and make volumes."""

from __future__ import annotations

import json
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectome.cli.options.common import (
    BlockShapeOption,
    OffsetOption,
    ResolutionOption,
    parse_box,
    parse_lengths_nm,
    parse_nm,
    parse_shape,
)
from connectome.cli.options.database import JsonOption

if TYPE_CHECKING:
    from connectome.formats.description import IdRange, VolumeDescription

app = typer.Typer(no_args_is_help=True, help="Import, describe and make volumes.")
import_app = typer.Typer(no_args_is_help=True, help="Turn what is no volume yet into volumes.")
app.add_typer(import_app, name="import")


class Preset(StrEnum):
    """The kinds of tissue that `volume phantom` makes, as `connectome.phantom.PhantomPreset`."""

    CORTEX = "cortex"
    INSECT = "insect"


class Gaps(StrEnum):
    """What becomes of missing sections, as `connectome.formats.section_names.Gaps`."""

    REFUSE = "refuse"
    BLANK = "blank"
    CLOSE = "close"


class Format(StrEnum):
    """What `volume export` writes, as `connectome.formats.export.ExportFormat`."""

    PRECOMPUTED = "precomputed"
    N5 = "n5"
    TIFF = "tiff"
    CREMI = "cremi"


LabelsOption = Annotated[
    bool | None,
    typer.Option(
        "--labels/--image",
        show_default=False,
        help="What the voxels are. By default integers of 32 bits and more are labels, all else is an image.",
    ),
]
AxesOption = Annotated[
    str | None,
    typer.Option(
        "--axes",
        metavar="LETTERS",
        show_default=False,
        help="What the array's axes are, in its order, where the file doesn't say or is wrong: e.g. zyx, xyz, czyx.",
    ),
]
ChannelOption = Annotated[
    int | None,
    typer.Option("--channel", metavar="N", show_default=False, help="Which of several channels, from 0."),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


@import_app.command("cremi")
def import_cremi(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CREMI HDF5 file.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the volumes go.")],
    overwrite: OverwriteOption = False,
    annotations: Annotated[
        bool, typer.Option("--annotations/--no-annotations", help="Write annotations.csv where the file has partners.")
    ] = True,
) -> None:
    """Write DIR/raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv, as far as FILE has them."""
    from connectome.cli.output.progress import RichProgress
    from connectome.formats.cremi import import_cremi as run_import

    with RichProgress() as progress:
        written = run_import(file, folder, progress=progress, overwrite=overwrite, annotations=annotations)
    for path in written:
        typer.echo(path)


@import_app.command("stack")
def import_stack(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Folder or 'pattern*' of TIFF or PNG sections, multi-page TIFF, or .npy."
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The volume to make, e.g. raw.zarr.")],
    resolution: ResolutionOption = None,
    offset: OffsetOption = None,
    axes: AxesOption = None,
    channel: ChannelOption = None,
    gaps: Annotated[
        Gaps,
        typer.Option(
            "--gaps",
            help="Of section files whose numbers have gaps: refuse them, leave missing sections blank, or close the "
            "gaps and take all files in natural order.",
        ),
    ] = Gaps.REFUSE,
    overwrite: OverwriteOption = False,
) -> None:
    """Write an image stack as one volume.

    Resolution and offset are those that the files tell (OME, ImageJ), if
    none are given. The data type stays; floats that are whole numbers, and
    booleans, become unsigned integers, so that they can be labels.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.formats import section_names
    from connectome.formats.images import open_sections
    from connectome.formats.stacks import import_stack as run_import

    resolution_nm, offset_nm = parse_lengths_nm(resolution, "--resolution"), parse_nm(offset, "--offset")
    opened = open_sections(source, channel=channel, axes=axes, gaps=section_names.Gaps(gaps))
    with closing(opened) as sections, RichProgress() as progress:
        for note in sections.told.notes:
            typer.echo(f"{source}: {note}", err=True)
        run_import(
            sections, target, resolution_nm=resolution_nm, offset_nm=offset_nm, progress=progress, overwrite=overwrite
        )
    typer.echo(target)


@import_app.command("hdf5")
def import_hdf5(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="HDF5 file.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The volume to make, e.g. raw.zarr.")],
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="PATH", show_default=False, help="Which dataset, if there are several."),
    ] = None,
    resolution: ResolutionOption = None,
    offset: OffsetOption = None,
    axes: AxesOption = None,
    channel: ChannelOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a dataset of an HDF5 file, whoever wrote it, as one volume.

    Resolution, offset and axes are those that its attributes tell, if none
    are given. What leads to other files isn't followed.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.formats.copying import write_whole_numbers
    from connectome.formats.hdf5 import Hdf5File

    with Hdf5File(file) as opened, RichProgress() as progress:
        volume = opened.the_volume(
            dataset,
            resolution_nm=parse_lengths_nm(resolution, "--resolution"),
            offset_nm=parse_nm(offset, "--offset"),
            axes=axes,
            channel=channel,
        )
        write_whole_numbers(volume, volume.title, target, progress=progress, overwrite=overwrite)
    typer.echo(target)


@app.command()
def info(
    url: Annotated[str, typer.Argument(metavar="URL", help="A local path, a URL, or a URL pipeline.")],
    resolution: ResolutionOption = None,
    offset: OffsetOption = None,
    refuse_missing: Annotated[
        bool,
        typer.Option("--refuse-missing", help="Exit with 3 if chunks aren't stored, or an image has blank sections."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print shape, chunks, data type, resolution and offset; of a segmentation also its range of ids.

    Chunks that aren't stored, which read as 0, and an image's blank sections
    are counted.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.formats.description import describe_volume
    from connectome.volumes.missing import refuse_incomplete
    from connectome.volumes.volume import Volume

    volume = Volume.open(
        url, resolution_nm=parse_lengths_nm(resolution, "--resolution"), offset_nm=parse_nm(offset, "--offset")
    )
    with RichProgress() as progress:
        description = describe_volume(volume, progress=progress)
    if as_json:
        typer.echo(json.dumps(_as_json(description)))
    else:
        for name, value in _lines(description):
            typer.echo(f"{name:<12}{value}")
    if refuse_missing:
        refuse_incomplete(url, description.missing)


@app.command()
def resample(
    url: Annotated[str, typer.Argument(metavar="URL", help="A volume, or a group of several levels.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The volume to make, e.g. raw_8nm.zarr.")],
    to: Annotated[str, typer.Option("--to", metavar="z,y,x", help="Voxels to make, in nm.")],
    labels: LabelsOption = None,
    resolution: ResolutionOption = None,
    offset: OffsetOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a volume in voxels of another size, as a build would see it.

    An image's voxel is the mean over what it covers, or lies between the two
    nearest; along z whole sections are averaged or repeated, never blended. A
    label is one that is there.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.formats.copying import write_volume
    from connectome.formats.export import are_labels
    from connectome.formats.resample import Resampled
    from connectome.volumes.multiscale import open_multiscale
    from connectome.volumes.working_grid import ViewKind

    opened = open_multiscale(
        url, resolution_nm=parse_lengths_nm(resolution, "--resolution"), offset_nm=parse_nm(offset, "--offset")
    )
    wanted = parse_lengths_nm(to, "--to") or opened.finest.grid.resolution_nm
    is_labels = are_labels(opened.finest.dtype) if labels is None else labels
    resampled = Resampled.of(opened, wanted, ViewKind.LABELS if is_labels else ViewKind.IMAGE)
    with RichProgress() as progress:
        write_volume(resampled, target, resampled.dtype, progress=progress, overwrite=overwrite)
    typer.echo(target)


@app.command("export")
def export_(
    url: Annotated[str, typer.Argument(metavar="URL", help="A local path, a URL, or a URL pipeline.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A folder, or a file of TIFF or HDF5.")],
    format_: Annotated[Format, typer.Option("--format", help="What to write.")],
    box: Annotated[
        str | None,
        typer.Option(
            "--box", metavar="z0:z1,y0:y1,x0:x1", show_default=False, help="Only this part, in voxels of the volume."
        ),
    ] = None,
    labels: LabelsOption = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            metavar="PATH",
            show_default=False,
            help="Of a CREMI file; by default volumes/raw, or volumes/labels/neuron_ids for labels.",
        ),
    ] = None,
    resolution: ResolutionOption = None,
    offset: OffsetOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a volume for other tools: precomputed (Neuroglancer), n5, TIFF, or a dataset of a CREMI file.

    A TIFF is one file if TARGET ends in .tif, else a folder of sections;
    resolution and origin are told as ImageJ does. A CREMI file may hold other
    datasets already.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.errors import BoxError
    from connectome.formats.export import ExportFormat, ExportRequest, Part, are_labels, export_volume
    from connectome.volumes.volume import Volume

    volume = Volume.open(
        url, resolution_nm=parse_lengths_nm(resolution, "--resolution"), offset_nm=parse_nm(offset, "--offset")
    )
    part = parse_box(box) or volume.box
    if not volume.box.contains(part):
        raise BoxError(f"box {part} lies outside the volume {url}, which has {volume.box}")
    request = ExportRequest(
        target=target,
        format=ExportFormat(format_),
        labels=are_labels(volume.dtype) if labels is None else labels,
        dataset=dataset,
        overwrite=overwrite,
    )
    with RichProgress() as progress:
        export_volume(Part(volume, part), request, progress)
    typer.echo(target)


@app.command()
def phantom(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the volumes go.")],
    shape: Annotated[str, typer.Option("--shape", metavar="z,y,x", help="Voxels of the volume.")] = "64,512,512",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed is another tissue.")] = 0,
    preset: Annotated[
        Preset, typer.Option("--preset", help="Dyadic synapses on spines, or insects' polyadic ones with T-bars.")
    ] = Preset.CORTEX,
    resolution: ResolutionOption = None,
    block_shape: BlockShapeOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Make a synthetic EM volume whose connectome is known: raw, neuron_ids, clefts and annotations.csv in DIR."""
    from connectome.cli.output.progress import RichProgress
    from connectome.phantom import PhantomConfig, PhantomPreset, write_phantom

    config = PhantomConfig(
        shape=parse_shape(shape, "--shape") or (64, 512, 512),
        seed=seed,
        preset=PhantomPreset(preset),
        resolution_nm=parse_lengths_nm(resolution, "--resolution") or (30.0, 12.0, 12.0),
    )
    blocks = parse_shape(block_shape, "--block-shape") or (32, 256, 256)
    with RichProgress() as progress:
        write_phantom(config, folder, block_shape=blocks, progress=progress, overwrite=overwrite)
    typer.echo(folder)


def _as_json(description: VolumeDescription) -> dict[str, Any]:
    """The description with plain names; ids are strings, since many readers of JSON round numbers over 2^53."""
    grid, ids = description.grid, description.ids
    facts: dict[str, Any] = {
        "url": description.url,
        "format": description.format,
        "dtype": description.dtype,
        "shape": grid.shape,
        "chunk_shape": description.chunk_shape,
        "resolution_nm": grid.resolution_nm,
        "offset_nm": grid.offset_nm,
        "chunks": description.missing.chunks,
        "absent_chunks": description.missing.absent,
        "blank_sections": description.missing.blank,
    }
    if ids is not None:
        facts["lowest_id"] = None if ids.lowest_id is None else str(ids.lowest_id)
        facts["highest_id"] = None if ids.highest_id is None else str(ids.highest_id)
        facts |= {
            "has_background": ids.has_background,
            "has_cremi_marks": ids.has_cremi_marks,
            "ids_fit": ids.ids_fit,
        }
    return facts


def _lines(description: VolumeDescription) -> list[tuple[str, str]]:
    grid = description.grid
    lines = [
        ("url", description.url),
        ("format", description.format),
        ("dtype", description.dtype),
        ("shape", f"{_joined(grid.shape)} voxels (zyx)"),
        ("chunks", f"{_joined(description.chunk_shape)} voxels"),
        ("resolution", f"{_joined(grid.resolution_nm)} nm"),
        ("offset", f"{_joined(grid.offset_nm)} nm"),
    ]
    if description.missing:
        lines.append(("missing", f"{description.missing}; they read as one value"))
    return lines if description.ids is None else [*lines, ("ids", _id_text(description.ids))]


def _id_text(ids: IdRange) -> str:
    text = "none" if ids.lowest_id is None else f"{ids.lowest_id} to {ids.highest_id}"
    if ids.has_background:
        text += ", 0 = background"
    if ids.has_cremi_marks:
        text += ", with CREMI's marks 2^64-1 (background) or 2^64-2 (ignored): cleft labels, no segmentation"
    elif not ids.ids_fit:
        text += "; some don't lie between 0 and 2^63-1: relabel it before a build"
    return text


def _joined(values: tuple[float, float, float]) -> str:
    return ",".join(f"{value:.10g}" for value in values)
