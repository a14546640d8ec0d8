from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from connectome.errors import DatabaseError, QueryError
from connectome.store.database import Database
from connectome.store.queries.sql import run_sql
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import get_run


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM synapse",
        "DROP TABLE synapse",
        "TRUNCATE run CASCADE",
        "COPY run TO PROGRAM 'cat > {made}'",
        "SELECT 1; DROP TABLE run CASCADE",
        "SELECT 1; COMMIT; DROP TABLE run CASCADE",
        "RESET ROLE",
        "SET ROLE postgres",
        "RESET SESSION AUTHORIZATION",
        "SET SESSION AUTHORIZATION DEFAULT",
        "SELECT set_config('role', session_user::text, false)",
        "SELECT set_config('role', 'none', true)",
        "SELECT set_config('session_authorization', session_user::text, false)",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT query_to_xml('DELETE FROM run', true, true, '')",
        "SELECT query_to_xml('SET ROLE postgres', true, true, '')",
        "SELECT set_config('role', session_user::text, true), "
        "query_to_xml('SELECT pg_read_file(''PG_VERSION'')', true, true, '')",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_export(1, '{made}')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_reload_conf()",
        "SELECT rolpassword FROM pg_authid",
        "SELECT grant_reader()",
        "SELECT stage_partitions(9, partitioned_tables())",
        "SELECT drop_partitions(run_id, partitioned_tables()) FROM run",
        "SELECT nextval('run_run_id_seq')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL",
        "SELECT run_id FROM run FOR UPDATE",
    ],
)
def test_attacks_are_refused_and_the_data_stays(database: Database, run: RunRecord, tmp_path: Path, query: str) -> None:
    made = tmp_path / "made"
    with lock_run(database, "other"), pytest.raises(QueryError) as caught:  # a second session that could be ended
        run_sql(database, query.format(made=made))
    assert "\n" not in str(caught.value)
    assert not made.exists()
    assert get_run(database, run.name) == run
    assert run_sql(database, "SELECT count(*) FROM synapse").rows == [(0,)]


def test_a_query_runs_as_a_role_without_any_power(database: Database) -> None:
    result = run_sql(
        database,
        "SELECT current_user::text, pg_has_role(current_user, 'pg_read_all_data', 'usage'), "
        "has_table_privilege('run', 'INSERT'), has_schema_privilege('public', 'CREATE')",
    )
    assert result.rows == [("connectome_sql", False, False, False)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT pg_sleep(600)",
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(600)",
        "SELECT count(*) FROM generate_series(1, 1000000000000)",
    ],
)
def test_a_query_without_end_is_cut_off(database: Database, query: str) -> None:
    with pytest.raises(QueryError, match=r"took longer than 0\.3 s"):
        run_sql(database, query, timeout_s=0.3)


def test_nothing_that_a_query_sets_or_locks_outlives_it(database: Database) -> None:
    run_sql(database, "SELECT set_config('statement_timeout', '1ms', false), pg_advisory_lock(1)")
    assert run_sql(database, "SELECT pg_try_advisory_lock(1)").rows == [(True,)]
    with database.begin() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0"


def test_types_and_names_of_columns_come_through(database: Database) -> None:
    result = run_sql(
        database,
        "SELECT 1::numeric(5, 2) AS a, 'x'::varchar(3) AS a, NULL AS \"C d\", ARRAY[1, 2] AS e, "
        "table_name FROM information_schema.tables WHERE table_name = 'run'",
    )
    assert result.columns == ["a", "a", "C d", "e", "table_name"]
    assert [tuple(map(str, row)) for row in result.rows] == [("1.00", "x", "None", "[1, 2]", "run")]
    assert run_sql(database, "EXPLAIN SELECT 1").columns == ["QUERY PLAN"]
    assert run_sql(database, "SHOW work_mem").columns == ["work_mem"]


def test_a_server_without_the_role_refuses_queries_and_says_the_way_out(
    database: Database, execute_sql: Callable[..., None]
) -> None:
    execute_sql(database.url, "DROP FUNCTION run_query")
    with pytest.raises(QueryError, match=r"lacks the role connectome_reader.*connectome db upgrade makes it"):
        run_sql(database, "SELECT 1")


def test_statements_of_this_package_read_with_the_readers_rights(database: Database, run: RunRecord) -> None:
    with database.reading() as cursor:
        cursor.execute("SELECT current_user::text, (SELECT count(*) FROM synapse_best)")
        assert cursor.fetchall() == [("connectome_reader", 0)]
    with pytest.raises(DatabaseError, match=r"permission denied|read-only"), database.reading() as cursor:
        cursor.execute("DELETE FROM run")
    with pytest.raises(QueryError, match=r"longer than 0\.2 s"), database.reading(timeout_s=0.2) as cursor:
        cursor.execute("SELECT pg_sleep(60)")
    with database.begin() as connection:
        assert connection.scalar(text("SELECT current_user::text")) != "connectome_reader"


def test_a_query_of_odd_types_may_end_in_a_semicolon_or_a_comment(database: Database) -> None:
    assert run_sql(database, "SELECT pg_sleep(0) AS nothing, row(1, 'a') AS both;").rows == [("", "(1,a)")]
    assert run_sql(database, "SELECT pg_sleep(0) -- no time at all").rows == [("",)]
    assert run_sql(database, "SELECT 1; -- one").rows == [(1,)]


def test_a_large_object_that_an_older_server_lets_a_query_make_is_gone_with_it(database: Database) -> None:
    with suppress(QueryError):
        run_sql(database, "SELECT lo_from_bytea(0, 'x')")
    assert database.columns("SELECT count(*) AS n FROM pg_largeobject_metadata")["n"].tolist() == [0]
