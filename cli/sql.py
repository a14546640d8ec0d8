"""`connectome sql`: one reading query, the user's own or one of the library, as a table, CSV or JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption
from connectome.cli.options.filter import TimeoutOption
from connectome.cli.output.rows import Format, print_rows, say
from connectome.errors import ConfigError

if TYPE_CHECKING:
    from connectome.store.queries.library import QueryParameter


def sql(
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY", help="One SELECT (or WITH, VALUES, TABLE, SHOW, EXPLAIN).")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE.sql", show_default=False, help="Read QUERY from a file."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", show_default=False, help="Run this query of the library.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", show_default=False, help="A value for it; may be repeated."),
    ] = None,
    list_queries: Annotated[bool, typer.Option("--list", help="Show the library of ready queries.")] = False,
    output_format: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
    timeout: TimeoutOption = 60.0,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Run one query that reads, and print its rows.

    Tables: run, volume, model, block, cleft, candidate, synapse, edge, root, annotation, with the rows of all runs;
    views such as synapse_best, of the run that finished last. Positions are in nm. Try:

    connectome sql "SELECT pre_segment_id, post_segment_id, count(*) FROM synapse_best GROUP BY 1, 2"

    connectome sql --name partners --param neuron=123

    In JSON, whole numbers beyond 2^53 are strings, so that ids stay exact in every reader.
    """
    from connectome.store.database import Database
    from connectome.store.queries.library import ready_text
    from connectome.store.queries.sql import stream_sql

    if list_queries:
        print_library()
        return
    if sum(given is not None for given in (query, file, name)) != 1:
        raise ConfigError("give one query: a text, -f FILE.sql, or --name of the library (--list shows it)")
    if parameters and name is None:
        raise ConfigError("--param is for queries of the library: give --name too")
    values = _values(parameters or [])
    with Database.open(database_url, data_folder) as database:
        text = _text(query, file) if name is None else ready_text(database, name, values, say)
        with stream_sql(database, text, timeout_s=timeout) as result:
            print_rows(result.columns, result.rows, output_format)


def print_library() -> None:
    """Print the name, the meaning and the parameters of every ready query; the filter's, which most take, once."""
    from connectome.store.queries.library import FILTER, ready_queries

    for query in ready_queries():
        typer.echo(f"{query.name}\n    {query.title}")
        _print_parameters([parameter for parameter in query.parameters if parameter not in FILTER])
        shared = [parameter.name for parameter in query.parameters if parameter in FILTER]
        if shared:
            typer.echo(f"    of the filter: {', '.join(shared)}")
    typer.echo("the filter")
    _print_parameters(FILTER)


def _print_parameters(parameters: Iterable[QueryParameter]) -> None:
    for parameter in parameters:
        default = "" if parameter.default is None else f" (default {parameter.default})"
        typer.echo(f"    {parameter.name}: {parameter.text}, {parameter.type}{default}")


def _values(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals:
            raise ConfigError(f"--param {name} has no value: write --param {name}=VALUE")
    return {name: value for name, _, value in pairs}


def _text(query: str | None, file: Path | None) -> str:
    """The user's own query.

    Raises:
        ConfigError: its file can't be read.
    """
    if file is None:
        return query or ""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8 text"
        raise ConfigError(f"{file} can't be read as SQL: {reason}") from error
