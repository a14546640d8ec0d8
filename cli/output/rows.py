"""Printing the rows of a result: aligned, as CSV, or as JSON."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

import typer

from connectome.errors import QueryError

LARGEST_EXACT = 2**53  # whole numbers beyond it change in readers that keep numbers as doubles


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def say(notice: str) -> None:
    """Tell the user something beside the result, on stderr."""
    typer.echo(notice, err=True)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], output_format: Format) -> None:
    """Print rows to stdout; a table says on stderr how many they are.

    Raises:
        QueryError: two columns of one name can't be JSON.
    """
    match output_format:
        case Format.TABLE:
            _print_table(columns, rows)
        case Format.CSV:
            _print_csv(columns, rows)
        case Format.JSON:
            _print_json(columns, rows)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    values = list(rows)
    cells = [[" ".join(_short(value).splitlines()) for value in row] for row in values]
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


def _short(value: Any) -> str:
    """A value as text for a person: fractions with four significant digits, or as many as the whole part has."""
    if not isinstance(value, float) or not math.isfinite(value) or value.is_integer():
        return _plain(value)
    return f"{value:.1f}" if abs(value) >= 1000 else f"{value:.4g}"


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
