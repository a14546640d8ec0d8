"""`connectome roots`: versions of which neuron a segment belongs to."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.options.common import (
    DEFAULT_DATA_FOLDER,
    DatabaseUrlOption,
    DataFolderOption,
    JsonOption,
    OffsetOption,
    ResolutionOption,
    parse_lengths_nm,
    parse_nm,
)
from connectome.cli.options.filter import LatestRunOption

app = typer.Typer(no_args_is_help=True, help="Follow proofreading: versions of which neuron a segment belongs to.")

NameOption = Annotated[str, typer.Option("--name", metavar="VERSION", help="The name of the version.")]
ParentOption = Annotated[
    str | None,
    typer.Option("--parent", metavar="VERSION", show_default=False, help="The version that it corrects."),
]


@app.command("import")
def import_roots(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="segment_id and root_id: CSV, Feather or Parquet.")],
    name: NameOption,
    parent: ParentOption = None,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Make a version of a table; edges of all finished runs follow, synapses stay as they are.

    A segment without a row is its own root, or has the root that it has in --parent, whose annotations are taken over
    too (segments: those of the segments). Earlier versions stay.
    """
    from connectome.query.proofreading import import_roots as run_import
    from connectome.store.database import Database

    with Database.open(database_url, data_folder) as database:
        edges = run_import(database, table, name, parent)
    if as_json:
        typer.echo(json.dumps({"version": name, "edges": edges}))
        return
    typer.echo(f"roots {name}")
    for run, count in edges.items():
        typer.echo(f"run {run}: {count:,} edges")


@app.command("from-volume")
def from_volume(
    url: Annotated[str, typer.Argument(metavar="URL", help="The new segmentation; its labels are the roots.")],
    name: NameOption,
    run: LatestRunOption = None,
    parent: ParentOption = None,
    resolution: ResolutionOption = None,
    offset: OffsetOption = None,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Make a version from a new segmentation: where a segment was split, each synapse goes where its points lie.

    Only synapses whose segment changed are reassigned; one whose point lies in no segment keeps its root.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.query.roots_from_volume import VolumeRoots, roots_from_volume
    from connectome.store.database import Database

    request = VolumeRoots(
        url=url,
        name=name,
        run=run,
        parent=parent,
        resolution_nm=parse_lengths_nm(resolution, "--resolution"),
        offset_nm=parse_nm(offset, "--offset"),
    )
    with Database.open(database_url, data_folder) as database, RichProgress() as progress:
        report = roots_from_volume(database, request, progress)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report)))
        return
    typer.echo(
        f"roots {name}: {report.reassigned:,} of {report.synapses:,} synapses reassigned, {report.edges:,} edges"
    )
    if report.unresolved_sides:
        typer.echo(f"kept: {report.unresolved_sides:,} sides whose point lies in no segment")


@app.command("list")
def list_roots(
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Show all versions with their parent, source and time."""
    from connectome.cli.output.rows import Format, print_rows
    from connectome.store.database import Database
    from connectome.store.proofreading.roots import list_roots as versions_of

    with Database.open(database_url, data_folder) as database:
        versions = versions_of(database)
    names: dict[int | None, str] = {version.roots_id: version.name for version in versions}
    rows = [(v.name, names.get(v.parent_roots_id), v.source, v.created_at) for v in versions]
    print_rows(("version", "parent", "source", "created_at"), rows, Format.JSON if as_json else Format.TABLE)
