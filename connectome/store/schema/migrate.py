"""Taking a database's schema to this version's, with Alembic."""

from __future__ import annotations

from contextlib import suppress
from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from connectome.store.address import connect, database_errors
from connectome.store.schema.status import SchemaState, SchemaStatus, status_of

LOCK_KEY = 7_307_199_747_113_001  # any number that no other program uses for its advisory lock


def upgrade(url: str) -> SchemaStatus:
    """Take a database to this version's schema, in one transaction; nothing happens if it is there already.

    Raises:
        SchemaError: the schema is newer, or not connectome's. DatabaseError: unreachable, or refused.
    """
    engine = connect(url)
    try:
        with database_errors(url), engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
            status = _status(connection)
            if status.state in (SchemaState.EMPTY, SchemaState.OLDER):
                command.upgrade(configuration(connection), "head")
                status = _status(connection)
            status.require_current()
            _make_reader(connection)
            return status
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for migrations over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(files("connectome.migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _make_reader(connection: Connection) -> None:
    """Make the roles that only read if they are missing and this user may; queries of users wait for them."""
    if connection.scalar(text("SELECT to_regprocedure('run_query(text)') IS NULL")):
        with suppress(ProgrammingError), connection.begin_nested():
            connection.execute(text("SELECT grant_reader()"))


def _status(connection: Connection) -> SchemaStatus:
    return status_of(connection.connection.cursor())
