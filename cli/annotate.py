"""`connectome annotate`: types, sides and other labels of neurons."""

from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.options.common import DataSetOption, RunOfDataSetOption
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption
from connectome.cli.options.filter import RootsOption
from connectome.cli.output.data_set import tell_data_set

app = typer.Typer(no_args_is_help=True, help="Say what neurons are: type, side, any label.")


class RepeatedKind(StrEnum):
    """What to do where a table says different things of a neuron."""

    REFUSE = "refuse"
    FIRST = "first"
    LAST = "last"
    DROP = "drop"


REPEATED_TEXT = {
    RepeatedKind.REFUSE: "refused",
    RepeatedKind.FIRST: "the first row counts",
    RepeatedKind.LAST: "the last row counts",
    RepeatedKind.DROP: "left out",
}


@app.callback()
def annotate() -> None:
    """Say what neurons are: type, side, any label."""


@app.command("import")
def import_annotations(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A row a neuron, a column a label.")],
    roots: RootsOption = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id", metavar="COLUMN", show_default=False, help="The ids. Default: neuron_id, root_id ..."),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label", metavar="COLUMN[=LABEL]", show_default=False, help="Only this column; may be repeated."
        ),
    ] = None,
    repeated: Annotated[
        RepeatedKind,
        typer.Option(
            "--repeated",
            help="Where the table says different things of a neuron under one label: refuse it, take the first or the "
            "last, or drop the neuron.",
        ),
    ] = RepeatedKind.REFUSE,
    data_set: DataSetOption = None,
    run: RunOfDataSetOption = None,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Write labels of neurons from a CSV, TSV, Feather or Parquet table; the same label of a neuron is replaced.

    Ids are segments of the data set, or roots of the version of --roots. The label `type` is what types in queries go
    by: give --label cell_type=type where the table calls it otherwise. Rows without an id (or with 0), and those that
    CAVE's columns valid, deleted and superceded_id retire, are left out and counted.
    """
    from connectome.query.proofreading import import_annotations as run_import
    from connectome.store.database import Database
    from connectome.store.proofreading.data_sets import choose_data_set
    from connectome.tables.neuron_tables import AnnotationTable, Repeated

    chosen = {column: label or column for column, _, label in (text.partition("=") for text in labels or [])}
    source = AnnotationTable(path=table, id_column=id_column, labels=chosen, repeated=Repeated(repeated.value))
    with Database.open(database_url, data_folder) as database:
        where = choose_data_set(database, data_set, run)
        tell_data_set(where, data_set, run)
        report = run_import(database, source, roots, data_set=where)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report)))
    else:
        for label, count in report.labels.items():
            typer.echo(f"{label}: {count:,} neurons")
        for count, why in (
            (report.without_id, "without an id"),
            (report.retired, "not valid, deleted or superseded"),
        ):
            if count:
                typer.echo(f"left out: {count:,} rows {why}")
        if report.ambiguous:
            typer.echo(f"said differently: {report.ambiguous:,} neurons, {REPEATED_TEXT[repeated]}")
    if not report.in_runs:
        typer.echo(
            f"warning: no run of the data set {report.data_set} holds any of these neurons (--data-set names another)",
            err=True,
        )
