"""Logins for people who only read: members of the role connectome_reader."""

from __future__ import annotations

from typing import Any

from psycopg2 import sql
from psycopg2.errors import DuplicateObject
from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, text

from connectome.errors import DatabaseError
from connectome.store.database import Database

SESSION_LIMIT = "10min"  # a statement of a reader takes no longer, unless the reader asks for more
OWN_ROLES = ("connectome_reader", "connectome_sql")
MOST_CONNECTIONS = 20
TEMP_FILES = "10GB"
"""Of a reader at once: the space that sorts may take on the server's disk."""
KEEP_FROM_ALL = """
REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC;
DO $$ DECLARE function regprocedure; BEGIN
    FOR function IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
        AND (proname ~ '^pg_(try_)?advisory_' OR proname = ANY(
             ARRAY['lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite', 'lo_truncate', 'lo_truncate64'])) LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', function,
                       (SELECT rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
                        WHERE datname = current_database()));
    END LOOP;
END $$
"""
"""Advisory locks keep others from building; temporary tables and large objects fill the disk."""
IS_READER = """
SELECT pg_has_role(r.oid, 'connectome_reader', 'MEMBER') AND NOT rolsuper AND NOT rolcreaterole
       AND rolname <> current_user AND rolname <> session_user AND rolname <> ALL(%s)
       AND NOT EXISTS (SELECT FROM pg_database d
                       WHERE d.datname = current_database() AND pg_has_role(r.oid, d.datdba, 'MEMBER'))
       AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                       AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
FROM pg_roles r WHERE rolname = %s
"""


def create_reader(database: Database, name: str, password: str | None) -> bool:
    """Make a login that can read all tables and nothing else; a reader of that name gets the new password.

    From then on only the database's owner can take advisory locks and make temporary tables and large objects in it.

    The password leaves this process only as its SCRAM-SHA-256 verifier: the server's log can't hold it.

    Args:
        database: whose tables the login may read.
        name: of the login.
        password: None where the server knows its users otherwise (peer, certificates).

    Returns:
        Whether the login is also kept from locks, temporary tables and large objects, which takes a superuser.

    Raises:
        DatabaseError: a role of that name exists and isn't just a reader, or this user may not create roles.
    """
    with database.begin() as connection:
        connection.execute(text("SELECT grant_reader()"))
        raw: Any = connection.connection.dbapi_connection
        verifier: sql.Composable = sql.SQL("")
        if password is not None:
            hashed = encrypt_password(password, name, raw, "scram-sha-256")
            verifier = sql.SQL(" PASSWORD {}").format(sql.Literal(hashed))
        login = sql.Identifier(name)
        if not _made(connection, name):
            _require_reader(connection, name)
        cursor = raw.cursor()
        limited = sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {}{}")
        cursor.execute(limited.format(login, sql.Literal(MOST_CONNECTIONS), verifier))
        cursor.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(login))
        cursor.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = {}").format(login, sql.Literal(SESSION_LIMIT)))
        cursor.execute("SELECT rolsuper, current_database() FROM pg_roles WHERE rolname = current_user")
        is_superuser, name_of_database = cursor.fetchone()
        if is_superuser:
            cursor.execute(sql.SQL("ALTER ROLE {} SET temp_file_limit = {}").format(login, sql.Literal(TEMP_FILES)))
            cursor.execute(sql.SQL(KEEP_FROM_ALL).format(database=sql.Identifier(name_of_database)))
        return bool(is_superuser)


def _made(connection: Connection, name: str) -> bool:
    """Create the role; False if there is one of that name."""
    cursor: Any = connection.connection.cursor()
    cursor.execute("SAVEPOINT before_role")
    try:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE connectome_reader").format(sql.Identifier(name)))
    except DuplicateObject:
        cursor.execute("ROLLBACK TO SAVEPOINT before_role")
        return False
    return True


def _require_reader(connection: Connection, name: str) -> None:
    """Refuse to change the login of somebody who isn't a reader.

    Raises:
        DatabaseError: the role is no reader.
    """
    cursor: Any = connection.connection.cursor()
    cursor.execute(IS_READER, [list(OWN_ROLES), name])
    if cursor.fetchone() != (True,):
        raise DatabaseError(f"the server has a role '{name}' that isn't a reader of connectome: choose another name")
