"""`connectome annotate`: types, sides and other labels of neurons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.options.common import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption
from connectome.cli.options.filter import RootsOption

app = typer.Typer(no_args_is_help=True, help="Say what neurons are: type, side, any label.")


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
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Write labels of neurons from a CSV, Feather or Parquet table; the same label of a neuron is replaced.

    Ids are segments, or roots of the version of --roots. The label `type` is what types in queries go by: give
    --label cell_type=type where the table calls it otherwise.
    """
    from connectome.query.proofreading import import_annotations as run_import
    from connectome.store.database import Database
    from connectome.tables.neuron_tables import AnnotationTable

    chosen = {column: label or column for column, _, label in (text.partition("=") for text in labels or [])}
    with Database.open(database_url, data_folder) as database:
        counts = run_import(database, AnnotationTable(path=table, id_column=id_column, labels=chosen), roots)
    if as_json:
        typer.echo(json.dumps(counts))
        return
    for label, count in counts.items():
        typer.echo(f"{label}: {count:,} neurons")
