"""`connectome build volume`: detect clefts, assign partners, store everything."""

from __future__ import annotations

import json

import typer

from connectome.cli.options.assigner import (
    AssignerOption,
    DirectionOption,
    MinContactOption,
    PolyadicOption,
    PostThresholdOption,
    PreThresholdOption,
)
from connectome.cli.options.build import (
    AttemptsOption,
    BuildDeviceOption,
    ConfidenceOption,
    ConfigOption,
    ConnectivityOption,
    DetectorOption,
    DilationOption,
    DuplicateDistanceOption,
    ImageOption,
    MinScoreOption,
    MinSizeOption,
    NameOption,
    RestartOption,
    SchedulerOption,
    SegmentationOption,
    ThresholdOption,
    WorkersOption,
)
from connectome.cli.options.common import (
    DEFAULT_DATA_FOLDER,
    BlockShapeOption,
    BoxOption,
    DatabaseUrlOption,
    DataFolderOption,
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
    image: ImageOption = None,
    segmentation: SegmentationOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
    detector: DetectorOption = None,
    assigner: AssignerOption = None,
    direction: DirectionOption = None,
    box: BoxOption = None,
    block_shape: BlockShapeOption = None,
    resolution: ResolutionOption = None,
    device: BuildDeviceOption = None,
    threshold: ThresholdOption = None,
    min_size: MinSizeOption = None,
    dilation: DilationOption = None,
    duplicate_distance: DuplicateDistanceOption = None,
    min_score: MinScoreOption = None,
    confidence: ConfidenceOption = None,
    polyadic: PolyadicOption = None,
    min_contact: MinContactOption = None,
    pre_threshold: PreThresholdOption = None,
    post_threshold: PostThresholdOption = None,
    connectivity: ConnectivityOption = None,
    normalisation: NormalisationOption = None,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    restart: RestartOption = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    attempts: AttemptsOption = None,
    json_: JsonOption = False,
) -> None:
    """Build a connectome: find clefts in the image, assign partners from the segmentation, store both.

    A second call with the same name resumes where the first one ended, however it ended. Blocks that fail are tried
    again; if some still fail, the others are done, the run is incomplete, and the exit code is 7.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.networks.device import DeviceChoice
    from connectome.pipeline.build import build_volume
    from connectome.pipeline.normalisation import normalisation_of
    from connectome.pipeline.request import connectivity_of, read_request

    flags: dict[str, object] = {
        "image": image,
        "segmentation": segmentation,
        "name": name,
        "detector": detector,
        "assigner": assigner,
        "direction": direction,
        "polyadic": polyadic,
        "min_contact": min_contact,
        "pre_threshold": pre_threshold,
        "post_threshold": post_threshold,
        "box": parse_box(box),
        "block_shape": parse_shape(block_shape, "--block-shape"),
        "resolution_nm": parse_lengths_nm(resolution, "--resolution"),
        "device": DeviceChoice(device) if device else None,
        "threshold": threshold,
        "min_size_voxels": min_size,
        "dilation_nm": dilation,
        "duplicate_distance_nm": duplicate_distance,
        "min_score": min_score,
        "confidence": confidence,
        "restart": restart or None,
        "workers": workers,
        "scheduler": scheduler,
        "attempts": attempts,
        "connectivity": connectivity_of(connectivity) if connectivity is not None else None,
        "normalisation": normalisation_of(normalisation) if normalisation is not None else None,
    }
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
