"""The revision of a database's schema beside this version's, without Alembic, which takes its time."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectome.errors import SchemaError
from connectome.store.address import database_errors, open_connection

HEAD = "0019"
"""The newest revision in migrations/versions/: revisions are four digits that count up."""
TABLES = (
    "annotation",
    "block",
    "candidate",
    "cleft",
    "data_set",
    "duplicate",
    "edge",
    "fragment",
    "fragment_cleft",
    "model",
    "root",
    "root_edge",
    "root_refresh",
    "roots",
    "run",
    "stage",
    "supervoxel_root",
    "synapse",
    "synapse_root",
    "volume",
)
"""The names of all tables, by which a database of another program is told from an empty one."""
HAS_REVISION = "SELECT to_regclass('alembic_version') IS NOT NULL"
REVISION = "SELECT version_num FROM alembic_version"
HAS_TABLES = """
SELECT EXISTS (SELECT FROM unnest(%s) AS name JOIN pg_class ON pg_class.oid = to_regclass(name)
               WHERE relkind IN ('r', 'p'))"""


class SchemaState(StrEnum):
    """The relation of a database's schema to this version of connectome."""

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


def schema_status(url: str) -> SchemaStatus:
    """The schema of a database.

    Raises:
        DatabaseError: unreachable.
    """
    with database_errors(url), closing(open_connection(url)) as connection, connection.cursor() as cursor:
        return status_of(cursor)


def status_of(cursor: Any) -> SchemaStatus:
    """The schema of the database of an open psycopg2 cursor."""
    current = _revision(cursor)
    if current == HEAD:
        state = SchemaState.CURRENT
    elif current is None:
        cursor.execute(HAS_TABLES, [list(TABLES)])
        state = SchemaState.FOREIGN if cursor.fetchone()[0] else SchemaState.EMPTY
    else:
        known = current.isdecimal() and len(current) == len(HEAD)
        state = SchemaState.OLDER if known and current < HEAD else SchemaState.NEWER
    return SchemaStatus(current=current, head=HEAD, state=state)


def _revision(cursor: Any) -> str | None:
    cursor.execute(HAS_REVISION)
    if not cursor.fetchone()[0]:
        return None
    cursor.execute(REVISION)
    found = cursor.fetchone()
    return None if found is None else str(found[0])
