"""A user's own query: one statement that only reads, run as a role that can only read, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2

from connectome.errors import QueryError
from connectome.store.database import TIMEOUT_STATE, Database
from connectome.store.queries.streaming import SqlResult, fetched

READ_ONLY_STATE = "25006"  # SQLSTATE
TYPES = """
SELECT CASE typtype WHEN 'p' THEN 'text' ELSE format_type(kind, NULL) END, typtype = 'p'
FROM unnest(%s::oid[]) WITH ORDINALITY AS listed (kind, place) JOIN pg_type ON pg_type.oid = kind ORDER BY place
"""
CURSOR_STATES = ("42P11", "42601")  # invalid_cursor_definition, syntax_error


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

    The statement runs inside a function that belongs to the role connectome_sql: it has that role's rights whoever
    calls, and can't change the role. The server keeps the result until it is fetched. The connection isn't used again,
    so nothing that the statement set or locked outlives it.

    Args:
        database: where to run it.
        query: one SELECT, VALUES, TABLE, WITH, SHOW or EXPLAIN.
        timeout_s: the longest that PostgreSQL may take for it.

    Raises:
        QueryError: the SQL is wrong, writes, holds several statements, or takes too long.
    """
    if not query.strip():
        raise QueryError("the query is empty")
    with database.alone() as connection, _query_errors(timeout_s):
        cursor: Any = connection.cursor()
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute(f"SET LOCAL statement_timeout = {max(1, round(timeout_s * 1000))}")
        _require_reader(cursor)
        columns = _described(cursor, query)
        found = _opened(cursor, query, columns)
        yield SqlResult(columns=columns.names, rows=found.rows)


def _require_reader(cursor: Any) -> None:
    """Refuse to run a user's query with more rights than it needs.

    Raises:
        QueryError: the role isn't there.
    """
    cursor.execute("SELECT to_regprocedure('run_query(text)') IS NOT NULL")
    if not cursor.fetchone()[0]:
        raise QueryError(
            "the server lacks the role connectome_reader, as which queries run: connectome db upgrade makes it, if its "
            "user may create roles (an administrator: ALTER ROLE ... CREATEROLE)"
        )


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """The columns of a query: names, types, and whether a type is one that no result of a function can have."""

    names: list[str]
    types: list[str]
    pseudo: bool


def _described(cursor: Any, query: str) -> _Columns:
    """The columns of a query; nothing of it is run.

    Raises:
        QueryError: it has none.
    """
    cursor.execute("SELECT describe_query(%s)", [query])
    cursor.execute("FETCH 0 FROM connectome_query")
    names = [column.name for column in cursor.description]
    kinds = [column.type_code for column in cursor.description]
    if not names:
        raise QueryError("the query returns no column")
    cursor.execute("CLOSE connectome_query")
    cursor.execute(TYPES, [kinds])
    found = cursor.fetchall()
    return _Columns(names=names, types=[name for name, _ in found], pseudo=any(pseudo for _, pseudo in found))


def _opened(cursor: Any, query: str, columns: _Columns) -> SqlResult:
    """Run the query and fetch its first rows.

    PostgreSQL describes a domain as the type beneath it, and then requires the domain, before anything runs: such a
    query, and one with columns of pseudo-types, runs inside another that casts.
    """
    if columns.pseudo:
        query = _cast(query, columns.types)
    try:
        cursor.execute("SAVEPOINT before_query")
        return _declared(cursor, query, columns.types)
    except psycopg2.errors.DatatypeMismatch:
        cursor.execute("ROLLBACK TO SAVEPOINT before_query")
        return _declared(cursor, _cast(query, columns.types), columns.types)


def _declared(cursor: Any, query: str, types: list[str]) -> SqlResult:
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(types))
    cursor.execute(
        f"DECLARE connectome_rows NO SCROLL CURSOR FOR SELECT * FROM run_query(%s) AS found ({columns})", [query]
    )
    return fetched(cursor)


def _cast(query: str, types: list[str]) -> str:
    """A query whose columns have exactly these types."""
    cast = ", ".join(f"c{i}::{kind}" for i, kind in enumerate(types))
    names = ", ".join(f"c{i}" for i in range(len(types)))
    return f"SELECT {cast} FROM ({query.rstrip().rstrip(';')}\n) AS found ({names})"


@contextmanager
def _query_errors(timeout_s: float) -> Iterator[None]:
    """Translate what PostgreSQL says about a query."""
    try:
        yield
    except (psycopg2.Error, ValueError) as error:
        if isinstance(error, psycopg2.Error) and error.pgcode == TIMEOUT_STATE:
            raise QueryError(f"the query took longer than {timeout_s:g} s", about="timeout") from error
        raise QueryError(_message(error)) from error


def _message(error: Exception) -> str:
    if not isinstance(error, psycopg2.Error) or error.diag.message_primary is None:
        return f"the query failed: {' '.join(str(error).split())}"
    message = error.diag.message_primary
    if error.pgcode == READ_ONLY_STATE or (error.pgcode in CURSOR_STATES and "cursor" in message):
        return f"only one statement, and one that reads, is allowed here ({message}): use psql on connectome db url"
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    return f"the query is wrong: {message}{hint}"
