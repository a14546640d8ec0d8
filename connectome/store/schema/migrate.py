"""The database schema: which revision a database has, and taking it to this version's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import ProgrammingError

from connectome.errors import SchemaError
from connectome.store.address import connect, database_errors
from connectome.store.schema.tables import METADATA

LOCK_KEY = 7_307_199_747_113_001  # any number that no other program uses for its advisory lock


class SchemaState(StrEnum):
    """How a database's schema relates to this version of connectome."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class SchemaStatus:
    """A database's schema revision beside the one of this version.

    Attributes:
        current: the database's revision; None if it has none.
        head: the revision of this version of connectome.
    """

    current: str | None
    head: str
    state: SchemaState

    def require_current(self) -> None:
        """Refuse any schema but this version's.

        Raises:
            SchemaError: says what to run.
        """
        match self.state:
            case SchemaState.CURRENT:
                return
            case SchemaState.EMPTY:
                message = "the database has no connectome tables yet: run connectome db upgrade"
            case SchemaState.OLDER:
                message = (
                    f"the database's schema ({self.current}) is older than this version of connectome ({self.head}): "
                    "run connectome db upgrade"
                )
            case SchemaState.NEWER:
                message = (
                    f"the database's schema ({self.current}) is newer than this version of connectome ({self.head}): "
                    "install the version that made it, or use another database"
                )
            case SchemaState.FOREIGN:
                message = (
                    "the database has tables of connectome's names but no schema revision, so another program made "
                    "them: use another database"
                )
        raise SchemaError(message)


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


def schema_status(url: str) -> SchemaStatus:
    """Which schema a database has.

    Raises:
        DatabaseError: unreachable.
    """
    engine = connect(url)
    try:
        with database_errors(url), engine.begin() as connection:
            return _status(connection)
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
    script = ScriptDirectory.from_config(configuration(connection))
    head = script.get_current_head()
    assert head is not None
    current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        state = SchemaState.CURRENT
    elif current is None:
        found = set(inspect(connection).get_table_names()) & set(METADATA.tables)
        state = SchemaState.FOREIGN if found else SchemaState.EMPTY
    else:
        known = {revision.revision for revision in script.walk_revisions()}
        state = SchemaState.OLDER if current in known else SchemaState.NEWER
    return SchemaStatus(current=current, head=head, state=state)
