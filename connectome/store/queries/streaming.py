"""Query results as a stream, however many rows: as Python values for people, as CSV lines for Arrow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import psycopg2.errors

from connectome.errors import QueryError
from connectome.store.database import Database


class ColumnType(StrEnum):
    """The type of a result's column; anything that isn't listed arrives as text."""

    BIGINT = "bigint"
    INTEGER = "integer"
    SMALLINT = "smallint"
    REAL = "real"
    DOUBLE = "double precision"
    BOOLEAN = "boolean"
    TEXT = "text"


PLACEHOLDER = re.compile(r"(?<![:\w]):(\w+)(?!:)")  # :name, but not ::type
FETCH = "FETCH 10000 FROM connectome_rows"
LONGEST_S = 7 * 24 * 3600.0
TYPES = {
    20: ColumnType.BIGINT,
    23: ColumnType.INTEGER,
    21: ColumnType.SMALLINT,
    700: ColumnType.REAL,
    701: ColumnType.DOUBLE,
    16: ColumnType.BOOLEAN,
}  # by PostgreSQL's type number


@dataclass(frozen=True, kw_only=True)
class Query:
    """SQL text with :name placeholders, and their values."""

    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SqlResult:
    """The names of the columns, and the rows."""

    columns: list[str]
    rows: Iterable[tuple[Any, ...]]


class Receiver(Protocol):
    """Takes a result as it comes."""

    def begin(self, columns: Sequence[tuple[str, ColumnType]]) -> None:
        """Told the columns once, before any row."""

    def write(self, lines: bytes) -> object:
        """One or more whole CSV lines: NULL is empty, an empty text is quoted, booleans are t and f."""


def stream_query(database: Database, query: Query, receiver: Receiver, *, timeout_s: float = LONGEST_S) -> None:
    """Run one query with the rights of a reader and hand its rows to a receiver.

    Raises:
        QueryError: it took longer than `timeout_s`. DatabaseError: unreachable, or PostgreSQL refused the query.
    """
    with database.reading(timeout_s=timeout_s) as cursor, _time_limit(timeout_s):
        sql = literal_sql(cursor, query)
        cursor.execute(f"SELECT * FROM ({sql}) AS result LIMIT 0")
        receiver.begin([(column.name, TYPES.get(column.type_code, ColumnType.TEXT)) for column in cursor.description])
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv)", receiver)


def stream_text(database: Database, query: Query, file: Any, *, timeout_s: float = LONGEST_S) -> None:
    """Run one query of a single text column and write each row to a binary file as a line.

    The texts hold no backslash, tab or end of line: PostgreSQL would escape them.

    Raises:
        QueryError: it took longer than `timeout_s`. DatabaseError: unreachable, or PostgreSQL refused the query.
    """
    with database.reading(timeout_s=timeout_s) as cursor, _time_limit(timeout_s):
        cursor.copy_expert(f"COPY ({literal_sql(cursor, query)}) TO STDOUT", file)


@contextmanager
def stream_rows(database: Database, query: Query, *, timeout_s: float = LONGEST_S) -> Iterator[SqlResult]:
    """Run one query with the rights of a reader; its rows are there inside the `with`, a few thousand at a time.

    Raises:
        QueryError: it took longer than `timeout_s`. DatabaseError: unreachable, or PostgreSQL refused the query.
    """
    with database.reading(timeout_s=timeout_s) as cursor, _time_limit(timeout_s):
        # all rows are wanted, so the plan that begins soonest is no better
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
        cursor.execute(f"DECLARE connectome_rows NO SCROLL CURSOR FOR {literal_sql(cursor, query)}")
        yield fetched(cursor)


def fetched(cursor: Any) -> SqlResult:
    """The rows of the cursor `connectome_rows` that was declared on a psycopg2 cursor."""
    cursor.execute(FETCH)
    return SqlResult(columns=[column.name for column in cursor.description], rows=_rows(cursor))


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchall():
        yield from rows
        cursor.execute(FETCH)


@contextmanager
def _time_limit(timeout_s: float) -> Iterator[None]:
    """Translate what happens when the time is over."""
    try:
        yield
    except psycopg2.errors.QueryCanceled as error:
        raise QueryError(f"the query took longer than {timeout_s:g} s", about="timeout") from error


def literal_sql(cursor: Any, query: Query) -> str:
    """The query with its values written into it, as COPY needs it; psycopg2 does the quoting."""
    names = PLACEHOLDER.findall(query.sql)
    text = PLACEHOLDER.sub(r"%(\1)s", query.sql.replace("%", "%%"))
    sql: bytes = cursor.mogrify(text, {name: query.parameters[name] for name in names})
    return sql.decode()


def query_text(database: Database, query: Query) -> str:
    """The query as one text that can be run on its own.

    Raises:
        DatabaseError: the database can't be reached.
    """
    with database.reading() as cursor:
        return literal_sql(cursor, query)
