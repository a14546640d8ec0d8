"""Database URLs and connections, and PostgreSQL's errors as this project's: light, for those who only ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import parse_dsn

from connectome.errors import ConnectomeError, DatabaseError, DatabaseUnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Engine

CONNECT_SECONDS = 10
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")
PASSING_STATES = ("08", "40001", "40P01", "53300", "57P01", "57P02", "57P03")
"""SQLSTATEs, or their first letters, of what passes: connections lost, deadlocks, no connection free, a restart."""
UNIQUE_VIOLATION = "23505"  # SQLSTATE


def psql_url(url: str) -> str:
    """The URL as psql reads it: postgresql://, without the driver.

    Raises:
        DatabaseError: it isn't the URL of a PostgreSQL database.
    """
    return _read(url)[0]


def open_connection(url: str) -> Any:
    """A new psycopg2 connection.

    Raises:
        DatabaseError: it isn't the URL of a PostgreSQL database. psycopg2.Error: unreachable.
    """
    given: dict[str, Any] = {"application_name": "connectome", "connect_timeout": CONNECT_SECONDS, **_parse(url)}
    if given.get("host", "").startswith("/"):  # a local socket, whatever PGHOSTADDR and PGOPTIONS say
        given = {"hostaddr": "", "options": "", **given}
    return psycopg2.connect(**given)


def connect(url: str) -> Engine:
    """An engine for a URL; connects only when it is used.

    Raises:
        DatabaseError: it isn't the URL of a PostgreSQL database.
    """
    from sqlalchemy import create_engine  # slow to import, and not needed for asking

    _parse(url)
    return create_engine("postgresql+psycopg2://", creator=lambda: open_connection(url), pool_pre_ping=True)


def without_password(url: str) -> str:
    """A URL as psql reads it that may stand in a command line: everybody on the machine can read those."""
    scheme, _, rest = psql_url(url).partition("://")
    rest = re.sub(r"^([^:/?#@]*):[^@]*@", r"\1@", rest)
    return f"{scheme}://" + re.sub(r"(?<=[?&])(?:ssl)?password=[^&]*(?:&|$)", "", rest).rstrip("?&")


def driver_url(url: str, driver: str) -> str:
    """A URL as psql reads it for another reader: psql and adbc take it as it is, SQLAlchemy's drivers have a name.

    Args:
        url: postgresql://...
        driver: psql, adbc, psycopg2, psycopg (3) or asyncpg.
    """
    rest = psql_url(url).partition("://")[2]
    return f"postgresql://{rest}" if driver in ("psql", "adbc") else f"postgresql+{driver}://{rest}"


def shown(url: str) -> str:
    """The place that a URL points to, for messages: host, port and database, never the password."""
    parsed = _parse(url)
    port = f":{parsed['port']}" if "port" in parsed and not parsed.get("host", "").startswith("/") else ""
    return f"{parsed.get('dbname', '')} at {parsed.get('host', 'the local socket')}{port}"


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Translate what SQLAlchemy and psycopg2 raise into one line that never holds a password."""
    try:
        yield
    except ConnectomeError:
        raise
    except psycopg2.Error as error:
        raise translated(error, url) from error
    except Exception as error:
        from sqlalchemy.exc import SQLAlchemyError  # slow to import, and not needed for asking

        if isinstance(error, SQLAlchemyError):
            raise translated(error, url) from error
        raise


def translated(error: Exception, url: str) -> DatabaseError:
    """The one line for an error of psycopg2 or SQLAlchemy about the database at `url`."""
    cause = _of_psycopg2(error)
    if isinstance(cause, psycopg2.Error):
        message = cause.diag.message_primary
        if message is not None:
            kind = DatabaseUnavailableError if str(cause.pgcode).startswith(PASSING_STATES) else DatabaseError
            return kind(f"the database refused: {_one_line(message)} ({shown(url)})")
        if isinstance(cause, psycopg2.OperationalError | psycopg2.InterfaceError):
            return DatabaseUnavailableError(
                f"can't reach the database {shown(url)}: {_one_line(str(cause))}",
                about="database_url",
            )
    return DatabaseError(f"the database {shown(url)} failed: {_one_line(str(cause))}")


def repeated_key(error: DatabaseError, column: str) -> int | None:
    """The value of a column in the key that came twice, which a user's table can have; None: the error is another."""
    original = _of_psycopg2(error.__cause__)
    if not isinstance(original, psycopg2.Error) or original.pgcode != UNIQUE_VIOLATION:
        return None
    names, values = re.findall(r"\(([^)]*)\)", original.diag.message_detail or "() ()")[:2]
    found = dict(zip(names.split(", "), values.split(", "), strict=False))
    return int(found[column]) if column in found else None


def _of_psycopg2(error: BaseException | None) -> BaseException | None:
    """The psycopg2 error behind one of SQLAlchemy; any other error itself."""
    behind = getattr(error, "orig", None)
    return behind if isinstance(behind, BaseException) else error


def _parse(url: str) -> dict[str, str]:
    return _read(url)[1]


def _read(url: str) -> tuple[str, dict[str, str]]:
    """A URL as psql reads it, and its parts.

    Raises:
        DatabaseError: it isn't the URL of a PostgreSQL database.
    """
    scheme, found, rest = url.partition("://")
    # libpq wants the odd letters of a password quoted; people forget it
    quoted = [
        re.sub(pattern, lambda match: f"{match[1]}:{quote(match[2], safe='%')}@", rest)
        for pattern in (r"^([^:/?#@]*):([^@]*)@", r"^([^:/?#@]*):(.*)@(?=[^@]*$)")
    ]
    for text in (rest, *quoted) if found and scheme in SCHEMES else ():
        with suppress(psycopg2.ProgrammingError):  # its message may hold the URL, and so the password
            parsed = dict(parse_dsn(f"postgresql://{text}"))
            # a host with an @ holds the end of a password, unless it is a socket's folder
            if re.fullmatch(r"[\d,]*", parsed.get("port", "")) and not re.match("[^/]*@", parsed.get("host", "")):
                return f"postgresql://{text}", parsed
    raise DatabaseError("the database URL isn't of the form postgresql://USER@HOST:PORT/DATABASE")


def _one_line(text: str) -> str:
    return " ".join(text.split())
