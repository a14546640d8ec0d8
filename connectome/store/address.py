"""Database URLs: what users give, what psql reads, what SQLAlchemy reads; and the translation of its errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from connectome.errors import DatabaseError, DatabaseUnavailableError

CONNECT_SECONDS = 10
PASSING_STATES = ("08", "40001", "40P01", "53300", "57P01", "57P02", "57P03")
"""SQLSTATEs, or their first letters, of what passes: connections lost, deadlocks, no connection free, a restart."""


def psql_url(url: str) -> str:
    """The URL as psql reads it: postgresql://, without the driver.

    Raises:
        DatabaseError: it isn't the URL of a PostgreSQL database.
    """
    _parse(url)
    return "postgresql://" + url.split("://", 1)[1]


def connect(url: str) -> Engine:
    """An engine for a URL; connects only when it is used.

    Raises:
        DatabaseError: it isn't the URL of a PostgreSQL database.
    """
    parsed = _parse(url)
    arguments: dict[str, Any] = {} if "connect_timeout" in parsed.query else {"connect_timeout": CONNECT_SECONDS}
    if str(parsed.query.get("host", "")).startswith("/"):  # a local socket, whatever PGHOSTADDR and PGOPTIONS say
        arguments |= {name: "" for name in ("hostaddr", "options") if name not in parsed.query}
    return create_engine(parsed, connect_args={"application_name": "connectome", **arguments}, pool_pre_ping=True)


def without_password(url: str) -> str:
    """A URL as psql reads it that may stand in a command line: everybody on the machine can read those."""
    scheme, _, rest = psql_url(url).partition("://")
    rest = re.sub(r"^([^:/?#@]*):[^@]*@", r"\1@", rest)
    return f"{scheme}://" + re.sub(r"(?<=[?&])password=[^&]*(&|$)", "", rest).rstrip("?&")


def shown(url: str) -> str:
    """Where a URL points, for messages: host, port and database, never the password."""
    parsed = _parse(url)
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.database or ''} at {parsed.host or parsed.query.get('host', 'the local socket')}{port}"


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Translate what SQLAlchemy and psycopg2 raise into one line that never holds a password."""
    try:
        yield
    except (SQLAlchemyError, psycopg2.Error) as error:
        raise translated(error, url) from error


def translated(error: SQLAlchemyError | psycopg2.Error, url: str) -> DatabaseError:
    """The one line for an error of the database at `url`."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg2.Error):
        message = cause.diag.message_primary
        if message is not None:
            kind = DatabaseUnavailableError if str(cause.pgcode).startswith(PASSING_STATES) else DatabaseError
            return kind(f"the database refused: {_one_line(message)} ({shown(url)})")
        if isinstance(cause, psycopg2.OperationalError | psycopg2.InterfaceError):
            return DatabaseUnavailableError(
                f"can't reach the database {shown(url)}: {_one_line(str(cause))}. Check --database-url or "
                "CONNECTOME_DATABASE_URL, or leave both out to use the embedded server"
            )
    return DatabaseError(f"the database {shown(url)} failed: {_one_line(str(cause))}")


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # its message may hold the URL, and so the password
        parsed = None
    if parsed is None or parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg2"):
        raise DatabaseError("the database URL isn't of the form postgresql://USER@HOST:PORT/DATABASE") from None
    return parsed.set(drivername="postgresql+psycopg2")


def _one_line(text: str) -> str:
    return " ".join(text.split())
