"""`connectome sql`: one reading query, as a table, CSV or JSON."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from connectome.cli.options import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption
from connectome.errors import QueryError

LARGEST_EXACT = 2**53  # whole numbers beyond it change in readers that keep numbers as doubles


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT (or WITH, VALUES, TABLE, SHOW, EXPLAIN).")],
    output_format: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
    timeout: Annotated[float, typer.Option("--timeout", min=0.001, help="Give up after so many seconds.")] = 60.0,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Run one query that reads, and print its rows.

    Tables: run, volume, model, block, cleft, candidate, synapse, and the view edge; positions are in nm. Try:

    connectome sql "SELECT * FROM edge ORDER BY synapse_count DESC LIMIT 10"

    In JSON, whole numbers beyond 2^53 are strings, so that ids stay exact in every reader.
    """
    from connectome.store.database import Database
    from connectome.store.sql import stream_sql

    with Database.open(database_url, data_folder) as database, stream_sql(database, query, timeout_s=timeout) as result:
        match output_format:
            case Format.TABLE:
                _print_table(result.columns, result.rows)
            case Format.CSV:
                _print_csv(result.columns, result.rows)
            case Format.JSON:
                _print_json(result.columns, result.rows)
