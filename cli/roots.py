"""`connectome roots`: versions of which neuron a segment belongs to."""

from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.import_tables import parse_columns
from connectome.cli.options.common import (
    DataSetOption,
    OffsetOption,
    ResolutionOption,
    RunOfDataSetOption,
    parse_lengths_nm,
    parse_nm,
)
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption
from connectome.cli.options.filter import LatestRunOption
from connectome.cli.output.data_set import tell_data_set

if TYPE_CHECKING:
    from connectome.query.proofreading import RootsReport

app = typer.Typer(no_args_is_help=True, help="Follow proofreading: versions of which neuron a segment belongs to.")

NameOption = Annotated[str, typer.Option("--name", metavar="VERSION", help="The name of the version.")]
ParentOption = Annotated[
    str | None,
    typer.Option("--parent", metavar="VERSION", show_default=False, help="The version that it corrects."),
]


class ChainsKind(StrEnum):
    """What to do about chains."""

    REFUSE = "refuse"
    JOIN = "join"
    KEEP = "keep"


ChainsOption = Annotated[
    ChainsKind,
    typer.Option(
        "--chains",
        help="Where A belongs to B and B to C: refuse the table, join A to C, or keep both rows as they are.",
    ),
]


@app.command("import")
def import_roots(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="segment_id (or supervoxel_id) and root_id, as a table file.")
    ],
    name: NameOption,
    parent: ParentOption = None,
    columns_named: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="THEIRS=OURS",
            show_default=False,
            help="A column under a name of its own, e.g. root_630=segment_id; may be repeated.",
        ),
    ] = None,
    chains: ChainsOption = ChainsKind.REFUSE,
    data_set: DataSetOption = None,
    run: RunOfDataSetOption = None,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Make a version of a table; edges of all finished runs of the data set follow, synapses stay as they are.

    What has no row is its own root, or has the root that it has in --parent, whose annotations are taken over too
    (segments: those of the segments). Earlier versions stay. A table of supervoxels (supervoxel_id, pt_supervoxel_id)
    moves each synapse with the supervoxels of its own points; a synapse without any has its segments as such.
    """
    from connectome.query.proofreading import import_roots as run_import
    from connectome.store.database import Database
    from connectome.store.proofreading.data_sets import choose_data_set
    from connectome.store.proofreading.roots import Chains
    from connectome.tables.neuron_tables import RootTable

    source = RootTable(path=table, renamed=parse_columns(columns_named))
    with Database.open(database_url, data_folder) as database:
        chosen = choose_data_set(database, data_set, run)
        tell_data_set(chosen, data_set, run)
        report = run_import(database, source, name, parent, data_set=chosen, chains=Chains(chains.value))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report)))
    else:
        typer.echo(f"roots {name} of the data set {report.data_set}")
        for of_run, count in report.edges.items():
            typer.echo(f"run {of_run}: {count:,} edges")
        _print_table(report)
    if not report.found:
        what = "supervoxels" if report.supervoxels else "segments"
        typer.echo(
            f"warning: no run of the data set {report.data_set} holds any of the table's {report.ids:,} {what}: this "
            "version changes nothing there (--data-set names another)",
            err=True,
        )


def _print_table(report: RootsReport) -> None:
    what = "supervoxels" if report.supervoxels else "segments"
    typer.echo(f"table: {report.ids:,} {what}, {report.found:,} of them in its runs")
    if report.joined:
        typer.echo(f"chains: {report.joined:,} segments taken to the end of theirs")
    if report.without_root:
        typer.echo(f"left out: {report.without_root:,} rows without an id or a root")


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
    rows = [(v.name, v.data_set, names.get(v.parent_roots_id), v.source, v.created_at) for v in versions]
    print_rows(
        ("version", "data_set", "parent", "source", "created_at"), rows, Format.JSON if as_json else Format.TABLE
    )
