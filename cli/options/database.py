"""The place of the database, and the form of results: options of every command that asks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATA_FOLDER = Path("connectome-data")

DatabaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        envvar="CONNECTOME_DATABASE_URL",
        show_default=False,
        help="postgresql://user@host/database. Without it a server is started in the data folder.",
    ),
]
DataFolderOption = Annotated[
    Path,
    typer.Option(
        "--data-folder",
        metavar="FOLDER",
        envvar="CONNECTOME_DATA_FOLDER",
        help="Where the volumes of runs and the built-in database server are kept.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
