"""The open database: a checked schema, transactions, results as columns; and waiting for one that is away for a while.

Who asks reads through psycopg2 (`reading`, `alone`); SQLAlchemy is imported by what writes (`engine`, `begin`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psycopg2

from connectome.errors import DatabaseError, QueryError
from connectome.store.address import connect, database_errors, open_connection, psql_url
from connectome.store.schema.status import SchemaState, status_of
from connectome.store.server.embedded import EmbeddedServer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Engine, Executable
    from sqlalchemy.orm import Session
import time
from collections.abc import Callable
from typing import TypeVar

from connectome.errors import DatabaseUnavailableError

URL_VARIABLE = "CONNECTOME_DATABASE_URL"
MAY_BECOME_READER = (
    "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'connectome_reader' AND pg_has_role(oid, 'MEMBER'))"
)
TIMEOUT_STATE = "57014"  # SQLSTATE query_canceled
Value = TypeVar("Value")
LONGEST_PAUSE_S = 5.0


class Database:
    """A PostgreSQL database whose schema is this version's.

    Attributes:
        url: as psql reads it; holds the password if the user gave one.
    """

    def __init__(self, url: str) -> None:
        """Wrap a database without any check (see `open`)."""
        self.url = psql_url(url)
        self._idle: list[Any] = []  # psycopg2 connections, each outside a transaction

    @classmethod
    def open(cls, url: str | None, data_folder: Path, *, create: bool = False) -> Database:
        """Open a database and check its schema.

        Args:
            url: postgresql://...; None: CONNECTOME_DATABASE_URL, else the embedded server of the data folder, which is
                started if needed and keeps running.
            data_folder: holds the embedded server's files in `postgres/`.
            create: make the tables in an empty database, and the embedded server at first.

        Raises:
            DatabaseError: unreachable, or nothing is there yet. SchemaError: the schema is older, newer or foreign.
        """
        opened = cls(database_url(url, data_folder, create=create))
        try:
            opened._check_schema(create)
        except BaseException:
            opened.close()
            raise
        return opened

    @cached_property
    def engine(self) -> Engine:
        """SQLAlchemy's engine; connects when it is used."""
        return connect(self.url)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any error.

        Raises:
            DatabaseError: unreachable, or PostgreSQL refused a statement.
        """
        with database_errors(self.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self, *, timeout_s: float = 60.0) -> Iterator[Any]:
        """One transaction that only reads, with a time limit a statement and, if it may, connectome_reader's rights.

        For this package's own statements; a user's go through `stream_sql`. Gives a psycopg2 cursor.

        Raises:
            QueryError: a statement took too long. DatabaseError: unreachable, or PostgreSQL refused a statement.
        """
        with database_errors(self.url):
            connection = self._connection()
            try:
                with connection.cursor() as cursor:
                    _only_read(cursor, timeout_s)
                    yield cursor
            except psycopg2.errors.QueryCanceled as error:
                raise QueryError(f"the query took longer than {timeout_s:g} s: make it smaller") from error
            finally:
                self._give_back(connection)

    @contextmanager
    def alone(self) -> Iterator[Any]:
        """A psycopg2 connection of its own, rolled back and closed at the end.

        Raises:
            DatabaseError: unreachable.
        """
        with database_errors(self.url):
            connection = self._connection()
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction that reads rows as objects of the table classes.

        Raises:
            DatabaseError: unreachable, or PostgreSQL refused a statement.
        """
        from sqlalchemy.orm import Session  # slow to import, and not needed for asking

        with database_errors(self.url), Session(self.engine) as session, session.begin():
            yield session

    def columns(
        self, statement: Executable | str, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, NDArray[Any]]:
        """The result of a query as arrays, one a column: BIGINT is int64, REAL float32, text and NULLs are objects.

        Args:
            statement: SQLAlchemy's, or SQL text with :name placeholders.
            parameters: values of the placeholders.
        """
        from sqlalchemy import text  # slow to import, and not needed for asking

        from connectome.store.transfer.column_reading import read_columns

        clause: Executable = text(statement) if isinstance(statement, str) else statement
        with self.begin() as connection:
            return read_columns(connection, clause, dict(parameters or {}))

    def close(self) -> None:
        """Give back all connections."""
        if "engine" in vars(self):
            self.engine.dispose()
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_schema(self, create: bool) -> None:
        with database_errors(self.url):
            connection = self._connection()
            try:
                with connection.cursor() as cursor:
                    status = status_of(cursor)
            finally:
                self._give_back(connection)
        if create and status.state is SchemaState.EMPTY:
            from connectome.store.schema.migrate import upgrade  # Alembic is slow to import

            status = upgrade(self.url)
        status.require_current()

    def _connection(self) -> Any:
        """An idle connection that still stands, or a new one."""
        with suppress(IndexError):
            connection = self._idle.pop()
            with suppress(psycopg2.Error):
                connection.cursor().execute("SELECT 1")
                connection.rollback()
                return connection
            connection.close()
        return open_connection(self.url)

    def _give_back(self, connection: Any) -> None:
        """Keep a connection for the next question, its transaction rolled back; one that was lost isn't kept."""
        with suppress(psycopg2.Error):
            connection.rollback()
            self._idle.append(connection)
            return
        connection.close()


def _only_read(cursor: Any, timeout_s: float) -> None:
    limits = f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {max(1, round(timeout_s * 1000))}"
    cursor.execute(f"{limits}; {MAY_BECOME_READER}")
    if cursor.fetchone()[0]:
        cursor.execute("SET LOCAL ROLE connectome_reader")


def database_url(url: str | None, data_folder: Path, *, create: bool = False) -> str:
    """The URL that a command works on, as psql reads it; starts the embedded server if that is the one.

    Raises:
        DatabaseError: the URL is malformed, the server doesn't start, or (without `create`) there is none yet.
    """
    given = given_url(url)
    if given is not None:
        return psql_url(given)
    server = EmbeddedServer(data_folder / "postgres")
    if not create and not server.exists:
        raise DatabaseError(f"no database in {data_folder} yet", about="database")
    return server.start()


def given_url(url: str | None) -> str | None:
    """The URL of the option, else of the environment; None where neither is given."""
    return url or os.environ.get(URL_VARIABLE) or None


def retried(
    action: Callable[[], Value],
    *,
    total_s: float = 120.0,
    pause: Callable[[float], None] = time.sleep,
    before: Callable[[], object] = lambda: None,
) -> Value:
    """Do something that may be done twice; while the database is away, again after growing pauses.

    Args:
        action: what to do.
        total_s: for how long in all, from the first failure on.
        pause: waits some seconds; may raise to end the waiting.
        before: called before each further attempt; what it raises of an absent database is waited for too.

    Raises:
        DatabaseUnavailableError: it is away for longer than that. Anything else that the action raises, at once.
    """
    deadline: float | None = None
    pause_s = 0.1
    while True:
        try:
            if deadline is not None:
                before()
            return action()
        except DatabaseUnavailableError:
            deadline = deadline or time.monotonic() + total_s
            if time.monotonic() + pause_s > deadline:
                raise
            pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
