"""`connectome build volume`: detect clefts, assign partners, store everything."""

from __future__ import annotations

import json

import typer

from connectome.cli.options.build import ConfigOption, Values, build_options
from connectome.cli.options.common import is_typed, program, where_flags
from connectome.cli.options.database import JsonOption

app = typer.Typer(no_args_is_help=True, help="Build a connectome from volumes, or a graph from a connectome.")


@app.command()
@build_options("given")
def volume(
    context: typer.Context,
    given: Values,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a connectome: find clefts in the image, assign partners, store both.

    --image and --segmentation are needed, here or in --config.

    A second call with the same name resumes where the first one ended,
    however it ended. Blocks that fail are tried again; if some still fail,
    the others are done, the run is incomplete, and the exit code is 7.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.pipeline.request import read_request
    from connectome.volumes.address import refuse_missing

    surroundings = [name for name in ("database_url", "data_folder") if not is_typed(context, name)]
    flags = {name: value for name, value in given.items() if name not in surroundings}
    request = read_request(config, flags, {name: given[name] for name in surroundings if name in given})
    for url in (request.volumes.image, request.volumes.segmentation):
        refuse_missing(url)
    from connectome.pipeline.build import build_volume  # loads torch: what isn't there is told before

    with RichProgress() as progress:
        summary = build_volume(request, progress)
    if as_json:
        typer.echo(json.dumps(summary.to_json(), indent=2))
        return
    typer.echo(summary.to_text())
    where = where_flags(request.execution.data_folder, request.execution.database_url)
    typer.echo(f'  database  psql "$({program()} db url{where})", or {program()} sql "SELECT ..."{where}')
