"""`connectome import`: tables that others made become runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.options.common import parse_lengths_nm
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption
from connectome.errors import ConfigError
from connectome.tables.kinds import Columns

app = typer.Typer(no_args_is_help=True, help="Load the tables of connectomes that exist.")


UnitOption = Annotated[
    str | None,
    typer.Option(
        "--unit", metavar="z,y,x", show_default=False, help="nm a unit of positions, e.g. 40,4,4. Default: 1,1,1."
    ),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="THEIRS=OURS",
        show_default=False,
        help="A column under a name of its own, e.g. start=pre_segment_id; may be repeated.",
    ),
]
NewDataSetOption = Annotated[
    str | None,
    typer.Option(
        "--data-set",
        metavar="NAME",
        show_default=False,
        help="The animal or volume that its ids belong to. Default: one of its own, named like the run.",
    ),
]


@app.callback()
def import_tables() -> None:
    """Load the tables of connectomes that exist."""


@app.command()
def synapses(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, Feather or Parquet; the points of neuPrint.")],
    columns: Annotated[Columns, typer.Option("--from", help="Whose columns it has.")],
    name: Annotated[str, typer.Option("--name", metavar="RUN", help="The name of the run that it becomes.")],
    partners: Annotated[
        Path | None,
        typer.Option(
            "--partners",
            metavar="FILE",
            show_default=False,
            help="neuPrint's table of partners; without it FILE has a row a synapse.",
        ),
    ] = None,
    unit: UnitOption = None,
    columns_named: ColumnOption = None,
    data_set: NewDataSetOption = None,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Make a run of a synapse table, so that queries, graphs and exports work on it.

    Rows without both partners, and those that the table marks as not valid, deleted or superseded, are left out and
    counted. Scores outside 0 to 1 become unknown and are counted; columns that have no place here are named. One
    transaction: after an error there is no run.
    """
    import dataclasses
    import json

    from connectome.cli.output.progress import RichProgress
    from connectome.query.importing import ImportRequest, import_synapses
    from connectome.store.database import Database

    request = ImportRequest(
        path=file,
        columns=columns,
        name=name,
        partners=partners,
        unit_nm=parse_lengths_nm(unit, "--unit"),
        renamed=parse_columns(columns_named),
        data_set=data_set,
    )
    with Database.open(database_url, data_folder, create=True) as database, RichProgress() as progress:
        report = import_synapses(database, request, progress)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report)))
        return
    typer.echo(f"run {report.name}: {report.synapses:,} synapses at {report.clefts:,} clefts")
    if report.unit_taken:
        typer.echo("positions: taken as nm, as the table doesn't say; --unit z,y,x if they count voxels")
    if report.without_partner:
        typer.echo(f"left out: {report.without_partner:,} without both partners")
    if report.retired:
        typer.echo(f"left out: {report.retired:,} not valid, deleted or superseded")
    if report.scores_outside:
        typer.echo(f"made unknown: {report.scores_outside:,} scores outside 0 to 1")
    if report.unscored:
        typer.echo(f"without confidence: {report.unscored:,} synapses; filters by confidence leave them out")
    if report.dropped_columns:
        typer.echo(f"not kept: columns {', '.join(report.dropped_columns)}")


@app.command()
def edges(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An edge list or matrix: CSV, TSV, Feather, Parquet, or GraphML.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="RUN", help="The name of the run that it becomes.")],
    columns_named: ColumnOption = None,
    matrix: Annotated[
        bool | None,
        typer.Option("--matrix/--list", show_default=False, help="What the table is. Default: what its columns say."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="COLUMN=VALUE",
            show_default=False,
            help="Only rows with this value; of one column several values, e.g. Type=chemical.",
        ),
    ] = None,
    data_set: NewDataSetOption = None,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Make a run of an edge list, so that questions about neurons and edges, graphs and exports work on it.

    Columns are found by the names that Codex, neuPrint, CAVE's views and others give them; a table without a header
    is pre, post and count. Several rows of a pair are added up. Neurons may have names: those are annotations under
    the label name. Such a run has no synapses, and questions about them say so. One transaction: after an error
    there is no run.
    """
    import dataclasses
    import json

    from connectome.cli.output.progress import RichProgress
    from connectome.query.importing_edges import EdgeImportRequest, import_edges
    from connectome.store.database import Database

    request = EdgeImportRequest(
        path=file,
        name=name,
        data_set=data_set,
        matrix=matrix,
        renamed=parse_columns(columns_named),
        only=parse_values(only),
    )
    with Database.open(database_url, data_folder, create=True) as database, RichProgress() as progress:
        report = import_edges(database, request, progress)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report)))
        return
    typer.echo(
        f"run {report.name}: {report.edges:,} edges of {report.synapses:,} synapses among {report.neurons:,} neurons"
    )
    if report.rows != report.edges:
        typer.echo(f"added up: {report.rows:,} rows to {report.edges:,} edges")
    if not report.counted:
        typer.echo("synapses: one a row, as the table has no column that counts them")
    if report.named:
        typer.echo("names: kept as annotations under the label name; neurons were numbered")
    for count, why in (
        (report.without_neuron, "without both neurons"),
        (report.without_synapses, "that count no synapse"),
        (report.retired, "not valid, deleted or superseded"),
        (report.left_out, "not chosen by --only"),
    ):
        if count:
            typer.echo(f"left out: {count:,} rows {why}")
    for column, values in report.kinds.items():
        shown = ", ".join(values[:8]) + (", ..." if len(values) > 8 else "")
        typer.echo(f"added up: connections of different {column} ({shown}); --only {column}={values[0]} takes some")
    if report.dropped_columns:
        typer.echo(f"not kept: columns {', '.join(report.dropped_columns)}")


def parse_columns(texts: list[str] | None) -> dict[str, str]:
    """What columns are, from texts such as 'start=pre_segment_id'.

    Raises:
        ConfigError: a text has no =, or a side is empty.
    """
    pairs = [text.rpartition("=") for text in texts or []]
    for theirs, _, ours in pairs:
        if not theirs or not ours:
            raise ConfigError("--column needs both names: write THEIRS=OURS, e.g. start=pre_segment_id")
    return {theirs: ours for theirs, _, ours in pairs}


def parse_values(texts: list[str] | None) -> dict[str, set[str]]:
    """Which values columns may have, from texts such as 'Type=chemical'.

    Raises:
        ConfigError: a text has no =.
    """
    values: dict[str, set[str]] = {}
    for text in texts or []:
        column, equals, value = text.partition("=")
        if not equals or not column:
            raise ConfigError(f"--only {text} has no value: write COLUMN=VALUE, e.g. Type=chemical")
        values.setdefault(column, set()).add(value.strip())
    return values
