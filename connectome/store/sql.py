"""A user's own query: one statement that only reads, streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from sqlalchemy import text

from connectome.errors import QueryError
from connectome.store.database import Database

ROWS_A_FETCH = 10_000
READ_ONLY_STATE = "25006"  # SQLSTATEs
TIMEOUT_STATE = "57014"
CURSOR_STATES = ("42P11", "42601")  # invalid_cursor_definition, syntax_error
# PL/pgSQL opens a cursor on exactly one statement that returns rows: a second one, COPY, DDL, SET and DO are errors.
OPEN_CURSOR = """
DO $$
DECLARE query refcursor := 'connectome_query';
BEGIN
    OPEN query FOR EXECUTE current_setting('connectome.query');
END $$
"""


@dataclass(frozen=True, kw_only=True)
class SqlResult:
    """The names of the columns, and the rows."""

    columns: list[str]
    rows: Iterable[tuple[Any, ...]]


def run_sql(database: Database, query: str, *, timeout_s: float = 60.0) -> SqlResult:
    """Run one reading statement and fetch all its rows at once (see `stream_sql`).

    Raises:
        QueryError: the SQL is wrong, writes, holds several statements, or takes too long.
    """
    with stream_sql(database, query, timeout_s=timeout_s) as result:
        return SqlResult(columns=result.columns, rows=list(result.rows))


@contextmanager
def stream_sql(database: Database, query: str, *, timeout_s: float = 60.0) -> Iterator[SqlResult]:
    """Run one reading statement in a read-only transaction; the rows are there inside the `with`.

    Args:
        database: where to run it.
        query: one SELECT, VALUES, TABLE, WITH, SHOW or EXPLAIN.
        timeout_s: the longest that PostgreSQL may take for it.

    Raises:
        QueryError: the SQL is wrong, writes, holds several statements, or takes too long.
    """
    with database.begin() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {max(1, round(timeout_s * 1000))}"))
        if not query.strip():
            raise QueryError("the query is empty")
        cursor: Any = connection.connection.cursor()
        with _query_errors(timeout_s):
            cursor.execute("SELECT set_config('connectome.query', %s, true)", [query])
            cursor.execute(OPEN_CURSOR)
            cursor.execute(f"FETCH {ROWS_A_FETCH} FROM connectome_query")
            yield SqlResult(columns=[column.name for column in cursor.description], rows=_rows(cursor))


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchall():
        yield from rows
        cursor.execute(f"FETCH {ROWS_A_FETCH} FROM connectome_query")


@contextmanager
def _query_errors(timeout_s: float) -> Iterator[None]:
    """Translate what PostgreSQL says about a query."""
    try:
        yield
    except (psycopg2.Error, ValueError) as error:
        raise QueryError(_message(error, timeout_s)) from error


def _message(error: Exception, timeout_s: float) -> str:
    if not isinstance(error, psycopg2.Error) or error.diag.message_primary is None:
        return f"the query failed: {' '.join(str(error).split())}"
    if error.pgcode == TIMEOUT_STATE:
        return f"the query took longer than {timeout_s:g} s: make it smaller, or give a longer --timeout"
    message = error.diag.message_primary
    if error.pgcode == READ_ONLY_STATE or (error.pgcode in CURSOR_STATES and "cursor" in message):
        return f"only one statement, and one that reads, is allowed here ({message}): use psql on connectome db url"
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    return f"the query is wrong: {message}{hint}"
