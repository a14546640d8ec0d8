"""Query results as a stream of CSV lines, however many rows: nothing is kept here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import psycopg2.errors
from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql

from connectome.errors import QueryError
from connectome.store.database import Database


class ColumnType(StrEnum):
    """What the values of a result's column are; anything that isn't listed arrives as text."""

    BIGINT = "bigint"
    INTEGER = "integer"
    SMALLINT = "smallint"
    REAL = "real"
    DOUBLE = "double precision"
    BOOLEAN = "boolean"
    TEXT = "text"


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
class ResultColumn:
    """A column of a result."""

    name: str
    type: ColumnType


@dataclass(frozen=True, kw_only=True)
class Query:
    """SQL text with :name placeholders, and their values."""

    sql: str
    parameters: Mapping[str, Any]


class Receiver(Protocol):
    """Takes a result as it comes."""

    def begin(self, columns: Sequence[ResultColumn]) -> None:
        """Told once, before any row."""

    def write(self, lines: bytes) -> object:
        """One or more whole CSV lines: NULL is empty, an empty text is quoted, booleans are t and f."""


def stream_query(database: Database, query: Query, receiver: Receiver, *, timeout_s: float = LONGEST_S) -> None:
    """Run one query with the rights of a reader and hand its rows to a receiver.

    Raises:
        QueryError: it took longer than `timeout_s`. DatabaseError: unreachable, or PostgreSQL refused the query.
    """
    with database.reading(timeout_s=timeout_s) as connection, _time_limit(timeout_s):
        cursor: Any = connection.connection.cursor()
        sql = literal_sql(connection, query)
        cursor.execute(f"SELECT * FROM ({sql}) AS result LIMIT 0")
        receiver.begin(
            [
                ResultColumn(name=column.name, type=TYPES.get(column.type_code, ColumnType.TEXT))
                for column in cursor.description
            ]
        )
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv)", receiver)


@contextmanager
def _time_limit(timeout_s: float) -> Iterator[None]:
    """Translate what happens when the time is over."""
    try:
        yield
    except psycopg2.errors.QueryCanceled as error:
        raise QueryError(
            f"the query took longer than {timeout_s:g} s: choose fewer neurons or synapses, or give a longer --timeout"
        ) from error


def literal_sql(connection: Connection, query: Query) -> str:
    """The query with its values written into it, as COPY needs it; psycopg2 does the quoting."""
    cursor: Any = connection.connection.cursor()
    compiled = text(query.sql).compile(dialect=postgresql.psycopg2.dialect())
    values = {name: query.parameters[name] for name in compiled.params}
    sql: bytes = cursor.mogrify(str(compiled), values)
    return sql.decode()


def query_text(database: Database, query: Query) -> str:
    """The query as one text that can be run on its own.

    Raises:
        DatabaseError: the database can't be reached.
    """
    with database.begin() as connection:
        return literal_sql(connection, query)
