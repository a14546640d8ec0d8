from __future__ import annotations

from pathlib import Path

import pytest

from connectome.errors import QueryError
from connectome.store.database import Database
from connectome.store.queries.sql import run_sql
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import get_run


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS one",
        "SELECT 1 AS one;",
        "-- first\nSELECT 1 AS one -- last",
        "VALUES (1)",
        "WITH a AS (VALUES (1)) TABLE a",
    ],
)
def test_statements_that_read_run(database: Database, query: str) -> None:
    assert list(run_sql(database, query).rows) == [(1,)]


def test_percent_signs_colons_and_semicolons_are_the_users_own(database: Database) -> None:
    assert list(run_sql(database, "SELECT 'a%s:b;c' AS t, 5 % 3, '1'::int").rows) == [("a%s:b;c", 2, 1)]


def test_many_rows_arrive_in_order(database: Database) -> None:
    result = run_sql(database, "SELECT generate_series(1, 25000) AS number")
    assert result.columns == ["number"]
    assert [row[0] for row in result.rows] == list(range(1, 25001))


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM run",
        "DELETE FROM run RETURNING name",
        "WITH gone AS (DELETE FROM run RETURNING 1) TABLE gone",
        "DROP TABLE run CASCADE",
        "SELECT 1; DROP TABLE run CASCADE",
        "SELECT 1; COMMIT; DELETE FROM run",
        "COMMIT",
        "SET TRANSACTION READ WRITE",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "TRUNCATE run",
        "CREATE TABLE a AS SELECT 1",
        "SELECT nextval('run_run_id_seq')",
        "DO 'BEGIN DELETE FROM run; END'",
        "SELECT * INTO a FROM run",
    ],
)
def test_statements_that_write_are_refused(database: Database, run: RunRecord, query: str) -> None:
    with pytest.raises(QueryError) as caught:
        run_sql(database, query)
    assert "\n" not in str(caught.value)
    assert get_run(database, run.name) == run


def test_programs_and_files_are_out_of_reach_of_copy(database: Database, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="one that reads, is allowed"):
        run_sql(database, f"COPY (SELECT 1) TO PROGRAM 'cat > {tmp_path}/made'")
    with pytest.raises(QueryError, match="one that reads, is allowed"):
        run_sql(database, f"COPY (SELECT 1) TO '{tmp_path}/made'")
    assert not (tmp_path / "made").exists()


def test_a_query_that_takes_too_long_is_stopped(database: Database) -> None:
    with pytest.raises(QueryError, match=r"took longer than 0\.2 s"):
        run_sql(database, "SELECT pg_sleep(30)", timeout_s=0.2)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT presyn FROM synapse", 'column "presyn" does not exist'),
        ("SELECT 1 / 0", "division by zero"),
        ("SELECT 1 / (1000 - number) FROM generate_series(1, 1000) AS number", "division by zero"),
        (" ", "the query is empty"),
        ("SELECT '\0'", "NUL"),
    ],
)
def test_a_wrong_query_is_told_in_one_line(database: Database, query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        run_sql(database, query)
    assert "\n" not in str(caught.value)
