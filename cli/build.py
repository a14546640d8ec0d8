"""`connectome build volume`: detect clefts, assign partners, store everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.assigner_options import (
    AssignerOption,
    DirectionOption,
    MinContactOption,
    PolyadicOption,
    PostThresholdOption,
    PreThresholdOption,
)
from connectome.cli.options import (
    DEFAULT_DATA_FOLDER,
    BlockShapeOption,
    BoxOption,
    DatabaseUrlOption,
    DataFolderOption,
    Device,
    JsonOption,
    NormalisationOption,
    ResolutionOption,
    is_typed,
    parse_box,
    parse_lengths_nm,
    parse_shape,
    program,
    where_flags,
)

app = typer.Typer(no_args_is_help=True, help="Build a connectome from volumes, or a graph from a connectome.")


@app.command()
def volume(
    context: typer.Context,
    image: Annotated[str | None, typer.Option(metavar="URL", help="The EM image: a path or URL.")] = None,
    segmentation: Annotated[str | None, typer.Option(metavar="URL", help="Its segmentation.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run (default: default).", show_default=False)] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="The same options as keys of a TOML file; flags win.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Model that finds clefts (default: mask).")
    ] = None,
    assigner: AssignerOption = None,
    direction: DirectionOption = None,
    box: BoxOption = None,
    block_shape: BlockShapeOption = None,
    resolution: ResolutionOption = None,
    device: Annotated[
        Device | None, typer.Option(help="Where the networks run (default: auto).", show_default=False)
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="A voxel is cleft from this strength on, 0 to 1 (default: the detector's).")
    ] = None,
    min_size: Annotated[
        int | None, typer.Option(metavar="VOXELS", help="Smaller clefts are dropped (default: the detector's).")
    ] = None,
    dilation: Annotated[
        float | None, typer.Option(metavar="NM", help="How far partners may be from a cleft (default: the assigner's).")
    ] = None,
    duplicate_distance: Annotated[
        float | None,
        typer.Option(
            metavar="NM",
            help="Synapses of the same partners with clefts this near are one (default: the models', 0: off).",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(metavar="0..1", help="Synapses of a lower score are left out (default: the models')."),
    ] = None,
    confidence: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json", help="Model of the synapses' confidence, from `calibrate` (default: the assigner's)."
        ),
    ] = None,
    polyadic: PolyadicOption = None,
    min_contact: MinContactOption = None,
    pre_threshold: PreThresholdOption = None,
    post_threshold: PostThresholdOption = None,
    connectivity: Annotated[
        int | None, typer.Option(metavar="6|18|26", help="Neighbours by faces, edges or corners (default: 26).")
    ] = None,
    normalisation: NormalisationOption = None,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    restart: Annotated[bool, typer.Option("--restart", help="Forget what the run of this name has done.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Have N local processes do the work (dask: the extra 'cluster')."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Have the workers of a dask scheduler do it, e.g. tcp://host:8786."),
    ] = None,
    attempts: Annotated[
        int | None, typer.Option(help="How often a block that fails is tried (default: 3).", show_default=False)
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Build a connectome: find clefts in the image, assign partners from the segmentation, store both.

    A second call with the same name resumes where the first one ended, however it ended. Blocks that fail are tried
    again; if some still fail, the others are done, the run is incomplete, and the exit code is 7.
    """
    from connectome.cli.progress import RichProgress
    from connectome.networks.device import DeviceChoice
    from connectome.pipeline.build import build_volume
    from connectome.pipeline.normalising import normalisation_of
    from connectome.pipeline.request import connectivity_of, read_request

    flags: dict[str, object] = {
        "image": image, "segmentation": segmentation, "name": name, "detector": detector, "assigner": assigner,
        "direction": direction, "polyadic": polyadic, "min_contact": min_contact, "pre_threshold": pre_threshold,
        "post_threshold": post_threshold,
        "box": parse_box(box), "block_shape": parse_shape(block_shape, "--block-shape"),
        "resolution_nm": parse_lengths_nm(resolution, "--resolution"),
        "device": DeviceChoice(device) if device else None, "threshold": threshold, "min_size_voxels": min_size,
        "dilation_nm": dilation, "duplicate_distance_nm": duplicate_distance, "min_score": min_score,
        "confidence": confidence,
        "restart": restart or None, "workers": workers, "scheduler": scheduler, "attempts": attempts,
        "connectivity": connectivity_of(connectivity) if connectivity is not None else None,
        "normalisation": normalisation_of(normalisation) if normalisation is not None else None,
    }  # fmt: skip
    defaults: dict[str, object] = {}
    for key, value in (("database_url", database_url), ("data_folder", data_folder)):
        (flags if is_typed(context, key) else defaults)[key] = value
    request = read_request(config, flags, defaults)
    with RichProgress() as progress:
        summary = build_volume(request, progress)
    if json_:
        typer.echo(json.dumps(summary.to_json(), indent=2))
        return
    typer.echo(summary.to_text())
    where = where_flags(request.data_folder, request.database_url)
    typer.echo(f'  database  psql "$({program()} db url{where})", or {program()} sql "SELECT ..."{where}')
