from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from alembic import command

from connectome.errors import DatabaseError, QueryError
from connectome.store.address import connect
from connectome.store.database import Database
from connectome.store.findings.edges import ensure_edges
from connectome.store.proofreading.roots import create_roots
from connectome.store.queries.sql import run_sql
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import data_set_of_name
from connectome.store.schema.migrate import configuration, upgrade
from connectome.store.server.logins import MOST_CONNECTIONS, create_reader

SECRET = "correct-horse-battery"
Execute = Callable[..., None]


@pytest.fixture
def reader(database: Database, execute_sql: Execute) -> Iterator[str]:
    """The name of a login that is gone when the test ends; roles belong to the whole server."""
    yield "ann"
    wait_until_gone(database, "ann")
    execute_sql(database.url, "DROP ROLE IF EXISTS ann")


def wait_until_gone(database: Database, role: str) -> None:
    """Wait for the end of a role's closed sessions; what is temporary belongs to it until then."""
    with closing(psycopg2.connect(database.url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for _ in range(200):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (role,))
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.05)
    pytest.fail(f"a session of {role} is still open")


def url_of(database: Database, name: str) -> str:
    user = database.url.split("//")[1].split("@")[0]
    return database.url.replace(f"//{user}@", f"//{name}:{SECRET}@", 1)


