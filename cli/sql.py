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

    Tables: run, volume, model, block, cleft, candidate, synapse, edge, and views such as synapse_best; positions are in
    nm. Try:

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


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    values = list(rows)
    cells = [[" ".join(_plain(value).splitlines()) for value in row] for row in values]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    right = [
        all(isinstance(row[i], int | float | Decimal) or row[i] is None for row in values) for i in range(len(widths))
    ]
    for line in (columns, ["-" * width for width in widths], *cells):
        parts = (cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right, strict=True))
        typer.echo("  ".join(parts).rstrip())
    typer.echo(f"({len(cells)} row{'' if len(cells) == 1 else 's'})", err=True)


def _print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(value) for value in row] for row in rows)


def _print_json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise QueryError(f"two columns are named '{twice[0]}': name them apart with AS, or choose another --format")
    typer.echo("[", nl=False)
    for number, row in enumerate(rows):
        record = dict(zip(columns, map(_exact, row), strict=True))
        typer.echo(("," if number else "") + "\n" + json.dumps(record, ensure_ascii=False), nl=False)
    typer.echo("\n]")


def _plain(value: Any) -> str:
    """A value as text: NULL is empty, structures are JSON."""
    if value is None:
        return ""
    exact = _exact(value)
    return exact if isinstance(exact, str) else json.dumps(exact, ensure_ascii=False)


def _exact(value: Any) -> Any:
    """A value as JSON can hold it without loss."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= LARGEST_EXACT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            whole = value.is_finite() and value == value.to_integral_value()
            return _exact(int(value)) if whole else _exact(float(value))
        case datetime() | date() | time():
            return value.isoformat()
        case bytes() | memoryview():
            return "\\x" + bytes(value).hex()
        case dict():
            return {str(key): _exact(item) for key, item in value.items()}
        case list() | tuple():
            return [_exact(item) for item in value]
    return str(value)
