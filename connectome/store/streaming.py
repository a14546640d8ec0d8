"""Query results as a stream of CSV lines, however many rows: nothing is kept here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql

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


def stream_query(database: Database, query: Query, receiver: Receiver, *, timeout_s: float | None = None) -> None:
    """Run one query in a read-only transaction and hand its rows to a receiver.

    Raises:
        DatabaseError: unreachable, PostgreSQL refused the query, or it took longer than `timeout_s`.
    """
    with database.begin() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        if timeout_s is not None:
            connection.execute(text(f"SET LOCAL statement_timeout = {max(1, round(timeout_s * 1000))}"))
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


def literal_sql(connection: Connection, query: Query) -> str:
    """The query with its values written into it, as COPY needs it; psycopg2 does the quoting."""
    cursor: Any = connection.connection.cursor()
    compiled = text(query.sql).compile(dialect=postgresql.psycopg2.dialect())  # type: ignore[no-untyped-call]
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