def test_a_reader_reads_and_cannot_write(database: Database, run: RunRecord, reader: str, tmp_path: Path) -> None:
    create_reader(database, reader, SECRET)
    with closing(psycopg2.connect(url_of(database, reader))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT name FROM run")
        assert cursor.fetchall() == [("first",)]
        cursor.execute("SET default_transaction_read_only = off")
        for statement in (
            "DELETE FROM run",
            "CREATE TABLE public.mine (a integer)",
            "DROP FUNCTION run_query",
            "COPY run TO PROGRAM 'cat'",
            "COPY run TO '/tmp/run'",
            "SELECT pg_read_file('PG_VERSION')",
            "SET ROLE connectome_sql",
            "SELECT grant_reader()",
        ):
            with pytest.raises(psycopg2.Error):
                cursor.execute(statement)
    with Database.open(url_of(database, reader), tmp_path) as opened:
        assert run_sql(opened, "SELECT name FROM run").rows == [("first",)]
        with pytest.raises(QueryError, match="only one statement, and one that reads"):
            run_sql(opened, "DELETE FROM run")
        with opened.reading() as cursor:
            cursor.execute("SELECT current_user::text")
            assert cursor.fetchall() == [("connectome_reader",)]


def test_a_reader_is_told_who_makes_edges_that_are_not_there(
    database: Database, run: RunRecord, reader: str, tmp_path: Path
) -> None:
    create_reader(database, reader, SECRET)
    with database.begin() as connection:
        roots_id = create_roots(connection, "v1", "test", data_set_of_name(connection, "lab"))
    with Database.open(url_of(database, reader), tmp_path) as opened:
        with pytest.raises(DatabaseError, match="this login only reads"):
            ensure_edges(opened, run.run_id, roots_id)
        ensure_edges(database, run.run_id, roots_id)
        ensure_edges(opened, run.run_id, roots_id)


@pytest.mark.parametrize(
    "command",
    [
        "ALTER FUNCTION run_query(text) SET search_path = {schema}, public",
        "CREATE OR REPLACE FUNCTION run_query(query text) RETURNS SETOF record LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION describe_query(text) OWNER TO ann",
        "GRANT connectome_sql TO ann",
        "SET transaction_read_only = off",
    ],
)
def test_functions_that_a_reader_makes_change_nothing_for_others(
    database: Database, run: RunRecord, reader: str, command: str, execute_sql: Execute
) -> None:
    create_reader(database, reader, SECRET)
    name = database.url.partition("?")[0].rpartition("/")[2]
    execute_sql(database.url, f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC")  # as where no superuser made the reader
    with closing(psycopg2.connect(url_of(database, reader))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SET default_transaction_read_only = off")
        cursor.execute("CREATE TEMP VIEW run AS SELECT 'forged'::text AS name; GRANT ALL ON run TO PUBLIC")
        cursor.execute("SELECT pg_my_temp_schema()::regnamespace::text")
        (schema,) = cursor.fetchone() or ("",)
        cursor.execute(f"GRANT ALL ON SCHEMA {schema} TO PUBLIC")
        cursor.execute(
            "CREATE FUNCTION pg_temp.evil(command text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
            "EXECUTE command; RETURN 'done'; END $$"
        )
        attack = f"SELECT {schema}.evil($${command.format(schema=schema)}$$)"
        for call in (
            "SELECT * FROM run_query(%s) AS found (done text)",
            "SELECT describe_query(%s); FETCH connectome_query",
        ):
            with pytest.raises(psycopg2.Error, match=r"read-only|permission denied|must be|read-write"):
                cursor.execute(call, [attack])
        cursor.execute("SELECT name FROM run_query('SELECT name FROM run') AS found (name text)")
        assert cursor.fetchall() == [(run.name,)]
        assert run_sql(database, "SELECT name FROM run").rows == [(run.name,)]


def test_a_password_is_in_no_log_and_can_be_changed(
    database: Database, reader: str, execute_sql: Execute, server_log: Path
) -> None:
    name = database.url.split("/")[3].split("?")[0]
    execute_sql(database.url, f"ALTER DATABASE {name} SET log_statement = 'all'")
    database.close()
    for password in (SECRET, SECRET + "2"):
        create_reader(database, reader, password)
    log = server_log.read_text()
    assert f'ALTER ROLE "{reader}" LOGIN CONNECTION LIMIT {MOST_CONNECTIONS} PASSWORD' in log
    assert SECRET not in log
    stored = database.columns(f"SELECT rolpassword AS hashed FROM pg_authid WHERE rolname = '{reader}'")["hashed"]
    assert stored[0].startswith("SCRAM-SHA-256$")


def test_the_role_of_somebody_else_is_left_alone(database: Database, reader: str, execute_sql: Execute) -> None:
    execute_sql(database.url, "CREATE ROLE ann LOGIN")
    with pytest.raises(DatabaseError, match="a role 'ann' that isn't a reader"):
        create_reader(database, reader, SECRET)
    with pytest.raises(DatabaseError, match="isn't a reader"):
        create_reader(database, database.columns("SELECT current_user::text AS me")["me"][0], SECRET)


@pytest.mark.parametrize("name", ["connectome_reader", "connectome_sql"])
def test_the_roles_of_the_database_become_no_login(database: Database, name: str) -> None:
    with pytest.raises(DatabaseError, match=f"a role '{name}' that isn't a reader"):
        create_reader(database, name, SECRET)


def test_the_owner_of_the_tables_becomes_no_reader(database: Database, reader: str, execute_sql: Execute) -> None:
    create_reader(database, reader, SECRET)
    execute_sql(database.url, "ALTER TABLE synapse OWNER TO ann")
    try:
        with pytest.raises(DatabaseError, match="isn't a reader"):
            create_reader(database, reader, SECRET)
    finally:
        execute_sql(database.url, "REASSIGN OWNED BY ann TO CURRENT_USER", "DROP OWNED BY ann")


def test_a_user_who_is_no_member_of_the_readers_reads_with_rights_of_its_own(
    database: Database, reader: str, execute_sql: Execute
) -> None:
    execute_sql(
        database.url, "CREATE ROLE ann LOGIN", f"ALTER ROLE ann PASSWORD '{SECRET}'", "GRANT SELECT ON run TO ann"
    )
    try:
        with Database(url_of(database, reader)) as opened, opened.reading() as cursor:
            cursor.execute("SELECT current_user::text, (SELECT count(*) FROM run)")
            assert cursor.fetchall() == [(reader, 0)]
    finally:
        execute_sql(database.url, "DROP OWNED BY ann")


def test_a_user_who_may_not_create_roles_gets_the_schema_and_an_administrator_adds_the_role(
    empty_database_url: str, execute_sql: Execute, tmp_path: Path
) -> None:
    name = empty_database_url.split("/")[3].split("?")[0]
    execute_sql(
        empty_database_url,
        "CREATE ROLE bob LOGIN",
        f"ALTER DATABASE {name} OWNER TO bob",
        "ALTER SCHEMA public OWNER TO bob",
        "DROP OWNED BY connectome_sql, connectome_reader",
        "ALTER ROLE connectome_sql RENAME TO away_sql",
        "ALTER ROLE connectome_reader RENAME TO away_reader",
    )
    user = empty_database_url.split("//")[1].split("@")[0]
    url = empty_database_url.replace(f"//{user}@", "//bob@", 1)
    try:
        upgrade(url)
        with Database.open(url, tmp_path) as database:
            with pytest.raises(QueryError, match="lacks the role connectome_reader"):
                run_sql(database, "SELECT 1")
            execute_sql(empty_database_url, "ALTER ROLE bob CREATEROLE")
            upgrade(url)
            assert run_sql(database, "SELECT current_user::text").rows == [("connectome_sql",)]
        engine = connect(url)
        with engine.begin() as connection:
            command.downgrade(configuration(connection), "base")
        engine.dispose()
    finally:
        execute_sql(
            empty_database_url,
            f"REASSIGN OWNED BY bob TO {user}",
            "DROP OWNED BY bob",
            "DROP ROLE IF EXISTS connectome_sql",
            "DROP ROLE IF EXISTS connectome_reader",
            "DROP ROLE bob",
            "ALTER ROLE away_sql RENAME TO connectome_sql",
            "ALTER ROLE away_reader RENAME TO connectome_reader",
        )


def test_a_reader_can_not_lock_others_out_or_fill_the_disk(
    database: Database, run: RunRecord, reader: str, execute_sql: Execute
) -> None:
    assert create_reader(database, reader, SECRET)
    with closing(psycopg2.connect(url_of(database, reader))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SET default_transaction_read_only = off")
        for statement in (
            "SELECT pg_advisory_lock(1)",
            "SELECT pg_try_advisory_lock(oid::bigint) FROM pg_class",
            "SELECT pg_advisory_xact_lock_shared(1, 2)",
            "CREATE TEMPORARY TABLE mine (a integer)",
            "SELECT * INTO TEMPORARY mine FROM run",
            "SELECT lo_from_bytea(0, 'x')",
            "SELECT lo_create(0)",
            "DO $$ BEGIN LOCK TABLE run IN EXCLUSIVE MODE; END $$",
            "SELECT * FROM run FOR UPDATE",
            "SET temp_file_limit = -1",
            "ALTER ROLE ann CONNECTION LIMIT -1",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
        cursor.execute("SHOW temp_file_limit")
        assert cursor.fetchone() == ("10GB",)
        with lock_run(database, run.name):
            pass
    execute_sql(database.url, "ALTER ROLE ann SET temp_file_limit = '1MB'")
    many = "SELECT repeat('x', 99) || i AS t FROM generate_series(1, 200000) i ORDER BY t"
    with (
        closing(psycopg2.connect(url_of(database, reader))) as connection,
        connection.cursor() as cursor,
        pytest.raises(psycopg2.errors.ConfigurationLimitExceeded),
    ):
        cursor.execute(f"SET work_mem = '64kB'; SELECT count(*) FROM ({many} OFFSET 1) AS sorted")


def test_a_reader_leaves_connections_to_others(database: Database, reader: str) -> None:
    create_reader(database, reader, SECRET)
    taken = []
    with pytest.raises(psycopg2.OperationalError, match="too many connections for role"):
        for _ in range(MOST_CONNECTIONS + 1):
            taken.append(psycopg2.connect(url_of(database, reader)))
    assert len(taken) == MOST_CONNECTIONS
    database.columns("SELECT 1 AS one")
    for connection in taken:
        connection.close()
